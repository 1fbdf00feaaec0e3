//! Checks a mapping without a tenant: its values, its secrets and, using stored snapshots, rules that match nothing.

use std::path::Path;

use serde_json::Value;

use super::environment::Environment;
use super::error::Error;
use crate::catalog::{Kind, Shape, Write};
use crate::config::TenantSettings;
use crate::diagnostic::{Diagnostic, Text, did_you_mean};
use crate::files;
use crate::mapping::{Effect, Mapping, MappingRule};
use crate::model::unmatched_rule::UnmatchedRule;
use crate::sandbox::{ValueRefusal, value_refusals};
use crate::snapshot::{Snapshot, store};

/// Loads a mapping and returns it with all problems of its values and secrets.
pub(crate) fn check_mapping(environment: &Environment, path: &Path) -> Result<(Mapping, Vec<Diagnostic>), Error> {
    let mapping = Mapping::load(environment.catalog, path)?;
    let problem = |rule: &MappingRule| match &rule.effect {
        Effect::Secret(from) if environment.outside(from).is_none() => Some(missing_secret(from)),
        _ => problem_of_value(environment, rule),
    };
    let findings = findings(path, &mapping, &problem)?;
    Ok((mapping, findings))
}

/// Returns the problems of the values of a mapping.
pub(crate) fn value_findings(environment: &Environment, path: &Path, mapping: &Mapping) -> Result<Vec<Diagnostic>, files::Error> {
    findings(path, mapping, &|rule| problem_of_value(environment, rule))
}

/// What is wrong with a rule, and the label beside it.
type Problem = (String, String);

fn findings(path: &Path, mapping: &Mapping, problem: &dyn Fn(&MappingRule) -> Option<Problem>) -> Result<Vec<Diagnostic>, files::Error> {
    let text = files::read_text(path)?;
    let whole = Text { path, text: &text };
    let finding = |rule: &MappingRule| problem(rule).map(|(what, label)| whole.wrong(rule.at.clone(), what, label));
    Ok(mapping.rules.iter().filter_map(finding).collect())
}

fn problem_of_value(environment: &Environment, rule: &MappingRule) -> Option<Problem> {
    match (&rule.effect, &rule.field) {
        (Effect::Set(value), Some(field)) => wrong_value(environment, rule, field, value),
        _ => None,
    }
}

/// Returns the rules of a mapping that match nothing in the newest stored snapshot of a source.
pub(crate) fn unmatched_on_disk(
    environment: &Environment,
    mapping: &Mapping,
    source: &str,
    target: &TenantSettings,
) -> Result<Vec<UnmatchedRule>, Error> {
    let (root, catalog) = (environment.folder("snapshots"), environment.catalog);
    let is_folder = !environment.settings().tenants.contains_key(source) && source.contains('/');
    let folder = if is_folder { Path::new(source).to_owned() } else { store::newest(&root, source)? };
    let unmatched = mapping.apply(catalog, store::load(catalog, &folder)?)?.unmatched;
    let live = match store::newest(&root, &target.name) {
        Ok(folder) => store::load(catalog, &folder)?,
        Err(_) => Snapshot::empty(&target.name, &target.domain),
    };
    Ok(mapping.unmatched_in_both(unmatched, &live))
}

fn missing_secret(from: &str) -> Problem {
    if let Some(name) = from.strip_prefix("env:") {
        return (format!("the variable {name} is not set"), "set it in the environment or in .env".to_owned());
    }
    let path = from.trim_start_matches("file:");
    (format!("there is no secret in \"{path}\""), "write the secret into that file, and nothing else".to_owned())
}

/// Returns why the value of a rule is invalid, if every kind that the rule can match refuses it.
fn wrong_value(environment: &Environment, rule: &MappingRule, field: &str, value: &Value) -> Option<(String, String)> {
    let about = environment.catalog.kinds().filter(|kind| rule.is_about_kind(kind) && kind.fields.writable().has(field));
    let refused: Vec<Option<(&Kind, ValueRefusal)>> = about.map(|kind| Some((kind, refusal(kind, field, value)?))).collect();
    let (kind, refusal) = refused.into_iter().collect::<Option<Vec<_>>>()?.into_iter().next()?;
    Some(explained(kind, &refusal, field, value))
}

/// Returns why no request of a kind accepts a value, if the OpenAPI description says so.
fn refusal(kind: &Kind, field: &str, value: &Value) -> Option<ValueRefusal> {
    let mut refusals = Vec::new();
    for (method, path) in requests(kind) {
        let of_request = value_refusals(method, &path, field, value)?;
        refusals.push(of_request.into_iter().next()?);
    }
    // A field that one request lacks entirely is written by the other one.
    let knows = |refusal: &&ValueRefusal| refusal.keyword != "additionalProperties";
    refusals.iter().find(knows).or(refusals.first()).cloned()
}

/// Returns the requests that write a kind, with placeholder ids in their paths.
fn requests(kind: &Kind) -> Vec<(&'static str, String)> {
    if let Shape::Child { .. } = kind.shape {
        return Vec::new();
    }
    let filled = |path: &str| {
        let names = path.split('/').map(|name| if name.starts_with('{') { "x" } else { name });
        names.collect::<Vec<_>>().join("/")
    };
    let update = if kind.paths.write == Write::Put { "PUT" } else { "PATCH" };
    let create = kind.creation().map(|path| ("POST", filled(path)));
    create.into_iter().chain([(update, filled(&kind.item()))]).collect()
}

fn explained(kind: &Kind, refusal: &ValueRefusal, field: &str, value: &Value) -> (String, String) {
    let ValueRefusal { place, keyword, allowed, reason } = refusal;
    let words: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
    match *keyword {
        "enum" | "const" => {
            let found = at_place(value, field, place);
            let known: Vec<String> = allowed.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let shown = found.map_or_else(|| "this".to_owned(), ToString::to_string);
            (format!("\"{place}\" of {} cannot be {shown}", kind.name), did_you_mean(shown.trim_matches('"'), &known))
        }
        "type" | "null" => {
            let what = words.iter().map(|word| in_words(word)).collect::<Vec<_>>().join(" or ");
            let found = at_place(value, field, place).map_or("another value", type_in_words);
            (format!("\"{place}\" of {} must be {what}", kind.name), format!("this is {found}"))
        }
        "additionalProperties" => (format!("there is no field \"{place}\" in {}", kind.name), "the API does not accept it".to_owned()),
        "required" => (format!("\"{place}\" of {} is missing", kind.name), "the API requires it in this value".to_owned()),
        _ => (format!("\"{place}\" of {} is not accepted", kind.name), reason.trim_matches('\'').to_owned()),
    }
}

/// Returns the part of a value at a position in or above its field; `None` inside lists, where the element is not
/// known.
fn at_place<'value>(value: &'value Value, field: &str, place: &str) -> Option<&'value Value> {
    let rest = place.strip_prefix(field)?.trim_start_matches('.');
    let steps = rest.split('.').filter(|step| !step.is_empty());
    steps.into_iter().try_fold(value, |value, step| value.get(step))
}

fn in_words(word: &str) -> &str {
    match word {
        "string" => "a text",
        "boolean" => "true or false",
        "number" => "a number",
        "integer" => "a whole number",
        "array" => "a list",
        "object" => "a table",
        other => other,
    }
}

fn type_in_words(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}
