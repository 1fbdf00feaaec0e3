//! Guards on the command line: approvals, and messages about refusals.

use std::collections::BTreeSet;
use std::io::IsTerminal;

use super::context::Context;
use super::error::{ADD_SCOPES, DENIED, Failure, REFUSED, USAGE};
use crate::model::approval::{self, Approval, Approvals};
use crate::model::guard::Guard;
use crate::plan::refusal::{Item, Refusal};
use crate::report;
use crate::workflow::Review;

/// The maximum number of resources named one by one in a hint.
const FEW: usize = 3;

/// Returns who reviews a plan that is shown now: a person, if there is a terminal.
pub(super) fn reviewer() -> Review {
    if std::io::stdin().is_terminal() { Review::Here } else { Review::None }
}

/// Parses the approvals of `--allow`, suggesting the most similar guard for an unknown one.
pub(super) fn approved(allow: &[String]) -> Result<Approvals, Failure> {
    allow.iter().map(|text| Approval::read(text).map_err(|error| not_approved(&error))).collect()
}

fn not_approved(error: &approval::Error) -> Failure {
    let failure = Failure::new(USAGE, format!("{error}"));
    match error {
        approval::Error::Unknown(name) => failure.hint(crate::diagnostic::did_you_mean(name, &Guard::APPROVABLE.map(Guard::as_str))),
        approval::Error::Whole(guard) => failure.hint(format!("use --allow {guard}")),
        approval::Error::Pattern { .. } => failure.hint("a pattern is a kind and a name, as in 'lockout-risk:clients/Billing*'"),
    }
}

/// Returns the `--allow` option for these guards, for another command.
pub(super) fn allowing(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| format!("--allow {}", report::shell_word(&names.join(","))))
}

/// Shows what was approved, just before the question whether to continue.
pub(super) fn show_acknowledged(context: &Context, refusals: &[Refusal]) {
    if !refusals.is_empty() {
        context.show(|| report::approved(refusals));
    }
}

/// Creates the failure for a refused plan, with a hint.
pub(super) fn refused(standing: &[Refusal], allow: &[String], target: &str) -> Failure {
    let first = standing[0].guard;
    let code = if first == Guard::Scopes { DENIED } else { REFUSED };
    let causes = standing.iter().map(|refusal| std::io::Error::other(format!("{}: {}", refusal.guard, refusal.message)));
    let failure = causes.fold(Failure::new(code, "the plan was refused"), |failure, cause| failure.caused_by(&cause));
    let is_unseen = |refusal: &Refusal| !refusal.can_be_allowed && refusal.guard.is_approvable();
    let may_pass = standing.iter().filter(|refusal| refusal.can_be_allowed || is_unseen(refusal));
    let names: BTreeSet<&str> = may_pass.map(|refusal| refusal.guard.as_str()).collect();
    let flag = allowing(&widened(allow, &names)).unwrap_or_default();
    if first == Guard::Scopes {
        failure.hint(ADD_SCOPES)
    } else if first == Guard::Secrets {
        failure.hint("set the variable or create the file, or remove the rule from the mapping")
    } else if standing.iter().any(is_unseen) {
        let import = format!("migrate import --tenant {target} --plan FILE {flag}");
        let save = format!("there is no terminal to review it on: save the plan with --out FILE, review it, then run `{import}`");
        failure.hint([Some(save), for_every_run(standing, target)].into_iter().flatten().collect::<Vec<_>>().join("; "))
    } else if names.is_empty() {
        failure
    } else {
        failure.hint(format!("if this is intended, run it with {flag}"))
    }
}

/// Returns the given approvals and these guards; a whole guard replaces its patterns.
pub(super) fn widened(allow: &[String], guards: &BTreeSet<&str>) -> Vec<String> {
    let is_whole = |text: &String| !guards.iter().any(|guard| text.strip_prefix(guard).is_some_and(|rest| rest.starts_with(':')));
    let all: BTreeSet<&str> = allow.iter().filter(|text| is_whole(text)).map(String::as_str).chain(guards.iter().copied()).collect();
    all.into_iter().map(str::to_owned).collect()
}

/// Returns the configuration that approves these refusals for every run: a few resources by name, many by kind.
pub(super) fn for_every_run(standing: &[Refusal], target: &str) -> Option<String> {
    let seen = standing.iter().filter(|refusal| refusal.guard.requires_review());
    let patterns: Vec<String> = seen.flat_map(patterns).map(|pattern| toml::Value::from(pattern).to_string()).collect();
    let line = format!("plan.approve = [{}]", patterns.join(", "));
    (!patterns.is_empty()).then(|| format!("to approve this for every run, add to [tenants.{target}] in migrate.toml: {line}"))
}

/// Returns the narrowest approvals of the refusals, with many resources by kind; `None` if something cannot be
/// approved.
pub(super) fn narrowest(refusals: &[Refusal]) -> Option<Vec<String>> {
    // A comma separates the approvals of an option.
    Some(approvals(refusals, patterns)?.into_iter().map(|approval| approval.replace(',', "?")).collect())
}

/// Returns an approval of every single finding; `None` if something cannot be approved.
pub(super) fn exact(refusals: &[Refusal]) -> Option<Vec<String>> {
    let by_key = |refusal: &Refusal| {
        let of_item = |item: &Item| format!("{}:{}", refusal.guard, glob::Pattern::escape(&item.key.to_string()));
        refusal.items.iter().map(of_item).collect()
    };
    approvals(refusals, by_key)
}

fn approvals(refusals: &[Refusal], by_resource: impl Fn(&Refusal) -> BTreeSet<String>) -> Option<Vec<String>> {
    let of_one = |refusal: &Refusal| {
        if refusal.items.is_empty() { BTreeSet::from([refusal.guard.to_string()]) } else { by_resource(refusal) }
    };
    refusals.iter().all(|refusal| refusal.guard.is_approvable()).then(|| refusals.iter().flat_map(of_one).collect())
}

/// Returns the narrowest approvals of a guard's findings.
fn patterns(refusal: &Refusal) -> BTreeSet<String> {
    let is_one_of_many = |item: &Item| refusal.items.iter().filter(|other| other.key.kind() == item.key.kind()).count() > FEW;
    let key_or_kind = |item: &Item| match item.key.to_string() {
        key if is_one_of_many(item) && key.contains('/') => format!("{}/*", item.key.kind().name),
        key => glob::Pattern::escape(&key),
    };
    refusal.items.iter().map(|item| format!("{}:{}", refusal.guard, key_or_kind(item))).collect()
}
