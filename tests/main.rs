//! The integration tests: one binary, a file a subject.

mod cuts;
mod demo;
mod flows;
mod house;
mod recorded;
mod refusals;
