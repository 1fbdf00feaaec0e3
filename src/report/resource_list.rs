//! The resources of one kind in a tenant: key, id, and the fields that tell one from another.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::json::answer;
use super::kind_changes::distinguishing_fields;
use super::table::Table;
use super::values::{cut, inline};
use crate::catalog::Kind;
use crate::snapshot::Snapshot;

/// Characters of a field that are shown in a list.
const WIDTH: usize = 40;

/// The resources of one kind in a tenant.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ResourceList<'a> {
    tenant: &'a str,
    kind: &'static str,
    #[serde(skip)]
    columns: &'static [&'static str],
    resources: Vec<ListedResource>,
}

/// One resource in a list.
#[derive(Debug, Serialize, JsonSchema)]
struct ListedResource {
    key: String,
    id: String,
    fields: Map<String, Value>,
}

impl<'a> ResourceList<'a> {
    /// Returns the resources of a kind that a snapshot has, in the order of their keys.
    pub(crate) fn new(snapshot: &'a Snapshot, kind: &'static Kind) -> Self {
        let columns = kind.identity.distinguishing;
        let mut resources: Vec<ListedResource> = snapshot
            .of_kind(kind.name)
            .map(|resource| {
                let fields = distinguishing_fields(kind, &resource.body.open(), resource.key.name());
                let fields = fields.into_iter().map(|(path, value)| (path.to_owned(), value)).collect();
                ListedResource { key: resource.key.to_string(), id: resource.id.as_str().to_owned(), fields }
            })
            .collect();
        resources.sort_by(|one, other| (&one.key, &one.id).cmp(&(&other.key, &other.id)));
        Self { tenant: &snapshot.tenant, kind: kind.name, columns, resources }
    }

    /// Returns it as a table.
    pub(crate) fn text(&self) -> String {
        if self.resources.is_empty() {
            return format!("\"{}\" has no {}.\n", self.tenant, self.kind);
        }
        let head: Vec<&str> = ["key", "id"].into_iter().chain(self.columns.iter().copied()).collect();
        let mut table = Table::new(&head);
        for ListedResource { key, id, fields } in &self.resources {
            let cell = |column: &&str| fields.get(*column).map(|value| cut(&inline(value), WIDTH)).unwrap_or_default();
            table.row([key.clone(), id.clone()].into_iter().chain(self.columns.iter().map(cell)));
        }
        table.text()
    }

    /// Returns it for programs.
    pub(crate) fn json(&self) -> Value {
        answer(self, 0)
    }
}
