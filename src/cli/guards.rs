//! Guards before a person: what a command line lets pass, and what a refusal says.

use std::collections::BTreeSet;
use std::io::IsTerminal;

use super::context::Context;
use super::failure::{ADD_SCOPES, DENIED, Failure, REFUSED, USAGE};
use crate::plan::Plan;
use crate::plan::guard::{self, CRITICAL, Refusal};
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
pub(super) async fn preflight(context: &Context, plan: &Plan, tenant: &Tenant, standing: &[Refusal]) -> Result<(), Failure> {
    if !standing.is_empty() {
        return Err(refused(standing));
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

/// Says why a plan was refused, and what to do about it.
fn refused(standing: &[Refusal]) -> Failure {
    let is_first = |guard: &str| standing[0].guard == guard;
    let code = if is_first("scopes") { DENIED } else { REFUSED };
    let causes = standing.iter().map(|refusal| std::io::Error::other(format!("{}: {}", refusal.guard, refusal.message)));
    let failure = causes.fold(Failure::new(code, "nothing was written: the plan was refused"), |failure, cause| failure.caused_by(&cause));
    let names: Vec<&str> = standing.iter().filter(|refusal| refusal.can_be_allowed).map(|refusal| refusal.guard.as_ref()).collect();
    match names.join(",") {
        _ if is_first("scopes") => failure.hint(ADD_SCOPES),
        _ if is_first("secrets") => failure.hint("set the variable or write the file, or take the rule out of the mapping"),
        names if standing.iter().any(|refusal| refusal.guard == CRITICAL && !refusal.can_be_allowed) => {
            let names = if names.is_empty() { CRITICAL.to_owned() } else { format!("{CRITICAL},{names}") };
            failure.hint(format!("save the plan with --out FILE, look at it, then `migrate import --plan FILE --allow {names}`"))
        }
        names if names.is_empty() => failure,
        names => failure.hint(format!("if that is meant, add --allow {names}")),
    }
}
