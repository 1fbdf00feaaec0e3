//! Random tenants and selections: nothing outside a selection changes, and a full import afterwards has the same result as without it.

use auth0_migrate::catalog::Catalog;
use auth0_migrate::model::selection::Selection;
use auth0_migrate::plan::Plan;
use auth0_migrate::snapshot::Desired;
use proptest::prelude::*;

use super::random_tenants::{SOURCE, Sketch, TARGET, moved, runner, sketches, tenant};
use crate::support::imports::{Imported, empty_sync_state, import, read, start};

const PATTERNS: [&str; 12] = [
    "clients",
    "clients/Client 0",
    "resource-servers",
    "client-grants",
    "connections",
    "connections/connection-0",
    "roles/Role 0",
    "actions",
    "organizations",
    "organizations/org-1",
    "forms",
    "tenant-settings",
];

/// A selection: two included patterns, one excluded pattern, and whether dependencies are included.
type Picks = (usize, usize, usize, bool);

fn selection((one, other, except, _): Picks) -> Selection {
    let pattern = |at: usize| PATTERNS[at % PATTERNS.len()].to_owned();
    // One in three excludes nothing.
    let except = Some(pattern(except)).filter(|_| except % 3 > 0);
    Selection::read(Catalog::standard(), &[], &[pattern(one), pattern(other)], &Vec::from_iter(except)).expect("a selection")
}

async fn select(ahead: Sketch, behind: Sketch, picks: Picks) -> Result<(), TestCaseError> {
    let (_from, from) = start(tenant(&ahead, SOURCE, "Src")).await;
    let (_selected, selected) = start(tenant(&behind, TARGET, "Tgt")).await;
    let (_whole, whole) = start(tenant(&behind, TARGET, "Tgt")).await;
    let source = read(&from).await;
    let part = Desired { selection: selection(picks), with_dependencies: picks.3, ..Desired::unmapped(source.clone()) };
    let (mut of_selected, mut of_whole) = (empty_sync_state(), empty_sync_state());
    let Imported { before, plan, summary } = import(&part, &selected, &mut of_selected).await;
    prop_assert!(summary.is_whole(), "{:?}", summary.settled);
    let chosen = plan.chosen();
    let outside = |plan: &Plan| plan.changes().map(|change| change.key.clone()).filter(|key| !chosen.has(key)).collect::<Vec<_>>();
    prop_assert_eq!(outside(&plan), Vec::new());
    let after = read(&selected).await;
    let is_outside = |moved: &String| {
        let key = moved.split(": ").next().expect("a key").to_owned();
        !chosen.has(&key.parse().expect("a key"))
    };
    prop_assert_eq!(moved(&before, &after).into_iter().filter(is_outside).collect::<Vec<_>>(), Vec::<String>::new());
    let remembered: Vec<_> = of_selected.base.iter().map(|(key, _)| key.clone()).filter(|key| !chosen.has(key)).collect();
    prop_assert_eq!(remembered, Vec::new());
    let reported = plan.skipped.iter().chain(&plan.excluded).map(|left| left.key.clone()).chain(plan.unmanaged.values().flatten().cloned());
    prop_assert_eq!(reported.filter(|key| !chosen.has(key)).collect::<Vec<_>>(), Vec::new());
    import(&Desired::unmapped(source.clone()), &selected, &mut of_selected).await;
    import(&Desired::unmapped(source.clone()), &whole, &mut of_whole).await;
    prop_assert_eq!(moved(&read(&whole).await, &read(&selected).await), Vec::<String>::new());
    let Imported { plan: third, .. } = import(&Desired::unmapped(source), &selected, &mut of_selected).await;
    prop_assert!(third.is_empty(), "{:?}", third.changes().collect::<Vec<_>>());
    Ok(())
}

fn select_random(cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let picks = (0..24_usize, 0..24_usize, 0..24_usize, any::<bool>());
    let run = |(ahead, behind, picks)| runtime.block_on(select(ahead, behind, picks));
    runner(cases).run(&(sketches(), sketches(), picks), run).expect("nothing outside changes");
}

#[test]
fn a_few_random_selections_change_nothing_outside_and_a_full_import_completes_them() {
    select_random(6);
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn random_selections_change_nothing_outside_and_a_full_import_completes_them() {
    select_random(64);
}
