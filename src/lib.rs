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
//! body, disk, wrong              JSON and paths into it; files written whole; a wrong place in a file
//! catalog, resource, event       what Auth0 has; one object of it; what happened
//! snapshot, links                everything at one moment; which source id is which target id
//! base, fingerprints             what was last applied; which secrets were sent
//! tenant, export                 talking to one tenant; tenant -> snapshot
//! mapping, plan, apply           how values change; what would change; making it so
//! report, cli                    telling the person; the command line
//! sandbox                        a tenant on loopback
//! ```

pub mod apply;
pub mod base;
pub mod body;
pub mod catalog;
pub mod cli;
pub mod disk;
pub mod event;
pub mod export;
pub mod fingerprints;
pub mod links;
pub mod mapping;
pub mod pair;
pub mod plan;
pub mod report;
pub mod resource;
pub mod sandbox;
pub mod snapshot;
pub mod source_ids;
pub mod tenant;
pub mod wrong;
