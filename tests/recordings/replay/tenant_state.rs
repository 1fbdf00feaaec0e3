//! Derives the state of a tenant from the other responses of a recording. The response under test is never read.

use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

use auth0_migrate::catalog::{Catalog, Kind, ReferencedBy, Shape};
use auth0_migrate::json::Body;
use auth0_migrate::sandbox::State;
use serde_json::{Map, Value, json};

use super::{kind_of, rows, text};

/// The latest possible date of a source's recordings (from their own description), for a recording without dates.
const RELEASED: [(&str, &str); 5] = [
    ("auth0-deploy-cli@2024-08-27-88a7c498", "2024-08-27"),
    ("auth0-deploy-cli@2025-04-10-e106d6ef", "2025-04-10"),
    ("auth0-deploy-cli", "2026-08-21"),
    ("go-auth0", "2026-07-24"),
    ("ruby-auth0", "2021-09-30"),
];

/// Fields with dates that the server sets.
const DATES: [&str; 3] = ["created_at", "updated_at", "deleted_at"];

/// Fields that some tenants fill in and others do not for the same request; the tenant's other responses show which one
/// this is.
///
/// `TestClient_ExpressConfiguration` of go-auth0 has the first in 7 of 7 creates, `TestPromptManager_ListRendering`
/// five days later does not; auth0-deploy-cli has the second on 2026-08-10, and Terraform's provider does not on
/// 2026-08-13.
const OF_THE_TENANT: [(&str, &str); 2] =
    [("clients", "async_approval_notification_channels"), ("organizations", "is_app_entitlement_active")];

/// Dates a recording without server dates: an object of this kind without this field is from this day or earlier.
const LACKING: [(&str, &str, &str); 2] =
    [("organizations", "third_party_client_access", "2026-08-09"), ("log-streams", "isPriority", "2025-04-09")];

/// Every recorded response, by the run in which it was recorded.
pub(super) struct Recordings {
    runs: HashMap<String, Vec<Value>>,
}

impl Recordings {
    pub(super) fn read() -> Option<Self> {
        let mut runs: HashMap<String, Vec<Value>> = HashMap::new();
        for answer in rows("traffic.jsonl.gz")? {
            runs.entry(run(&answer)).or_default().push(answer);
        }
        Some(Self { runs })
    }

    /// Returns the state of the tenant before an update.
    pub(super) fn tenant_before_update(&self, kind: &Kind, row: &Value) -> State {
        let mut data = self.objects(row);
        data.extend(self.referred(kind, row));
        match kind.shape {
            Shape::Collection => data.insert(kind.paths.list.to_owned(), json!([row["before"]])),
            Shape::Singleton => data.insert(kind.paths.list.to_owned(), self.stored(row)),
            Shape::Nested { .. } => data.insert(list_path(kind, row), json!([row["before"]])),
            _ => data.insert(text(row, "path").to_owned(), row["before"].clone()),
        };
        self.state(kind, row, &data)
    }

    /// Returns the state of the tenant before a create.
    pub(super) fn tenant_before_create(&self, kind: &Kind, row: &Value) -> State {
        let mut data = self.objects(row);
        data.extend(self.referred(kind, row));
        data.extend(identifying(kind, &row["request"]));
        data.extend(parent(kind, row));
        if matches!(kind.shape, Shape::Collection | Shape::Nested { .. }) {
            data.insert(list_path(kind, row), self.siblings(kind, row));
        }
        self.state(kind, row, &data)
    }

    fn state(&self, kind: &Kind, row: &Value, data: &Map<String, Value>) -> State {
        let mut json = json!({"domain": "recorded.eu.auth0.com", "data": data, "defaults": {kind.name: self.defaults(kind, row)}});
        if let Some(day) = self.day(row) {
            json["day"] = day.into();
        }
        State::from_json(json).expect("a state")
    }

    /// Returns the other responses of the same run.
    fn others(&self, row: &Value) -> impl Iterator<Item = &Value> {
        let is_other = |answer: &&Value| answer["cassette"] != row["cassette"] || answer["seq"] != row["seq"];
        self.runs.get(&run(row)).into_iter().flatten().filter(is_other)
    }

    /// Returns the responses of the same recording before the one under test.
    fn earlier(&self, row: &Value) -> impl DoubleEndedIterator<Item = &Value> {
        let answers: Vec<&Value> = self.others(row).filter(|answer| is_before(answer, row)).collect();
        answers.into_iter()
    }

    /// Returns the day of a recording: the latest date that the server set elsewhere in it, or the release of its
    /// source.
    fn day(&self, row: &Value) -> Option<String> {
        let mut days = Vec::new();
        for answer in self.others(row) {
            days_within(&answer["response_body"], &mut days);
            days.extend(day_of_a_domain(&answer["request_body"]));
            days.extend(answer["response_headers"]["x-ratelimit-reset"].as_str().and_then(|reset| day_of(reset.parse().ok()?)));
        }
        days.extend(day_of_a_domain(&row["request"]));
        let released = || RELEASED.iter().find(|(source, _)| row["source"] == *source).map(|(_, day)| (*day).to_owned());
        days.into_iter().max().or_else(|| self.lacking(row)).or_else(released)
    }

    /// Returns the last day on which an object of the recording could lack a field that it lacks.
    fn lacking(&self, row: &Value) -> Option<String> {
        let mut answered = self.others(row).filter(|answer| answer["response_body"]["id"].is_string());
        let lacks = |answer: &Value| {
            let kind = kind_of(text(answer, "path"))?;
            let lacks = |(of, field, _): &&(&str, &str, &str)| *of == kind.name && answer["response_body"].get(field).is_none();
            LACKING.iter().find(lacks).map(|(_, _, day)| (*day).to_owned())
        };
        answered.find_map(lacks)
    }

    /// Returns every singleton, and every object without a kind, as last returned before.
    fn objects(&self, row: &Value) -> Map<String, Value> {
        let is_object = |answer: &&Value| answer["status"] == 200 && answer["response_body"].is_object() && answer["query"] == json!({});
        let objects = self.earlier(row).filter(is_object).map(|answer| (text(answer, "path"), &answer["response_body"]));
        let has_no_kind = |path: &str| kind_of(path).is_none_or(|kind| kind.shape == Shape::Singleton);
        objects.filter(|(path, _)| has_no_kind(path)).map(|(path, body)| (path.to_owned(), body.clone())).collect()
    }

    /// Returns a singleton as the server stores it: reads omit fields that responses of writes contain, and contain
    /// some that are not stored.
    fn stored(&self, row: &Value) -> Value {
        let is_write = |answer: &&Value| answer["method"] != "GET" && answer["path"] == row["path"] && answer["status"] == 200;
        let written = self.earlier(row).rfind(is_write);
        written.map_or_else(|| row["before"].clone(), |written| with_fields_of(&written["response_body"], &row["before"]))
    }

    /// Returns the resources of a kind that were read or created before and not deleted since.
    fn siblings(&self, kind: &Kind, row: &Value) -> Value {
        let mut found: HashMap<String, Value> = HashMap::new();
        let tells = |answer: &&Value| match text(answer, "method") {
            "GET" => answer["query"]["fields"].is_null(),
            method => method == "POST" || method == "DELETE",
        };
        let of_kind = |answer: &&Value| kind_of(text(answer, "path")).is_some_and(|of| of.name == kind.name);
        for answer in self.earlier(row).filter(tells).filter(of_kind) {
            if answer["method"] == "DELETE" {
                found.retain(|id, _| kind.path_of(id) != text(answer, "path"));
                continue;
            }
            let body = &answer["response_body"];
            let list = body
                .as_array()
                .or_else(|| body.as_object()?.values().find_map(Value::as_array).filter(|_| body[kind.identity.id].is_null()));
            for resource in list.map_or(std::slice::from_ref(body), Vec::as_slice) {
                let is_same = |path: &&str| resource.pointer(&pointer(path)) == row["request"].pointer(&pointer(path));
                let is_another =
                    resource[kind.identity.id] != row["response"][kind.identity.id] && !(kind.identity.key.iter().all(is_same));
                if let (Some(id), true) = (resource[kind.identity.id].as_str(), is_another) {
                    found.insert(id.to_owned(), resource.clone());
                }
            }
        }
        found.into_values().collect()
    }

    /// Returns the resources that a kind refers to, as read before.
    fn referred(&self, kind: &Kind, row: &Value) -> Map<String, Value> {
        let named = kind.references.iter().filter_map(|reference| Catalog::standard().kind(reference.to));
        let others = named.filter(|to| to.name != kind.name && to.shape == Shape::Collection);
        others.map(|to| (to.paths.list.to_owned(), self.siblings(to, row))).collect()
    }

    /// Returns the defaults that only this tenant fills in.
    fn defaults(&self, kind: &Kind, row: &Value) -> Value {
        let mut defaults = json!({});
        for answer in self.others(row).filter(|answer| kind_of(text(answer, "path")).is_some_and(|of| of.name == kind.name)) {
            for (_, field) in OF_THE_TENANT.iter().filter(|(of, _)| *of == kind.name) {
                if let (None, Some(filled)) = (answer["request_body"].get(field), answer["response_body"].get(field)) {
                    defaults[*field] = filled.clone();
                }
            }
        }
        defaults
    }
}

/// Returns the run that a response was recorded in: its cassette, or everything recorded within a minute.
///
/// That is all of ruby-auth0, and the actions of go-auth0: eight of those nine cassettes are from 2023-01-25, 17:41:51
/// to 17:42:15.
fn run(row: &Value) -> String {
    match (text(row, "source"), text(row, "cassette")) {
        ("ruby-auth0", _) => "ruby-auth0".to_owned(),
        ("go-auth0", cassette) if cassette.starts_with("TestActionManager_") => "go-auth0 TestActionManager".to_owned(),
        (source, cassette) => format!("{source} {cassette}"),
    }
}

fn is_before(answer: &Value, row: &Value) -> bool {
    answer["cassette"] != row["cassette"] || answer["seq"].as_u64() < row["seq"].as_u64()
}

/// Collects the days that the server wrote into a response: dates, and ids of APIs, which begin with a time.
fn days_within(value: &Value, days: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(date) if DATES.contains(&name.as_str()) => days.extend(date.get(..10).map(str::to_owned)),
                    Some(id) if name == "id" && id.len() == 24 => {
                        days.extend(id.get(..8).and_then(|time| day_of(u64::from_str_radix(time, 16).ok()?)));
                    }
                    Some(id) if name == "id" => days.extend(day_of_id(id)),
                    _ => days_within(value, days),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| days_within(value, days)),
        _ => {}
    }
}

/// Returns the day in a domain name that a test generated from the time: `1674668556.tempdomain.com`, or in
/// nanoseconds.
fn day_of_a_domain(request: &Value) -> Option<String> {
    let label = request["domain"].as_str()?.split('.').next()?;
    let seconds = label.get(..10).filter(|_| label.len() == 10 || label.len() == 19)?;
    day_of(seconds.parse().ok()?)
}

/// Returns the day at the beginning of an id of newer kinds: after the prefix, 128 bits in 22 characters, the first 48
/// of them milliseconds.
fn day_of_id(id: &str) -> Option<String> {
    const SIGNS: &str = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";
    let (_, signs) = id.split_once('_').filter(|(_, signs)| signs.len() == 22 && signs.starts_with("1c"))?;
    let value = signs.chars().try_fold(0u128, |value, sign| value.checked_mul(58)?.checked_add(SIGNS.find(sign)? as u128))?;
    day_of(u64::try_from((value >> 80) / 1000).ok()?)
}

fn day_of(seconds: u64) -> Option<String> {
    let date = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string();
    date.get(..10).map(str::to_owned)
}

/// Returns an object with the fields of `shape`, and the values of `values` where both have one.
fn with_fields_of(shape: &Value, values: &Value) -> Value {
    match (shape, values) {
        (Value::Object(shape), Value::Object(values)) => {
            let value =
                |(name, shape): (&String, &Value)| (name.clone(), values.get(name).map_or(shape.clone(), |v| with_fields_of(shape, v)));
            Value::Object(shape.iter().map(value).collect())
        }
        (_, values) => values.clone(),
    }
}

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

/// Returns the path of the list that a row belongs to.
fn list_path(kind: &Kind, row: &Value) -> String {
    let places = kind.match_path(text(row, "path")).unwrap_or_default();
    places.first().filter(|_| kind.parent().is_some()).map_or_else(|| kind.paths.list.to_owned(), |(_, parent)| kind.path_under(parent))
}

/// Returns the parent of a new resource.
pub(super) fn parent(kind: &Kind, row: &Value) -> Option<(String, Value)> {
    let parent = kind.parent()?;
    let (_, id) = kind.match_path(text(row, "path"))?.into_iter().next()?;
    let mut body = json!({"name": "parent"});
    body[parent.identity.id] = id.into();
    Some((parent.paths.list.to_owned(), json!([body])))
}

/// Returns the resources that identify a new one.
fn identifying(kind: &Kind, request: &Value) -> Map<String, Value> {
    let request = Body::from_value(request.clone()).expect("an object");
    let mut data = Map::new();
    for reference in kind.references.iter().filter(|reference| kind.identity.key.contains(&reference.path)) {
        let (Some(value), Some(to)) = (request.text(reference.path), Catalog::standard().kind(reference.to)) else { continue };
        let mut other = json!({to.identity.id: value});
        if reference.by == ReferencedBy::Key {
            other[to.identity.key[0]] = value.into();
        }
        data.insert(to.paths.list.to_owned(), json!([other]));
    }
    data
}

#[test]
fn the_day_of_a_recording_is_the_latest_date_in_another_response() {
    let answer = |seq: u64, body: Value| json!({"source": "x", "cassette": "y", "seq": seq, "response_body": body});
    let answers = vec![
        answer(0, json!({"created_at": "2026-06-01T00:00:00Z"})),
        answer(1, json!([{"id": "670d1db5c7b833ebd115ca8c", "expires_at": "2096-01-01T00:00:00Z"}])),
        answer(2, json!({"deleted_at": "2024-10-13T23:00:00Z"})),
    ];
    let recordings = Recordings { runs: HashMap::from([("x y".to_owned(), answers)]) };
    assert_eq!(recordings.day(&answer(0, Value::Null)).as_deref(), Some("2024-10-14"), "the answer under test tells nothing");
    assert_eq!(recordings.day(&answer(1, Value::Null)).as_deref(), Some("2026-06-01"));
    assert_eq!(day_of_id("ord_1csvSKmHxEN4pNpjweGoNa").as_deref(), Some("2025-09-26"));
    let row = |source: &str| json!({"source": source, "cassette": "z", "seq": 0});
    assert_eq!(recordings.day(&row("go-auth0")).as_deref(), Some("2026-07-24"));
    assert_eq!(recordings.day(&row("terraform-provider-auth0")), None);
}

#[test]
fn a_singleton_has_the_fields_of_the_last_write_and_the_values_read_since() {
    let (written, read) = (json!({"a": 1, "in": {"x": 1, "hidden": true}}), json!({"a": 2, "in": {"x": 2}, "shown_only": false}));
    assert_eq!(with_fields_of(&written, &read), json!({"a": 2, "in": {"x": 2, "hidden": true}}));
}
