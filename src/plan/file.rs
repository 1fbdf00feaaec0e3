//! `plan.json`: a plan saved for review and application.

use std::borrow::Cow;
use std::io;
use std::io::Write;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::{Plan, PlannedTenant, Undoes};
use super::plan_approval::PlanApproval;
use super::refusal::Refusal;
use crate::diagnostic::{Diagnostic, Text};
use crate::files;

/// The newest format that this version reads, and the one it writes.
pub const FORMAT: u32 = 1;

/// The content of the file.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct PlanFile<'plan> {
    format: u32,
    tool: Cow<'plan, str>,
    hash: String,
    refusals: Cow<'plan, [Refusal]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    approvals: Cow<'plan, [PlanApproval]>,
    #[serde(flatten)]
    plan: Cow<'plan, Plan>,
}

/// What every format of a plan file contains.
#[derive(Deserialize)]
struct PlanFormat {
    format: Option<u64>,
}

/// The tenants of a plan file, read without the rest of it.
#[derive(Debug, Deserialize)]
pub struct PlanTenants {
    source: PlannedTenant,
    target: PlannedTenant,
    #[serde(default)]
    undoes: Option<Undoes>,
}

impl PlanTenants {
    /// Reads the tenants of the plan in a file.
    ///
    /// # Errors
    ///
    /// If the file is missing or malformed.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = files::read_text(path)?;
        serde_json::from_str(&text).map_err(|error| Box::new(Text { path, text: &text }.not_json("this is not a plan", &error)).into())
    }

    /// Returns the tenant whose links and baseline are used, as [`Plan::source_tenant`] does.
    #[must_use]
    pub fn source_tenant(&self) -> &str {
        self.undoes.as_ref().map_or(&self.source.tenant, |undoes| &undoes.source)
    }

    /// Returns the target's domain.
    #[must_use]
    pub fn target_domain(&self) -> &str {
        &self.target.domain
    }
}

/// A plan saved for review.
#[derive(Debug, Clone)]
pub struct SavedPlan {
    /// The plan.
    pub plan: Plan,
    /// The refusals found when it was made.
    pub refusals: Vec<Refusal>,
    /// The approvals given since then.
    pub approvals: Vec<PlanApproval>,
    /// Identifies the content of the plan.
    pub hash: String,
}

/// Why a plan file cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// The file does not contain the JSON of a plan.
    #[error(transparent)]
    NotJson(#[from] Box<Diagnostic>),
    /// The content is not a valid plan.
    #[error("\"{path}\" is not a plan: {reason}", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The content was changed after the plan was made.
    #[error("plan \"{path}\" was changed after it was made", path = .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// An approval belongs to another plan, or was changed after it was given.
    #[error("the approval by {by} in plan \"{path}\" does not match the plan", path = .path.display())]
    Approval {
        /// The file.
        path: PathBuf,
        /// Who gave it.
        by: String,
    },
    /// The format is newer than this version can read.
    #[error("plan \"{path}\" has format {format}; this version of migrate reads up to {FORMAT}", path = .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        format: u64,
    },
}

/// Saves a plan with its refusals.
///
/// # Errors
///
/// If the file cannot be written.
pub fn save(path: &Path, plan: &Plan, refusals: &[Refusal]) -> Result<(), Error> {
    Ok(files::write_whole_with(path, |out| write(plan, refusals, out))?)
}

/// Serializes a plan file to a writer, without building it in memory.
///
/// # Errors
///
/// If `out` fails.
pub fn write(plan: &Plan, refusals: &[Refusal], out: &mut dyn Write) -> io::Result<()> {
    let (tool, hash) = (Cow::Borrowed(env!("CARGO_PKG_VERSION")), hash_of(plan, refusals));
    let (refusals, plan) = (Cow::Borrowed(refusals), Cow::Borrowed(plan));
    write_file(&PlanFile { format: FORMAT, tool, hash, refusals, approvals: Cow::Borrowed(&[]), plan }, out)
}

/// Saves a plan with its approvals.
///
/// # Errors
///
/// If the file cannot be written.
pub fn save_approved(path: &Path, saved: &SavedPlan) -> Result<(), Error> {
    let SavedPlan { plan, refusals, approvals, hash } = saved;
    let file = PlanFile {
        format: FORMAT,
        tool: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
        hash: hash.clone(),
        refusals: Cow::Borrowed(refusals),
        approvals: Cow::Borrowed(approvals),
        plan: Cow::Borrowed(plan),
    };
    Ok(files::write_whole_with(path, |out| write_file(&file, out))?)
}

fn write_file(file: &PlanFile<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, file)?;
    out.write_all(b"\n")
}

/// Loads a plan and its refusals.
///
/// # Errors
///
/// If the file is missing, malformed, changed or has a newer format.
pub fn load(path: &Path) -> Result<(Plan, Vec<Refusal>), Error> {
    load_saved(path).map(|saved| (saved.plan, saved.refusals))
}

/// Loads a plan with its approvals.
///
/// # Errors
///
/// If the file is missing, malformed, changed or has a newer format, or an approval does not match the plan.
pub fn load_saved(path: &Path) -> Result<SavedPlan, Error> {
    parse_saved(path, &files::read_text(path)?)
}

/// Parses the text of the plan file at `path`.
///
/// # Errors
///
/// If it is malformed, changed or has a newer format.
pub fn parse(path: &Path, text: &str) -> Result<(Plan, Vec<Refusal>), Error> {
    parse_saved(path, text).map(|saved| (saved.plan, saved.refusals))
}

fn parse_saved(path: &Path, text: &str) -> Result<SavedPlan, Error> {
    let not_json = |error: serde_json::Error| Box::new(Text { path, text }.not_json("this is not a plan", &error));
    match serde_json::from_str::<PlanFormat>(text).map_err(not_json)?.format {
        Some(format) if format > u64::from(FORMAT) => return Err(Error::Newer { path: path.to_owned(), format }),
        Some(_) => {}
        None => return Err(Error::Malformed { path: path.to_owned(), reason: "\"format\" is missing".to_owned() }),
    }
    let written: PlanFile<'_> = serde_json::from_str(text).map_err(not_json)?;
    if hash_of(&written.plan, &written.refusals) != written.hash {
        return Err(Error::Changed { path: path.to_owned() });
    }
    let target = &written.plan.target.tenant;
    if !files::is_plain_name(target) {
        let reason = format!("\"{target}\" cannot be the name of a tenant: a folder is named after it");
        return Err(Error::Malformed { path: path.to_owned(), reason });
    }
    if let Some(other) = written.approvals.iter().find(|approval| !approval.is_of(&written.hash)) {
        return Err(Error::Approval { path: path.to_owned(), by: other.by.clone() });
    }
    let PlanFile { plan, refusals, approvals, hash, .. } = written;
    Ok(SavedPlan { plan: plan.into_owned(), refusals: refusals.into_owned(), approvals: approvals.into_owned(), hash })
}

fn hash_of(plan: &Plan, refusals: &[Refusal]) -> String {
    let mut hash = files::ContentHash::default();
    serde_json::to_writer(&mut hash, &(plan, refusals)).expect("a plan is JSON, and a hash takes everything");
    hash.finish()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::resource::key;
    use crate::plan::model::PlannedTenant;

    fn saved() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plan.json");
        let side = |name: &str| PlannedTenant::new(name, &format!("{name}.auth0.com"), "2026-01-01T00:00:00Z");
        let plan = Plan::between(side("dev"), side("prod"));
        save(&path, &plan, &[]).expect("saved");
        assert_eq!(load(&path).expect("loaded"), (plan, Vec::new()));
        (folder, path)
    }

    #[test]
    fn a_number_with_many_digits_survives_a_saved_plan() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plan.json");
        let side = || PlannedTenant::new("dev", "dev.auth0.com", "2026-01-01T00:00:00Z");
        let mut plan = Plan::between(side(), side());
        let body = serde_json::from_str("{\"order\": 184467440731709551615, \"share\": 0.30000000000000004}").expect("a body");
        let action = crate::plan::Action::Create { body, twins: Vec::new() };
        let (key, source_id) = (key("rules/A"), crate::model::resource::Id::new("a"));
        let change = crate::plan::Change { key, source_id, action, needs: Vec::new(), secrets: Vec::new() };
        plan.stages.push(crate::plan::Stage { title: "Rules".into(), changes: vec![change] });
        save(&path, &plan, &[]).expect("saved");
        assert_eq!(load(&path).expect("unchanged").0, plan);
    }

    #[test]
    fn a_plan_edited_by_hand_is_refused() {
        let (_folder, path) = saved();
        fs::write(&path, fs::read_to_string(&path).expect("read").replace("prod.auth0.com", "other.auth0.com")).expect("written");
        let refused = load(&path).expect_err("refused").to_string();
        assert_eq!(refused, format!("plan \"{}\" was changed after it was made", path.display()));
    }

    #[test]
    fn a_plan_that_changes_a_kind_which_this_version_does_not_know_says_so() {
        let (_folder, path) = saved();
        let text = fs::read_to_string(&path).expect("read").replace("\"known\": {}", "\"known\": {\"gizmos/A\": \"1\"}");
        fs::write(&path, text).expect("written");
        let refused = load(&path).expect_err("refused").to_string();
        let label = "\"gizmos/A\" is not a key: \"gizmos\" is no kind this version of migrate knows";
        assert!(refused.starts_with("this is not a plan") && refused.ends_with(label), "{refused}");
    }

    #[test]
    fn a_plan_of_a_newer_format_is_refused_by_its_number() {
        let (_folder, path) = saved();
        fs::write(&path, fs::read_to_string(&path).expect("read").replace("\"format\": 1", "\"format\": 2")).expect("written");
        assert!(matches!(load(&path), Err(Error::Newer { format: 2, .. })));
    }
}
