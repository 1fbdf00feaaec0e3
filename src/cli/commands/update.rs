//! `migrate update`

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::one::{self, FetchedResource};
use crate::catalog::{Kind, RequestPurpose};
use crate::cli::ceremony::Ceremony;
use crate::cli::context::Context;
use crate::cli::dry_run::{Next, Planned, Stop};
use crate::cli::error::{Failure, USAGE};
use crate::cli::lock::LockOptions;
use crate::cli::options::{kind, read_json};
use crate::cli::review::approved;
use crate::cli::secrets_to::Secrets;
use crate::cli::write_options::help_of_allow;
use crate::config::TenantSettings;
use crate::export::{Scope, export};
use crate::json::{Body, top};
use crate::management_api::Tenant;
use crate::model::event::NoObserver;
use crate::model::resource::{Resource, take_secrets};
use crate::model::selection::Selection;
use crate::plan::guards::{self, PlanOrigin};
use crate::plan::{Estimate, Plan, PlannedTenant, plan_single_resource};
use crate::report::shell_word;
use crate::snapshot::Snapshot;
use crate::workflow::{Proposal, includable, included, lock, now, protected, refusals, unapproved};

/// Update one resource from a file
///
/// Fields that are missing from the file do not change. Set a field to null to clear it. Only differences are sent.
#[derive(Debug, Args)]
#[command(allow_missing_positional = true)]
pub(in crate::cli) struct UpdateArgs {
    /// The kind, as `migrate kinds` lists it
    kind: String,
    /// The name or id of the resource; none for a kind with a single resource
    #[arg(value_name = "NAME|ID")]
    name: Option<String>,
    /// The file with its fields as JSON; `-` reads standard input
    file: PathBuf,
    /// The tenant to change [default: the only one configured]
    #[arg(long, visible_alias = "to", value_name = "TENANT")]
    tenant: Option<String>,
    #[command(flatten)]
    stop: Stop,
    #[arg(long, value_name = "GUARD,..", value_delimiter = ',', help_heading = "Approval and writing", help = help_of_allow(&guards::OF_RISKS))]
    allow: Vec<String>,
    /// Do not ask for confirmation
    #[arg(long, short, help_heading = "Approval and writing")]
    yes: bool,
    #[command(flatten, next_help_heading = "Approval and writing")]
    lock_timeout: LockOptions,
}

impl UpdateArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let approved = approved(&self.allow)?;
        let kind = kind(context, &self.kind)?;
        let (name, file) = (self.name.as_deref(), self.file.as_path());
        let wanted = read_file(file)?;
        let settings = context.tenant_settings(self.tenant.as_deref())?;
        let lock =
            if self.stop.is_wanted() { None } else { Some(lock(context.environment()?, settings, self.lock_timeout.lock_timeout).await?) };
        let tenant = context.environment()?.connect(settings)?;
        let found = one::find(context, &tenant, kind, name).await?;
        found.refuse_reserved(kind, &tenant, settings)?;
        refuse_another(&found, kind, &wanted, file)?;
        refuse_unknown(&found, kind, &wanted, file)?;
        refuse_fixed(&found, kind, &wanted, file)?;
        let wanted = writable(context, kind, &found, wanted, file);
        let mut plan = plan_single_resource(context.catalog, &side(settings), &found.name, &found.resource, &wanted);
        one::refuse_beside(context, &tenant, settings, (&found, &plan)).await?;
        let refusals = refusals(context.environment()?, &mut plan, PlanOrigin::Resource, (&tenant, settings)).await?;
        let left = unapproved(refusals.clone(), &approved, settings, self.stop.review());
        let Some(lock) = lock else {
            return {
                let estimate = Some(Estimate::new(&plan, tenant.known_limits()));
                let planned = Planned { plan: &plan, refusals: &refusals, unapproved: &left, estimate };
                self.stop.after(context, planned, self.in_earnest(&settings.name))
            };
        };
        let question = format!("Change {} \"{}\" of \"{}\" ({})?", kind.singular, found.name, settings.name, settings.domain);
        let live = if plan.is_empty() || !left.is_empty() { None } else { Some(before(context, &tenant, settings, &plan).await?) };
        let proposal = Proposal::of_plan(plan, tenant, (refusals, left));
        let proposal = live.into_iter().fold(proposal, Proposal::with_snapshot);
        // An update creates nothing, so the target generates no secrets.
        let secrets = &Secrets::default();
        Ceremony { context, command: "update", allow: &self.allow, secrets, question, yes: self.yes }.carry_out(proposal, &lock).await
    }

    /// Returns the command that executes the plan.
    fn in_earnest(&self, tenant: &str) -> Next {
        let file = self.file.to_string_lossy();
        let words = std::iter::once(self.kind.as_str()).chain(self.name.as_deref()).chain([&*file]);
        let of: Vec<String> = words.map(shell_word).collect();
        Next { command: format!("migrate update {} --tenant {tenant}", of.join(" ")), allow: self.allow.clone(), flags: Vec::new() }
    }
}

/// Reads the kind that is changed, for the snapshot that the run keeps.
async fn before(context: &Context, tenant: &Tenant, settings: &TenantSettings, plan: &Plan) -> Result<Snapshot, Failure> {
    let selection = Selection::exactly(context.catalog, plan.changes().map(|change| change.key.kind().name.to_owned()).collect());
    let include: Vec<String> = includable(context.catalog).into_iter().map(str::to_owned).collect();
    let scope = Scope { selection, include: included(context.catalog, &include)?, ..Scope::default() };
    let mut live = export(context.catalog, tenant, &scope, &now(), &NoObserver).await?;
    live.protect(&protected(settings));
    Ok(live)
}

fn side(settings: &TenantSettings) -> PlannedTenant {
    PlannedTenant::new(&settings.name, &settings.domain, &now())
}

fn read_file(path: &Path) -> Result<Body, Failure> {
    let no_object = |_| Failure::new(USAGE, format!("\"{}\" does not contain a JSON object", path.display()));
    Body::from_value(read_json(path)?).map_err(no_object)
}

/// Refuses a file that was read from another resource.
fn refuse_another(found: &FetchedResource, kind: &Kind, wanted: &Body, file: &Path) -> Result<(), Failure> {
    match wanted.text(kind.identity.id) {
        Some(id) if found.answer.text(kind.identity.id).is_some_and(|held| held != id) => {
            let error = format!("\"{}\" is for another {}: its {} is {id}", file.display(), kind.singular, kind.identity.id);
            let hint =
                format!("remove {} from the file to give \"{}\" the same settings, or name {id} instead", kind.identity.id, found.name);
            Err(Failure::new(USAGE, error).hint(hint))
        }
        _ => Ok(()),
    }
}

/// Refuses a field that neither the API nor the tenant's response has: it is misspelt.
fn refuse_unknown(found: &FetchedResource, kind: &Kind, wanted: &Body, file: &Path) -> Result<(), Failure> {
    let fields = kind.fields.writable();
    let is_shown = |name: &str| found.answer.0.contains_key(name) || name == kind.identity.id;
    let is_read_only = |name: &str| kind.fields.read_only.iter().chain(kind.secrets.paths).any(|path| top(path) == name);
    let is_known = |name: &str| fields.has(name) || is_read_only(name) || is_shown(name);
    let Some(name) = wanted.0.keys().find(|name| !is_known(name)) else { return Ok(()) };
    let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let error = format!("\"{}\" has an unknown field \"{name}\" (kind: {})", file.display(), kind.name);
    Err(Failure::new(USAGE, error).hint(crate::diagnostic::did_you_mean(name, &known)))
}

/// Refuses fields that the API does not accept for a resource that the tenant itself created.
fn refuse_fixed(found: &FetchedResource, kind: &Kind, wanted: &Body, file: &Path) -> Result<(), Failure> {
    let Some(given) = kind.quirks.built_in.filter(|_| found.resource.is_given) else { return Ok(()) };
    let (mut asked, mut held) = (wanted.clone(), found.answer.clone());
    for path in given.fields {
        asked.take(path);
        held.take(path);
    }
    let is_emptied = |value: &Value| value.as_object().is_some_and(serde_json::Map::is_empty);
    let differs =
        |(name, value): &(&String, &Value)| kind.fields.writable().has(name) && !is_emptied(value) && held.0.get(*name) != Some(*value);
    let Some((name, _)) = asked.0.iter().find(differs) else { return Ok(()) };
    let error = format!("\"{}\" changes {name}, and {}", file.display(), given.reason);
    Err(Failure::new(USAGE, error).hint(format!("it takes {}", given.fields.join(", "))))
}

/// Returns the requested body: the writable fields of the file over those of the target.
fn writable(context: &Context, kind: &'static Kind, found: &FetchedResource, mut wanted: Body, file: &Path) -> Resource {
    kind.apply_read_edits(&mut wanted);
    let secrets = take_secrets(kind, &mut wanted);
    let (wanted, left) = kind.fields.writable().split(wanted, RequestPurpose::Snapshot);
    let is_changed = |name: &&String| found.answer.0.get(*name) != left.0.get(*name);
    let unchanged: Vec<&str> = left.0.keys().filter(|name| !is_changed(name)).map(String::as_str).collect();
    let changed: Vec<&str> = left.0.keys().filter(is_changed).map(String::as_str).collect();
    if !unchanged.is_empty() {
        context.tell(&format!("Ignored in {} (read-only): {}", file.display(), unchanged.join(", ")));
    }
    if !changed.is_empty() {
        context.tell(&format!("Ignored in {} (not fields of {}): {}", file.display(), kind.name, changed.join(", ")));
    }
    if !secrets.is_empty() {
        context.tell(&format!("Ignored in {} (secrets cannot be set from a file): {}", file.display(), secrets.join(", ")));
    }
    let mut resource = found.resource.clone();
    resource.body.change(|body| {
        body.0.extend(wanted.0);
        if let Some(given) = kind.quirks.built_in.filter(|_| found.resource.is_given) {
            given.keep_written(body, kind.identity.key);
        }
    });
    resource
}
