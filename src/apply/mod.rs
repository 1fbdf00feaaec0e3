//! Making it so: a plan, a target, and a journal that knows what happened.
//!
//! ```text
//! executor.rs      stages, in batches: intents durable, requests sent, outcomes recorded
//! requests.rs      one change -> the requests it takes
//! look_up.rs       which resource a create made whose answer was lost
//! other_writer.rs  what somebody else made since the plan was
//! piecemeal.rs     a change that is refused -> as much of it as the target takes
//! draft.rs         what is sent of a change from which parts are left away
//! mentions.rs      what the words of a refusal name
//! overlay.rs       the target's own value under ours
//! altered.rs       what the target made of what it took
//! journal.rs       the append-only record
//! new_secrets.rs   secrets that the target makes, and who keeps them
//! staleness.rs     what moved since it was planned
//! summary.rs       how it ended
//! state_update.rs  links, base and fingerprints: what a run leaves for the next
//! agreement.rs     what both sides agree on, before a run and after
//! ```

mod agreement;
mod altered;
mod draft;
mod executor;
pub mod journal;
mod look_up;
mod mentions;
mod new_secrets;
mod other_writer;
mod overlay;
mod piecemeal;
mod requests;
mod staleness;
pub mod state_update;
mod summary;

pub use altered::{AlteredValue, alterations};
pub use executor::{Error, Run, close};
pub use journal::Journal;
pub use new_secrets::{GeneratedSecret, NewSecret, SecretDisposition, SecretSink};
pub use staleness::{StaleChanges, record_before};
pub use state_update::SyncState;
pub use summary::{ChangeResult, SentSecret, Summary, Tally};
