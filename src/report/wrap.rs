//! Wraps lines between words to the width of a terminal, with continuation lines indented to the text.
//!
//! Commands, which people copy, and text in columns, which must stay aligned, are not wrapped.

use textwrap::core::{Word, display_width};
use textwrap::{Options, WordSeparator, WordSplitter};

/// The labels of lines; a wrapped line continues after the label.
const TITLES: [&str; 5] = ["error: ", "cause: ", "hint:  ", "note: ", "$ "];
/// The start of every command of this program.
const COMMAND: &str = "migrate ";
/// The separator before a command at the end of a line.
const BEFORE_COMMAND: &str = ":  ";

/// Wraps the lines of a styled text to this width; unchanged if the width is not known.
pub(crate) fn fitted(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns.filter(|columns| *columns > 0) else { return text.to_owned() };
    text.split_inclusive('\n').map(|line| fitted_line(line, columns)).collect()
}

fn fitted_line(line: &str, columns: usize) -> String {
    let text = line.trim_end_matches('\n');
    let (lead, text) = text.split_at(lead(text));
    if display_width(lead) + display_width(text) <= columns || is_command(lead, text) || is_in_columns(text) {
        return line.to_owned();
    }
    // Below an indented line, two more blanks distinguish its continuation from the next line.
    let is_blank = lead.trim().is_empty();
    let indentation = if is_blank && !lead.is_empty() { lead.len() + 2 } else { lead.len() };
    let indentation = " ".repeat(indentation);
    let options = Options::new(columns)
        .initial_indent(lead)
        .subsequent_indent(&indentation)
        .break_words(false)
        .word_separator(WordSeparator::Custom(words))
        .word_splitter(WordSplitter::NoHyphenation);
    let end = if line.ends_with('\n') { "\n" } else { "" };
    textwrap::fill(text, options) + end
}

/// Returns the length of the prefix of a line: blanks, and a label or the number of a step.
fn lead(line: &str) -> usize {
    let text = line.trim_start_matches(' ');
    let digits = text.len() - text.trim_start_matches(|sign: char| sign.is_ascii_digit()).len();
    let number = if digits > 0 && text[digits..].starts_with(". ") { digits + 2 } else { 0 };
    let title = TITLES.iter().find(|title| text.starts_with(**title)).map_or(0, |title| title.len());
    line.len() - text.len() + number.max(title)
}

fn is_command(lead: &str, text: &str) -> bool {
    ["", "$"].contains(&lead.trim()) && text.starts_with(COMMAND)
}

/// Returns whether a text has gaps between columns, ignoring the gap before a command.
fn is_in_columns(text: &str) -> bool {
    text.match_indices("  ").any(|(at, _)| !text[..at].ends_with(':'))
}

/// Returns the parts of a line between which it may be wrapped; a command in backticks or at the end of the line is one
/// part.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut at = 0;
    Box::new(std::iter::from_fn(move || {
        let (before, rest) = line.split_at(at);
        let is_command = before.ends_with(BEFORE_COMMAND) && rest.starts_with(COMMAND);
        let word = if is_command { rest } else { &rest[..word(rest)] };
        at += word.len();
        (!word.is_empty()).then(|| Word::from(word))
    }))
}

/// Returns the length of the first word of a line with the blanks after it; text in backticks is part of one word.
fn word(line: &str) -> usize {
    let blank = line.find(' ').unwrap_or(line.len());
    let closes = |opens: usize| Some(opens + 1 + line[opens + 1..].find('`')?);
    let quoted = line.find('`').filter(|opens| *opens < blank).and_then(closes);
    let ends = quoted.map_or(blank, |closes| line[closes..].find(' ').map_or(line.len(), |blank| closes + blank));
    line.len() - line[ends..].trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::style::{TITLE, styled};

    fn on_forty(text: &str) -> String {
        fitted(text, Some(40))
    }

    #[test]
    fn a_long_line_continues_below_its_own_text() {
        insta::assert_snapshot!(on_forty("error: nothing was done: no such tenant is configured\n"), @"
        error: nothing was done: no such tenant
               is configured
        ");
        insta::assert_snapshot!(on_forty("  12. client \"Web\": its secret cannot be copied from here\n"), @r#"
        12. client "Web": its secret cannot be
            copied from here
        "#);
        insta::assert_snapshot!(on_forty("  client \"Web\": both tenants changed its description\n"), @r#"
        client "Web": both tenants changed its
          description
        "#);
    }

    #[test]
    fn a_command_is_not_wrapped() {
        let command = "migrate import --tenant prod --from dev --allow lockout-risk\n";
        assert_eq!(on_forty(command), command);
        assert_eq!(on_forty(&format!("$ {command}")), format!("$ {command}"));
        insta::assert_snapshot!(on_forty(&format!("hint:  resume it first:  {command}")), @"
        hint:  resume it first:
               migrate import --tenant prod --from dev --allow lockout-risk
        ");
        insta::assert_snapshot!(on_forty("hint:  correct it, then `migrate import --tenant prod --resume` goes on"), @"
        hint:  correct it, then
               `migrate import --tenant prod --resume`
               goes on
        ");
    }

    #[test]
    fn the_program_name_in_a_sentence_is_not_a_command() {
        insta::assert_snapshot!(on_forty("hint:  that is what migrate itself signs in with there"), @"
        hint:  that is what migrate itself signs
               in with there
        ");
    }

    #[test]
    fn columns_stay_aligned() {
        let row = "clients       applications       collection  name\n";
        assert_eq!(on_forty(row), row);
    }

    #[test]
    fn colours_have_no_width_and_long_words_are_not_broken() {
        let title = format!("{}\n", styled(TITLE, "a title that has just forty letters in it"));
        assert_eq!(fitted(&title, Some(41)), title);
        insta::assert_snapshot!(on_forty("hint:  see https://example.com/a/very/long/path/to/somewhere there"), @"
        hint:  see
               https://example.com/a/very/long/path/to/somewhere
               there
        ");
    }

    #[test]
    fn without_a_terminal_nothing_is_wrapped() {
        let text = "hint:  ".to_owned() + &"word ".repeat(100);
        assert_eq!(fitted(&text, None), text);
    }
}
