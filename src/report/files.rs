//! Renders the report files of a run.

use std::cell::OnceCell;

use super::csv::csv;
use super::document::Document;
use super::json::summary_json;
use super::printed::json_text;
use super::run_document::next_step;
use super::run_report::RunReport;

/// The inputs of the report files.
struct Report<'run> {
    run: RunReport<'run>,
    /// The exit code of the command.
    exit: u8,
    document: OnceCell<Document<'run>>,
}

impl<'run> Report<'run> {
    /// Returns the document of the run, built on first use.
    fn document(&self) -> &Document<'run> {
        self.document.get_or_init(|| Document::of_run(&self.run, next_step(&self.run)))
    }
}

/// Renders a report.
type Format = fn(&Report<'_>) -> String;

/// Every format, by file name.
const FORMATS: [(&str, Format); 4] = [
    ("report.json", |report| json_text(&summary_json(&report.run, report.exit))),
    ("report.csv", |report| csv(&report.run)),
    ("report.md", |report| report.document().to_markdown()),
    ("report.html", |report| report.document().to_html()),
];

/// Renders the report of a run in every format, by file name and one after the other; `exit` is the exit code of the
/// command.
pub(crate) fn files<'run>(run: &RunReport<'run>, exit: u8) -> impl Iterator<Item = (&'static str, String)> + use<'run> {
    let report = Report { run: *run, exit, document: OnceCell::new() };
    FORMATS.iter().map(move |(name, content)| (*name, content(&report)))
}
