//! A replica of a tenant, built from its responses, on which a change can be rehearsed.

use serde_json::{Map, Value, json};

use super::api_form::insert_at_path;
use super::state::State;
use super::state_file::StateError;
use crate::catalog::{Catalog, KeyNames, Kind, Shape};
use crate::json::Body;
use crate::sandbox::http::response::ApiResponse;

/// The responses of a tenant, collected into a state.
#[derive(Default)]
pub struct Replica {
    data: Map<String, Value>,
    absent: Map<String, Value>,
}

impl Replica {
    /// Adds one resource as the API returns it, with its parent's id.
    pub fn add(&mut self, kind: &'static Kind, answer: &Body) {
        insert_at_path(&mut self.data, kind, answer);
    }

    /// Adds the list of a child.
    pub fn add_children(&mut self, kind: &'static Kind, parent: &str, elements: &[Value]) {
        self.data.insert(kind.path_of(parent), Value::Array(elements.to_vec()));
    }

    /// Records that a kind is refused, with this status and message.
    pub fn add_unavailable(&mut self, kind: &'static Kind, status: u16, message: &str) {
        let answer = ApiResponse::refusal(status, message, None);
        let answer = json!({"status": answer.status, "body": answer.body});
        let paths = match kind.shape {
            Shape::Keyed { names: KeyNames::Fixed(names) } => names.iter().map(|name| kind.path_of(name)).collect(),
            _ => vec![kind.paths.list.to_owned()],
        };
        self.absent.extend(paths.into_iter().map(|path| (path, answer.clone())));
    }

    /// Returns the paths of child lists that were not added: they are absent, whereas others may be empty.
    fn unread(&self) -> Vec<String> {
        let under = |kind: &'static Kind, parent: &str| {
            let parent = Catalog::standard().kind(parent).expect("catalog test: every parent is a kind");
            let held = self.data.get(parent.paths.list).and_then(Value::as_array).into_iter().flatten();
            held.filter_map(|one| one[parent.identity.id].as_str()).map(|id| kind.path_of(id)).collect::<Vec<_>>()
        };
        let lists = Catalog::standard().kinds().filter_map(|kind| match kind.shape {
            Shape::Child { parent, .. } => Some(under(kind, parent)),
            _ => None,
        });
        lists.flatten().filter(|path| !self.data.contains_key(path)).collect()
    }

    /// Returns the collected state.
    ///
    /// # Errors
    ///
    /// If the responses are not a valid state.
    pub fn into_state(mut self, domain: &str) -> Result<State, StateError> {
        let not_found = json!({"status": 404, "body": ApiResponse::not_found().body});
        for path in self.unread() {
            self.absent.insert(path, not_found.clone());
        }
        State::from_json(json!({"domain": domain, "data": self.data, "absent": self.absent}))
    }
}
