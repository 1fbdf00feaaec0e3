//! Values in recorded tenants that the API no longer accepts, and the current values that replace them.
//!
//! They are replaced as a person would correct the source; everything else is copied as recorded.

use auth0_migrate::catalog::Catalog;
use auth0_migrate::json::Body;
use auth0_migrate::sandbox::State;
use serde_json::{Value, json};

use crate::support::imports::start;
use crate::support::recorded_tenants::recorded;

/// A value that the API no longer accepts.
struct Dated {
    /// The list with the resource.
    list: &'static str,
    /// The field: `runtime`, `ending.afterSubmit`.
    field: &'static str,
    /// The outdated values; empty for any value.
    was: &'static [&'static str],
    /// The current value; if there is none, the field is removed.
    today: Option<&'static str>,
    /// The message of the API.
    refusal: &'static str,
    /// A resource of the list with such a value, and nothing else that is refused.
    example: fn() -> Value,
}

const RUNTIMES: &[&str] = &["node12", "node16"];
const TODAYS_RUNTIME: Option<&str> = Some("node22");
const NO_RUNTIME: &str = "runtime is not supported";

/// The description of 2026-06-25 has no such field of a form; for runtimes see the sandbox's rule about them.
const DATED: &[Dated] = &[
    Dated { list: "/actions/actions", field: "runtime", was: RUNTIMES, today: TODAYS_RUNTIME, refusal: NO_RUNTIME, example: action },
    Dated {
        list: "/actions/actions",
        field: "deployed_version.runtime",
        was: RUNTIMES,
        today: TODAYS_RUNTIME,
        refusal: NO_RUNTIME,
        example: action,
    },
    Dated {
        list: "/forms",
        field: "ending.afterSubmit",
        was: &[],
        today: None,
        refusal: "Additional properties not allowed: afterSubmit",
        example: || form("ending", "afterSubmit"),
    },
    Dated {
        list: "/forms",
        field: "ending.resumeFlow",
        was: &[],
        today: None,
        refusal: "Additional properties not allowed: resumeFlow",
        example: || form("ending", "resumeFlow"),
    },
    Dated {
        list: "/forms",
        field: "start.hiddenFields",
        was: &[],
        today: None,
        refusal: "Additional properties not allowed: hiddenFields",
        example: || form("start", "hiddenFields"),
    },
];

fn action() -> Value {
    json!({"name": "A", "code": "", "runtime": "node16", "supported_triggers": [{"id": "post-login", "version": "v3"}]})
}

fn form(part: &str, field: &str) -> Value {
    json!({"name": "F", part: {field: {}}})
}

impl Dated {
    fn is_meant(&self, value: &Value) -> bool {
        self.was.is_empty() || value.as_str().is_some_and(|text| self.was.contains(&text))
    }

    /// Updates one resource; returns whether it had an outdated value.
    fn bring_up_to_date(&self, resource: &mut Value) -> bool {
        let (above, field) = self.field.rsplit_once('.').unwrap_or(("", self.field));
        let holder = if above.is_empty() { Some(resource) } else { resource.get_mut(above) };
        let Some(fields) = holder else { return false };
        if !fields.get(field).is_some_and(|value| self.is_meant(value)) {
            return false;
        }
        match (fields.as_object_mut(), self.today) {
            (Some(fields), Some(today)) => drop(fields.insert(field.to_owned(), today.into())),
            (Some(fields), None) => drop(fields.remove(field)),
            (None, _) => {}
        }
        true
    }
}

/// Returns the recorded tenants with outdated values replaced.
pub(super) fn brought_up_to_date() -> Vec<(String, State)> {
    recorded().into_iter().map(|(name, state)| (name, todays(&state).0)).collect()
}

/// Returns a tenant with outdated values replaced, and which ones it had.
fn todays(state: &State) -> (State, Vec<usize>) {
    let mut json = state.to_json();
    let mut held = Vec::new();
    for (at, dated) in DATED.iter().enumerate() {
        let resources = json["data"].get_mut(dated.list).and_then(Value::as_array_mut).into_iter().flatten();
        let found = resources.map(|resource| dated.bring_up_to_date(resource)).filter(|is_held| *is_held).count();
        held.extend((found > 0).then_some(at));
    }
    (State::from_json(json).expect("a state"), held)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_outdated_value_is_recorded_and_refused_for_its_reason() {
    let (_sandbox, tenant) = start(State::empty("today.eu.auth0.com")).await;
    for dated in DATED {
        let kind = Catalog::standard().kinds().find(|kind| kind.paths.list == dated.list).expect("a kind");
        let body = Body::from_value((dated.example)()).expect("an object");
        let refused = tenant.create(kind, &body).await.expect_err(dated.field).to_string();
        assert!(refused.contains(dated.refusal), "{} {}: {refused}", dated.list, dated.field);
    }
    let tenants = recorded();
    let held: Vec<usize> = tenants.iter().flat_map(|(_, state)| todays(state).1).collect();
    let idle = DATED.iter().enumerate().filter(|(at, _)| !held.contains(at)).map(|(_, dated)| dated.field);
    assert!(tenants.is_empty() || idle.clone().next().is_none(), "no recorded tenant holds {:?}", idle.collect::<Vec<_>>());
}
