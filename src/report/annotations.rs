//! What a CI system shows beside a job: what to review first, refusals and failures.

use std::fmt;

use super::format::{by_whom, count, named};
use super::report_subject::ReportSubject;
use super::review::{self, ReviewItem};
use super::style::plain;
use crate::model::event::Outcome;
use crate::model::resource::Key;
use crate::plan::findings::findings;
use crate::plan::refusal::Refusal;
use crate::plan::{DriftReport, Plan};

/// The maximum number of columns of a value.
const VALUE: usize = 200;
/// GitHub shows at most ten annotations of a level for each step.
const MOST: usize = 10;

/// How serious an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AnnotationLevel {
    Warning,
    Error,
}

/// A remark that GitHub Actions shows beside a job; displayed as a workflow command on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Annotation {
    level: AnnotationLevel,
    title: String,
    message: String,
}

impl Annotation {
    /// Creates an annotation about a command that failed.
    pub(crate) fn error(title: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level: AnnotationLevel::Error, title: title.into(), message: message.into() }
    }

    fn warning(title: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level: AnnotationLevel::Warning, title: title.into(), message: message.into() }
    }
}

impl fmt::Display for Annotation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            AnnotationLevel::Warning => "warning",
            AnnotationLevel::Error => "error",
        };
        write!(out, "::{level} title={}::{}", property(&self.title), escaped(&self.message))
    }
}

/// Escapes the message of a workflow command, so that a name cannot begin another command.
fn escaped(text: &str) -> String {
    let visible = |sign: char| if sign.is_control() && !matches!(sign, '\n' | '\r') { '\u{fffd}' } else { sign };
    let text: String = text.chars().map(visible).collect();
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

/// Returns the annotations of a report.
pub(super) fn annotations(subject: &ReportSubject<'_>) -> Vec<Annotation> {
    let all = match subject {
        ReportSubject::Plan(view) => of_plan(view.plan, view.refusals),
        ReportSubject::Run(run) => {
            let failed = run.summary.settled.iter().filter(|one| !matches!(one.outcome, Outcome::Applied(_)));
            let of = |key: &_, outcome: &Outcome| Annotation::error(named(key), outcome.message().unwrap_or("it was not applied"));
            let broken = run.probe.iter().flat_map(|probe| probe.broken().collect::<Vec<_>>());
            let broken = broken.map(|(_, login, answer)| Annotation::error(format!("Fails since the run: {login}"), answer));
            broken.chain(failed.map(|one| of(&one.key, &one.outcome))).collect()
        }
        ReportSubject::Drift { target, drift } => of_drift(target, drift),
        ReportSubject::Comparison(_) => Vec::new(),
    };
    limited(all)
}

fn of_plan(plan: &Plan, refusals: &[Refusal]) -> Vec<Annotation> {
    let items = review::items(plan, &findings(plan));
    let refused = refusals.iter().map(|refusal| Annotation::error(format!("Refused: {}", refusal.guard), &refusal.message));
    refused.chain(items.iter().map(of_item)).collect()
}

fn of_item(item: &ReviewItem<'_>) -> Annotation {
    let what = [item.path().to_owned(), plain(&item.value(VALUE))].into_iter().filter(|part| !part.is_empty());
    let (resource, what) = (plain(&item.resource(VALUE)), what.collect::<Vec<_>>().join("  "));
    let what = item.label.meaning().map_or_else(|| what.clone(), |meaning| format!("{meaning}: {what}"));
    Annotation::warning(format!("{} {resource}", item.label).trim_end(), what)
}

fn of_drift(target: &str, drift: &DriftReport) -> Vec<Annotation> {
    let fields = drift.drift.iter().map(|one| {
        Annotation::warning(
            format!("Drift: {}", named(&one.key)),
            format!("{} was changed in {target}{}", one.path, by_whom(one.changed_by.as_ref())),
        )
    });
    let deleted = |key: &Key| format!("it was deleted from {target}{}", by_whom(drift.deleted_by.get(key)));
    let gone = drift.gone.iter().map(|key| Annotation::warning(format!("Drift: {}", named(key)), deleted(key)));
    fields.chain(gone).collect()
}

/// Keeps as many of each level as are shown, and says how many there are more.
fn limited(all: Vec<Annotation>) -> Vec<Annotation> {
    let (errors, warnings): (Vec<Annotation>, Vec<Annotation>) = all.into_iter().partition(|one| one.level == AnnotationLevel::Error);
    [errors, warnings].into_iter().flat_map(first).collect()
}

fn first(mut of_level: Vec<Annotation>) -> Vec<Annotation> {
    if of_level.len() > MOST {
        let more = count(of_level.len() - (MOST - 1), "more finding");
        of_level.truncate(MOST - 1);
        let level = of_level[0].level;
        of_level.push(Annotation { level, title: more, message: "the summary of the step lists all of them".to_owned() });
    }
    of_level
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::guards;
    use crate::report::{PlanView, plan_sample};

    #[test]
    fn what_to_review_first_becomes_annotations_and_at_most_ten_of_a_level() {
        let plan = plan_sample::with_dangers();
        let refusals: Vec<Refusal> = guards::deletes(&plan).into_iter().chain(guards::risks(&plan)).collect();
        let lines: Vec<String> =
            annotations(&ReportSubject::Plan(PlanView::new(&plan, &refusals))).iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn a_name_cannot_begin_another_workflow_command() {
        let hostile = Annotation::warning("a,b::c\n::error::x", "50 %\r\n::stop-commands::x\u{1b}[31m");
        assert_eq!(hostile.to_string(), "::warning title=a%2Cb%3A%3Ac%0A%3A%3Aerror%3A%3Ax::50 %25%0D%0A::stop-commands::x\u{fffd}[31m");
    }
}
