//! The few colours there are, each for one meaning.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// What is added, or went well.
pub(super) const ADDED: Style = AnsiColor::Green.on_default();
/// What is removed, or went wrong.
pub(super) const REMOVED: Style = AnsiColor::Red.on_default();
/// What changes.
pub(super) const CHANGED: Style = AnsiColor::Yellow.on_default();
/// What has little weight.
pub(super) const QUIET: Style = Style::new().dimmed();
/// What heads a section.
pub(super) const TITLE: Style = Style::new().bold();

/// Returns a text in a style.
pub(super) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Returns a text without its styles.
#[cfg(test)]
pub(super) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
