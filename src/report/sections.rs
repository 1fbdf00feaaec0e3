//! Sections that a plan and a summary share: what is left out, what is to be done by hand.

use super::paint::{TITLE, painted};
use super::words::{count, named, names, number, printable};
use crate::plan::{LeftOut, Manual};
use crate::resource::Key;

/// How often a reason may stand before it is said once for all.
const FEW: usize = 5;

/// A resource, the field of it that is meant, and what there is to say.
#[derive(Debug, Clone)]
pub(super) struct Remark<'said> {
    /// The resource.
    pub(super) key: &'said Key,
    /// What stands before its name (`update `), or nothing.
    pub(super) verb: &'said str,
    /// The field, where only that is meant.
    pub(super) path: Option<&'said str>,
    /// What there is to say.
    pub(super) because: &'said str,
}

impl<'said> From<&'said LeftOut> for Remark<'said> {
    fn from(left: &'said LeftOut) -> Self {
        Self { key: &left.key, verb: "", path: left.path.as_deref(), because: &left.because }
    }
}

/// Returns a section: its title and its lines indented under it, or nothing where there are none.
pub(super) fn section(title: &str, lines: Vec<String>) -> Option<String> {
    let body = lines.into_iter().map(|line| format!("\n  {line}")).collect::<Vec<_>>().concat();
    (!body.is_empty()).then(|| format!("{}{body}", painted(TITLE, title)))
}

/// Returns remarks as lines; what is said of many resources is said once, with a count.
pub(super) fn remarks<'said>(all: impl Iterator<Item = Remark<'said>>) -> Vec<String> {
    let is_same = |one: &Remark<'_>, other: &Remark<'_>| (one.because, one.path, one.verb) == (other.because, other.path, other.verb);
    let mut groups: Vec<Vec<Remark<'said>>> = Vec::new();
    for remark in all {
        match groups.iter_mut().find(|group| is_same(&group[0], &remark)) {
            Some(group) => group.push(remark),
            None => groups.push(vec![remark]),
        }
    }
    groups.iter().flat_map(|group| if group.len() > FEW { together(group) } else { group.iter().map(line).collect() }).collect()
}

fn line(remark: &Remark<'_>) -> String {
    said(remark, &named(remark.key))
}

fn together(group: &[Remark<'_>]) -> Vec<String> {
    let kind = group[0].key.kind();
    let is_one_kind = group.iter().all(|remark| remark.key.kind() == kind);
    let what = if is_one_kind { format!("{} {kind}", number(group.len())) } else { count(group.len(), "resource") };
    vec![said(&group[0], &what), format!("  {}", names(group.iter().map(|remark| remark.key), FEW))]
}

/// Returns what a remark says of one or many.
fn said(remark: &Remark<'_>, of: &str) -> String {
    let path = remark.path.map(|path| format!(", {}", printable(path))).unwrap_or_default();
    format!("{}{of}{path}: {}", remark.verb, printable(remark.because))
}

/// Returns the steps that are left to a person, numbered.
pub(super) fn by_hand<'said>(steps: impl Iterator<Item = &'said Manual>) -> Option<String> {
    let line = |(at, manual): (usize, &Manual)| format!("{}. {}: {}", at + 1, named(&manual.key), printable(&manual.step));
    section("By hand", steps.enumerate().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::key;

    #[test]
    fn what_is_said_of_many_names_the_field_so_that_nobody_thinks_the_resources_are_left_out() {
        let keys: Vec<Key> = (1..=6).map(|nth| key(&format!("clients/C{nth}"))).collect();
        let remark = |key| Remark { key, verb: "", path: Some("sso"), because: "it cannot be cleared" };
        let lines = remarks(keys.iter().map(remark));
        assert_eq!(lines, ["6 clients, sso: it cannot be cleared", "  C1, C2, C3, C4, C5 and 1 more"]);
    }
}
