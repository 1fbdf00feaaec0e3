//! A run and what the target holds since -> the plan that takes the run back.
//!
//! The target as it was before the run is what is desired: what the run wrote goes back where it still stands, what changed again since is
//! left and named. The rest is planned as ever, so an undo knows no request of its own and can be undone like any other run.
//!
//! What is left is named field by field. A resource is named as a whole where the whole is meant: nothing of it is taken back, or nothing of
//! it was there before the run.

mod applied_run;
mod recreated;
mod restore;
mod reversal;
#[cfg(test)]
mod tests;

pub use applied_run::AppliedRun;
pub use recreated::Recreated;
pub use reversal::undo;
