//! What a report is about: a plan, a run, drift or a comparison.

use super::plan_document::PlanView;
use super::run_report::RunReport;
use crate::plan::{DriftReport, Plan};

/// What a report is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ReportSubject<'a> {
    /// A plan.
    Plan(PlanView<'a>),
    /// A run.
    Run(RunReport<'a>),
    /// The drift of a target.
    Drift {
        /// The target.
        target: &'a str,
        /// Its drift.
        drift: &'a DriftReport,
    },
    /// The comparison of two snapshots.
    Comparison(&'a Plan),
}
