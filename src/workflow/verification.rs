//! Looks up the writes of a run in the log of its target.

use std::ops::ControlFlow;
use std::time::SystemTime;

use super::environment::Environment;
use super::error::Error;
use super::history::PastRun;
use super::log_gap::{LogGap, earliest};
use super::session::refuse_another_target;
use crate::catalog::Catalog;
use crate::management_api::{DateFilter, LogOrder, LogReading, LogSearch, SEARCH_PAGES, Tenant, correlation_id};
use crate::plan::{RunVerification, VerifiedWrites};

/// The pages of a hundred entries that are read beyond the thousand results of a search.
const FURTHER_PAGES: usize = 100;

/// Looks up every write of a run by its correlation id, method and path. That the log cannot be read is a result.
///
/// # Errors
///
/// If the target of the run is not configured, or is another tenant now.
pub(crate) async fn verify_writes(environment: &Environment, run: &PastRun) -> Result<VerifiedWrites, Error> {
    let target = environment.tenant(&run.plan.target.tenant)?;
    refuse_another_target(&run.plan, target)?;
    let mut verification = RunVerification::new(correlation_id(&run.name), &run.plan, &run.applied());
    if verification.is_complete() {
        return Ok(verification.into_result(None));
    }
    let tenant = environment.connect(target)?;
    let since = earliest(&run.record.begun);
    // Users of a busy tenant are written to all day, so only the writes of migrate's own client are read first.
    let client = tenant.client_id();
    let mut reading = read(environment.catalog, &tenant, (client.as_deref(), since), &mut verification).await;
    if !verification.has_found_any() && client.is_some() && !matches!(reading, LogReading::Unavailable(_)) {
        reading = read(environment.catalog, &tenant, (None, since), &mut verification).await;
    }
    let reason = if verification.is_complete() { None } else { Some(LogGap::of(&tenant, reading, since).await.to_string()) };
    Ok(verification.into_result(reason))
}

/// Searches the log from the beginning of the run, and reads on by checkpoint where the search ends.
async fn read(
    catalog: &Catalog,
    tenant: &Tenant,
    (client, since): (Option<&str>, Option<SystemTime>),
    verification: &mut RunVerification,
) -> LogReading {
    let mut reader = |write| if verification.learn(&write) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let search = LogSearch { since, client, order: LogOrder::OldestFirst, dates: DateFilter::Search, pages: SEARCH_PAGES };
    match tenant.search_log(catalog, search, &mut reader).await {
        LogReading::PageLimit { last } => tenant.read_log_after(catalog, &last, FURTHER_PAGES, &mut reader).await,
        ended => ended,
    }
}
