//! The integration tests: one binary, a file a subject.

mod demo;
mod house;
mod recorded;
