//! `migrate explain`

use clap::Args;

use crate::catalog::Kind;
use crate::cli::context::Context;
use crate::cli::error::{Failure, USAGE};
use crate::cli::options::RouteOptions;
use crate::diagnostic::nearest;
use crate::model::resource::Key;
use crate::model::selection::Selection;
use crate::plan::{ExplainedPlan, Explanation};
use crate::report;
use crate::workflow::{Prepared, prepare};

/// Explain what an import would do to individual resources, and why
///
/// Shows whether each resource is in the plan and, if it is not, why it is excluded or skipped. For each field, shows the values in both
/// tenants and the mapping rule that applies. Writes nothing to any tenant.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExplainArgs {
    /// Keys, ids or patterns: clients/Web, 'clients/Web*', tenant-settings
    #[arg(value_name = "KEY|GLOB", required = true)]
    keys: Vec<String>,
    #[command(flatten)]
    route: RouteOptions,
}

impl ExplainArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let patterns = Selection::read(context.catalog, &[], &self.keys, &[]).map_err(|error| Failure::of_selection(&error))?.only;
        let target = context.tenant_settings(self.route.tenant.as_deref())?;
        let prepared = prepare(context.environment()?, &self.route.route(context, &target.name)?).await?;
        let Prepared { plan, desired, live, state, attribution, skipped_by, .. } = &prepared;
        let (catalog, places) = (context.catalog, &|key: &Key| attribution.places(key));
        let explained = ExplainedPlan { catalog, plan, desired, live, links: &state.links, skipped_by, places };
        let mut found: Vec<Explanation> = Vec::new();
        for (text, pattern) in self.keys.iter().zip(&patterns) {
            // A name can contain the special characters of a pattern.
            let exact = explained.explain(&|key| key == text);
            let meant = if exact.is_empty() { explained.explain(&|key| key.parse().is_ok_and(|key| pattern.matches(&key))) } else { exact };
            if meant.is_empty() {
                return Err(unknown(context, &explained, text));
            }
            found.extend(meant.into_iter().filter(|one| !found.iter().any(|known| known.key == one.key)).collect::<Vec<_>>());
        }
        context.answer(|| report::explained(plan, &found, context.is_verbose()), || report::explained_json(plan, &found));
        Ok(0)
    }
}

/// Returns the error for a name that neither tenant has.
fn unknown(context: &Context, explained: &ExplainedPlan<'_>, text: &str) -> Failure {
    let keys: Vec<String> = explained.keys().iter().map(ToString::to_string).collect();
    let (source, target) = (&explained.plan.source.tenant, &explained.plan.target.tenant);
    let failure = Failure::new(USAGE, format!("neither {source} nor {target} has \"{text}\""));
    let of_kind = text.split_once('/').and_then(|(name, _)| context.catalog.kind(name));
    let is_of_kind = |key: &&String| of_kind.is_none_or(|kind: &Kind| key.split('/').next() == Some(kind.name));
    match (nearest(text, keys.iter().filter(is_of_kind).map(String::as_str)), of_kind) {
        (Some(nearest), _) => failure.hint(format!("did you mean \"{nearest}\"?")),
        (None, Some(kind)) => failure.hint(format!("`migrate explain '{}/*'` explains all of them", kind.name)),
        (None, None) => failure.hint("`migrate kinds` lists the kinds"),
    }
}
