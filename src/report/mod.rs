//! Reports for people and programs: plans, progress and results.
//!
//! ```text
//! document.rs                      a report before it is rendered: sections, headings and their order
//! plan_document.rs                 builds it from a plan or drift, in the future tense
//! head.rs, review.rs               source, target, size and risk of a plan; what to review first
//! kind_changes.rs                  the changes of a plan by kind
//! run_document.rs, run_report.rs   builds it from a finished run, in the past tense
//! rehearsal.rs, exported.rs        builds it from a rehearsal, from an export
//! compared.rs                      builds it from two snapshots that were compared
//! snapshots.rs                     the stored snapshots, and those that were deleted
//! set_up.rs                        what was written for a new configuration
//! checkup.rs                       whether everything is ready for a run
//! due_steps.rs, mapping_rules.rs   manual steps due after a run; rules that accept what was refused
//! explained.rs                     what a plan does about single resources
//! shown_edit.rs                    how an edit is shown on a terminal, in Markdown and in HTML
//! text.rs                          renders it for a terminal, with plan_text.rs, field_text.rs, messages.rs and layout.rs
//! markdown.rs, markdown_diff.rs    renders it for pull requests
//! html/                            renders it as a page for a browser
//! report_file.rs                   a report in each format: for a terminal, as HTML, Markdown, CSV, JSON and JUnit
//! junit.rs, rows.rs                JUnit XML; the edits of a plan as rows of texts
//! report_subject.rs                what a report is about
//! schema.rs                        the JSON schemas of answers
//! annotations.rs                   what GitHub Actions shows beside a job
//! json.rs, csv.rs                  the same values for programs
//! probe.rs, probe_view.rs          what the front door answered before and after a run
//! ids.rs                           names and ids of what is in the target, for application teams
//! runs.rs, sync.rs                 past runs; the result of a sync
//! progress.rs, progress_model.rs   draws progress on stderr, the only file here that writes; the text that it shows
//! schedule/                        systemd, launchd and other units that start a sync every night
//! wrap.rs, printed.rs              wrapping to the width of a terminal; escaping what must not reach a terminal
//! table.rs, text_diff.rs           aligned columns; line-by-line comparison of two texts
//! certificate.rs                   certificates by their fingerprints
//! format.rs, values.rs, style.rs, shell.rs  numbers, names, values, colours and shell quoting
//! ```
//!
//! This module only renders: it counts nothing that a plan or a summary counts, chooses no exit code and uses no
//! network. Control characters from a tenant are made visible, so that a name cannot draw on a terminal. Texts are
//! styled; the caller strips the styles where colours are not shown.

mod annotations;
mod certificate;
mod checkup;
mod compared;
mod csv;
mod document;
mod due_steps;
mod explained;
mod exported;
mod field_text;
mod format;
mod head;
mod html;
mod ids;
mod json;
mod junit;
mod kind_changes;
mod layout;
mod mapping_rules;
mod markdown;
mod markdown_diff;
mod messages;
mod plan_document;
#[cfg(test)]
mod plan_sample;
mod plan_text;
#[cfg(test)]
mod plan_text_tests;
mod printed;
mod probe;
mod probe_view;
mod progress;
mod progress_model;
mod rehearsal;
mod report_file;
mod report_subject;
mod resource_list;
mod review;
mod rows;
mod run_document;
mod run_report;
mod runs;
#[cfg(test)]
mod sample;
mod schedule;
mod schema;
mod set_up;
mod shell;
mod shown_edit;
#[cfg(test)]
mod shown_edit_tests;
mod snapshots;
mod style;
mod sync;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod text_diff;
mod unfinished;
mod value_pair;
mod values;
mod verified;
mod wrap;

pub(crate) use annotations::Annotation;
pub(crate) use checkup::{checkup, checkup_json, checkup_of_tenants};
pub(crate) use explained::{explained, explained_json};
pub(crate) use exported::{ExportView, exported};
pub(crate) use field_text::edit_lines;
pub(crate) use format::count;
pub(crate) use ids::{ids, ids_csv, ids_env, ids_json};
pub(crate) use json::{ErrorFields, exported_json};
pub(crate) use json::{FORMAT, answer, to_json};
pub(crate) use layout::Layout;
pub(crate) use plan_document::{PlanView, plan};
pub use printed::{json_text, printable, printed};
pub(crate) use probe::{probed, probed_json};
pub(crate) use probe_view::ProbeView;
pub(crate) use progress::Mode;
pub(crate) use progress::Progress;
pub(crate) use rehearsal::rehearsal;
pub(crate) use rehearsal::{Rehearsal, rehearsal_json};
pub(crate) use report_file::{Report, ReportFormat, files};
pub(crate) use report_subject::ReportSubject;
pub(crate) use resource_list::ResourceList;
pub(crate) use run_document::{interrupted, resuming};
pub(crate) use run_report::state;
pub(crate) use run_report::{RunCost, RunReport};
pub(crate) use runs::{RunEntry, RunStatus, runs_json, shown_json};
pub(crate) use runs::{runs, shown};
pub(crate) use schedule::units;
pub(crate) use schedule::{CertificateFile, Nightly, Scheduler, Unit, VOLUME};
pub(crate) use schema::{answer_schema, read_schema, schemas, written_schema};
pub(crate) use set_up::{SetUpEntry, set_up, set_up_json};
pub(crate) use shell::shell_word;
pub(crate) use snapshots::{pruned, pruned_json, size, snapshots, snapshots_json, to_prune, to_prune_json};
pub(crate) use sync::chat;
pub(crate) use sync::{Resumed, SyncReport};
pub(crate) use table::Table;
pub(crate) use text::approved;
pub(crate) use unfinished::{UnfinishedRun, remaining, unfinished};
pub(crate) use verified::verified;
pub(crate) use wrap::fitted;
