//! `migrate ids`

use clap::Args;

use crate::apply::{LinkedId, linked_ids};
use crate::cli::Output;
use crate::cli::context::Context;
use crate::cli::error::{Failure, USAGE};
use crate::cli::options::SelectionOptions;
use crate::model::resource::Key;
use crate::model::selection::Selection;
use crate::report;
use crate::state::links::Links;
use crate::workflow::history::PastRun;
use crate::workflow::named_source;

/// Print the ids in the target of what was created or linked
///
/// Application teams need them to configure their applications after a first import. Prints no secrets. Reads only files: the links between
/// the two tenants, or with --run one run.
#[derive(Debug, Args)]
pub(in crate::cli) struct IdsArgs {
    /// The target tenant [default: the only one configured]
    #[arg(long, visible_alias = "to", value_name = "TENANT")]
    tenant: Option<String>,
    /// The source tenant [default: `source` of the target]
    #[arg(long, value_name = "TENANT", conflicts_with = "run")]
    from: Option<String>,
    /// Only what this run created or linked
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    #[command(flatten)]
    part: SelectionOptions,
}

/// The source and the target, and the ids.
struct FoundIds {
    source: String,
    target: String,
    ids: Vec<LinkedId>,
}

impl IdsArgs {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<u8, Failure> {
        let selection = self.part.selection(context)?;
        let FoundIds { source, target, mut ids } = match &self.run {
            Some(run) => self.of_run(context, run)?,
            None => self.of_pair(context)?,
        };
        ids.retain(|linked| selection.has(&linked.key));
        if ids.is_empty() && context.output() == Output::Text {
            context.answer(|| nothing(&source, &target, &selection), || report::ids_json(&source, &target, &ids));
            return Ok(0);
        }
        let text = || match context.output() {
            Output::Csv => report::ids_csv(&ids),
            Output::Env => report::ids_env(&ids),
            Output::Text | Output::Json | Output::Markdown => report::ids(&ids),
        };
        context.answer_as_it_is(text, || report::ids_json(&source, &target, &ids));
        Ok(0)
    }

    /// Returns what one run created or linked.
    fn of_run(&self, context: &Context, run: &str) -> Result<FoundIds, Failure> {
        let past = PastRun::load(context.environment()?, run)?;
        let target = past.plan.target.tenant.clone();
        if let Some(tenant) = self.tenant.as_ref().filter(|tenant| **tenant != target) {
            return Err(Failure::new(USAGE, format!("the run \"{run}\" was on \"{target}\", not on \"{tenant}\"")).hint("omit --tenant"));
        }
        Ok(FoundIds { source: past.plan.source_tenant().to_owned(), ids: linked_ids(&past.plan, &past.summary), target })
    }

    /// Returns everything that is linked between the two tenants.
    fn of_pair(&self, context: &Context) -> Result<FoundIds, Failure> {
        let target = context.tenant_settings(self.tenant.as_deref())?;
        let missing = || {
            Failure::new(USAGE, format!("no source for \"{}\"", target.name)).hint("name one with --from, or set `source` in migrate.toml")
        };
        let source = self.from.clone().or_else(|| target.source.clone()).ok_or_else(missing)?;
        let environment = context.environment()?;
        let pair = environment.pair(named_source(environment, &source), target)?;
        pair.check()?;
        let links = Links::load(&pair.links())?;
        let known = links.iter().filter_map(|link| Some((context.catalog.kind(&link.kind)?, link)));
        let ids = known.map(|(kind, link)| LinkedId { key: Key::new(kind, &link.key), id: link.target_id.clone() });
        let mut ids: Vec<LinkedId> = ids.collect();
        ids.sort_by(|one, other| (&one.key, one.id.as_str()).cmp(&(&other.key, other.id.as_str())));
        Ok(FoundIds { source, target: target.name.clone(), ids })
    }
}

fn nothing(source: &str, target: &str, selection: &Selection) -> String {
    let of = if selection.is_everything() { String::new() } else { format!(" that matches {selection}") };
    format!("Nothing{of} is linked between {source} and {target} yet: `migrate import --tenant {target}` links what it creates or finds.\n")
}
