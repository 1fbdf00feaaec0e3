//! Sections that a plan and a summary share: what is left out, what is to be done by hand.

use std::collections::HashMap;

use super::format::{count, named, names, number, printable};
use super::style::{QUIET, TITLE, painted};
use crate::model::event::Operation;
use crate::model::resource::Key;
use crate::plan::{ManualStep, Skipped};

/// How often a reason may stand before it is said once for all.
const FEW: usize = 5;
/// Names shown of those who wait for a step, and lines shown that say much the same.
const MOST: usize = 10;

/// A resource, the field of it that is meant, and what there is to say.
#[derive(Debug, Clone)]
pub(super) struct Remark<'said> {
    /// The resource.
    pub(super) key: &'said Key,
    /// What stands before its name (`update `), or nothing.
    pub(super) operation: Option<Operation>,
    /// The field, where only that is meant.
    pub(super) path: Option<&'said str>,
    /// What there is to say.
    pub(super) reason: &'said str,
}

impl<'said> From<&'said Skipped> for Remark<'said> {
    fn from(left: &'said Skipped) -> Self {
        Self { key: &left.key, operation: None, path: left.path.as_deref(), reason: &left.reason }
    }
}

/// Returns a section: its title and its lines indented under it, or nothing where there are none.
pub(super) fn section(title: &str, lines: Vec<String>) -> Option<String> {
    let body = lines.into_iter().map(|line| format!("\n  {line}")).collect::<Vec<_>>().concat();
    (!body.is_empty()).then(|| format!("{}{body}", painted(TITLE, title)))
}

/// Returns remarks as lines; what is said of many resources is said once, with a count and the first names.
pub(super) fn remarks<'said>(all: impl Iterator<Item = Remark<'said>>) -> Vec<String> {
    grouped(all).iter().flat_map(|group| lines(group, FEW)).collect()
}

/// Returns the steps that are left to a person, numbered; a step for many resources is one.
pub(super) fn by_hand<'said>(steps: impl Iterator<Item = &'said ManualStep>) -> Option<String> {
    let remark = |manual: &'said ManualStep| Remark { key: &manual.key, operation: None, path: None, reason: &manual.step };
    let groups = grouped(steps.map(remark));
    let steps = groups.iter().flat_map(|group| if group.len() > FEW { vec![group.as_slice()] } else { group.chunks(1).collect() });
    let numbered = |(at, step): (usize, &[Remark<'_>])| {
        let mut step = lines(step, MOST);
        step[0] = format!("{}. {}", at + 1, step[0]);
        step
    };
    section("By hand", steps.enumerate().flat_map(numbered).collect())
}

/// Returns the first of many lines that say much the same.
pub(super) fn first<'said>(lines: impl ExactSizeIterator<Item = &'said String>) -> Vec<String> {
    let more = lines.len().saturating_sub(MOST);
    let rest = (more > 0).then(|| painted(QUIET, format!("… {} more: `--output json`", number(more))));
    lines.take(MOST).map(|line| printable(line).into_owned()).chain(rest).collect()
}

/// Puts together what is the same said of several resources, in the order in which it is said first.
fn grouped<'said>(all: impl Iterator<Item = Remark<'said>>) -> Vec<Vec<Remark<'said>>> {
    let mut places: HashMap<(&str, Option<&str>, Option<Operation>), usize> = HashMap::new();
    let mut groups: Vec<Vec<Remark<'said>>> = Vec::new();
    for remark in all {
        let place = *places.entry((remark.reason, remark.path, remark.operation)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(remark),
            None => groups.push(vec![remark]),
        }
    }
    groups
}

fn lines(group: &[Remark<'_>], most: usize) -> Vec<String> {
    if group.len() <= FEW {
        return group.iter().map(|remark| said(remark, &named(remark.key))).collect();
    }
    let kind = group[0].key.kind();
    let is_one_kind = group.iter().all(|remark| remark.key.kind() == kind);
    let what = if is_one_kind { format!("{} {kind}", number(group.len())) } else { count(group.len(), "resource") };
    vec![said(&group[0], &what), format!("  {}", names(group.iter().map(|remark| remark.key), most))]
}

/// Returns what a remark says of one or many.
fn said(remark: &Remark<'_>, of: &str) -> String {
    let path = remark.path.map(|path| format!(", {}", printable(path))).unwrap_or_default();
    let operation = remark.operation.map(|operation| format!("{operation} ")).unwrap_or_default();
    format!("{operation}{of}{path}: {}", printable(remark.reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::key;

    #[test]
    fn what_is_said_of_many_names_the_field_so_that_nobody_thinks_the_resources_are_left_out() {
        let keys: Vec<Key> = (1..=6).map(|nth| key(&format!("clients/C{nth}"))).collect();
        let remark = |key| Remark { key, operation: None, path: Some("sso"), reason: "it cannot be cleared" };
        let lines = remarks(keys.iter().map(remark));
        assert_eq!(lines, ["6 clients, sso: it cannot be cleared", "  C1, C2, C3, C4, C5 and 1 more"]);
    }

    #[test]
    fn a_step_for_many_is_one_step() {
        let manual = |name: &str, step: &str| ManualStep { key: key(name), path: "client_secret".into(), step: step.into() };
        let mut steps: Vec<ManualStep> = (1..=6).map(|nth| manual(&format!("clients/C{nth}"), "hand it out")).collect();
        steps.push(manual("clients/Web", "set it"));
        let text = crate::report::style::plain(&by_hand(steps.iter()).expect("steps"));
        assert_eq!(text, "By hand\n  1. 6 clients: hand it out\n    C1, C2, C3, C4, C5, C6\n  2. client \"Web\": set it");
    }
}
