//! Telling the person: what is happening, what would change, what was done.
//!
//! ```text
//! progress.rs                                  draws on stderr while a run goes on, the only place here that does; progress_model.rs knows what to say
//! text.rs                                      a plan, in the future tense
//! changes.rs                                   one change of it, field by field
//! summary.rs                                   how a run ended, in the past tense
//! exported.rs                                  what an export found
//! runs.rs                                      runs that were
//! sync.rs                                      how a sync ended
//! rehearsal.rs                                 an import tried on a copy
//! follow_ups.rs                                what is left to a person
//! schedule/                                    what starts a sync every night
//! json.rs                                      the same for programs
//! files.rs                                     report.{json,csv,md,html} of a run: page.rs, csv.rs, markdown.rs, html.rs
//! wrap.rs                                      lines broken where a terminal ends
//! printed.rs                                   what may reach a terminal, of any text
//! text_diff.rs                                 two texts, line by line
//! table.rs                                     aligned columns
//! format.rs, values.rs, sections.rs, style.rs  the small pieces of all of them
//! ```
//!
//! It renders and decides nothing: no counting that a plan or a summary does itself, no exit code, no network. What a tenant answered is
//! shown with its control characters made visible, so that a name cannot draw on anybody's terminal. Texts come styled; whoever prints
//! them strips the styles where nobody sees colours.

mod changes;
mod csv;
mod exported;
mod files;
mod follow_ups;
mod format;
mod html;
mod json;
mod markdown;
mod page;
mod printed;
mod progress;
mod progress_model;
mod rehearsal;
mod runs;
#[cfg(test)]
mod sample;
mod schedule;
mod sections;
mod style;
mod summary;
mod sync;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod text_diff;
mod values;
mod wrap;

pub use exported::exported;
pub use files::files;
pub(crate) use format::count;
pub use format::named;
pub use json::{exported_json, plan_json, summary_json};
pub use printed::{json_text, printable, printed};
pub use progress::{Mode, Progress};
pub use rehearsal::{Rehearsal, rehearsal, rehearsal_json};
pub use runs::{Listed, RunStatus, runs, runs_json, shown, shown_json};
pub use schedule::{Nightly, Scheduler, Unit, VOLUME, shell_word, units};
pub use summary::{Effort, EndedRun, state, summary};
pub use sync::{Resumed, SyncReport, chat};
pub use table::Table;
pub use text::{acknowledged, drift, plan};
pub use wrap::fitted;
