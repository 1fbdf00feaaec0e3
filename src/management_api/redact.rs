//! Removes secrets from a tenant's messages: an error may quote what was sent.

use std::cmp::Reverse;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::catalog::{Catalog, Kind};
use crate::json::Body;

/// Replaces a secret.
const REDACTED: &str = "(redacted)";
/// The maximum length of a displayed message.
const LONGEST: usize = 600;

/// The body of a request whose secrets must not be shown. They are searched for only if the tenant refuses the request.
#[derive(Default)]
pub(super) enum SentBody {
    /// A body without secrets, or none.
    #[default]
    Open,
    /// The body of a resource.
    OfKind(&'static Kind, Body),
    /// A body whose kind is unknown.
    OfAnyKind(Body),
}

impl SentBody {
    /// Returns the redactor of the secrets in the body.
    pub(super) fn redactor(&self) -> Redactor {
        let mut redactor = Redactor::default();
        match self {
            Self::Open => {}
            Self::OfKind(kind, body) => redactor.add_secrets_of_kind(kind, body),
            Self::OfAnyKind(body) => Catalog::standard().kinds().for_each(|kind| redactor.add_secrets_of_kind(kind, body)),
        }
        redactor
    }
}

/// Texts that must not be shown.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    secrets: Vec<SecretString>,
}

impl Redactor {
    /// Adds a secret, both plain and as JSON quotes it.
    pub fn add_secret(&mut self, secret: &str) {
        let quoted = Value::from(secret).to_string();
        for text in [secret, &quoted[1..quoted.len() - 1]] {
            if !text.is_empty() && !self.secrets.iter().any(|known| known.expose_secret() == text) {
                self.secrets.push(text.into());
            }
        }
        // Longest first, so that a secret that contains another one is replaced completely.
        self.secrets.sort_by_key(|text| Reverse(text.expose_secret().len()));
    }

    /// Adds every text inside a value.
    fn add_texts(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add_secret(text),
            Value::Array(list) => list.iter().for_each(|element| self.add_texts(element)),
            Value::Object(fields) => fields.values().for_each(|field| self.add_texts(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Adds the secret fields of a kind, and undeclared secrets detected by name or value.
    fn add_secrets_of_kind(&mut self, kind: &Kind, body: &Body) {
        for (_, value) in kind.secrets.paths.iter().flat_map(|path| body.find(path)) {
            self.add_texts(value);
        }
        for (_, value) in kind.take_unlisted_secrets(&mut body.clone()) {
            self.add_texts(&value);
        }
    }

    /// Adds the secrets of another redactor.
    pub(super) fn merged_with(mut self, other: &Self) -> Self {
        other.secrets.iter().for_each(|text| self.add_secret(text.expose_secret()));
        self
    }

    /// Removes the secrets from a text, and shortens it to one line.
    #[must_use]
    pub(crate) fn redact(&self, text: &str) -> String {
        let redacted = self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), REDACTED));
        let plain: String = redacted.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        match plain.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &plain[..end]),
            None => plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_secret_of_a_sent_body_is_removed() {
        let kind = Catalog::standard().kind("connections").expect("a kind");
        let body = json!({"name": "db", "options": {"client_secret": "s3cret", "configuration": {"dsn": "pg:\"x\""}, "scope": ["email"]}});
        let mut redactor = Redactor::default();
        redactor.add_secrets_of_kind(kind, &Body::from_value(body).expect("an object"));
        redactor.add_secret("token s3cret token");
        assert_eq!(
            redactor.redact("no s3cret, not pg:\"x\" nor pg:\\\"x\\\",\nnot token s3cret token; email"),
            "no (redacted), not (redacted) nor (redacted), not (redacted); email"
        );
    }

    #[test]
    fn a_long_message_is_shortened() {
        assert_eq!(Redactor::default().redact(&"é".repeat(700)).chars().count(), 601);
    }
}
