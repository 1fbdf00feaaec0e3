//! A plan as a person reads it, in the future tense.

use super::changes::change;
use super::format::{count, named, names, number, printable};
use super::schedule::shell_word;
use super::sections::{Remark, by_hand, first, remarks, section};
use super::style::{QUIET, REMOVED, TITLE, painted};
use super::values::or_none;
use crate::plan::refusal::Refusal;
use crate::plan::{Action, Change, Conflict, Counts, Drift, DriftReport, Plan};

/// Names shown of resources that stay.
const FEW: usize = 5;
/// Resources created in one stage before only their names are shown.
const MANY: usize = 20;
/// Lines after which the heading is out of sight and said again at the end.
const SCREEN: usize = 60;

/// Returns a plan as styled text; `next` is the command to run next, or nothing.
pub fn plan(plan: &Plan, refusals: &[Refusal], next: &str) -> String {
    let mut blocks = vec![heading(plan, refusals)];
    blocks.extend(stages(plan));
    blocks.extend(section("Left out", remarks(plan.skipped.iter().map(Remark::from))));
    blocks.extend(conflicts(plan));
    blocks.extend(section(&format!("Changed in {} by itself since the last run", plan.target.tenant), drifted(&plan.drift)));
    blocks.extend(by_hand(plan.manual_steps.iter()));
    if plan.is_empty() {
        blocks.extend(in_short(plan));
    } else {
        blocks.extend(in_full(plan));
    }
    blocks.extend(section("Notes", first(plan.notes.iter())));
    if !plan.is_empty() && blocks.iter().map(|block| block.lines().count() + 1).sum::<usize>() > SCREEN {
        blocks.push(heading(plan, refusals));
    }
    blocks.extend(refusals.iter().map(refusal));
    if !next.is_empty() {
        blocks.push(next.to_owned());
    }
    let mut text = blocks.join("\n\n");
    text.push('\n');
    text
}

/// Returns what a target changed by itself, what it lost and what cannot be told, as styled text.
pub fn drift(target: &str, DriftReport { moved, gone, unseen }: &DriftReport) -> String {
    if moved.is_empty() && gone.is_empty() && unseen.is_empty() {
        return format!("{target} is as it was last written.\n");
    }
    let lost: Vec<String> = gone.iter().map(named).collect();
    let blocks = [
        section(&format!("Changed in {target} by itself"), drifted(moved)),
        section(&format!("Gone from {target}"), lost),
        section("Not compared", remarks(unseen.iter().map(Remark::from))),
    ];
    blocks.into_iter().flatten().collect::<Vec<_>>().join("\n\n") + "\n"
}

/// Returns fields that a target changed by itself, a line each.
fn drifted(moved: &[Drift]) -> Vec<String> {
    let line = |drift: &Drift| {
        let (path, base, live) = (printable(&drift.path), or_none(drift.base.as_ref(), 60), or_none(drift.live.as_ref(), 60));
        format!("{}: {path}: {base} -> {live}", named(&drift.key))
    };
    moved.iter().map(line).collect()
}

/// Returns fields that both tenants changed, with what each holds, and how a person settles that.
fn conflicts(plan: &Plan) -> Option<String> {
    let (source, target) = (&plan.source.tenant, &plan.target.tenant);
    let line = |conflict: &Conflict| {
        let [base, desired, live] = [&conflict.base, &conflict.desired, &conflict.live].map(|value| or_none(value.as_ref(), 40));
        format!("{}: {}: {base} -> {desired} in {source}, {live} in {target}", named(&conflict.key), printable(&conflict.path))
    };
    let first = plan.conflicts.first()?;
    let settles = [
        format!("`--drift overwrite` writes what {source} has, also over all else that {target} changed by itself"),
        format!("to keep what {target} has, give {source} the same{}:  {}", in_file(first), update(first, source)),
    ];
    section("Changed in both since the last run", plan.conflicts.iter().map(line).chain(settles).collect())
}

/// Returns what the file of that command holds, where it is a short line and names nothing that is called otherwise in the source.
fn in_file(conflict: &Conflict) -> String {
    const SHORT: usize = 60;
    let is_field = !conflict.path.contains(['.', '[', ' ']);
    let file = serde_json::json!({ conflict.path.as_str(): conflict.live }).to_string();
    if is_field && file.len() <= SHORT && !file.contains(['⟦', '⟨']) {
        format!(", {} in FILE", printable(&file))
    } else {
        String::new()
    }
}

/// Returns the command that changes the resource of a conflict in its source, whatever it is called there.
fn update(conflict: &Conflict, source: &str) -> String {
    let kind = conflict.key.kind();
    let id = if conflict.key.name().is_empty() { String::new() } else { format!(" {}", shell_word(conflict.source_id.as_str())) };
    format!("migrate update {kind}{id} FILE --tenant {source}")
}

fn heading(plan: &Plan, refusals: &[Refusal]) -> String {
    let (source, target) = (&plan.source.tenant, &plan.target.tenant);
    let Counts { creates, updates, deletions, unchanged } = plan.counts();
    let equal = count(unchanged, "resource");
    if source == target {
        let line =
            if plan.is_empty() { format!("{target} holds that already.") } else { format!("{target}: {} to change", number(updates)) };
        let line = painted(TITLE, line);
        return if plan.is_empty() { format!("{line}\nNothing to do.") } else { line };
    }
    if !plan.is_empty() {
        let removed = if deletions > 0 { format!("{} to remove, ", number(deletions)) } else { String::new() };
        let counts = format!("{} to create, {} to change, {removed}{} equal", number(creates), number(updates), number(unchanged));
        return painted(TITLE, format!("{source} -> {target}: {counts}"));
    }
    let line = if let Some(undoes) = &plan.undoes {
        let but = if plan.skipped.is_empty() { "" } else { " but what is left out" };
        let of = if undoes.only.is_empty() { String::new() } else { format!(" of {}", printable(&undoes.only.join(", "))) };
        format!("{target} holds nothing more that {} wrote{of}{but}.", undoes.run)
    } else if plan.skipped.is_empty() {
        format!("{target} holds everything {source} has: {equal} equal.")
    } else {
        format!("{target} holds everything {source} has but what is left out: {equal} equal.")
    };
    let line = painted(TITLE, line);
    if refusals.is_empty() { format!("{line}\nNothing to do.") } else { line }
}

/// Returns the stages, those of one title that follow each other as one.
fn stages(plan: &Plan) -> Vec<String> {
    let mut blocks: Vec<(&str, Vec<&Change>)> = Vec::new();
    for stage in &plan.stages {
        match blocks.last_mut() {
            Some((title, changes)) if *title == stage.title => changes.extend(&stage.changes),
            _ => blocks.push((&stage.title, stage.changes.iter().collect())),
        }
    }
    blocks.into_iter().filter_map(|(title, changes)| section(title, lines(&changes))).collect()
}

fn lines(changes: &[&Change]) -> Vec<String> {
    let is_create = |change: &&&Change| matches!(change.action, Action::Create { .. });
    let created = changes.iter().filter(is_create).count();
    if created <= MANY {
        return changes.iter().flat_map(|one| change(one)).collect();
    }
    let shown = changes.iter().flat_map(|one| change(one).into_iter().take(if is_create(&one) { 1 } else { usize::MAX }));
    let folded = painted(QUIET, format!("(what the {} new ones hold: `--output json`)", number(created)));
    shown.chain([folded]).collect()
}

/// Returns what is no part of the plan, by name.
fn in_full(plan: &Plan) -> Vec<String> {
    let unmanaged = plan.unmanaged.iter().map(|(kind, keys)| format!("{kind} ({}): {}", number(keys.len()), names(keys.iter(), FEW)));
    let unknown = plan.unknown.iter().map(|(kind, paths)| format!("{kind}: {}", printable(&paths.join(", "))));
    let sections = [
        section("Left alone", remarks(plan.excluded.iter().map(Remark::from))),
        section(&format!("Only in {}, and staying", plan.target.tenant), unmanaged.collect()),
        section("Fields nobody knows yet, carried and not sent", unknown.collect()),
    ];
    sections.into_iter().flatten().collect()
}

/// Returns what is no part of the plan as counts: a plan that does nothing is no occasion to list it.
fn in_short(plan: &Plan) -> Option<String> {
    let unmanaged: usize = plan.unmanaged.values().map(Vec::len).sum();
    let unknown: usize = plan.unknown.values().map(Vec::len).sum();
    let counts = [
        (plan.excluded.len(), format!("{} left alone", number(plan.excluded.len()))),
        (unmanaged, format!("{} only in {}", number(unmanaged), plan.target.tenant)),
        (unknown, format!("{} nobody knows yet", count(unknown, "field"))),
    ];
    let said: Vec<String> = counts.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text).collect();
    (!said.is_empty()).then(|| painted(QUIET, format!("({}; `--output json` names them)", said.join(", "))))
}

/// Returns what was let pass of a plan, for whoever is about to be asked whether to carry it out.
pub fn acknowledged(refusals: &[Refusal]) -> String {
    let line =
        |refusal: &Refusal| format!("{} {}\n", painted(REMOVED, format!("Acknowledged: {}:", refusal.guard)), printable(&refusal.message));
    std::iter::once("\n".to_owned()).chain(refusals.iter().map(line)).collect()
}

fn refusal(refusal: &Refusal) -> String {
    let line = format!("{} {}", painted(REMOVED, format!("Refused: {}:", refusal.guard)), printable(&refusal.message));
    if refusal.can_be_allowed {
        format!("{line}\n  `--allow {}` if that is meant", refusal.guard)
    } else if refusal.items.is_empty() {
        line
    } else {
        format!("{line}\n  it takes somebody at a terminal, a plan that was saved and looked at, or `approve` in migrate.toml")
    }
}
