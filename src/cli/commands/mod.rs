//! The commands, one file each.

pub(super) mod api;
pub(super) mod approve;
pub(super) mod demo;
pub(super) mod diff;
pub(super) mod drift;
pub(super) mod explain;
pub(super) mod export;
pub(super) mod get;
pub(super) mod import;
pub(super) mod kinds;
pub(super) mod link;
pub(super) mod map;
mod one;
pub(super) mod plan;
pub(super) mod restore;
pub(super) mod runs;
pub(super) mod sandbox;
pub(super) mod schedule;
pub(super) mod schema;
pub(super) mod scopes;
pub(super) mod show;
pub(super) mod snapshots;
pub(super) mod sync;
pub(super) mod undo;
pub(super) mod update;
pub(super) mod validate;
