//! The layout of a text: its width, and whether it is shown in full.

/// The width without a terminal: in a pipe, a file or a log.
const WITHOUT_TERMINAL: usize = 100;
/// The minimum and maximum width: below, columns do not fit; above, lines are hard to read.
const NARROWEST: usize = 60;
const WIDEST: usize = 160;

/// The layout of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The width of a line in columns.
    pub(super) columns: usize,
    /// Whether everything is shown in full.
    pub(super) is_verbose: bool,
}

impl Layout {
    /// Returns the layout for a terminal of this width, or for no terminal.
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
