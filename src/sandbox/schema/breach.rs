//! What breaks a schema, in the words that the API is recorded to say it in.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, ValidationOptions};
use serde_json::Value;

/// One thing that a schema does not allow.
pub(super) struct Breach {
    /// Where the value stands, as in `options.scopes[0]`; nothing for the whole.
    holder: String,
    /// The field that is missing or too much there.
    field: Option<String>,
    /// The word of the schema that is broken; `null` where null is what has the wrong type.
    keyword: String,
    /// What is wrong.
    reason: String,
}

impl Breach {
    /// Returns where it is, positions of lists left out: `options.scopes[]`.
    pub(super) fn place(&self) -> String {
        let holder = self.holder.split('[').map(|part| part.trim_start_matches(|sign: char| sign.is_ascii_digit())).collect::<Vec<_>>();
        match (&self.field, holder.join("[")) {
            (None, holder) => holder,
            (Some(field), holder) if holder.is_empty() => field.clone(),
            (Some(field), holder) => format!("{holder}.{field}"),
        }
    }

    /// Returns the word of the schema that is broken.
    pub(super) fn keyword(&self) -> &str {
        &self.keyword
    }

    /// Returns whether another alternative of a choice was meant: what tells alternatives apart does not fit.
    fn is_of_another_choice(&self) -> bool {
        matches!(self.keyword.as_str(), "const" | "enum" | "type" | "null")
    }
}

/// Returns what is broken and not taken all the same; of a choice, what breaks the alternative that fits best.
pub(super) fn found<'value>(errors: impl IntoIterator<Item = ValidationError<'value>>, is_taken: &dyn Fn(&Breach) -> bool) -> Vec<Breach> {
    errors.into_iter().flat_map(|error| of_error(&error, is_taken)).collect()
}

fn of_error(error: &ValidationError<'_>, is_taken: &dyn Fn(&Breach) -> bool) -> Vec<Breach> {
    let breaches = match error.kind() {
        ValidationErrorKind::AnyOf { context } => {
            let alternatives = context.iter().map(|errors| errors.iter().flat_map(|error| of_error(error, is_taken)).collect::<Vec<_>>());
            let misfit = |breaches: &Vec<Breach>| (breaches.iter().filter(|one| one.is_of_another_choice()).count(), breaches.len());
            return alternatives.min_by_key(misfit).unwrap_or_default();
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|name| Breach { field: Some(name.clone()), ..plain(error, String::new()) }).collect()
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default().to_owned();
            let reason = format!("'Missing required property: {name}'");
            vec![Breach { field: Some(name), ..plain(error, reason) }]
        }
        kind => vec![plain(error, reason(kind, error.instance()))],
    };
    breaches.into_iter().filter(|breach| !is_taken(breach)).collect()
}

fn plain(error: &ValidationError<'_>, reason: String) -> Breach {
    let holder = error.instance_path().segments().fold(String::new(), |path, segment| {
        let name = segment.to_string();
        match (path.is_empty(), name.bytes().all(|sign| sign.is_ascii_digit())) {
            (_, true) => format!("{path}[{name}]"),
            (true, false) => name,
            (false, false) => format!("{path}.{name}"),
        }
    });
    let is_null = matches!(error.kind(), ValidationErrorKind::Type { .. }) && error.instance().is_null();
    let keyword = if is_null { "null" } else { error.kind().keyword() };
    Breach { holder, field: None, keyword: keyword.to_owned(), reason }
}

/// Returns one sentence about what is broken, as the API says one: surplus fields first, and those nearest to the top.
pub(super) fn told(breaches: &[Breach]) -> Option<String> {
    let surplus: Vec<&Breach> = breaches.iter().filter(|breach| breach.keyword == "additionalProperties").collect();
    if let Some(first) = surplus.iter().min_by_key(|breach| breach.holder.len()) {
        let names = surplus.iter().filter(|breach| breach.holder == first.holder).filter_map(|breach| breach.field.as_deref());
        let names: Vec<&str> = names.collect();
        return Some(format!("'Additional properties not allowed: {}'{}", names.join(","), on_property(&first.holder)));
    }
    // What a text is made of is looked at last.
    let first = breaches.iter().min_by_key(|breach| matches!(breach.keyword.as_str(), "pattern" | "format"));
    first.map(|first| format!("{}{}", first.reason, on_property(&first.holder)))
}

fn on_property(holder: &str) -> String {
    if holder.is_empty() { String::new() } else { format!(" on property {holder}") }
}

fn reason(kind: &ValidationErrorKind, value: &Value) -> String {
    let text = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let length = || value.as_str().map_or(0, |text| text.chars().count());
    let count = || value.as_array().map(Vec::len).or_else(|| value.as_object().map(serde_json::Map::len)).unwrap_or_default();
    match kind {
        ValidationErrorKind::Type { kind } => format!("'Expected type {} but found type {}'", expected(kind), type_of(value)),
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => format!("'No enum match for: {value}'"),
        ValidationErrorKind::MinLength { limit } => format!("'String is too short ({} chars), minimum {limit}'", length()),
        ValidationErrorKind::MaxLength { limit } => format!("'String is too long ({} chars), maximum {limit}'", length()),
        ValidationErrorKind::MinItems { limit } => format!("'Array is too short ({}), minimum {limit}'", count()),
        ValidationErrorKind::MaxItems { limit } => format!("'Array is too long ({}), maximum {limit}'", count()),
        ValidationErrorKind::MinProperties { limit } => format!("'Too few properties defined ({}), minimum {limit}'", count()),
        ValidationErrorKind::MaxProperties { limit } => format!("'Too many properties defined ({}), maximum {limit}'", count()),
        ValidationErrorKind::Minimum { limit } => format!("'Value {value} is less than minimum {limit}'"),
        ValidationErrorKind::Maximum { limit } => format!("'Value {value} is greater than maximum {limit}'"),
        ValidationErrorKind::Pattern { pattern } => format!("'String does not match pattern {pattern}: {}'", text()),
        ValidationErrorKind::Format { format } => format!("'Object didn't pass validation for format {format}: {}'", text()),
        ValidationErrorKind::UniqueItems => format!("'Array items are not unique (indexes {})'", twins(value)),
        other => format!("'{} is not satisfied'", other.keyword()),
    }
}

fn expected(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(some) => some.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(","),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Returns the places of the first two elements that are alike.
fn twins(value: &Value) -> String {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let twin = |at: usize| list[..at].iter().position(|earlier| *earlier == list[at]).map(|earlier| format!("{earlier} and {at}"));
    (0..list.len()).find_map(twin).unwrap_or_default()
}

/// Adds the formats whose names say what they are; the description defines none of them, and any other name allows all.
pub(super) fn with_formats(options: ValidationOptions<'_>) -> ValidationOptions<'_> {
    let is_url = |text: &str| text.split_once(':').is_some_and(|(scheme, _)| !scheme.is_empty()) && !text.contains(char::is_whitespace);
    let is_email = |text: &str| text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    options
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .with_format("url", is_url)
        .with_format("uri", is_url)
        .with_format("strict-uri", is_url)
        .with_format("email", is_email)
        .with_format("email-or-empty", move |text: &str| text.is_empty() || is_email(text))
        .with_format("strict-https-uri", |text: &str| text.starts_with("https://"))
        .with_format("absolute-https-uri-or-empty", |text: &str| text.is_empty() || text.starts_with("https://"))
        .with_format("absolute-uri-or-empty", move |text: &str| text.is_empty() || is_url(text))
        .with_format("non-empty-string", |text: &str| !text.is_empty())
        .with_format("client-id", |text: &str| !text.is_empty())
}
