//! Takes secrets out of what a tenant says: an error message may quote what was sent.

use serde_json::Value;

use crate::catalog::{Catalog, Kind};
use crate::json::Body;

/// What stands where a secret stood.
const REDACTED: &str = "(redacted)";
/// As much of a message as a person reads.
const LONGEST: usize = 600;

/// Texts that must not be shown.
#[derive(Clone, Default)]
pub struct Veil {
    hidden: Vec<String>,
}

impl std::fmt::Debug for Veil {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Veil({} hidden)", self.hidden.len())
    }
}

impl Veil {
    /// Hides a text, as it is and as JSON quotes it.
    pub fn hide(&mut self, secret: &str) {
        let quoted = Value::from(secret).to_string();
        for text in [secret, &quoted[1..quoted.len() - 1]] {
            if !text.is_empty() && !self.hidden.iter().any(|known| known == text) {
                self.hidden.push(text.to_owned());
            }
        }
        // The longest first, so that a secret inside another leaves no rest of it.
        self.hidden.sort_by_key(|text| std::cmp::Reverse(text.len()));
    }

    /// Hides every text inside a value.
    fn hide_texts(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.hide(text),
            Value::Array(list) => list.iter().for_each(|element| self.hide_texts(element)),
            Value::Object(fields) => fields.values().for_each(|field| self.hide_texts(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Hides what stands in the secret fields of a kind, and what its name or shape says is a secret.
    pub(super) fn hide_secrets_of(&mut self, kind: &Kind, body: &Body) {
        for (_, value) in kind.secrets.iter().flat_map(|path| body.find(path)) {
            self.hide_texts(value);
        }
        for (_, value) in kind.take_unlisted(&mut body.clone()) {
            self.hide_texts(&value);
        }
    }

    /// Hides what stands in the secret fields of any kind, for a body of which nobody knows the kind.
    pub(super) fn hide_secrets(&mut self, body: &Body) {
        Catalog::standard().kinds().for_each(|kind| self.hide_secrets_of(kind, body));
    }

    /// Hides what another veil hides.
    pub(super) fn with(mut self, other: &Self) -> Self {
        other.hidden.iter().for_each(|text| self.hide(text));
        self
    }

    /// Returns a text without its secrets, on one line and no longer than a person reads.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        let clean = self.hidden.iter().fold(text.to_owned(), |text, secret| text.replace(secret, REDACTED));
        let plain: String = clean.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
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
    fn every_secret_of_a_sent_body_is_taken_out() {
        let kind = Catalog::standard().kind("connections").expect("a kind");
        let body = json!({"name": "db", "options": {"client_secret": "s3cret", "configuration": {"dsn": "pg:\"x\""}, "scope": ["email"]}});
        let mut veil = Veil::default();
        veil.hide_secrets_of(kind, &Body::from_value(body).expect("an object"));
        veil.hide("token s3cret token");
        assert_eq!(
            veil.clean("no s3cret, not pg:\"x\" nor pg:\\\"x\\\",\nnot token s3cret token; email"),
            "no (redacted), not (redacted) nor (redacted), not (redacted); email"
        );
    }

    #[test]
    fn a_message_does_not_fill_the_screen() {
        assert_eq!(Veil::default().clean(&"é".repeat(700)).chars().count(), 601);
    }
}
