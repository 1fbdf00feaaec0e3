//! Two example tenants of a realistic company, used by the demo and by `migrate sandbox`.
//!
//! Acme sells software for logistics and billing. Its dev tenant is ahead of prod: prod is an outdated copy with ids,
//! hosts and one client of its own. Everything in them is invented, including the secrets; each secret begins with
//! `CANARY-`, so that a leaked one can be found by searching for that word. `mappings/dev-to-prod.toml` is the mapping
//! between the two.
//!
//! These are state files (`{"tenant", "domain", "data": {path: answer}, "absent": {path: {status, body}}}`) and nothing
//! else: no code here may depend on their content.

/// The state of `acme-dev.eu.auth0.com`, as JSON.
pub const ACME_DEV: &str = include_str!("seed/acme-dev.json");

/// The state of `acme-prod.eu.auth0.com`, as JSON.
pub const ACME_PROD: &str = include_str!("seed/acme-prod.json");

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::{Value, json};

    use super::*;
    use crate::catalog::address::matched;
    use crate::catalog::{Catalog, KeyNames, Kind, ReferencedBy, Shape};
    use crate::json::Body;

    /// A state file with its resources by kind.
    struct Seed {
        state: Value,
        answers: Vec<(&'static Kind, Body)>,
    }

    impl Seed {
        fn read(text: &str) -> Self {
            let state: Value = serde_json::from_str(text).expect("JSON");
            let answers =
                Catalog::standard().kinds().flat_map(|kind| answers(kind, &state["data"]).map(move |body| (kind, body))).collect();
            Self { state, answers }
        }

        fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Body> {
            self.answers.iter().filter(move |(of, _)| of.name == kind).map(|(_, body)| body)
        }

        /// The values of a text field over all resources of a kind.
        fn texts(&self, kind: &str, field: &str) -> BTreeSet<String> {
            self.of_kind(kind).filter_map(|body| body.text(field)).map(str::to_owned).collect()
        }

        fn domain(&self) -> &str {
            self.state["domain"].as_str().expect("a domain")
        }

        /// Every id that the tenant issued.
        fn ids(&self) -> BTreeSet<String> {
            let collections = Catalog::standard().kinds().filter(|kind| kind.shape == Shape::Collection);
            collections.flat_map(|kind| self.texts(kind.name, kind.identity.id)).chain(self.credentials()).collect()
        }

        fn credentials(&self) -> Vec<String> {
            let lists = self.state["data"].as_object().expect("paths").iter().filter(|(path, _)| path.ends_with("/credentials"));
            lists.flat_map(|(_, list)| list.as_array().expect("a list")).map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
        }

        /// The scopes of each API, by its identifier.
        fn scopes(&self) -> BTreeMap<String, BTreeSet<String>> {
            let scopes = |api: &Body| api.find("scopes[].value").into_iter().map(|(_, value)| text(value)).collect();
            self.of_kind("resource-servers").map(|api| (api.text("identifier").expect("an identifier").to_owned(), scopes(api))).collect()
        }
    }

    fn seeds() -> [Seed; 2] {
        [Seed::read(ACME_DEV), Seed::read(ACME_PROD)]
    }

    fn text(value: &Value) -> String {
        value.as_str().expect("a text").to_owned()
    }

    /// The resources of a kind; a child's list is one body with its elements in one field.
    fn answers(kind: &'static Kind, data: &Value) -> impl Iterator<Item = Body> {
        let paths = data.as_object().expect("paths").iter().filter(|(path, _)| is_path_of(kind, path));
        let bodies = paths.flat_map(|(_, answer)| match (kind.shape, answer) {
            (Shape::Child { .. }, list) => vec![json!({ kind.elements(): list })],
            (_, Value::Array(list)) => list.clone(),
            (_, object) => vec![object.clone()],
        });
        bodies.map(|value| Body::from_value(value).expect("an object")).collect::<Vec<_>>().into_iter()
    }

    fn is_path_of(kind: &Kind, path: &str) -> bool {
        let is_one = matches!(kind.shape, Shape::Keyed { .. }) && matched(&kind.item(), path).is_some();
        kind.quirks.same_endpoint_as.is_none() && (is_one || matched(kind.paths.list, path).is_some())
    }

    fn parent_of<'path>(kind: &Kind, path: &'path str) -> Option<&'path str> {
        let (before, after) = kind.paths.list.split_once("{id}")?;
        path.strip_prefix(before)?.strip_suffix(after)
    }

    #[test]
    fn every_reference_of_a_seed_names_a_resource_of_the_same_tenant() {
        for seed in seeds() {
            for (kind, body) in &seed.answers {
                for reference in kind.references {
                    let target = Catalog::standard().kind(reference.to).expect("a kind");
                    let known =
                        seed.texts(target.name, if reference.by == ReferencedBy::Id { target.identity.id } else { target.identity.key[0] });
                    for (place, value) in body.find(reference.path) {
                        assert!(known.contains(&text(value)), "{}: {} at {place} = {value}", seed.domain(), kind.name);
                    }
                }
            }
        }
    }

    #[test]
    fn every_list_below_a_parent_has_its_parent_and_every_parent_its_list() {
        for seed in seeds() {
            let data = seed.state["data"].as_object().expect("paths");
            for kind in Catalog::standard().kinds() {
                let Shape::Child { parent, .. } = kind.shape else { continue };
                let listed: BTreeSet<_> = data.keys().filter_map(|path| parent_of(kind, path)).map(str::to_owned).collect();
                assert_eq!(listed, seed.texts(parent, "id"), "{}: {}", seed.domain(), kind.name);
            }
        }
    }

    #[test]
    fn every_granted_scope_exists_in_its_api() {
        for seed in seeds() {
            let scopes = seed.scopes();
            for grant in seed.of_kind("client-grants") {
                for (_, scope) in grant.find("scope[]") {
                    assert!(scopes[grant.text("audience").expect("an audience")].contains(&text(scope)), "{}: {scope}", seed.domain());
                }
            }
            for (_, permission) in seed.of_kind("role-permissions").flat_map(|role| role.find("permissions[]")) {
                let api = &scopes[&text(&permission["resource_server_identifier"])];
                assert!(api.contains(&text(&permission["permission_name"])), "{}: {permission}", seed.domain());
            }
        }
    }

    #[test]
    fn the_two_tenants_share_no_id_and_do_not_mention_each_other() {
        let [dev, prod] = seeds();
        for (seed, other) in [(&dev, ACME_PROD), (&prod, ACME_DEV)] {
            for id in seed.ids().iter().map(String::as_str).chain([seed.domain()]) {
                assert!(!other.contains(id), "{id} of {} stands in the other tenant", seed.domain());
            }
        }
    }

    #[test]
    fn ids_have_auth0s_format() {
        for seed in seeds() {
            let shape = |kind, prefix: &str, length: usize| {
                for id in seed.texts(kind, Catalog::standard().kind(kind).expect("a kind").identity.id) {
                    let rest = id.strip_prefix(prefix).expect("the prefix of the kind");
                    assert!(rest.len() == length && rest.chars().all(|sign| sign.is_ascii_alphanumeric()), "{kind}: {id}");
                }
            };
            shape("clients", "", 32);
            shape("client-grants", "cgr_", 16);
            shape("connections", "con_", 16);
            shape("resource-servers", "", 24);
            shape("roles", "rol_", 16);
            shape("rules", "rul_", 16);
        }
    }

    #[test]
    fn every_secret_of_a_seed_is_a_canary_and_every_client_has_one() {
        for seed in seeds() {
            for client in seed.of_kind("clients") {
                assert!(client.text("client_secret").is_some() != client.get("client_authentication_methods").is_some(), "{client:?}");
            }
            for (kind, mut body) in seed.answers.iter().cloned() {
                // Ids of credentials are no secrets, but useless in another tenant.
                body.take("client_authentication_methods");
                for path in kind.secrets.paths {
                    let mut taken = Body::new();
                    body.take(path).into_iter().for_each(|(_, value)| taken.set("secret", value));
                    taken.each_text(&mut |_, secret| assert!(secret.starts_with("CANARY-"), "{}: {path} = {secret}", kind.name));
                }
                assert!(!serde_json::to_string(&without_read_only(kind, body)).expect("JSON").contains("CANARY-"), "{}", kind.name);
            }
        }
    }

    #[test]
    fn every_field_of_a_seed_is_in_the_catalog() {
        for seed in seeds() {
            for (kind, body) in seed.answers.iter().cloned() {
                let mut body = without_read_only(kind, body);
                kind.secrets.paths.iter().chain([&kind.identity.id]).for_each(|path| drop(body.take(path)));
                let (_, unknown) = kind.fields.writable().split(body, crate::catalog::RequestPurpose::Snapshot);
                assert!(unknown.is_empty(), "{}: {unknown:?}", kind.name);
            }
        }
    }

    fn without_read_only(kind: &Kind, mut body: Body) -> Body {
        kind.fields.read_only.iter().for_each(|path| drop(body.take(path)));
        body
    }

    #[test]
    fn names_are_unique_and_realistic() {
        for seed in seeds() {
            for kind in ["clients", "resource-servers", "connections", "roles", "rules"] {
                let names: Vec<_> = seed.of_kind(kind).map(|body| body.text("name").expect("a name")).collect();
                assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len(), "{kind}: {names:?}");
                let is_made_up = |name: &str| ["test", "foo", "bar", "lorem"].iter().any(|word| name.to_lowercase().contains(word));
                assert!(!names.iter().any(|name| is_made_up(name)), "{kind}: {names:?}");
            }
        }
    }

    #[test]
    fn a_rule_of_each_tenant_refers_to_its_own_billing_client() {
        for (seed, billing) in seeds().iter().zip(["Billing (dev)", "Billing"]) {
            let client = seed.of_kind("clients").find(|client| client.text("name") == Some(billing)).expect("a client");
            let rule = seed.of_kind("rules").find(|rule| rule.text("name") == Some("Add ledger to Billing tokens")).expect("a rule");
            assert!(rule.text("script").expect("a script").contains(client.text("client_id").expect("an id")));
        }
        let [dev, _] = seeds();
        assert!(dev.of_kind("rules").any(|rule| rule.text("script").expect("a script").contains(dev.domain())), "no rule names its tenant");
    }

    #[test]
    fn the_client_named_migrate_has_every_scope_of_the_catalog() {
        for seed in seeds() {
            let own = seed.of_kind("clients").find(|client| client.text("name") == Some("migrate")).expect("a client");
            let grant = seed.of_kind("client-grants").find(|grant| grant.text("client_id") == own.text("client_id")).expect("a grant");
            let granted: BTreeSet<_> = grant.find("scope[]").into_iter().map(|(_, scope)| text(scope)).collect();
            let needed = |kind: &Kind| [kind.scopes.read, kind.scopes.create, kind.scopes.update, kind.scopes.delete].concat();
            for scope in Catalog::standard().kinds().flat_map(needed) {
                assert!(granted.contains(scope), "{}: {scope}", seed.domain());
            }
        }
    }

    #[test]
    fn every_email_template_exists_or_is_recorded_as_absent() {
        for seed in seeds() {
            let shape = Catalog::standard().kind("email-templates").expect("a kind").shape;
            let Shape::Keyed { names: KeyNames::Fixed(names) } = shape else { panic!("a keyed kind") };
            for name in names {
                let path = format!("/email-templates/{name}");
                let (given, absent) = (&seed.state["data"][&path], &seed.state["absent"][&path]["body"]["errorCode"]);
                assert!(given["template"] == **name || *absent == json!("inexistent_email_template"), "{path}");
            }
        }
    }

    #[test]
    fn every_host_of_dev_is_in_the_example_mapping() {
        let table = include_str!("../../../mappings/hosts.csv").lines().skip(1).filter_map(|line| line.split(',').next());
        // The table lists the domain of email addresses with the `@`.
        let known: BTreeSet<_> = table.map(|from| from.trim_start_matches('@')).collect();
        let hosts = ACME_DEV.split(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '-' || sign == '.'));
        for host in hosts.filter(|host| host.ends_with("dev.acme.example")) {
            assert!(known.contains(host), "{host}");
        }
    }
}
