//! Shows long output at a terminal in the user's pager.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::report::printed;

/// The pager if `PAGER` is not set.
const USUAL: &str = "less";
/// Options for `less` if `LESS` is not set: exit at once for a short text, keep colours, leave the text on the screen.
const LESS: &str = "FRX";

/// Shows a text in the user's pager if it is longer than the terminal. Returns whether it did.
pub(super) fn page(text: &str) -> bool {
    let Some((_, rows)) = terminal_size::terminal_size_of(std::io::stdout()) else { return false };
    if !std::io::stdin().is_terminal() || text.lines().count() < usize::from(rows.0) {
        return false;
    }
    let named = std::env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty());
    let pager = named.as_deref().unwrap_or(USUAL);
    let mut words = pager.split_whitespace();
    let Some(program) = words.next().filter(|program| *program != "cat") else { return false };
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", LESS);
    } else if Path::new(program).file_name().is_some_and(|name| name == USUAL) {
        // Without this option, less shows colours as the characters that set them.
        command.arg("-R");
    }
    // Without a pager the text is printed directly.
    let Ok(mut pager) = command.spawn() else { return false };
    if let Some(mut input) = pager.stdin.take() {
        // A user who quits before the end has seen enough.
        let _ = input.write_all(coloured(text).as_bytes());
    }
    let _ = pager.wait();
    true
}

/// Returns a text as this terminal shows it: with colours, unless they are disabled.
fn coloured(text: &str) -> String {
    let printed = printed(text);
    match anstream::AutoStream::choice(&std::io::stdout()) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(&printed).to_string(),
        _ => printed.into_owned(),
    }
}
