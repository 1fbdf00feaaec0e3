//! The integration tests: one binary, a file a subject.

mod cuts;
mod demo;
mod flows;
mod house;
mod kills;
mod recorded;
mod refusals;
