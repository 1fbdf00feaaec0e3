//! Formats numbers, durations, names and counts for people.

use std::borrow::Cow;
use std::time::Duration;

pub(super) use super::printed::printable;
use crate::catalog::Shape;
use crate::model::changed_by::ChangedBy;
use crate::model::resource::Key;

/// Formats a resource inside a sentence: `client "Billing API"`, `tenant settings`; a key without a name stands for the
/// whole kind.
pub(crate) fn named(key: &Key) -> String {
    let kind = key.kind();
    match key.name() {
        "" if kind.shape == Shape::Singleton => kind.singular.to_owned(),
        "" => kind.name.to_owned(),
        name => format!("{} \"{}\"", kind.singular, printable(name)),
    }
}

/// Formats who changed or deleted something, as the end of a line: `, changed by jane@acme.example (dashboard) on ..`;
/// empty if that is not known.
pub(super) fn changed_by(by: Option<&ChangedBy>, verb: &str) -> String {
    by.map(|_| format!(", {verb}{}", by_whom(by))).unwrap_or_default()
}

/// Formats who did something, after a verb: ` by jane@acme.example (dashboard) on ..`; empty if that is not known.
pub(super) fn by_whom(by: Option<&ChangedBy>) -> String {
    by.map(|by| format!(" by {}", printable(&by.to_string()))).unwrap_or_default()
}

/// Formats a number with thousands separators: `1,000`.
pub(super) fn number(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Formats a count of things: `1 change`, `1,200 changes`.
pub(crate) fn count(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{} {thing}s", number(count)) }
}

/// Formats a duration: `0.4 s`, `31 s`, `4 min 12 s`, `1 h 3 min`.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64().round();
    if time < Duration::from_millis(9_950) {
        let tenths = format!("{:.1}", time.as_secs_f64());
        return format!("{} s", tenths.strip_suffix(".0").unwrap_or(&tenths));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time of a run, rounded")]
    let seconds = seconds as u64;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Formats the first names of a list: `A, B and 7 more`.
pub(super) fn names<'key>(keys: impl ExactSizeIterator<Item = &'key Key>, most: usize) -> String {
    let more = keys.len().saturating_sub(most);
    let shown: Vec<Cow<'_, str>> =
        keys.take(most).map(|key| printable(if key.name().is_empty() { key.kind().name } else { key.name() })).collect();
    if more == 0 { shown.join(", ") } else { format!("{} and {} more", shown.join(", "), number(more)) }
}

/// Formats a list inside a sentence: `a, b and c`.
pub(super) fn enumeration(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::key;

    #[test]
    fn numbers_have_thousands_separators() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn durations_are_rounded_sensibly() {
        let durations = [400, 4_000, 9_960, 31_400, 119_600, 252_000, 3_780_000].map(|millis| duration(Duration::from_millis(millis)));
        assert_eq!(durations, ["0.4 s", "4 s", "10 s", "31 s", "2 min 0 s", "4 min 12 s", "1 h 3 min"]);
    }

    #[test]
    fn a_name_cannot_draw_on_the_terminal() {
        assert_eq!(named(&key("clients/Web\u{1b}[2J\u{202e}")), "client \"Web\\u{1b}[2J\\u{202e}\"");
    }

    #[test]
    fn a_singleton_has_no_name() {
        assert_eq!(named(&key("tenant-settings")), "tenant settings");
    }
}
