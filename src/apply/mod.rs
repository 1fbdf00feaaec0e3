//! Executes a plan against a target and records every step in a journal.
//!
//! ```text
//! executor.rs           sends the changes in stages and batches: intents durable, requests sent, outcomes recorded
//! requests.rs           sends the requests of one change
//! read_modify_write.rs  merges values into those that the target has just before they are sent
//! lookup.rs             finds the resource of a create whose response was lost
//! concurrent_writer.rs  detects resources that another writer created since the plan was made
//! stale_changes.rs      detects changes whose resources changed since the plan was made
//! partial_apply.rs      applies as much of a refused change as the target accepts
//! partial_change.rs     a change without some of its parts
//! refused_fields.rs     finds the fields that an error message names
//! altered_values.rs     values that the target changed when it stored them
//! new_secrets.rs        secrets that the target generates, and where they are stored
//! journal.rs            the append-only record of a run
//! summary.rs            how a run ended
//! linked_ids.rs         the ids of what a run created or linked
//! state_update.rs       updates links, baseline and fingerprints after a run
//! expected_baseline.rs  the baseline before a run and the one expected after it
//! ```

mod altered_values;
mod concurrent_writer;
mod executor;
mod expected_baseline;
pub mod journal;
#[cfg(test)]
mod journal_tests;
mod linked_ids;
mod lookup;
mod new_secrets;
mod partial_apply;
mod partial_change;
mod read_modify_write;
mod refused_fields;
mod requests;
mod stale_changes;
pub mod state_update;
mod summary;

pub use altered_values::{AlteredValue, alterations};
pub use executor::{Error, PlanExecution, close};
pub use journal::Journal;
pub use linked_ids::{LinkedId, linked_ids};
pub use new_secrets::{GeneratedSecret, NewSecret, SecretDisposition, SecretSink};
pub use stale_changes::StaleChanges;
pub(crate) use stale_changes::record_before;
pub use state_update::SyncState;
pub use summary::{ChangeResult, OutcomeCounts, SentSecret, Summary};
