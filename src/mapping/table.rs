//! Parses a CSV table of literal texts with the columns `from` and `to`.

use std::collections::HashSet;
use std::ops::Range;

use super::rule::Replacement;
use crate::diagnostic::{Diagnostic, Text};

/// Parses a table. The text to look for must be non-empty and unique.
///
/// # Errors
///
/// If a row is invalid, with its position.
pub fn rows(whole: Text<'_>) -> Result<Vec<Replacement>, Box<Diagnostic>> {
    let file = super::file_name(whole.path);
    let wrong = |at: Range<usize>, what: &str, label: &str| Box::new(whole.wrong(at, what, label));
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).comment(Some(b'#')).from_reader(whole.text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut rows: Vec<Replacement> = Vec::new();
    let mut known = HashSet::new();
    let mut lines = LineCounter { text: whole.text, at: 0, line: 1 };
    let mut has_header = false;
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) if has_header => return Ok(rows),
            Ok(false) => return Err(wrong(0..0, "the table is empty", "its first line must be from,to")),
            Err(error) => {
                let at = error.position().map_or(0, csv::Position::byte);
                return Err(wrong(line_at(whole.text, at), "this is not CSV", &error.to_string()));
            }
        }
        let at = line_at(whole.text, record.position().map_or(0, csv::Position::byte));
        if !has_header {
            if record.iter().map(str::trim).ne(["from", "to"]) {
                return Err(wrong(at, "the table has other columns", "its first line must be from,to"));
            }
            has_header = true;
            continue;
        }
        let (Some(from), Some(to), 2) = (record.get(0), record.get(1), record.len()) else {
            let is_open = is_open(whole.text.get(at.start..).unwrap_or_default());
            return Err(match record.len() {
                _ if is_open => wrong(at, "a quote is never closed", "the row begins here"),
                1 => wrong(at, "a row has 1 column", "two are needed: from,to"),
                many => wrong(at, &format!("a row has {many} columns"), "two are needed: from,to; put quotes around a text with a comma"),
            });
        };
        if from.is_empty() {
            return Err(wrong(at, "a row looks for nothing", "the first column is empty"));
        }
        if !known.insert(from.to_owned()) {
            return Err(wrong(at, &format!("\"{from}\" is listed twice in the table"), "the second row"));
        }
        let row = Some(format!("{file}:{}", lines.line_of(at.start)).into());
        rows.push(Replacement { from: from.to_owned(), to: to.to_owned(), row });
    }
}

/// Counts lines up to increasing positions of a text.
struct LineCounter<'text> {
    text: &'text str,
    at: usize,
    line: usize,
}

impl LineCounter<'_> {
    fn line_of(&mut self, byte: usize) -> usize {
        self.line += self.text.get(self.at..byte).unwrap_or_default().matches('\n').count();
        self.at = byte;
        self.line
    }
}

/// Returns whether a quoted text begins here and does not end: quotes inside one are doubled, so they come in pairs.
fn is_open(rest: &str) -> bool {
    !rest.matches('"').count().is_multiple_of(2)
}

/// Returns the range of the line that contains a byte, without leading comment lines and line ends.
fn line_at(text: &str, byte: u64) -> Range<usize> {
    let byte = usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
    let mut start = byte;
    for line in text.get(byte..).unwrap_or_default().split_inclusive('\n') {
        if !line.trim().is_empty() && !line.starts_with('#') {
            return start..start + line.trim_end().len();
        }
        start += line.len();
    }
    byte..byte
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn refused(text: &str) -> String {
        rows(Text { path: Path::new("hosts.csv"), text }).expect_err("refused").to_string()
    }

    #[test]
    fn quoted_texts_and_comments_are_read_with_their_lines() {
        let text = "# hosts\nfrom,to\n\"a,b\",c\n# more\n\n\"d\ne\",f\ng,h\n";
        let rows = rows(Text { path: Path::new("tables/hosts.csv"), text }).expect("read");
        let row = |from: &str, to: &str, row: &str| Replacement { from: from.into(), to: to.into(), row: Some(row.into()) };
        assert_eq!(rows, [row("a,b", "c", "hosts.csv:3"), row("d\ne", "f", "hosts.csv:6"), row("g", "h", "hosts.csv:8")]);
    }

    #[test]
    fn a_row_of_the_wrong_width_is_shown_with_its_line() {
        insta::assert_snapshot!(refused("from,to\na,b\nc\n"), @r"
        a row has 1 column
         --> hosts.csv:3:1
          |
        3 | c
          | ^ two are needed: from,to
        ");
    }

    #[test]
    fn a_duplicate_text_is_refused() {
        insta::assert_snapshot!(refused("from,to\na,b\na,c\n"), @r#"
        "a" is listed twice in the table
         --> hosts.csv:3:1
          |
        3 | a,c
          | ^^^ the second row
        "#);
    }
}
