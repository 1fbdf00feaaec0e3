//! How much room a text has, and how much of it a reader wants.

/// Columns where nobody sees a terminal: in a pipe, a file or a log.
const WITHOUT_TERMINAL: usize = 100;
/// The narrowest text that is still laid out in columns, and the widest that is easy to read.
const NARROWEST: usize = 60;
const WIDEST: usize = 160;

/// How a text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Columns of a line.
    pub(super) columns: usize,
    /// Whether everything is shown in full.
    pub(super) is_verbose: bool,
}

impl Layout {
    /// Returns the layout for a terminal of so many columns, or for no terminal.
    #[must_use]
    pub(crate) fn new(columns: Option<usize>, is_verbose: bool) -> Self {
        Self { columns: columns.map_or(WITHOUT_TERMINAL, |columns| columns.clamp(NARROWEST, WIDEST)), is_verbose }
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self::new(None, false)
    }
}
