//! `migrate kinds`

use clap::Args;
use serde_json::json;

use crate::catalog::{Kind, Names, Shape};
use crate::cli::context::Context;
use crate::report::Table;

/// List what is copied
#[derive(Debug, Args)]
pub(in crate::cli) struct Kinds {}

impl Kinds {
    pub(in crate::cli) fn run(context: &Context) -> u8 {
        let mut table = Table::new(&["kind", "what it is", "shape", "told apart by", "refers to", "not copied"]);
        for kind in context.catalog.kinds() {
            table.row([kind.name.to_owned(), kind.title.to_owned(), shape(kind), key(kind), refers(kind), not_copied(kind)]);
        }
        let json = || {
            let kinds = context.catalog.kinds().map(|kind| {
                json!({"kind": kind.name, "title": kind.title, "shape": shape(kind), "key": kind.key, "secrets": kind.secrets, "created": kind.not_created.is_none()})
            });
            json!({"kinds": kinds.collect::<Vec<_>>(), "exit": 0})
        };
        context.answer(|| table.text(), json);
        0
    }
}

fn shape(kind: &Kind) -> String {
    match kind.shape {
        Shape::Collection => "list".to_owned(),
        Shape::Singleton => "one".to_owned(),
        Shape::Keyed { names: Names::These(names) } => format!("{} named", names.len()),
        Shape::Keyed { .. } => "named".to_owned(),
        Shape::Nested { parent } => format!("list under each of {parent}"),
        Shape::Part { parent } => format!("one under each of {parent}"),
        Shape::Child { parent, .. } => format!("list under {parent}"),
    }
}

fn key(kind: &Kind) -> String {
    match kind.shape {
        Shape::Child { .. } => "its parent".to_owned(),
        _ => kind.key.join(" + "),
    }
}

fn refers(kind: &Kind) -> String {
    let mut names: Vec<&str> = kind.references.iter().filter(|reference| !reference.planned).map(|reference| reference.to).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn not_copied(kind: &Kind) -> String {
    match (kind.not_created, kind.secrets) {
        (Some(_), _) => "new ones".to_owned(),
        (None, []) => String::new(),
        (None, [one]) => (*one).to_owned(),
        (None, [first, rest @ ..]) => format!("{first} and {} more secrets", rest.len()),
    }
}
