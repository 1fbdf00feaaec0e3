//! Checks before a plan is executed: unapproved refusals, and scopes of the token.

use super::environment::Environment;
use super::error::Error;
use crate::config::TenantSettings;
use crate::management_api::Tenant;
use crate::model::approval::Approvals;
use crate::plan::Plan;
use crate::plan::guards::{self, PlanOrigin};
use crate::plan::refusal::Refusal;

/// Who reviewed a plan before it is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Review {
    /// A person at the terminal.
    Here,
    /// A person who saved it in a file.
    Saved,
    /// Nobody: the run is unattended.
    None,
}

/// Returns the refusals that are not approved. Without a review, approvals of guards that require one do not count.
///
/// Approvals in the target's configuration were considered in advance and also count for unattended runs.
pub(crate) fn unapproved(refusals: Vec<Refusal>, allow: &Approvals, target: &TenantSettings, review: Review) -> Vec<Refusal> {
    let approved = if review == Review::None { allow.without_review() } else { allow.clone() }.and(&target.approved);
    let unseen = |refusal: Refusal| match review {
        Review::None if refusal.guard.requires_review() => Refusal { can_be_allowed: false, ..refusal },
        _ => refusal,
    };
    guards::unapproved(refusals, &approved).into_iter().map(unseen).collect()
}

/// Returns every reason to refuse a plan, and records in it which scopes the token lacks; that refusal is the first, since it must be resolved
/// before the others matter.
pub(crate) async fn refusals(
    environment: &Environment,
    plan: &mut Plan,
    origin: PlanOrigin<'_>,
    (tenant, target): (&Tenant, &TenantSettings),
) -> Result<Vec<Refusal>, Error> {
    let found = guards::refusals(plan, origin, target.most_changed, &|field| environment.secret(field));
    plan.missing_scopes = missing_scopes(plan, tenant).await?;
    Ok(guards::missing_scopes(plan).into_iter().chain(found).collect())
}

/// Returns an error unless the token has every scope that a plan needs.
pub(crate) async fn refuse_missing_scopes(plan: &Plan, tenant: &Tenant) -> Result<(), Error> {
    let scopes = missing_scopes(plan, tenant).await?;
    if scopes.is_empty() { Ok(()) } else { Err(Error::MissingScopes { tenant: tenant.name().to_owned(), scopes }) }
}

/// Returns the scopes that a plan needs and the token lacks; none if the token does not list its scopes.
async fn missing_scopes(plan: &Plan, tenant: &Tenant) -> Result<Vec<String>, Error> {
    let granted = tenant.scopes().await.map_err(|source| Error::of_tenant(source, tenant.name()))?;
    let Some(granted) = granted else { return Ok(Vec::new()) };
    let needed = guards::scopes(plan).into_iter();
    Ok(needed.filter(|scope| !granted.contains(*scope)).map(str::to_owned).collect())
}
