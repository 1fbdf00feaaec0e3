//! A report before it is rendered: a title, a lead and sections of values.
//!
//! A document is built once from a plan, a run, a rehearsal, an export or drift, and rendered for the terminal, as
//! Markdown and as HTML. Headings and the order of sections are defined only here. Sections contain values rather than
//! sentences, so that each renderer can lay them out.

use std::collections::BTreeMap;

use super::due_steps::DueStep;
use super::head::Head;
use super::kind_changes::KindChanges;
use super::mapping_rules::AcceptingRule;
use super::review::ReviewItem;
use super::table::Table;
use crate::apply::{AlteredValue, ChangeResult};
use crate::model::event::Operation;
use crate::model::resource::Key;
use crate::plan::refusal::Refusal;
use crate::plan::{Plan, Skipped};

/// A report before it is rendered.
#[derive(Debug, Default)]
pub(super) struct Document<'a> {
    /// The title.
    pub(super) title: String,
    /// The most important fact, in one line.
    pub(super) lead: Option<Lead>,
    /// The head of a plan or a comparison: source and target, size, risk and cost.
    pub(super) head: Option<Head>,
    /// The changes of a run by outcome, kind and risk, shown in files only.
    pub(super) overview: Option<Head>,
    /// Named facts, shown in files only.
    pub(super) facts: Vec<(&'static str, String)>,
    /// The sections in their order; none is empty.
    pub(super) sections: Vec<Section<'a>>,
    /// The end of a report on a terminal: refusals and next steps.
    pub(super) closing: Vec<Closing<'a>>,
}

impl Document<'_> {
    /// Returns the heading of a file, and the lead below it.
    pub(super) fn file_heading(&self) -> (String, Option<&Lead>) {
        match (&self.lead, &self.head) {
            (Some(lead), Some(_)) => (lead.text.replacen("  ", ": ", 1), None),
            (lead, _) => (self.title.clone(), lead.as_ref()),
        }
    }
}

/// Returns what the placeholders mean that a rendered report contains, if it contains any.
pub(super) fn meaning_of_placeholders(report: &str) -> Option<String> {
    let meanings = [
        ("⟨tenant⟩", "⟨tenant⟩ is each tenant's own domain"),
        ("⟨tenant-name⟩", "⟨tenant-name⟩ is the first label of its domain"),
        ("⟦", "⟦kind/name⟧ is the id of that resource"),
    ];
    let found: Vec<&str> = meanings.into_iter().filter(|(sign, _)| report.contains(sign)).map(|(_, meaning)| meaning).collect();
    (!found.is_empty()).then(|| format!("{}.", found.join("; ")))
}

/// The first line of a report.
#[derive(Debug)]
pub(super) struct Lead {
    /// Whether it is good or bad news.
    pub(super) tone: Tone,
    /// The text.
    pub(super) text: String,
    /// Whether there is nothing to do, which is shown below it.
    pub(super) is_idle: bool,
}

impl Lead {
    /// Creates a lead without such a note.
    pub(super) fn new(tone: Tone, text: String) -> Self {
        Self { tone, text, is_idle: false }
    }
}

/// The meaning of a text, which a renderer shows as a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// A heading, neither good nor bad.
    Neutral,
    /// Everything went well.
    Good,
    /// Something remains to be done.
    Pending,
    /// Something failed.
    Bad,
}

/// The topic of a section. Sections are ordered by these variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// The number of resources of each kind in an export.
    Counts,
    /// Logins that worked before a run and fail after it.
    LoginsBroken,
    /// Logins that fail.
    LoginsFailing,
    /// Every edit that needs approval, and possible mistakes.
    ReviewFirst,
    /// Fields that both tenants changed.
    Conflicts,
    /// The changes of a plan, by kind.
    Kinds,
    /// Faults that a rehearsal injected.
    Faults,
    /// Changes that the tenant refused.
    Failed,
    /// Changes that were applied without some parts.
    Partial,
    /// Changes that were sent but got no response.
    Unknown,
    /// Changes that were not sent because of how another one ended.
    SkippedChanges,
    /// Changes that were not reached.
    Unsent,
    /// Mapping rules that accept the refusals.
    AcceptingRules,
    /// Values that the target returned differently from what was sent.
    Altered,
    /// Resources and fields that should be copied but cannot be.
    Skipped,
    /// Fields that were changed in the target itself.
    Drift,
    /// Resources that the target no longer has.
    Deleted,
    /// Resources that could not be compared for drift.
    NotCompared,
    /// New secrets that were stored.
    StoredSecrets,
    /// Manual steps.
    ManualSteps,
    /// Logins of which it is not certain whether they work.
    LoginsUnclear,
    /// Logins that failed before a run and work after it.
    LoginsRepaired,
    /// Logins that failed before a run too.
    LoginsFailingAsBefore,
    /// Logins that were not asked for.
    LoginsNotProbed,
    /// The size of a probe; without a heading.
    Probe,
    /// The ids of what was created or linked.
    Ids,
    /// Changes that were applied.
    Applied,
    /// What a second plan would still change.
    SecondPlan,
    /// Differences between a rehearsal's copy and the target.
    CopyDiffers,
    /// Resources that are not copied on purpose.
    Excluded,
    /// Resources that an export could not read.
    NotExported,
    /// Names that several resources have.
    DuplicateNames,
    /// Resources that only the target has.
    Unmanaged,
    /// Fields that the catalog does not list.
    UnknownFields,
    /// Counts for an empty plan, or of secrets that were not exported; without a heading.
    Remainder,
    /// Other notes.
    Notes,
}

impl Topic {
    /// Returns the heading of the section in a report about this target, if it has one.
    fn heading(self, target: &str) -> Option<String> {
        let fixed = match self {
            Self::Counts | Self::Kinds | Self::Remainder | Self::Probe => return None,
            Self::Drift => return Some(format!("Drift: changed in {target} since the last run")),
            Self::Deleted => return Some(format!("Deleted from {target} since the last run")),
            Self::Ids => return Some(format!("Ids in {target} of what was created or linked")),
            Self::CopyDiffers => return Some(format!("Different in the copy and in {target} (the rehearsal is less reliable for these)")),
            Self::Unmanaged => return Some(format!("Unmanaged in {target}, not deleted")),
            Self::LoginsBroken => "Worked before the run and fails now",
            Self::LoginsFailing => "Fails",
            Self::LoginsUnclear => "Not certain whether logins work",
            Self::LoginsRepaired => "Failed before the run and works now",
            Self::LoginsFailingAsBefore => "Failed before the run too",
            Self::LoginsNotProbed => "Not probed",
            Self::ReviewFirst => "Review first",
            Self::Faults => "Simulated faults",
            Self::Failed => "Failed",
            Self::Partial => "Partially applied",
            Self::Unknown => "Outcome unknown (no response)",
            Self::SkippedChanges => "Skipped during the run",
            Self::Unsent => "Not sent",
            Self::AcceptingRules => "To accept these refusals permanently, add to the mapping",
            Self::Altered => "Returned differently than sent",
            Self::Skipped => "Skipped",
            Self::Conflicts => "Conflicts (changed in both tenants since the last run)",
            Self::NotCompared => "Not compared",
            Self::StoredSecrets => "New secrets stored (--secrets-to)",
            Self::ManualSteps => "Manual steps",
            Self::Applied => "Applied",
            Self::SecondPlan => "A second plan would still change",
            Self::Excluded => "Excluded",
            Self::NotExported => "Not exported",
            Self::DuplicateNames => "Duplicate names, and the keys used here",
            Self::UnknownFields => "Unknown fields (exported, not applied)",
            Self::Notes => "Notes",
        };
        Some(fixed.to_owned())
    }
}

/// How much of a section a terminal shows without `--verbose`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    /// All of it.
    Whole,
    /// At most this many lines.
    ToLines(usize),
    /// One line with the first names.
    ToNames,
}

/// Where a section is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Everywhere.
    Essential,
    /// In files only.
    Full,
}

/// A section of a report.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// The topic, which determines the position.
    topic: Topic,
    /// The heading, if there is one.
    pub(super) heading: Option<String>,
    /// Where it is shown.
    pub(super) detail: Detail,
    /// How much of it a terminal shows.
    pub(super) fold: Fold,
    /// The content.
    pub(super) content: Content<'a>,
}

impl Section<'_> {
    /// Returns whether it says what a run does not concern, which a page folds.
    pub(super) fn is_minor(&self) -> bool {
        match self.topic {
            Topic::Excluded | Topic::Unmanaged | Topic::UnknownFields | Topic::Notes | Topic::Skipped | Topic::Ids => true,
            // What a report about drift is about.
            Topic::Drift => self.detail == Detail::Full,
            _ => false,
        }
    }

    /// Returns the heading in files, where the changes have one too.
    pub(super) fn file_heading(&self) -> Option<&str> {
        match (&self.heading, self.topic) {
            (Some(heading), _) => Some(heading),
            (None, Topic::Kinds) => Some("Changes"),
            (None, _) => None,
        }
    }
}

/// The content of a section.
#[derive(Debug)]
pub(super) enum Content<'a> {
    /// One line of minor importance.
    Line(String),
    /// Facts, one per line.
    Lines(Vec<String>),
    /// Texts of a plan, one per line.
    Notes(&'a [String]),
    /// A table.
    Rows(Table),
    /// Changes by kind.
    Kinds(Vec<KindChanges<'a>>),
    /// What to review first.
    Review(Vec<ReviewItem<'a>>),
    /// Resources, each with a message.
    Messages(Vec<ResourceMessage<'a>>),
    /// Manual steps.
    Steps(Vec<DueStep>),
    /// The conflicts of this plan.
    Conflicts(&'a Plan),
    /// Values that the target returned differently from what was sent.
    Altered(Vec<(&'a ChangeResult, &'a AlteredValue)>),
    /// Resources by kind.
    Keys(Vec<(&'a str, Vec<&'a Key>)>),
    /// Resources.
    Resources(&'a [Key]),
    /// Fields by kind.
    Fields(Vec<(String, String)>),
    /// Mapping rules.
    Rules(Vec<AcceptingRule>),
    /// Faults, and how often each occurred.
    Faults(&'a [(String, usize)]),
}

impl<'a> Content<'a> {
    /// Returns the changes by kind, if it is that.
    pub(super) fn kinds(&self) -> Option<&[KindChanges<'a>]> {
        if let Self::Kinds(kinds) = self { Some(kinds) } else { None }
    }

    /// Returns the number of entries.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Line(_) => 1,
            Self::Lines(lines) => lines.len(),
            Self::Notes(notes) => notes.len(),
            Self::Rows(table) => table.len(),
            Self::Kinds(kinds) => {
                kinds.iter().flat_map(|kind| &kind.entries).map(|entry| entry.keys.len() * entry.fields.len().max(1)).sum()
            }
            Self::Review(items) => items.len(),
            Self::Messages(messages) => messages.len(),
            Self::Steps(steps) => steps.len(),
            Self::Conflicts(plan) => plan.conflicts.len(),
            Self::Altered(altered) => altered.len(),
            Self::Keys(kinds) => kinds.iter().map(|(_, keys)| keys.len()).sum(),
            Self::Resources(keys) => keys.len(),
            Self::Fields(fields) => fields.iter().map(|(_, paths)| paths.split(", ").count()).sum(),
            Self::Rules(rules) => rules.len(),
            Self::Faults(faults) => faults.len(),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Line(line) => line.is_empty(),
            listed => listed.len() == 0,
        }
    }
}

/// A message about a resource or a field.
#[derive(Debug, Clone)]
pub(super) struct ResourceMessage<'a> {
    /// The resource.
    pub(super) key: &'a Key,
    /// The operation, if the message is about a change.
    pub(super) operation: Option<Operation>,
    /// The field, unless the message is about the whole resource.
    pub(super) path: Option<&'a str>,
    /// The message.
    pub(super) text: &'a str,
}

impl<'a> From<&'a Skipped> for ResourceMessage<'a> {
    fn from(skipped: &'a Skipped) -> Self {
        Self { key: &skipped.key, operation: None, path: skipped.path.as_deref(), text: &skipped.reason }
    }
}

/// An element at the end of a report on a terminal.
#[derive(Debug)]
pub(super) enum Closing<'a> {
    /// Why the plan is refused.
    Refusals(&'a [Refusal]),
    /// What to do next.
    Next(String),
    /// The command that approves the reviewed plan.
    Approve {
        /// The command.
        command: String,
        /// Whether it works only at a terminal.
        is_interactive: bool,
    },
    /// A fact of minor importance.
    Aside(String),
}

/// Collects the sections of a report about one target.
pub(super) struct Sections<'a> {
    target: &'a str,
    all: Vec<Section<'a>>,
}

impl<'a> Sections<'a> {
    /// Creates an empty collection for this target.
    pub(super) fn new(target: &'a str) -> Self {
        Self { target, all: Vec::new() }
    }

    /// Adds a section that is shown everywhere, unless it is empty.
    pub(super) fn add(&mut self, topic: Topic, content: Content<'a>) {
        self.push(topic, Detail::Essential, content);
    }

    /// Adds a section that is shown in files only, unless it is empty.
    pub(super) fn add_to_files(&mut self, topic: Topic, content: Content<'a>) {
        self.push(topic, Detail::Full, content);
    }

    /// Adds a section that a terminal shows in part, unless it is empty.
    pub(super) fn add_folded(&mut self, topic: Topic, content: Content<'a>, fold: Fold) {
        self.push(topic, Detail::Essential, content);
        if let Some(section) = self.all.last_mut().filter(|section| section.topic == topic) {
            section.fold = fold;
        }
    }

    fn push(&mut self, topic: Topic, detail: Detail, content: Content<'a>) {
        if !content.is_empty() {
            self.all.push(Section { topic, heading: topic.heading(self.target), detail, fold: Fold::Whole, content });
        }
    }

    /// Returns the sections in their order.
    pub(super) fn in_order(mut self) -> Vec<Section<'a>> {
        self.all.sort_by_key(|section| section.topic);
        self.all
    }
}

/// Returns the reasons for skipped or excluded resources as content.
pub(super) fn messages(skipped: &[Skipped]) -> Content<'_> {
    Content::Messages(skipped.iter().map(ResourceMessage::from).collect())
}

/// Returns fields by kind as content.
pub(super) fn fields<'a>(by_kind: &BTreeMap<String, Vec<String>>) -> Content<'a> {
    Content::Fields(by_kind.iter().map(|(kind, paths)| (kind.clone(), paths.join(", "))).collect())
}
