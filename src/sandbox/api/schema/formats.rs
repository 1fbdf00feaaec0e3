//! Validates patterns and formats of text. The description names formats without defining them; unknown ones allow everything.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex_lite::Regex;
use serde_json::{Map, Value};

/// Returns the keyword that a text violates, and the reason.
pub(super) fn broken(keywords: &Map<String, Value>, text: &str) -> Option<(&'static str, String)> {
    let word = |name: &str| keywords.get(name).and_then(Value::as_str);
    if let Some(pattern) = word("pattern").filter(|pattern| !matches(pattern, text)) {
        return Some(("pattern", format!("'String does not match pattern {pattern}: {text}'")));
    }
    let format = word("format").filter(|format| !has_format(format, text))?;
    Some(("format", format!("'Object didn't pass validation for format {format}: {text}'")))
}

/// Returns whether a text matches; a pattern that the engine does not support, such as a look-around, matches everything.
fn matches(pattern: &str, text: &str) -> bool {
    static READ: LazyLock<Mutex<HashMap<String, Option<Arc<Regex>>>>> = LazyLock::new(Mutex::default);
    let read = {
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        match read.get(pattern) {
            Some(known) => known.clone(),
            None => read.entry(pattern.to_owned()).or_insert(Regex::new(pattern).ok().map(Arc::new)).clone(),
        }
    };
    read.is_none_or(|pattern| pattern.is_match(text))
}

fn has_format(format: &str, text: &str) -> bool {
    let is_url = || text.split_once(':').is_some_and(|(scheme, _)| !scheme.is_empty()) && !text.contains(char::is_whitespace);
    let is_email = || text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    match format {
        "url" | "uri" | "strict-uri" => is_url(),
        "absolute-uri-or-empty" => text.is_empty() || is_url(),
        "strict-https-uri" => text.starts_with("https://"),
        "absolute-https-uri-or-empty" => text.is_empty() || text.starts_with("https://"),
        "email" => is_email(),
        "email-or-empty" => text.is_empty() || is_email(),
        "non-empty-string" | "client-id" => !text.is_empty(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        _ => true,
    }
}
