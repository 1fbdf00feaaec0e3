//! Renders a report as JUnit XML: a suite for each kind, and a case for each change.
//!
//! A case fails if a guard refuses the change, if it was not applied, or if there is drift or a difference. What cannot
//! be done on purpose is skipped. A guard that refuses the plan as a whole is a case of its own. If there is nothing to
//! report, one case passes: CI systems take a file without cases for a broken one.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::format::{by_whom, named};
use super::report_subject::ReportSubject;
use super::rows::{Row, rows_of_change};
use super::run_report::RunReport;
use crate::model::event::Outcome;
use crate::model::resource::Key;
use crate::plan::refusal::Refusal;
use crate::plan::{Change, DriftReport, Plan, Skipped};

/// A case before it is put into its suite.
struct Case<'a> {
    key: &'a Key,
    case: TestCase,
}

/// Renders a report with this title.
pub(super) fn junit(subject: &ReportSubject<'_>, title: &str) -> String {
    let cases = match subject {
        ReportSubject::Plan(view) => of_plan(view.plan, view.refusals),
        ReportSubject::Run(run) => of_run(run),
        ReportSubject::Drift { drift, .. } => of_drift(drift),
        ReportSubject::Comparison(plan) => of_comparison(plan),
    };
    let mut suites: Vec<TestSuite> = Vec::new();
    for Case { key, mut case } in cases {
        let kind = key.kind();
        case.set_classname(kind.name);
        if let Some(suite) = suites.iter_mut().find(|suite| suite.name.as_str() == kind.title) {
            suite.add_test_case(case);
        } else {
            let mut suite = TestSuite::new(kind.title);
            suite.add_test_case(case);
            suites.push(suite);
        }
    }
    let mut report = Report::new(format!("migrate: {title}"));
    report.add_test_suites(guards(subject));
    report.add_test_suites(nothing(subject));
    report.add_test_suites(suites);
    report.to_string().expect("memory takes every text")
}

fn of_plan<'a>(plan: &'a Plan, refusals: &[Refusal]) -> Vec<Case<'a>> {
    let status = |change: &Change| {
        let refusal = refusals.iter().find(|refusal| refusal.items.iter().any(|item| item.key == change.key));
        refusal
            .map_or_else(TestCaseStatus::success, |refusal| failure(refusal.guard.as_str(), &format!("{} is not approved", refusal.guard)))
    };
    let changes = plan.changes().map(|change| of_change(change, status(change)));
    changes.chain(plan.skipped.iter().map(skipped)).collect()
}

/// Returns the suite of the guards that refuse a plan as a whole, if there are any.
fn guards(subject: &ReportSubject<'_>) -> Option<TestSuite> {
    let ReportSubject::Plan(view) = subject else { return None };
    let mut suite = TestSuite::new("Guards");
    for refusal in view.refusals.iter().filter(|refusal| refusal.items.is_empty()) {
        suite.add_test_case(TestCase::new(refusal.guard.as_str(), failure(refusal.guard.as_str(), &refusal.message)));
    }
    (!suite.test_cases.is_empty()).then_some(suite)
}

/// Returns the suite that passes because there is nothing to report.
fn nothing(subject: &ReportSubject<'_>) -> Option<TestSuite> {
    let (title, fact, is_nothing) = match subject {
        ReportSubject::Plan(view) => ("Plan", "no changes", view.plan.is_empty() && view.refusals.is_empty()),
        ReportSubject::Run(run) => ("Run", "no changes", run.plan.is_empty()),
        ReportSubject::Drift { drift, .. } => ("Drift", "no drift", drift.is_none()),
        ReportSubject::Comparison(plan) => ("Comparison", "no differences", plan.is_empty()),
    };
    let mut case = TestCase::new(fact, TestCaseStatus::success());
    case.set_classname(title.to_lowercase());
    let mut suite = TestSuite::new(title);
    suite.add_test_case(case);
    is_nothing.then_some(suite)
}

fn of_comparison(plan: &Plan) -> Vec<Case<'_>> {
    let differs = |change| of_change(change, failure("difference", "the two sides differ"));
    plan.changes().map(differs).chain(plan.skipped.iter().map(skipped)).collect()
}

fn of_change(change: &Change, status: TestCaseStatus) -> Case<'_> {
    let mut case = TestCase::new(format!("{} {}", change.operation(), named(&change.key)), status);
    let lines: Vec<String> = rows_of_change(change).iter().map(line).collect();
    case.set_system_out(lines.join("\n"));
    Case { key: &change.key, case }
}

/// Describes a row in one line: `callbacks: ["https://a"] -> []`.
fn line(row: &Row<'_>) -> String {
    match (row.field.as_ref(), row.old.as_deref(), row.new.as_deref()) {
        ("", _, _) => row.entry.to_owned(),
        (field, None, Some(new)) => format!("{field}: {new}"),
        (field, old, new) => format!("{field}: {} -> {}", old.unwrap_or("(none)"), new.unwrap_or("(none)")),
    }
}

fn of_run<'a>(run: &RunReport<'a>) -> Vec<Case<'a>> {
    let settled = run.summary.settled.iter().map(|one| {
        let message = one.outcome.message().unwrap_or_default();
        let status = match &one.outcome {
            Outcome::Applied(_) => TestCaseStatus::success(),
            Outcome::Partial(..) => failure("partial", message),
            Outcome::Failed(_) => failure("failed", message),
            Outcome::Unknown(_) => non_success(NonSuccessKind::Error, "unknown", message),
            Outcome::Skipped(_) => not_run(message),
        };
        Case { key: &one.key, case: TestCase::new(format!("{} {}", one.operation, named(&one.key)), status) }
    });
    let unsent = run.unsent().into_iter().map(|change| of_change(change, not_run("not sent")));
    let broken = run.probe.into_iter().flat_map(|probe| probe.broken().collect::<Vec<_>>());
    let broken = broken.map(|(key, login, answer)| Case { key, case: TestCase::new(format!("login {login}"), failure("login", &answer)) });
    broken.chain(settled).chain(unsent).chain(run.plan.skipped.iter().map(skipped)).collect()
}

fn of_drift(report: &DriftReport) -> Vec<Case<'_>> {
    let drifted = report.drift.iter().map(|one| Case {
        key: &one.key,
        case: TestCase::new(
            format!("{} {}", named(&one.key), one.path),
            failure("drift", &format!("it was changed in the target since the last run{}", by_whom(one.changed_by.as_ref()))),
        ),
    });
    let gone = report
        .gone
        .iter()
        .map(|key| (key, format!("it was deleted from the target since the last run{}", by_whom(report.deleted_by.get(key)))))
        .map(|(key, message)| Case { key, case: TestCase::new(named(key), failure("deleted", &message)) });
    drifted.chain(gone).chain(report.unseen.iter().map(skipped)).collect()
}

fn skipped(skipped: &Skipped) -> Case<'_> {
    let field = skipped.path.as_ref().map(|path| format!(" {path}")).unwrap_or_default();
    Case { key: &skipped.key, case: TestCase::new(format!("{}{field}", named(&skipped.key)), not_run(&skipped.reason)) }
}

fn failure(kind: &str, message: &str) -> TestCaseStatus {
    non_success(NonSuccessKind::Failure, kind, message)
}

fn non_success(how: NonSuccessKind, kind: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(how);
    status.set_type(kind).set_message(message);
    status
}

fn not_run(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}
