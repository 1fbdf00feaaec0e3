//! What a plan says of two small tenants.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::catalog::Catalog;
use crate::links::Links;
use crate::resource::Resource;
use crate::snapshot::{Desired, Snapshot, Status, refs};

/// Returns what a tenant holds that answers these bodies.
fn tenant(domain: &str, answers: &[(&str, Value)]) -> Snapshot {
    let read = |(kind, answer): &(&str, Value)| {
        let kind = Catalog::standard().kind(kind).expect("a kind");
        Resource::read(kind, Body::from_value(answer.clone()).expect("an object")).expect("readable")
    };
    let mut resources: Vec<Resource> = answers.iter().map(read).collect();
    let twice = refs::detach(Catalog::standard(), domain, &mut resources);
    let kinds: BTreeMap<String, Status> = Catalog::standard().kinds().map(|kind| (kind.name.to_owned(), Status::Complete)).collect();
    Snapshot { tenant: domain.to_owned(), domain: domain.to_owned(), taken: String::new(), kinds, resources, twice }
}

fn planned(source: &[(&str, Value)], target: &[(&str, Value)], links: &Links) -> Plan {
    let (source, target) = (tenant("dev.eu.auth0.com", source), tenant("prod.eu.auth0.com", target));
    plan(Catalog::standard(), &Desired::unmapped(source), &target, links)
}

fn left_out(plan: &Plan) -> Vec<(String, &str, &str)> {
    let told = plan.left_out.iter().map(|left| (left.key.to_string(), left.path.as_deref().unwrap_or_default(), left.because.as_str()));
    told.collect()
}

fn creates(plan: &Plan) -> Vec<String> {
    plan.changes().filter(|change| matches!(change.action, Action::Create { .. })).map(|change| change.key.to_string()).collect()
}

fn steps(plan: &Plan) -> Vec<(&str, &str)> {
    plan.manual.iter().map(|manual| (manual.path.as_str(), manual.step.as_str())).collect()
}

#[test]
fn of_two_that_no_tenant_takes_the_first_is_created_and_the_other_is_named() {
    let api = |id: &str, name: &str| ("resource-servers", json!({"id": id, "identifier": "https://api", "name": name}));
    let web = |id: &str| ("clients", json!({"client_id": id, "name": "Web"}));
    let plan = planned(&[api("1", "One"), api("2", "Two"), web("a"), web("b")], &[], &Links::default());
    assert_eq!(creates(&plan), ["resource-servers/https://api", "clients/Web", "clients/Web#2"]);
    let because = "the source has another API of this identifier, and no tenant takes two";
    assert_eq!(left_out(&plan), [("resource-servers/https://api#2".to_owned(), "", because)]);
}

#[test]
fn a_name_that_another_resource_of_the_target_keeps_is_not_created_again_and_one_that_is_given_free_is() {
    let mut links = Links::default();
    links.link(&Id::new("s1"), &Id::new("t1"), &Key::new("connections", "old"));
    links.link(&Id::new("r1"), &Id::new("q1"), &Key::new("roles", "Old"));
    let connection = |id: &str, name: &str| ("connections", json!({"id": id, "name": name, "strategy": "auth0", "options": {}}));
    let role = |id: &str, name: &str| ("roles", json!({"id": id, "name": name}));
    let source = [connection("s1", "new"), connection("s2", "old"), role("r1", "New"), role("r2", "Old")];
    let plan = planned(&source, &[connection("t1", "old"), role("q1", "Old")], &links);
    assert_eq!(creates(&plan), ["roles/Old"]);
    let taken = "the target has another connection of this name, and no tenant takes two";
    let fixed = "its name differs in the target, and it can only be set when the resource is created";
    assert_eq!(left_out(&plan), [("connections/old".to_owned(), "", taken), ("connections/new".to_owned(), "", fixed)]);
}

#[test]
fn an_object_that_goes_with_its_reference_is_named_whole() {
    let client =
        json!({"client_id": "c", "name": "Web", "default_organization": {"organization_id": "org_1", "flows": ["client_credentials"]}});
    let plan = planned(&[("clients", client)], &[], &Links::default());
    assert_eq!(
        left_out(&plan),
        [("clients/Web".to_owned(), "default_organization", "it refers to organizations \"org_1\", which the source does not have")]
    );
}

#[test]
fn options_that_only_the_target_has_stay_and_are_named() {
    let connection = |options: Value| ("connections", json!({"id": "con_1", "name": "db", "strategy": "auth0", "options": options}));
    let (wanted, held) = (json!({"import_mode": true}), json!({"import_mode": true, "mfa": {"active": true}}));
    let plan = planned(&[connection(wanted)], &[connection(held)], &Links::default());
    assert!(plan.is_empty());
    let named: Vec<_> = plan.left_alone.iter().map(|left| (left.path.as_deref(), left.because.as_str())).collect();
    assert_eq!(named, [(Some("options.mfa"), "only the target has it, and it may be the server's own")]);
}

#[test]
fn a_secret_that_the_target_makes_is_named_though_the_source_may_not_show_its_own() {
    let api = |id: &str, algorithm: &str| ("resource-servers", json!({"id": id, "identifier": id, "signing_alg": algorithm}));
    let plan =
        planned(&[("clients", json!({"client_id": "c", "name": "Web"})), api("a", "RS256"), api("b", "HS256")], &[], &Links::default());
    assert_eq!(
        steps(&plan),
        [
            ("client_secret", "the target makes a new client_secret; hand it to whoever uses this client"),
            ("signing_secret", "the target makes a new signing_secret; hand it to whoever uses this API"),
        ]
    );
}

#[test]
fn a_client_that_proves_itself_otherwise_in_the_target_is_named_where_the_target_shows_secrets() {
    let client = |id: &str, name: &str, secret: &str| ("clients", json!({"client_id": id, "name": name, "client_secret": secret}));
    let source = [client("c", "Web", "s3cret"), client("d", "App", "s3cret")];
    let by_keys =
        json!({"client_id": "k", "name": "Web", "client_authentication_methods": {"private_key_jwt": {"credentials": [{"id": "cred_1"}]}}});
    let shown = planned(&source, &[("clients", by_keys.clone()), client("e", "App", "other")], &Links::default());
    assert_eq!(steps(&shown), [("client_secret", "client_secret is not copied, and the client in the target has none")]);
    let hidden = planned(&source[..1], &[("clients", by_keys)], &Links::default());
    assert_eq!(steps(&hidden), []);
}

#[test]
fn an_option_that_was_taken_out_of_a_file_by_hand_stays_and_is_named() {
    let tenant = tenant(
        "dev.eu.auth0.com",
        &[("connections", json!({"id": "con_1", "name": "db", "strategy": "auth0", "options": {"a": 1, "b": 2}}))],
    );
    let (held, mut wanted) = (&tenant.resources[0], tenant.resources[0].clone());
    wanted.body.take("options.b");
    let side = Side { tenant: "dev".into(), domain: "dev.eu.auth0.com".into(), taken: String::new() };
    let plan = change_one(Catalog::standard(), &side, "db", held, &wanted);
    let named: Vec<_> = plan.left_alone.iter().filter_map(|left| left.path.as_deref()).collect();
    assert_eq!((plan.is_empty(), named), (true, vec!["options.b"]));
}
