//! A document as styled text for a terminal.

use super::changes::change_lines;
use super::document::{Closing, Content, Detail, Document, Lead, Section, Tone};
use super::format::{named, names, number, printable};
use super::mapping_rules::AcceptingRule;
use super::messages::{message_lines, step_lines};
use super::shell::shell_word;
use super::style::{ADDED, CHANGED, QUIET, REMOVED, TITLE, styled};
use super::values::{or_none, pair};
use crate::apply::{AlteredValue, ChangeResult};
use crate::plan::refusal::Refusal;
use crate::plan::{Action, Change, Conflict, Drift, Plan};

/// Names shown of resources that are listed by kind.
const FEW: usize = 5;
/// Lines shown of a list whose lines say much the same.
const MOST: usize = 10;
/// Resources created in one stage before only their names are shown.
const MANY: usize = 20;
/// Lines after which the lead is out of sight and repeated at the end.
const SCREEN: usize = 60;
/// Characters shown of a value that was returned differently.
const WIDTH: usize = 60;

impl Document<'_> {
    /// Returns the document as styled text.
    pub(super) fn to_text(&self) -> String {
        let lead = self.lead.as_ref().map(lead);
        let mut blocks: Vec<String> = lead.iter().cloned().collect();
        let is_shown = |section: &&Section<'_>| section.detail == Detail::Essential;
        blocks.extend(self.sections.iter().filter(is_shown).map(section));
        let is_long = blocks.iter().map(|block| block.lines().count() + 1).sum::<usize>() > SCREEN;
        blocks.extend(lead.filter(|_| is_long && self.lead.as_ref().is_some_and(|lead| lead.is_repeated)));
        blocks.extend(self.closing.iter().map(closing));
        blocks.join("\n\n") + "\n"
    }
}

fn lead(lead: &Lead) -> String {
    let style = match lead.tone {
        Tone::Neutral => TITLE,
        Tone::Good => ADDED,
        Tone::Pending => CHANGED,
        Tone::Bad => REMOVED,
    };
    let idle = if lead.is_idle { "\nNothing to do." } else { "" };
    styled(style, &lead.text) + idle
}

fn section(section: &Section<'_>) -> String {
    let lines = lines(&section.content);
    match &section.heading {
        Some(heading) => std::iter::once(styled(TITLE, heading)).chain(lines.iter().map(|line| format!("  {line}"))).collect::<Vec<_>>(),
        None => lines,
    }
    .join("\n")
}

fn closing(closing: &Closing<'_>) -> String {
    match closing {
        Closing::Refusal(refused) => refusal(refused),
        Closing::Next(next) => next.clone(),
        Closing::Aside(aside) => styled(QUIET, aside),
    }
}

fn lines(content: &Content<'_>) -> Vec<String> {
    match content {
        Content::Line(line) => vec![styled(QUIET, line)],
        Content::Lines(lines) => lines.clone(),
        Content::Notes(notes) => shortened(notes.iter().map(|note| printable(note).into_owned())),
        Content::Rows(table) => table.body().lines().map(|line| format!("  {line}")).collect(),
        Content::Changes(changes) => change_list(changes),
        Content::Messages(messages) => message_lines(messages),
        Content::Steps(steps) => step_lines(steps),
        Content::Drift(drift) => drift.iter().map(drift_line).collect(),
        Content::Conflicts(plan) => conflicts(plan),
        Content::Altered(altered) => shortened(altered.iter().map(altered_line)),
        Content::Keys(kinds) => {
            let line = |(kind, keys): &(&str, Vec<&_>)| format!("{kind} ({}): {}", number(keys.len()), names(keys.iter().copied(), FEW));
            kinds.iter().map(line).collect()
        }
        Content::Resources(keys) => shortened(keys.iter().map(named)),
        Content::Fields(kinds) => kinds.iter().map(|(kind, paths)| format!("{kind}: {}", printable(paths))).collect(),
        Content::Rules(rules) => self::rules(rules),
        Content::Faults(faults) => faults.iter().map(|(fault, times)| fault_line(fault, *times)).collect(),
    }
}

/// Returns the first of many lines that say much the same.
fn shortened(lines: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let more = lines.len().saturating_sub(MOST);
    let rest = (more > 0).then(|| styled(QUIET, format!("… {} more: `--output json`", number(more))));
    lines.take(MOST).chain(rest).collect()
}

/// Returns changes with everything they do; of many new resources only the names.
fn change_list(changes: &[&Change]) -> Vec<String> {
    let is_create = |change: &&&Change| matches!(change.action, Action::Create { .. });
    let created = changes.iter().filter(is_create).count();
    if created <= MANY {
        return changes.iter().flat_map(|change| change_lines(change)).collect();
    }
    let shown = changes.iter().flat_map(|change| change_lines(change).into_iter().take(if is_create(&change) { 1 } else { usize::MAX }));
    let folded = styled(QUIET, format!("(fields of the {} new resources: `--output json`)", number(created)));
    shown.chain([folded]).collect()
}

fn drift_line(drift: &Drift) -> String {
    let (path, base, live) = (printable(&drift.path), or_none(drift.base.as_ref(), 60), or_none(drift.live.as_ref(), 60));
    format!("{}: {path}: {base} -> {live}", named(&drift.key))
}

/// Returns fields that both tenants changed, with what each holds, and how a person settles that.
fn conflicts(plan: &Plan) -> Vec<String> {
    let (source, target) = (&plan.source.tenant, &plan.target.tenant);
    let line = |conflict: &Conflict| {
        let [base, desired, live] = [&conflict.base, &conflict.desired, &conflict.live].map(|value| or_none(value.as_ref(), 40));
        format!("{}: {}: {base} -> {desired} in {source}, {live} in {target}", named(&conflict.key), printable(&conflict.path))
    };
    let settling = plan.conflicts.first().map(|first| {
        [
            format!("`--drift overwrite` applies the values of {source}, also over all other drift in {target}"),
            format!("to keep the values of {target}, write them to {source}{}:  {}", in_file(first), update_command(first, source)),
        ]
    });
    plan.conflicts.iter().map(line).chain(settling.into_iter().flatten()).collect()
}

/// Returns the content of that command's file, where it is a short line and means the same in the source.
fn in_file(conflict: &Conflict) -> String {
    const SHORT: usize = 60;
    let is_field = !conflict.path.contains(['.', '[', ' ']);
    let file = serde_json::json!({ conflict.path.as_str(): conflict.live }).to_string();
    if is_field && file.len() <= SHORT && !file.contains(['⟦', '⟨']) {
        format!(", with {} in FILE", printable(&file))
    } else {
        String::new()
    }
}

/// Returns the command that updates the resource of a conflict in its source, by the id that it has there.
fn update_command(conflict: &Conflict, source: &str) -> String {
    let kind = conflict.key.kind();
    let id = if conflict.key.name().is_empty() { String::new() } else { format!(" {}", shell_word(conflict.source_id.as_str())) };
    format!("migrate update {kind}{id} FILE --tenant {source}")
}

fn altered_line((result, altered): &(&ChangeResult, &AlteredValue)) -> String {
    let (sent, returned) = pair(altered.sent.as_ref(), altered.answered.as_ref(), WIDTH);
    format!("{}: {} was sent as {sent} and returned as {returned}", named(&result.key), printable(&altered.path))
}

/// Returns the first rules as lines of a mapping.
fn rules(rules: &[AcceptingRule]) -> Vec<String> {
    let more = rules.len().saturating_sub(MOST);
    let rest = (more > 0).then(|| styled(QUIET, format!("… {} more", number(more))));
    let lines = rules.iter().take(MOST).flat_map(|rule| ["[[rule]]", &rule.resource, &rule.field, &rule.action]);
    lines.map(|line| printable(line).into_owned()).chain(rest).collect()
}

/// Returns how often a fault occurred; one that never did has shown nothing.
fn fault_line(fault: &str, times: usize) -> String {
    match times {
        0 => format!("{fault}: {}", styled(REMOVED, "never occurred: it affected no request")),
        1 => format!("{fault}: occurred once"),
        _ => format!("{fault}: occurred {} times", number(times)),
    }
}

fn refusal(refusal: &Refusal) -> String {
    let line = format!("{} {}", styled(REMOVED, format!("Refused: {}:", refusal.guard)), printable(&refusal.message));
    if refusal.can_be_allowed {
        format!("{line}\n  to approve it: `--allow {}`", refusal.guard)
    } else if refusal.items.is_empty() {
        line
    } else {
        format!("{line}\n  it has to be approved interactively, in a reviewed plan file, or by `approve` in migrate.toml")
    }
}

/// Returns the refusals that were approved, for whoever is about to confirm the plan.
pub(crate) fn approved(refusals: &[Refusal]) -> String {
    let line =
        |refusal: &Refusal| format!("{} {}\n", styled(REMOVED, format!("Approved: {}:", refusal.guard)), printable(&refusal.message));
    std::iter::once("\n".to_owned()).chain(refusals.iter().map(line)).collect()
}
