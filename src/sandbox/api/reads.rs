//! Reads of one resource.

use crate::catalog::{Kind, Shape};
use crate::json::Body;
use crate::sandbox::http::request::ApiRequest;
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::store::state::State;

impl State {
    /// Reads one resource; an object that needs no create is empty until the first write (recorded: texts of prompts and of self-service
    /// profiles, partials, bindings).
    pub(super) fn read(&self, kind: &'static Kind, id: &str, request: &ApiRequest) -> Result<ApiResponse, ApiResponse> {
        if matches!(kind.shape, Shape::Part { .. }) {
            self.check_parent(kind, id)?;
        }
        let empty = Body::new();
        let body = match self.stored(kind, id) {
            Err(_) if self.is_always_there(kind, id) => &empty,
            other => other?,
        };
        let shown = self.read_response(kind, body, request);
        Ok(ApiResponse::new(200, Self::paged_within(kind, shown, request)?))
    }

    /// Returns whether an object can be read before the first write: not if it depends on one that does not exist.
    pub(super) fn is_always_there(&self, kind: &Kind, id: &str) -> bool {
        let is_there = |other: &&Kind| self.tables.get(other.name).is_some_and(|table| table.has(id));
        let mut needed = kind.depends_on.iter().filter_map(|name| self.catalog.kind(name)).filter(|other| other.parent() == kind.parent());
        match kind.shape {
            Shape::Keyed { .. } => kind.creation().is_none(),
            Shape::Part { .. } => kind.creation().is_none() && needed.all(|other| is_there(&other)),
            _ => false,
        }
    }
}
