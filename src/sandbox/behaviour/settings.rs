//! What an update of the tenant's settings does besides.

use serde_json::{Value, json};

use super::registry::Scene;
use crate::json::Body;

const IN_MINUTES: &str = "_in_minutes";

/// Completes settings that are updated: lifetimes sent in minutes are kept in hours, blank links are not kept.
///
/// Recorded: `session_lifetime_in_minutes: 181` came back as `session_lifetime: 3.0166666666666666`.
pub(crate) fn updated(_before: &Body, sent: &Body, settings: &mut Body, _scene: &mut Scene<'_>) {
    for (name, value) in &sent.0 {
        let Some(plain) = name.strip_suffix(IN_MINUTES) else { continue };
        settings.0.remove(name);
        if let Some(minutes) = value.as_f64() {
            settings.set(plain, hours(minutes));
        }
    }
    if settings.text("default_redirection_uri") == Some("") {
        settings.0.remove("default_redirection_uri");
    }
}

fn hours(minutes: f64) -> Value {
    let hours = minutes / 60.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and small: a session lives for days")]
    if hours.fract() == 0.0 { json!(hours as i64) } else { json!(hours) }
}

/// Changes what the answer of an update shows: it carries other fields than a read does (recorded).
pub(crate) fn update_answer(settings: &mut Body) {
    settings.0.remove("sandbox_versions_available");
    for flag in ["cannot_change_enforce_client_authentication_on_passwordless_start", "enforce_client_authentication_on_passwordless_start"]
    {
        settings.set(&format!("flags.{flag}"), true.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_hours_are_whole_numbers_and_others_are_broken() {
        assert_eq!(hours(120.0), json!(2));
        assert_eq!(hours(181.0), json!(3.016_666_666_666_666_6));
    }
}
