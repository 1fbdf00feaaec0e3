//! Reads a tenant by its log: only the kinds that were written to since the last reading.
//!
//! The log is a hint, never proof. Whatever does not fit together leads to a complete reading, with the reason.

mod full_reason;
mod memory;
mod window;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tracing::warn;

pub(super) use self::full_reason::FullReason;
pub(super) use self::memory::PairSide;
use self::memory::{Conditions, Memory, ReadingRecord};
use self::window::{LogWindow, check_runs};
use super::environment::Environment;
use super::error::Error;
use crate::catalog::Catalog;
use crate::config::{NightlyReading, TenantSettings};
use crate::export::{self, Begun, Reading, Remembered, Scope};
use crate::files;
use crate::plan::{Action, Plan, PlannedReading};
use crate::snapshot::Snapshot;
use crate::state::pair::TenantPair;

/// Which part of a tenant is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReadMode {
    /// Everything.
    #[default]
    Full,
    /// What the tenant's log says was written to since the last reading.
    Incremental,
}

/// Where readings of the two tenants of a pair are remembered, and what they depend on.
pub(super) struct PairReadings<'a> {
    environment: &'a Environment,
    folder: PathBuf,
    nightly: NightlyReading,
    /// Why nothing that was remembered may be used, whatever the log says.
    refusal: Option<FullReason>,
    include: BTreeSet<String>,
    mapping: Option<String>,
}

/// What an incremental reading is asked for with.
pub(super) struct ReadingRequest<'a> {
    pub(super) mode: ReadMode,
    /// The file of the mapping.
    pub(super) mapping: Option<&'a Path>,
    /// The part of both tenants.
    pub(super) scope: &'a Scope,
    /// Why an incremental reading is out of the question, if so.
    pub(super) refusal: Option<FullReason>,
}

impl<'a> PairReadings<'a> {
    /// Returns the readings of a pair, if incremental ones are asked for.
    ///
    /// # Errors
    ///
    /// If the mapping cannot be read.
    pub(super) fn of(
        environment: &'a Environment,
        (pair, target): (&TenantPair, &TenantSettings),
        request: ReadingRequest<'_>,
    ) -> Result<Option<Self>, Error> {
        let ReadingRequest { mode, mapping, scope, refusal } = request;
        if mode == ReadMode::Full {
            return Ok(None);
        }
        let mapping = mapping.map(|path| Ok::<_, Error>(files::content_hash(&files::read(path)?))).transpose()?;
        let refusal = (!scope.selection.is_everything()).then_some(FullReason::Selection).or(refusal);
        let (folder, include) = (pair.readings(), scope.include.clone());
        Ok(Some(Self { environment, folder, nightly: target.nightly, refusal, include, mapping }))
    }

    /// Has the next readings of a pair be complete: a run did not end as it was planned.
    pub(super) fn forget(pair: &TenantPair) {
        Memory::forget_all(&pair.readings());
    }

    /// Returns why the resources of a plan must be read completely before it may be applied, if so.
    pub(super) fn distrust(plan: &Plan) -> Option<FullReason> {
        let is_partial = |reading: &Option<PlannedReading>| matches!(reading, Some(PlannedReading::Incremental { .. }));
        let deletes = plan.changes().any(|change| matches!(change.action, Action::Delete { .. }));
        (deletes && (is_partial(&plan.source.reading) || is_partial(&plan.target.reading))).then_some(FullReason::Deletes)
    }

    /// Returns the memory of one side.
    fn memory(&self, side: PairSide, settings: &TenantSettings) -> Memory {
        Memory::new(&self.folder, side, settings)
    }
}

/// A tenant that is being read, and what a later reading needs to continue from this one.
pub(super) struct BegunReading<'reading> {
    begun: Begun<'reading, 'static>,
    reading: Reading<'reading>,
    how: Option<HowRead>,
    next: Option<(Memory, ReadingRecord)>,
}

/// How a tenant is read.
enum HowRead {
    Full(FullReason),
    Incremental { since: SystemTime, kinds: BTreeSet<&'static str> },
}

/// Begins to read one of the two tenants.
pub(super) async fn begin<'reading>(
    reading: Reading<'reading>,
    readings: Option<&PairReadings<'_>>,
    (side, settings): (PairSide, &TenantSettings),
) -> Result<BegunReading<'reading>, export::Error> {
    let catalog = Catalog::standard();
    let Some(readings) = readings else {
        return Ok(BegunReading { begun: reading.begin(catalog).await?, reading, how: None, next: None });
    };
    let memory = readings.memory(side, settings);
    let now = SystemTime::now();
    // What is wrong with the sign-in is better reported by the first reading.
    let scopes = reading.tenant.scopes().await.ok().flatten();
    let conditions = Conditions::new(readings.include.clone(), readings.mapping.clone(), scopes);
    let earlier = memory.record();
    let delay = readings.nightly.log_delay;
    let window = LogWindow::search(reading.tenant, catalog, (earlier.as_ref().ok().map(ReadingRecord::searched), delay)).await;
    let next = window.as_ref().ok().map(|window| ReadingRecord::begin(now, window.ids_since(now - delay), conditions.clone()));
    let usable = async {
        if let Some(refusal) = readings.refusal.clone() {
            return Err(refusal);
        }
        let window = window?.complete()?;
        let record = earlier?;
        record.check(&conditions, now, readings.nightly.full_every)?;
        if side == PairSide::Target {
            check_runs(readings.environment, settings, record.searched(), &window)?;
        }
        let kinds = window.written_kinds(catalog, &record, delay)?;
        let snapshot = memory.reading(catalog, &record)?;
        Ok((record, Remembered::new(catalog, snapshot, kinds)))
    };
    let (begun, how, next) = match usable.await {
        Ok((record, remembered)) => {
            let (begun, kinds) = reading.begin_from(catalog, remembered).await?;
            let next = next.map(|next| next.continuing(&record));
            (begun, HowRead::Incremental { since: record.searched(), kinds }, next)
        }
        Err(reason) => (reading.begin(catalog).await?, HowRead::Full(reason), next),
    };
    // Only a reading of everything can stand for everything.
    let next = next.filter(|_| reading.scope.selection.is_everything()).map(|next| (memory, next));
    Ok(BegunReading { begun, reading, how: Some(how), next })
}

impl BegunReading<'_> {
    /// Returns whether a text of the selected resources may name a resource that was not read.
    pub(super) fn names_others(&self) -> bool {
        self.begun.names_others()
    }

    /// Reads the rest, remembers the reading, and returns it and how it was made.
    pub(super) async fn finish(self, names_others: bool, taken: &str) -> Result<(Snapshot, Option<PlannedReading>), export::Error> {
        let Self { begun, reading, how, next } = self;
        let mut keep = |read: &Snapshot| {
            if let Some((memory, record)) = &next
                && let Err(error) = memory.save(record, read)
            {
                warn!(tenant = read.tenant, %error, "the reading is not remembered");
                memory.forget();
            }
        };
        let snapshot = begun.finish_seen_by(names_others, taken, &mut keep).await?;
        let requests = reading.tenant.requests().reads;
        Ok((snapshot, how.map(|how| how.planned(requests))))
    }
}

impl HowRead {
    fn planned(self, requests: u64) -> PlannedReading {
        match self {
            Self::Full(reason) => PlannedReading::Full { cause: reason.cause(), reason: reason.to_string(), requests },
            Self::Incremental { since, kinds } => {
                let since = humantime::format_rfc3339_seconds(since).to_string();
                PlannedReading::Incremental { since, kinds: kinds.into_iter().map(str::to_owned).collect(), requests }
            }
        }
    }
}
