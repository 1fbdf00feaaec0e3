//! `migrate map`

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::{Failure, USAGE};
use crate::model::selection::Selection;
use crate::report::{self, Layout, edit_lines, printable};
use crate::workflow::{MappedResource, MappingPreview, NamedField, Route, preview};

/// Show how the mapping changes resources, and which rule changes each value
///
/// Reads a snapshot, or from a tenant only the kind of the resource and the kinds that it refers to. Does not read the target.
#[derive(Debug, Args)]
pub(in crate::cli) struct MapArgs {
    /// The keys of the resources in the source: 'clients/Web*'
    #[arg(value_name = "GLOB", required = true)]
    resources: Vec<String>,
    /// The source: a tenant (read now), a snapshot (dev@latest), or the folder of a snapshot [default: `source` of the target]
    #[arg(long, value_name = "TENANT|SNAPSHOT")]
    from: Option<String>,
    /// The target tenant, whose mapping is used [default: the only one configured, or the only one with a source]
    #[arg(long, visible_alias = "to", value_name = "TENANT")]
    tenant: Option<String>,
    /// The mapping [default: `mapping` of the target]
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Also include third-party clients: `--include third-party`
    #[arg(long, value_name = "WORD,..", value_delimiter = ',')]
    include: Vec<String>,
}

impl MapArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let patterns = Selection::read(context.catalog, &[], &self.resources, &[]).map_err(|error| Failure::of_selection(&error))?.only;
        let target = context.target_settings(self.tenant.as_deref())?.name.clone();
        let (source, mapping, include) = (self.from.clone(), self.mapping.clone(), self.include.clone());
        let route = Route { target, source, mapping, include, ..Route::default() };
        let shown = preview(context.environment()?, &route, &patterns).await?;
        if shown.mapping.is_none() {
            return Err(Failure::new(USAGE, "there is no mapping").hint("add --mapping FILE, or `mapping` to the target in migrate.toml"));
        }
        context.answer(|| text(&shown, context.layout()), || report::answer(&shown, 0));
        Ok(0)
    }
}

fn text(shown: &MappingPreview, layout: Layout) -> String {
    shown.resources.iter().map(|resource| resource_text(resource, layout)).collect::<Vec<_>>().join("\n")
}

fn resource_text(resource: &MappedResource, layout: Layout) -> String {
    let key = printable(&resource.key.to_string()).into_owned();
    if let Some(rule) = &resource.skipped_by {
        return format!("{key}  skipped  {rule}\n");
    }
    let mut lines = vec![match (&resource.target_key, &resource.renamed_by) {
        (Some(new), rule) => {
            format!("{key} → {}{}", printable(&new.to_string()), rule.as_ref().map_or(String::new(), |rule| format!("  {rule}")))
        }
        (None, _) => key,
    }];
    for value in &resource.values {
        let mut of_value = edit_lines(resource.key.kind(), &value.edit, layout);
        if let Some(first) = of_value.first_mut() {
            *first = format!("{first}  {}", printable(&value.rule));
        }
        lines.extend(of_value.into_iter().map(|line| format!("    {line}")));
    }
    let named = |what: &str, fields: &[NamedField]| {
        fields.iter().map(|field| format!("    {}: {what}  {}", printable(&field.path), printable(&field.rule))).collect::<Vec<_>>()
    };
    lines.extend(named("(the target keeps its own)", &resource.kept));
    lines.extend(named("(secret)", &resource.secrets));
    if lines.len() == 1 && resource.target_key.is_none() {
        lines.push("    (no rule changes it)".to_owned());
    }
    lines.join("\n") + "\n"
}
