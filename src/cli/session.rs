//! A run before its first write: what it carries out and where, its folder and its journal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::context::{Context, now};
use super::error::{FAILED, Failure, ROOM, USAGE};
use super::history;
use super::limits::RunBudget;
use super::prepare::{Prepared, protected, read};
use super::review::preflight;
use super::secrets_to::Secrets;
use crate::apply::{Journal, SecretSink, StaleChanges, SyncState};
use crate::config::TenantSettings;
use crate::files::{self, Lock};
use crate::management_api::Tenant;
use crate::plan::guards;
use crate::plan::refusal::Refusal;
use crate::plan::{Plan, file};
use crate::state::baseline::Baseline;

/// What the target will hold once the run ended, for whoever goes on with it.
const PROMISED: &str = "base.json";

/// A run that is about to begin, or to go on, under the lock on its target.
pub(super) struct Session<'lock> {
    /// What it carries out.
    pub(super) plan: Arc<Plan>,
    /// Where.
    pub(super) tenant: Tenant,
    /// What earlier runs left of its source and target.
    pub(super) memory: Option<SyncState>,
    /// What moved in the target since the plan was made.
    pub(super) moved: StaleChanges,
    /// Why nothing is sent any more, where that is so.
    pub(super) withheld: Option<&'static str>,
    /// Its folder.
    pub(super) folder: PathBuf,
    /// Its journal.
    pub(super) journal: Journal,
    /// What becomes part of the base, as far as the run comes.
    pub(super) promised: Baseline,
    /// How far it may go.
    pub(super) leeway: RunBudget,
    /// Who keeps the secrets that the target makes.
    pub(super) keeper: Option<Box<dyn SecretSink>>,
    /// The verb that carries it out.
    pub(super) by: String,
    /// The flags that go on with it as it began.
    pub(super) flags: Vec<String>,
    /// The lock, as long as it goes on.
    pub(super) lock: &'lock Lock,
}

impl<'lock> Session<'lock> {
    /// Begins a run of what was prepared; `by` is the verb that does.
    ///
    /// What was found is kept before anything is written, so that whoever goes on after a cut knows it too.
    pub(super) fn of(context: &Context, prepared: Prepared, lock: &'lock Lock, by: &str) -> Result<Self, Failure> {
        let Prepared { plan, tenant, desired, live, mut memory, .. } = prepared;
        let promised = memory.begin(desired, &live, &plan);
        memory.save()?;
        Self::promising(context, (plan, tenant, Some(memory)), promised, lock, by)
    }

    /// Begins a run of a plan that was made earlier, or that is of one tenant alone.
    ///
    /// What `moved` since then is left alone.
    pub(super) fn of_plan(
        context: &Context,
        plan: Plan,
        tenant: Tenant,
        moved: StaleChanges,
        lock: &'lock Lock,
        by: &str,
    ) -> Result<Self, Failure> {
        let memory = left_of(context, &plan, &moved)?;
        Ok(Self { moved, ..Self::promising(context, (plan, tenant, memory), Baseline::default(), lock, by)? })
    }

    /// Makes the folder of a new run, with its plan, its journal and what it promises.
    fn promising(
        context: &Context,
        (plan, tenant, memory): (Plan, Tenant, Option<SyncState>),
        promised: Baseline,
        lock: &'lock Lock,
        by: &str,
    ) -> Result<Self, Failure> {
        let (name, folder) = new_folder(context, &plan.target.tenant)?;
        if !promised.is_empty() {
            promised.save(&folder.join(PROMISED))?;
        }
        file::save(&folder.join("plan.json"), &plan, &[])?;
        let journal = Journal::begin(&folder.join("journal.jsonl"), &name, &now(), by)?;
        Ok(Self { memory, by: by.to_owned(), ..Self::new((plan, tenant), (folder, journal), promised, lock) })
    }

    /// Goes on with a run that was cut off: reads its files and the target; writes nothing to it yet.
    pub(super) async fn again(
        context: &Context,
        target: &TenantSettings,
        folder: &Path,
        lock: &'lock Lock,
        include: &[String],
    ) -> Result<Self, Failure> {
        let begun = Self::of_folder(context, target, folder, lock)?;
        let (plan, tenant) = (&begun.plan, &begun.tenant);
        let live = read(context, tenant, target, include).await?;
        let moved =
            StaleChanges::since_begun(context.catalog, plan, &live, &begun.journal.applied()).without_protected(plan, &protected(target));
        let standing: Vec<Refusal> = guards::secrets(context.catalog, plan, &|field| context.secret(field)).into_iter().collect();
        preflight(context, plan, tenant, &standing, &[]).await?;
        let memory = left_of(context, plan, &moved)?;
        Ok(Self { memory, moved, ..begun })
    }

    /// Looks up what is in doubt of a run that was cut off, and keeps what it leaves; nothing more of it is sent, because of this.
    pub(super) fn looked_up(
        context: &Context,
        target: &TenantSettings,
        folder: &Path,
        lock: &'lock Lock,
        reason: &'static str,
    ) -> Result<Self, Failure> {
        let begun = Self::of_folder(context, target, folder, lock)?;
        let memory = context.memory_of(&begun.plan)?;
        Ok(Self { memory, withheld: Some(reason), ..begun })
    }

    fn of_folder(context: &Context, target: &TenantSettings, folder: &Path, lock: &'lock Lock) -> Result<Self, Failure> {
        let (plan, _) = file::load(&folder.join("plan.json"))?;
        refuse_another_target(&plan, target)?;
        let tenant = context.connect(target)?;
        let journal = Journal::resume(&folder.join("journal.jsonl"), &now())?;
        let promised = Baseline::load(&folder.join(PROMISED))?;
        Ok(Self::new((plan, tenant), (folder.to_owned(), journal), promised, lock))
    }

    fn new((plan, tenant): (Plan, Tenant), (folder, journal): (PathBuf, Journal), promised: Baseline, lock: &'lock Lock) -> Self {
        Self {
            plan: Arc::new(plan),
            tenant,
            memory: None,
            moved: StaleChanges::default(),
            withheld: None,
            folder,
            journal,
            promised,
            leeway: RunBudget::default(),
            keeper: None,
            by: String::new(),
            flags: Vec::new(),
            lock,
        }
    }

    /// Leaves links and base as they are, as a run does that is killed at its end.
    pub(super) fn unremembered(self) -> Self {
        Self { memory: None, ..self }
    }

    /// Lets the run take no new changes beyond a leeway.
    pub(super) fn within(self, leeway: RunBudget) -> Self {
        Self { leeway, ..self }
    }

    /// Has the secrets that the target makes kept, as these flags ask for.
    pub(super) fn with_keeper(self, keeper: Option<Box<dyn SecretSink>>, secrets: &Secrets) -> Self {
        Self { keeper, flags: secrets.typed(), ..self }
    }
}

/// Returns what earlier runs left of the source and the target of a plan, and the pairs that it tells of.
fn left_of(context: &Context, plan: &Plan, moved: &StaleChanges) -> Result<Option<SyncState>, Failure> {
    let mut memory = context.memory_of(plan)?;
    if let Some(memory) = &mut memory {
        memory.adopt_planned(plan, moved);
    }
    Ok(memory)
}

/// Remembers that both sides agree, where nothing is to change; returns the plan that says so.
pub(super) fn agree(prepared: Prepared) -> Result<Plan, Failure> {
    let Prepared { plan, desired, live, mut memory, .. } = prepared;
    memory.begin(desired, &live, &plan);
    memory.save()?;
    Ok(plan)
}

/// A plan is carried out on the tenant it was made for.
pub(super) fn refuse_another_target(plan: &Plan, target: &TenantSettings) -> Result<(), Failure> {
    let TenantSettings { name, domain, .. } = target;
    if plan.target.domain == *domain {
        return Ok(());
    }
    let state = format!("nothing was written: the plan is for {}, and \"{name}\" is {domain}", plan.target.domain);
    Err(Failure::new(USAGE, state).hint("name the tenant it was made for with --tenant"))
}

/// Makes the folder of a run, which must be a new one: a journal that goes on from another's would tell of neither.
fn new_folder(context: &Context, target: &str) -> Result<(String, PathBuf), Failure> {
    let name = context.run_on(target)?;
    let folder = context.folder("runs")?.join(&name);
    match files::make_new_folder(&folder) {
        Ok(()) => {
            if history::is_ahead(&name, SystemTime::now()) {
                context.tell(&format!("The clock stands before the last run; so that this one is the newest, it is called {name}."));
            }
            Ok((name, folder))
        }
        Err(taken) if taken.kind() == std::io::ErrorKind::AlreadyExists => {
            let state = format!("nothing was written: there is a run \"{name}\" already");
            Err(Failure::new(FAILED, state).hint("run the same command again"))
        }
        Err(source) => {
            let state = format!("nothing was written: cannot make the folder \"{}\"", folder.display());
            Err(Failure::new(FAILED, state).caused_by(&source).hint(ROOM))
        }
    }
}
