//! The files that tell of a run, in its folder.

use super::csv::csv;
use super::html::html;
use super::json::summary_json;
use super::markdown::markdown;
use super::page::page;
use super::printed::json_text;
use super::summary::EndedRun;

/// A report of a run, and the code the command ends with, as text.
type Format = fn(&EndedRun<'_>, u8) -> String;

/// Every format, by file name.
const FORMATS: [(&str, Format); 4] = [
    ("report.json", json),
    ("report.csv", |run, _| csv(run)),
    ("report.md", |run, _| markdown(&page(run))),
    ("report.html", |run, _| html(&page(run))),
];

/// Returns the report of a run in every format, by file name, one after the other; `exit` is the code the command ends with.
pub fn files<'run>(run: &'run EndedRun<'_>, exit: u8) -> impl Iterator<Item = (&'static str, String)> + 'run {
    FORMATS.iter().map(move |(name, content)| (*name, content(run, exit)))
}

fn json(run: &EndedRun<'_>, exit: u8) -> String {
    json_text(&summary_json(run, exit))
}
