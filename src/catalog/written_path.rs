//! Which resources a write changes, by its method and path, which migrate itself may never call.

use super::Catalog;
use super::address::{matched, places};
use super::kind::Kind;
use super::shape::{ElementChanges, Shape};

/// A resource that a write changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenResource {
    /// Its kind.
    pub kind: &'static Kind,
    /// Its id; `None` if the write creates it, so that only the response contains the id.
    pub id: Option<String>,
    /// How much of it the write may change.
    pub reach: WriteReach,
}

/// How much of a resource a write may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteReach {
    /// The fields in its body.
    Fields,
    /// Everything: it creates, replaces or deletes the resource, or changes elements of its only list.
    Whole,
    /// What takes effect only with a follow-up, which it is.
    FollowUp,
    /// Something below it that the catalog does not cover, such as `/clients/{id}/rotate-secret`.
    Below,
}

impl Catalog {
    /// Returns the resources that a write to this path changes: several only if kinds share their endpoint.
    ///
    /// The path is below `/api/v2`, without a query. Of several templates that match, the one with the fewest parameters
    /// wins, as in the API itself.
    #[must_use]
    pub fn written_at(&self, method: &str, path: &str) -> Vec<WrittenResource> {
        let own = self.matching(method, path);
        if !own.is_empty() {
            return own;
        }
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let above = (1..segments.len()).rev().map(|length| segments[..length].join("/"));
        let below = |path: String| -> Vec<WrittenResource> {
            // What is below a path without an id is about nothing in particular.
            let with_id = self.matching("PATCH", &path).into_iter().filter(|written| !written.kind.path_parameters().is_empty());
            with_id.map(|written| WrittenResource { reach: WriteReach::Below, ..written }).collect()
        };
        above.map(below).find(|found| !found.is_empty()).unwrap_or_default()
    }

    fn matching(&self, method: &str, path: &str) -> Vec<WrittenResource> {
        let all: Vec<(usize, WrittenResource)> = self.kinds().filter_map(|kind| kind.written_at(method, path)).collect();
        let fewest = all.iter().map(|(parameters, _)| *parameters).min();
        all.into_iter().filter(|(parameters, _)| Some(*parameters) == fewest).map(|(_, written)| written).collect()
    }
}

impl Kind {
    /// Returns the resource of this kind that a write changes, and the number of parameters in the template that matches.
    fn written_at(&'static self, method: &str, path: &str) -> Option<(usize, WrittenResource)> {
        let written = |form: &str, id: Option<String>, reach| Some((places(form).count(), WrittenResource { kind: self, id, reach }));
        let item = self.item();
        let is_whole = matches!(self.shape, Shape::Child { .. }) || matches!(method, "PUT" | "POST" | "DELETE");
        let reach = if is_whole { WriteReach::Whole } else { WriteReach::Fields };
        if let Some(values) = values(&item, path) {
            return written(&item, Some(self.id_from(&values)), reach);
        }
        if let Shape::Child { element_changes: ElementChanges::AddUpdateRemove { by, .. }, .. } = self.shape {
            let element = format!("{item}/{{{by}}}");
            if let Some(values) = values(&element, path) {
                return written(&element, Some(self.id_from(&values[..values.len() - 1])), WriteReach::Whole);
            }
        }
        if let Some(create) = self.creation().filter(|create| method == "POST" && matched(create, path).is_some()) {
            return written(create, None, WriteReach::Whole);
        }
        if let Some(follow_up) = self.lifecycle.follow_up
            && let Some(values) = values(follow_up.path, path)
        {
            return written(follow_up.path, Some(self.id_from(&values)), WriteReach::FollowUp);
        }
        let alias = self.paths.aliases.iter().find_map(|alias| Some((alias, values(alias, path)?)));
        alias.and_then(|(alias, values)| written(alias, Some(self.id_from(&values)), reach))
    }

    /// Returns the id that the parameters of a path form; that of a singleton is the name of the kind.
    fn id_from(&self, values: &[String]) -> String {
        if values.is_empty() { self.name.to_owned() } else { values.join("/") }
    }
}

fn values(form: &str, path: &str) -> Option<Vec<String>> {
    Some(matched(form, path)?.into_iter().map(|(_, value)| value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(method: &str, path: &str) -> Vec<(&'static str, Option<String>, WriteReach)> {
        let found = Catalog::standard().written_at(method, path);
        found.into_iter().map(|written| (written.kind.name, written.id, written.reach)).collect()
    }

    fn one(kind: &'static str, id: &str, reach: WriteReach) -> Vec<(&'static str, Option<String>, WriteReach)> {
        vec![(kind, Some(id.to_owned()), reach)]
    }

    /// The paths are those that `management_api::write` sends, filled in by the catalog.
    #[test]
    fn every_path_that_migrate_writes_to_leads_to_its_resource() {
        for kind in Catalog::standard().kinds() {
            let parameters = kind.path_parameters().len();
            let ids: Vec<String> = (0..parameters).map(|nth| format!("a|{nth} b")).collect();
            let id = kind.id_from(&ids);
            let path = kind.path_of(&id);
            let is_found = |method: &str, path: &str, id: Option<&str>, reach: WriteReach| {
                let found = Catalog::standard().written_at(method, path);
                let expected = WrittenResource { kind, id: id.map(str::to_owned), reach };
                assert!(found.contains(&expected), "{method} {path}: {found:?}");
                let others = found.iter().filter(|other| other.kind != kind && other.kind.quirks.same_endpoint_as.is_none());
                assert!(kind.quirks.same_endpoint_as.is_some() || others.count() == 0, "{method} {path}: {found:?}");
            };
            let is_child = matches!(kind.shape, Shape::Child { .. });
            is_found("PATCH", &path, Some(&id), if is_child { WriteReach::Whole } else { WriteReach::Fields });
            is_found("PUT", &path, Some(&id), WriteReach::Whole);
            is_found("DELETE", &path, Some(&id), WriteReach::Whole);
            if let Shape::Child { element_changes: ElementChanges::AddUpdateRemove { .. }, .. } = kind.shape {
                is_found("PATCH", &format!("{path}/an-element"), Some(&id), WriteReach::Whole);
            }
            if let Some(create) = kind.creation() {
                let is_item = create == kind.item();
                let filled = kind.creation_path(&places(create).map(|place| (place.to_owned(), "a|0 b".into())).collect());
                is_found("POST", &filled.expect("it creates"), Some(id.as_str()).filter(|_| is_item), WriteReach::Whole);
            }
            if let Some(follow_up) = kind.lifecycle.follow_up {
                is_found("POST", &follow_up.path.replace("{id}", "an-id"), Some("an-id"), WriteReach::FollowUp);
            }
        }
    }

    #[test]
    fn paths_that_migrate_never_calls_lead_to_the_resource_above_them() {
        assert_eq!(
            written("POST", "/clients/abc/rotate-secret"),
            [("client-login-page", Some("abc".to_owned()), WriteReach::Below), ("clients", Some("abc".to_owned()), WriteReach::Below),]
        );
        assert_eq!(written("POST", "/organizations/org_1/members"), one("organizations", "org_1", WriteReach::Below));
        assert_eq!(written("DELETE", "/roles/rol_1/permissions"), one("role-permissions", "rol_1", WriteReach::Whole));
        assert_eq!(written("POST", "/actions/actions/a1/versions/v1/deploy"), one("actions", "a1", WriteReach::Below));
        assert_eq!(written("PATCH", "/tenants/settings"), one("tenant-settings", "tenant-settings", WriteReach::Fields));
        assert_eq!(written("PATCH", "/users/auth0%7C1"), []);
        assert_eq!(written("POST", "/tenants/settings/other"), []);
    }

    #[test]
    fn a_fixed_path_wins_over_one_with_a_parameter() {
        assert_eq!(
            written("PUT", "/guardian/factors/sms/templates"),
            one("guardian-phone-templates", "guardian-phone-templates", WriteReach::Whole)
        );
    }
}
