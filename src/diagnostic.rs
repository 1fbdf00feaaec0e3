//! Diagnostics: an error at a position in a file, shown with its line and a caret below it.
//!
//! Only that line is stored, and anything in it that looks like a secret is masked, so that a diagnostic can be printed
//! anywhere.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// An error at a position in a file.
///
/// It displays the message in the first line, followed by the file, the line and a caret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    what: String,
    path: PathBuf,
    line: usize,
    shown: String,
    at: Range<usize>,
    label: String,
}

/// The text of a file, to refer to positions in it.
#[derive(Debug, Clone, Copy)]
pub struct Text<'text> {
    /// The path of the file.
    pub path: &'text Path,
    /// The text.
    pub text: &'text str,
}

/// A line of a file, for errors that show up only after the file was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLine {
    path: PathBuf,
    line: usize,
}

impl fmt::Display for FileLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.path.display(), self.line)
    }
}

impl Text<'_> {
    /// Returns the line that a position is in.
    pub fn line_of(&self, at: usize) -> FileLine {
        let before = &self.text[..self.letter_at(at)];
        FileLine { path: self.path.to_owned(), line: before.matches('\n').count() + 1 }
    }

    /// Creates a diagnostic for a position in the file; the label is shown beside the caret.
    pub fn wrong(&self, at: Range<usize>, what: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        let start = self.letter_at(at.start);
        let begins = self.text[..start].rfind('\n').map_or(0, |end| end + 1);
        let line = self.text[begins..].split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let within = |place: usize| (place.max(begins) - begins).min(line.len());
        let ends = (at.end..=self.text.len()).find(|end| self.text.is_char_boundary(*end)).unwrap_or(at.end);
        Diagnostic {
            what: what.into(),
            path: self.path.to_owned(),
            line: self.text[..begins].matches('\n').count() + 1,
            shown: if goes_on_with_a_secret(&self.text[..begins]) { "*".repeat(line.len()) } else { cover_secrets(line) },
            at: within(start)..within(ends),
            label: label.into(),
        }
    }

    /// Creates a diagnostic for a text that is not the expected JSON.
    pub fn not_json(&self, what: impl Into<String>, error: &serde_json::Error) -> Diagnostic {
        let before: usize = self.text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        // The parser counts columns up to the offending character, and reports 0 at the beginning of a line.
        let at = self.letter_at(before + error.column().saturating_sub(1));
        let text = error.to_string();
        let label = text.rfind(" at line ").map_or(text.as_str(), |place| &text[..place]);
        self.wrong(at..at + 1, what, label)
    }

    /// Returns the start of the character that a byte belongs to.
    fn letter_at(&self, byte: usize) -> usize {
        (0..=byte.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = AnnotationKind::Primary.span(self.at.clone()).label(self.label.as_str());
        let place = Snippet::source(self.shown.as_str()).line_start(self.line).path(self.path.to_string_lossy()).annotation(mark);
        let report = [Level::ERROR.no_name().primary_title(self.what.as_str()).element(place)];
        out.write_str(&Renderer::plain().render(&report))
    }
}

impl std::error::Error for Diagnostic {}

/// Returns whether a name is that of a secret.
pub fn is_secret(name: &str) -> bool {
    secret_word(name).is_some()
}

fn secret_word(text: &str) -> Option<usize> {
    let text = text.to_ascii_lowercase();
    ["secret", "password", "token", "signing_key", "private_key", "api_key", "apikey", "authorization", "connection_string"]
        .iter()
        .filter_map(|word| text.find(word).map(|at| at + word.len()))
        .min()
}

/// Returns whether a text ends inside a multi-line value, a string or a list, that follows the name of a secret.
fn goes_on_with_a_secret(before: &str) -> bool {
    let is_behind_one = |at: usize| before[..at].rsplit('\n').next().is_some_and(is_secret);
    let (mut at, mut lists) = (0, Vec::new());
    while let Some(sign) = before[at..].chars().next() {
        let rest = &before[at..];
        if let Some(quotes) = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| rest.starts_with(quotes)) {
            let Some(length) = quoted_length(rest, quotes) else { return is_behind_one(at) || lists.contains(&true) };
            at += length;
            continue;
        }
        match sign {
            '[' => lists.push(is_behind_one(at)),
            ']' => drop(lists.pop()),
            _ => {}
        }
        at += if sign == '#' { rest.find('\n').unwrap_or(rest.len()) } else { sign.len_utf8() };
    }
    lists.contains(&true)
}

/// Returns the length of the quoted text at the beginning, including the quotes; `None` if it does not end.
///
/// A text in single-line quotes ends with its line.
fn quoted_length(text: &str, quotes: &str) -> Option<usize> {
    let mut at = quotes.len();
    loop {
        let rest = &text[at..];
        if rest.starts_with(quotes) {
            return Some(at + quotes.len());
        }
        at += match rest.chars().next()? {
            '\n' if quotes.len() == 1 => return Some(at),
            '\\' if quotes.starts_with('"') => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            sign => sign.len_utf8(),
        };
    }
}

/// Masks the values after names of secrets and the passwords of URLs, byte by byte, so that positions in the line do not
/// change.
fn cover_secrets(line: &str) -> String {
    let line = &cover_passwords(line);
    let Some(name_ends) = secret_word(line) else { return line.to_owned() };
    let (name, value) = line.split_at(name_ends + line[name_ends..].find(['=', ' ', '"']).unwrap_or(0));
    let cover = |sign: char| if sign == '=' || sign == ' ' { sign.to_string() } else { "*".repeat(sign.len_utf8()) };
    name.to_owned() + &value.chars().map(cover).collect::<String>()
}

/// Masks what precedes an `@` in every URL.
fn cover_passwords(line: &str) -> String {
    let mut parts = line.split("://");
    let begin = parts.next().unwrap_or_default().to_owned();
    parts.fold(begin, |shown, part| {
        // A password may contain a slash, though it should not.
        let url = part.find(['"', '\'', ' ']).map_or(part, |ends| &part[..ends]);
        let hidden = url.rfind('@').unwrap_or(0);
        shown + "://" + &"*".repeat(hidden) + &part[hidden..]
    })
}

/// Returns the known word most similar to a misspelt one, if any is similar.
pub fn nearest<'known>(word: &str, known: impl IntoIterator<Item = &'known str>) -> Option<&'known str> {
    let distance = |known: &str| strsim::damerau_levenshtein(&known.to_lowercase(), &word.to_lowercase());
    let (distance, nearest) = known.into_iter().map(|known| (distance(known), known)).min()?;
    (distance <= word.chars().count().max(4) / 3 + 1).then_some(nearest)
}

/// Returns a label for a misspelt word: the most similar known word, or all known words.
pub fn did_you_mean(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(nearest) => format!("did you mean \"{nearest}\"?"),
        None => format!("expected one of {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_shown_with_a_caret_under_the_text() {
        let text = Text { path: Path::new("a.toml"), text: "one = 1\r\ntwö = 2\r\n" };
        insta::assert_snapshot!(text.wrong(16..17, "two is too many", "one is enough"), @r"
        two is too many
         --> a.toml:2:7
          |
        2 | twö = 2
          |       ^ one is enough
        ");
    }

    #[test]
    fn a_position_at_the_end_of_the_file_is_shown_too() {
        let text = Text { path: Path::new("a.toml"), text: "one =" };
        insta::assert_snapshot!(text.wrong(5..5, "nothing there", "a value was expected"), @r"
        nothing there
         --> a.toml:1:6
          |
        1 | one =
          |      ^ a value was expected
        ");
    }

    #[test]
    fn a_multi_byte_character_is_underlined_as_a_whole() {
        let text = Text { path: Path::new("plan.json"), text: "{\n  ⟧ 1}" };
        let error = serde_json::from_str::<serde_json::Value>(text.text).expect_err("no JSON");
        insta::assert_snapshot!(text.not_json("this is not a plan", &error), @"
        this is not a plan
         --> plan.json:2:3
          |
        2 |   ⟧ 1}
          |   ^ key must be a string
        ");
        insta::assert_snapshot!(text.wrong(5..6, "inside a letter", "shown whole"), @"
        inside a letter
         --> plan.json:2:3
          |
        2 |   ⟧ 1}
          |   ^ shown whole
        ");
    }

    #[test]
    fn the_last_multi_byte_character_of_a_file_is_underlined_as_a_whole() {
        let wrong = Text { path: Path::new("plan.json"), text: "{⟧" }.wrong(1..2, "no plan", "here");
        assert_eq!((wrong.at.clone(), wrong.to_string().lines().count()), (1..4, 5));
    }

    #[test]
    fn a_value_after_a_secret_name_is_masked() {
        assert_eq!(cover_secrets("client_secret = \"hush\" # note"), "client_secret = ****** * ****");
        assert_eq!(cover_secrets("dev = { CLIENT_SECRET=\"hush\" }"), "dev = { CLIENT_SECRET=****** *");
        assert_eq!(cover_secrets("client_secret \"hüsh\""), "client_secret *******");
        assert_eq!(cover_secrets("domain = \"acme\""), "domain = \"acme\"");
        assert_eq!(cover_secrets("a = \"http://me:hü/sh@b:1\" # http://x"), "a = \"http://*********@b:1\" # http://x");
    }

    #[test]
    fn a_multi_line_secret_is_masked_in_every_line() {
        let text = "client_secret = \"\"\"\nhush \\q\n\"\"\"\nname = \"\"\"\nseen \\q\n";
        let shown = |line: &str| Text { path: Path::new("a.toml"), text }.wrong(text.find(line).expect("there")..0, "", "").shown;
        assert_eq!(shown("hush"), "*******");
        assert_eq!(shown("seen"), "seen \\q");
    }

    #[test]
    fn quotes_in_comments_or_inside_other_quotes_unmask_nothing() {
        for other in ["# \"\"\"", "a = 'x\"\"\"y'", "a = \"'''\"", "a = \"\\\"\"", "# don't", "b = [1, 2] # ["] {
            let text = format!("{other}\nclient_secret = \"\"\"\nhush ''' # \n\"\"\"\nseen\n");
            let shown =
                |line: &str| Text { path: Path::new("a.toml"), text: &text }.wrong(text.find(line).expect("there")..0, "", "").shown;
            assert_eq!((shown("hush").as_str(), shown("seen").as_str()), ("***********", "seen"), "{other}");
        }
    }

    #[test]
    fn a_secret_in_a_multi_line_list_is_masked_in_every_line() {
        let text = "client_secret = [\n  \"hush\", [\n],\n  \"hüsh\n]\nnames = [\n  seen\n";
        let shown = |line: &str| Text { path: Path::new("a.toml"), text }.wrong(text.find(line).expect("there")..0, "", "").shown;
        assert_eq!((shown("hush").as_str(), shown("hüsh").as_str(), shown("seen").as_str()), ("***********", "********", "  seen"));
    }

    #[test]
    fn a_dissimilar_word_is_reported_with_all_known_ones() {
        assert_eq!(did_you_mean("domian", &["domain", "url"]), "did you mean \"domain\"?");
        assert_eq!(did_you_mean("colour", &["domain", "url"]), "expected one of domain, url");
    }
}
