//! Decides whether the value of a suspicious field is a secret, or plain words, a template or a public key.

use serde_json::Value;

use super::field_names::{NameClass, ends_with_secret};
use crate::json::is_blank;

/// The maximum number of letters and digits of a value that is too short for a secret, such as `v2` and `saml2`.
const SHORT: usize = 7;
/// The maximum number of letters of a choice: `as_needed`, `optional`.
const CHOICE: usize = 9;
/// Authentication schemes that precede a secret.
const SCHEMES: &[&str] = &["bearer", "basic", "token", "apikey", "digest"];

/// Returns whether a field of this name and class contains a secret.
///
/// A number is a secret only if the last word of the name indicates one: `password_min_length` and `token_lifetime` are
/// settings.
pub(super) fn holds_secret(name: &str, class: NameClass, value: &Value) -> bool {
    match value {
        Value::Number(_) => class == NameClass::Secret && ends_with_secret(name),
        Value::Array(list) => list.iter().any(|element| holds_secret(name, class, element)),
        Value::String(text) => is_secret(class, text),
        Value::Null | Value::Bool(_) | Value::Object(_) => false,
    }
}

/// Returns whether a text is a secret in a field whose name has this class.
pub(super) fn is_secret(class: NameClass, text: &str) -> bool {
    let is_open = || is_blank(&Value::from(text)) || is_template(text) || is_public(text);
    match class {
        NameClass::Unrelated => false,
        NameClass::Possible => is_mask(text) || (!is_open() && !is_words(text)),
        NameClass::Prompt => is_mask(text) || (!is_open() && !is_choice(text)),
        NameClass::Secret => !is_open(),
    }
}

/// Returns whether a text may be a mask that a tenant, a recording or a proxy shows instead of a secret.
///
/// Written back, it would become the secret. In other fields it is ordinary text, such as the placeholder of a password field.
///
/// Asterisks were recorded for the password of a stream to Mixpanel; one or two of them are a pattern, as in `https://*.acme.example` or `**`.
#[must_use]
pub(crate) fn is_mask(text: &str) -> bool {
    let is_covered = text.chars().count() > 2 && text.chars().all(|sign| sign == '*' || sign == '\u{2022}');
    let named = text.strip_prefix(['[', '(', '<']).and_then(|text| text.strip_suffix([']', ')', '>'])).unwrap_or_default();
    is_covered || ["redacted", "hidden", "masked"].iter().any(|word| named.eq_ignore_ascii_case(word))
}

/// Returns whether a text only refers to a secret: it consists of templates, separators and authentication schemes, as in
/// `Bearer {{vars.token}}` and `{{fields.user}}:{{fields.pin}}`.
pub(super) fn is_template(text: &str) -> bool {
    let (mut rest, mut around, mut has_any) = (text, String::new(), false);
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((inside, behind)) = behind.split_once("}}") else { return false };
        if holds_literal(inside) {
            return false;
        }
        (has_any, rest) = (true, behind);
        around.push_str(before);
        around.push(' ');
    }
    around.push_str(rest);
    let mut words = around.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty());
    has_any && words.all(|word| SCHEMES.contains(&word.to_ascii_lowercase().as_str()))
}

/// Returns whether a template contains a literal value, which quotes around the name of a field are not: `{{ x | default: "a" }}`.
fn holds_literal(template: &str) -> bool {
    let names = ["[\"", "\"]", "['", "']"].iter().fold(template.to_owned(), |text, quote| text.replace(quote, "."));
    names.contains(['"', '\'']) || !names.trim_start().starts_with(|sign: char| sign.is_alphabetic() || "_.#@$".contains(sign))
}

/// Returns whether a text is a certificate or a public key.
fn is_public(text: &str) -> bool {
    let is_block = |label: &str| text.trim_start().starts_with(&format!("-----BEGIN {label}-----"));
    is_block("CERTIFICATE") || is_block("PUBLIC KEY") || is_block("RSA PUBLIC KEY")
}

/// Returns whether a text is plain words: `client_secret_post`, `oauth2`, `The password has at least 8 signs.`
pub(super) fn is_words(text: &str) -> bool {
    let mut words = text.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_sentence = text.split_whitespace().nth(1).is_some();
    is_short(text) || words.all(|word| is_word(word) || (is_sentence && is_short(word)))
}

/// Returns whether a text is a sentence, or a word short enough for a choice: `optional`, `Diagnostic password, 3 of 5 left.`
fn is_choice(text: &str) -> bool {
    let is_sentence = text.split_whitespace().nth(2).is_some();
    (is_sentence && is_words(text)) || (text.chars().count() <= CHOICE && text.chars().all(|sign| sign.is_ascii_lowercase() || sign == '_'))
}

fn is_short(text: &str) -> bool {
    text.chars().filter(|sign| sign.is_alphanumeric()).count() <= SHORT
}

/// Returns whether a text looks like a word: capitalised, in capitals, or in camel case (`preferredUsername`).
fn is_word(word: &str) -> bool {
    let letters = word.chars().count();
    let capitals = word.chars().skip(1).filter(|sign| sign.is_uppercase()).count();
    let is_even = capitals == 0 || capitals + 1 == letters || capitals * 3 < letters;
    is_even && letters <= 24 && word.chars().all(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_templates_and_separators_is_not_a_secret_but_anything_more_is() {
        for text in [
            "{{x}}",
            "{{x}}-{{y}}",
            "{{vars.api_key}}",
            "Bearer {{vars.token}}",
            "Basic {{fields.user}}:{{fields.password}}",
            " {{ vars['api key'].of[\"a\"] | trim }} ",
        ] {
            assert!(!is_secret(NameClass::Secret, text), "{text}");
        }
        for text in [
            "{{x}}sk_live_abc",
            "sk_live_abc{{x}}",
            "{{x",
            "x}}",
            "{{ 'hunter2' }}",
            "{{ x | default: \"hunter2\" }}",
            "{{ 8461 }}",
            "Bearer x",
            "{{x}}-1",
            "{}",
            "--",
        ] {
            assert!(is_secret(NameClass::Secret, text), "{text}");
        }
    }

    #[test]
    fn a_word_under_a_prompt_name_is_not_a_secret_if_it_may_be_a_choice() {
        for text in ["", "optional", "as_needed", "Wrong password, 3 of 5 left.", "{{fields.password}}"] {
            assert!(!is_secret(NameClass::Prompt, text), "{text}");
        }
        for text in ["Sommergewitter", "abcdefghijkl", "hunter2", "correct horse", "********"] {
            assert!(is_secret(NameClass::Prompt, text), "{text}");
        }
    }

    #[test]
    fn words_under_a_possible_secret_name_are_not_secrets() {
        for text in [
            "oidc",
            "oauth2",
            "main",
            "",
            "client_secret_post",
            "Wrong password, 3 of 5 left.",
            "preferredUsername",
            "Passwort ändern",
            "v2.1",
        ] {
            assert!(!is_secret(NameClass::Possible, text), "{text}");
        }
        for text in [
            "********",
            "[REDACTED]",
            "a1b2c3d4",
            "CANARY-unlisted-12",
            "dXNlcjpwYXNz",
            "8f14e45f-ceea",
            "hunter2hunter2",
            "key-3ax6xnjp29jd6fds",
        ] {
            assert!(is_secret(NameClass::Possible, text), "{text}");
        }
    }
}
