//! A checkup: whether this machine, the configuration and its tenants are ready for a run. Writes nothing, neither to a tenant nor to disk.
//!
//! ```text
//! local.rs    the machine: configuration, `.env`, folders
//! target.rs   a target without asking it: mapping, secrets, lock, unfinished runs
//! reading.rs  asks a tenant what the checks need to know
//! sign_in.rs  credentials, network, sign-in, and which tenant answers
//! access.rs   the client that migrate signs in with, its scopes, the rate limit and the clock
//! ```
//!
//! What is read is decided about by pure functions.

mod access;
mod local;
mod reading;
mod sign_in;
mod target;

use crate::catalog::Kind;
use crate::config::{Settings, TenantSettings};
use crate::model::checkup::{Check, CheckedTenant, Checkup};

use super::environment::Environment;

/// What a checkup is about.
pub(crate) struct CheckupScope<'named> {
    /// The only tenant to check; `None` for all.
    pub(crate) tenant: Option<&'named TenantSettings>,
    /// The kinds whose scopes are checked.
    pub(crate) kinds: Vec<&'static Kind>,
}

/// Checks this machine, the configuration and its tenants.
pub(crate) async fn examine(environment: &Environment, scope: &CheckupScope<'_>) -> Checkup {
    let settings = environment.settings();
    let is_meant = |tenant: &&TenantSettings| scope.tenant.is_none_or(|only| only.name == tenant.name);
    let tenants: Vec<&TenantSettings> = settings.tenants.values().filter(is_meant).collect();
    let mut checkup = Checkup { checks: local::checks(environment), ..Checkup::default() };
    for tenant in tenants {
        let mut checked = checked_tenant(settings, tenant);
        let checks = of_tenant(environment, (tenant, &mut checked), &scope.kinds).await;
        checkup.checks.extend(checks.into_iter().map(|check| check.of_tenant(&tenant.name)));
        checkup.tenants.push(checked);
    }
    checkup
}

async fn of_tenant(
    environment: &Environment,
    (tenant, checked): (&TenantSettings, &mut CheckedTenant),
    kinds: &[&'static Kind],
) -> Vec<Check> {
    let settings = environment.settings();
    let credentials = sign_in::credentials(settings, tenant);
    let (route, network) = sign_in::network(settings, tenant);
    let mut checks = vec![credentials.check, network];
    let reading = match (&credentials.found, route) {
        (Some(_), Some(_)) => Some(reading::read(environment, tenant).await),
        _ => None,
    };
    checked.is_denied = reading.as_ref().is_some_and(reading::TenantReading::is_denied);
    checks.extend(match (credentials.found, reading) {
        (Some(credentials), Some(reading)) => {
            let subject = sign_in::Subject { tenant, credentials: &credentials };
            [sign_in::checks(&subject, &reading), access::checks(&subject, checked, kinds, &reading)].concat()
        }
        _ => sign_in::unchecked(),
    });
    if checked.source.is_some() || checked.source_of.is_empty() {
        checks.extend(target::checks(environment, tenant));
    }
    checks
}

/// Returns what a tenant is used for according to the configuration.
fn checked_tenant(settings: &Settings, tenant: &TenantSettings) -> CheckedTenant {
    let is_source_of = |other: &&TenantSettings| other.source.as_ref() == Some(&tenant.name);
    CheckedTenant {
        name: tenant.name.clone(),
        domain: tenant.domain.clone(),
        source_of: settings.tenants.values().filter(is_source_of).map(|other| other.name.clone()).collect(),
        source: tenant.source.clone(),
        is_denied: false,
    }
}
