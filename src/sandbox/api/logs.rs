//! `GET /logs`: the tenant's log by search and by checkpoint, and one entry of it.
//!
//! The rules are those of Auth0's pages "Retrieve Logs Using the Management API" and "Log Search Query Syntax". How an
//! invalid search is refused is not recorded, and assumed.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use crate::sandbox::http::request::ApiRequest;
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::store::tenant_log::TenantLog;

/// The scopes that allow reading the log.
pub(crate) const SCOPES: &[&str] = &["read:logs", "read:logs_users"];
/// The maximum number of entries of one response.
const MAX_PAGE: usize = 100;
/// The default number of entries of one response.
const DEFAULT_PAGE: usize = 50;
/// The number of results that a search reaches.
const MAX_RESULTS: usize = 1000;
/// The parameters of the endpoint. Its description lists `search`, and names `q` in its text, as the SDKs do.
const PARAMETERS: [&str; 10] = ["page", "per_page", "sort", "fields", "include_fields", "include_totals", "from", "take", "search", "q"];
/// The fields that can be sorted by and selected (pattern of the documentation's reference page).
const SELECTABLE: [&str; 13] = [
    "date",
    "connection",
    "client_id",
    "client_name",
    "ip",
    "user_id",
    "user_name",
    "description",
    "user_agent",
    "type",
    "details",
    "strategy",
    "strategy_type",
];

/// A response, and the path of the next page for its `Link` header.
pub(crate) struct LogResponse {
    pub(crate) response: ApiResponse,
    pub(crate) next: Option<String>,
}

impl From<ApiResponse> for LogResponse {
    fn from(response: ApiResponse) -> Self {
        Self { response, next: None }
    }
}

/// Answers a request to the log; `None` if it is to another path.
pub(crate) fn respond(log: &TenantLog, request: &ApiRequest, now: SystemTime) -> Option<LogResponse> {
    if request.method != "GET" {
        return None;
    }
    match request.path.trim_end_matches('/').strip_prefix("/logs")? {
        "" => Some(list(log, request, now).unwrap_or_else(LogResponse::from)),
        id => Some(one(log, id.strip_prefix('/')?, now).into()),
    }
}

fn one(log: &TenantLog, id: &str, now: SystemTime) -> ApiResponse {
    let found = log.readable(now).find(|(known, _)| *known == id);
    found.map_or_else(|| ApiResponse::refusal(404, "Log not found", None), |(_, event)| ApiResponse::new(200, event))
}

fn list(log: &TenantLog, request: &ApiRequest, now: SystemTime) -> Result<LogResponse, ApiResponse> {
    if let Some((unknown, _)) = request.query.iter().find(|(name, _)| !PARAMETERS.contains(&name.as_str())) {
        return Err(ApiResponse::invalid_query(&format!("'Additional properties not allowed: {unknown}'")));
    }
    match request.query_parameter("from") {
        Some(from) => Ok(from_checkpoint(log, (from, size(request, "take")?), now)),
        None => search(log, request, now),
    }
}

/// Returns the entries after one, ordered by their ids; other parameters are ignored.
fn from_checkpoint(log: &TenantLog, (from, take): (&str, usize), now: SystemTime) -> LogResponse {
    let mut page: Vec<(&str, Value)> = log.readable(now).filter(|(id, _)| *id > from).collect();
    page.sort_by(|one, other| one.0.cmp(other.0));
    page.truncate(take);
    let next = page.last().map(|(last, _)| format!("/logs?take={take}&from={last}"));
    LogResponse { response: ApiResponse::new(200, page.into_iter().map(|(_, event)| event).collect()), next }
}

fn search(log: &TenantLog, request: &ApiRequest, now: SystemTime) -> Result<LogResponse, ApiResponse> {
    let (page, size) = (request.numeric_parameter("page").unwrap_or(0), size(request, "per_page")?);
    if page.saturating_add(1).saturating_mul(size) > MAX_RESULTS {
        return Err(ApiResponse::invalid_paging(&format!("You can only page through the first {MAX_RESULTS} records.")));
    }
    let query = request.query_parameter("q").or_else(|| request.query_parameter("search")).unwrap_or_default();
    let terms = terms(query).ok_or_else(|| ApiResponse::invalid_query(&format!("'the search \"{query}\" cannot be parsed'")))?;
    let entries = log.readable(now).map(|(_, event)| event);
    let entries: Box<dyn Iterator<Item = Value>> = match request.query_parameter("sort") {
        None | Some("date:-1") => Box::new(entries.rev()),
        Some("date:1") => Box::new(entries),
        Some(other) => return Err(ApiResponse::invalid_query(&format!("'this sandbox does not sort by {other}'"))),
    };
    let selected = fields(request)?;
    let mut found = entries.filter(|event| terms.iter().all(|term| term.holds(event)));
    let start = page * size;
    let of_page: Vec<Value> = found.by_ref().skip(start).take(size).map(|event| selected.of(event)).collect();
    let body = if request.query_parameter("include_totals") == Some("true") {
        let length = of_page.len();
        json!({"start": start, "limit": size, "length": length, "total": start + length + found.count(), "logs": of_page})
    } else {
        Value::Array(of_page)
    };
    Ok(ApiResponse::new(200, body).into())
}

fn size(request: &ApiRequest, parameter: &str) -> Result<usize, ApiResponse> {
    match request.query_parameter(parameter).map(str::parse::<usize>) {
        None => Ok(DEFAULT_PAGE),
        Some(Ok(size)) if size <= MAX_PAGE => Ok(size),
        Some(_) => Err(ApiResponse::invalid_query(&format!("'{parameter} must be at most {MAX_PAGE}'"))),
    }
}

/// The fields of an entry that a search returns.
struct SelectedFields<'query> {
    names: Vec<&'query str>,
    is_excluding: bool,
}

impl SelectedFields<'_> {
    fn of(&self, event: Value) -> Value {
        let Value::Object(fields) = event else { return event };
        let is_meant = |name: &str| self.names.is_empty() || self.names.contains(&name) != self.is_excluding;
        Value::Object(fields.into_iter().filter(|(name, _)| is_meant(name)).collect::<Map<_, _>>())
    }
}

fn fields(request: &ApiRequest) -> Result<SelectedFields<'_>, ApiResponse> {
    let names: Vec<&str> = request.query_parameter("fields").into_iter().flat_map(|fields| fields.split(',')).collect();
    if let Some(unknown) = names.iter().find(|name| !SELECTABLE.contains(name)) {
        return Err(ApiResponse::invalid_query(&format!("'fields: {unknown} is not a field'")));
    }
    Ok(SelectedFields { names, is_excluding: request.query_parameter("include_fields") == Some("false") })
}

/// One term of a search: a field with its value or its range. All terms must hold.
#[derive(Debug, PartialEq)]
enum Term<'query> {
    Equals(&'query str, &'query str),
    Range(&'query str, &'query str, &'query str),
}

impl Term<'_> {
    fn holds(&self, event: &Value) -> bool {
        let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        match self {
            Self::Equals(field, value) => text(field) == *value,
            Self::Range(field, from, to) => {
                let held = text(field);
                let is_after = *from == "*" || held.as_str() >= *from;
                // A day includes its last second.
                is_after && (*to == "*" || held.as_str() <= *to || held.starts_with(to))
            }
        }
    }
}

/// Parses `type:sapi AND client_id:"a" AND date:[2026-11-28 TO *]`; `None` for anything else.
fn terms(query: &str) -> Option<Vec<Term<'_>>> {
    let texts = query.split(" AND ").map(str::trim).filter(|text| !text.is_empty());
    texts.map(term).collect()
}

fn term(text: &str) -> Option<Term<'_>> {
    let (field, value) = text.split_once(':')?;
    if let Some(range) = value.strip_prefix('[') {
        let (from, to) = range.strip_suffix(']')?.split_once(" TO ")?;
        return Some(Term::Range(field, from, to));
    }
    let plain = value.strip_prefix('"').map_or(Some(value), |value| value.strip_suffix('"'))?;
    (!plain.is_empty() && !plain.contains('"')).then_some(Term::Equals(field, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_a_list_of_terms() {
        let parsed = terms("type:sapi AND client_id:\"a b\" AND date:[2026-11-28 TO *]").expect("it is valid");
        assert_eq!(parsed, [Term::Equals("type", "sapi"), Term::Equals("client_id", "a b"), Term::Range("date", "2026-11-28", "*")]);
        let event = json!({"type": "sapi", "client_id": "a b", "date": "2026-11-28T14:03:00.000Z"});
        assert!(parsed.iter().all(|term| term.holds(&event)));
        assert!(term("date:[* TO 2026-11-28]").expect("a range").holds(&event));
        assert!(!term("date:[* TO 2026-11-27]").expect("a range").holds(&event));
        assert_eq!(terms("(type:sapi"), Some(vec![Term::Equals("(type", "sapi")]));
        assert_eq!((terms("sapi"), terms("date:[2026-11-28"), terms("type:\"sapi")), (None, None, None));
    }
}
