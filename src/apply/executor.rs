//! Executes a plan stage by stage: intents become durable before requests are sent, outcomes follow.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures_util::future::join_all;
use secrecy::SecretString;
use serde_json::Value;

use super::concurrent_writer::{self, PendingCreate, created_since_plan};
use super::journal::{self, EndedChange, Journal, JournaledOutcome};
use super::lookup::{KnownIds, LookupResult, key_of, look_up};
use super::new_secrets::{GeneratedSecret, NewSecret, ReplacedSecrets, SecretDisposition, SecretSink};
use super::partial_apply::send;
use super::requests::{ResolvedChange, SendResult, Sender, ready};
use super::stale_changes::StaleChanges;
use super::summary::{ChangeResult, SentSecret, Summary};
use crate::catalog::Kind;
use crate::management_api::Tenant;
use crate::model::event::{Event, Observer, Outcome};
use crate::model::resource::{Id, Key};
use crate::plan::{Action, Change, Estimate, Plan, SecretField};
use crate::snapshot::id_substitution::TenantNames;

/// Why the outcome of a change is still unknown.
const NOT_LOOKED_UP: &str = "the run was interrupted before the target was asked";

/// An error that stops a run; changes that were not reached can be resumed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The journal could not be written, so nothing more was sent.
    #[error("the run can no longer be recorded")]
    Journal {
        /// The outcomes so far, including those missing from the journal.
        summary: Box<Summary>,
        /// The cause.
        source: journal::Error,
    },
}

/// Everything a run needs.
pub struct PlanExecution<'run> {
    /// The plan.
    pub plan: &'run Plan,
    /// The target.
    pub tenant: &'run Tenant,
    /// The journal of the run.
    pub journal: Journal,
    /// Receives progress.
    pub observer: &'run dyn Observer,
    /// Returns a secret. Every secret that a plan names was found before the run.
    pub secret: &'run (dyn Fn(&SecretField) -> Option<SecretString> + Sync),
    /// Stores the secrets that the target generates, if configured.
    pub secret_sink: Option<Box<dyn SecretSink + 'run>>,
    /// Changes that are refused because their resources changed since the plan was made.
    pub stale_changes: StaleChanges,
    /// The number of requests sent at once, whose intents become durable together.
    pub concurrency: usize,
    /// Why nothing more may be sent, if so: unknown outcomes are resolved, and all other changes are skipped.
    pub stop_reason: Option<&'run str>,
    /// Returns the time: RFC 3339, UTC.
    pub clock: &'run (dyn Fn() -> String + Sync),
    /// The number of changes that may still start, read before each batch; the run stops at zero.
    pub remaining_changes: &'run (dyn Fn() -> usize + Sync),
}

/// Closes the journal of a run that sends nothing more, as complete, or as stopped without unknown outcomes. If
/// outcomes are unknown, nothing is recorded, and resuming the run resolves them.
///
/// # Errors
///
/// If the journal cannot be written.
pub fn close(mut journal: Journal, summary: &Summary, at: &str) -> Result<(), Error> {
    let written = match summary.is_whole() {
        true => journal.record_end(at),
        false if summary.tally().unknown == 0 => journal.record_stop(at),
        false => return Ok(()),
    };
    written.map_err(|source| Error::Journal { summary: Box::new(summary.clone()), source })
}

/// The state of a run in progress.
struct ExecutionState<'plan> {
    names: TenantNames,
    replaced: ReplacedSecrets<'plan>,
    /// Known ids by kind, without those that this run created.
    known: HashMap<&'static str, HashSet<Id>>,
    new: HashSet<String>,
    lost: HashSet<Key>,
    /// The index of the create that detects a concurrent run, until it is sent.
    first: Option<usize>,
    summary: Summary,
}

impl ExecutionState<'_> {
    /// Returns the known ids of a kind, without those that this run created.
    fn known_of(&self, kind: &Kind) -> KnownIds<'_> {
        KnownIds::new(self.known.get(kind.name))
    }
}

impl PlanExecution<'_> {
    /// Executes all changes that the journal does not record as done; returns the summary and the journal.
    ///
    /// The caller must [`close`] the journal once everything else about the run is durable: a run without an end
    /// is resumed.
    ///
    /// # Errors
    ///
    /// If the journal cannot be written. The error contains the outcomes so far.
    pub async fn complete(mut self) -> Result<(Summary, Journal), Error> {
        let total = self.plan.changes().count();
        let expected = Estimate::new(self.plan, self.tenant.known_limits()).time();
        self.observer.notify(&Event::Applying { tenant: self.tenant.name().to_owned(), changes: total, expected });
        let mut names = TenantNames::new(&self.plan.target.domain);
        for (key, id) in &self.plan.known {
            names.learn(key.clone(), id.clone());
        }
        for (key, name) in &self.plan.called {
            names.call(key.clone(), name.clone());
        }
        let replaced = ReplacedSecrets::by(self.plan);
        let (known, new, lost) = (self.known(), HashSet::new(), HashSet::new());
        let mut progress = ExecutionState {
            names,
            replaced,
            known,
            new,
            lost,
            first: self.first_exclusive_create(0).filter(|_| self.journal.is_new()),
            summary: Summary::default(),
        };
        let mut first = 0;
        for stage in &self.plan.stages {
            let changes: Vec<(usize, &Change)> = stage.changes.iter().enumerate().map(|(at, change)| (first + at, change)).collect();
            first += changes.len();
            if self.stop_reason.is_none() && !progress.summary.is_silent && (self.remaining_changes)() > 0 {
                Box::pin(self.detect_concurrent_writer(&changes, &mut progress)).await;
            }
            let mut rest = &changes[..];
            while !rest.is_empty() {
                let remaining_changes = if progress.summary.is_silent { 0 } else { (self.remaining_changes)() };
                let Some(batch) = self.batch(rest, remaining_changes, progress.first) else {
                    return Ok((progress.summary.with_unreached(total), self.journal));
                };
                rest = &rest[batch.len()..];
                if let Err(source) = Box::pin(self.execute_batch(batch, &mut progress)).await {
                    return Err(Error::Journal { summary: Box::new(progress.summary.with_unreached(total)), source });
                }
            }
        }
        Ok((progress.summary.with_unreached(total), self.journal))
    }

    /// Lists again the kinds that a stage creates. If somebody else created one of the resources, nothing more is sent.
    async fn detect_concurrent_writer(&mut self, stage: &[(usize, &Change)], progress: &mut ExecutionState<'_>) {
        let mut of_kind: BTreeMap<&'static Kind, Vec<PendingCreate<'_>>> = BTreeMap::new();
        let unknown = self.unknown(progress);
        for (at, change) in stage {
            let kind = change.key.kind();
            let awaited = self.pending_create(*at, change, &progress.names);
            if let Some(awaited) = awaited.filter(|one| !unknown.contains(&(kind.name, key_of(kind, &one.body)))) {
                of_kind.entry(kind).or_default().push(awaited);
            }
        }
        for (kind, awaited) in of_kind {
            let created = created_since_plan(self.tenant, kind, &awaited, progress.known_of(kind));
            let Some(created) = self.tenant.unless_stopped(created).await else { return };
            match created {
                Ok(made) => {
                    for (at, id) in made {
                        self.stale_changes.add(at, concurrent_writer::reason(&id));
                        self.stop_reason = Some(concurrent_writer::STOPPED);
                    }
                }
                Err(unread) if unread.is_unreachable() => progress.summary.is_silent = true,
                Err(unread) => {
                    let reason = format!("the target cannot be read before it is created: {unread}");
                    for one in &awaited {
                        self.stale_changes.add(one.at, reason.clone());
                    }
                }
            }
        }
    }

    /// Returns a create that was not sent yet, if the target may already have another resource with its key.
    fn pending_create<'change>(&self, at: usize, change: &'change Change, names: &TenantNames) -> Option<PendingCreate<'change>> {
        let Action::Create { body, twins } = &change.action else { return None };
        let is_open = matches!(self.journal.known(at), Some(JournaledOutcome::Open) | None) && self.stale_changes.reason(at).is_none();
        let kind = change.key.kind();
        let body = names.resolve(kind, body).ok().filter(|_| is_open && concurrent_writer::allows_duplicates(kind))?;
        Some(PendingCreate { at, body, twins })
    }

    /// Returns the keys of creates with unknown outcomes; these are looked up one by one.
    fn unknown(&self, progress: &ExecutionState<'_>) -> HashSet<(&'static str, Vec<Option<Value>>)> {
        let ended = |at: usize| progress.summary.result_of(at).map(|settled| &settled.outcome);
        let is_unknown = |at: usize| match ended(at) {
            Some(outcome) => matches!(outcome, Outcome::Unknown(_)),
            None => self.journal.known(at) == Some(&JournaledOutcome::Unknown),
        };
        let unknown = self.plan.changes().enumerate().filter(|(at, _)| is_unknown(*at));
        let key = |change: &Change| {
            let (Action::Create { body, .. }, kind) = (&change.action, change.key.kind()) else { return None };
            Some((kind.name, key_of(kind, &progress.names.resolve(kind, body).ok()?)))
        };
        unknown.filter_map(|(_, change)| key(change)).collect()
    }

    /// Returns the ids that no pending create can have made: those that the plan names, and those that the journal
    /// records as created.
    fn known(&self) -> HashMap<&'static str, HashSet<Id>> {
        let of_plan = self.plan.known.iter();
        let of_changes = self.plan.changes().enumerate().filter_map(|(at, change)| {
            let ((Action::Update { id: Some(id), .. } | Action::Delete { id, .. }, _)
            | (Action::Create { .. }, Some(JournaledOutcome::Applied(id) | JournaledOutcome::Partial(id, _)))) =
                (&change.action, self.journal.known(at))
            else {
                return None;
            };
            Some((&change.key, id))
        });
        let mut known: HashMap<&'static str, HashSet<Id>> = HashMap::new();
        for (key, id) in of_plan.chain(of_changes) {
            known.entry(key.kind().name).or_default().insert(id.clone());
        }
        known
    }

    /// Returns the index of the first create, from an index on, that the target would accept from only one of two runs.
    fn first_exclusive_create(&self, from: usize) -> Option<usize> {
        let is_one = |change: &Change| matches!(change.action, Action::Create { .. }) && concurrent_writer::is_unique(change.key.kind());
        let creates =
            self.plan.changes().enumerate().skip(from).filter(|(at, change)| is_one(change) && self.stale_changes.reason(*at).is_none());
        creates.map(|(at, _)| at).next()
    }

    /// Returns the next changes to execute; `None` if pending ones exceed the budget. The `first` create, which detects
    /// a concurrent run, is sent alone.
    fn batch<'rest, 'change>(
        &self,
        rest: &'rest [(usize, &'change Change)],
        remaining_changes: usize,
        first: Option<usize>,
    ) -> Option<&'rest [(usize, &'change Change)]> {
        let next = &rest[..rest.len().min(self.concurrency.max(1))];
        let next = match next.iter().position(|(at, _)| Some(*at) == first) {
            Some(place) => &next[..place.max(1)],
            None => next,
        };
        let mut open = 0;
        let is_in = |(at, _): &&(usize, &Change)| {
            open += usize::from(!self.is_applied(*at));
            open <= remaining_changes
        };
        let fits = next.iter().take_while(is_in).count();
        (fits > 0).then(|| &next[..fits])
    }

    fn is_applied(&self, change: usize) -> bool {
        matches!(self.journal.known(change), Some(JournaledOutcome::Applied(_) | JournaledOutcome::Partial(..)))
    }

    /// Sends the changes of a batch concurrently and records their outcomes.
    async fn execute_batch(&mut self, batch: &[(usize, &Change)], progress: &mut ExecutionState<'_>) -> Result<(), journal::Error> {
        let mut ended: Vec<(usize, &Change, SendResult)> = Vec::new();
        let mut to_send = Vec::new();
        for (at, change) in batch.iter().copied() {
            match self.prepare(at, change, progress) {
                Ok(ready) => to_send.push((at, change, ready)),
                Err(outcome) => ended.push((at, change, SendResult { altered: self.journal.altered(at).to_vec(), ..outcome.into() })),
            }
        }
        if let Some(first) = progress.first.filter(|first| ended.iter().any(|(at, ..)| at == first)) {
            // This create cannot be sent, so the next one detects a concurrent run.
            progress.first = self.first_exclusive_create(first + 1);
        }
        let answers = self.tenant.requests().answers;
        ended.extend(self.resolve_unknown(&mut to_send, progress).await);
        if let Some(reason) = self.stop_reason {
            ended.extend(to_send.drain(..).map(|(at, change, _)| (at, change, Outcome::Skipped(reason.to_owned()).into())));
        }
        let mut doubted = self.still_unknown(&mut ended);
        let is_unknown = |at: &usize| self.journal.known(*at) == Some(&JournaledOutcome::Unknown);
        let unknown: BTreeSet<usize> = to_send.iter().map(|(at, ..)| *at).filter(is_unknown).collect();
        self.journal.record_intents(to_send.iter().map(|(at, change, _)| (*at, &change.key, change.operation())))?;
        let sent = to_send.iter().map(|(at, change, ready)| {
            let kind = change.key.kind();
            let tenant = self.tenant;
            let sender = Sender { tenant, kind, known: progress.known_of(kind), new: &progress.new };
            let clock = self.clock;
            async move {
                let sent = Box::pin(tenant.unless_stopped(send(sender, ready))).await;
                (*at, *change, sent.map(|sent| SendResult { at: Some(clock()), ..sent }))
            }
        });
        let mut answered = Vec::new();
        let mut unsent = Vec::new();
        for (at, change, sent) in join_all(sent).await {
            match sent {
                Some(sent) => answered.push((at, change, sent)),
                // It may have been sent before this run was resumed.
                None if unknown.contains(&at) => {
                    doubted.insert(at);
                    ended.push((at, change, Outcome::Unknown(NOT_LOOKED_UP.to_owned()).into()));
                }
                None => unsent.push(at),
            }
        }
        let is_any_sent = !answered.is_empty();
        if let [(at, change, sent)] = &mut answered[..]
            && progress.first == Some(*at)
        {
            self.detect_concurrent_run(*at, change, sent, progress).await;
        }
        progress.summary.sent.extend(answered.iter().flat_map(|(_, change, sent)| secrets_taken(change, &sent.outcome)));
        ended.extend(answered);
        // Every request was retried before it failed, so a tenant that answered none of them is unreachable.
        if is_any_sent {
            progress.summary.is_silent = self.tenant.requests().answers == answers;
        }
        ended.sort_by_key(|(at, ..)| *at);
        for (at, change, sent) in &ended {
            self.finish_change(*at, change, sent, progress).await;
        }
        let is_news = |at: &usize| !self.is_applied(*at) && !doubted.contains(at);
        for (at, _, sent) in &mut ended {
            let time = if is_news(at) { Some((self.clock)()) } else { self.journal.time(*at).map(str::to_owned) };
            sent.at = sent.at.take().or(time);
        }
        let news = ended.iter().filter(|(at, ..)| is_news(at)).map(|(change, _, SendResult { outcome, altered, at, .. })| EndedChange {
            change: *change,
            outcome,
            altered,
            at: at.as_deref(),
        });
        let news: Vec<EndedChange<'_>> = news.collect();
        let recorded = self.journal.record_outcomes(&news).and_then(|()| self.journal.record_unsent(&unsent));
        for (at, change, sent) in ended {
            self.record_progress((at, change), sent, progress);
        }
        recorded
    }

    /// Marks changes whose unknown outcomes were neither resolved nor sent again and returns their indexes. The journal
    /// already contains them.
    fn still_unknown(&self, ended: &mut [(usize, &Change, SendResult)]) -> BTreeSet<usize> {
        let mut places = BTreeSet::new();
        for (at, _, sent) in ended {
            if let (Some(JournaledOutcome::Unknown), Outcome::Skipped(reason)) = (self.journal.known(*at), &sent.outcome) {
                sent.outcome = Outcome::Unknown(reason.clone());
                places.insert(*at);
            }
        }
        places
    }

    /// Stops if another run made the create that detects it. If the create was not made at all, the next one detects a
    /// concurrent run.
    async fn detect_concurrent_run(&mut self, at: usize, change: &Change, sent: &mut SendResult, progress: &mut ExecutionState<'_>) {
        progress.first = if sent.outcome.id().is_some() { None } else { self.first_exclusive_create(at + 1) };
        if let Some(id) = self.created_by_another_run(at, change, sent, progress).await {
            *sent = Outcome::Skipped(concurrent_writer::reason(&id)).into();
            self.stop_reason = Some(concurrent_writer::STOPPED);
        }
    }

    /// Returns the id of a resource that another run created since the plan was made, if a create was refused because
    /// of it.
    async fn created_by_another_run(&self, at: usize, change: &Change, sent: &SendResult, progress: &ExecutionState<'_>) -> Option<Id> {
        sent.refusal.as_ref().filter(|refusal| refusal.is_conflict())?;
        let Action::Create { body, twins } = &change.action else { return None };
        let kind = change.key.kind();
        let awaited = [PendingCreate { at, body: progress.names.resolve(kind, body).ok()?, twins }];
        let made = created_since_plan(self.tenant, kind, &awaited, progress.known_of(kind)).await.ok()?;
        made.into_iter().map(|(_, id)| id).next()
    }

    /// Resolves a change for the target, or returns the result if it is not to be sent.
    fn prepare(&self, at: usize, change: &Change, progress: &ExecutionState<'_>) -> Result<ResolvedChange, Outcome> {
        match self.journal.known(at) {
            Some(JournaledOutcome::Applied(id)) => return Err(Outcome::Applied(id.clone())),
            Some(JournaledOutcome::Partial(id, lacks)) => return Err(Outcome::Partial(id.clone(), lacks.clone())),
            Some(JournaledOutcome::Unknown | JournaledOutcome::Open) | None => {}
        }
        if let Some(lost) = change.needs.iter().find(|key| progress.lost.contains(key)) {
            return Err(Outcome::Skipped(format!("it needs {lost}, which was not created")));
        }
        let is_unknown = self.journal.known(at) == Some(&JournaledOutcome::Unknown);
        if let Some(reason) = self.stale_changes.reason(at).filter(|_| !is_unknown) {
            return Err(Outcome::Skipped(reason));
        }
        let secret = |field: &SecretField| (self.secret)(field).map(|secret| (field.path.clone(), secret));
        let secrets: Option<Vec<(String, SecretString)>> = change.secrets.iter().map(secret).collect();
        let secrets = secrets.ok_or_else(|| Outcome::Skipped("a secret it needs was not supplied".to_owned()))?;
        ready(change.key.kind(), change, &progress.names, secrets).map_err(Outcome::Skipped)
    }

    /// Looks up creates with unknown outcomes from an earlier attempt; existing resources are not created again.
    async fn resolve_unknown<'change>(
        &self,
        to_send: &mut Vec<(usize, &'change Change, ResolvedChange)>,
        progress: &ExecutionState<'_>,
    ) -> Vec<(usize, &'change Change, SendResult)> {
        let mut settled = Vec::new();
        let mut open = Vec::new();
        for (at, change, mut ready) in to_send.drain(..) {
            let kind = change.key.kind();
            // A keyed resource can be read before it is written, so reading it proves nothing, and writing it twice is
            // harmless.
            let may_be_there = self.journal.known(at) == Some(&JournaledOutcome::Unknown) && kind.creation().is_some();
            let (true, ResolvedChange::Create { body, twins, may_have_landed }) = (may_be_there, &mut ready) else {
                open.push((at, change, ready));
                continue;
            };
            *may_have_landed = true;
            let lookup = look_up(self.tenant, kind, body, progress.known_of(kind).with_twins(twins));
            let Some(found) = self.tenant.unless_stopped(lookup).await else {
                settled.push((at, change, Outcome::Skipped(NOT_LOOKED_UP.to_owned()).into()));
                continue;
            };
            match found {
                Ok(LookupResult::Found(found)) => settled.push((at, change, found.into())),
                Ok(LookupResult::Absent) => open.push((at, change, ready)),
                Ok(LookupResult::Unclear(reason)) => settled.push((at, change, Outcome::Unknown(reason).into())),
                Err(unread) => settled.push((at, change, Outcome::Skipped(format!("the target cannot be read: {unread}")).into())),
            }
        }
        *to_send = open;
        settled
    }

    /// Passes generated secrets to their sink; only then is the change recorded as applied.
    async fn finish_change(&mut self, at: usize, change: &Change, sent: &SendResult, progress: &mut ExecutionState<'_>) {
        let Some(id) = sent.outcome.id() else { return };
        let is_earlier = self.is_applied(at);
        for made in progress.replaced.made_with(change.key.kind(), change) {
            let shown = sent.made.iter().find(|(path, _)| *path == made.path).map(|(path, secret)| (*path, secret));
            let disposition = match (&mut self.secret_sink, shown) {
                (None, _) if is_earlier => SecretDisposition::Unknown,
                (None, _) => SecretDisposition::Left,
                (Some(secret_sink), Some((path, secret))) => secret_sink
                    .keep(&NewSecret { key: &change.key, id, path, secret })
                    .await
                    .map_or_else(SecretDisposition::Lost, |()| SecretDisposition::Kept),
                (Some(secret_sink), None) if secret_sink.has(&change.key, id, made.path) => SecretDisposition::Kept,
                (Some(_), None) if is_earlier => SecretDisposition::Unknown,
                (Some(_), None) => SecretDisposition::Lost("the target did not return it".to_owned()),
            };
            progress.summary.made.push(GeneratedSecret::new(change, id, made, disposition));
        }
    }

    /// Records what later changes need to know about this one, and notifies the observer.
    fn record_progress(&self, (index, change): (usize, &Change), sent: SendResult, progress: &mut ExecutionState<'_>) {
        let SendResult { outcome, altered, at, .. } = sent;
        let is_create = matches!(change.action, Action::Create { .. });
        match &outcome {
            Outcome::Applied(id) | Outcome::Partial(id, _) if is_create => {
                progress.names.learn(change.key.clone(), id.clone());
                progress.new.extend(id.as_str().split('/').map(str::to_owned));
                progress.known.entry(change.key.kind().name).or_default().insert(id.clone());
            }
            Outcome::Failed(_) | Outcome::Skipped(_) | Outcome::Unknown(_) if is_create => {
                progress.lost.insert(change.key.clone());
            }
            _ => {}
        }
        self.observer.notify(&Event::Settled { key: change.key.clone(), operation: change.operation(), outcome: outcome.clone() });
        let (key, operation) = (change.key.clone(), change.operation());
        progress.summary.settled.push(ChangeResult { index, key, operation, outcome, altered, at });
    }
}

/// Returns the secrets that the target accepted with a change.
fn secrets_taken(change: &Change, outcome: &Outcome) -> Vec<SentSecret> {
    let (id, arrived) = match outcome {
        Outcome::Applied(id) => (id, change.secrets.clone()),
        Outcome::Partial(id, short) if !short.parts.is_empty() => (id, change.without(&short.parts).secrets),
        Outcome::Partial(..) | Outcome::Failed(_) | Outcome::Skipped(_) | Outcome::Unknown(_) => return Vec::new(),
    };
    let taken = |field: SecretField| SentSecret { kind: change.key.kind().name, id: id.clone(), field };
    arrived.into_iter().map(taken).collect()
}
