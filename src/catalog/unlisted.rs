//! Secrets that no entry lists: what says by its name or by its shape that it is one.
//!
//! Objects of the API are open in many places, and new fields come every month. So behind [`Kind::secrets`] stands a rule about every text
//! of an answer, at any depth. It withholds rather too much: what it takes for a secret and is none is an entry of [`Kind::plain`], with
//! its reason. Code ([`Kind::code`]) is copied as it is: part of a program cannot be withheld, and a program without it would be another.

mod names;
mod shapes;
mod values;

use std::fmt;

use serde_json::{Map, Value};

use super::kind::Kind;
use crate::json::{Body, covers, join, top};
use names::Says;
pub use values::is_mask;
use values::is_template;

/// Fields that hold what the object around them is called.
const VALUES: &[&str] = &["value", "values", "val", "default_value", "header_value", "current", "previous", "plaintext", "raw"];
/// Fields that say what the object around them is called: `{"name": "authorization", "value": ".."}`.
const NAMES: &[&str] = &["name", "key", "header", "header_name", "header_key", "param"];
/// Fields that may be such values, and are as often what people read.
const CONTENTS: &[&str] = &["content", "contents", "text", "data"];
/// Fields that may be such names, and as often say what a thing is called on a page.
const LABELS: &[&str] = &["label", "id", "title", "field", "field_name"];
/// Members of a JSON Web Key, which has a `kty`, that only its owner knows.
const PRIVATE_MEMBERS: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "k", "oth"];

/// Why a field is withheld that no entry lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithheldReason {
    /// Its name says that it is a secret, or what it is the value of is called so.
    Named,
    /// Its name may say so; it is withheld where nobody reads the value as words.
    MayBeNamed,
    /// What it stands in has nothing but secrets in it.
    Held,
}

impl fmt::Display for WithheldReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Named => "its name says that it is a secret",
            Self::MayBeNamed => "its name may say so: withheld unless the value is words",
            Self::Held => "it stands in what has nothing but secrets in it",
        })
    }
}

impl Kind {
    /// Takes every secret of its entry out of an answer; returns each with where it stood.
    ///
    /// A text of nothing but templates stays: it says where the secret comes from, and holds none.
    pub fn take_listed(&self, answer: &mut Body) -> Vec<(String, Value)> {
        let is_secret = |value: &Value| !value.as_str().is_some_and(is_template);
        self.secrets.paths.iter().flat_map(|path| answer.take_if(path, &is_secret)).collect()
    }

    /// Changes every secret of an answer that its entry lists.
    pub fn change_listed(&self, answer: &mut Body, change: &mut dyn FnMut(&mut Value)) {
        let mut change_secret = |value: &mut Value| {
            if !value.as_str().is_some_and(is_template) {
                change(value);
            }
        };
        for path in self.secrets.paths {
            answer.change(path, &mut change_secret);
        }
    }

    /// Takes out of an answer every secret that no entry lists; returns each with where it stood.
    pub fn take_unlisted(&self, answer: &mut Body) -> Vec<(String, Value)> {
        let mut taken = Vec::new();
        self.each_unlisted(answer, &mut |path, value| {
            taken.push((path, value.take()));
            Keep::Nothing
        });
        taken
    }

    /// Changes every secret of an answer that no entry lists.
    pub fn change_unlisted(&self, answer: &mut Body, change: &mut dyn FnMut(&mut Value)) {
        self.each_unlisted(answer, &mut |_, value| {
            change(value);
            Keep::Changed
        });
    }

    /// Returns why what stands at this path would be withheld for what it is called, wherever it holds a text.
    #[must_use]
    pub fn withholds(&self, path: &str) -> Option<WithheldReason> {
        if self.is_listed(path) || is_any(self.fields.code, path) {
            return None;
        }
        let last = last_name(path);
        let above = path.rsplit_once('.').filter(|_| VALUES.contains(&last)).map(|(above, _)| last_name(above));
        let of_value = || above.map_or(Says::Nothing, names::says).around_a_value();
        let are_secrets = |(end, _): (usize, &str)| names::holds_secrets(last_name(&path[..end])) && !self.is_listed(&path[..end]);
        let is_held = || path.match_indices('.').any(are_secrets) && !is_spared_among_secrets(last);
        match names::says(last).max(of_value()) {
            Says::Secret => Some(WithheldReason::Named),
            _ if is_held() => Some(WithheldReason::Held),
            Says::Perhaps | Says::Asks => Some(WithheldReason::MayBeNamed),
            Says::Nothing => None,
        }
    }

    fn each_unlisted(&self, answer: &mut Body, see: &mut dyn FnMut(String, &mut Value) -> Keep) {
        Rule { kind: self, see }.look_into(&mut answer.0, "", Around::default());
    }

    /// Returns whether an entry says what a field is whose name sounds like a secret.
    fn is_listed(&self, path: &str) -> bool {
        self.secrets.exempt.iter().any(|(plain, _)| is_exactly(plain, path)) || is_any(self.fields.read_only, path)
    }
}

/// What becomes of a secret where it stood.
#[derive(Clone, Copy, PartialEq)]
enum Keep {
    Changed,
    Nothing,
}

/// What the names around an object say of what is in it.
#[derive(Clone, Copy)]
struct Around {
    /// Of its `value`: its own name.
    value: Says,
    /// Whether it has nothing but secrets in it.
    holds_secrets: bool,
}

impl Default for Around {
    fn default() -> Self {
        Self { value: Says::Nothing, holds_secrets: false }
    }
}

impl Around {
    /// Returns what a field says of its own value.
    fn says(self, object: &Object, name: &str) -> Says {
        let of_itself = if object.names.contains(&name) { Says::Nothing } else { names::says(name) };
        let of_pair = if VALUES.contains(&name) { self.value.max(object.value) } else { Says::Nothing };
        let of_content = if CONTENTS.contains(&name) { object.content } else { Says::Nothing };
        let is_held = self.holds_secrets && !object.names.contains(&name) && !is_spared_among_secrets(name);
        let of_others = if is_held || object.is_proof(name) { Says::Secret } else { Says::Nothing };
        of_itself.max(of_pair).max(of_content).max(of_others)
    }
}

/// What the fields of an object say of each other.
#[derive(Default)]
struct Object {
    /// The fields that say what the object is called.
    names: Vec<&'static str>,
    value: Says,
    content: Says,
    is_key: bool,
    /// Whether it is what a machine signs in to a vault with: a `secret_id` beside its `role_id`.
    is_role: bool,
}

impl Object {
    fn of(fields: &Map<String, Value>) -> Self {
        let has = |names: &[&str]| names.iter().any(|name| fields.contains_key(*name));
        let (has_value, has_content) = (has(VALUES), has(CONTENTS));
        let called = |names: &[&'static str]| {
            let texts = names.iter().filter_map(|name| fields.get(*name)?.as_str()).filter(|text| !is_said_again(fields, text));
            texts.map(names::says_of_label).max().unwrap_or_default()
        };
        let (by_name, by_label) = (called(NAMES), called(LABELS).min(Says::Perhaps));
        let names = NAMES.iter().chain(LABELS).copied().filter(|name| (has_value || has_content) && fields.contains_key(*name));
        Self {
            names: names.collect(),
            value: if has_value { by_name.max(by_label) } else { Says::Nothing },
            content: if has_content { by_name.max(by_label).min(Says::Perhaps) } else { Says::Nothing },
            is_key: fields.contains_key("kty"),
            is_role: fields.contains_key("role_id"),
        }
    }

    /// Returns whether a field is one of those that prove something beside the other fields.
    fn is_proof(&self, name: &str) -> bool {
        (self.is_key && PRIVATE_MEMBERS.contains(&name)) || (self.is_role && name == "secret_id")
    }
}

/// Returns whether the value of a pair says no more than its name, as that of a choice does: `{"label": "API key", "value": "api_key"}`.
fn is_said_again(fields: &Map<String, Value>, name: &str) -> bool {
    VALUES.iter().filter_map(|value| fields.get(*value)?.as_str()).any(|value| names::is_same_name(name, value))
}

/// Returns whether a name says, among secrets, that it is no secret itself.
fn is_spared_among_secrets(name: &str) -> bool {
    names::is_about(name) || NAMES.contains(&name) || LABELS.contains(&name)
}

/// Looks through an answer of a kind for secrets.
struct Rule<'rule> {
    kind: &'rule Kind,
    see: &'rule mut dyn FnMut(String, &mut Value) -> Keep,
}

impl Rule<'_> {
    /// Looks into an object; the names around it may say something of it.
    fn look_into(&mut self, fields: &mut Map<String, Value>, above: &str, around: Around) {
        let object = Object::of(fields);
        fields.retain(|name, value| {
            if matches!(value, Value::Null | Value::Bool(_)) {
                return true;
            }
            let path = join(above, name);
            let is_identity = path == self.kind.identity.id || self.kind.identity.key.contains(&path.as_str());
            if is_identity || is_any(self.kind.fields.code, &path) || is_any(self.kind.fields.read_only, &path) {
                return true;
            }
            let is_listed = self.kind.is_listed(&path);
            let says = if is_listed { Says::Nothing } else { around.says(&object, name) };
            if is_leaf(value) {
                return !is_secret(name, says, value) || (self.see)(path, value) == Keep::Changed;
            }
            let holds_secrets = around.holds_secrets || (!is_listed && names::holds_secrets(name));
            self.look_below(&path, value, Around { value: says.around_a_value(), holds_secrets });
            true
        });
    }

    fn look_below(&mut self, path: &str, value: &mut Value, around: Around) {
        match value {
            Value::Object(fields) => self.look_into(fields, path, around),
            Value::Array(list) => {
                for (index, element) in list.iter_mut().enumerate() {
                    self.look_below(&format!("{path}[{index}]"), element, around);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// Returns whether a field of this name, of which this is said, holds a secret.
fn is_secret(name: &str, says: Says, value: &Value) -> bool {
    let is_header = names::names_headers(name) && texts_of(value).any(shapes::is_secret_header);
    is_header || texts_of(value).any(shapes::is_shaped_so) || values::holds_secret(name, says, value)
}

/// Returns whether a value has no field: a text, a number, or a list of such.
fn is_leaf(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().all(is_leaf),
        Value::Object(_) => false,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

fn texts_of(value: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match value {
        Value::Array(list) => Box::new(list.iter().flat_map(texts_of)),
        value => Box::new(value.as_str().into_iter()),
    }
}

/// Returns the name that a path ends with, without what it says of a list.
fn last_name(path: &str) -> &str {
    top(path.rsplit_once('.').map_or(path, |(_, last)| last))
}

fn is_any(patterns: &[&str], path: &str) -> bool {
    patterns.iter().any(|pattern| covers(pattern, path))
}

/// Returns whether a pattern names this very path and not one above it; `**` at its end stands for all that is below.
fn is_exactly(pattern: &str, path: &str) -> bool {
    covers(pattern, path) && (pattern.ends_with("**") || pattern.split('.').count() == path.split('.').count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::json;

    fn left(kind: &str, answer: Value) -> (Value, Vec<String>) {
        let kind = Catalog::standard().kind(kind).expect("a kind");
        let mut body = Body::from_value(answer).expect("an object");
        let taken = kind.take_unlisted(&mut body);
        (body.into_value(), taken.into_iter().map(|(path, _)| path).collect())
    }

    #[test]
    fn secrets_go_from_lists_of_headers_objects_around_values_and_branches_and_all_else_stays() {
        let (body, taken) = left(
            "flows",
            json!({"name": "F", "actions": [{"id": "token", "params": {
                "headers": [{"key": "Authorization", "value": "x"}, {"name": "Accept", "value": "json"}],
                "then": [{"params": {"apiKey": {"value": "x", "label": "Key"}, "tokens": ["x", "y"], "token": "{{vars.token}}", "pin_password": 7}}],
            }}]}),
        );
        assert_eq!(
            taken,
            [
                "actions[0].params.headers[0].value",
                "actions[0].params.then[0].params.apiKey.value",
                "actions[0].params.then[0].params.pin_password",
                "actions[0].params.then[0].params.tokens",
            ]
        );
        assert_eq!(
            body,
            json!({"name": "F", "actions": [{"id": "token", "params": {
                "headers": [{"key": "Authorization"}, {"name": "Accept", "value": "json"}],
                "then": [{"params": {"apiKey": {"label": "Key"}, "token": "{{vars.token}}"}}],
            }}]})
        );
    }

    #[test]
    fn what_stands_among_secrets_and_beside_what_names_it_goes() {
        let answer = json!({"name": "A", "client_metadata": {
            "secrets": {"stripe": "x", "type": "vault", "url": "https://a", "own": {"mail": "x", "enabled": true}},
            "api_keys": [{"stripe": "x"}, {"label": "of", "content": "x"}],
            "pairs": [
                {"name": "API key", "value": "x"}, {"key": "api.key", "value": "x"}, {"label": "API key", "value": "a1b2c3d4"},
                {"id": "api_key", "content": "a1b2c3d4"}, {"label": "API key", "value": "api_key"}, {"label": "Token", "value": "hardware"},
                {"label": "Forgot your password?", "value": "a1b2c3d4"}, {"id": "password", "content": "<h1>Your password</h1>"},
            ],
            "own": {"kty": "OKP", "x": "open", "d": "x"}, "headers": ["Accept: json", "Cookie: x"],
            "vault": {"role_id": "r", "secret_id": "x"}, "of": {"secret_id": "x"}, "sum": {"d": "x", "k": "y"},
        }});
        let (body, taken) = left("clients", answer);
        let below: Vec<_> = taken.iter().map(|path| path.trim_start_matches("client_metadata.")).collect();
        assert_eq!(
            below,
            [
                "api_keys[0].stripe",
                "api_keys[1].content",
                "headers",
                "own.d",
                "pairs[0].value",
                "pairs[1].value",
                "pairs[2].value",
                "pairs[3].content",
                "secrets.own.mail",
                "secrets.stripe",
                "vault.secret_id",
            ]
        );
        assert_eq!(body["client_metadata"]["secrets"], json!({"type": "vault", "url": "https://a", "own": {"enabled": true}}));
    }

    #[test]
    fn a_template_where_an_entry_lists_a_secret_stays_and_what_is_more_goes() {
        let params =
            |token: &str| json!({"name": "F", "actions": [{"params": {"token": token, "basic": {"password": "{{vars.a}}:{{vars.b}}"}}}]});
        let taken = |token: &str| {
            let mut body = Body::from_value(params(token)).expect("an object");
            Catalog::standard().kind("flows").expect("a kind").take_listed(&mut body)
        };
        assert_eq!(taken("{{fields.token}}"), []);
        assert_eq!(taken("{{fields.token}}x"), [("actions[0].params.token".to_owned(), json!("{{fields.token}}x"))]);
    }

    #[test]
    fn texts_that_people_read_and_words_stay_whatever_they_are_called() {
        let texts =
            json!({"forgotPasswordText": "Forgot it?", "invalidPassword": "Wrong.", "password": "Your password", "token": "x1y2z3a4b5"});
        for (kind, answer) in [
            ("prompt-custom-text", json!({"prompt": "login", "language": "en", "login": texts})),
            ("self-service-custom-text", json!({"profile": "p", "introduction": texts})),
            ("prompt-partials", json!({"prompt": "login-passwordless", "login-passwordless-email-code": {"form-content-start": "<b>"}})),
            ("forms", json!({"name": "F", "messages": {"custom": texts, "errors": texts}, "translations": {"de": {"messages": texts}}})),
            (
                "forms",
                json!({"name": "F", "nodes": [{"config": {"components": [
                    {"id": "password", "type": "PASSWORD", "label": "Password", "config": {"content": "Set a password", "placeholder": "Token"}},
                    {"id": "way", "config": {"options": [{"label": "Token", "value": "token"}, {"label": "API key", "value": "api-key"}]}},
                ]}}]}),
            ),
            (
                "flows",
                json!({"name": "F", "actions": [{"params": {"connection_id": "ac_1a2b3c4d5e6f", "token": "{{vars.t}}", "key": "cart"}}]}),
            ),
            ("clients", json!({"name": "A", "client_metadata": {"key": "main", "auth": "oidc", "forgot_password": "Click here, please."}})),
            (
                "clients",
                json!({"name": "A", "token_endpoint_auth_method": "client_secret_post", "refresh_token": {
                "rotation_type": "rotating", "policies": [{"audience": "https://api", "scope": ["read:tokens"]}]}}),
            ),
            ("clients", json!({"name": "A", "addons": {"samlp": {"mappings": {"password": "http://a.example/2005/05/claims/x1y2"}}}})),
            (
                "connections",
                json!({"name": "C", "options": {"fieldsMap": {"token": ["urn:oid:1.2.840.113556.1.4.1"]},
                "attribute_map": {"mapping_mode": "basic_profile", "attributes": {"token": "${context.tokenset.x1y2z3}"}}}}),
            ),
            (
                "email-templates",
                json!({"template": "reset_email", "body": "<a href=\"{{ url }}?token={{ ticket }}\">Reset password: {{ url }}</a>"}),
            ),
            (
                "email-provider",
                json!({"name": "ses", "credentials": {"region": "eu-west-1", "smtp_host": "mail1.example", "smtp_user": "u1"}}),
            ),
        ] {
            assert_eq!(left(kind, answer.clone()), (answer, Vec::new()), "{kind}");
        }
    }

    #[test]
    fn code_stays_whole() {
        let code = "const password = 'x'; // -----BEGIN PRIVATE KEY-----";
        let answer = json!({"name": "A", "code": code});
        assert_eq!(left("actions", answer.clone()), (answer, Vec::new()));
    }
}
