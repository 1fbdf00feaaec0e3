//! What the server does with one kind beyond what the catalog says of it.
//!
//! A kind that is not listed here behaves as its entry of the catalog says: a new kind is served without a line here.

use std::collections::HashMap;
use std::time::SystemTime;

use serde_json::Value;

use super::{actions, clients, connections, organizations, settings, streams, tenant_wide};
use crate::catalog::Kind;
use crate::json::Body;
use crate::sandbox::store::ids::Mint;
use crate::sandbox::store::table::Table;

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The moment of creation.
    Born,
    /// The id.
    Id,
    /// The name.
    Name,
    /// The name, large and small letters alike.
    NameOfAnyCase,
}

/// Who and what stands around a write.
pub(crate) struct Scene<'scene> {
    /// The kind that is written.
    pub(crate) kind: &'scene Kind,
    /// The tenant's name.
    pub(crate) tenant: &'scene str,
    /// The tenant's domain.
    pub(crate) domain: &'scene str,
    /// The day the tenant is played on; nothing where it is played as the server was last recorded.
    pub(crate) day: Option<&'scene str>,
    /// Where new values come from.
    pub(crate) mint: &'scene mut Mint,
    /// The others of the kind.
    pub(crate) siblings: Option<&'scene Table>,
    /// Everything that the tenant holds, by kind.
    pub(crate) tables: &'scene HashMap<&'static str, Table>,
}

/// What the server does with one kind.
pub(crate) struct Habit {
    /// The kind.
    pub(crate) kind: &'static str,
    /// What its list is sorted by.
    pub(crate) order: Order,
    /// The statuses of a create and of a removal.
    pub(crate) statuses: (u16, u16),
    /// What the server fills in that nobody can send: a path, and its value as JSON text.
    pub(crate) filled: &'static [(&'static str, &'static str)],
    /// Objects that a PATCH merges to their very bottom.
    pub(crate) deep: &'static [&'static str],
    /// Whether the answer of an update shows what was sent and nothing else.
    pub(crate) echoes: bool,
    /// Defaults of the catalog that the server does not show.
    pub(crate) unshown: &'static [&'static str],
    /// Paths that are taken though the API's description does not know them.
    pub(crate) tolerated: &'static [&'static str],
    /// Lists that are no sets, for the check of types.
    pub(crate) lists: &'static [&'static str],
    /// What must be sent where a field holds a value: the field, the value, what must be there.
    pub(crate) needed: &'static [(&'static str, &'static str, &'static str)],
    /// A required field, and one that stands in for it.
    pub(crate) instead: &'static [(&'static str, &'static str)],
    /// Two fields that cannot both be set.
    pub(crate) exclusive: &'static [(&'static str, &'static str)],
    /// Fields of a create that an update may repeat, unchanged.
    pub(crate) repeatable: &'static [&'static str],
    /// Whether its path may name it by its key in place of its id.
    pub(crate) found_by_key: bool,
    /// Query parameters that filter by a field of another name.
    pub(crate) filters: &'static [(&'static str, &'static str)],
    /// Completes what a create stores: the body sent, what is stored so far.
    pub(crate) created: fn(&Body, &mut Body, &mut Scene<'_>),
    /// Completes what an update stores: the body before, the one sent, what is stored so far.
    pub(crate) updated: fn(&Body, &Body, &mut Body, &mut Scene<'_>),
    /// Adds what only the answer of a create holds.
    pub(crate) create_answer: fn(&Body, &mut Body, &mut Scene<'_>),
    /// Changes what the answer of an update shows.
    pub(crate) update_answer: fn(&mut Body),
    /// Completes what the follow-up of a write does.
    pub(crate) followed: fn(&mut Body, &mut Scene<'_>),
    /// What can be written and never read back.
    pub(crate) write_only: &'static [&'static str],
    /// Hides what a token without the scope for keys may not see.
    pub(crate) hidden: &'static [&'static str],
    /// Paths that answers of updates show and reads do not.
    pub(crate) unread: &'static [&'static str],
    /// Adds what only a list tells of a resource: the resource, what the list shows so far.
    pub(crate) told_in_lists: fn(&Body, &mut Value),
    /// Query parameters that hold several values with commas between.
    pub(crate) comma_separated: &'static [&'static str],
    /// Paths that the answer of an update repeats from another object: the path, where that object is, its field.
    pub(crate) repeated: &'static [(&'static str, &'static str, &'static str)],
    /// Fields that list a child: the field, the child.
    pub(crate) listed: &'static [(&'static str, &'static str)],
}

pub(crate) const PLAIN: Habit = Habit {
    kind: "",
    order: Order::Born,
    statuses: (201, 204),
    filled: &[],
    deep: &[],
    echoes: false,
    unshown: &[],
    tolerated: &[],
    lists: &[],
    needed: &[],
    instead: &[],
    exclusive: &[],
    repeatable: &[],
    found_by_key: false,
    filters: &[],
    created: |_, _, _| {},
    updated: |_, _, _, _| {},
    create_answer: |_, _, _| {},
    update_answer: |_| {},
    followed: |_, _| {},
    write_only: &[],
    hidden: &[],
    unread: &[],
    told_in_lists: |_, _| {},
    comma_separated: &[],
    repeated: &[],
    listed: &[],
};

static UNLISTED: Habit = PLAIN;

static HABITS: [Habit; 6] = [
    Habit {
        kind: "clients",
        // The server fills them by its own table, see the module of clients; `sso` it never shows.
        unshown: &[
            "sso",
            "jwt_configuration.secret_encoded",
            "oidc_conformant",
            "native_social_login.apple.enabled",
            "native_social_login.facebook.enabled",
            "native_social_login.google.enabled",
        ],
        // Sent back by an older tool and answered 200 (recorded 2025-04).
        tolerated: &["cross_origin_auth"],
        lists: &["callbacks", "allowed_logout_urls"],
        exclusive: &[
            ("client_authentication_methods", "token_endpoint_auth_method"),
            ("oidc_logout", "oidc_backchannel_logout"),
            ("cross_origin_authentication", "cross_origin_auth"),
        ],
        // The same value was answered 200 (recorded); another one is refused.
        repeatable: &["third_party_security_mode"],
        filters: &[("is_global", "global")],
        comma_separated: &["app_type"],
        created: clients::created,
        updated: clients::updated,
        create_answer: clients::create_answer,
        hidden: &["client_secret", "signing_keys", "encryption_key"],
        ..PLAIN
    },
    Habit {
        kind: "client-grants",
        order: Order::Id,
        unshown: &["allow_any_organization", "allow_all_scopes"],
        instead: &[("client_id", "default_for")],
        exclusive: &[("client_id", "default_for"), ("scope", "allow_all_scopes")],
        ..PLAIN
    },
    Habit {
        kind: "resource-servers",
        unshown: &["enforce_policies"],
        found_by_key: true,
        filters: &[("identifiers", "identifier")],
        ..PLAIN
    },
    Habit {
        kind: "roles",
        order: Order::Name,
        statuses: (200, 200),
        // Where roles of organizations are switched on (recorded).
        tolerated: &["type", "owner_id"],
        filters: &[("name_filter", "name")],
        created: |_, role, _| {
            role.0.entry("type").or_insert_with(|| "tenant".into());
            // A role of an organization has none (recorded once: TestAccDataSourceOrganizationRoleMembers).
            if role.text("type") != Some("organization") {
                role.0.entry("description").or_insert(Value::Null);
            }
        },
        ..PLAIN
    },
    Habit {
        kind: "tenant-settings",
        tolerated: &["universal_login", "flags"],
        exclusive: &[
            ("session_lifetime", "session_lifetime_in_minutes"),
            ("idle_session_lifetime", "idle_session_lifetime_in_minutes"),
            ("ephemeral_session_lifetime", "ephemeral_session_lifetime_in_minutes"),
            ("idle_ephemeral_session_lifetime", "idle_ephemeral_session_lifetime_in_minutes"),
        ],
        updated: settings::updated,
        update_answer: settings::update_answer,
        // In 46 of 69 answers of updates, in none of 125 reads.
        unread: &["universal_login.identifier_first", "universal_login.is_custom_theme_set", "universal_login.is_custom_template_set"],
        // auth0-deploy-cli@2025-04-10, should-dump-and-deploy: GET /prompts, then PATCH /tenants/settings.
        repeated: &[("universal_login.identifier_first", "/prompts", "identifier_first")],
        ..PLAIN
    },
    Habit {
        kind: "connections",
        order: Order::NameOfAnyCase,
        statuses: (201, 202),
        unshown: &["show_as_button"],
        created: connections::created,
        updated: connections::updated,
        listed: &[("enabled_clients", "connection-clients")],
        ..PLAIN
    },
];

/// Returns what the server does with the kind of this name.
pub(crate) fn behaviour_of(kind: &str) -> &'static Habit {
    let all = HABITS.iter().chain(actions::HABITS).chain(organizations::HABITS).chain(streams::HABITS).chain(tenant_wide::HABITS);
    all.into_iter().find(|habit| habit.kind == kind).unwrap_or(&UNLISTED)
}

/// Returns the moment as the server dates things.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}
