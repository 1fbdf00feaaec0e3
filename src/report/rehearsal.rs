//! How an import went that was tried on a copy of its target.

use serde_json::{Value, json};

use super::changes::change;
use super::format::{count, named, number};
use super::json::{differs, plan_json, settled};
use super::sections::{Remark, first, remarks, section};
use super::style::{ADDED, QUIET, REMOVED, painted};
use super::summary::{DIFFERS, differing, state, troubles};
use crate::apply::Summary;
use crate::model::resource::Key;
use crate::plan::Plan;

/// A rehearsal that is over.
#[derive(Debug, Clone, Copy)]
pub struct Rehearsal<'run> {
    /// What was rehearsed.
    pub plan: &'run Plan,
    /// How the changes ended.
    pub summary: &'run Summary,
    /// How often the run was cut off and went on.
    pub resumed: usize,
    /// Requests to the copy.
    pub requests: usize,
    /// How many of them were writes.
    pub writes: usize,
    /// What was to go wrong, as it was asked for, and how often it did.
    pub struck: &'run [(String, usize)],
    /// What the copy answered otherwise than the target, before anything was changed.
    pub otherwise: &'run [Key],
    /// What a second plan would still do.
    pub again: &'run Plan,
}

/// Returns how a rehearsal went as styled text; `next` is the command that does it in earnest.
pub fn rehearsal(of: &Rehearsal<'_>, next: &str) -> String {
    let target = &of.plan.target.tenant;
    let mut blocks = vec![heading(of)];
    blocks.extend(section("What went wrong at the copy, as asked for", of.struck.iter().map(struck).collect()));
    blocks.extend(troubles(of.summary));
    blocks.extend(section(DIFFERS, first(differing(of.summary).iter())));
    blocks.extend(section("Left out", remarks(of.plan.skipped.iter().map(Remark::from))));
    blocks.extend(section("A second plan would still do this", of.again.changes().flat_map(change).collect()));
    let otherwise: Vec<String> = of.otherwise.iter().map(named).collect();
    blocks
        .extend(section(&format!("What the copy answers otherwise than {target}, so that this says less of it"), first(otherwise.iter())));
    blocks.push(painted(QUIET, format!("Nothing was written to {target}.")));
    blocks.push(next.to_owned());
    let mut text = blocks.join("\n\n");
    text.push('\n');
    text
}

/// Returns how a rehearsal went as JSON: the plan, and how it went under `rehearsal`.
pub fn rehearsal_json(of: &Rehearsal<'_>, exit: u8) -> Value {
    let mut json = plan_json(of.plan, &[], exit);
    json["rehearsal"] = json!({
        "state": state(of.summary),
        "counts": of.summary.tally(),
        "changes": of.summary.settled.iter().map(settled).collect::<Vec<_>>(),
        "differs": differs(of.summary),
        "resumed": of.resumed,
        "requests": of.requests,
        "writes": of.writes,
        "faults": of.struck.iter().map(|(fault, struck)| json!({"fault": fault, "struck": struck})).collect::<Vec<_>>(),
        "otherwise": of.otherwise,
        "again": of.again.changes().collect::<Vec<_>>(),
    });
    json
}

/// Returns how often a fault struck; one that never did has shown nothing.
fn struck((fault, times): &(String, usize)) -> String {
    match times {
        0 => format!("{fault}: {}", painted(REMOVED, "it never struck: at no request did it make a difference")),
        1 => format!("{fault}: it struck once"),
        _ => format!("{fault}: it struck {}", count(*times, "time")),
    }
}

fn heading(of: &Rehearsal<'_>) -> String {
    let target = &of.plan.target.tenant;
    let is_well = of.summary.is_whole() && of.again.is_empty();
    let cost = format!("{}, {} of them writes", count(of.requests, "request"), number(of.writes));
    let done = format!("Rehearsed on a copy of {target}: {} ({cost}).", state(of.summary));
    let resumed = if of.resumed > 0 { format!(" It was cut off and went on {}.", count(of.resumed, "time")) } else { String::new() };
    let settles = match (of.again.is_empty(), of.summary.is_whole()) {
        (true, _) => " A second plan finds nothing to do.",
        (false, true) => " It does not settle: a second plan would change something again.",
        (false, false) => "",
    };
    painted(if is_well { ADDED } else { REMOVED }, format!("{done}{resumed}{settles}"))
}
