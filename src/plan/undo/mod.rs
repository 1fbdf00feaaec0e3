//! Undo: plans how to revert a run, from the run and the live target.
//!
//! The desired state is the target as it was before the run: values that the run wrote are reverted if they are still
//! there, and values that changed since are kept and reported. Everything else is planned as usual, so an undo has no
//! requests of its own and can be undone itself.
//!
//! Kept values are reported by field. A resource is reported as a whole if nothing of it is reverted, or if the run
//! created it.

mod applied_run;
mod reason;
mod recreated;
mod restore;
mod reversal;
#[cfg(test)]
mod tests;

pub use applied_run::AppliedRun;
pub use recreated::Recreated;
pub use reversal::undo;
