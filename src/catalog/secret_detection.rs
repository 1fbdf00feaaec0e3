//! Secret detection: finds secrets that no entry lists, by the name of a field or by a pattern in its text.
//!
//! Many objects of the API accept any field, and new fields appear every month. Therefore, besides the secrets that an
//! entry lists ([`SecretFields::paths`](super::SecretFields)), every text of a response is examined, at any depth. In
//! case of doubt, it is withheld: a field that is mistaken for a secret is listed as exempt
//! ([`SecretFields::exempt`](super::SecretFields)), with the reason. Code is copied unchanged, because a program
//! without some of its text would be a different program.

mod field_names;
mod field_values;
mod text_patterns;

use std::fmt::{self, Write};

use serde_json::{Map, Value};

use super::kind::Kind;
use crate::json::{Body, covers, top};
use field_names::{CONTENTS, LABELS, NAMES, NameClass, PRIVATE_MEMBERS, VALUES};
pub(crate) use field_values::is_mask;
use field_values::is_template;

/// Why a field that no entry lists is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithheldReason {
    /// Its name is that of a secret, or it is the value of something with such a name.
    SecretName,
    /// Its name may be that of a secret: it is withheld unless the value is plain words.
    PossibleSecretName,
    /// It is in an object or list that contains only secrets.
    InSecretContainer,
}

impl fmt::Display for WithheldReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::SecretName => "its name suggests a secret",
            Self::PossibleSecretName => "its name may suggest a secret: withheld unless the value is ordinary words",
            Self::InSecretContainer => "it is in an object that contains only secrets",
        })
    }
}

impl Kind {
    /// Removes every secret that the entry lists from a response, and returns each with its path.
    ///
    /// A text that consists of templates is kept: it refers to a secret but contains none.
    pub fn take_listed_secrets(&self, answer: &mut Body) -> Vec<(String, Value)> {
        let is_secret = |value: &Value| !value.as_str().is_some_and(is_template);
        self.secrets.paths.iter().flat_map(|path| answer.take_if(path, &is_secret)).collect()
    }

    /// Replaces every secret in a response that the entry lists.
    pub(crate) fn replace_listed_secrets(&self, answer: &mut Body, change: &mut dyn FnMut(&mut Value)) {
        let mut change_secret = |value: &mut Value| {
            if !value.as_str().is_some_and(is_template) {
                change(value);
            }
        };
        for path in self.secrets.paths {
            answer.change(path, &mut change_secret);
        }
    }

    /// Removes every secret that no entry lists from a response, and returns each with its path.
    pub fn take_unlisted_secrets(&self, answer: &mut Body) -> Vec<(String, Value)> {
        let mut taken = Vec::new();
        self.visit_unlisted(answer, &mut |path, value| {
            taken.push((path.to_owned(), value.take()));
            SecretAction::Remove
        });
        taken
    }

    /// Replaces every secret in a response that no entry lists.
    pub(crate) fn replace_unlisted_secrets(&self, answer: &mut Body, change: &mut dyn FnMut(&mut Value)) {
        self.visit_unlisted(answer, &mut |_, value| {
            change(value);
            SecretAction::Keep
        });
    }

    /// Returns why a text at this path would be withheld because of its name.
    #[must_use]
    pub fn withheld_reason(&self, path: &str) -> Option<WithheldReason> {
        if self.is_listed(path) || is_any(self.fields.code, path) {
            return None;
        }
        let last = last_name(path);
        let above = path.rsplit_once('.').filter(|_| VALUES.contains(&last)).map(|(above, _)| last_name(above));
        let of_value = || above.map_or(NameClass::Unrelated, field_names::classify).for_value();
        let are_secrets = |(end, _): (usize, &str)| field_names::holds_secrets(last_name(&path[..end])) && !self.is_listed(&path[..end]);
        let is_held = || path.match_indices('.').any(are_secrets) && !is_exempt_among_secrets(last);
        match field_names::classify(last).max(of_value()) {
            NameClass::Secret => Some(WithheldReason::SecretName),
            _ if is_held() => Some(WithheldReason::InSecretContainer),
            NameClass::Possible | NameClass::Prompt => Some(WithheldReason::PossibleSecretName),
            NameClass::Unrelated => None,
        }
    }

    fn visit_unlisted(&self, answer: &mut Body, visit: &mut dyn FnMut(&str, &mut Value) -> SecretAction) {
        SecretScanner { kind: self, visit, path: String::new() }.scan_object(&mut answer.0, ParentContext::default());
    }

    /// Returns whether the entry declares that this field is not a secret, or that nobody sends it.
    fn is_listed(&self, path: &str) -> bool {
        self.is_exempt(path) || is_any(self.fields.read_only, path)
    }

    /// Returns whether the entry declares that this field is not a secret.
    fn is_exempt(&self, path: &str) -> bool {
        self.secrets.exempt.iter().any(|(plain, _)| is_exactly(plain, path))
    }
}

/// What to do with a secret that was found.
#[derive(Clone, Copy, PartialEq)]
enum SecretAction {
    Keep,
    Remove,
}

/// What the names around an object imply about its content.
#[derive(Clone, Copy)]
struct ParentContext {
    /// The class of its own name, which applies to its field `value`.
    value: NameClass,
    /// Whether it contains only secrets.
    holds_secrets: bool,
}

impl Default for ParentContext {
    fn default() -> Self {
        Self { value: NameClass::Unrelated, holds_secrets: false }
    }
}

impl ParentContext {
    /// Returns the class of a field of the object.
    fn classify(self, object: &ObjectContext, name: &str) -> NameClass {
        let of_itself = if object.names.contains(&name) { NameClass::Unrelated } else { field_names::classify(name) };
        let of_pair = if VALUES.contains(&name) { self.value.max(object.value) } else { NameClass::Unrelated };
        let of_content = if CONTENTS.contains(&name) { object.content } else { NameClass::Unrelated };
        let is_held = self.holds_secrets && !object.names.contains(&name) && !is_exempt_among_secrets(name);
        let of_others = if is_held || object.is_private_member(name) { NameClass::Secret } else { NameClass::Unrelated };
        of_itself.max(of_pair).max(of_content).max(of_others)
    }
}

/// What the fields of an object imply about each other.
#[derive(Default)]
struct ObjectContext {
    /// The fields that contain the name of the object.
    names: Vec<&'static str>,
    value: NameClass,
    content: NameClass,
    is_key: bool,
    /// Whether it is an AppRole credential of a vault: a `secret_id` next to its `role_id`.
    is_role: bool,
}

impl ObjectContext {
    fn new(fields: &Map<String, Value>) -> Self {
        let has = |names: &[&str]| names.iter().any(|name| fields.contains_key(*name));
        let (has_value, has_content) = (has(VALUES), has(CONTENTS));
        let called = |names: &[&'static str]| {
            let texts = names.iter().filter_map(|name| fields.get(*name)?.as_str()).filter(|text| !value_repeats_name(fields, text));
            texts.map(field_names::classify_label).max().unwrap_or_default()
        };
        let (by_name, by_label) = (called(NAMES), called(LABELS).min(NameClass::Possible));
        let names = NAMES.iter().chain(LABELS).copied().filter(|name| (has_value || has_content) && fields.contains_key(*name));
        Self {
            names: names.collect(),
            value: if has_value { by_name.max(by_label) } else { NameClass::Unrelated },
            content: if has_content { by_name.max(by_label).min(NameClass::Possible) } else { NameClass::Unrelated },
            is_key: fields.contains_key("kty"),
            is_role: fields.contains_key("role_id"),
        }
    }

    /// Returns whether a field is the private part of a key or credential.
    fn is_private_member(&self, name: &str) -> bool {
        (self.is_key && PRIVATE_MEMBERS.contains(&name)) || (self.is_role && name == "secret_id")
    }
}

/// Returns whether the value of a pair repeats its name, as in an option: `{"label": "API key", "value": "api_key"}`.
fn value_repeats_name(fields: &Map<String, Value>, name: &str) -> bool {
    VALUES.iter().filter_map(|value| fields.get(*value)?.as_str()).any(|value| field_names::are_same_words(name, value))
}

/// Returns whether a field in an object of secrets is not a secret itself, judging by its name.
fn is_exempt_among_secrets(name: &str) -> bool {
    field_names::is_attribute_name(name) || NAMES.contains(&name) || LABELS.contains(&name)
}

/// Searches a response for secrets. Every field of every response is examined, so paths share one buffer.
struct SecretScanner<'scan> {
    kind: &'scan Kind,
    visit: &'scan mut dyn FnMut(&str, &mut Value) -> SecretAction,
    /// The path of what is examined.
    path: String,
}

impl SecretScanner<'_> {
    /// Searches an object.
    fn scan_object(&mut self, fields: &mut Map<String, Value>, parent: ParentContext) {
        let object = ObjectContext::new(fields);
        let above = self.path.len();
        fields.retain(|name, value| {
            if matches!(value, Value::Null | Value::Bool(_)) {
                return true;
            }
            if above > 0 {
                self.path.push('.');
            }
            self.path.push_str(name);
            let action = self.scan_field((name, value), &object, parent);
            self.path.truncate(above);
            action == SecretAction::Keep
        });
    }

    fn scan_field(&mut self, (name, value): (&str, &mut Value), object: &ObjectContext, parent: ParentContext) -> SecretAction {
        let (kind, path) = (self.kind, self.path.as_str());
        let is_identity = path == kind.identity.id || kind.identity.key.contains(&path);
        if is_identity || is_any(kind.fields.code, path) || is_any(kind.fields.read_only, path) {
            return SecretAction::Keep;
        }
        let is_exempt = kind.is_exempt(path);
        let class = if is_exempt { NameClass::Unrelated } else { parent.classify(object, name) };
        if is_leaf(value) {
            return if is_secret(name, class, value) { (self.visit)(path, value) } else { SecretAction::Keep };
        }
        let holds_secrets = parent.holds_secrets || (!is_exempt && field_names::holds_secrets(name));
        self.scan_value(value, ParentContext { value: class.for_value(), holds_secrets });
        SecretAction::Keep
    }

    fn scan_value(&mut self, value: &mut Value, parent: ParentContext) {
        match value {
            Value::Object(fields) => self.scan_object(fields, parent),
            Value::Array(list) => {
                let above = self.path.len();
                for (index, element) in list.iter_mut().enumerate() {
                    let _ = write!(self.path, "[{index}]");
                    self.scan_value(element, parent);
                    self.path.truncate(above);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// Returns whether a field of this name and class contains a secret.
fn is_secret(name: &str, class: NameClass, value: &Value) -> bool {
    let is_header = field_names::is_header_list(name) && texts_of(value).any(text_patterns::is_secret_header);
    is_header || texts_of(value).any(text_patterns::matches_secret_pattern) || field_values::holds_secret(name, class, value)
}

/// Returns whether a value contains no object: a text, a number, or a list of those.
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

/// Returns the last name of a path, without the index of a list.
fn last_name(path: &str) -> &str {
    top(path.rsplit_once('.').map_or(path, |(_, last)| last))
}

fn is_any(patterns: &[&str], path: &str) -> bool {
    patterns.iter().any(|pattern| covers(pattern, path))
}

/// Returns whether a pattern covers exactly this path and not one above it; `**` at its end covers everything below.
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
        let taken = kind.take_unlisted_secrets(&mut body);
        (body.into_value(), taken.into_iter().map(|(path, _)| path).collect())
    }

    #[test]
    fn secrets_are_removed_from_header_lists_named_values_and_nested_objects_only() {
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
    fn values_among_secrets_and_beside_a_secret_name_are_removed() {
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
    fn a_template_in_a_declared_secret_is_kept_and_anything_more_is_removed() {
        let params =
            |token: &str| json!({"name": "F", "actions": [{"params": {"token": token, "basic": {"password": "{{vars.a}}:{{vars.b}}"}}}]});
        let taken = |token: &str| {
            let mut body = Body::from_value(params(token)).expect("an object");
            Catalog::standard().kind("flows").expect("a kind").take_listed_secrets(&mut body)
        };
        assert_eq!(taken("{{fields.token}}"), []);
        assert_eq!(taken("{{fields.token}}x"), [("actions[0].params.token".to_owned(), json!("{{fields.token}}x"))]);
    }

    #[test]
    fn texts_for_people_and_plain_words_are_kept_whatever_their_names() {
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
        ] {
            assert_eq!(left(kind, answer.clone()), (answer, Vec::new()), "{kind}");
        }
    }

    #[test]
    fn settings_and_attributes_of_secrets_are_kept() {
        for (kind, answer) in [
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
    fn code_is_kept_unchanged() {
        let code = "const password = 'x'; // -----BEGIN PRIVATE KEY-----";
        let answer = json!({"name": "A", "code": code});
        assert_eq!(left("actions", answer.clone()), (answer, Vec::new()));
    }
}
