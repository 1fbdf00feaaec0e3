//! One file a verb.

pub(super) mod api;
pub(super) mod check;
pub(super) mod demo;
pub(super) mod export;
pub(super) mod get;
pub(super) mod import;
pub(super) mod kinds;
mod one;
pub(super) mod plan;
pub(super) mod sandbox;
pub(super) mod update;
