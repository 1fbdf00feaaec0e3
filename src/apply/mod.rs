//! Making it so: a plan, a target, and a journal that knows what happened.
//!
//! ```text
//! run.rs        stages, in batches: intents durable, requests sent, outcomes recorded
//! send.rs       one change -> the requests it takes
//! look_up.rs    which resource a create made whose answer was lost
//! other_writer.rs what somebody else made since the plan was
//! piecemeal.rs  a change that is refused -> as much of it as the target takes
//! draft.rs      what is sent of a change from which parts are left away
//! mentions.rs   what the words of a refusal name
//! overlay.rs    the target's own value under ours
//! altered.rs    what the target made of what it took
//! journal.rs    the append-only record
//! made.rs       secrets that the target makes, and who keeps them
//! stale.rs      what moved since it was planned
//! summary.rs    how it ended
//! memory.rs     links, base and fingerprints: what a run leaves for the next
//! agreement.rs  what both sides agree on, before a run and after
//! ```

mod agreement;
mod altered;
mod draft;
pub mod journal;
mod look_up;
mod made;
pub mod memory;
mod mentions;
mod other_writer;
mod overlay;
mod piecemeal;
mod run;
mod send;
mod stale;
mod summary;

pub use altered::{Altered, alterations};
pub use journal::Journal;
pub use made::{Fate, Handed, Keeper, NewSecret};
pub use memory::Memory;
pub use run::{Error, Run, close};
pub use stale::{Moved, record_before};
pub use summary::{SentSecret, Settled, Summary, Tally};
