//! The files that tell of a run, in its folder.

use std::cell::OnceCell;

use super::csv::csv;
use super::html::html;
use super::json::summary_json;
use super::markdown::markdown;
use super::page::{Page, page};
use super::printed::json_text;
use super::summary::EndedRun;

/// What the files are rendered from.
struct Report<'run> {
    run: EndedRun<'run>,
    /// The code the command ends with.
    exit: u8,
    page: OnceCell<Page>,
}

impl Report<'_> {
    /// Returns the page of the run, which is built for the first format that shows it.
    fn page(&self) -> &Page {
        self.page.get_or_init(|| page(&self.run))
    }
}

/// A report as text.
type Format = fn(&Report<'_>) -> String;

/// Every format, by file name.
const FORMATS: [(&str, Format); 4] = [
    ("report.json", |report| json_text(&summary_json(&report.run, report.exit))),
    ("report.csv", |report| csv(&report.run)),
    ("report.md", |report| markdown(report.page())),
    ("report.html", |report| html(report.page())),
];

/// Returns the report of a run in every format, by file name, one after the other; `exit` is the code the command ends with.
pub fn files<'run>(run: &EndedRun<'run>, exit: u8) -> impl Iterator<Item = (&'static str, String)> + use<'run> {
    let report = Report { run: *run, exit, page: OnceCell::new() };
    FORMATS.iter().map(move |(name, content)| (*name, content(&report)))
}
