//! The head of a plan: source and target, size, risk and cost.

use std::time::{Duration, SystemTime};

use super::format::{count, duration, number};
use super::kind_changes::{KindChanges, OperationCounts};
use crate::catalog::risk::RiskClass;
use crate::model::changed_by::minute;
use crate::plan::findings::RiskCounts;
use crate::plan::{Counts, Estimate, Plan, PlannedReading, PlannedTenant, SlowestGroup};

/// The age up to which a tenant is shown as just read.
const JUST_NOW: Duration = Duration::from_secs(60);

/// The head of a plan, a comparison or a run.
#[derive(Debug)]
pub(super) struct Head {
    /// Source, target and mapping, each as a label, a name and a remark.
    pub(super) sides: Vec<[String; 3]>,
    /// The edits by risk.
    pub(super) risks: RiskCounts,
    /// The resources by operation, in words.
    pub(super) size: String,
    /// The resources by kind and operation.
    pub(super) kinds: Vec<(&'static str, OperationCounts)>,
    /// The changes of a run by outcome: a name, their number, and the outcome in words.
    pub(super) outcomes: Vec<(&'static str, usize, &'static str)>,
    /// The requests and the time that it needs.
    pub(super) cost: Option<String>,
}

impl Head {
    /// Builds the head of a plan as of now.
    pub(super) fn new(plan: &Plan, kinds: &[KindChanges<'_>], risks: RiskCounts, (estimate, now): (Option<Estimate>, SystemTime)) -> Self {
        let side = |label: &str, side: &PlannedTenant| [label.to_owned(), side.domain.clone(), read(side, now)];
        let mapping = plan.mapping.as_ref().filter(|mapping| !mapping.file.is_empty()).map(|mapping| {
            let unmatched = match mapping.unmatched.len() {
                0 => String::new(),
                unmatched => format!(", {} matched nothing", number(unmatched)),
            };
            ["mapping".to_owned(), mapping.file.clone(), format!("{}{unmatched}", count(mapping.rules, "rule"))]
        });
        let selection = plan.selection.as_ref().map(|selection| {
            let parts = [("", &selection.kinds), ("only ", &selection.only), ("without ", &selection.exclude)];
            let words =
                parts.iter().filter(|(_, patterns)| !patterns.is_empty()).map(|(word, patterns)| format!("{word}{}", patterns.join(", ")));
            let dependencies = match selection.dependencies.len() {
                0 => String::new(),
                dependencies => format!("and {} that they need", count(dependencies, "resource")),
            };
            ["selected".to_owned(), words.collect::<Vec<_>>().join("; "), dependencies]
        });
        let sides = if plan.source.tenant == plan.target.tenant && plan.source.snapshot.is_none() && plan.undoes.is_none() {
            vec![side("tenant", &plan.target)]
        } else {
            vec![side("source", &plan.source), side("target", &plan.target)]
        };
        Self {
            outcomes: Vec::new(),
            sides: sides.into_iter().chain(mapping).chain(selection).collect(),
            risks,
            size: planned(plan.counts()),
            kinds: kinds.iter().map(|kind| (kind.title, kind.counts)).collect(),
            cost: estimate.map(|estimate| cost(estimate, now)),
        }
    }
}

/// Returns how and when a tenant was read.
pub(super) fn read(side: &PlannedTenant, now: SystemTime) -> String {
    let how = match &side.reading {
        Some(PlannedReading::Incremental { since, kinds, .. }) => {
            format!(", {} again as its log says since {}", count(kinds.len(), "kind"), minute(since))
        }
        Some(PlannedReading::Full { reason, .. }) => format!(", completely: {reason}"),
        None => String::new(),
    };
    format!("{}{how}", when(side, now))
}

/// Returns when a tenant was read, or which snapshot of it is used.
fn when(side: &PlannedTenant, now: SystemTime) -> String {
    let age = humantime::parse_rfc3339_weak(&side.taken).ok().and_then(|taken| now.duration_since(taken).ok());
    match (&side.snapshot, age) {
        (Some(snapshot), Some(age)) => format!("snapshot {snapshot}, {} old", rough(age)),
        (Some(snapshot), None) => format!("snapshot {snapshot}"),
        (None, Some(age)) if age >= JUST_NOW => format!("read {} ago", rough(age)),
        (None, Some(_)) => "read just now".to_owned(),
        (None, None) => String::new(),
    }
}

/// Returns what a plan does to how many resources.
fn planned(counts: Counts) -> String {
    let Counts { creates, updates, deletions, unchanged } = counts;
    let deleted = if deletions > 0 { format!("{} to delete, ", number(deletions)) } else { String::new() };
    format!("{} to create, {} to update, {deleted}{} unchanged", number(creates), number(updates), number(unchanged))
}

/// Returns an age in its largest unit: `3 days`.
pub(super) fn rough(age: Duration) -> String {
    let seconds = age.as_secs();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let unit = units.into_iter().find(|(length, _)| seconds >= *length);
    let (length, unit) = unit.unwrap_or((1, "second"));
    count(usize::try_from(seconds / length).unwrap_or(usize::MAX), unit)
}

fn cost(estimate: Estimate, now: SystemTime) -> String {
    let requests = format!("about {} to apply", count(estimate.requests, "request"));
    let at = match (estimate.slowest, estimate.per_second) {
        (Some(SlowestGroup { limit, .. }), _) => {
            let rate = count(usize::try_from(limit.rate.a_minute).unwrap_or(usize::MAX), "request");
            format!(": {} allow {rate} a minute", limit.subject())
        }
        (None, Some(rate)) => format!(" at {rate:.0}/s"),
        (None, None) => String::new(),
    };
    let timed = |time: Duration| {
        let end = humantime::format_rfc3339_seconds(now + time).to_string();
        format!("{requests}, {}{at}; done by {} UTC", duration(time), &end[11..16])
    };
    estimate.time().map_or_else(|| requests.clone(), timed)
}

/// Returns the number of edits of each class, most dangerous first.
pub(super) fn risk_counts(risks: RiskCounts) -> [(RiskClass, usize); 5] {
    let RiskCounts { lockout, weakened, data_loss, widened, routine } = risks;
    [
        (RiskClass::Lockout, lockout),
        (RiskClass::Weakened, weakened),
        (RiskClass::DataLoss, data_loss),
        (RiskClass::Widened, widened),
        (RiskClass::Routine, routine),
    ]
}

/// Returns what a class is called in reports: an edit that loses data is a delete.
pub(super) fn risk_label(class: RiskClass) -> &'static str {
    if class == RiskClass::DataLoss { "delete" } else { class.as_str() }
}

/// Formats the classes that occur: `5 lockout · 1 weakened · 111 routine`.
pub(super) fn risk_parts(risks: RiskCounts) -> Vec<(bool, String)> {
    let word = |class: RiskClass, count: usize| if class == RiskClass::DataLoss && count != 1 { "deletes" } else { risk_label(class) };
    let counted = risk_counts(risks).into_iter().filter(|(_, count)| *count > 0);
    counted.map(|(class, count)| (class.is_dangerous(), format!("{} {}", number(count), word(class, count)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::FullReadCause;

    #[test]
    fn an_old_snapshot_is_shown_with_its_age() {
        let now = humantime::parse_rfc3339("2026-03-11T12:00:00Z").expect("a time");
        let side = |taken: &str, snapshot: Option<&str>| {
            read(&PlannedTenant { snapshot: snapshot.map(str::to_owned), ..PlannedTenant::new("dev", "dev.example", taken) }, now)
        };
        assert_eq!(side("2026-03-11T11:59:30Z", None), "read just now");
        assert_eq!(side("2026-03-11T10:59:30Z", None), "read 1 hour ago");
        let reading = |reading| {
            let now_read = PlannedTenant::new("dev", "dev.example", "2026-03-11T11:59:30Z");
            read(&PlannedTenant { reading: Some(reading), ..now_read }, now)
        };
        let kinds = vec!["clients".to_owned(), "client-grants".to_owned()];
        let by_log = PlannedReading::Incremental { since: "2026-03-10T02:30:00Z".to_owned(), kinds, requests: 4 };
        assert_eq!(reading(by_log), "read just now, 2 kinds again as its log says since 2026-03-10 02:30 UTC");
        let reason = "resources would be deleted".to_owned();
        let full = PlannedReading::Full { cause: FullReadCause::Deletes, reason, requests: 107 };
        assert_eq!(reading(full), "read just now, completely: resources would be deleted");
        assert_eq!(side("2026-03-03T02:30:00Z", Some("dev@2026-03-03")), "snapshot dev@2026-03-03, 8 days old");
    }

    #[test]
    fn the_duration_follows_from_the_rate() {
        let now = humantime::parse_rfc3339("2026-03-11T02:29:00Z").expect("a time");
        assert_eq!(
            cost(Estimate { requests: 143, per_second: Some(16.0), slowest: None }, now),
            "about 143 requests to apply, 8.9 s at 16/s; done by 02:29 UTC"
        );
        assert_eq!(cost(Estimate { requests: 1, per_second: None, slowest: None }, now), "about 1 request to apply");
    }
}
