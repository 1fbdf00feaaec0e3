//! One entry of a tenant's log about a write: who changed which resource, without the bodies.

use std::collections::BTreeSet;
use std::time::SystemTime;

use serde_json::Value;

use super::changed_by::{Author, ChangedBy};
use crate::catalog::{Catalog, Kind, WriteReach, WrittenResource};
use crate::json::{Body, top};

/// The type of an entry about a successful write by the Management API, the dashboard's own writes included.
pub const SUCCESS: &str = "sapi";
/// The channel of a write in the dashboard, as events that users published have it.
const DASHBOARD: &str = "https://manage.auth0.com";
/// The end of the `user_id` of a machine in some events.
const MACHINE: &str = "@clients";

/// One entry of a tenant's log about a successful write.
///
/// Of the bodies it keeps the names of top-level fields and, for a create, the id: never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedWrite {
    /// The id of the entry, from which a later read can go on.
    pub log_id: String,
    /// When the write was made.
    pub at: SystemTime,
    /// `POST`, `PATCH`, `PUT` or `DELETE`.
    pub method: String,
    /// Its path below `/api/v2`, without the query.
    pub path: String,
    /// What the caller sent as `X-Correlation-ID`.
    pub correlation: Option<String>,
    /// The resources that it changed.
    pub resources: Vec<WrittenResource>,
    /// Who made it, when and from where.
    pub by: ChangedBy,
    /// The top-level fields of its body; `None` if the entry does not contain a body with fields.
    fields: Option<BTreeSet<String>>,
}

impl LoggedWrite {
    /// Reads an entry; `None` if it is not about a successful write, or not dated.
    #[must_use]
    pub fn from_event(catalog: &Catalog, event: &Value) -> Option<Self> {
        let text = |field: &str| event[field].as_str().filter(|text| !text.is_empty());
        if text("type") != Some(SUCCESS) {
            return None;
        }
        let request = &event["details"]["request"];
        let method = request["method"].as_str()?.to_uppercase();
        if method == "GET" {
            return None;
        }
        let path = request["path"].as_str()?.split('?').next().unwrap_or_default();
        let path = ["/api/v2", "/v2"].iter().find_map(|root| path.strip_prefix(root)).unwrap_or(path);
        let (date, at) = text("date").and_then(|date| Some((date, humantime::parse_rfc3339(date).ok()?)))?;
        let mut resources = catalog.written_at(&method, path);
        for created in resources.iter_mut().filter(|written| written.id.is_none()) {
            created.id = created_id(created.kind, path, event);
        }
        Some(Self {
            log_id: text("log_id").or_else(|| text("_id")).unwrap_or_default().to_owned(),
            at,
            method,
            path: path.to_owned(),
            correlation: event["references"]["correlation_id"].as_str().map(str::to_owned),
            resources,
            by: ChangedBy { who: author(event), at: date.to_owned(), ip: text("ip").or_else(|| request["ip"].as_str()).map(str::to_owned) },
            fields: request["body"].as_object().filter(|body| !body.is_empty()).map(|body| body.keys().cloned().collect()),
        })
    }

    /// Returns whether the write may have changed this field of the resource.
    #[must_use]
    pub fn may_have_changed(&self, written: &WrittenResource, path: &str) -> bool {
        let top = top(path);
        let is_named = self.fields.as_ref().is_some_and(|fields| fields.contains(top));
        match written.reach {
            WriteReach::Whole => true,
            WriteReach::Fields => is_named || self.fields.is_none(),
            WriteReach::FollowUp | WriteReach::Below => {
                let follow_up = written.kind.lifecycle.follow_up;
                is_named || follow_up.is_some_and(|follow_up| follow_up.field == top)
            }
        }
    }
}

/// Returns the id of a created resource: of the response, completed by what only the request contains.
fn created_id(kind: &Kind, path: &str, event: &Value) -> Option<String> {
    let body = |part: &str| event["details"][part]["body"].as_object().cloned().unwrap_or_default();
    let mut known = body("request");
    known.extend(body("response"));
    let mut known = Body(known);
    let in_path = kind.creation().and_then(|create| crate::catalog::address::matched(create, path));
    for (place, value) in in_path.into_iter().flatten() {
        known.0.entry(place).or_insert(Value::String(value));
    }
    kind.id_of(&known)
}

fn author(event: &Value) -> Author {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let request = &event["details"]["request"];
    let user = &request["auth"]["user"];
    let client = (text(&event["client_name"]).unwrap_or_default(), text(&event["client_id"]).unwrap_or_default());
    let id = text(&user["user_id"]).or_else(|| text(&event["user_id"])).filter(|id| !id.ends_with(MACHINE));
    match id {
        Some(id) => {
            let name = text(&user["email"]).or_else(|| text(&user["name"])).or_else(|| text(&event["user_name"]));
            let is_dashboard = request["channel"].as_str().is_some_and(|channel| channel.starts_with(DASHBOARD));
            let through = if is_dashboard {
                "dashboard".to_owned()
            } else {
                [client.0, client.1].into_iter().find(|one| !one.is_empty()).unwrap_or_default()
            };
            Author::Person { name: name.unwrap_or_else(|| id.clone()), id, through }
        }
        None => Author::Client { name: client.0, id: client.1 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event() -> Value {
        // The form of events that users published, with other values.
        json!({
            "date": "2026-11-28T14:03:12.345Z", "type": "sapi", "description": "Update a client", "log_id": "9002026",
            "client_id": "dash", "client_name": "", "ip": "203.0.113.7", "user_id": "google-oauth2|1",
            "details": {
                "request": {
                    "method": "patch", "path": "/api/v2/clients/abc", "query": {}, "channel": "https://manage.auth0.com/",
                    "body": {"description": "s3cret", "callbacks": ["s3cret"]},
                    "auth": {"user": {"user_id": "google-oauth2|1", "name": "Jane", "email": "jane@acme.example"}, "strategy": "jwt", "credentials": {}},
                },
                "response": {"statusCode": 200, "body": {"client_id": "abc", "client_secret": "s3cret"}},
            },
            "references": {"correlation_id": "some-job"},
        })
    }

    fn read(event: &Value) -> LoggedWrite {
        LoggedWrite::from_event(Catalog::standard(), event).expect("a write")
    }

    #[test]
    fn an_entry_names_the_person_the_resource_and_the_fields_but_no_value() {
        let write = read(&event());
        assert_eq!(write.by.to_string(), "jane@acme.example (dashboard) on 2026-11-28 14:03 UTC from 203.0.113.7");
        assert_eq!((write.method.as_str(), write.correlation.as_deref()), ("PATCH", Some("some-job")));
        let client = write.resources.iter().find(|written| written.kind.name == "clients").expect("a client");
        assert_eq!((client.kind.name, client.id.as_deref()), ("clients", Some("abc")));
        assert!(write.may_have_changed(client, "callbacks") && !write.may_have_changed(client, "jwt_configuration.alg"));
        assert!(!format!("{write:?}").contains("s3cret"));
    }

    #[test]
    fn an_entry_of_a_machine_names_its_client() {
        let mut of_machine = event();
        of_machine["details"]["request"]["auth"]["user"] = json!({});
        of_machine["details"]["request"]["channel"] = json!("api");
        for user_id in [json!(""), json!("dash@clients"), Value::Null] {
            of_machine["user_id"] = user_id;
            assert_eq!(read(&of_machine).by.who, Author::Client { name: String::new(), id: "dash".into() });
        }
    }

    #[test]
    fn a_create_contains_the_id_of_its_response() {
        let mut create = event();
        create["details"]["request"]["method"] = json!("post");
        create["details"]["request"]["path"] = json!("/api/v2/organizations/org_1/discovery-domains");
        create["details"]["request"]["body"] = json!({"domain": "acme.example"});
        create["details"]["response"]["body"] = json!({"id": "ord_1", "domain": "acme.example"});
        assert_eq!(read(&create).resources[0].id.as_deref(), Some("org_1/ord_1"));
    }

    #[test]
    fn everything_but_dated_successful_writes_is_left_out() {
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut event = event();
            change(&mut event);
            LoggedWrite::from_event(Catalog::standard(), &event)
        };
        assert_eq!(changed(&|event| event["type"] = json!("fapi")), None);
        assert_eq!(changed(&|event| event["date"] = json!({"an": "object"})), None);
        assert_eq!(changed(&|event| event["details"] = Value::Null), None);
        assert_eq!(changed(&|event| event["details"]["request"]["method"] = json!("get")), None);
        assert!(changed(&|event| event["details"]["request"]["body"] = Value::Null).is_some());
    }
}
