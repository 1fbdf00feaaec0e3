//! Formats JSON values for people: references as names, long values abbreviated.

use serde_json::Value;

use super::format::{count, named, printable};
use crate::snapshot::id_substitution;

/// The text for an absent value.
pub(super) const NONE: &str = "(none)";
/// The minimum number of characters in which two long texts are compared.
const LEAST: usize = 8;
/// The number of characters shown before the first difference of two long texts, if it is far from their start.
const LEAD: usize = 20;
/// The number of characters needed behind the first difference.
const BEHIND: usize = 6;

/// Returns a value on one line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => inline_text(text),
        Value::Array(list) => format!("[{}]", list.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| format!("{}: {}", printable(name), inline(value));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn inline_text(text: &str) -> String {
    let reads_as_another = serde_json::from_str::<Value>(text).is_ok_and(|value| !value.is_object() && !value.is_array());
    if let Some(key) = id_substitution::as_reference(&Value::String(text.to_owned())) {
        return named(&key);
    }
    match text.lines().count() {
        2.. => format!("({})", count(text.lines().count(), "line")),
        // The text that stands for a missing value is quoted where it is a value.
        _ if reads_as_another || text.trim() != text || text.is_empty() || text == NONE => {
            printable(&Value::String(text.to_owned()).to_string()).into_owned()
        }
        _ => printable(text).into_owned(),
    }
}

/// Formats an element of a list: the values of its fields joined by ` · `, first the one that identifies it.
pub(super) fn element(value: &Value, key: Option<&str>) -> String {
    match value {
        Value::Object(fields) => {
            let (first, rest): (Vec<_>, Vec<_>) = fields.iter().partition(|(name, _)| Some(name.as_str()) == key);
            first.into_iter().chain(rest).map(|(_, value)| inline(value)).collect::<Vec<_>>().join(" · ")
        }
        other => inline(other),
    }
}

/// Formats a list of scalar values or of elements without brackets, and any other value on one line.
pub(super) fn flat(value: &Value) -> String {
    match value {
        Value::Array(list) if !list.is_empty() => list.iter().map(|one| element(one, None)).collect::<Vec<_>>().join(", "),
        value => inline(value),
    }
}

/// Cuts two texts to this many characters so that their first difference is shown: from the start if it is near,
/// otherwise from shortly before it. Short texts are kept whole. If the texts differ, the results differ.
pub(super) fn around_difference(one: &str, other: &str, most: usize) -> (String, String) {
    let most = most.max(LEAST);
    let is_short = [one, other].iter().all(|text| text.chars().count() <= most);
    let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let skipped = if is_short || same + BEHIND.min(most / 3) < most { 0 } else { same.saturating_sub(LEAD.min(most / 3)) };
    let window = |text: &str| {
        let rest: String = text.chars().skip(skipped).collect();
        if skipped == 0 { cut(&rest, most) } else { format!("…{}", cut(&rest, most - 1)) }
    };
    (window(one), window(other))
}

/// Cuts a text that is too long.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_that_could_be_another_value_is_quoted() {
        let shown =
            [json!("plain"), json!("true"), json!(true), json!("12"), json!(""), json!(" x"), json!("(none)")].map(|value| inline(&value));
        assert_eq!(shown, ["plain", "\"true\"", "true", "\"12\"", "\"\"", "\" x\"", "\"(none)\""]);
    }

    #[test]
    fn a_reference_is_shown_as_its_name_and_a_placeholder_in_a_text_is_kept() {
        assert_eq!(inline(&json!("⟦clients/Billing API⟧")), "client \"Billing API\"");
        assert_eq!(inline(&json!("https://⟨tenant⟩/api/v2/")), "https://⟨tenant⟩/api/v2/");
    }
}
