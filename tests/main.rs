//! The integration tests: one binary, with a folder for each area.

mod architecture_page;
mod catalog;
mod commands;
mod documentation;
mod recordings;
mod recovery;
mod safety;
mod structure;
mod support;
