//! Reports as files: the format of each by its extension, all rendered from one document.

use std::cell::OnceCell;
use std::path::Path;

use serde_json::Value;

use super::annotations::{Annotation, annotations};
use super::compared::compared_json;
use super::csv::{csv_of_comparison, csv_of_drift, csv_of_plan, csv_of_run};
use super::document::Document;
use super::json::{drift_json, plan_json, summary_json};
use super::junit::junit;
use super::layout::Layout;
use super::printed::json_text;
use super::report_subject::ReportSubject;
use super::run_document::next_step;
use super::run_report::RunReport;

/// The format of a report file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportFormat {
    /// A page for a browser.
    Html,
    /// Markdown, for a pull request.
    Markdown,
    /// A table for a spreadsheet.
    Csv,
    /// The answer of the command with `--output json`.
    Json,
    /// JUnit XML, for the test results of a CI system.
    Junit,
}

impl ReportFormat {
    /// Every format by its extension.
    pub(crate) const BY_EXTENSION: [(&'static str, Self); 5] =
        [("html", Self::Html), ("md", Self::Markdown), ("csv", Self::Csv), ("json", Self::Json), ("xml", Self::Junit)];

    /// Returns the format of a file, by its extension.
    pub(crate) fn from_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        let found = Self::BY_EXTENSION.into_iter().find(|(known, _)| extension.eq_ignore_ascii_case(known));
        found.map(|(_, format)| format)
    }
}

/// A report, rendered from one document in each format.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    subject: ReportSubject<'a>,
    /// The exit code of the command.
    exit: u8,
    document: OnceCell<Document<'a>>,
}

impl<'a> Report<'a> {
    /// Creates a report; `exit` is the exit code of the command.
    pub(crate) fn new(subject: ReportSubject<'a>, exit: u8) -> Self {
        Self { subject, exit, document: OnceCell::new() }
    }

    /// Returns the document, built on first use.
    fn document(&self) -> &Document<'a> {
        self.document.get_or_init(|| match &self.subject {
            ReportSubject::Plan(view) => Document::of_plan(view),
            ReportSubject::Run(run) => Document::of_run(run, next_step(run)),
            ReportSubject::Drift { target, drift } => Document::of_drift(target, drift),
            ReportSubject::Comparison(plan) => Document::of_comparison(plan, std::time::SystemTime::now()),
        })
    }

    /// Renders it as styled text for a terminal.
    pub(crate) fn to_text(&self, layout: Layout) -> String {
        self.document().to_text(layout)
    }

    /// Returns it as JSON.
    pub(crate) fn to_json(&self) -> Value {
        match &self.subject {
            ReportSubject::Plan(view) => plan_json(view, self.exit),
            ReportSubject::Run(run) => summary_json(run, self.exit),
            ReportSubject::Drift { target, drift } => drift_json(target, drift, self.exit),
            ReportSubject::Comparison(plan) => compared_json(plan, self.exit),
        }
    }

    /// Renders it as Markdown.
    pub(crate) fn to_markdown(&self) -> String {
        self.document().to_markdown()
    }

    /// Renders it in a format.
    pub(crate) fn to_format(&self, format: ReportFormat) -> String {
        match format {
            ReportFormat::Html => self.document().to_html(),
            ReportFormat::Markdown => self.to_markdown(),
            ReportFormat::Json => json_text(&self.to_json()),
            ReportFormat::Csv => self.to_csv(),
            ReportFormat::Junit => junit(&self.subject, &self.document().title),
        }
    }

    fn to_csv(&self) -> String {
        match &self.subject {
            ReportSubject::Plan(view) => csv_of_plan(view.plan),
            ReportSubject::Run(run) => csv_of_run(run),
            ReportSubject::Drift { drift, .. } => csv_of_drift(drift),
            ReportSubject::Comparison(plan) => csv_of_comparison(plan),
        }
    }

    /// Returns what a CI system shows beside the job: what to review first, refusals and failures.
    pub(crate) fn annotations(&self) -> Vec<Annotation> {
        annotations(&self.subject)
    }
}

/// The formats of the reports in the folder of a run, by file name.
const OF_A_RUN: [(&str, ReportFormat); 4] = [
    ("report.json", ReportFormat::Json),
    ("report.csv", ReportFormat::Csv),
    ("report.md", ReportFormat::Markdown),
    ("report.html", ReportFormat::Html),
];

/// Renders the report of a run for its folder, by file name and one after the other; `exit` is the exit code of the
/// command.
pub(crate) fn files(run: RunReport<'_>, exit: u8) -> impl Iterator<Item = (&'static str, String)> {
    let report = Report::new(ReportSubject::Run(run), exit);
    OF_A_RUN.iter().map(move |(name, format)| (*name, report.to_format(*format)))
}
