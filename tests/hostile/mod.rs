//! Answers and files that somebody hostile made: each ends a run within a limit, says which, and reaches no terminal as it is.

mod altered;
mod answers;
mod files;
mod server;
mod small;
mod terminal;
mod time;
