//! What the command line says about itself: examples, completions and man pages.

mod completion;
mod examples;

pub(super) use completion::{SHELLS, complete, registration, with_completers};
pub(super) use examples::with_examples;
