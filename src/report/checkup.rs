//! Renders a checkup: one line a check, grouped by tenant, with what to do about everything that is not right.

use std::borrow::Cow;

use anstyle::Style;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use textwrap::Options;

use super::format::{count, printable};
use super::json::answer;
use super::style::{ADDED, CHANGED, QUIET, REMOVED, TITLE, styled};
use crate::model::checkup::{Check, CheckStatus, CheckedTenant, Checkup};

/// The width of the columns with the status and the title of a check.
const STATUS: usize = 8;
const TITLES: usize = 13;

/// Renders a checkup as styled text, wrapped to this width if there is one.
pub(crate) fn checkup(checkup: &Checkup, columns: Option<usize>) -> String {
    let machine = format!(
        "{}\n{}",
        styled(TITLE, "This machine"),
        checkup.checks.iter().filter(|check| check.tenant.is_none()).map(|check| line(check, columns)).collect::<String>()
    );
    format!("{machine}\n{}{}\n", checkup_of_tenants(checkup, columns), closing(checkup))
}

/// Renders the checks of each tenant.
pub(crate) fn checkup_of_tenants(checkup: &Checkup, columns: Option<usize>) -> String {
    let of_tenant = |tenant: &CheckedTenant| {
        let checks = checkup.checks.iter().filter(|check| check.tenant.as_ref() == Some(&tenant.name));
        let lines: String = checks.map(|check| line(check, columns)).collect();
        format!("{}  {}{}\n{lines}\n", styled(TITLE, &tenant.name), printable(&tenant.domain), used_for(tenant))
    };
    checkup.tenants.iter().map(of_tenant).collect()
}

/// Returns what a tenant is used for: `, target of dev`.
fn used_for(tenant: &CheckedTenant) -> String {
    let source = tenant.source.iter().map(|source| format!("target of {}", printable(source)));
    let targets = (!tenant.source_of.is_empty()).then(|| format!("source of {}", tenant.source_of.join(", ")));
    source.chain(targets).map(|used| format!(", {used}")).collect::<Vec<_>>().concat()
}

fn line(check: &Check, columns: Option<usize>) -> String {
    let (style, status) = match check.status {
        CheckStatus::Ok => (ADDED, "ok"),
        CheckStatus::Unchecked => (QUIET, "-"),
        CheckStatus::Warning => (CHANGED, "warning"),
        CheckStatus::Failure => (REMOVED, "failure"),
    };
    let lead = format!("  {}{}  {:TITLES$}  ", styled(style, status), " ".repeat(STATUS - 1 - status.len()), check.check.title());
    let blank = " ".repeat(STATUS + 1 + TITLES + 4);
    let fact = wrapped(&printable(&check.fact), (&lead, &blank), columns);
    let advice = check.advice.iter().map(|advice| wrapped(&printable(advice), (&format!("{blank}→ "), &format!("{blank}  ")), columns));
    std::iter::once(fact).chain(advice).collect()
}

/// Returns a text after a lead, continued below itself.
fn wrapped(text: &str, (lead, below): (&str, &str), columns: Option<usize>) -> String {
    let Some(columns) = columns else { return format!("{lead}{text}\n") };
    let width = columns.saturating_sub(below.len()).max(20);
    let lines: Vec<Cow<'_, str>> = textwrap::wrap(text, Options::new(width).break_words(false));
    let line = |(at, line): (usize, &Cow<'_, str>)| format!("{}{line}\n", if at == 0 { lead } else { below });
    lines.iter().enumerate().map(line).collect()
}

fn closing(checkup: &Checkup) -> String {
    let (failures, warnings) = (checkup.count(CheckStatus::Failure), checkup.count(CheckStatus::Warning));
    let (style, text): (Style, String) = match (failures, warnings) {
        (0, 0) => (ADDED, "Everything is ready for a run.".to_owned()),
        (0, _) => (CHANGED, format!("{}; nothing stops a run.", count(warnings, "warning"))),
        (_, 0) => (REMOVED, format!("{} to correct before a run.", count(failures, "failure"))),
        _ => (REMOVED, format!("{} to correct before a run, and {}.", count(failures, "failure"), count(warnings, "warning"))),
    };
    styled(style, text)
}

#[derive(Serialize, JsonSchema)]
pub(super) struct CheckupFields<'a> {
    tenants: &'a [CheckedTenant],
    checks: &'a [Check],
    counts: CheckCounts,
}

/// The number of checks by their status.
#[derive(Serialize, JsonSchema)]
struct CheckCounts {
    ok: usize,
    unchecked: usize,
    warning: usize,
    failure: usize,
}

/// Returns a checkup as JSON.
pub(crate) fn checkup_json(checkup: &Checkup, exit: u8) -> Value {
    let counts = CheckCounts {
        ok: checkup.count(CheckStatus::Ok),
        unchecked: checkup.count(CheckStatus::Unchecked),
        warning: checkup.count(CheckStatus::Warning),
        failure: checkup.count(CheckStatus::Failure),
    };
    answer(&CheckupFields { tenants: &checkup.tenants, checks: &checkup.checks, counts }, exit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::checkup::CheckSubject;
    use crate::report::style::plain;

    fn sample() -> Checkup {
        let scopes = Check::failure(CheckSubject::Scopes, "2 of 61 are missing: read:clients, read:roles", "tick them in Dashboard > APIs");
        Checkup {
            tenants: vec![CheckedTenant {
                name: "prod".to_owned(),
                domain: "acme.eu.auth0.com".to_owned(),
                source_of: Vec::new(),
                source: Some("dev".to_owned()),
                is_denied: false,
            }],
            checks: vec![
                Check::ok(CheckSubject::Configuration, "migrate.toml: 1 tenant"),
                scopes.of_tenant("prod"),
                Check::unchecked(CheckSubject::Clock, "not checked\u{1b}[2J").of_tenant("prod"),
            ],
        }
    }

    #[test]
    fn a_checkup_has_a_line_for_each_check_and_one_for_what_to_do() {
        insta::assert_snapshot!(plain(&checkup(&sample(), None)), @r"
        This machine
          ok       configuration  migrate.toml: 1 tenant

        prod  acme.eu.auth0.com, target of dev
          failure  scopes         2 of 61 are missing: read:clients, read:roles
                                  → tick them in Dashboard > APIs
          -        clock          not checked\u{1b}[2J

        1 failure to correct before a run.
        ");
    }

    #[test]
    fn a_long_fact_continues_below_itself() {
        insta::assert_snapshot!(plain(&checkup(&sample(), Some(60))), @r"
        This machine
          ok       configuration  migrate.toml: 1 tenant

        prod  acme.eu.auth0.com, target of dev
          failure  scopes         2 of 61 are missing: read:clients,
                                  read:roles
                                  → tick them in Dashboard > APIs
          -        clock          not checked\u{1b}[2J

        1 failure to correct before a run.
        ");
    }
}
