//! Making it so: a plan, a target, and a journal that knows what happened.

mod summary;

pub use summary::{Settled, Summary, Tally};
