//! Violations of a schema, with the recorded messages of the API.

use serde_json::Value;

/// One violation of a schema.
pub(super) struct Violation {
    /// The path of the containing value, such as `options.scopes[0]`; empty for the whole body.
    pub(super) holder: String,
    /// The missing or surplus field there.
    pub(super) field: Option<String>,
    /// The violated keyword of the schema; `null` if null has the wrong type.
    pub(super) keyword: &'static str,
    /// The message of the API.
    pub(super) reason: String,
    /// The values that are allowed, or the types if the type is wrong; empty if neither is listed.
    pub(super) allowed: Vec<Value>,
}

impl Violation {
    /// Creates a violation of a keyword by the value itself.
    pub(super) fn of_value(holder: &str, keyword: &'static str, reason: String) -> Self {
        Self { holder: holder.to_owned(), field: None, keyword, reason, allowed: Vec::new() }
    }

    /// Adds what is allowed instead.
    pub(super) fn allowing(self, allowed: Vec<Value>) -> Self {
        Self { allowed, ..self }
    }

    /// Creates a violation by a surplus field.
    pub(super) fn surplus(holder: &str, field: &str) -> Self {
        Self {
            holder: holder.to_owned(),
            field: Some(field.to_owned()),
            keyword: "additionalProperties",
            reason: String::new(),
            allowed: Vec::new(),
        }
    }

    /// Creates a violation by a missing field.
    pub(super) fn missing(holder: &str, field: &str) -> Self {
        let reason = format!("'Missing required property: {field}'");
        Self { holder: holder.to_owned(), field: Some(field.to_owned()), keyword: "required", reason, allowed: Vec::new() }
    }

    /// Returns the place without list positions: `options.scopes[]`.
    pub(super) fn place(&self) -> String {
        let mut parts = self.holder.split('[');
        let first = parts.next().unwrap_or_default().to_owned();
        let holder = parts.fold(first, |holder, part| holder + "[" + part.trim_start_matches(|sign: char| sign.is_ascii_digit()));
        match &self.field {
            None => holder,
            Some(field) if holder.is_empty() => field.clone(),
            Some(field) => format!("{holder}.{field}"),
        }
    }

    /// Returns whether a keyword that distinguishes alternatives is violated, so that another one was meant.
    pub(super) fn is_wrong_alternative(&self) -> bool {
        matches!(self.keyword, "const" | "enum" | "type" | "null")
    }
}

/// Returns one message about all violations, as the API does: surplus fields first, those at the top level before others.
pub(super) fn message(violations: &[Violation]) -> Option<String> {
    let surplus: Vec<&Violation> = violations.iter().filter(|violation| violation.keyword == "additionalProperties").collect();
    if let Some(first) = surplus.iter().min_by_key(|violation| (!violation.holder.is_empty(), violation.holder.matches(['.', '[']).count()))
    {
        let names = surplus.iter().filter(|violation| violation.holder == first.holder).filter_map(|violation| violation.field.as_deref());
        let names: Vec<&str> = names.collect();
        return Some(format!("'Additional properties not allowed: {}'{}", names.join(","), on_property(&first.holder)));
    }
    // Patterns and formats come last.
    let first = violations.iter().min_by_key(|violation| matches!(violation.keyword, "pattern" | "format"));
    first.map(|first| format!("{}{}", first.reason, on_property(&first.holder)))
}

fn on_property(holder: &str) -> String {
    let holder = holder.trim_matches(['{', '}']);
    if holder.is_empty() { String::new() } else { format!(" on property {holder}") }
}
