//! Deletes, and the dependents that are deleted with a resource.

use serde_json::{Value, json};

use crate::catalog::{Kind, ReferencedBy, Shape};
use crate::json::Body;
use crate::sandbox::behaviour::registry::behaviour_of;
use crate::sandbox::behaviour::server_behaviour::now;
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::store::api_form::unique_name;
use crate::sandbox::store::state::State;

impl State {
    pub(super) fn remove(&mut self, kind: &'static Kind, id: &str) -> Result<ApiResponse, ApiResponse> {
        let body = self.stored(kind, id)?.clone();
        if body.get("is_system") == Some(&Value::Bool(true)) {
            return Err(ApiResponse::refusal(400, "System resource servers cannot be deleted", Some("operation_not_supported")));
        }
        if let Some(table) = self.tables.get_mut(kind.name) {
            table.remove(id);
        }
        self.remove_dependents(kind, &body);
        Ok(match behaviour_of(kind.name).statuses.1 {
            200 => ApiResponse::new(200, json!({})),
            202 => ApiResponse::new(202, json!({"deleted_at": now()})),
            _ => ApiResponse::empty(),
        })
    }

    /// Deletes the dependents of a deleted resource: its children, resources identified by it and their dependents, and its entries in lists
    /// of others.
    fn remove_dependents(&mut self, kind: &'static Kind, removed: &Body) {
        let (id, name) = (kind.id_of(removed).unwrap_or_default(), unique_name(kind, removed));
        let mut along = Vec::new();
        for other in self.catalog.kinds() {
            if other.parent() == Some(kind) {
                self.children.entry(other.name).or_default().remove(&id);
            }
            for reference in other.references.iter().filter(|reference| reference.to == kind.name) {
                let called = match reference.by {
                    ReferencedBy::Id => &id,
                    ReferencedBy::Key => &name,
                    ReferencedBy::Alias | ReferencedBy::Within => continue,
                };
                if other.identity.key.contains(&reference.path) {
                    let table = self.tables.entry(other.name).or_default();
                    for place in table.ids_where(|body| body.text(reference.path) == Some(called)) {
                        let identified_by_it = table.get(&place).cloned();
                        table.remove(&place);
                        along.extend(identified_by_it.map(|body| (other, body)));
                    }
                }
                if let (Shape::Child { .. }, Some((_, field))) = (other.shape, reference.path.split_once("[].")) {
                    for list in self.children.entry(other.name).or_default().values_mut() {
                        list.retain(|element| element[field].as_str() != Some(called));
                    }
                }
            }
        }
        for (kind, body) in along {
            self.remove_dependents(kind, &body);
        }
    }
}
