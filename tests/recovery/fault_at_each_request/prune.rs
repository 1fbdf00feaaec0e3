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
async fn whatever_goes_wrong_with_any_request_that_removes_is_survived() {
    for (fault, ends_there, again) in FAULTS {
        prune().await.everywhere(fault, ends_there, again).await;
    }
}

#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn whatever_goes_wrong_with_any_request_that_brings_back_what_was_removed_is_survived() {
    for (fault, ends_there, again) in FAULTS {
        undo_of_prune().await.everywhere(fault, ends_there, again).await;
    }
}

/// The part of the tests above that the fast tier runs.
#[tokio::test]
async fn whatever_goes_wrong_with_one_of_ten_requests_that_remove_and_bring_back_is_survived() {
    let (prune, undo) = (prune().await, undo_of_prune().await);
    let removing = FAULTS.map(|(fault, ends_there, again)| prune.at_every(10, fault, ends_there, again));
    let restoring = FAULTS.map(|(fault, ends_there, again)| undo.at_every(10, fault, ends_there, again));
    tokio::join!(futures_util::future::join_all(removing), futures_util::future::join_all(restoring));
}

#[tokio::test]
async fn what_was_removed_is_back_with_all_that_hung_on_it_and_named_it() {
    let (prune, undo) = (prune().await, undo_of_prune().await);
    assert_eq!(beside_users(&undo.decided.plan), [""; 0]);
    let told = |state: &State| divergent_tenants::normalized_without_bound_code(&state.to_json()["data"]);
    assert_eq!(divergent_tenants::differences(&told(&prune.before), &told(&undo.after)), [""; 0]);
}
