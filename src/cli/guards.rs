//! Guards before a person: what a command line lets pass, and what a refusal says.

use std::collections::BTreeSet;
use std::io::IsTerminal;

use super::context::Context;
use super::failure::{ADD_SCOPES, DENIED, Failure, REFUSED, USAGE};
use crate::plan::Plan;
use crate::plan::guard::{self, CRITICAL, Refusal};
use crate::report;
use crate::tenant::Tenant;

/// Who looked at a plan before it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Review {
    /// Whoever sits at the terminal.
    Here,
    /// Whoever saved it in a file.
    Saved,
    /// Nobody: this is a job.
    None,
}

impl Review {
    /// Returns whether somebody sits at the terminal.
    pub(super) fn here() -> Self {
        if std::io::stdin().is_terminal() { Self::Here } else { Self::None }
    }
}

/// Returns the guards that are acknowledged, or says which one was probably meant.
pub(super) fn allowed(names: &[String]) -> Result<BTreeSet<String>, Failure> {
    match names.iter().find(|name| !guard::ALLOWED.contains(&name.as_str())) {
        Some(name) => {
            let state = format!("nothing was written: no guard is called \"{name}\"");
            Err(Failure::new(USAGE, state).hint(crate::wrong::did_you_mean(name, &guard::ALLOWED)))
        }
        None => Ok(names.iter().cloned().collect()),
    }
}

/// Returns the flag that acknowledges these guards, to be typed in another command.
pub(super) fn allowing(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| format!("--allow {}", names.join(",")))
}

/// Returns the reasons to refuse a plan that stand, whatever was acknowledged: what may lock people out, nobody acknowledges unseen.
pub(super) fn standing(refusals: Vec<Refusal>, allowed: &BTreeSet<String>, review: Review) -> Vec<Refusal> {
    let unseen = |refusal: Refusal| match refusal.guard.as_ref() {
        CRITICAL if review == Review::None => Refusal {
            can_be_allowed: false,
            message: format!("{}; that takes somebody at a terminal, or a plan that was saved and looked at", refusal.message),
            ..refusal
        },
        _ => refusal,
    };
    guard::standing(refusals.into_iter().map(unseen).collect(), allowed)
}

/// Stops unless every reason to refuse a plan was acknowledged, and the token may do exactly what the plan does.
///
/// What was `allowed` is repeated in the command that lets the rest pass too.
pub(super) async fn preflight(
    context: &Context,
    plan: &Plan,
    tenant: &Tenant,
    standing: &[Refusal],
    allowed: &BTreeSet<String>,
) -> Result<(), Failure> {
    if !standing.is_empty() {
        return Err(refused(standing, allowed, tenant.name()));
    }
    let granted = tenant.scopes().await.map_err(|error| Failure::of_tenant(&error, tenant.name()))?;
    let Some(granted) = granted else { return Ok(()) };
    let missing: Vec<&str> = guard::scopes(context.catalog, plan).into_iter().filter(|scope| !granted.contains(*scope)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let state = format!("nothing was written: the token for \"{}\" lacks {}", tenant.name(), missing.join(", "));
    Err(Failure::new(DENIED, state).hint(ADD_SCOPES))
}

/// Says what was let pass, right before it is asked whether to go on.
pub(super) fn show_acknowledged(context: &Context, refusals: &[Refusal]) {
    if !refusals.is_empty() {
        context.show(|| report::acknowledged(refusals));
    }
}

/// Says why a plan was refused, and what to do about it.
fn refused(standing: &[Refusal], allowed: &BTreeSet<String>, target: &str) -> Failure {
    let is_first = |guard: &str| standing[0].guard == guard;
    let code = if is_first("scopes") { DENIED } else { REFUSED };
    let causes = standing.iter().map(|refusal| std::io::Error::other(format!("{}: {}", refusal.guard, refusal.message)));
    let failure = causes.fold(Failure::new(code, "nothing was written: the plan was refused"), |failure, cause| failure.caused_by(&cause));
    let is_unseen = |refusal: &Refusal| refusal.guard == CRITICAL && !refusal.can_be_allowed;
    let may_pass = standing.iter().filter(|refusal| refusal.can_be_allowed || is_unseen(refusal));
    let names: BTreeSet<&str> = may_pass.map(|refusal| refusal.guard.as_ref()).collect();
    let all = || allowed.iter().map(String::as_str).chain(names.iter().copied()).collect::<BTreeSet<_>>();
    let all = || all().into_iter().collect::<Vec<_>>().join(",");
    if is_first("scopes") {
        failure.hint(ADD_SCOPES)
    } else if is_first("secrets") {
        failure.hint("set the variable or write the file, or take the rule out of the mapping")
    } else if standing.iter().any(is_unseen) {
        let import = format!("migrate import --tenant {target} --plan FILE --allow {}", all());
        failure.hint(format!("save the plan with --out FILE, look at it, then `{import}`"))
    } else if names.is_empty() {
        failure
    } else {
        failure.hint(format!("if that is meant, run it with --allow {}", all()))
    }
}
