//! Lists: filters, pages, and the representation of resources in lists.

use serde_json::{Value, json};

use super::pagination::{PageRequest, page_request, page_response};
use crate::catalog::{Kind, Paging, Shape};
use crate::json::Body;
use crate::sandbox::behaviour::registry::behaviour_of;
use crate::sandbox::http::request::ApiRequest;
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::store::state::State;
use crate::sandbox::store::table::ListPosition;

impl State {
    /// Lists a collection.
    pub(crate) fn list(&self, kind: &'static Kind, parent: Option<&str>, request: &ApiRequest) -> Result<ApiResponse, ApiResponse> {
        let page_request = page_request(kind, request)?;
        let filters = filters(kind, parent, request);
        let shown = |body: &Body| {
            let shown = self.read_response(kind, body, request);
            let mut shown = if kind.paths.list_is_summary { summary(kind, shown) } else { shown };
            (behaviour_of(kind.name).on_list)(body, &mut shown);
            shown
        };
        // Global clients come last, so this filter needs no comparison.
        let leaves_out_last = filters == [("global".to_owned(), vec!["false".to_owned()])];
        let filters = if leaves_out_last { &[][..] } else { &filters };
        let passes = |body: &Body| filters.iter().all(|(field, wanted)| holds(body, field, wanted));
        let after = page_request.cursor().map(read_position).transpose()?;
        let Some(table) = self.tables.get(kind.name) else { return Ok(page_response(&page_request, Vec::new(), 0, None)) };
        let mut rows = table.in_order(after.as_ref(), !leaves_out_last).filter(|(_, body)| passes(body));
        let answer = match &page_request {
            PageRequest::Whole | PageRequest::In(_) => {
                let presets = self.presets.get(kind.name).into_iter().flatten().cloned();
                page_response(&page_request, rows.map(|(_, body)| shown(body)).chain(presets).collect(), 0, None)
            }
            PageRequest::Offset { start, size, .. } => {
                let page = rows.by_ref().skip(*start).take(*size).map(|(_, body)| shown(body)).collect();
                let total = match (leaves_out_last, filters.is_empty()) {
                    (true, _) => table.count_before_last(),
                    (false, true) => table.len(),
                    (false, false) => table.in_order(None, true).filter(|(_, body)| passes(body)).count(),
                };
                page_response(&page_request, page, total, None)
            }
            PageRequest::Checkpoint { size, .. } => {
                let page: Vec<(&ListPosition, &Body)> = rows.by_ref().take(*size).collect();
                let next = page.last().filter(|_| rows.next().is_some()).map(|(place, _)| write_position(place));
                page_response(&page_request, page.into_iter().map(|(_, body)| shown(body)).collect(), 0, next)
            }
        };
        Ok(answer)
    }

    /// Returns the requested page of a list inside an object, or the object itself if the list is not paged.
    ///
    /// # Errors
    ///
    /// The refusal of an invalid page.
    pub(crate) fn paged_within(kind: &'static Kind, shown: Value, request: &ApiRequest) -> Result<Value, ApiResponse> {
        let (Shape::Keyed { .. }, Paging::Counted { field, .. }) = (kind.shape, kind.paths.paging) else { return Ok(shown) };
        let list = shown[field].as_array().cloned().unwrap_or_default();
        Self::list_children(kind, &list, request).map(|page| page.body)
    }

    /// Lists the elements of a child.
    pub(crate) fn list_children(kind: &'static Kind, list: &[Value], request: &ApiRequest) -> Result<ApiResponse, ApiResponse> {
        let page_request = page_request(kind, request)?;
        Ok(match &page_request {
            PageRequest::Whole | PageRequest::In(_) => page_response(&page_request, list.to_vec(), 0, None),
            PageRequest::Offset { start, size, .. } => {
                page_response(&page_request, list.iter().skip(*start).take(*size).cloned().collect(), list.len(), None)
            }
            PageRequest::Checkpoint { from, size, .. } => {
                let start = from.as_deref().map_or(Some(0), |cursor| cursor.parse().ok());
                let start: usize = start.ok_or_else(|| ApiResponse::invalid_paging("The 'from' parameter is invalid."))?;
                let end = start.saturating_add(*size);
                let next = (end < list.len()).then(|| end.to_string());
                page_response(&page_request, list.iter().skip(start).take(*size).cloned().collect(), 0, next)
            }
        })
    }
}

/// Returns the fields that the query and the parent filter by, each with the values that pass.
fn filters(kind: &'static Kind, parent: Option<&str>, request: &ApiRequest) -> Vec<(String, Vec<String>)> {
    let behaviour = behaviour_of(kind.name);
    let mut filters: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in &request.query {
        let renamed = behaviour.filter_fields.iter().find(|(parameter, _)| parameter == name).map(|(_, field)| *field);
        let Some(field) = renamed.or_else(|| kind.fields.writable().get(name).map(|field| field.name)) else { continue };
        let separator = if behaviour.comma_separated.contains(&name.as_str()) { "," } else { "\n" };
        let wanted = value.split(separator).map(str::to_owned);
        match filters.iter_mut().find(|(known, _)| known == field) {
            Some((_, values)) => values.extend(wanted),
            None => filters.push((field.to_owned(), wanted.collect())),
        }
    }
    if let (Some(field), Some(parent)) = (kind.parent_field(), parent) {
        filters.push((field.to_owned(), vec![parent.to_owned()]));
    }
    filters
}

fn holds(body: &Body, field: &str, wanted: &[String]) -> bool {
    let is_wanted = |text: &str| wanted.iter().any(|value| value == text);
    match body.get(field) {
        None | Some(Value::Null) => is_wanted("false"),
        Some(Value::String(text)) => is_wanted(text),
        Some(value) => is_wanted(&value.to_string()),
    }
}

/// Returns the summary of a resource that some lists contain: without objects and lists.
fn summary(kind: &Kind, shown: Value) -> Value {
    match shown {
        Value::Object(fields) => {
            let is_plain =
                |name: &str, value: &Value| !(value.is_object() || value.is_array()) || kind.fields.writable().get(name).is_none();
            Value::Object(fields.into_iter().filter(|(name, value)| is_plain(name, value)).collect())
        }
        other => other,
    }
}

fn write_position(place: &ListPosition) -> String {
    json!([place.last, place.by, place.sequence]).to_string()
}

fn read_position(cursor: &str) -> Result<ListPosition, ApiResponse> {
    let read: Result<(bool, String, u64), _> = serde_json::from_str(cursor);
    read.map(|(last, by, sequence)| ListPosition { last, by, sequence })
        .map_err(|_| ApiResponse::invalid_paging("The 'from' parameter is invalid."))
}
