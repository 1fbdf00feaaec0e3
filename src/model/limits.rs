//! Limits on how much of a target one plan may change.

/// The largest shares of a target that one plan may change, from 0 to 1; `None` if not configured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ChangeLimits {
    /// The share of all its resources.
    pub of_all: Option<f64>,
    /// The share of its resources of one kind.
    pub of_a_kind: Option<f64>,
}
