//! Finds the behaviour of a kind.
//!
//! A kind that no file here lists behaves as its catalog entry says, so a new kind needs no line here.

use super::server_behaviour::{CATALOG_ONLY, ServerBehaviour};
use super::{access, actions, clients, connections, organizations, streams, tenant_wide};

static UNSPECIFIED: ServerBehaviour = CATALOG_ONLY;

/// All behaviours.
const ALL: [&[ServerBehaviour]; 7] = [
    access::BEHAVIOURS,
    actions::BEHAVIOURS,
    clients::BEHAVIOURS,
    connections::BEHAVIOURS,
    organizations::BEHAVIOURS,
    streams::BEHAVIOURS,
    tenant_wide::BEHAVIOURS,
];

/// Returns the behaviour of a kind.
pub(crate) fn behaviour_of(kind: &str) -> &'static ServerBehaviour {
    ALL.into_iter().flatten().find(|behaviour| behaviour.kind == kind).unwrap_or(&UNSPECIFIED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn every_server_filled_value_is_json() {
        for (path, text) in ALL.into_iter().flatten().flat_map(|behaviour| behaviour.server_filled) {
            assert!(serde_json::from_str::<Value>(text).is_ok(), "{path}");
        }
    }
}
