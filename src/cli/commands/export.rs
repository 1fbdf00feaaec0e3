//! `migrate export`

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::{ADD_SCOPES, DENIED, Failure, INCOMPLETE};
use crate::cli::options::SelectionOptions;
use crate::export::{Scope, export};
use crate::report;
use crate::snapshot::store::folder_of;
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
    /// Include resources that are excluded by default: third-party
    #[arg(long, value_name = "WORD,..", value_delimiter = ',')]
    include: Vec<String>,
    /// Write the snapshot to this folder, which must not exist yet
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
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
            Some(path) => store::save_at(path, &snapshot)?,
            None => store::save(&folder_of(&context.environment()?.folder("snapshots"), &snapshot), &snapshot)?,
        };
        let is_same = matches!(stored, store::Stored::Same(_));
        let is_whole = !snapshot.kinds.values().any(|status| matches!(status, Status::Forbidden(_)));
        let code = if is_whole { 0 } else { INCOMPLETE };
        context.answer(
            || report::exported(&snapshot, stored.path(), is_same),
            || report::exported_json(&snapshot, stored.path(), is_same, code),
        );
        Ok(code)
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
