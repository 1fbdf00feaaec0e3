//! The report files of a run.

use std::cell::OnceCell;

use super::csv::csv;
use super::document::Document;
use super::json::summary_json;
use super::printed::json_text;
use super::run_document::next_step;
use super::run_report::RunReport;

/// What the files are rendered from.
struct Report<'run> {
    run: RunReport<'run>,
    /// The code the command ends with.
    exit: u8,
    document: OnceCell<Document<'run>>,
}

impl<'run> Report<'run> {
    /// Returns the document of the run, which is built for the first format that shows it.
    fn document(&self) -> &Document<'run> {
        self.document.get_or_init(|| Document::of_run(&self.run, next_step(&self.run)))
    }
}

/// A report as text.
type Format = fn(&Report<'_>) -> String;

/// Every format, by file name.
const FORMATS: [(&str, Format); 4] = [
    ("report.json", |report| json_text(&summary_json(&report.run, report.exit))),
    ("report.csv", |report| csv(&report.run)),
    ("report.md", |report| report.document().to_markdown()),
    ("report.html", |report| report.document().to_html()),
];

/// Returns the report of a run in every format, by file name, one after the other; `exit` is the code the command ends with.
pub(crate) fn files<'run>(run: &RunReport<'run>, exit: u8) -> impl Iterator<Item = (&'static str, String)> + use<'run> {
    let report = Report { run: *run, exit, document: OnceCell::new() };
    FORMATS.iter().map(move |(name, content)| (*name, content(&report)))
}
