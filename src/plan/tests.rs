//! Tests of whole plans between two small tenants.

use std::collections::BTreeMap;
use std::slice::from_ref;

use serde_json::{Value, json};

use super::*;
use crate::catalog::Catalog;
use crate::json::Body;
use crate::model::guard::Guard;
use crate::model::resource::{Id, Resource, key};
use crate::snapshot::{Desired, Snapshot, Status, id_substitution};
use crate::state::fingerprints::SentSecrets;
use crate::state::links::Links;

/// Returns the snapshot of a tenant with these resources.
fn tenant(domain: &str, answers: &[(&str, Value)]) -> Snapshot {
    let read = |(kind, answer): &(&str, Value)| {
        let kind = Catalog::standard().kind(kind).expect("a kind");
        Resource::read(kind, Body::from_value(answer.clone()).expect("an object")).expect("readable")
    };
    let mut resources: Vec<Resource> = answers.iter().map(read).collect();
    let twice = id_substitution::to_portable(Catalog::standard(), domain, &mut resources);
    let kinds: BTreeMap<String, Status> = Catalog::standard().kinds().map(|kind| (kind.name.to_owned(), Status::Complete)).collect();
    Snapshot { tenant: domain.to_owned(), domain: domain.to_owned(), taken: String::new(), kinds, resources, twice, selection: None }
}

fn planned(source: &[(&str, Value)], target: &[(&str, Value)], links: &Links) -> Plan {
    let (source, target) = (tenant("dev.eu.auth0.com", source), tenant("prod.eu.auth0.com", target));
    plan(Catalog::standard(), &Desired::unmapped(source), &target, links)
}

fn skipped(plan: &Plan) -> Vec<(String, &str, &str)> {
    let told = plan.skipped.iter().map(|left| (left.key.to_string(), left.path.as_deref().unwrap_or_default(), left.reason.as_str()));
    told.collect()
}

fn creates(plan: &Plan) -> Vec<String> {
    plan.changes().filter(|change| matches!(change.action, Action::Create { .. })).map(|change| change.key.to_string()).collect()
}

fn steps(plan: &Plan) -> Vec<(&str, &str)> {
    plan.manual_steps.iter().map(|manual| (manual.path.as_str(), manual.step.as_str())).collect()
}

#[test]
fn of_two_conflicting_resources_the_first_is_created_and_the_other_reported() {
    let api = |id: &str, name: &str| ("resource-servers", json!({"id": id, "identifier": "https://api", "name": name}));
    let web = |id: &str| ("clients", json!({"client_id": id, "name": "Web"}));
    let plan = planned(&[api("1", "One"), api("2", "Two"), web("a"), web("b")], &[], &Links::default());
    assert_eq!(creates(&plan), ["resource-servers/https://api", "clients/Web", "clients/Web#2"]);
    let reason = "the source has another API with this identifier, which must be unique";
    assert_eq!(skipped(&plan), [("resource-servers/https://api#2".to_owned(), "", reason)]);
}

#[test]
fn a_name_taken_in_the_target_is_not_created_but_a_freed_one_is() {
    let mut links = Links::default();
    links.link(&Id::new("s1"), &Id::new("t1"), &key("connections/old"));
    links.link(&Id::new("r1"), &Id::new("q1"), &key("roles/Old"));
    let connection = |id: &str, name: &str| ("connections", json!({"id": id, "name": name, "strategy": "auth0", "options": {}}));
    let role = |id: &str, name: &str| ("roles", json!({"id": id, "name": name}));
    let source = [connection("s1", "new"), connection("s2", "old"), role("r1", "New"), role("r2", "Old")];
    let plan = planned(&source, &[connection("t1", "old"), role("q1", "Old")], &links);
    assert_eq!(creates(&plan), ["roles/Old"]);
    let taken = "the target has another connection with this name, which must be unique";
    let fixed = "its name differs in the target, and it can only be set when the resource is created";
    assert_eq!(skipped(&plan), [("connections/old".to_owned(), "", taken), ("connections/new".to_owned(), "", fixed)]);
}

#[test]
fn an_object_skipped_with_its_reference_is_reported_as_a_whole() {
    let client =
        json!({"client_id": "c", "name": "Web", "default_organization": {"organization_id": "org_1", "flows": ["client_credentials"]}});
    let plan = planned(&[("clients", client)], &[], &Links::default());
    assert_eq!(
        skipped(&plan),
        [("clients/Web".to_owned(), "default_organization", "it refers to organizations \"org_1\", which the source does not have")]
    );
}

#[test]
fn options_that_only_the_target_has_are_kept_and_reported() {
    let connection = |options: Value| ("connections", json!({"id": "con_1", "name": "db", "strategy": "auth0", "options": options}));
    let (wanted, held) = (json!({"import_mode": true}), json!({"import_mode": true, "mfa": {"active": true}}));
    let plan = planned(&[connection(wanted)], &[connection(held)], &Links::default());
    assert!(plan.is_empty());
    let named: Vec<_> = plan.excluded.iter().map(|left| (left.path.as_deref(), left.reason.as_str())).collect();
    assert_eq!(named, [(Some("options.mfa"), "it is set only in the target, possibly by Auth0")]);
}

#[test]
fn a_generated_secret_is_a_manual_step_even_if_the_source_does_not_return_its_own() {
    let api = |id: &str, algorithm: &str| ("resource-servers", json!({"id": id, "identifier": id, "signing_alg": algorithm}));
    let plan =
        planned(&[("clients", json!({"client_id": "c", "name": "Web"})), api("a", "RS256"), api("b", "HS256")], &[], &Links::default());
    assert_eq!(
        steps(&plan),
        [
            ("client_secret", "the target generates a new client_secret; give it to the services that use this client"),
            ("signing_secret", "the target generates a new signing_secret; give it to the services that use this API"),
        ]
    );
}

#[test]
fn a_generated_secret_that_is_not_used_is_no_manual_step() {
    let client = |method: &str| ("clients", json!({"client_id": method, "name": method, "token_endpoint_auth_method": method}));
    let plan = planned(&[client("none"), client("client_secret_post")], &[], &Links::default());
    assert_eq!(plan.manual_steps.iter().map(|step| step.key.name()).collect::<Vec<_>>(), ["client_secret_post"]);
}

#[test]
fn a_different_authentication_method_is_reported_if_the_target_returns_secrets() {
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
fn an_option_removed_by_hand_from_a_snapshot_is_kept_and_reported() {
    let tenant = tenant(
        "dev.eu.auth0.com",
        &[("connections", json!({"id": "con_1", "name": "db", "strategy": "auth0", "options": {"a": 1, "b": 2}}))],
    );
    let (held, mut wanted) = (&tenant.resources[0], tenant.resources[0].clone());
    wanted.body.change(|body| body.take("options.b"));
    let side = PlannedTenant::new("dev", "dev.eu.auth0.com", "");
    let plan = plan_single_resource(Catalog::standard(), &side, "db", held, &wanted);
    let named: Vec<_> = plan.excluded.iter().filter_map(|left| left.path.as_deref()).collect();
    assert_eq!((plan.is_empty(), named), (true, vec!["options.b"]));
}

const WEB: (&str, &str, &str) = ("s-web", "t-web", "Web");
const TILL: (&str, &str, &str) = ("s-till", "t-till", "Till");

fn client((source, target, name): (&str, &str, &str), is_source: bool) -> (&'static str, Value) {
    ("clients", json!({"client_id": if is_source { source } else { target }, "name": name, "is_first_party": true}))
}

/// Prunes a target with two clients, the second of which an earlier run linked; `change` modifies the desired state.
fn pruned(source: &[(&str, Value)], is_linked: bool, change: impl FnOnce(&mut Desired)) -> Plan {
    let target = tenant("prod.eu.auth0.com", &[client(WEB, false), client(TILL, false)]);
    let mut desired = Desired::unmapped(tenant("dev.eu.auth0.com", source));
    change(&mut desired);
    let mut links = Links::default();
    if is_linked {
        links.link(&Id::new(TILL.0), &Id::new(TILL.1), &key("clients/Its old name"));
    }
    let base = crate::state::baseline::Baseline::default();
    let past = PlanContext {
        links: &links,
        base: &base,
        sent: &SentSecrets::default(),
        on_drift: OnDrift::Keep,
        prune: true,
        desired_state: DesiredState::Source,
    };
    plan_after(Catalog::standard(), &desired, &target, past)
}

fn removes(plan: &Plan) -> Vec<String> {
    plan.changes().filter(|change| matches!(change.action, Action::Delete { .. })).map(|change| change.key.to_string()).collect()
}

#[test]
fn resources_of_earlier_runs_deleted_from_the_source_are_pruned_under_a_guard() {
    let plan = pruned(&[client(WEB, true)], true, |_| {});
    assert_eq!(removes(&plan), ["clients/Till"]);
    let refusal = guards::deletes(&plan).expect("a refusal");
    let message = "1 resource would be deleted: clients/Till";
    assert_eq!((refusal.guard, refusal.can_be_allowed, refusal.message.as_str()), (Guard::Deletes, true, message));
}

#[test]
fn resources_that_no_run_created_are_never_pruned() {
    let plan = pruned(&[client(WEB, true)], false, |_| {});
    assert_eq!((removes(&plan), &plan.unmanaged["clients"]), (Vec::new(), &vec![key("clients/Till")]));
}

#[test]
fn resources_skipped_by_a_mapping_are_not_pruned_whatever_their_former_names() {
    let plan = pruned(&[client(WEB, true)], true, |desired| {
        desired.skipped.insert(("clients".to_owned(), Id::new(TILL.0)));
    });
    assert_eq!(removes(&plan), Vec::<String>::new());
}

#[test]
fn an_empty_or_incomplete_list_prunes_nothing() {
    assert_eq!(removes(&pruned(&[], true, |_| {})), Vec::<String>::new());
    // Resources that are excluded everywhere do not prove that the list of clients is complete.
    let alone = |desired: &mut Desired| desired.snapshot.resources[0].excluded = Some("migrate itself signs in with it".into());
    assert_eq!(removes(&pruned(&[client(WEB, true)], true, alone)), Vec::<String>::new());
    for status in [
        Status::Selected(Vec::new()),
        Status::Refused("No".into()),
        Status::Forbidden("no scope".into()),
        Status::Absent("not served".into()),
    ] {
        let plan = pruned(&[client(WEB, true)], true, |desired| drop(desired.snapshot.kinds.insert("clients".into(), status.clone())));
        assert_eq!(removes(&plan), Vec::<String>::new(), "{status:?}");
    }
}

/// Plans after earlier runs that left these links and this baseline.
fn planned_after(
    source: &[(&str, Value)],
    target: &[(&str, Value)],
    links: &Links,
    base: &crate::state::baseline::Baseline,
    prune: bool,
) -> Plan {
    let (source, target) = (tenant("dev.eu.auth0.com", source), tenant("prod.eu.auth0.com", target));
    let past =
        PlanContext { links, base, sent: &SentSecrets::default(), on_drift: OnDrift::Keep, prune, desired_state: DesiredState::Source };
    plan_after(Catalog::standard(), &Desired::unmapped(source), &target, past)
}

fn action(id: &str, name: &str, is_foreign: bool) -> (&'static str, Value) {
    let mut action = json!({"id": id, "name": name, "code": "x", "supported_triggers": [{"id": "post-login", "version": "v3"}]});
    if is_foreign {
        action["integration"] = json!({"id": "marketplace"});
    }
    ("actions", action)
}

fn bound(names: &[&str]) -> (&'static str, Value) {
    let binding = |name: &&str| json!({"ref": {"type": "action_name", "value": name}, "display_name": name});
    ("action-trigger-bindings", json!({"trigger": "post-login", "bindings": names.iter().map(binding).collect::<Vec<_>>()}))
}

#[test]
fn a_name_taken_by_a_third_party_in_the_target_is_skipped_with_references_to_it() {
    let source = [action("a1", "Enrich", false), bound(&["Enrich"])];
    let plan = planned(&source, &[action("b1", "Enrich", true)], &Links::default());
    assert!(plan.is_empty(), "{plan:?}");
    let taken = "the target has another action with this name, which must be unique";
    let missing = "it refers to actions/Enrich, which the target does not have";
    assert_eq!(
        skipped(&plan),
        [("actions/Enrich".to_owned(), "", taken), ("action-trigger-bindings/post-login".to_owned(), "bindings[0].ref.value", missing)]
    );
}

#[test]
fn marketplace_actions_stay_bound_in_place_and_are_sent_by_name() {
    let source = [action("a1", "Geo", true), action("a2", "Enrich", false), bound(&["Geo", "Enrich"])];
    let target = [action("b1", "Geo", true), action("b2", "Enrich", false), bound(&["Geo", "Enrich"])];
    let plan = planned(&source, &target, &Links::default());
    assert!(plan.is_empty() && plan.skipped.is_empty(), "{plan:?}");
    let target = [action("b1", "Geo", true), bound(&["Geo"])];
    let plan = planned(&source, &target, &Links::default());
    assert_eq!((creates(&plan), skipped(&plan)), (vec!["actions/Enrich".to_owned()], Vec::new()));
    let mut names = id_substitution::TenantNames::new("prod.eu.auth0.com");
    plan.known.iter().for_each(|(key, id)| names.learn(key.clone(), id.clone()));
    plan.called.iter().for_each(|(key, name)| names.call(key.clone(), name.clone()));
    names.learn(key("actions/Enrich"), Id::new("b3"));
    let bindings = plan.changes().find(|change| change.key.kind().name == "action-trigger-bindings").expect("a change");
    let Action::Update { body, .. } = &bindings.action else { panic!("an update") };
    let sent = names.resolve(Catalog::standard().kind("action-trigger-bindings").expect("a kind"), body).expect("all is known");
    let values: Vec<Value> = sent.find("bindings[].ref.value").into_iter().map(|(_, value)| value.clone()).collect();
    assert_eq!(values, ["Enrich", "Geo"]);
}

#[test]
fn a_default_equal_to_the_tenants_own_domain_leaves_the_targets_choice() {
    let default = |domain: &str| ("custom-domains-default", json!({"domain": domain}));
    let own = |name: &str| default(&format!("{name}.eu.auth0.com"));
    let chosen =
        || vec![("custom-domains", json!({"custom_domain_id": "cd_1", "domain": "login.acme.example"})), default("login.acme.example")];
    for target in [vec![own("prod")], chosen(), Vec::new()] {
        let plan = planned(&[own("dev")], &target, &Links::default());
        let is_refused = target.is_empty();
        assert_eq!((plan.is_empty(), skipped(&plan)), (!is_refused, Vec::new()), "{target:?}");
    }
    let plan = planned(&[own("dev")], &chosen(), &Links::default());
    let alone: Vec<_> = plan.excluded.iter().map(|left| (left.key.to_string(), left.path.as_deref())).collect();
    assert_eq!(alone, [("custom-domains-default".to_owned(), Some("domain"))]);
    let plan = planned(&chosen(), &[own("prod")], &Links::default());
    assert_eq!(skipped(&plan).len(), 1, "what the source chose is missed");
}

#[test]
fn resources_deleted_in_both_tenants_are_ignored() {
    let settings = json!({"default_directory": "gone", "friendly_name": "Acme"});
    let mut target = settings.clone();
    target["friendly_name"] = json!("Old");
    let plan = planned(&[("tenant-settings", settings)], &[("tenant-settings", target)], &Links::default());
    assert_eq!((plan.counts().updates, skipped(&plan)), (1, Vec::new()));
}

fn given(side: &str, fields: &Value) -> (&'static str, Value) {
    let mut api = json!({"id": format!("{side}Me000000000000000000"), "identifier": format!("https://{side}.eu.auth0.com/me/"), "is_system": true,
        "name": side, "scopes": [{"value": side}], "signing_alg": "RS256",
        "subject_type_authorization": {"client": {"policy": side}, "user": {"policy": "allow_all"}}});
    api.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    ("resource-servers", api)
}

#[test]
fn only_writable_fields_of_a_built_in_api_are_compared_and_sent() {
    let wanted =
        json!({"token_lifetime": 7200, "subject_type_authorization": {"client": {"policy": "dev"}, "user": {"policy": "deny_all"}}});
    let (source, target) = (given("dev", &wanted), given("prod", &json!({"proof_of_possession": {"mechanism": "dpop", "required": true}})));
    let plan = planned(from_ref(&source), from_ref(&target), &Links::default());
    let changes: Vec<_> = plan.changes().collect();
    let [Change { action: Action::Update { body, .. }, .. }] = &changes[..] else { panic!("one update: {plan:?}") };
    let sent = json!({"token_lifetime": 7200, "subject_type_authorization": {"user": {"policy": "deny_all"}}, "proof_of_possession": null});
    assert_eq!(body.clone().into_value(), sent);
    assert!(
        planned(
            from_ref(&target),
            &[given("prod", &json!({"proof_of_possession": {"mechanism": "dpop", "required": true}}))],
            &Links::default()
        )
        .is_empty()
    );
    let plan = planned(&[source], &[], &Links::default());
    let step = "enable this API in the target's dashboard under Applications > APIs, then import again";
    assert_eq!((plan.is_empty(), steps(&plan)), (true, vec![("", step)]));
    let mut links = Links::default();
    links.link(&Id::new("gone"), &Id::new("prodMe000000000000000000"), &key("resource-servers"));
    let others = ("resource-servers", json!({"id": "a1", "identifier": "https://api"}));
    let plan = planned_after(from_ref(&others), &[others.clone(), target], &links, &crate::state::baseline::Baseline::default(), true);
    assert_eq!((removes(&plan), plan.excluded.len()), (Vec::new(), 1));
}

#[test]
fn the_management_api_is_excluded_completely() {
    let api = |side: &str, lifetime: u32| {
        let identifier = format!("https://{side}.eu.auth0.com/api/v2/");
        ("resource-servers", json!({"id": format!("{side}1"), "identifier": identifier, "is_system": true, "token_lifetime": lifetime}))
    };
    let plan = planned(&[api("dev", 1)], &[api("prod", 2)], &Links::default());
    assert_eq!((plan.is_empty(), plan.excluded.len()), (true, 1));
}

#[test]
fn settings_reset_by_a_change_are_written_again_even_if_equal() {
    let side = |logo: &str, first: bool| {
        let branding = json!({"logo_url": format!("https://{logo}"), "colors": {"primary": "#000000"}});
        vec![("branding", branding), ("prompts", json!({"identifier_first": first, "universal_login_experience": "new"}))]
    };
    let written = |plan: &Plan| -> Vec<(String, Value)> {
        let body = |change: &Change| match &change.action {
            Action::Update { body, .. } => body.clone().into_value(),
            other => panic!("an update: {other:?}"),
        };
        plan.changes().map(|change| (change.key.to_string(), body(change))).collect()
    };
    let branding = ("branding".to_owned(), json!({"logo_url": "https://new", "colors": {"primary": "#000000"}}));
    let prompts = ("prompts".to_owned(), json!({"identifier_first": true, "universal_login_experience": "new"}));
    for first in [true, false] {
        let plan = planned(&side("new", true), &side("old", first), &Links::default());
        assert_eq!(written(&plan), [branding.clone(), prompts.clone()], "identifier_first: {first}");
    }
    assert!(planned(&side("old", true), &side("old", true), &Links::default()).is_empty());
}

#[test]
fn a_resource_without_own_id_that_cannot_be_deleted_is_reported() {
    let template = ("email-templates", json!({"template": "welcome_email", "body": "x", "enabled": true}));
    let mut base = crate::state::baseline::Baseline::default();
    let body = Body::from_value(template.1.clone()).expect("an object");
    base.record_applied(&key("email-templates/welcome_email"), &Id::new("welcome_email"), body.into());
    let plan = planned_after(&[], from_ref(&template), &Links::default(), &base, true);
    let reason = "it is gone from dev.eu.auth0.com, but the API cannot delete it";
    assert_eq!((removes(&plan), skipped(&plan)), (Vec::new(), vec![("email-templates/welcome_email".to_owned(), "", reason)]));
    let plan = planned_after(&[], &[template], &Links::default(), &base, false);
    assert_eq!((plan.unmanaged["email-templates"].len(), skipped(&plan)), (1, Vec::new()));
}

#[test]
fn an_object_emptied_in_the_source_is_emptied_when_pruning() {
    let (nothing, held) = (("branding", json!({})), ("branding", json!({"logo_url": "https://logo"})));
    let mut base = crate::state::baseline::Baseline::default();
    base.record_applied(&key("branding"), &Id::new("branding"), Body::from_value(held.1.clone()).expect("an object").into());
    let plan = planned_after(from_ref(&nothing), from_ref(&held), &Links::default(), &base, false);
    assert_eq!((plan.is_empty(), plan.excluded.len()), (true, 1));
    let plan = planned_after(&[nothing], &[held], &Links::default(), &base, true);
    assert_eq!(plan.counts().updates, 1, "{plan:?}");
}

#[test]
fn a_rename_to_a_taken_name_is_skipped_with_those_waiting_for_the_old_name() {
    let role = |id: &str, name: &str| ("roles", json!({"id": id, "name": name}));
    let mut links = Links::default();
    for at in 1..3 {
        links.link(&Id::new(format!("s{at}")), &Id::new(format!("t{at}")), &key("roles"));
    }
    let target = [role("t1", "A"), role("t2", "B"), role("t3", "C")];
    let plan = planned(&[role("s1", "C"), role("s2", "A")], &target, &links);
    let reason = "the target has another role with this name, which must be unique";
    assert_eq!((plan.is_empty(), skipped(&plan)), (true, vec![("roles/C".to_owned(), "", reason), ("roles/A".to_owned(), "", reason)]));
}

#[test]
fn a_placeholder_of_a_kind_that_does_not_exist_is_not_sent_as_text() {
    let client = |id: &str| ("clients", json!({"client_id": id, "name": "Web", "description": "old"}));
    let mut source = tenant("dev.eu.auth0.com", &[client("a")]);
    source.resources[0].body.change(|body| body.set("description", json!("see ⟦gizmos/A⟧")));
    let plan_to = |target: &[(&str, Value)]| {
        plan(Catalog::standard(), &Desired::unmapped(source.clone()), &tenant("prod.eu.auth0.com", target), &Links::default())
    };
    let reason = "its description mentions gizmos/A, and there is no such kind";
    let (created, updated) = (plan_to(&[]), plan_to(&[client("b")]));
    assert_eq!((creates(&created), skipped(&created)), (Vec::new(), vec![("clients/Web".to_owned(), "", reason)]));
    assert_eq!((updated.changes().count(), skipped(&updated)), (0, vec![("clients/Web".to_owned(), "description", reason)]));
}
