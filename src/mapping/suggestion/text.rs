//! Suggestions as the text of a mapping, with their evidence as comments.

use toml::Value;

use super::{SuggestedEffect, Suggestion};

/// The width of a comment.
const WIDTH: usize = 120;

/// Returns suggestions as a mapping between these tenants.
#[must_use]
pub fn suggested_mapping(source: &str, target: &str, suggestions: &[Suggestion]) -> String {
    let head = format!(
        "Rules for values that differ between {source} and {target}, suggested by `migrate mapping suggest` from what both tenants have. Above \
         each rule is what speaks for it: read it, and delete the rule if it is wrong. `migrate validate` checks this file, `migrate plan \
         --tenant {target}` shows what the rules do. The tenants' own domains and ids need no rules."
    );
    let none = if suggestions.is_empty() { "\n# Nothing differs in a way that suggests a rule.\n" } else { "" };
    let rules: Vec<String> =
        suggestions.iter().map(|suggestion| format!("\n{}{}", comment(&suggestion.evidence), rule(suggestion))).collect();
    format!("{}{none}{}", comment(&head), rules.concat())
}

/// Returns a suggestion as a rule.
pub(super) fn rule(suggestion: &Suggestion) -> String {
    let matches = match suggestion.matches.as_slice() {
        [one] => text(one),
        several => format!("[{}]", several.iter().map(|one| text(one)).collect::<Vec<_>>().join(", ")),
    };
    let field = suggestion.field.as_ref().map(|field| format!("field = {}\n", text(field))).unwrap_or_default();
    let effect = match &suggestion.effect {
        SuggestedEffect::Replace { from, to } => format!("replace = {{ from = {}, to = {} }}", text(from), text(to)),
        SuggestedEffect::Rename(name) => format!("rename = {}", text(name)),
        SuggestedEffect::Remove(element) => format!("remove = {}", text(element)),
        SuggestedEffect::Keep(keep) => format!("keep = {keep}"),
    };
    format!("[[rule]]\nmatch = {matches}\n{field}{effect}\n")
}

/// Returns a text in quotes, with escapes.
fn text(value: &str) -> String {
    if value.contains(['"', '\\']) || value.chars().any(char::is_control) {
        return Value::String(value.to_owned()).to_string();
    }
    format!("\"{value}\"")
}

/// Returns a text as lines of a comment, in which control characters are not allowed.
fn comment(words: &str) -> String {
    let plain: String = words.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    let mut lines: Vec<String> = Vec::new();
    for word in plain.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut().filter(|line| line.chars().count() + 1 + word.chars().count() <= WIDTH) {
            Some(line) => *line = format!("{line} {word}"),
            None => lines.push(format!("# {word}")),
        }
    }
    lines.join("\n") + "\n"
}
