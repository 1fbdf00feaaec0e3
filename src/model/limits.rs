//! How much one plan may change.

/// The shares of what a target has that one plan may change, where they are set: 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ChangeLimits {
    /// Of all its resources.
    pub of_all: Option<f64>,
    /// Of its resources of one kind.
    pub of_a_kind: Option<f64>,
}
