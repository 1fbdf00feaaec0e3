//! Lists below a parent that change element by element.

use serde_json::{Value, json};

use super::validate::{sent_object, validate_body};
use crate::catalog::{ElementChanges, Kind, ReferencedBy, RequestPurpose, Shape};
use crate::sandbox::behaviour::registry::behaviour_of;
use crate::sandbox::http::request::ApiRequest;
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::store::state::State;

impl State {
    pub(crate) fn respond_for_children(&mut self, kind: &'static Kind, id: &str, request: &ApiRequest) -> Result<ApiResponse, ApiResponse> {
        let Shape::Child { parent, element_changes } = kind.shape else { return Err(ApiResponse::not_found()) };
        let parent = self.catalog.kind(parent).ok_or_else(ApiResponse::not_found)?;
        if !self.has(parent.name, ReferencedBy::Id, id) {
            return Err(ApiResponse::unknown_resource(parent));
        }
        match (element_changes, request.method.as_str()) {
            (_, "GET") => {
                let list = self.children.get(kind.name).and_then(|lists| lists.get(id));
                Self::list_children(kind, list.map_or(&[][..], Vec::as_slice), request)
            }
            (ElementChanges::AddRemove { .. }, "POST") => {
                let added = sent_elements(self, kind, request)?;
                self.check_elements(kind, &added)?;
                self.add_elements(kind, id, added);
                Ok(ApiResponse::new(201, json!({})))
            }
            (ElementChanges::AddRemove { .. }, "DELETE") => {
                let removed = sent_elements(self, kind, request)?;
                self.remove_elements(kind, id, &removed);
                Ok(ApiResponse::empty())
            }
            (ElementChanges::AddUpdateRemove { most, .. }, "POST") => {
                let added = sent_elements(self, kind, request)?;
                check_length(added.len(), most)?;
                self.check_elements(kind, &added)?;
                self.add_elements(kind, id, added.clone());
                Ok(ApiResponse::new(201, Value::Array(added)))
            }
            (ElementChanges::AddUpdateRemove { by, most }, "DELETE") => {
                let names = request.body[kind.elements()].as_array().cloned().unwrap_or_default();
                check_length(names.len(), most)?;
                self.child_list(kind, id).retain(|element| !names.contains(&element[by]));
                Ok(ApiResponse::empty())
            }
            (ElementChanges::Switch { most }, "PATCH") => self.switch_elements(kind, id, most, request),
            _ => Err(ApiResponse::not_found()),
        }
    }

    fn child_list(&mut self, kind: &Kind, id: &str) -> &mut Vec<Value> {
        self.children.entry(kind.name).or_default().entry(id.to_owned()).or_default()
    }

    fn switch_elements(&mut self, kind: &'static Kind, id: &str, most: usize, request: &ApiRequest) -> Result<ApiResponse, ApiResponse> {
        let sent = request.body.as_array().ok_or_else(|| ApiResponse::invalid_body("'Expected type array'"))?;
        check_length(sent.len(), most)?;
        if let Some(unclear) = sent.iter().find(|element| !element["status"].is_boolean()) {
            return Err(ApiResponse::invalid_body(&format!("'Missing required property: status' on property {unclear}")));
        }
        let (on, off): (Vec<Value>, Vec<Value>) = sent.iter().cloned().partition(|element| element["status"] == true);
        let plain = |mut element: Value| {
            element.as_object_mut().map(|fields| fields.remove("status"));
            element
        };
        let (on, off): (Vec<Value>, Vec<Value>) = (on.into_iter().map(plain).collect(), off.into_iter().map(plain).collect());
        self.check_elements(kind, &on)?;
        self.remove_elements(kind, id, &off);
        self.add_elements(kind, id, on);
        Ok(ApiResponse::empty())
    }

    /// Updates one element of a list whose elements have names.
    pub(crate) fn update_element(
        &mut self,
        kind: &'static Kind,
        by: &str,
        (id, name): (&str, &str),
        request: &ApiRequest,
    ) -> Result<ApiResponse, ApiResponse> {
        let list = self.child_list(kind, id);
        let element = list.iter_mut().find(|element| element[by] == name).ok_or_else(ApiResponse::not_found)?;
        for (field, value) in request.body.as_object().into_iter().flatten() {
            element[field.as_str()] = value.clone();
        }
        Ok(ApiResponse::new(200, element.clone()))
    }

    /// Refuses elements that refer to resources that do not exist.
    fn check_elements(&self, kind: &'static Kind, elements: &[Value]) -> Result<(), ApiResponse> {
        for reference in kind.references {
            let Some((_, field)) = reference.path.split_once("[].") else { continue };
            let Some(to) = self.catalog.kind(reference.to) else { continue };
            let mut named = elements.iter().filter_map(|element| element[field].as_str());
            if named.any(|value| !self.has(to.name, reference.by, value)) {
                return Err(ApiResponse::unknown_resource(to));
            }
        }
        if kind.name == "role-permissions" {
            elements.iter().try_for_each(|permission| self.check_permission(permission))?;
        }
        Ok(())
    }

    fn check_permission(&self, permission: &Value) -> Result<(), ApiResponse> {
        let (api, name) = (text(permission, "resource_server_identifier"), text(permission, "permission_name"));
        if self.permission(api, name).is_some() {
            return Ok(());
        }
        let message = format!("This permission does not exist: '{api} - {name}'");
        Err(ApiResponse::refusal(404, &message, Some("inexistent_resource_server_permission")))
    }

    /// Returns the name of an API and the description of one of its permissions.
    fn permission(&self, api: &str, name: &str) -> Option<(Value, Value)> {
        let table = self.tables.get("resource-servers")?;
        let api = table.get(table.id_by_name(api)?)?;
        let scope = api.get("scopes")?.as_array()?.iter().find(|scope| scope["value"] == name)?;
        Some((api.get("name").cloned().unwrap_or_default(), scope["description"].clone()))
    }

    fn add_elements(&mut self, kind: &'static Kind, id: &str, elements: Vec<Value>) {
        let elements: Vec<Value> = elements.into_iter().map(|element| self.with_descriptions(kind, element)).collect();
        let list = self.child_list(kind, id);
        for element in elements {
            if !list.iter().any(|known| is_same(kind, known, &element)) {
                list.push(element);
            }
        }
    }

    /// Adds what the server shows beyond what was sent: the API's name and the permission's description.
    fn with_descriptions(&self, kind: &Kind, mut element: Value) -> Value {
        if kind.name == "role-permissions" {
            let (api, name) = (text(&element, "resource_server_identifier"), text(&element, "permission_name"));
            if let Some((api_name, description)) = self.permission(api, name) {
                element["resource_server_name"] = api_name;
                element["description"] = description;
            }
        }
        element
    }

    fn remove_elements(&mut self, kind: &'static Kind, id: &str, elements: &[Value]) {
        if let Some(list) = self.children.entry(kind.name).or_default().get_mut(id) {
            list.retain(|known| !elements.iter().any(|element| is_same(kind, known, element)));
        }
    }
}

fn check_length(length: usize, most: usize) -> Result<(), ApiResponse> {
    let is_allowed = (1..=most).contains(&length);
    if is_allowed {
        Ok(())
    } else {
        Err(ApiResponse::invalid_body(&format!("'Array has {length} elements, between 1 and {most} are allowed'")))
    }
}

fn sent_elements(state: &State, kind: &'static Kind, request: &ApiRequest) -> Result<Vec<Value>, ApiResponse> {
    let sent = sent_object(kind, request)?;
    validate_body(kind, behaviour_of(kind.name), &sent, state.validation_basis(request, RequestPurpose::Create))?;
    let list = sent.get(kind.elements()).and_then(Value::as_array).filter(|list| !list.is_empty());
    list.cloned().ok_or_else(|| ApiResponse::invalid_body(&format!("'Missing required property: {}'", kind.elements())))
}

fn text<'value>(value: &'value Value, field: &str) -> &'value str {
    value[field].as_str().unwrap_or_default()
}

/// Returns whether two elements are equal in all writable fields.
fn is_same(kind: &'static Kind, known: &Value, element: &Value) -> bool {
    let fields = kind.fields.writable().iter().next().and_then(|field| field.below.as_ref());
    fields.is_some_and(|fields| fields.iter().all(|field| known[field.name] == element[field.name]))
}
