//! What a plan says of two small tenants.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::catalog::Catalog;
use crate::fingerprints::Sent;
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
    wanted.body.change(|body| body.take("options.b"));
    let side = Side { tenant: "dev".into(), domain: "dev.eu.auth0.com".into(), taken: String::new() };
    let plan = change_one(Catalog::standard(), &side, "db", held, &wanted);
    let named: Vec<_> = plan.left_alone.iter().filter_map(|left| left.path.as_deref()).collect();
    assert_eq!((plan.is_empty(), named), (true, vec!["options.b"]));
}

const WEB: (&str, &str, &str) = ("s-web", "t-web", "Web");
const TILL: (&str, &str, &str) = ("s-till", "t-till", "Till");

fn client((source, target, name): (&str, &str, &str), is_source: bool) -> (&'static str, Value) {
    ("clients", json!({"client_id": if is_source { source } else { target }, "name": name, "is_first_party": true}))
}

/// Prunes a target that holds both clients, the second of which an earlier run linked; `change` is made to what is desired.
fn pruned(source: &[(&str, Value)], is_linked: bool, change: impl FnOnce(&mut Desired)) -> Plan {
    let target = tenant("prod.eu.auth0.com", &[client(WEB, false), client(TILL, false)]);
    let mut desired = Desired::unmapped(tenant("dev.eu.auth0.com", source));
    change(&mut desired);
    let mut links = Links::default();
    if is_linked {
        links.link(&Id::new(TILL.0), &Id::new(TILL.1), &Key::new("clients", "Its old name"));
    }
    let base = crate::base::Base::default();
    let past = Past { links: &links, base: &base, sent: &Sent::default(), on_drift: OnDrift::Keep, prune: true, keeps_own: true };
    plan_after(Catalog::standard(), &desired, &target, past)
}

fn removes(plan: &Plan) -> Vec<String> {
    plan.changes().filter(|change| matches!(change.action, Action::Remove { .. })).map(|change| change.key.to_string()).collect()
}

#[test]
fn what_an_earlier_run_brought_and_the_source_has_no_more_is_pruned_and_a_guard_asks() {
    let plan = pruned(&[client(WEB, true)], true, |_| {});
    assert_eq!(removes(&plan), ["clients/Till"]);
    let refusal = guard::deletes(&plan).expect("a refusal");
    let message = "1 would be removed from \"prod.eu.auth0.com\": clients/Till";
    assert_eq!((refusal.guard.as_ref(), refusal.can_be_allowed, refusal.message.as_str()), ("deletes", true, message));
}

#[test]
fn what_no_run_brought_is_never_pruned() {
    let plan = pruned(&[client(WEB, true)], false, |_| {});
    assert_eq!((removes(&plan), &plan.target_only["clients"]), (Vec::new(), &vec![Key::new("clients", "Till")]));
}

#[test]
fn what_a_mapping_skips_is_not_pruned_whatever_it_was_called_when_it_came() {
    let plan = pruned(&[client(WEB, true)], true, |desired| {
        desired.skipped.insert(("clients".to_owned(), Id::new(TILL.0)));
    });
    assert_eq!(removes(&plan), Vec::<String>::new());
}

#[test]
fn an_empty_or_unfinished_listing_prunes_nothing() {
    assert_eq!(removes(&pruned(&[], true, |_| {})), Vec::<String>::new());
    // What is left alone everywhere does not make a listing one of somebody's clients.
    let alone = |desired: &mut Desired| desired.snapshot.resources[0].left_alone = Some("it is what migrate itself signs in with".into());
    assert_eq!(removes(&pruned(&[client(WEB, true)], true, alone)), Vec::<String>::new());
    for status in [Status::Selected, Status::Forbidden("no scope".into()), Status::Absent("not served".into())] {
        let plan = pruned(&[client(WEB, true)], true, |desired| drop(desired.snapshot.kinds.insert("clients".into(), status.clone())));
        assert_eq!(removes(&plan), Vec::<String>::new(), "{status:?}");
    }
}
