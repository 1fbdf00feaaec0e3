//! `migrate kinds`

use clap::Args;
use serde::Serialize;

use crate::catalog::{Catalog, KeyNames, Kind, Shape};
use crate::cli::context::Context;
use crate::report::{self, Table};

/// List the kinds of settings that are copied
#[derive(Debug, Args)]
pub(in crate::cli) struct KindsArgs {}

#[derive(Serialize)]
struct KindsAnswer<'a> {
    kinds: Vec<KindFields<'a>>,
}

#[derive(Serialize)]
struct KindFields<'a> {
    kind: &'a str,
    title: &'a str,
    shape: String,
    key: &'a [&'a str],
    refers_to: Vec<&'a str>,
    not_copied: &'a [&'a str],
    manual_steps: Vec<String>,
    created: bool,
}

impl KindsArgs {
    pub(in crate::cli) fn run(context: &Context) -> u8 {
        let json = || {
            let kinds = context.catalog.kinds().map(|kind| KindFields {
                kind: kind.name,
                title: kind.title,
                shape: shape(kind),
                key: kind.identity.key,
                refers_to: refers(kind),
                not_copied: kind.secrets.paths,
                manual_steps: manual_steps(kind),
                created: kind.lifecycle.not_creatable.is_none() && kind.lifecycle.manual_setup.is_none(),
            });
            report::answer(&KindsAnswer { kinds: kinds.collect() }, 0)
        };
        let text = || if context.is_markdown() { markdown(context.catalog) } else { table(context.catalog) };
        context.answer_as_it_is(text, json);
        0
    }
}

fn table(catalog: &Catalog) -> String {
    let mut table = Table::new(&["kind", "what it is", "shape", "key", "refers to", "not copied"]);
    for kind in catalog.kinds() {
        table.row([kind.name.to_owned(), kind.title.to_owned(), shape(kind), key(kind), refers(kind).join(", "), not_copied(kind)]);
    }
    table.text()
}

/// Formats the table as Markdown.
fn markdown(catalog: &Catalog) -> String {
    let mut page = "# What is copied\n\nPrinted by `migrate kinds --output markdown`; in the order in which it is created.\n\n\
                    | kind | what it is | shape | key | refers to | not copied | manual steps |\n|---|---|---|---|---|---|---|\n"
        .to_owned();
    for kind in catalog.kinds() {
        let secrets: Vec<String> = kind.secrets.paths.iter().map(|path| format!("`{path}`")).collect();
        let cells = [
            format!("`{}`", kind.name),
            kind.title.to_owned(),
            shape(kind),
            key(kind),
            refers(kind).join(", "),
            secrets.join(", "),
            manual_steps(kind).join("; "),
        ];
        let cells: Vec<String> = cells.into_iter().map(|cell| cell.replace('|', "\\|")).collect();
        page.extend(["| ", &cells.join(" | "), " |\n"]);
    }
    page
}

/// Returns the manual steps of a kind, whatever a tenant contains.
fn manual_steps(kind: &Kind) -> Vec<String> {
    let steps = kind.lifecycle.manual_steps.iter().map(|step| step.what.to_owned());
    kind.lifecycle.manual_setup.into_iter().chain(kind.lifecycle.not_creatable).map(str::to_owned).chain(steps).collect()
}

fn shape(kind: &Kind) -> String {
    match kind.shape {
        Shape::Collection => "list".to_owned(),
        Shape::Singleton => "one".to_owned(),
        Shape::Keyed { names: KeyNames::Fixed(names) } => format!("{} named", names.len()),
        Shape::Keyed { .. } => "named".to_owned(),
        Shape::Nested { parent } => format!("list under each of {parent}"),
        Shape::Part { parent } => format!("one under each of {parent}"),
        Shape::Child { parent, .. } => format!("list under {parent}"),
    }
}

fn key(kind: &Kind) -> String {
    match kind.shape {
        Shape::Child { .. } => "its parent".to_owned(),
        _ => kind.identity.key.join(" + "),
    }
}

fn refers(kind: &Kind) -> Vec<&'static str> {
    let mut names: Vec<&str> = kind.references.iter().map(|reference| reference.to).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn not_copied(kind: &Kind) -> String {
    match (kind.lifecycle.not_creatable.or(kind.lifecycle.manual_setup), kind.secrets.paths) {
        (Some(_), _) => "new ones".to_owned(),
        (None, []) => String::new(),
        (None, [one]) => (*one).to_owned(),
        (None, [first, rest @ ..]) => format!("{first} and {} more secrets", rest.len()),
    }
}
