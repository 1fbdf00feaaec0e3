//! What a report says, before it has a format: a title, a lead and sections of values.
//!
//! A document is built once from a plan, a run, a rehearsal, an export or drift. The terminal, Markdown and HTML render it; what a section is
//! called and where it comes is decided here alone. Sections hold values, no sentences, so that each renderer lays them out as it needs.

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
use crate::plan::{Change, Drift, Plan, Skipped};

/// A report before it has a format.
#[derive(Debug, Default)]
pub(super) struct Document<'a> {
    /// What it is about.
    pub(super) title: String,
    /// The most important fact, in one line.
    pub(super) lead: Option<Lead>,
    /// What a plan is about, how big it is, and what it takes.
    pub(super) head: Option<Head>,
    /// Facts by name, which only files show.
    pub(super) facts: Vec<(&'static str, String)>,
    /// The sections in their order; none is empty.
    pub(super) sections: Vec<Section<'a>>,
    /// What comes last on a terminal: refusals and what to do next.
    pub(super) closing: Vec<Closing<'a>>,
}

/// The first line of a report.
#[derive(Debug)]
pub(super) struct Lead {
    /// What it means.
    pub(super) tone: Tone,
    /// What it says.
    pub(super) text: String,
    /// Whether there is nothing to do, which is said under it.
    pub(super) is_idle: bool,
}

impl Lead {
    /// Returns a lead that stands for itself.
    pub(super) fn new(tone: Tone, text: String) -> Self {
        Self { tone, text, is_idle: false }
    }
}

/// What a text means, which a renderer shows as a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// A heading, neither good nor bad.
    Neutral,
    /// Everything went well.
    Good,
    /// Something is left to do.
    Pending,
    /// Something failed.
    Bad,
}

/// What a section is about. Sections come in the order of these variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// How many resources of each kind an export found.
    Counts,
    /// Every edit that needs an approval, and what may be a mistake.
    ReviewFirst,
    /// Fields that both tenants changed.
    Conflicts,
    /// The changes of a plan by kind.
    Kinds,
    /// Faults that a rehearsal injected.
    Faults,
    /// Changes that the tenant refused.
    Failed,
    /// Changes of which parts did not arrive.
    Partial,
    /// Changes that were sent and never answered.
    Unknown,
    /// Changes that were not sent because of how another one ended.
    SkippedChanges,
    /// Changes that the run did not reach.
    Unsent,
    /// Mapping rules that accept what was refused.
    AcceptingRules,
    /// Values that the target returned otherwise than they were sent.
    Altered,
    /// What should be copied and cannot be.
    Skipped,
    /// Fields that the target changed by itself.
    Drift,
    /// Resources that the target no longer has.
    Deleted,
    /// What drift could not be looked for in.
    NotCompared,
    /// New secrets that were stored.
    StoredSecrets,
    /// What a person has to do.
    ManualSteps,
    /// Changes that the target holds now.
    Applied,
    /// What a second plan would still change.
    SecondPlan,
    /// What the copy of a rehearsal returns otherwise than the target.
    CopyDiffers,
    /// What is not copied on purpose.
    Excluded,
    /// What an export could not read.
    NotExported,
    /// Names that more than one resource has.
    DuplicateNames,
    /// What only the target has.
    Unmanaged,
    /// Fields that the catalog does not describe.
    UnknownFields,
    /// Counts of what an empty plan does not list, or of secrets that were not exported; without a heading.
    Remainder,
    /// Anything else worth a line.
    Notes,
}

impl Topic {
    /// Returns the heading of its section in a report about this target; nothing for a section without one.
    fn heading(self, target: &str) -> Option<String> {
        let fixed = match self {
            Self::Counts | Self::Kinds | Self::Remainder => return None,
            Self::Drift => return Some(format!("Drift: changed in {target} since the last run")),
            Self::Deleted => return Some(format!("Deleted from {target} since the last run")),
            Self::CopyDiffers => return Some(format!("Different in the copy than in {target}, so the rehearsal proves less about them")),
            Self::Unmanaged => return Some(format!("Unmanaged in {target} (not deleted)")),
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
            Self::Conflicts => "Conflicts: changed in both since the last run",
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

/// How much of a section a terminal shows unless everything was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    /// All of it.
    Whole,
    /// So many lines.
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

/// A part of a report.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// What it is about, which decides its place.
    topic: Topic,
    /// Its heading, where it has one.
    pub(super) heading: Option<String>,
    /// Where it is shown.
    pub(super) detail: Detail,
    /// How much of it a terminal shows.
    pub(super) fold: Fold,
    /// What it holds.
    pub(super) content: Content<'a>,
}

/// What a section holds.
#[derive(Debug)]
pub(super) enum Content<'a> {
    /// One line of little weight.
    Line(String),
    /// Facts, one a line.
    Lines(Vec<String>),
    /// Texts of a plan, one a line.
    Notes(&'a [String]),
    /// Rows in columns.
    Rows(Table),
    /// Changes, with everything they do.
    Changes(Vec<&'a Change>),
    /// Changes by kind.
    Kinds(Vec<KindChanges<'a>>),
    /// What to review first.
    Review(Vec<ReviewItem<'a>>),
    /// Resources, with a message about each.
    Messages(Vec<ResourceMessage<'a>>),
    /// Steps that are left to a person.
    Steps(Vec<DueStep>),
    /// Fields that the target changed by itself.
    Drift(&'a [Drift]),
    /// The fields of this plan that both tenants changed.
    Conflicts(&'a Plan),
    /// Values that the target returned otherwise than they were sent.
    Altered(Vec<(&'a ChangeResult, &'a AlteredValue)>),
    /// Resources by kind.
    Keys(Vec<(&'a str, Vec<&'a Key>)>),
    /// Resources.
    Resources(&'a [Key]),
    /// Fields by kind.
    Fields(Vec<(String, String)>),
    /// Rules of a mapping.
    Rules(Vec<AcceptingRule>),
    /// Faults, and how often each occurred.
    Faults(&'a [(String, usize)]),
}

impl Content<'_> {
    /// Returns how many things it lists.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Line(_) => 1,
            Self::Lines(lines) => lines.len(),
            Self::Notes(notes) => notes.len(),
            Self::Rows(table) => table.len(),
            Self::Changes(changes) => changes.len(),
            Self::Kinds(kinds) => kinds.len(),
            Self::Review(items) => items.len(),
            Self::Messages(messages) => messages.len(),
            Self::Steps(steps) => steps.len(),
            Self::Drift(drift) => drift.len(),
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

/// A resource, the field that is meant, and a message about it.
#[derive(Debug, Clone)]
pub(super) struct ResourceMessage<'a> {
    /// The resource.
    pub(super) key: &'a Key,
    /// What was done with it, where the message is about a change.
    pub(super) operation: Option<Operation>,
    /// The field, where the message is not about all of it.
    pub(super) path: Option<&'a str>,
    /// The message.
    pub(super) text: &'a str,
}

impl<'a> From<&'a Skipped> for ResourceMessage<'a> {
    fn from(skipped: &'a Skipped) -> Self {
        Self { key: &skipped.key, operation: None, path: skipped.path.as_deref(), text: &skipped.reason }
    }
}

/// What comes last on a terminal.
#[derive(Debug)]
pub(super) enum Closing<'a> {
    /// Why the plan is refused.
    Refusals(&'a [Refusal]),
    /// What to do next.
    Next(String),
    /// The command that approves what was reviewed.
    Approve {
        /// The command.
        command: String,
        /// Whether it approves only at a terminal.
        is_interactive: bool,
    },
    /// A fact of little weight.
    Aside(String),
}

/// Collects the sections of a report about one target.
pub(super) struct Sections<'a> {
    target: &'a str,
    all: Vec<Section<'a>>,
}

impl<'a> Sections<'a> {
    /// Returns no sections yet of a report about this target.
    pub(super) fn new(target: &'a str) -> Self {
        Self { target, all: Vec::new() }
    }

    /// Adds a section that is shown everywhere, unless it is empty.
    pub(super) fn add(&mut self, topic: Topic, content: Content<'a>) {
        self.push(topic, Detail::Essential, content);
    }

    /// Adds a section that only files show, unless it is empty.
    pub(super) fn add_to_files(&mut self, topic: Topic, content: Content<'a>) {
        self.push(topic, Detail::Full, content);
    }

    /// Adds a section of which a terminal shows a part, unless it is empty.
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

/// Returns what is said of skipped or excluded resources as content.
pub(super) fn messages(skipped: &[Skipped]) -> Content<'_> {
    Content::Messages(skipped.iter().map(ResourceMessage::from).collect())
}

/// Returns fields by kind as content.
pub(super) fn fields<'a>(by_kind: &BTreeMap<String, Vec<String>>) -> Content<'a> {
    Content::Fields(by_kind.iter().map(|(kind, paths)| (kind.clone(), paths.join(", "))).collect())
}
