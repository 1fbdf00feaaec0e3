//! The integration tests: one binary, with a folder for each area.

mod architecture_page;
mod catalog;
mod commands;
mod recordings;
mod recovery;
mod safety;
mod structure;
mod support;
