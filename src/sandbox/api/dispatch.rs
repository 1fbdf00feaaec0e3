//! Dispatch: checks each request and passes it to the code that executes it.

use hyper::Method;
use serde_json::Value;

use super::schema::description;
use crate::catalog::{ElementChanges, Kind, Shape};
use crate::sandbox::behaviour::registry::behaviour_of;
use crate::sandbox::http::request::ApiRequest;
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::http::route::Target;
use crate::sandbox::store::state::State;

impl State {
    /// Answers one request without HTTP: with every scope, no limits and no faults.
    pub fn ask(&mut self, method: &str, target: &str, body: Value) -> ApiResponse {
        let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET);
        self.respond(&ApiRequest::new(method, target, body))
    }

    /// Answers a request.
    pub(crate) fn respond(&mut self, request: &ApiRequest) -> ApiResponse {
        if let (Err(refused), false) = (self.check_described(request), self.is_lenient) {
            return refused;
        }
        if let Err(refused) = self.check_rules(request).and_then(|()| self.check_visibility(request)) {
            return refused;
        }
        let rewritten = self.rewritten(request);
        let request = rewritten.as_ref().unwrap_or(request);
        let answered = match self.kind_at(&request.path) {
            Some((_, Target::FollowUp(_))) if !request.is_write() => self.respond_to_uncovered(request),
            None => self.respond_to_uncovered(request),
            Some((kind, target)) => self.respond_for(kind, target, request),
        };
        if let Ok(answer) = &answered {
            self.hide_new_client(request, answer);
            if !self.is_lenient {
                self.apply_live_side_effects(request);
            }
            for follow_up in self.follow_up_requests(request) {
                self.respond(&follow_up);
            }
        }
        answered.unwrap_or_else(|refused| refused)
    }

    /// Refuses what the OpenAPI description does not allow, and what the live API is reported to refuse.
    ///
    /// # Errors
    ///
    /// The refusal.
    fn check_described(&self, request: &ApiRequest) -> Result<(), ApiResponse> {
        description::operation_of(request).map_or(Ok(()), |operation| operation.check(request))?;
        self.check_live_refusals(request)
    }

    fn respond_to_uncovered(&self, request: &ApiRequest) -> Result<ApiResponse, ApiResponse> {
        match (&request.method, self.uncovered.get(&request.path)) {
            (&Method::GET, Some(value)) => Ok(ApiResponse::new(200, value.clone())),
            _ => Err(self.absent.get(&request.path).cloned().unwrap_or_else(ApiResponse::not_found)),
        }
    }

    fn respond_for(&mut self, kind: &'static Kind, target: Target, request: &ApiRequest) -> Result<ApiResponse, ApiResponse> {
        // A resource that the state records as absent remains absent, unless a write can create it.
        let is_made = request.is_write()
            && (kind.identity.is_optional || kind.creation().is_some() || matches!(kind.shape, Shape::Keyed { .. } | Shape::Part { .. }));
        if let Some(absent) = self.absent.get(&request.path).filter(|_| !is_made) {
            return Err(absent.clone());
        }
        if let (Shape::Child { .. }, Target::Resource(id)) = (kind.shape, &target) {
            return self.respond_for_children(kind, id, request);
        }
        if let (Shape::Child { element_changes: ElementChanges::AddUpdateRemove { by, .. }, .. }, Target::Element(id, name), "PATCH") =
            (kind.shape, &target, request.method.as_str())
        {
            return self.update_element(kind, by, (id, name), request);
        }
        match (self.resolve_key(kind, target), request.method.as_str()) {
            (Target::Root, method) if kind.shape == Shape::Singleton => self.respond_for_singleton(kind, method, request),
            (Target::Root, "GET") => self.list(kind, None, request),
            (Target::ListUnder(parent), "GET") => {
                self.check_parent(kind, &parent)?;
                self.list(kind, Some(&parent), request)
            }
            (Target::Root, "POST") => self.create(kind, None, request),
            (Target::ListUnder(parent), "POST") => {
                self.check_parent(kind, &parent)?;
                self.create(kind, Some(&parent), request)
            }
            (Target::Resource(id), "GET") => self.read(kind, &id, request),
            (Target::Resource(id), "POST") if matches!(kind.shape, Shape::Part { .. }) && kind.creation().is_some() => {
                self.check_parent(kind, &id)?;
                self.create(kind, Some(&id), request)
            }
            (Target::Resource(id), "PATCH" | "PUT") => self.update(kind, &id, request),
            (Target::Resource(id), "DELETE") => self.remove(kind, &id),
            (Target::FollowUp(id), "POST") => self.follow_up(kind, &id),
            _ => Err(ApiResponse::not_found()),
        }
    }

    fn respond_for_singleton(&mut self, kind: &'static Kind, method: &str, request: &ApiRequest) -> Result<ApiResponse, ApiResponse> {
        let is_there = self.tables.get(kind.name).is_some_and(|table| table.has(""));
        match method {
            "GET" if !is_there && kind.identity.is_optional => Err(ApiResponse::unknown_resource(kind)),
            "GET" | "PATCH" | "PUT" if !is_there && kind.creation().is_some() => Err(ApiResponse::unknown_resource(kind)),
            "GET" => {
                let body = self.tables.get(kind.name).and_then(|table| table.get("")).cloned().unwrap_or_default();
                Ok(ApiResponse::new(200, self.read_response(kind, &body, request)))
            }
            "POST" if is_there => Err(ApiResponse::conflict(kind, kind.singular)),
            "POST" if kind.creation().is_some() => self.create(kind, None, request),
            "PATCH" | "PUT" => self.update(kind, "", request),
            "DELETE" if is_there => self.remove(kind, ""),
            _ => Err(ApiResponse::not_found()),
        }
    }

    /// Replaces a key in the path by the id, for kinds that are found by key.
    fn resolve_key(&self, kind: &Kind, target: Target) -> Target {
        let table = self.tables.get(kind.name).filter(|_| behaviour_of(kind.name).found_by_key);
        match (table, &target) {
            (Some(table), Target::Resource(key)) if !table.has(key) => {
                table.id_by_name(key).map(str::to_owned).map_or(target, Target::Resource)
            }
            _ => target,
        }
    }
}
