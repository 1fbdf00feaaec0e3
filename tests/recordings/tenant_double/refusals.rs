//! Refused requests, as lines without values: `PATCH /clients/{id}: No enum match on app_type`.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::process::{Double, Request};
use crate::support::auth0_reference;

/// The path templates of the Management API from its description.
pub(super) struct Templates(Vec<Vec<String>>);

impl Templates {
    /// Reads the description; `None` if it is not available.
    pub(super) fn read() -> Option<Self> {
        let mut text = String::new();
        GzDecoder::new(auth0_reference::open("management-api-oas.json.gz")?).read_to_string(&mut text).expect("gzipped text");
        let description: Value = serde_json::from_str(&text).expect("JSON");
        let paths = description["paths"].as_object().expect("paths").keys();
        let mut templates: Vec<Vec<String>> = paths.map(|path| path.split('/').map(str::to_owned).collect()).collect();
        // Of two matching templates, the one with fewer parameters wins.
        templates.sort_by_key(|parts| parts.iter().filter(|part| is_variable(part)).count());
        Some(Self(templates))
    }

    /// Returns the template of a path with its query: `/clients/{id}` for `/clients/abc?fields=name`.
    pub(super) fn template_of(&self, path: &str) -> String {
        let path = path.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |template: &&Vec<String>| {
            template.len() == parts.len() && template.iter().zip(&parts).all(|(template, part)| is_variable(template) || template == part)
        };
        self.0.iter().find(fits).map_or_else(|| path.to_owned(), |template| template.join("/"))
    }
}

fn is_variable(part: &str) -> bool {
    part.starts_with('{')
}

/// Returns a line for each kind of request that was refused as invalid. The reasons are found by repeating the request,
/// after which the state is restored.
pub(super) fn refusals(double: &Double, requests: &[Request], templates: &Templates) -> BTreeSet<String> {
    let refused: Vec<&Request> = requests.iter().filter(|request| request.status == 400).collect();
    let mut asked = BTreeSet::new();
    let mut lines = BTreeSet::new();
    if refused.is_empty() {
        return lines;
    }
    let mut was_done = false;
    let held = double.state();
    let token = double.token();
    for request in refused {
        if asked.insert((&request.method, &request.path, &request.body)) {
            let (status, said) = double.replay(request, &token);
            was_done |= status < 400;
            let reason = if status == 400 { general(said["message"].as_str().unwrap_or_default()) } else { "not refused again".to_owned() };
            lines.insert(format!("{} {}: {reason}", request.method, templates.template_of(&request.path)));
        }
    }
    if was_done {
        double.restore(&held);
    }
    double.requests();
    lines
}

/// Removes the variable parts of a message: descriptions, values, numbers.
///
/// `Payload validation error: 'No enum match for: "x"' on property sink.y[0] (Long words).` -> `No enum match on
/// sink.y[]`
fn general(message: &str) -> String {
    let message = message.trim_end_matches('.');
    let message =
        message.strip_prefix("Payload validation error: ").or(message.strip_prefix("Query validation error: ")).unwrap_or(message);
    let (reason, property) = message.split_once(" on property ").map_or((message, None), |(reason, property)| (reason, Some(property)));
    let reason = reason.trim_matches('\'');
    let is_of_a_name = reason.starts_with("Additional properties") || reason.starts_with("Missing required");
    let reason = if is_of_a_name { reason } else { reason.split(": ").next().unwrap_or(reason).trim_end_matches(" for") };
    let property = property.map(|property| property.split(" (").next().unwrap_or(property));
    let whole = property.map_or(reason.to_owned(), |property| format!("{reason} on {property}"));
    without_numbers(&whole)
}

/// `sink.y[0]` -> `sink.y[]`, `(300 chars)` -> `(N chars)`
fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for sign in text.chars() {
        let begins_a_number = sign.is_ascii_digit() && !before.is_ascii_alphanumeric() && before != '_';
        let goes_on = sign.is_ascii_digit() && before.is_ascii_digit() && out.ends_with(['N', '[']);
        match (begins_a_number, goes_on) {
            (true, _) if before == '[' => {}
            (true, _) => out.push('N'),
            (_, true) => {}
            _ => out.push(sign),
        }
        before = sign;
    }
    out
}

#[test]
fn a_reason_contains_no_value_no_number_and_no_description() {
    let said = "Payload validation error: 'No enum match for: \"x: y\"' on property sink.y[10] (Long. Words).";
    assert_eq!(general(said), "No enum match on sink.y[]");
    let said = "Payload validation error: 'Additional properties not allowed: a,b'.";
    assert_eq!(general(said), "Additional properties not allowed: a,b");
    let said = "Payload validation error: 'String is too long (300 chars), maximum 140' on property description.";
    assert_eq!(general(said), "String is too long (N chars), maximum N on description");
}
