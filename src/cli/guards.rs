//! Guards before a person: what a command line lets pass, and what a refusal says.

use std::collections::BTreeSet;

use super::context::Context;
use super::failure::{ADD_SCOPES, DENIED, Failure, REFUSED, USAGE};
use crate::plan::Plan;
use crate::plan::guard::{self, Refusal};
use crate::tenant::Tenant;

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

/// Stops unless every reason to refuse a plan was acknowledged, and the token may do exactly what the plan does.
pub(super) async fn preflight(context: &Context, plan: &Plan, tenant: &Tenant, standing: &[Refusal]) -> Result<(), Failure> {
    if let Some(first) = standing.first() {
        let others: Vec<String> = standing.iter().skip(1).map(|refusal| format!("{}: {}", refusal.guard, refusal.message)).collect();
        let code = if first.guard == "scopes" { DENIED } else { REFUSED };
        let mut failure = Failure::new(code, "nothing was written: the plan was refused");
        for refusal in std::iter::once(format!("{}: {}", first.guard, first.message)).chain(others) {
            failure = failure.caused_by(&std::io::Error::other(refusal));
        }
        let names: Vec<&str> = standing.iter().filter(|refusal| refusal.can_be_allowed).map(|refusal| refusal.guard.as_ref()).collect();
        return Err(match first.guard.as_ref() {
            "scopes" => failure.hint(ADD_SCOPES),
            "secrets" => failure.hint("set the variable or write the file, or take the rule out of the mapping"),
            _ if names.is_empty() => failure,
            _ => failure.hint(format!("if that is meant, add --allow {}", names.join(","))),
        });
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
