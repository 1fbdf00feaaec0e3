//! The colours of the output, each with one meaning.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// Added, or successful.
pub(super) const ADDED: Style = AnsiColor::Green.on_default();
/// Removed, or failed.
pub(super) const REMOVED: Style = AnsiColor::Red.on_default();
/// Changed.
pub(super) const CHANGED: Style = AnsiColor::Yellow.on_default();
/// Of minor importance.
pub(super) const QUIET: Style = Style::new().dimmed();
/// The heading of a section.
pub(super) const TITLE: Style = Style::new().bold();

/// Returns a text in a style.
pub(super) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Returns a text without its styles.
pub(super) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
