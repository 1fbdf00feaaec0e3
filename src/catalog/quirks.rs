//! What no word of the vocabulary covers: pure edits of a body on its way in, each with its evidence and a test. Ten at most.

use serde_json::{Value, json};

use super::kind::Quirk;
use crate::body::Body;

/// Tenant settings answer lifetimes in hours, which may be broken (181 minutes come back as 3.0166…), and take them in minutes.
///
/// Evidence: recorded `PATCH /tenants/settings` with `session_lifetime_in_minutes: 181`, answered `session_lifetime: 3.0166666666666666`; the
/// description says that the two exclude each other.
pub const LIFETIMES_IN_MINUTES: Quirk = Quirk { name: "lifetimes in minutes", read: lifetimes_in_minutes };

const LIFETIMES: [&str; 4] = ["session_lifetime", "idle_session_lifetime", "ephemeral_session_lifetime", "idle_ephemeral_session_lifetime"];

fn lifetimes_in_minutes(settings: &mut Body) {
    for name in LIFETIMES {
        let Some(hours) = settings.0.remove(name).as_ref().and_then(Value::as_f64) else { continue };
        #[expect(clippy::cast_possible_truncation, reason = "a session lives for less than 2^53 minutes")]
        let minutes = (hours * 60.0).round() as i64;
        settings.0.entry(format!("{name}_in_minutes")).or_insert_with(|| json!(minutes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_number_of_hours_becomes_whole_minutes() {
        let mut settings = Body::new();
        settings.set("session_lifetime", json!(3.016_666_666_666_666_6));
        settings.set("idle_session_lifetime", json!(1));
        lifetimes_in_minutes(&mut settings);
        assert_eq!(settings.into_value(), json!({"session_lifetime_in_minutes": 181, "idle_session_lifetime_in_minutes": 60}));
    }
}
