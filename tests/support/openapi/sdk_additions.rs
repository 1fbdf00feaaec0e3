//! Requests and fields that Auth0's newest SDK sends and the description lacks.

use serde_json::Value;

/// Why the sandbox accepts it without a recording.
pub(crate) const SENT: &str = "sent by auth0 7.1.0 (npm)";

/// Returns whether the SDK sends an operation (method and path with `*` for each id) or a field of one.
pub(super) fn is_sent(operation: &str, place: &str, what: &str) -> bool {
    let read = |text: &str| -> Value { serde_json::from_str(text).expect("JSON") };
    match what {
        "no such operation" => {
            let sdk = read(include_str!("../../catalog/sdk_types/requests.json"));
            sdk["operations"].as_object().expect("operations").keys().any(|name| name.replace("{}", "*") == format!("{operation} {place}"))
        }
        "unexpected field" => {
            let judged = read(include_str!("../../../src/sandbox/api/schema/requests.json"));
            let is_it = |one: &Value| one["recording"] == SENT && one["operation"] == operation && one["place"] == place;
            judged["wider"].as_array().expect("a list").iter().any(is_it)
        }
        _ => false,
    }
}
