//! Finds what the server does with a kind.
//!
//! A kind that no file here lists behaves as its entry of the catalog says: a new kind is served without a line here.

use super::server_behaviour::{Habit, PLAIN};
use super::{access, actions, clients, connections, organizations, streams, tenant_wide};

static UNLISTED: Habit = PLAIN;

/// Everything that is listed.
const ALL: [&[Habit]; 7] =
    [access::HABITS, actions::HABITS, clients::HABITS, connections::HABITS, organizations::HABITS, streams::HABITS, tenant_wide::HABITS];

/// Returns what the server does with the kind of this name.
pub(crate) fn behaviour_of(kind: &str) -> &'static Habit {
    ALL.into_iter().flatten().find(|habit| habit.kind == kind).unwrap_or(&UNLISTED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn what_is_filled_in_is_json() {
        for (path, text) in ALL.into_iter().flatten().flat_map(|habit| habit.filled) {
            assert!(serde_json::from_str::<Value>(text).is_ok(), "{path}");
        }
    }
}
