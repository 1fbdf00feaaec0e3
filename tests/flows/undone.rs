//! Every recorded tenant imported into another, and taken back: the target is what it was, but for what was named.

use std::collections::{BTreeMap, BTreeSet};

use migrate::body::Body;
use migrate::links::Links;
use migrate::plan::Plan;
use migrate::resource::Key;
use migrate::sandbox::State;
use migrate::snapshot::{Desired, Snapshot};

use super::{Imported, another, empty, import, moved_to, read, recorded, start};
use crate::random::{moved, taken_back};

/// What a round of there and back showed.
#[derive(Default)]
struct Seen {
    /// Changes that were taken back, by kind.
    taken_back: BTreeMap<String, usize>,
    /// Resources that an undo says it leaves, whole or in part.
    named: usize,
    /// What differs from before and was not named.
    unnamed: Vec<String>,
}

impl Seen {
    /// Imports a tenant into another and takes that back.
    async fn round(&mut self, name: &str, source: &State, target: State) {
        let (_from, from) = start(source.clone()).await;
        let (_into, into) = start(target).await;
        let desired = Desired::unmapped(read(&from).await);
        let Imported { before, plan, summary } = import(&desired, &into, &mut Links::default()).await;
        let (back, ended) = taken_back(&plan, &summary, &into).await;
        for (change, settled) in back.changes().zip(&ended.settled) {
            match settled.outcome.id() {
                Some(_) => *self.taken_back.entry(change.key.kind().to_owned()).or_default() += 1,
                None => self.unnamed.push(format!("{name}: {} {}: {:?}", settled.verb, settled.key, settled.outcome)),
            }
        }
        let named = named(&back);
        let after = in_words_as_before(&before, read(&into).await, &named);
        let is_named = |one: &String| named.iter().any(|key| one.strip_prefix(&key.to_string()).is_some_and(|rest| rest.starts_with(": ")));
        self.named += named.len();
        self.unnamed.extend(moved(&before, &after).iter().filter(|one| !is_named(one)).map(|one| format!("{name}: {one}")));
    }
}

/// Returns what an undo says that it leaves.
fn named(back: &Plan) -> BTreeSet<Key> {
    back.left_out.iter().map(|left| left.key.clone()).collect()
}

/// Reads what was kept, since something names it, as the plain text that it was before there was such a thing.
///
/// An add-on names its connection by name: that reads as a reference as soon as there is one, and is the same word to the API.
fn in_words_as_before(before: &Snapshot, mut after: Snapshot, named: &BTreeSet<Key>) -> Snapshot {
    let kept: Vec<&Key> = named.iter().filter(|key| before.resources.iter().all(|held| held.key != **key)).collect();
    for resource in after.resources.iter_mut().filter(|held| before.resources.iter().any(|one| one.key == held.key)) {
        let text = resource.body.open().into_value().to_string();
        let text = kept.iter().fold(text, |text, key| text.replace(&format!("⟦{key}⟧"), key.name()));
        resource.body = serde_json::from_str::<Body>(&text).expect("an object").into();
    }
    after
}

/// Prints how many changes of how many kinds were taken back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "how much was shown depends on the recordings at hand")]
async fn every_recorded_tenant_that_was_imported_is_taken_back_whole_or_named() {
    let (tenants, mut seen) = (recorded(), Seen::default());
    for (at, (name, state)) in tenants.iter().enumerate() {
        for (into, target) in [empty(&tenants, at), another(&tenants, at)] {
            seen.round(&format!("{name} into {into}"), &moved_to(state, "source.eu.auth0.com"), target).await;
        }
    }
    let all = seen.taken_back.values().sum::<usize>();
    println!("taken back {all} changes of {} kinds; {} resources were named", seen.taken_back.len(), seen.named);
    assert!(seen.unnamed.is_empty(), "{} things\n{}", seen.unnamed.len(), seen.unnamed.join("\n"));
    assert!(tenants.is_empty() || seen.taken_back.len() >= 20, "{:?}", seen.taken_back);
}
