//! Undo: the plan that takes a run back, from the run and the live target.
//!
//! The desired state is the target as it was before the run: what the run wrote is reverted if it is still there, and what changed
//! since is left and listed. Everything else is planned as usual, so an undo has no requests of its own and can be undone itself.
//!
//! What is left is listed by field. A resource is listed as a whole if nothing of it is reverted, or if the run created it.

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
