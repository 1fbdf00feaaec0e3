//! The catalog covers every operation of Auth0's OpenAPI description and newest SDK, or lists it as left out with a reason.

use std::collections::BTreeSet;

use auth0_migrate::catalog::{Catalog, ElementChanges, Kind, Shape, Write, WriteEffect};
use flate2::read::GzDecoder;
use serde_json::Value;

use crate::catalog::sdk_types;
use crate::support::auth0_reference;

/// Operations that no kind uses: the beginning of their paths, and the reason.
const LEFT_OUT: &[(&str, &str)] = &[
    ("/users", "users are no settings"),
    ("/users-by-email", "users are no settings"),
    ("/user-blocks", "users are no settings"),
    ("/device-credentials", "they belong to users"),
    ("/grants", "consents of users"),
    ("/groups", "members of groups are users"),
    ("/refresh-tokens", "they belong to users"),
    ("/sessions", "they belong to users"),
    ("/tickets", "a ticket is used once"),
    ("/jobs", "a job is done once"),
    ("/logs", "what happened is no setting"),
    ("/stats", "what happened is no setting"),
    ("/events", "what happened is no setting"),
    ("/anomaly", "blocked addresses come and go"),
    ("/guardian/enrollments", "they belong to users"),
    ("/guardian/factors/sms/", "old names of the settings under /guardian/factors/phone"),
    ("/guardian/factors/push-notification/providers/fcm", "it cannot be read: a step by hand"),
    ("/keys/signing", "private keys never leave a tenant"),
    ("/keys/encryption", "private keys never leave a tenant"),
    ("/organizations/{}/members", "members are users"),
    ("/organizations/{}/invitations", "invitations are for users"),
    ("/organizations/{}/groups", "members of groups are users"),
    ("/organizations/{}/enabled_connections", "an older view of /organizations/{}/connections"),
    ("/organizations/name/{}", "another way to one that is listed"),
    ("/organizations/{}/discovery-domains/name/{}", "another way to one that is listed"),
    ("/roles/{}/users", "members are users"),
    ("/roles/{}/groups", "members of groups are users"),
    ("/connections/{}/users", "users are no settings"),
    ("/connections/{}/keys", "private keys never leave a tenant"),
    ("/connections/{}/status", "what is going on is no setting"),
    ("/connections/{}/scim-configuration/tokens", "a token is shown once: a step by hand"),
    ("/connections/{}/scim-configuration/default-mapping", "what a new one would have"),
    ("/connections/{}/directory-provisioning/default-mapping", "what a new one would have"),
    ("/connections/{}/directory-provisioning/synchronizations", "a synchronization is done once"),
    ("/connections-scim-configurations", "another view of what is read under each connection"),
    ("/connections-directory-provisionings", "another view of what is read under each connection"),
    ("/clients/{}/connections", "another view of /connections/{}/clients"),
    ("/clients/{}/rotate-secret", "a secret is rotated by a person"),
    ("/clients/{}/credentials", "keys cannot be read back: a step by hand"),
    ("/clients/cimd", "such a client registers itself"),
    ("/client-grants/{}/organizations", "another view of /organizations/{}/client-grants"),
    ("/actions/actions/{}/versions", "what was deployed before is no setting"),
    ("/actions/actions/{}/test", "a test is done once"),
    ("/actions/executions", "what happened is no setting"),
    ("/actions/modules/{}/versions/{}", "what was published before is no setting"),
    ("/actions/modules/{}/rollback", "a rollback is a person's decision"),
    ("/actions/modules/{}/actions", "another view of the modules of each action"),
    ("/branding/phone/providers/{}/try", "a test is done once"),
    ("/branding/phone/templates/{}/try", "a test is done once"),
    ("/branding/phone/templates/{}/reset", "a person's decision"),
    ("/custom-domains/{}/verify", "a step by hand: DNS has to change first"),
    ("/custom-domains/{}/test", "a test is done once"),
    ("/event-streams/{}/deliveries", "what happened is no setting"),
    ("/event-streams/{}/redeliver", "a delivery is done once"),
    ("/event-streams/{}/test", "a test is done once"),
    ("/experimentation/experiments/{}/status", "a person starts an experiment"),
    ("/experimentation/experiments/{}/validate", "a test is done once"),
    ("/experimentation/feature-flags/{}/status", "a person switches a flag"),
    ("/flows/{}/executions", "what happened is no setting"),
    ("/hooks/{}/secrets", "their values cannot be read, and hooks ended on 2026-11-18"),
    ("/self-service-profiles/{}/sso-ticket", "a ticket is used once"),
    ("/connection-profiles/templates", "Auth0's own, the same everywhere"),
    ("/user-attribute-profiles/templates", "Auth0's own, the same everywhere"),
    ("/organizations/search", "another view of /organizations"),
    ("/resource-servers/search", "another view of /resource-servers"),
    ("/organizations/{}/roles", "members are users"),
    ("/organizations/{}/organization-templates", "which template it follows is a step by hand"),
    ("/organization-templates/{}/organizations", "another view of the template that each organization follows"),
    ("/experimentation/experiments/{}/advance-ramp", "a person advances an experiment"),
    // One path with several methods; the others are used.
    ("GET /organizations/{}/clients/{}", "another way to one that is listed"),
    ("POST /connections/{}/directory-provisioning/synchronized-groups", "the list is replaced whole"),
    ("PATCH /prompts/rendering", "each screen is written by itself, so that each has its own outcome"),
    ("GET /actions/modules/{}/versions", "the newest one is read with its module"),
    ("PUT /email-templates/{}", "a change is a PATCH"),
    ("PUT /network-acls/{}", "a change is a PATCH"),
    ("PUT /guardian/factors/duo/settings", "a change is a PATCH"),
    ("PUT /guardian/factors/push-notification/providers/", "a change is a PATCH"),
];

/// Returns a path or an operation with `{}` for every parameter.
pub(crate) fn plain(path: &str) -> String {
    path.split('/').map(|name| if name.starts_with('{') { "{}" } else { name }).collect::<Vec<_>>().join("/")
}

/// Returns the operations that read and write a kind.
pub(crate) fn operations(kind: &Kind) -> Vec<String> {
    let (list, item) = (plain(kind.paths.list), plain(&kind.item()));
    let mut used = vec![("GET", list.clone())];
    let change = if kind.paths.write == Write::Put { "PUT" } else { "PATCH" };
    match kind.shape {
        Shape::Child { element_changes: ElementChanges::AddRemove { .. }, .. } => {
            used.extend([("POST", list.clone()), ("DELETE", list.clone())]);
        }
        Shape::Child { element_changes: ElementChanges::Switch { .. }, .. } => used.push(("PATCH", list.clone())),
        Shape::Child { element_changes: ElementChanges::AddUpdateRemove { .. }, .. } => {
            used.extend([("POST", list.clone()), ("DELETE", list.clone()), ("PATCH", format!("{list}/{{}}"))]);
        }
        _ => used.extend([("GET", item.clone()), (change, item.clone()), ("DELETE", item.clone())]),
    }
    used.extend(kind.creation().map(|path| ("POST", plain(path))));
    used.extend(kind.lifecycle.follow_up.map(|follow_up| ("POST", plain(follow_up.path))));
    used.into_iter().map(|(method, path)| format!("{method} {path}")).collect()
}

fn described() -> Option<Vec<String>> {
    let file = auth0_reference::open("management-api-oas.json.gz")?;
    let description: Value = serde_json::from_reader(GzDecoder::new(file)).expect("JSON");
    let paths = description["paths"].as_object().expect("paths");
    let methods = ["get", "post", "put", "patch", "delete"];
    let of_path = |(path, operations): (&String, &Value)| -> Vec<String> {
        let has = methods.iter().filter(|method| operations.get(method).is_some());
        has.map(|method| format!("{} {}", method.to_uppercase(), plain(path))).collect()
    };
    Some(paths.iter().flat_map(of_path).collect())
}

/// Returns whether an operation such as `GET /users/{id}` is left out for a reason.
pub(crate) fn is_left_out(operation: &str) -> bool {
    let (method, path) = operation.split_once(' ').unwrap_or(("", operation));
    let operation = format!("{method} {}", plain(path));
    LEFT_OUT.iter().any(|(start, _)| is_meant(&operation, start))
}

/// Returns whether an entry that begins like this covers an operation.
fn is_meant(operation: &str, start: &str) -> bool {
    let path = operation.split_once(' ').map_or(operation, |(_, path)| path);
    operation.starts_with(start)
        || path == start
        || path.strip_prefix(start).is_some_and(|rest| start.ends_with('/') || rest.starts_with(['/', 'v']))
}

#[test]
#[expect(clippy::print_stdout, reason = "the figure is wanted")]
fn every_api_operation_is_used_by_a_kind_or_left_out_for_a_reason() {
    let described = described();
    let is_described = described.is_some();
    let mut all: BTreeSet<String> = described.into_iter().flatten().collect();
    all.extend(sdk_types::requests().into_iter().map(|(operation, _)| operation));
    let used: BTreeSet<String> = Catalog::standard().kinds().flat_map(operations).collect();
    // A kind may have a fixed value for a parameter of the description: the only page of a self-service profile.
    let is_form_of = |form: &str, one: &str| {
        let (form, one): (Vec<&str>, Vec<&str>) = (form.split('/').collect(), one.split('/').collect());
        form.len() == one.len() && form.iter().zip(&one).all(|(form, one)| form == one || *form == "{}")
    };
    let is_used =
        |operation: &&String| used.contains(*operation) || used.iter().any(|one| one.contains("/en/") && is_form_of(operation, one));
    let (covered, others): (Vec<&String>, Vec<&String>) = all.iter().partition(is_used);
    let (skipped, missed): (Vec<&String>, Vec<&String>) = others.iter().partition(|operation| is_left_out(operation));
    println!("{} operations: {} used, {} left out for a reason", all.len(), covered.len(), skipped.len());
    assert!(
        missed.is_empty(),
        "neither used nor left out for a reason:\n{}",
        missed.iter().map(|one| one.as_str()).collect::<Vec<_>>().join("\n")
    );
    let idle = LEFT_OUT.iter().filter(|(start, _)| !skipped.iter().any(|operation| is_meant(operation, start)));
    let idle: Vec<&str> = idle.map(|(start, _)| *start).collect();
    assert!(idle.is_empty() || !is_described, "reasons for nothing: {idle:?}");
}

#[test]
fn what_every_write_of_the_api_may_change_is_known() {
    let Some(described) = described() else { return };
    let writes = described.iter().filter_map(|operation| operation.split_once(' ')).filter(|(method, _)| *method != "GET");
    let effect = |(method, path): &(&str, &str)| Catalog::standard().effect_of(method, &path.replace("{}", "an-id"));
    let unknown: Vec<_> = writes.filter(|write| effect(write) == WriteEffect::Unknown).collect();
    assert!(unknown.is_empty(), "a write to one of these leads to a complete reading: {unknown:?}");
}

#[test]
fn the_page_of_kinds_equals_the_program_output() {
    let printed =
        std::process::Command::new(env!("CARGO_BIN_EXE_migrate")).args(["kinds", "--output", "markdown"]).output().expect("it ran");
    let printed = String::from_utf8(printed.stdout).expect("text");
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalog/README.md");
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(&page, &printed).expect("written");
    }
    assert_eq!(std::fs::read_to_string(&page).unwrap_or_default(), printed, "UPDATE_PAGES=1 cargo test writes it anew");
}
