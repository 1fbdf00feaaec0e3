//! What one tenant refuses, or does besides, that others do not: rules of its state file.
//!
//! ```text
//! "refuse": [{"method": "PATCH", "path": "/tenants/settings$", "has": "flags.x", "status": 400, "body": {"message": ".."}},
//!            {"method": "PATCH", "path": "/branding$", "lacks": "colors", "then": {"method": "PATCH", "path": "/prompts", "body": {..}}},
//!            {"path": "^/clients", "has": "description", "makes": {"description": "Another"}}]
//! ```
//!
//! `path` is a pattern of the path under `/api/v2`, `has` and `lacks` are fields of what is sent or of one of its elements, with a text behind
//! `=` where they must hold that. A rule without a method is about all of them. A rule with a status refuses, one with `then` lets another
//! request follow what was carried out, and one with `makes` carries out something else: these fields are what was sent, one that is null was not.

use regex_lite::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::json::Body;
use crate::sandbox::http::request::Call;
use crate::sandbox::http::response::Answer;
use crate::sandbox::store::state::{NoState, State};

/// One rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    method: String,
    #[serde(with = "pattern")]
    path: Regex,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    has: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lacks: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    body: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    then: Option<Then>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    makes: Map<String, Value>,
}

/// A request that follows another.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Then {
    method: String,
    path: String,
    #[serde(default)]
    body: Value,
}

mod pattern {
    use regex_lite::Regex;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(pattern: &Regex, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(pattern.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Regex, D::Error> {
        Regex::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Rule {
    /// Reads the rules of a state file; there need be none.
    ///
    /// # Errors
    ///
    /// When one of them cannot be read.
    pub(crate) fn read_all(rules: Value) -> Result<Vec<Self>, NoState> {
        let rules = if rules.is_null() { Value::Array(Vec::new()) } else { rules };
        serde_json::from_value(rules).map_err(|error| NoState::Unfit { path: "refuse".to_owned(), expected: format!("rules: {error}") })
    }

    fn is_about(&self, call: &Call) -> bool {
        let holds = |field: &Option<String>| field.as_ref().map(|field| holds(&call.body, field));
        (self.method.is_empty() || call.method.as_str() == self.method)
            && self.path.is_match(&call.path)
            && holds(&self.has) != Some(false)
            && holds(&self.lacks) != Some(true)
    }
}

/// Returns whether what is sent, or an element of it, has a field, and this text in it where one stands behind a `=`.
fn holds(sent: &Value, field: &str) -> bool {
    if let Value::Array(elements) = sent {
        return elements.iter().any(|element| holds(element, field));
    }
    let (path, text) = field.split_once('=').map_or((field, None), |(path, text)| (path, Some(text)));
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Some(value) = sent.get(name) else { return false };
    match (rest, text) {
        (Some(rest), Some(text)) => holds(value, &format!("{rest}={text}")),
        (Some(rest), None) => holds(value, rest),
        (None, None) => true,
        (None, Some(text)) => value == text || value.as_array().is_some_and(|all| all.iter().any(|one| one == text)),
    }
}

impl State {
    /// Refuses what a rule of this tenant refuses.
    ///
    /// # Errors
    ///
    /// The answer that the rule says.
    pub(crate) fn check_rules(&self, call: &Call) -> Result<(), Answer> {
        let refused = self.rules.iter().filter(|rule| rule.is_about(call)).find_map(|rule| Some((rule.status?, &rule.body)));
        refused.map_or(Ok(()), |(status, body)| Err(Answer::new(status, body.clone())))
    }

    /// Returns what is carried out in place of a request, where a rule of this tenant makes something else of it.
    pub(crate) fn remade(&self, call: &Call) -> Option<Call> {
        let is_about = |rule: &&Rule| !rule.makes.is_empty() && call.is_write() && rule.is_about(call);
        let mut body = Body::from_value(call.body.clone()).ok()?;
        let made: Vec<&Rule> = self.rules.iter().filter(is_about).collect();
        for (path, value) in made.iter().flat_map(|rule| &rule.makes) {
            body.put(path, Some(value.clone()).filter(|value| !value.is_null()));
        }
        (!made.is_empty()).then(|| Call { body: body.into_value(), ..call.clone() })
    }

    /// Does what a rule of this tenant does after a request that was carried out.
    pub(crate) fn follow_rules(&mut self, call: &Call) {
        let then: Vec<Then> = self.rules.iter().filter(|rule| rule.is_about(call)).filter_map(|rule| rule.then.clone()).collect();
        for Then { method, path, body } in then {
            self.ask(&method, path.strip_prefix("/api/v2").unwrap_or(&path), body);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tenant() -> State {
        let refuse = json!([
            {"method": "PATCH", "path": "/tenants/settings$", "has": "flags.revoke_refresh_token_grant", "status": 400,
             "body": {"message": "no such flag"}},
            {"method": "GET", "path": "^/roles$", "status": 501},
            {"method": "PATCH", "path": "/branding$", "lacks": "logo_url",
             "then": {"method": "PATCH", "path": "/api/v2/prompts", "body": {"identifier_first": true}}},
        ]);
        let data = json!({"/tenants/settings": {}, "/branding": {}, "/prompts": {"identifier_first": false}, "/roles": []});
        State::from_json(json!({"domain": "acme.eu.auth0.com", "data": data, "refuse": refuse})).expect("a state")
    }

    #[test]
    fn a_rule_refuses_what_it_is_about_and_nothing_else() {
        let mut tenant = tenant();
        let mut settings = |sent: Value| tenant.ask("PATCH", "/tenants/settings", sent);
        let refused = settings(json!({"flags": {"revoke_refresh_token_grant": true}, "friendly_name": "Acme"}));
        assert_eq!((refused.status, refused.body), (400, json!({"message": "no such flag"})));
        assert_eq!(settings(json!({"friendly_name": "Acme"})).status, 200);
        assert_eq!(tenant.ask("GET", "/roles", Value::Null).status, 501);
    }

    #[test]
    fn a_rule_lets_a_request_follow() {
        let identifier_first = |sent: Value| {
            let mut tenant = tenant();
            assert_eq!(tenant.ask("PATCH", "/branding", sent).status, 200);
            tenant.ask("GET", "/prompts", Value::Null).body["identifier_first"].clone()
        };
        let colors = json!({"primary": "#000000"});
        assert_eq!(identifier_first(json!({"colors": colors})), true);
        assert_eq!(identifier_first(json!({"colors": colors, "logo_url": "https://a.example/logo.png"})), false);
    }

    #[test]
    fn a_rule_makes_something_else_of_what_was_sent() {
        let makes =
            json!([{"method": "PATCH", "path": "/branding$", "has": "font", "makes": {"colors.primary": "#ffffff", "favicon_url": null}}]);
        let state = json!({"domain": "acme.eu.auth0.com", "data": {"/branding": {}}, "refuse": makes});
        let mut tenant = State::from_json(state).expect("a state");
        let sent = json!({"colors": {"primary": "#000000"}, "favicon_url": "https://a.example/a.ico", "font": {"url": "https://a.example/a.woff"}});
        let answered = tenant.ask("PATCH", "/branding", sent).body;
        assert_eq!((&answered["colors"]["primary"], answered.get("favicon_url")), (&json!("#ffffff"), None));
        assert_eq!(tenant.ask("PATCH", "/branding", json!({"colors": {"primary": "#000000"}})).body["colors"]["primary"], "#000000");
    }

    #[test]
    fn rules_are_written_back_and_those_nobody_knows_are_none() {
        let written = tenant().to_json()["refuse"].clone();
        assert_eq!(written[1], json!({"method": "GET", "path": "^/roles$", "status": 501}));
        for wrong in [json!([{"method": "GET", "path": "("}]), json!([{"method": "GET", "path": "/", "when": 1}]), json!({})] {
            assert!(State::from_json(json!({"domain": "a", "data": {}, "refuse": wrong})).is_err(), "{wrong}");
        }
    }
}
