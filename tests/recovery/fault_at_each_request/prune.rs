//! Faults during a run that deletes many resources with their dependents, and during its undo.

use auth0_migrate::sandbox::State;
use tokio::sync::OnceCell;

use crate::safety::random_tenants::beside_users;
use crate::support::divergent_tenants;

use super::{FAULTS, PRUNED, Undisturbed};

static UNPRUNED: OnceCell<Undisturbed> = OnceCell::const_new();

async fn prune() -> &'static Undisturbed {
    PRUNED.get_or_init(Undisturbed::prune).await
}

async fn undo_of_prune() -> &'static Undisturbed {
    UNPRUNED.get_or_init(Undisturbed::undo_of_prune).await
}

#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn any_fault_at_any_request_of_a_prune_is_survived() {
    for (fault, ends_there, again) in FAULTS {
        prune().await.everywhere(fault, ends_there, again).await;
    }
}

#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn any_fault_at_any_request_of_its_undo_is_survived() {
    for (fault, ends_there, again) in FAULTS {
        undo_of_prune().await.everywhere(fault, ends_there, again).await;
    }
}

/// The part of the tests above that the fast tier runs.
#[tokio::test]
async fn any_fault_at_one_in_ten_requests_of_a_prune_and_its_undo_is_survived() {
    let (prune, undo) = (prune().await, undo_of_prune().await);
    let removing = FAULTS.map(|(fault, ends_there, again)| prune.at_every(10, fault, ends_there, again));
    let restoring = FAULTS.map(|(fault, ends_there, again)| undo.at_every(10, fault, ends_there, again));
    tokio::join!(futures_util::future::join_all(removing), futures_util::future::join_all(restoring));
}

#[tokio::test]
async fn an_undo_restores_pruned_resources_with_their_belongings_and_references() {
    let (prune, undo) = (prune().await, undo_of_prune().await);
    assert_eq!(beside_users(&undo.decided.plan), [""; 0]);
    let told = |state: &State| divergent_tenants::normalized_without_bound_code(&state.to_json()["data"]);
    assert_eq!(divergent_tenants::differences(&told(&prune.before), &told(&undo.after)), [""; 0]);
}
