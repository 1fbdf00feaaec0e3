//! Converts errors of the validator into places and violations that are the same in every run and contain no values.

use std::collections::BTreeSet;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::Location;
use serde_json::Value;

/// A violation at a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Violation {
    pub(super) place: String,
    pub(super) what: String,
}

impl Violation {
    pub(super) fn new(place: &str, what: &str) -> Self {
        Self { place: place.to_owned(), what: what.to_owned() }
    }
}

/// Returns every violation; if all alternatives fail, those of the best matching one.
pub(super) fn violation_list<'all>(errors: impl IntoIterator<Item = ValidationError<'all>>) -> Vec<Violation> {
    errors.into_iter().flat_map(|error| violations_of(&error)).collect()
}

fn violations_of(error: &ValidationError<'_>) -> Vec<Violation> {
    let at = |field: &str| joined(&place_of(error), field);
    let here = |what: &str| vec![Violation::new(&or_body(place_of(error)), what)];
    match error.kind() {
        ValidationErrorKind::AnyOf { context } => of_alternatives(&or_body(place_of(error)), context),
        ValidationErrorKind::AdditionalProperties { unexpected } | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().map(|field| Violation::new(&at(field), "unexpected field")).collect()
        }
        ValidationErrorKind::Required { property } => {
            vec![Violation::new(&at(property.as_str().unwrap_or_default()), "missing")]
        }
        ValidationErrorKind::Type { kind } => here(&format!("wrong type: {} for {}", type_of(error.instance()), expected(kind))),
        ValidationErrorKind::Constant { .. } | ValidationErrorKind::Enum { .. } => here("no enum match"),
        ValidationErrorKind::MinLength { .. } => here("too short"),
        ValidationErrorKind::MaxLength { .. } => here("too long"),
        ValidationErrorKind::MinItems { .. } | ValidationErrorKind::MinProperties { .. } => here("too few"),
        ValidationErrorKind::MaxItems { .. } | ValidationErrorKind::MaxProperties { .. } | ValidationErrorKind::AdditionalItems { .. } => {
            here("too many")
        }
        ValidationErrorKind::Minimum { .. } | ValidationErrorKind::ExclusiveMinimum { .. } => here("too small"),
        ValidationErrorKind::Maximum { .. } | ValidationErrorKind::ExclusiveMaximum { .. } => here("too large"),
        ValidationErrorKind::Pattern { .. } => here("no pattern match"),
        ValidationErrorKind::Format { format } => here(&format!("not of the format {format}")),
        ValidationErrorKind::UniqueItems => here("not unique"),
        ValidationErrorKind::PropertyNames { .. } => here("a field's name is not allowed"),
        ValidationErrorKind::FalseSchema => here("unexpected field"),
        _ => here(&format!("breaks {}", error.kind().keyword())),
    }
}

/// Returns the violations of the best matching alternative; among equals, of the first.
///
/// An alternative of another type matches worse than one whose distinguishing value differs (`strategy`, `type`), and
/// that one worse than one that only violates rules inside.
fn of_alternatives(place: &str, alternatives: &[Vec<ValidationError<'static>>]) -> Vec<Violation> {
    let of_another_type = |errors: &[ValidationError<'_>]| {
        let is_type = |error: &&ValidationError<'_>| matches!(error.kind(), ValidationErrorKind::Type { .. });
        errors.iter().find(|error| is_type(error) && or_body(place_of(error)) == place).map(violations_of)
    };
    let (others, closer): (Vec<_>, Vec<_>) = alternatives.iter().partition(|errors| of_another_type(errors).is_some());
    if closer.is_empty() {
        return of_no_type(place, others.into_iter().filter_map(|errors| of_another_type(errors)).flatten());
    }
    let best = closer.into_iter().map(|errors| (errors.iter().filter(|error| is_choice(error)).count(), violation_list_of(errors)));
    let best = best.min_by_key(|(choices, violations)| (*choices, violations.len(), std::cmp::Reverse(depth(violations))));
    best.map(|(_, violations)| violations).unwrap_or_default()
}

fn violation_list_of(errors: &[ValidationError<'_>]) -> Vec<Violation> {
    errors.iter().flat_map(violations_of).collect()
}

/// Returns whether an error is about a value that distinguishes alternatives.
fn is_choice(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Constant { .. } | ValidationErrorKind::Enum { .. })
}

/// Returns the single violation of a value that has the type of no alternative.
fn of_no_type(place: &str, others: impl Iterator<Item = Violation>) -> Vec<Violation> {
    let whats: Vec<String> = others.map(|one| one.what).collect();
    let Some((given, _)) = whats.first().and_then(|what| what.split_once(" for ")) else { return Vec::new() };
    let types: BTreeSet<&str> =
        whats.iter().filter_map(|what| Some(what.split_once(" for ")?.1)).flat_map(|all| all.split(" or ")).collect();
    vec![Violation::new(place, &format!("{given} for {}", types.into_iter().collect::<Vec<_>>().join(" or ")))]
}

fn depth(violations: &[Violation]) -> usize {
    violations.iter().map(|one| one.place.matches(['.', '[']).count()).max().unwrap_or_default()
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

fn expected(kind: &TypeKind) -> String {
    let names: BTreeSet<String> = match kind {
        TypeKind::Single(one) => BTreeSet::from([one.to_string()]),
        TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect(),
    };
    names.into_iter().collect::<Vec<_>>().join(" or ")
}

/// Returns the place of an error from its path through the schema: known names, `*` for open ones, `[]` for list
/// positions.
fn place_of(error: &ValidationError<'_>) -> String {
    let path: &Location = error.evaluation_path();
    let words: Vec<String> = path.segments().map(|segment| segment.to_string()).collect();
    // The last segment is the keyword that failed, unless the whole schema did.
    let ends = words.len() - usize::from(!words.is_empty() && !matches!(error.kind(), ValidationErrorKind::FalseSchema));
    let mut words = words[..ends].iter();
    let mut place = String::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "properties" => place = joined(&place, words.next().map_or("*", String::as_str)),
            "items" => place.push_str("[]"),
            "prefixItems" => {
                words.next();
                place.push_str("[]");
            }
            "additionalProperties" => place = joined(&place, "*"),
            "patternProperties" => {
                words.next();
                place = joined(&place, "*");
            }
            "anyOf" | "allOf" | "oneOf" => drop(words.next()),
            _ => {}
        }
    }
    place
}

fn joined(place: &str, field: &str) -> String {
    if place.is_empty() { field.to_owned() } else { format!("{place}.{field}") }
}

fn or_body(place: String) -> String {
    if place.is_empty() { "body".to_owned() } else { place }
}
