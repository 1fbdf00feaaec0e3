//! Source and target -> plan: the same for `plan`, a dry run and an import.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::context::{Context, now};
use super::error::{Failure, REFUSED, USAGE};
use crate::apply::SyncState;
use crate::catalog::Kind;
use crate::config::TenantSettings;
use crate::diagnostic::Text;
use crate::export::{Reading, ResponseRecorder, Selection};
use crate::files;
use crate::management_api::Tenant;
use crate::mapping::{Mapped, Mapping};
use crate::model::resource::Id;
use crate::plan::guards;
use crate::plan::refusal::Refusal;
use crate::plan::{OnDrift, Plan, PlanContext, PlannedTenant, name_departed, plan_after};
use crate::report::shell_word;
use crate::snapshot::{Desired, Snapshot, store};
use crate::state::pair;

/// Where settings come from and where they go.
#[derive(Debug, Clone, Args)]
pub(super) struct Route {
    /// The target tenant [default: the only one configured]
    #[arg(long, visible_alias = "to", value_name = "TENANT")]
    pub(super) tenant: Option<String>,
    /// Where the settings come from: a tenant, or the folder of a snapshot [default: `source` of the target]
    #[arg(long, value_name = "TENANT|DIR")]
    pub(super) from: Option<String>,
    #[command(flatten)]
    pub(super) manner: ImportOptions,
}

/// How settings go from the one to the other.
#[derive(Debug, Clone, Args)]
pub(super) struct ImportOptions {
    /// The rules for what differs between the two [default: `mapping` of the target]
    #[arg(long, value_name = "FILE")]
    pub(super) mapping: Option<PathBuf>,
    /// Copy what is usually left alone: third-party
    #[arg(long, value_name = "WORD,..", value_delimiter = ',')]
    pub(super) include: Vec<String>,
    /// What to do about fields that the target changed by itself since the last run
    #[arg(long, value_name = "WHAT", default_value = "keep", value_enum)]
    pub(super) drift: DriftChoice,
    /// Remove what an earlier run made or adopted and the source has no more; it needs --allow deletes too
    #[arg(long)]
    pub(super) prune: bool,
}

/// What to do about fields that the target changed by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DriftChoice {
    /// They stay, and are named.
    Keep,
    /// The source's value is written over them.
    Overwrite,
    /// Nothing is written at all.
    Fail,
}

impl From<DriftChoice> for OnDrift {
    fn from(choice: DriftChoice) -> Self {
        match choice {
            DriftChoice::Keep => Self::Keep,
            DriftChoice::Overwrite => Self::Overwrite,
            DriftChoice::Fail => Self::Fail,
        }
    }
}

/// Which part of a tenant is meant.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Part {
    /// Only these kinds
    #[arg(long, value_name = "KIND,..", value_delimiter = ',')]
    pub(super) kinds: Vec<String>,
    /// Only resources whose key matches, as in 'clients/Web*'
    #[arg(long, value_name = "GLOB")]
    pub(super) only: Vec<String>,
    /// Copy what is usually left alone: third-party
    #[arg(long, value_name = "WORD,..", value_delimiter = ',')]
    pub(super) include: Vec<String>,
}

/// A plan, and everything needed to carry it out.
pub(super) struct Prepared {
    pub(super) plan: Plan,
    pub(super) refusals: Vec<Refusal>,
    pub(super) tenant: Tenant,
    pub(super) desired: Desired,
    pub(super) live: Snapshot,
    pub(super) memory: SyncState,
    /// The folder that holds what the source wanted, before any mapping.
    pub(super) source: PathBuf,
}

/// A source: a tenant that is read now, or a snapshot on disk.
enum Source<'settings> {
    Tenant(&'settings TenantSettings),
    Snapshot(Box<Snapshot>),
}

impl Source<'_> {
    /// Returns the tenant that the settings are of.
    fn side(&self) -> pair::TenantIdentity {
        match self {
            Self::Tenant(settings) => pair::TenantIdentity::new(&settings.name, &settings.domain),
            Self::Snapshot(snapshot) => pair::TenantIdentity::new(&snapshot.tenant, &snapshot.domain),
        }
    }
}

impl ImportOptions {
    /// Returns its flags besides the mapping's, to be repeated in another command.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if !self.include.is_empty() {
            words.extend(["--include".to_owned(), self.include.join(",")]);
        }
        if let Some(drift) = self.drift.to_possible_value().filter(|_| self.drift != DriftChoice::Keep) {
            words.extend(["--drift".to_owned(), drift.get_name().to_owned()]);
        }
        if self.prune {
            words.push("--prune".to_owned());
        }
        words
    }
}

impl Route {
    /// Returns the verb and flags that carry a plan out which was made this way.
    pub(super) fn import(&self, plan: &Plan) -> String {
        let from = self.from.as_deref().unwrap_or(&plan.source.tenant);
        let mut words = vec![format!("migrate import --tenant {} --from {}", plan.target.tenant, shell_word(from))];
        words.extend(self.manner.mapping.iter().map(|path| format!("--mapping {}", shell_word(&path.display().to_string()))));
        words.extend(self.manner.words());
        words.join(" ")
    }
}

impl Part {
    /// Checks the names and returns what to read.
    pub(super) fn selection(&self, context: &Context) -> Result<Selection, Failure> {
        let kinds = self.kinds.iter().map(|name| kind(context, name).map(|kind| kind.name.to_owned())).collect::<Result<_, _>>()?;
        let only = patterns(&self.only)?;
        for pattern in &only {
            let name = pattern.as_str().split('/').next().unwrap_or_default();
            if !name.contains(['*', '?', '[']) {
                kind(context, name)?;
            }
        }
        Ok(Selection { kinds, only, include: included(context, &self.include)? })
    }
}

/// Returns the patterns of keys that were named.
pub(super) fn patterns(texts: &[String]) -> Result<Vec<glob::Pattern>, Failure> {
    let pattern = |text: &String| {
        let pattern = glob::Pattern::new(text);
        pattern.map_err(|error| Failure::new(USAGE, format!("nothing was done: \"{text}\" is no pattern")).caused_by(&error))
    };
    texts.iter().map(pattern).collect()
}

/// Returns every word of what is usually left alone.
pub(super) fn includable(context: &Context) -> BTreeSet<&'static str> {
    context.catalog.kinds().flat_map(|kind| kind.excluded).filter_map(|alone| alone.unless).collect()
}

/// Returns the words of what is copied though it is usually left alone, or says which there are.
fn included(context: &Context, words: &[String]) -> Result<BTreeSet<String>, Failure> {
    let known = includable(context);
    if let Some(unknown) = words.iter().find(|word| !known.contains(word.as_str())) {
        let known: Vec<&str> = known.into_iter().collect();
        return Err(Failure::new(USAGE, format!("nothing was done: \"{unknown}\" is nothing that can be included"))
            .hint(format!("--include takes {}", known.join(", "))));
    }
    Ok(words.iter().cloned().collect())
}

/// Returns the kind of a name, or says which one was probably meant.
pub(super) fn kind(context: &Context, name: &str) -> Result<&'static Kind, Failure> {
    context.catalog.kind(name).ok_or_else(|| {
        let failure = Failure::new(USAGE, format!("nothing was done: there is no kind \"{name}\""));
        match context.catalog.nearest(name) {
            Some(nearest) => failure.hint(format!("did you mean \"{nearest}\"? `migrate kinds` lists them")),
            None => failure.hint("`migrate kinds` lists them"),
        }
    })
}

/// Reads the JSON in a file, or on standard input where that is `-`.
pub(super) fn read_json(path: &Path) -> Result<serde_json::Value, Failure> {
    let is_input = path == Path::new("-");
    let text = if is_input { std::io::read_to_string(std::io::stdin()) } else { files::read_text(path) };
    let text =
        text.map_err(|source| Failure::new(USAGE, format!("nothing was done: cannot read \"{}\"", path.display())).caused_by(&source))?;
    let shown = if is_input { Path::new("standard input") } else { path };
    let wrong =
        |error| Failure::new(USAGE, "nothing was done").caused_by(&Text { path: shown, text: &text }.not_json("this is no JSON", &error));
    serde_json::from_str(&text).map_err(wrong)
}

/// Reads both sides and decides what it takes; writes nothing to any tenant.
pub(super) async fn prepare(context: &Context, route: &Route) -> Result<Prepared, Failure> {
    prepare_seen_by(context, route, None).await
}

/// Reads both sides, the target seen by a recorder of its answers, and decides what it takes; writes nothing to any tenant.
pub(super) async fn prepare_seen_by(
    context: &Context,
    route: &Route,
    recorder: Option<&dyn ResponseRecorder>,
) -> Result<Prepared, Failure> {
    let target = context.tenant_settings(route.tenant.as_deref())?;
    let source = source(context, route, target)?;
    refuse_the_same(&source, target)?;
    let mapping = match route.manner.mapping.as_ref().or(target.mapping.as_ref()) {
        Some(path) => Mapping::load(context.catalog, path)?,
        None => Mapping::default(),
    };
    let memory = context.memory(source.side(), target)?;
    let tenant = context.connect(target)?;
    let is_snapshot = matches!(source, Source::Snapshot(_));
    let (source, live) = match source {
        Source::Snapshot(snapshot) => (*snapshot, read_seen_by(context, &tenant, target, &route.manner.include, recorder).await?),
        Source::Tenant(settings) => {
            let from = context.connect(settings)?;
            let wanted = &route.manner.include;
            tokio::try_join!(read(context, &from, settings, wanted), read_seen_by(context, &tenant, target, wanted, recorder))?
        }
    };
    let unknown = own_unknown(&source).filter(|_| is_snapshot);
    let stored = store::save(&context.folder("snapshots")?, &source)?;
    let Mapped { mut desired, untouched } = mapping.apply(context.catalog, source)?;
    desired.snapshot.protect(&protected(target));
    name_departed(context.catalog, &mut desired, &live, &memory.links, &memory.source_ids);
    let sent = memory.sent(&desired, &|from| context.outside(from));
    let past = PlanContext {
        links: &memory.links,
        base: &memory.base,
        sent: &sent,
        on_drift: route.manner.drift.into(),
        prune: route.manner.prune,
        keeps_own: true,
    };
    let mut plan = plan_after(context.catalog, &desired, &live, past);
    plan.notes.extend(untouched.into_iter().map(|place| format!("the rule at {place} had nothing to do")));
    plan.notes.extend(protects_nothing(target, &[&desired.snapshot, &live]));
    plan.notes.extend(unknown);
    let mut refusals = guards::refusals(context.catalog, &plan, &desired, &live, target.most_changed);
    if route.manner.drift == DriftChoice::Fail {
        refusals.extend(guards::drift(&plan));
    }
    if memory.lacks_base() {
        refusals.extend(guards::no_baseline(&plan));
    }
    refusals.extend(guards::secrets(context.catalog, &plan, &|field| context.secret(field)));
    Ok(Prepared { plan, refusals, tenant, desired, live, memory, source: stored.path().to_owned() })
}

/// Reads a tenant whole, leaving alone what is migrate's own or protected.
pub(super) async fn read(context: &Context, tenant: &Tenant, settings: &TenantSettings, include: &[String]) -> Result<Snapshot, Failure> {
    read_seen_by(context, tenant, settings, include, None).await
}

async fn read_seen_by(
    context: &Context,
    tenant: &Tenant,
    settings: &TenantSettings,
    include: &[String],
    recorder: Option<&dyn ResponseRecorder>,
) -> Result<Snapshot, Failure> {
    let selection = Selection { include: included(context, include)?, ..Selection::default() };
    let reading = Reading { tenant, selection: &selection, observer: &*context.progress, recorder };
    let mut snapshot = reading.export(context.catalog, &now()).await?;
    snapshot.protect(&protected(settings));
    Ok(snapshot)
}

/// Returns the patterns of what a tenant's configuration protects.
pub(super) fn protected(settings: &TenantSettings) -> Vec<glob::Pattern> {
    settings.protected.iter().filter_map(|text| glob::Pattern::new(text).ok()).collect()
}

/// Says of each pattern that matches nothing in either tenant that it protects nobody: it may be misspelt.
fn protects_nothing(target: &TenantSettings, sides: &[&Snapshot; 2]) -> Vec<String> {
    let matches_any =
        |pattern: &glob::Pattern| sides.iter().any(|side| side.resources.iter().any(|one| pattern.matches(&one.key.to_string())));
    let idle = protected(target).into_iter().filter(|pattern| !matches_any(pattern));
    let [source, target] = sides.map(|side| side.tenant.as_str());
    idle.map(|pattern| format!("\"{pattern}\" is to be protected, and nothing in {source} or {target} is called so")).collect()
}

/// Reads a snapshot; which client migrate signed in with where it was taken is known from it, or else from the configuration of its tenant.
fn load(context: &Context, path: &Path) -> Result<Snapshot, Failure> {
    let mut snapshot = store::load(context.catalog, path)?;
    let of_the_same = context.settings()?.tenants.get(&snapshot.tenant).filter(|settings| settings.domain == snapshot.domain);
    // Without credentials nothing is known, and nothing is asked of that tenant.
    let client = of_the_same.and_then(|settings| context.connect(settings).ok()?.client_id());
    if let Some(client) = client {
        snapshot.reserve_own(context.catalog, &Id::new(client));
    }
    Ok(snapshot)
}

/// Says which clients may be migrate's own in the source, where it does not say which one is.
fn own_unknown(source: &Snapshot) -> Option<String> {
    let may_be: Vec<String> = source.clients_of_the_management_api().iter().map(ToString::to_string).collect();
    let which = format!(
        "the settings of {} do not say which client migrate signed in with; skip it in the mapping if it is one of those",
        source.tenant
    );
    (!source.knows_own_client() && !may_be.is_empty()).then(|| format!("{which} with access to the Management API: {}", may_be.join(", ")))
}

fn source<'settings>(context: &'settings Context, route: &Route, target: &TenantSettings) -> Result<Source<'settings>, Failure> {
    let Some(from) = route.from.as_deref().or(target.source.as_deref()) else {
        let state = format!("nothing was done: where should the settings for \"{}\" come from?", target.name);
        return Err(Failure::new(USAGE, state).hint("add --from TENANT, or `source` in migrate.toml"));
    };
    if context.settings()?.tenants.contains_key(from) {
        return Ok(Source::Tenant(context.settings()?.tenant(from)?));
    }
    let path = Path::new(from);
    if path.is_dir() || from.contains('/') {
        return Ok(Source::Snapshot(Box::new(load(context, path)?)));
    }
    Ok(Source::Tenant(context.settings()?.tenant(from)?))
}

/// Returns the tenant that the settings come from.
pub(super) fn source_side(context: &Context, route: &Route, target: &TenantSettings) -> Result<pair::TenantIdentity, Failure> {
    Ok(source(context, route, target)?.side())
}

/// Returns a tenant that somebody names as a source; one that is not configured may be that of a snapshot.
pub(super) fn named_source(context: &Context, name: &str) -> Result<pair::TenantIdentity, Failure> {
    let domain = context.settings()?.tenants.get(name).map(|tenant| tenant.domain.clone());
    Ok(pair::TenantIdentity { tenant: name.to_owned(), domain })
}

fn refuse_the_same(source: &Source<'_>, target: &TenantSettings) -> Result<(), Failure> {
    let side = |tenant: &str, domain: &str| PlannedTenant { tenant: tenant.to_owned(), domain: domain.to_owned(), taken: String::new() };
    let source = match source {
        Source::Tenant(settings) => side(&settings.name, &settings.domain),
        Source::Snapshot(snapshot) => side(&snapshot.tenant, &snapshot.domain),
    };
    let same = guards::same_tenant(&Plan::between(source, side(&target.name, &target.domain)));
    same.map_or(Ok(()), |refusal| {
        let failure = Failure::new(REFUSED, format!("nothing was written: {}", refusal.message));
        Err(failure.hint("name another source with --from"))
    })
}
