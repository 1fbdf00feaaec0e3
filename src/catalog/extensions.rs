//! Code that runs inside a login.
//!
//! Fields: `PATCH /rules/{id}` in Auth0's OpenAPI description of 2026-06-25.

use super::kind::Kind;
use super::shape::Paging;

/// Rules.
///
/// Read-only for most tenants since 2024-11-18 and at their end since 2026-11-18 (page "Deprecations and Migrations"); some tenants still
/// serve them. They are kept up to date where both tenants have them and never created.
pub(super) static RULES: Kind = Kind::collection("rules", "rule", "/rules")
    .titled("Rules")
    .paged(Paging::Offset { field: "rules", size: 100, or_checkpoint: false })
    .writable("name script order enabled")
    .read_only(&["id", "stage"])
    .required(&["name", "script"])
    .defaults(&[("enabled", "true")])
    .not_created("rules ended on 2026-11-18; move this one to an action")
    .scopes(&["read:rules"], &["create:rules"], &["update:rules"], &["delete:rules"]);
