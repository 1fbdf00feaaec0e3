//! What an answer of the front door means.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::question::{Ask, ProbeQuestion};
use crate::model::front_door::FrontDoorAnswer;

/// What an answer of the front door means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum ProbeAnswer {
    /// It leads to the login page.
    LoginPage,
    /// It leads to an identity provider, so the login goes on there.
    IdentityProvider {
        /// The host of the identity provider.
        host: String,
    },
    /// The document is complete.
    Document,
    /// It leads to an error, for this reason.
    Refused {
        /// The reason, as the tenant gives it.
        reason: String,
    },
    /// It proves nothing, for this reason.
    Unclear {
        /// The reason.
        reason: String,
    },
}

/// The maximum number of characters of a tenant's message.
const MESSAGE: usize = 200;

/// Messages of Auth0's error page that say why; the page itself is not parsed.
const KNOWN_MESSAGES: [&str; 2] = ["Callback URL mismatch", "Unknown client"];

impl ProbeAnswer {
    /// Returns whether it works; `None` if the answer proves nothing.
    #[must_use]
    pub const fn works(&self) -> Option<bool> {
        match self {
            Self::LoginPage | Self::IdentityProvider { .. } | Self::Document => Some(true),
            Self::Refused { .. } => Some(false),
            Self::Unclear { .. } => None,
        }
    }

    /// Creates an answer that proves nothing.
    pub(crate) fn unclear(reason: impl Into<String>) -> Self {
        Self::Unclear { reason: reason.into() }
    }

    fn refused(reason: &str) -> Self {
        Self::Refused { reason: reason.chars().take(MESSAGE).collect() }
    }
}

/// Returns what an answer means; `hosts` are all domains of the tenant.
#[must_use]
pub fn verdict(question: &ProbeQuestion, answer: &FrontDoorAnswer, hosts: &BTreeSet<String>) -> ProbeAnswer {
    match answer {
        FrontDoorAnswer::Unreachable(reason) => ProbeAnswer::unclear(format!("no answer: {reason}")),
        FrontDoorAnswer::Answered { status: 429, .. } => ProbeAnswer::unclear("the tenant limits requests (429)"),
        FrontDoorAnswer::Answered { status, .. } if *status >= 500 => ProbeAnswer::unclear(format!("the tenant answered {status}")),
        FrontDoorAnswer::Answered { status, location, body } => match question.ask {
            Ask::Login { .. } => of_login(*status, location.as_deref(), body, hosts),
            Ask::Discovery => of_document(*status, body, "issuer", Value::is_string),
            Ask::SigningKeys => of_document(*status, body, "keys", |keys| keys.as_array().is_some_and(|keys| !keys.is_empty())),
        },
    }
}

fn of_login(status: u16, location: Option<&str>, body: &[u8], hosts: &BTreeSet<String>) -> ProbeAnswer {
    match (status, location) {
        (300..400, Some(location)) => of_redirect(&RedirectTarget::new(location), hosts),
        (400.., _) => {
            let page = String::from_utf8_lossy(body);
            let known = KNOWN_MESSAGES.iter().find(|message| page.contains(**message));
            ProbeAnswer::refused(&known.map_or(format!("error page ({status})"), |known| format!("error page ({status}): {known}")))
        }
        (_, _) => ProbeAnswer::unclear(format!("it answered {status} instead of leading to a page")),
    }
}

fn of_redirect(target: &RedirectTarget, hosts: &BTreeSet<String>) -> ProbeAnswer {
    if let Some(error) = target.parameter("error") {
        let description = target.parameter("error_description").map(|description| format!(": {description}")).unwrap_or_default();
        return ProbeAnswer::refused(&format!("{error}{description}"));
    }
    match &target.host {
        Some(host) if !hosts.contains(host) => ProbeAnswer::IdentityProvider { host: host.clone() },
        _ if ["/u/", "/login"].iter().any(|path| target.path.starts_with(path)) => ProbeAnswer::LoginPage,
        _ => ProbeAnswer::unclear(format!("it led to {}, which is not a page that migrate knows", target.path)),
    }
}

fn of_document(status: u16, body: &[u8], field: &str, is_complete: impl Fn(&Value) -> bool) -> ProbeAnswer {
    if status != 200 {
        return ProbeAnswer::refused(&format!("the tenant answered {status}"));
    }
    let document: Option<Value> = serde_json::from_slice(body).ok();
    match document.as_ref().and_then(|document| document.get(field)) {
        Some(value) if is_complete(value) => ProbeAnswer::Document,
        _ => ProbeAnswer::refused(&format!("the document has no `{field}`")),
    }
}

/// Where a redirect leads.
struct RedirectTarget {
    /// The host in lower case, without its port; `None` for a path of the same host.
    host: Option<String>,
    path: String,
    /// The parameters of the query and of the fragment.
    parameters: Vec<(String, String)>,
}

impl RedirectTarget {
    fn new(location: &str) -> Self {
        let (rest, fragment) = location.split_once('#').unwrap_or((location, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let after_scheme = rest.split_once("://").map(|(_, rest)| rest).or_else(|| rest.strip_prefix("//"));
        let (host, path) = match after_scheme {
            Some(rest) => {
                let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
                let name = authority.rsplit('@').next().unwrap_or_default();
                (Some(name.split(':').next().unwrap_or_default().to_ascii_lowercase()), path)
            }
            None => (None, rest),
        };
        let parameters = [query, fragment].into_iter().flat_map(|part| part.split('&')).filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((decoded(name), decoded(value)))
        });
        Self { host, path: path.to_owned(), parameters: parameters.collect() }
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::{Id, key};
    use crate::probe::ResponseType;

    fn asked(ask: Ask, status: u16, location: Option<&str>, body: &str) -> ProbeAnswer {
        let hosts = BTreeSet::from(["acme.eu.auth0.com".to_owned(), "login.acme.example".to_owned()]);
        let answer = FrontDoorAnswer::Answered { status, location: location.map(str::to_owned), body: body.as_bytes().to_vec() };
        verdict(&ProbeQuestion { domain: None, ask }, &answer, &hosts)
    }

    fn login(status: u16, location: Option<&str>, body: &str) -> ProbeAnswer {
        let (callback, response_type) = ("https://a.example/cb".to_owned(), ResponseType::Code);
        asked(Ask::Login { key: key("clients/Web"), client_id: Id::new("c1"), callback, response_type }, status, location, body)
    }

    fn refused(reason: &str) -> ProbeAnswer {
        ProbeAnswer::Refused { reason: reason.to_owned() }
    }

    #[test]
    fn the_login_page_is_known_by_its_path_on_a_domain_of_the_tenant() {
        for location in [
            "/u/login?state=x",
            "/u/login/identifier?state=x",
            "/login?state=x&client=c1",
            "https://acme.eu.auth0.com/u/login?state=x",
            "https://LOGIN.acme.example:443/u/organization?state=x",
        ] {
            assert_eq!(login(302, Some(location), ""), ProbeAnswer::LoginPage, "{location}");
        }
        let provider = ProbeAnswer::IdentityProvider { host: "idp.example".to_owned() };
        assert_eq!(login(302, Some("https://idp.example/saml?SAMLRequest=x"), ""), provider);
        assert_eq!(login(302, Some("https://login.acme.example@idp.example/u/login"), ""), provider);
        assert_eq!(login(302, Some("/elsewhere"), "").works(), None);
    }

    #[test]
    fn an_error_is_one_wherever_it_is_shown() {
        let error = "error=unauthorized_client&error_description=Grant+type+%27implicit%27+not+allowed";
        let shown = refused("unauthorized_client: Grant type 'implicit' not allowed");
        for location in [
            format!("https://a.example/cb?{error}"),
            format!("https://a.example/cb#state=x&{error}"),
            format!("com.acme.app://a/cb?{error}"),
            format!("https://errors.acme.example/?client_id=c1&{error}"),
            format!("/u/login?{error}"),
        ] {
            assert_eq!(login(302, Some(&location), ""), shown, "{location}");
        }
        assert_eq!(login(403, None, "<p>Callback URL mismatch.</p>"), refused("error page (403): Callback URL mismatch"));
        assert_eq!(login(400, None, ""), refused("error page (400)"));
    }

    #[test]
    fn what_says_nothing_about_the_settings_proves_nothing() {
        for (status, location) in [(429, None), (502, None), (200, None), (302, None)] {
            assert_eq!(login(status, location, "").works(), None, "{status}");
        }
    }

    #[test]
    fn a_document_must_be_complete() {
        assert_eq!(asked(Ask::Discovery, 200, None, r#"{"issuer": "https://acme.eu.auth0.com/"}"#), ProbeAnswer::Document);
        assert_eq!(asked(Ask::SigningKeys, 200, None, r#"{"keys": [{}]}"#), ProbeAnswer::Document);
        assert_eq!(asked(Ask::SigningKeys, 200, None, r#"{"keys": []}"#), refused("the document has no `keys`"));
        assert_eq!(asked(Ask::Discovery, 200, None, "<html>"), refused("the document has no `issuer`"));
        assert_eq!(asked(Ask::Discovery, 404, None, ""), refused("the tenant answered 404"));
    }
}
