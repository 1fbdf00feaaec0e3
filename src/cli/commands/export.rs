//! `migrate export`

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;

use super::snapshots::keep_newest;
use crate::cli::context::Context;
use crate::cli::error::{ADD_SCOPES, DENIED, Failure, INCOMPLETE};
use crate::cli::options::SelectionOptions;
use crate::export::{Scope, export};
use crate::report;
use crate::snapshot::replacement::replace_at;
use crate::snapshot::store::{FileLayout, Stored, folder_of};
use crate::snapshot::{Snapshot, Status, store};
use crate::workflow::{included, now, protected};

/// Export a tenant's settings to a versioned snapshot
///
/// A snapshot contains names instead of ids, and no secrets, so you can compare snapshots of different tenants. If nothing has changed since
/// the newest snapshot, no new snapshot is written.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArgs {
    /// The tenant to read [default: the only one configured]
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    #[command(flatten)]
    part: SelectionOptions,
    /// Also include third-party clients: `--include third-party`
    #[arg(long, value_name = "WORD,..", value_delimiter = ',', help_heading = "Selection")]
    include: Vec<String>,
    /// Write the snapshot to this folder, which must not exist yet, or be empty
    #[arg(long, value_name = "DIR", help_heading = "Snapshot")]
    out: Option<PathBuf>,
    /// With --out: replace the snapshot in the folder. Fails if the folder contains anything else, except for files of git
    #[arg(long, requires = "out", help_heading = "Snapshot")]
    replace: bool,
    /// With --out: one file per resource instead of one per kind, for reviews in git
    #[arg(long, requires = "out", help_heading = "Snapshot")]
    one_file_per_resource: bool,
    /// After the export, delete all but the newest N snapshots of the tenant, except those that past runs need
    #[arg(long, value_name = "N", conflicts_with = "out", help_heading = "Snapshot")]
    keep: Option<NonZeroUsize>,
}

impl ExportArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let (selection, include) = (self.part.selection(context)?, included(context.catalog, &self.include)?);
        let scope = Scope { selection, include, ..Scope::default() };
        let settings = context.tenant_settings(self.tenant.as_deref())?;
        let tenant = context.environment()?.connect(settings)?;
        let mut snapshot = export(context.catalog, &tenant, &scope, &now(), &*context.terminal).await?;
        refuse_a_blind_token(&snapshot)?;
        snapshot.protect(&protected(settings));
        let stored = match &self.out {
            Some(path) => self.save_at(context, path, &snapshot)?,
            None => store::save(&folder_of(&context.environment()?.folder("snapshots"), &snapshot), &snapshot)?,
        };
        let is_same = matches!(stored, Stored::Same(_));
        let is_whole = !snapshot.kinds.values().any(|status| matches!(status, Status::Forbidden(_)));
        let code = if is_whole { 0 } else { INCOMPLETE };
        let deleted = self.keep.map_or(Ok(Vec::new()), |keep| keep_newest(context, &snapshot, keep))?;
        let next = self.next(context, &snapshot, stored.path())?;
        let view = report::ExportView { snapshot: &snapshot, path: stored.path(), is_same, next: &next, deleted: &deleted };
        context.answer(|| report::exported(&view), || report::exported_json(&view, code));
        Ok(code)
    }

    fn save_at(&self, context: &Context, path: &Path, snapshot: &Snapshot) -> Result<Stored, Failure> {
        if self.replace {
            return Ok(replace_at(context.catalog, path, (snapshot, self.layout()))?);
        }
        store::save_at(path, snapshot, self.layout()).map_err(|error| {
            let is_taken = path.join("manifest.json").exists();
            let failure = Failure::from(error);
            if is_taken { failure.hint("add --replace to replace the snapshot in this folder") } else { failure }
        })
    }

    fn layout(&self) -> FileLayout {
        if self.one_file_per_resource { FileLayout::Resources } else { FileLayout::Kinds }
    }

    /// Returns the command that uses what was written: a plan for the tenant that follows this one, or a comparison where there is none.
    fn next(&self, context: &Context, snapshot: &Snapshot, path: &Path) -> Result<String, Failure> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_named = self.out.is_none() && snapshot.selection.is_none();
        let from = if is_named { format!("{}@{name}", snapshot.tenant) } else { path.display().to_string() };
        let (from, tenants) = (report::shell_word(&from), &context.settings()?.tenants);
        let follower = tenants.values().find(|other| other.source.as_deref() == Some(&snapshot.tenant));
        let command = match follower {
            Some(target) => format!("migrate plan --tenant {} --from {from}", report::shell_word(&target.name)),
            None => format!("migrate diff {from} {}", report::shell_word(&snapshot.tenant)),
        };
        Ok(context.command(command, []))
    }
}

/// Fails if the token may read none of the requested kinds.
fn refuse_a_blind_token(snapshot: &Snapshot) -> Result<(), Failure> {
    let forbidden: Vec<&String> =
        snapshot.kinds.values().filter_map(|status| if let Status::Forbidden(reason) = status { Some(reason) } else { None }).collect();
    if forbidden.is_empty() || forbidden.len() < snapshot.kinds.len() {
        return Ok(());
    }
    let mut failure = Failure::new(DENIED, format!("the token for \"{}\" cannot read any of it", snapshot.tenant));
    failure = failure.caused_by(&std::io::Error::other(forbidden[0].clone()));
    Err(failure.hint(ADD_SCOPES))
}
