//! Secrets that no entry lists: what says by its name or by its shape that it is one.
//!
//! Objects of the API are open in many places, and new fields come every month. So behind [`Kind::secrets`] stands a rule about every text
//! of an answer, at any depth. It withholds rather too much: what it takes for a secret and is none is an entry of [`Kind::plain`], with
//! its reason. Code ([`Kind::code`]) is copied as it is: part of a program cannot be withheld, and a program without it would be another.

use serde_json::{Map, Value};

use super::kind::Kind;
use crate::body::{Body, covers, is_blank, join};

/// Parts of a word that say that it is about a secret.
const SECRET: &[&str] =
    &["secret", "passw", "passphrase", "token", "credential", "apikey", "accesskey", "privatekey", "masterkey", "connectionstring"];
/// Words that say so where a name ends with them.
const SECRET_AT_THE_END: &[&str] = &["auth", "authorization", "bearer", "cookie", "cookies", "dsn", "jwt", "pass", "pwd"];
/// Words before `key` that say that everybody may know it; an OAuth 1 consumer's key is its id.
const PUBLIC_KEY: &[&str] = &["public", "site", "header", "consumer", "publishable"];
/// Words at the end of a name that say that it is about a secret and holds none.
const ABOUT: &[&str] = &[
    // What it is called, and by whom it was given.
    "id",
    "ids",
    "name",
    "names",
    "issuer",
    "audience",
    // Where it is had or sent.
    "endpoint",
    "endpoints",
    "url",
    "urls",
    "uri",
    "uris",
    // How it is made and proves anything.
    "alg",
    "algs",
    "algorithm",
    "algorithms",
    "format",
    "formats",
    "method",
    "methods",
    "mode",
    "modes",
    "type",
    "types",
    "dialect",
    // What it has to be like.
    "policy",
    "policies",
    "length",
    "size",
    "lifetime",
    "expiration",
    "at",
    "enabled",
    "required",
    "supported",
];
/// Fields that hold what the object around them is called.
const VALUES: &[&str] = &["value", "values", "default_value", "header_value", "current", "previous", "plaintext", "raw"];
/// Fields that say what the object around them is called: `{"name": "authorization", "value": ".."}`.
const NAMES: &[&str] = &["name", "key", "header", "header_name", "header_key", "param"];

impl Kind {
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

    /// Returns whether what stands at this path is withheld for what it is called, wherever it holds a text.
    #[must_use]
    pub fn withholds(&self, path: &str) -> bool {
        let mut names = path.rsplit('.').map(|name| name.split('[').next().unwrap_or(name));
        let (last, above) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        let is_called_so = names_secret(last) || (VALUES.contains(&last) && names_secret(above));
        is_called_so && !self.is_listed(path) && !is_any(self.code, path)
    }

    fn each_unlisted(&self, answer: &mut Body, see: &mut dyn FnMut(String, &mut Value) -> Keep) {
        Rule { kind: self, see }.look_into(&mut answer.0, "", false);
    }

    /// Returns whether an entry says what a field is whose name sounds like a secret.
    fn is_listed(&self, path: &str) -> bool {
        self.plain.iter().any(|(plain, _)| is_exactly(plain, path)) || is_any(self.read_only, path)
    }
}

/// What becomes of a secret where it stood.
#[derive(Clone, Copy, PartialEq)]
enum Keep {
    Changed,
    Nothing,
}

/// Looks through an answer of a kind for secrets.
struct Rule<'rule> {
    kind: &'rule Kind,
    see: &'rule mut dyn FnMut(String, &mut Value) -> Keep,
}

impl Rule<'_> {
    /// Looks into an object; `is_secret` says that its own name says secret.
    fn look_into(&mut self, fields: &mut Map<String, Value>, above: &str, is_secret: bool) {
        let is_pair = fields.keys().any(|name| VALUES.contains(&name.as_str()));
        let called = fields.iter().filter(|(name, _)| NAMES.contains(&name.as_str())).filter_map(|(_, text)| text.as_str());
        let holds_secret = is_secret || (is_pair && called.into_iter().any(|text| !text.contains(' ') && names_secret(text)));
        fields.retain(|name, value| {
            let path = join(above, name);
            let is_identity = path == self.kind.id || self.kind.key.contains(&path.as_str());
            if is_identity || is_any(self.kind.code, &path) || is_any(self.kind.read_only, &path) {
                return true;
            }
            let is_name = is_pair && NAMES.contains(&name.as_str());
            let is_called_so = !is_name && names_secret(name);
            let is_called_so = (is_called_so || (holds_secret && VALUES.contains(&name.as_str()))) && !self.kind.is_listed(&path);
            self.keeps(path, name, value, is_called_so)
        });
    }

    fn keeps(&mut self, path: String, name: &str, value: &mut Value, is_called_so: bool) -> bool {
        if is_leaf(value) {
            let is_secret = texts_of(value).any(is_shaped_so) || (is_called_so && says_something(name, value));
            return !is_secret || (self.see)(path, value) == Keep::Changed;
        }
        self.look_below(&path, value, is_called_so);
        true
    }

    fn look_below(&mut self, path: &str, value: &mut Value, is_called_so: bool) {
        match value {
            Value::Object(fields) => self.look_into(fields, path, is_called_so),
            Value::Array(list) => {
                for (index, element) in list.iter_mut().enumerate() {
                    self.look_below(&format!("{path}[{index}]"), element, is_called_so);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
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

/// Returns whether a field that sounds like a secret holds one. A number does where the name ends with what it is: `password_min_length` and
/// `token_lifetime` are settings.
fn says_something(name: &str, value: &Value) -> bool {
    match value {
        Value::Number(_) => words(name).last().is_some_and(|last| is_about_secret(last)),
        Value::Array(list) => list.iter().any(|element| says_something(name, element)),
        Value::String(text) => !is_blank(value) && !is_template(text) && !is_public(text),
        Value::Null | Value::Bool(_) | Value::Object(_) => false,
    }
}

/// Returns whether a name says that what it names is a secret.
fn names_secret(name: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last() else { return false };
    if ABOUT.contains(&last.as_str()) {
        return false;
    }
    let before = |at: usize| at.checked_sub(1).and_then(|at| words.get(at)).map_or("", String::as_str);
    let is_key = |(at, word): (usize, &String)| matches!(word.as_str(), "key" | "keys") && !PUBLIC_KEY.contains(&before(at));
    let is_string = words.windows(2).any(|pair| pair[0] == "connection" && pair[1] == "string");
    is_string
        || SECRET_AT_THE_END.contains(&last.as_str())
        || words.iter().any(|word| is_about_secret(word))
        || words.iter().enumerate().any(is_key)
}

fn is_about_secret(word: &str) -> bool {
    SECRET.iter().any(|part| word.contains(part))
}

/// Returns the words of a name in small letters: of `X-Api-Key`, `api_key` and `apiKey` the same two.
fn words(name: &str) -> Vec<String> {
    let signs: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, sign) in signs.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| signs[at]);
        let is_inside = |before: char| before.is_lowercase() || signs.get(at + 1).is_some_and(|next| next.is_lowercase());
        let begins = sign.is_uppercase() && before.is_some_and(is_inside);
        if begins || !sign.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| sign.is_alphanumeric()) {
            word.extend(sign.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty() && !word.chars().all(|sign| sign.is_ascii_digit()));
    words
}

/// Returns whether a text has the shape of a secret, whatever it is called.
fn is_shaped_so(text: &str) -> bool {
    is_private_key(text) || is_authorization(text.trim()) || is_token(text.trim()) || has_password(text)
}

fn is_private_key(text: &str) -> bool {
    text.split("-----BEGIN ").skip(1).any(|block| block.split("-----").next().is_some_and(|label| label.ends_with("PRIVATE KEY")))
}

/// `Bearer` or `Basic` and one long word that is none of a language: with a digit, a sign or a capital inside, and after `Basic` in the whole
/// groups of four of Base64.
fn is_authorization(text: &str) -> bool {
    let Some((scheme, word)) = text.split_once(' ').filter(|(_, word)| word.len() >= 8) else { return false };
    let is_of = |signs: &str| word.chars().all(|sign| sign.is_ascii_alphanumeric() || signs.contains(sign));
    let is_of_no_language = word.chars().skip(1).any(|sign| !sign.is_ascii_lowercase());
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => is_of_no_language && is_of("-._~+/=:"),
        "basic" => is_of_no_language && is_of("+/=") && word.len().is_multiple_of(4),
        _ => false,
    }
}

/// A signed token: three parts of which the first begins as `{"` does in Base64.
fn is_token(text: &str) -> bool {
    let is_part = |part: &str| part.len() > 3 && part.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '-' || sign == '_');
    text.starts_with("eyJ") && text.split('.').count() == 3 && text.split('.').all(is_part)
}

/// Returns whether an address in a text names a user with a password.
fn has_password(text: &str) -> bool {
    let is_end = |sign: char| sign.is_whitespace() || "/?#\"'<>`\\".contains(sign);
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(is_end).next().unwrap_or_default();
        let user = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
        user.is_some_and(|(_, password)| !password.is_empty() && !is_template(password))
    })
}

/// Returns whether a text only says where the secret comes from: `Bearer {{vars.token}}`.
fn is_template(text: &str) -> bool {
    let mut rest = text.trim();
    for scheme in ["Bearer ", "Basic "] {
        rest = rest.strip_prefix(scheme).unwrap_or(rest).trim();
    }
    let has_any = rest.starts_with("{{");
    while let Some((_, behind)) = rest.strip_prefix("{{").and_then(|inside| inside.split_once("}}")) {
        rest = behind.trim_start();
    }
    has_any && rest.is_empty()
}

/// A certificate or a public key, which everybody may know.
fn is_public(text: &str) -> bool {
    let is_block = |label: &str| text.trim_start().starts_with(&format!("-----BEGIN {label}-----"));
    is_block("CERTIFICATE") || is_block("PUBLIC KEY") || is_block("RSA PUBLIC KEY")
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

    #[test]
    fn a_name_says_secret_however_it_is_written() {
        for name in [
            "password",
            "Password1",
            "dbPassword",
            "client_secret",
            "agentSecret",
            "brand_new_secret",
            "SECRET_KEY",
            "token",
            "refreshTokens",
            "token_password",
            "api_key",
            "apiKey",
            "APIKey",
            "X-Api-Key",
            "x-apikey",
            "private_key",
            "privateKey",
            "access_key_value",
            "sasKey",
            "authorization",
            "httpAuthorization",
            "Proxy-Authorization",
            "set-cookie",
            "cookies",
            "credentials",
            "passphrase",
            "smtp_pass",
            "basic_auth",
            "connectionString",
            "key",
            "auth_token",
        ] {
            assert!(names_secret(name), "{name}");
        }
        for name in [
            "token_lifetime",
            "token_endpoint",
            "tokenEndpointUrl",
            "token_endpoint_auth_method",
            "password_policy",
            "token_dialect",
            "passwordPolicy",
            "credential_type",
            "key_id",
            "public_key",
            "site_key",
            "consumer_key",
            "keyboard",
            "monkey",
            "name",
            "authorization_endpoint",
            "author",
            "compass",
            "requestTokenURL",
            "header_key",
            "",
        ] {
            assert!(!names_secret(name), "{name}");
        }
    }

    #[test]
    fn a_value_is_a_secret_by_its_shape_whatever_it_is_called() {
        for text in [
            "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
            "x -----BEGIN RSA PRIVATE KEY-----",
            "Bearer a1b2c3d4",
            "bearer canary-header",
            "Basic dXNlcjpwYXNz",
            "postgres://app:s3cret@db.example/app",
            "see https://a:b@c.example",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        ] {
            assert!(is_shaped_so(text), "{text}");
        }
        for text in [
            "Basic information",
            "Basic WebApp",
            "Basic OAuth2-Tier",
            "Bearer authentication",
            "Basic plan for 2 users",
            "-----BEGIN CERTIFICATE-----",
            "https://a.example:8080/@b",
            "https://{{user}}:{{password}}@a.example",
            "https://user@a.example/x:y",
            "eyJ.a.b",
            "Bearer {{vars.token}}",
            "-----BEGIN PUBLIC KEY-----",
        ] {
            assert!(!is_shaped_so(text), "{text}");
        }
    }

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
    fn code_stays_whole() {
        let code = "const password = 'x'; // -----BEGIN PRIVATE KEY-----";
        let answer = json!({"name": "A", "code": code});
        assert_eq!(left("actions", answer.clone()), (answer, Vec::new()));
    }
}
