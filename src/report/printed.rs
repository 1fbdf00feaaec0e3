//! Filters text before it reaches a terminal.
//!
//! A name can contain anything: escape sequences that draw over other text, characters that reverse the writing
//! direction, line breaks that make the rest look like output of the program. [`printable`] makes all of them visible
//! when a name is inserted into a text. [`printed`] filters every text before it is written: only line breaks, tabs and
//! this program's own colours pass.

use std::borrow::Cow;

use serde_json::Value;

/// Returns whether a character is invisible but has an effect: it controls the terminal, reverses the direction, breaks
/// lines or hides text.
fn is_hidden(sign: char) -> bool {
    let is_invisible = matches!(
        sign,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    );
    is_invisible || (sign.is_control() && sign != '\t')
}

/// Returns whether a text has no character that [`printable`] would make visible.
pub(super) fn is_shown_as_it_is(text: &str) -> bool {
    !text.contains(is_hidden)
}

/// Makes control characters and those that reverse the writing direction visible.
pub fn printable(text: &str) -> Cow<'_, str> {
    shown(text, &|_| false)
}

/// Makes everything visible that affects a terminal, except line breaks, tabs and this program's colours.
pub fn printed(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return shown(text, &|sign| sign == '\n');
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        let colour = colour(&rest[at..]).max(1);
        out += &shown(&rest[..at], &|sign| sign == '\n');
        out += &shown(&rest[at..at + colour], &|_| colour > 1);
        rest = &rest[at + colour..];
    }
    out += &shown(rest, &|sign| sign == '\n');
    Cow::Owned(out)
}

/// Returns the length of a colour sequence such as `ESC [ 1 m` at the start of a text; 0 if there is none.
fn colour(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else { return 0 };
    let end = parameters.find(|sign: char| !sign.is_ascii_digit() && sign != ';').unwrap_or(parameters.len());
    if parameters[end..].starts_with('m') { 2 + end + 1 } else { 0 }
}

fn shown<'text>(text: &'text str, passes: &dyn Fn(char) -> bool) -> Cow<'text, str> {
    let is_shown = |sign: char| is_hidden(sign) && !passes(sign);
    if !text.contains(is_shown) {
        return Cow::Borrowed(text);
    }
    let visible = |sign: char| if is_shown(sign) { sign.escape_default().to_string() } else { sign.to_string() };
    Cow::Owned(text.chars().map(visible).collect())
}

/// Formats JSON for a terminal: the same value, with escapes for characters that affect a terminal.
pub fn json_text(value: &Value) -> String {
    let text = format!("{value:#}\n");
    // Such characters occur only in strings, and JSON itself escapes ASCII control characters except DEL.
    let is_escaped = |sign: char| is_hidden(sign) && sign != '\n';
    if !text.contains(is_escaped) {
        return text;
    }
    let mut units = [0; 2];
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        if is_escaped(sign) {
            out.extend(sign.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(sign);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::report::style::{REMOVED, styled};

    #[test]
    fn only_colours_and_line_breaks_pass() {
        let own = format!("{}\n\tand more\n", styled(REMOVED, "Refused"));
        assert_eq!(printed(&own), own);
        assert_eq!(
            printed("a\u{1b}[2Jb\u{1b}]0;c\u{7}\u{9b}1m\u{202e}\r\u{1b}"),
            "a\\u{1b}[2Jb\\u{1b}]0;c\\u{7}\\u{9b}1m\\u{202e}\\r\\u{1b}"
        );
        assert_eq!(printable("a\nerror: b\u{1b}[31m\u{2028}"), "a\\nerror: b\\u{1b}[31m\\u{2028}");
    }

    #[test]
    fn letters_of_every_script_are_unchanged() {
        for text in ["Größe", "日本語", "שלום", "می\u{200c}خواهم", "👩\u{200d}👩\u{200d}👧"] {
            assert_eq!(printable(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_text_contains_a_control_character(text in "(\\PC|\\p{C}|\u{1b}\\[|[0-9;m]){0,40}") {
            prop_assert!(!printable(&text).contains(is_hidden));
            let printed = printed(&text).into_owned();
            let mut plain = String::new();
            let mut rest = printed.as_str();
            while let Some(at) = rest.find('\u{1b}') {
                let colour = colour(&rest[at..]);
                prop_assert!(colour > 0, "{printed:?}");
                plain += &rest[..at];
                rest = &rest[at + colour..];
            }
            plain += rest;
            prop_assert!(!plain.contains(|sign| is_hidden(sign) && sign != '\n'), "{printed:?}");
        }

        #[test]
        fn json_keeps_its_value_without_control_characters(text in "(\\PC|\\p{C}){0,40}") {
            let value = json!({text.as_str(): [text]});
            let shown = json_text(&value);
            prop_assert!(!shown.contains(|sign| is_hidden(sign) && sign != '\n'), "{shown:?}");
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).expect("JSON"), value);
        }
    }
}
