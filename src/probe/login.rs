//! The logins that a client can start, and why others are not asked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::question::{Ask, ProbeQuestion, ResponseType};
use crate::json::Body;
use crate::model::resource::{Id, Key};

/// A client, or one of its callbacks, that is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotProbed {
    /// The client.
    pub key: Key,
    /// The callback, if only that is not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<String>,
    /// The reason.
    pub reason: String,
}

/// The subdomain that stands for the wildcard of a callback.
const SUBDOMAIN: &str = "migrate-probe";

/// Returns the questions about the logins of a client, whose body is that of the tenant itself, and what is not asked.
pub(super) fn logins(key: &Key, id: &Id, client: &Body) -> (Vec<ProbeQuestion>, Vec<NotProbed>) {
    let none = |reason: &str| (Vec::new(), vec![NotProbed { key: key.clone(), callback: None, reason: reason.to_owned() }]);
    if let Some(reason) = needs_more_than_a_request(client) {
        return none(reason);
    }
    let callbacks = texts(client, "callbacks").unwrap_or_default();
    if callbacks.is_empty() {
        return none("it has no callback, so nobody signs in through it");
    }
    let types = response_types(client);
    if types.is_empty() {
        return none("none of its grant types starts at /authorize");
    }
    let (mut questions, mut left) = (Vec::new(), Vec::new());
    for callback in callbacks {
        match concrete(&callback) {
            Ok(concrete) => questions.extend(types.iter().map(|response_type| {
                let ask = Ask::Login { key: key.clone(), client_id: id.clone(), callback: concrete.clone(), response_type: *response_type };
                ProbeQuestion { domain: None, ask }
            })),
            Err(reason) => left.push(NotProbed { key: key.clone(), callback: Some(callback), reason: reason.to_owned() }),
        }
    }
    (questions, left)
}

/// Returns why no login of a client starts with a plain request, if so.
fn needs_more_than_a_request(client: &Body) -> Option<&'static str> {
    let is_set = |path: &str| client.get(path) == Some(&Value::Bool(true));
    let waits = client.text("organization_require_behavior").is_some_and(|behavior| behavior != "no_prompt");
    if is_set("require_pushed_authorization_requests") {
        Some("it requires pushed authorization requests, which need its credentials")
    } else if is_set("signed_request_object.required") {
        Some("it requires signed requests, which need its key")
    } else if client.text("organization_usage") == Some("require") && !waits {
        Some("it requires a login to name an organization")
    } else {
        None
    }
}

/// Returns the response types that the grant types of a client allow; without grant types, that of every modern application.
fn response_types(client: &Body) -> Vec<ResponseType> {
    let Some(grants) = texts(client, "grant_types") else { return vec![ResponseType::Code] };
    let has = |grant: &str| grants.iter().any(|known| known == grant);
    let code = has("authorization_code").then_some(ResponseType::Code);
    let implicit = has("implicit").then_some([ResponseType::IdToken, ResponseType::Token]);
    code.into_iter().chain(implicit.into_iter().flatten()).collect()
}

/// Returns the URL to ask for in place of a callback: itself, or a subdomain in place of a wildcard.
///
/// # Errors
///
/// Why it stands for no single URL.
fn concrete(callback: &str) -> Result<String, &'static str> {
    if callback.contains(['{', '⟦', '⟨']) {
        return Err("it has a placeholder, whose value depends on the login");
    }
    let Some((before, after)) = callback.split_once('*') else { return Ok(callback.to_owned()) };
    let label = ["https://", "http://"].iter().find_map(|scheme| before.strip_prefix(scheme));
    let host = after.split(['/', '?', '#']).next().unwrap_or_default();
    let has_domain = host.split_once('.').is_some_and(|(_, domain)| domain.contains('.'));
    // The documented rules of wildcards: one, in the first label of the host of a URL, below a domain.
    if label.is_some_and(|label| !label.contains(['.', '/'])) && has_domain && !after.contains('*') {
        Ok(format!("{before}{SUBDOMAIN}{after}"))
    } else {
        Err("its wildcard is one that Auth0 does not match")
    }
}

fn texts(client: &Body, path: &str) -> Option<Vec<String>> {
    let list = client.get(path)?.as_array()?;
    Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::resource::key;

    fn asked(client: Value) -> (Vec<String>, Vec<String>) {
        let body = Body::from_value(client).expect("an object");
        let (questions, left) = logins(&key("clients/Web"), &Id::new("c1"), &body);
        let question = |question: ProbeQuestion| match question.ask {
            Ask::Login { callback, response_type, .. } => format!("{} {callback}", response_type.as_str()),
            _ => "none".to_owned(),
        };
        let left =
            left.into_iter().map(|left| left.callback.map_or(left.reason.clone(), |callback| format!("{callback}: {}", left.reason)));
        (questions.into_iter().map(question).collect(), left.collect())
    }

    #[test]
    fn response_types_follow_the_grant_types() {
        let callbacks = json!(["https://a.example/cb"]);
        let all = json!(["authorization_code", "implicit", "refresh_token"]);
        assert_eq!(
            asked(json!({"callbacks": callbacks, "grant_types": all})).0,
            ["code https://a.example/cb", "id_token https://a.example/cb", "token https://a.example/cb"]
        );
        assert_eq!(asked(json!({"callbacks": callbacks})).0, ["code https://a.example/cb"]);
        let machine = asked(json!({"callbacks": callbacks, "grant_types": ["client_credentials"]}));
        assert_eq!(machine, (vec![], vec!["none of its grant types starts at /authorize".to_owned()]));
        let machine = asked(json!({"grant_types": ["client_credentials"], "callbacks": []}));
        assert_eq!(machine.1, ["it has no callback, so nobody signs in through it"]);
    }

    #[test]
    fn a_callback_is_asked_for_as_it_is_unless_it_stands_for_many() {
        let callbacks = json!([
            "com.acme.app://acme.eu.auth0.com/ios/com.acme.app/callback",
            "http://localhost:3000/cb",
            "https://*.acme.example/cb",
            "https://app-*.acme.example",
            "https://sub.*.acme.example/cb",
            "https://*.example/cb",
            "https://{organization_name}.acme.example/cb",
        ]);
        let (questions, left) = asked(json!({"callbacks": callbacks, "grant_types": ["authorization_code"]}));
        assert_eq!(
            questions,
            [
                "code com.acme.app://acme.eu.auth0.com/ios/com.acme.app/callback",
                "code http://localhost:3000/cb",
                "code https://migrate-probe.acme.example/cb",
                "code https://app-migrate-probe.acme.example",
            ]
        );
        assert_eq!(
            left,
            [
                "https://sub.*.acme.example/cb: its wildcard is one that Auth0 does not match",
                "https://*.example/cb: its wildcard is one that Auth0 does not match",
                "https://{organization_name}.acme.example/cb: it has a placeholder, whose value depends on the login",
            ]
        );
    }

    #[test]
    fn a_client_whose_logins_need_more_than_a_request_is_not_probed() {
        let base = |field: &str, value: Value| json!({"callbacks": ["https://a.example"], field: value});
        for (client, reason) in [
            (base("require_pushed_authorization_requests", json!(true)), "pushed"),
            (base("signed_request_object", json!({"required": true})), "signed"),
            (base("organization_usage", json!("require")), "organization"),
        ] {
            let (questions, left) = asked(client);
            assert!(questions.is_empty() && left[0].contains(reason), "{left:?}");
        }
    }
}
