//! Renders a document as styled text for a terminal.

use serde_json::Value;

use super::document::{Closing, Content, Detail, Document, Fold, Lead, Section, Tone, meaning_of_placeholders};
use super::field_text::{full_edit, short_edit};
use super::format::{self, by_whom, named, names, number, printable};
use super::layout::Layout;
use super::mapping_rules::AcceptingRule;
use super::messages::{message_lines, step_lines};
use super::plan_text;
use super::shell::shell_word;
use super::shown_edit::ShownEdit;
use super::style::{ADDED, CHANGED, QUIET, REMOVED, TITLE, styled};
use super::value_pair::Pair;
use super::values::cut;
use crate::apply::{AlteredValue, ChangeResult};
use crate::plan::refusal::Refusal;
use crate::plan::{Conflict, Plan};

/// The maximum number of names of resources listed by kind.
const FEW: usize = 5;
/// The maximum number of lines of a list of similar lines.
const MOST: usize = 10;
/// The maximum number of characters of a value that was returned differently.
const WIDTH: usize = 60;

impl Document<'_> {
    /// Renders the document as styled text.
    pub(super) fn to_text(&self, layout: Layout) -> String {
        let lead = self.lead.as_ref().map(lead);
        let opening = lead.iter().cloned().chain(self.head.as_ref().map(|head| plan_text::head(head, layout)));
        let opening = opening.collect::<Vec<_>>().join("\n");
        let mut blocks: Vec<String> = Some(opening).filter(|opening| !opening.is_empty()).into_iter().collect();
        let shown: Vec<&Section<'_>> = self.sections.iter().filter(|section| section.detail == Detail::Essential).collect();
        let is_name = |section: &&Section<'_>| section.fold == Fold::ToNames && !layout.is_verbose;
        blocks.extend(shown.iter().filter(|section| !is_name(section)).map(|section| self::section(section, layout)));
        let folded: Vec<(String, bool)> = shown.iter().filter(|section| is_name(section)).map(|section| folded(section, layout)).collect();
        let hint = folded.iter().any(|(_, is_cut)| *is_cut).then(|| styled(QUIET, "(--verbose shows all of it, with the reasons)"));
        let mut folded: Vec<String> = folded.into_iter().map(|(line, _)| line).chain(hint).collect();
        folded.extend(meaning_of_placeholders(&(blocks.concat() + &folded.concat())).map(|meaning| styled(QUIET, meaning)));
        blocks.extend((!folded.is_empty()).then(|| folded.join("\n")));
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

fn section(section: &Section<'_>, layout: Layout) -> String {
    let mut lines = lines(&section.content, layout);
    let mut count = String::new();
    if let (Fold::ToLines(most), false) = (section.fold, layout.is_verbose) {
        count = format!(" ({})", number(section.content.len()));
        // A list that is only slightly longer is shown completely.
        if lines.len() > most + 1 {
            let hidden = lines.split_off(most).len();
            lines.push(styled(QUIET, format!("… {} (--verbose shows them)", format::count(hidden, "more line"))));
        }
    }
    match &section.heading {
        Some(heading) => {
            let heading = styled(TITLE, format!("{heading}{count}"));
            std::iter::once(heading).chain(lines.iter().map(|line| format!("  {line}"))).collect::<Vec<_>>()
        }
        None => lines,
    }
    .join("\n")
}

/// Renders a section on one line: the number of entries and the first names; returns also whether it says more in full.
fn folded(section: &Section<'_>, layout: Layout) -> (String, bool) {
    let heading = format!("{} ({})", section.heading.as_deref().unwrap_or_default(), number(section.content.len()));
    let names: Vec<String> = match &section.content {
        Content::Messages(messages) => messages.iter().map(|message| named(message.key)).collect(),
        Content::Keys(kinds) => kinds.iter().flat_map(|(_, keys)| keys.iter().map(|key| named(key))).collect(),
        Content::Fields(kinds) => kinds.iter().map(|(kind, paths)| format!("{kind}: {}", printable(paths))).collect(),
        _ => Vec::new(),
    };
    let more = " …";
    let room = layout.columns.saturating_sub(heading.chars().count() + 2);
    let all = names.join(", ");
    let is_long = all.chars().count() > room;
    let mut shown = String::new();
    for name in &names {
        let next = if shown.is_empty() { name.clone() } else { format!("{shown}, {name}") };
        if next.chars().count() + if is_long { more.chars().count() } else { 0 } > room && !shown.is_empty() {
            break;
        }
        shown = next;
    }
    let shown = cut(&shown, room.saturating_sub(if is_long { more.chars().count() } else { 0 }));
    let is_cut = shown != all;
    let rest = if is_cut { styled(QUIET, more) } else { String::new() };
    (format!("{}  {shown}{rest}", styled(TITLE, heading)), is_cut || matches!(section.content, Content::Messages(_)))
}

fn closing(closing: &Closing<'_>) -> String {
    match closing {
        Closing::Refusals(refusals) => self::refusals(refusals),
        Closing::Next(next) => next.clone(),
        Closing::Approve { command, is_interactive: false } => format!("To approve what you have reviewed:\n  {command}"),
        Closing::Approve { command, is_interactive: true } => format!("At a terminal, this approves what you have reviewed:\n  {command}"),
        Closing::Aside(aside) => styled(QUIET, aside),
    }
}

fn lines(content: &Content<'_>, layout: Layout) -> Vec<String> {
    match content {
        Content::Line(line) => vec![styled(QUIET, line)],
        Content::Lines(lines) => lines.clone(),
        Content::Notes(notes) => shortened(notes.iter().map(|note| printable(note).into_owned())),
        Content::Rows(table) => table.body().lines().map(|line| format!("  {line}")).collect(),
        Content::Kinds(kinds) => kinds.iter().flat_map(|kind| plan_text::kind(kind, layout)).collect(),
        Content::Review(items) => plan_text::review(items, layout),
        Content::Messages(messages) => message_lines(messages),
        Content::Steps(steps) => step_lines(steps),
        Content::Conflicts(plan) => conflicts(plan, layout),
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

/// Returns the first of many similar lines.
fn shortened(lines: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let more = lines.len().saturating_sub(MOST);
    let rest = (more > 0).then(|| styled(QUIET, format!("… {} more: `--output json`", number(more))));
    lines.take(MOST).chain(rest).collect()
}

/// Renders conflicts: the field, what each tenant made of it, and how to resolve them.
fn conflicts(plan: &Plan, layout: Layout) -> Vec<String> {
    let (source, target) = (&plan.source.tenant, &plan.target.tenant);
    let settling = plan.conflicts.first().map(|first| {
        [
            format!("`--drift overwrite` applies the values of {source}, also over all other drift in {target}"),
            format!("to keep the values of {target}, write them to {source}{}:  {}", in_file(first), update_command(first, source)),
        ]
    });
    let lines = plan.conflicts.iter().flat_map(|conflict| self::conflict(plan, conflict, layout));
    lines.chain(settling.into_iter().flatten()).collect()
}

/// Renders a conflict: a line for the field, and one for each tenant with the last applied and its own value.
fn conflict(plan: &Plan, conflict: &Conflict, layout: Layout) -> Vec<String> {
    let sides = conflict_sides(plan, conflict);
    let width = sides.iter().map(|(tenant, _)| tenant.chars().count()).max().unwrap_or_default();
    let room = layout.columns.saturating_sub(width + 6);
    let mut shown = sides.each_ref().map(|(_, edit)| vec![short_edit(edit, room)]);
    if shown[0] == shown[1] {
        shown = sides.each_ref().map(|(_, edit)| full_edit(edit, room));
    }
    let side = |((tenant, _), lines): (&(&str, ShownEdit), &Vec<String>)| {
        let label = |at: usize| if at == 0 { *tenant } else { "" };
        lines.iter().enumerate().map(|(at, line)| format!("  {:width$}  {line}", label(at))).collect::<Vec<_>>()
    };
    let heading = format!("{}: {}", named(&conflict.key), printable(&conflict.path));
    let mut lines: Vec<String> = std::iter::once(heading).chain(sides.iter().zip(&shown).flat_map(side)).collect();
    let by = conflict.changed_by.as_ref();
    lines.extend(by.map(|_| styled(QUIET, format!("  {:width$}  changed{}", "", by_whom(by)))));
    lines
}

/// Returns what each tenant made of a field since the last run: the source, then the target.
pub(super) fn conflict_sides<'plan>(plan: &'plan Plan, conflict: &Conflict) -> [(&'plan str, ShownEdit); 2] {
    let edit = |value: &Option<Value>| ShownEdit::new(Some(conflict.key.kind()), &conflict.path, (conflict.base.as_ref(), value.as_ref()));
    [(&plan.source.tenant, edit(&conflict.desired)), (&plan.target.tenant, edit(&conflict.live))]
}

/// Returns the content of the file for that command, if it is a short line and also valid in the source.
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

/// Returns the command that updates the resource of a conflict in the source, by its id there.
fn update_command(conflict: &Conflict, source: &str) -> String {
    let kind = conflict.key.kind().name;
    let id = if conflict.key.name().is_empty() { String::new() } else { format!(" {}", shell_word(conflict.source_id.as_str())) };
    format!("migrate update {kind}{id} FILE --tenant {source}")
}

fn altered_line((result, altered): &(&ChangeResult, &AlteredValue)) -> String {
    let place = format!("{}: {}", named(&result.key), printable(&altered.path));
    let (sent, returned) = (altered.sent.as_ref(), altered.answered.as_ref());
    let edit = ShownEdit::new(Some(result.key.kind()), &altered.path, (sent, returned));
    if matches!(edit, ShownEdit::List { .. } | ShownEdit::Text(_)) {
        return format!("{place} as returned:  {}", short_edit(&edit, 2 * WIDTH));
    }
    let Pair { old, new } = Pair::quoted(sent, returned).shortened(WIDTH);
    format!("{place} was sent as {old} and returned as {new}")
}

/// Renders the first rules as lines of a mapping.
fn rules(rules: &[AcceptingRule]) -> Vec<String> {
    let more = rules.len().saturating_sub(MOST);
    let rest = (more > 0).then(|| styled(QUIET, format!("… {} more", number(more))));
    let lines = rules.iter().take(MOST).flat_map(|rule| ["[[rule]]", &rule.resource, &rule.field, &rule.action]);
    lines.map(|line| printable(line).into_owned()).chain(rest).collect()
}

/// Renders how often a fault occurred. A fault that never occurred proves nothing.
fn fault_line(fault: &str, times: usize) -> String {
    match times {
        0 => format!("{fault}: {}", styled(REMOVED, "never occurred: it affected no request")),
        1 => format!("{fault}: occurred once"),
        _ => format!("{fault}: occurred {} times", number(times)),
    }
}

/// Renders the refusals of a plan, one guard a line: the number of resources, which are listed above, or the finding.
fn refusals(refusals: &[Refusal]) -> String {
    let what = |refusal: &Refusal| match refusal.items.len() {
        0 => printable(&refusal.message).into_owned(),
        items => format::count(items, "resource"),
    };
    let listed = |title: &str, of: Vec<&Refusal>| {
        let lines = of.iter().map(|refusal| format!("\n  {}: {}", refusal.guard, what(refusal))).collect::<Vec<_>>().concat();
        (!of.is_empty()).then(|| format!("{}{lines}", styled(REMOVED, title)))
    };
    let (until_approved, always): (Vec<&Refusal>, Vec<&Refusal>) = refusals.iter().partition(|refusal| refusal.guard.is_approvable());
    let blocks = [listed("Refused:", always), listed("Refused until approved:", until_approved)];
    blocks.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// Renders the approved refusals, for the person who is about to confirm the plan.
pub(crate) fn approved(refusals: &[Refusal]) -> String {
    let what = |refusal: &Refusal| match refusal.items.len() {
        0 => printable(&refusal.message).into_owned(),
        items => format::count(items, "resource"),
    };
    let line = |refusal: &Refusal| format!("{} {}\n", styled(REMOVED, format!("Approved: {}:", refusal.guard)), what(refusal));
    std::iter::once("\n".to_owned()).chain(refusals.iter().map(line)).collect()
}
