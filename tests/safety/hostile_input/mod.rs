//! Answers and files that somebody hostile made: each ends a run within a limit, says which, and reaches no terminal as it is.

mod altered_answers;
mod endless_answers;
mod environment;
mod files;
mod server;
mod slow_tenant;
mod terminal_escapes;
