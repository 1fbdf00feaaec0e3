//! The integration tests: one binary, a file a subject.

mod cuts;
mod demo;
mod dry_run;
mod effort;
mod flows;
mod house;
mod kills;
mod program;
mod recorded;
mod refusals;
mod signing;
mod stage;
mod verbs;
