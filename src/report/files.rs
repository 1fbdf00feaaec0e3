//! The files that tell of a run, in its folder.

use super::csv::csv;
use super::html::html;
use super::json::summary_json;
use super::markdown::markdown;
use super::page::page;
use super::summary::Run;

/// Returns the report of a run in every format, by file name; `exit` is the code the command ends with.
pub fn files(run: &Run<'_>, exit: u8) -> [(&'static str, String); 4] {
    let page = page(run);
    let mut json = serde_json::to_string_pretty(&summary_json(run, exit)).expect("a report is JSON");
    json.push('\n');
    [("report.json", json), ("report.csv", csv(run)), ("report.md", markdown(&page)), ("report.html", html(&page))]
}
