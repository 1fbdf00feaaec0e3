//! Which kinds may differ after a write to a tenant, by its method and path, so that the others need not be read again.

use std::collections::BTreeSet;

use super::reference::ReferencedBy;
use super::{Catalog, Kind};

/// Where writes change no setting: users and what belongs to them, and jobs. `*` is one part of a path; what is below counts too.
const NO_SETTINGS: [&str; 21] = [
    "/anomaly/blocks",
    "/connections/*/users",
    "/device-credentials",
    "/event-streams/*/redeliver",
    "/event-streams/*/test",
    "/flows/*/executions",
    "/grants",
    "/groups",
    "/guardian/enrollments",
    "/jobs",
    "/keys/encryption",
    "/keys/signing",
    "/organizations/*/invitations",
    "/organizations/*/members",
    "/refresh-tokens",
    "/roles/*/users",
    "/self-service-profiles/*/sso-ticket",
    "/sessions",
    "/tickets",
    "/user-blocks",
    "/users",
];

/// What a write may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteEffect {
    /// No setting.
    Nothing,
    /// Resources of these kinds.
    Kinds(BTreeSet<&'static str>),
    /// The catalog does not know the path.
    Unknown,
}

impl Catalog {
    /// Returns what a successful write to this path, below `/api/v2`, may change.
    #[must_use]
    pub fn effect_of(&self, method: &str, path: &str) -> WriteEffect {
        if NO_SETTINGS.iter().any(|form| is_at_or_below(form, path)) {
            return WriteEffect::Nothing;
        }
        let mut written: BTreeSet<&'static str> = self.written_at(method, path).iter().map(|written| written.kind.name).collect();
        // Some lists can be written as a whole: `PATCH /prompts/rendering`.
        written.extend(self.kinds().filter(|kind| kind.paths.list == path).map(|kind| kind.name));
        if written.is_empty() { WriteEffect::Unknown } else { WriteEffect::Kinds(self.with_affected(written)) }
    }

    /// Adds the kinds that belong to these, share an endpoint with them, are reset by a write of them, or name them or a part of them by
    /// something other than an id.
    ///
    /// A deletion may change further kinds, those that name what was deleted: whoever knows its id finds them.
    #[must_use]
    pub fn with_affected(&self, mut kinds: BTreeSet<&'static str>) -> BTreeSet<&'static str> {
        loop {
            let before = kinds.len();
            for kind in self.kinds() {
                if kinds.contains(kind.name) {
                    kinds.extend(kind.quirks.resets);
                    kinds.extend(kind.quirks.same_endpoint_as);
                } else if follows(kind).any(|of| kinds.contains(of)) {
                    kinds.insert(kind.name);
                }
            }
            if kinds.len() == before {
                return kinds;
            }
        }
    }
}

/// Returns the kinds whose writes may change resources of this kind.
fn follows(kind: &Kind) -> impl Iterator<Item = &'static str> {
    let named = kind.references.iter().filter(|reference| !matches!(reference.by, ReferencedBy::Id | ReferencedBy::Alias));
    kind.read_after().into_iter().chain(kind.quirks.same_endpoint_as).chain(named.map(|reference| reference.to))
}

fn is_at_or_below(form: &str, path: &str) -> bool {
    let mut parts = path.trim_matches('/').split('/');
    form.trim_matches('/').split('/').all(|expected| parts.next().is_some_and(|part| expected == "*" || expected == part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(method: &str, path: &str) -> WriteEffect {
        Catalog::standard().effect_of(method, path)
    }

    fn kinds(method: &str, path: &str) -> Vec<&'static str> {
        match effect(method, path) {
            WriteEffect::Kinds(kinds) => kinds.into_iter().collect(),
            other => panic!("{method} {path}: {other:?}"),
        }
    }

    #[test]
    fn a_write_may_change_what_belongs_to_its_resource() {
        let organization = kinds("PATCH", "/organizations/org_1");
        assert!(organization.contains(&"organizations") && organization.contains(&"organization-connections"), "{organization:?}");
        assert!(!organization.contains(&"clients"), "{organization:?}");
        assert_eq!(kinds("DELETE", "/roles/rol_1/permissions"), ["role-permissions"]);
        // The permissions of a role name scopes of an API, which may lose them.
        assert!(kinds("PATCH", "/resource-servers/rs_1").contains(&"role-permissions"));
        assert!(kinds("PATCH", "/branding").contains(&"prompts"));
    }

    #[test]
    fn a_write_about_users_changes_no_setting_and_an_unknown_one_may_change_everything() {
        assert_eq!(effect("PATCH", "/users/auth0%7C1"), WriteEffect::Nothing);
        assert_eq!(effect("POST", "/organizations/org_1/members"), WriteEffect::Nothing);
        assert_eq!(effect("POST", "/roles/rol_1/users"), WriteEffect::Nothing);
        assert_eq!(effect("POST", "/a-new-area/of-the-api"), WriteEffect::Unknown);
    }

    #[test]
    fn no_path_of_a_kind_is_without_effect() {
        for kind in Catalog::standard().kinds() {
            let id = vec!["a"; kind.path_parameters().len()].join("/");
            let path = kind.path_of(&id);
            let creation = kind.creation().unwrap_or_default();
            for form in NO_SETTINGS {
                assert!(!is_at_or_below(form, &path) && !is_at_or_below(form, creation), "{}: {form}", kind.name);
            }
            assert!(kinds("PATCH", &path).contains(&kind.name), "{path}");
        }
    }
}
