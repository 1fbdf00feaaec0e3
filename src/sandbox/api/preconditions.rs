//! Preconditions: what must or must not exist before a request is executed.

use crate::catalog::{Kind, ReferencedBy};
use crate::json::Body;
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::store::api_form::unique_name;
use crate::sandbox::store::state::State;

impl State {
    pub(super) fn check_parent(&self, kind: &Kind, id: &str) -> Result<(), ApiResponse> {
        let parent = kind.parent().ok_or_else(ApiResponse::not_found)?;
        if self.has(parent.name, ReferencedBy::Id, id) { Ok(()) } else { Err(ApiResponse::unknown_resource(parent)) }
    }

    pub(super) fn stored(&self, kind: &Kind, id: &str) -> Result<&Body, ApiResponse> {
        self.tables.get(kind.name).and_then(|table| table.get(id)).ok_or_else(|| ApiResponse::unknown_resource(kind))
    }

    /// Refuses fields that the tenant's subscription lacks.
    pub(super) fn check_entitlement(&self, kind: &Kind, sent: &Body) -> Result<(), ApiResponse> {
        let lacking = self.unentitled.get(kind.name).into_iter().flatten().find(|field| sent.0.contains_key(*field));
        lacking.map_or(Ok(()), |field| {
            let message = format!("This tenant's subscription does not include {field}. Please upgrade your subscription.");
            Err(ApiResponse::refusal(403, &message, Some("insufficient_entitlement")))
        })
    }

    pub(super) fn check_name(&self, kind: &'static Kind, body: &Body, own: Option<&str>) -> Result<(), ApiResponse> {
        if kind.identity.allows_duplicates || kind.identity.key.is_empty() {
            return Ok(());
        }
        let name = unique_name(kind, body);
        let holder = self.tables.get(kind.name).and_then(|table| table.id_by_name(&name));
        if holder.is_some() && holder != own { Err(ApiResponse::conflict(kind, &name)) } else { Ok(()) }
    }

    /// Refuses a resource that is identified by another one that does not exist.
    pub(super) fn check_identity(&self, kind: &'static Kind, sent: &Body) -> Result<(), ApiResponse> {
        for reference in kind.references.iter().filter(|reference| kind.identity.key.contains(&reference.path)) {
            let (Some(value), Some(to)) = (sent.text(reference.path), self.catalog.kind(reference.to)) else { continue };
            if !self.has(to.name, reference.by, value) {
                return Err(ApiResponse::unknown_resource(to));
            }
        }
        Ok(())
    }
}
