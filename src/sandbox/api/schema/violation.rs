//! What schema_violations a schema, in the keywords that the API is recorded to say it in.

/// One thing that a schema does not allow.
pub(super) struct Violation {
    /// Where the value stands, as in `options.scopes[0]`; nothing for the whole.
    pub(super) holder: String,
    /// The field that is missing or too much there.
    pub(super) field: Option<String>,
    /// The keyword of the schema that is broken; `null` where null is what has the wrong type.
    pub(super) keyword: &'static str,
    /// What is wrong.
    pub(super) reason: String,
}

impl Violation {
    /// Returns that the value itself schema_violations a keyword.
    pub(super) fn of_value(holder: &str, keyword: &'static str, reason: String) -> Self {
        Self { holder: holder.to_owned(), field: None, keyword, reason }
    }

    /// Returns that an object holds a field too much.
    pub(super) fn surplus(holder: &str, field: &str) -> Self {
        Self { holder: holder.to_owned(), field: Some(field.to_owned()), keyword: "additionalProperties", reason: String::new() }
    }

    /// Returns that an object lacks a field.
    pub(super) fn missing(holder: &str, field: &str) -> Self {
        let reason = format!("'Missing required property: {field}'");
        Self { holder: holder.to_owned(), field: Some(field.to_owned()), keyword: "required", reason }
    }

    /// Returns where it is, positions of lists left out: `options.scopes[]`.
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

    /// Returns whether another alternative of a choice was meant: what tells alternatives apart does not fit.
    pub(super) fn is_wrong_alternative(&self) -> bool {
        matches!(self.keyword, "const" | "enum" | "type" | "null")
    }
}

/// Returns one sentence about what is broken, as the API says one: surplus fields first, and those nearest to the top.
pub(super) fn message(violations: &[Violation]) -> Option<String> {
    let surplus: Vec<&Violation> = violations.iter().filter(|violation| violation.keyword == "additionalProperties").collect();
    if let Some(first) = surplus.iter().min_by_key(|violation| (!violation.holder.is_empty(), violation.holder.matches(['.', '[']).count()))
    {
        let names = surplus.iter().filter(|violation| violation.holder == first.holder).filter_map(|violation| violation.field.as_deref());
        let names: Vec<&str> = names.collect();
        return Some(format!("'Additional properties not allowed: {}'{}", names.join(","), on_property(&first.holder)));
    }
    // What a text is made of is looked at last.
    let first = violations.iter().min_by_key(|violation| matches!(violation.keyword, "pattern" | "format"));
    first.map(|first| format!("{}{}", first.reason, on_property(&first.holder)))
}

fn on_property(holder: &str) -> String {
    let holder = holder.trim_matches(['{', '}']);
    if holder.is_empty() { String::new() } else { format!(" on property {holder}") }
}
