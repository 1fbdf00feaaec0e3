//! The representation of a resource in a response, depending on the token.

use serde_json::{Value, json};

use crate::catalog::Kind;
use crate::json::Body;
use crate::sandbox::behaviour::api_history;
use crate::sandbox::behaviour::registry::behaviour_of;
use crate::sandbox::behaviour::server_behaviour::ServerBehaviour;
use crate::sandbox::http::request::{ApiRequest, KeyAccess};
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::store::api_form::to_api;
use crate::sandbox::store::state::State;

impl State {
    /// Returns a resource as a read returns it for a token, with the requested fields.
    pub(crate) fn read_response(&self, kind: &'static Kind, body: &Body, request: &ApiRequest) -> Value {
        let mut shown = self.visible_body(kind, body, request.key_access);
        for path in behaviour_of(kind.name).update_response_only {
            shown.take(path);
        }
        if let Some(fields) = request.query_parameter("fields") {
            let fields: Vec<&str> = fields.split(',').collect();
            let includes = request.query_parameter("include_fields") != Some("false");
            shown.0.retain(|name, _| fields.contains(&name.as_str()) == includes);
        }
        without_write_only(kind, to_api(kind, &shown))
    }

    /// Returns a resource as any response contains it: without keys that the token may not read, and with the lists of
    /// its children.
    pub(crate) fn visible_body(&self, kind: &'static Kind, body: &Body, key_access: KeyAccess) -> Body {
        let mut visible = body.clone();
        let behaviour: &ServerBehaviour = behaviour_of(kind.name);
        if key_access == KeyAccess::Hidden {
            for name in behaviour.needs_key_scope {
                visible.0.remove(*name);
            }
        }
        for (field, child) in behaviour.child_lists.iter().filter(|(field, _)| api_history::is_filled_in(kind.name, field, self.day())) {
            let id = body.text(kind.identity.id).unwrap_or_default();
            let list = self.children.get(child).and_then(|lists| lists.get(id));
            if let (Some(list), Some(name)) = (list, self.child_reference_field(child)) {
                visible.set(field, list.iter().map(|element| element[name].clone()).collect());
            }
        }
        visible
    }

    /// Removes lists of children from the body, for resources that could once be written with them.
    ///
    /// # Errors
    ///
    /// The refusal of a field that was removed from the API before the imitated day.
    pub(crate) fn take_child_lists(&self, kind: &Kind, sent: &mut Body) -> Result<Vec<(&'static str, Vec<Value>)>, ApiResponse> {
        let listed =
            behaviour_of(kind.name).child_lists.iter().filter(|(field, _)| api_history::is_filled_in(kind.name, field, self.day()));
        let taken = listed.filter_map(|(field, child)| {
            let name = self.child_reference_field(child)?;
            let Value::Array(list) = sent.0.remove(*field)? else { return None };
            Some((*child, list.into_iter().map(|value| json!({name: value})).collect()))
        });
        let taken = taken.collect();
        let ended = behaviour_of(kind.name).child_lists.iter().find(|(field, _)| sent.0.contains_key(*field));
        ended.map_or(Ok(taken), |(field, _)| Err(ApiResponse::invalid_body(&format!("'Additional properties not allowed: {field}'"))))
    }

    /// Returns the field of a child's element that holds its reference.
    fn child_reference_field(&self, child: &str) -> Option<&'static str> {
        let reference = self.catalog.kind(child)?.references.first()?;
        reference.path.split_once("[].").map(|(_, name)| name)
    }
}

/// Removes what can never be read back from a response.
pub(crate) fn without_write_only(kind: &Kind, mut visible: Value) -> Value {
    for path in behaviour_of(kind.name).write_only.iter().chain(kind.secrets.write_only) {
        if let Value::Object(fields) = &mut visible {
            let mut body = Body(std::mem::take(fields));
            body.take(path);
            visible = body.into_value();
        }
    }
    visible
}
