//! Copies the settings of one Auth0 tenant into another, safely.
//!
//! ```text
//!             ┌──────────── the same code both times ────────────┐
//! source ──▶ export ──▶ Snapshot ──▶ mapping ──▶ desired ─┐
//! target ──▶ export ──▶ Snapshot ─────────────▶ live ─────┼▶ plan ──▶ Plan ──▶ apply ──▶ journal ──▶ report
//!                         portable: ids are keys,         │             │
//!                         secrets never enter             ┘          plan.json   journal.jsonl   (one run folder)
//! ```
//!
//! - A snapshot is portable: every id that means something only in its own tenant is a key, secrets are never in it, and source and
//!   target are exported by the same function, so that a diff compares like with like.
//! - Planning is pure: no network, clock or disk. A dry run stops after the plan.
//! - The intent of every write is durable before the request leaves, and its outcome follows; a run cut between the two is in doubt,
//!   and resuming looks at the target before it sends anything again.
//! - Everything that is special to Auth0 is an entry in the [`catalog`].
//!
//! ```text
//! json, files, diagnostic    JSON and paths into it; files written whole; the place of a mistake in a file
//! catalog, model             what Auth0 has; one resource of it, and what happens to it
//! snapshot, state            everything a tenant held at one moment; what is remembered between runs
//! management_api, export     talking to one tenant; tenant -> snapshot
//! mapping, plan, apply       how values change; what would change; executing the plan
//! config                     migrate.toml, .env and credentials
//! sandbox                    a tenant on loopback
//! workflow                   the use cases, without a terminal: what a program calls
//! report, cli                values in, text out; the command line
//! ```

pub mod apply;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod export;
pub mod files;
pub mod json;
pub mod management_api;
pub mod mapping;
pub mod model;
pub mod plan;
pub mod report;
pub mod sandbox;
pub mod snapshot;
pub mod state;
pub mod workflow;
