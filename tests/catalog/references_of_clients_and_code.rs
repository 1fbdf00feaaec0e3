//! References of clients, grants, code, flows, organizations, roles and connections are resolved to the target's own ids.

use serde_json::{Value, json};

use crate::support::imports::{empty_sync_state, import, read, start};
use auth0_migrate::catalog::{Catalog, Kind};
use auth0_migrate::model::event::Outcome;
use auth0_migrate::plan::Action;
use auth0_migrate::sandbox::State;
use auth0_migrate::snapshot::Desired;

/// What both tenants contain under different ids; `@` stands for the tenant.
const SHARED: &str = r#"{
    "/clients": [{"client_id": "@Client00000000000000001", "name": "Web"}],
    "/resource-servers": [
        {"id": "@Api000000000000000001", "identifier": "https://api.acme.com", "name": "API", "scopes": [{"value": "read"}]},
        {"id": "@Api000000000000000002", "identifier": "https://@.eu.auth0.com/api/v2/", "name": "Auth0 Management API", "is_system": true}
    ],
    "/client-grants": [{"id": "cgr_@0000000001", "client_id": "@Client00000000000000001", "audience": "https://api.acme.com", "scope": ["read"]}],
    "/roles": [{"id": "rol_@0000000001", "name": "Reader"}],
    "/connections": [
        {"id": "con_@0000000001", "name": "users", "strategy": "auth0", "options": {}},
        {"id": "con_@0000000002", "name": "okta", "strategy": "okta", "options": {}}
    ],
    "/organizations": [{"id": "org_@0000000001", "name": "acme"}],
    "/user-attribute-profiles": [{"id": "uap_@0000000001", "name": "Attributes", "user_attributes": {"email": {"label": "Mail"}}}],
    "/connection-profiles": [{"id": "cop_@0000000001", "name": "Customers"}],
    "/self-service-profiles": [{"id": "ssp_@0000000001", "name": "Own sign-on"}],
    "/actions/modules": [{"id": "@-module-000000000001", "name": "shared", "code": "1", "all_changes_published": true,
        "latest_version": {"id": "@-version-00000000001", "version_number": 3, "code": "1"}}],
    "/actions/actions": [{"id": "@-action-000000000001", "name": "enrich", "code": "1", "status": "built", "all_changes_deployed": true,
        "supported_triggers": [{"id": "post-login", "version": "v3"}]}],
    "/flows/vault/connections": [{"id": "ac_@0000000001", "name": "Crm", "app_id": "HTTP"}],
    "/flows": [{"id": "af_@0000000001", "name": "Sync"}],
    "/experimentation/feature-flags": [{"id": "flg_@1111111111", "name": "Button", "parameters": {"color": {}}}],
    "/experimentation/feature-flags/flg_@1111111111/variations": [{"id": "var_@1111111111", "name": "Red"}],
    "/experimentation/segments": [{"id": "seg_@1111111111", "name": "All", "rules": [{"match": {"country": ["de"]}}]}]
}"#;

/// A reference: the path of the list, the additional resource of the source, the pointer to the reference, and its
/// expected value in the target.
struct Row(&'static str, &'static str, &'static str, &'static str);

const CLIENTS: [Row; 15] = [
    Row(
        "/clients",
        r#"{"default_organization": {"organization_id": "org_@0000000001", "flows": ["client_credentials"]}}"#,
        "/default_organization/organization_id",
        "org_@0000000001",
    ),
    Row("/clients", EXPRESS, "/express_configuration/user_attribute_profile_id", "uap_@0000000001"),
    Row("/clients", EXPRESS, "/express_configuration/connection_profile_id", "cop_@0000000001"),
    Row("/clients", EXPRESS, "/express_configuration/okta_oin_client_id", "@Client00000000000000001"),
    Row("/clients", EXPRESS, "/express_configuration/linked_clients/0/client_id", "@Client00000000000000001"),
    Row("/clients", MY_ORGANIZATION, "/my_organization_configuration/user_attribute_profile_id", "uap_@0000000001"),
    Row("/clients", MY_ORGANIZATION, "/my_organization_configuration/connection_profile_id", "cop_@0000000001"),
    Row("/clients", MY_ORGANIZATION, "/my_organization_configuration/invitation_landing_client_id", "@Client00000000000000001"),
    Row(
        "/clients",
        r#"{"b2b_integration_configuration": {"sso_profiles": ["ssp_@0000000001"], "integration_type": "third_party"}}"#,
        "/b2b_integration_configuration/sso_profiles/0",
        "ssp_@0000000001",
    ),
    Row("/clients", r#"{"allowed_clients": ["@Client00000000000000001"]}"#, "/allowed_clients/0", "@Client00000000000000001"),
    Row(
        "/clients",
        r#"{"refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring", "policies": [{"audience": "https://api.acme.com", "scope": ["read"]}]}}"#,
        "/refresh_token/policies/0/audience",
        "https://api.acme.com",
    ),
    Row("/clients", r#"{"resource_server_identifier": "https://api.acme.com"}"#, "/resource_server_identifier", "https://api.acme.com"),
    Row("/clients", r#"{"addons": {"office365": {"domain": "acme.com", "connection": "users"}}}"#, "/addons/office365/connection", "users"),
    Row(
        "/client-grants",
        r#"{"client_id": "@Client00000000000000001", "audience": "https://@.eu.auth0.com/api/v2/", "scope": []}"#,
        "/client_id",
        "@Client00000000000000001",
    ),
    Row(
        "/client-grants",
        r#"{"client_id": "@Client00000000000000001", "audience": "https://@.eu.auth0.com/api/v2/", "scope": []}"#,
        "/audience",
        "https://@.eu.auth0.com/api/v2/",
    ),
];

const CODE: [Row; 11] = [
    Row(
        "/actions/actions",
        r#"{"code": "1", "supported_triggers": [{"id": "post-login"}], "modules": [{"module_id": "@-module-000000000001", "module_version_id": "@-version-00000000001"}]}"#,
        "/modules/0/module_id",
        "@-module-000000000001",
    ),
    Row(
        "/actions/actions",
        r#"{"code": "1", "supported_triggers": [{"id": "post-login"}], "modules": [{"module_id": "@-module-000000000001", "module_version_id": "@-version-00000000001"}]}"#,
        "/modules/0/module_version_id",
        "@-version-00000000001",
    ),
    // A reference to an older version of a module becomes one to the newest.
    Row(
        "/actions/actions",
        r#"{"code": "1", "supported_triggers": [{"id": "post-login"}], "modules": [{"module_id": "@-module-000000000001", "module_version_id": "0ld-version-0000000001"}]}"#,
        "/modules/0/module_version_id",
        "@-version-00000000001",
    ),
    Row(
        "/actions/actions",
        r#"{"code": "if (event.client.client_id === '@Client00000000000000001') {}", "supported_triggers": [{"id": "post-login"}]}"#,
        "/code",
        "if (event.client.client_id === '@Client00000000000000001') {}",
    ),
    Row(
        "/actions/actions",
        r#"{"code": "const home = 'org_@0000000001';", "supported_triggers": [{"id": "post-login"}], "all_changes_deployed": true}"#,
        "/code",
        "const home = 'org_@0000000001';",
    ),
    Row(
        "/token-exchange-profiles",
        r#"{"subject_token_type": "https://acme.com/token", "type": "custom_authentication", "action_id": "@-action-000000000001"}"#,
        "/action_id",
        "@-action-000000000001",
    ),
    Row(
        "/event-streams",
        r#"{"subscriptions": [{"event_type": "user.created"}], "destination": {"type": "action", "configuration": {"action_id": "@-action-000000000001"}}}"#,
        "/destination/configuration/action_id",
        "@-action-000000000001",
    ),
    Row(
        "/actions/triggers/post-login/bindings",
        r#"{"id": "b1", "display_name": "one", "action": {"id": "@-action-000000000001", "name": "enrich"}}"#,
        "/action/id",
        "@-action-000000000001",
    ),
    Row(
        "/flows",
        r#"{"actions": [{"id": "a", "type": "FLOW", "action": "BOOLEAN_CONDITION", "params": {"if": {}, "then": [
            {"id": "b", "type": "HTTP", "action": "SEND_REQUEST", "params": {"url": "https://acme.com", "connection_id": "ac_@0000000001"}}]}}]}"#,
        "/actions/0/params/then/0/params/connection_id",
        "ac_@0000000001",
    ),
    Row(
        "/forms",
        r#"{"nodes": [{"id": "n", "type": "FLOW", "config": {"flow_id": "af_@0000000001"}}]}"#,
        "/nodes/0/config/flow_id",
        "af_@0000000001",
    ),
    Row("/forms", r#"{"ending": {"after_submit": {"flow_id": "af_@0000000001"}}}"#, "/ending/after_submit/flow_id", "af_@0000000001"),
];

const ORGANIZATIONS: [Row; 14] = [
    Row("/organizations/org_@0000000001/connections", r#"{"connection_id": "con_@0000000001"}"#, "/connection_id", "con_@0000000001"),
    Row("/organizations/org_@0000000001/client-grants", r#"{"id": "cgr_@0000000001"}"#, "/id", "cgr_@0000000001"),
    Row(
        "/organizations/org_@0000000001/discovery-domains",
        r#"{"id": "ord_1", "domain": "acme.com", "status": "verified"}"#,
        "/domain",
        "acme.com",
    ),
    Row(
        "/organizations/org_@0000000001/clients",
        r#"{"client_id": "@Client00000000000000001", "use_for_member_access": true}"#,
        "/client_id",
        "@Client00000000000000001",
    ),
    Row(
        "/roles/rol_@0000000001/permissions",
        r#"{"resource_server_identifier": "https://api.acme.com", "permission_name": "read"}"#,
        "/resource_server_identifier",
        "https://api.acme.com",
    ),
    Row("/connections/con_@0000000001/clients", r#"{"client_id": "@Client00000000000000001"}"#, "/client_id", "@Client00000000000000001"),
    Row(
        "/connections",
        r#"{"strategy": "auth0", "options": {"custom_password_hash": {"action_id": "@-action-000000000001"}}}"#,
        "/options/custom_password_hash/action_id",
        "@-action-000000000001",
    ),
    Row(
        "/connections",
        r#"{"strategy": "samlp", "options": {"idpinitiated": {"client_id": "@Client00000000000000001"}}}"#,
        "/options/idpinitiated/client_id",
        "@Client00000000000000001",
    ),
    Row("/self-service-profiles", r#"{"user_attribute_profile_id": "uap_@0000000001"}"#, "/user_attribute_profile_id", "uap_@0000000001"),
    Row("/organization-templates", TEMPLATE, "/connection_profile_id", "cop_@0000000001"),
    Row("/organization-templates", TEMPLATE, "/user_attribute_profile_id", "uap_@0000000001"),
    Row("/organization-templates", TEMPLATE, "/invitation_landing_client_id", "@Client00000000000000001"),
    Row("/organization-templates", TEMPLATE, "/admin_roles_assignment/0", "rol_@0000000001"),
    Row("/organization-templates", TEMPLATE, "/role_visibility_policy/overrides/0/role_id", "rol_@0000000001"),
];

const TEMPLATE: &str = r#"{"organization_deletion_behavior": "allow", "enforce_permission_ceiling": true,
    "enforce_self_assignment_restriction": true, "connection_profile_id": "cop_@0000000001", "user_attribute_profile_id": "uap_@0000000001",
    "invitation_landing_client_id": "@Client00000000000000001", "admin_roles_assignment": ["rol_@0000000001"],
    "role_visibility_policy": {"default_value": "write", "overrides": [{"role_id": "rol_@0000000001", "access": "hidden"}]}}"#;

const EXPERIMENTS: [Row; 9] = [
    Row(
        "/experimentation/segments",
        r#"{"rules": [{"match": {"client_id": ["@Client00000000000000001"]}}]}"#,
        "/rules/0/match/client_id/0",
        "@Client00000000000000001",
    ),
    Row(
        "/experimentation/segments",
        r#"{"rules": [{"not_match": {"client_id": ["@Client00000000000000001"]}}]}"#,
        "/rules/0/not_match/client_id/0",
        "@Client00000000000000001",
    ),
    Row("/experimentation/segments", r#"{"rules": [{"match": {"connection": ["users"]}}]}"#, "/rules/0/match/connection/0", "users"),
    Row(
        "/experimentation/segments",
        r#"{"rules": [{"not_match": {"connection": ["users"]}}]}"#,
        "/rules/0/not_match/connection/0",
        "users",
    ),
    Row(
        "/experimentation/segments",
        r#"{"rules": [{"match": {"organization_id": ["org_@0000000001"]}}]}"#,
        "/rules/0/match/organization_id/0",
        "org_@0000000001",
    ),
    Row(
        "/experimentation/segments",
        r#"{"rules": [{"not_match": {"organization_id": ["org_@0000000001"]}}]}"#,
        "/rules/0/not_match/organization_id/0",
        "org_@0000000001",
    ),
    Row("/experimentation/experiments", EXPERIMENT, "/feature_flag_id", "flg_@1111111111"),
    Row("/experimentation/experiments", EXPERIMENT, "/allocations/0/variation_id", "var_@1111111111"),
    Row("/experimentation/experiments", EXPERIMENT, "/allocations/0/segment_id", "seg_@1111111111"),
];

const EXPERIMENT: &str = r#"{"feature_flag_id": "flg_@1111111111", "authentication_flow": "login", "allocation_strategy": "segment",
    "assignment_config": {"subject": "device"},
    "allocations": [{"variation_id": "var_@1111111111", "segment_id": "seg_@1111111111", "priority": 1, "is_control": true}]}"#;

const EXPRESS: &str = r#"{"express_configuration": {
    "initiate_login_uri_template": "https://acme.com/{organization_name}", "admin_login_domain": "acme.com",
    "enable_client": true, "enable_organization": false,
    "user_attribute_profile_id": "uap_@0000000001", "connection_profile_id": "cop_@0000000001",
    "okta_oin_client_id": "@Client00000000000000001", "linked_clients": [{"client_id": "@Client00000000000000001"}]}}"#;

const MY_ORGANIZATION: &str = r#"{"my_organization_configuration": {
    "allowed_strategies": ["okta"], "connection_deletion_behavior": "allow",
    "user_attribute_profile_id": "uap_@0000000001", "connection_profile_id": "cop_@0000000001",
    "invitation_landing_client_id": "@Client00000000000000001"}}"#;

fn of(tenant: &str, text: &str) -> String {
    text.replace('@', tenant)
}

fn state(tenant: &str, more: Option<(&str, Value)>) -> State {
    let mut data: Value = serde_json::from_str(&of(tenant, SHARED)).expect("JSON");
    if let Some((path, object)) = more {
        let list = data.as_object_mut().expect("an object").entry(path).or_insert_with(|| json!([]));
        list.as_array_mut().expect("a list").push(object);
    }
    State::from_json(json!({"tenant": tenant, "domain": format!("{tenant}.eu.auth0.com"), "data": data})).expect("a state")
}

/// Copies the resource of a row into a tenant that lacks it; returns what went wrong.
async fn failure(&Row(path, object, pointer, expected): &Row) -> Option<String> {
    let mut object: Value = serde_json::from_str(&of("alpha", object)).expect("JSON");
    for (field, value) in [("name", "New"), ("id", "alpha_of_the_new"), ("client_id", "alpha_client_of_the_new")] {
        let is_fixed = path.contains("bindings") || path.matches('/').count() > 2;
        if !is_fixed && object.get(field).is_none() {
            object[field] = value.into();
        }
    }
    let (_from, from) = start(state("alpha", Some((&of("alpha", path), object)))).await;
    let (into, tenant) = start(state("omega", None)).await;
    let desired = Desired::unmapped(read(&from).await);
    let mut memory = empty_sync_state();
    let summary = import(&desired, &tenant, &mut memory).await.summary;
    let told = |what: String| Some(format!("{path}{pointer}: {what}"));
    if let Some(one) = summary.settled.iter().find(|one| !matches!(one.outcome, Outcome::Applied(_))) {
        return told(format!("{:?}", one.outcome));
    }
    let data = into.state().to_json();
    let listed = |data: &Value| {
        let list = &data["data"][of("omega", path)];
        list.as_array().or_else(|| list["bindings"].as_array()).cloned().unwrap_or_default()
    };
    let (before, list) = (listed(&state("omega", None).to_json()), listed(&data));
    let held: Vec<&Value> = list.iter().filter(|object| !before.contains(object)).filter_map(|object| object.pointer(pointer)).collect();
    if !held.contains(&&json!(of("omega", expected))) {
        return told(format!("{held:?}"));
    }
    let again = import(&desired, &tenant, &mut memory).await.plan;
    let field: Vec<&str> = pointer.split('/').skip(1).take_while(|name| name.parse::<usize>().is_err()).collect();
    let field = field.join(".");
    let is_rewritten = |action: &Action| match action {
        Action::Update { edits, .. } => edits.iter().any(|edit| edit.path.starts_with(&field)),
        Action::Create { .. } | Action::Elements { .. } => true,
        Action::Delete { .. } => false,
    };
    if let Some(change) = again.changes().find(|change| is_rewritten(&change.action)) {
        return told(format!("a second import would write {change:?}"));
    }
    let text = data.to_string();
    let at = text.find("alpha")?;
    told(format!("something of the source is there: ..{}..", &text[at.saturating_sub(60)..(at + 40).min(text.len())]))
}

async fn check(rows: &[Row]) {
    let mut failures = Vec::new();
    for row in rows {
        failures.extend(failure(row).await);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn references_of_clients_and_grants_resolve_to_the_targets_ids() {
    check(&CLIENTS).await;
}

#[tokio::test]
async fn references_of_code_flows_and_forms_resolve_to_the_targets_ids() {
    check(&CODE).await;
}

#[tokio::test]
async fn references_of_organizations_roles_and_connections_resolve_to_the_targets_ids() {
    check(&ORGANIZATIONS).await;
}

#[tokio::test]
async fn references_of_experiments_resolve_to_the_targets_ids() {
    check(&EXPERIMENTS).await;
}

/// Fields that the API returns under a different name than it accepts.
const ANSWERED: [(&str, &str); 2] = [("bindings[].ref.value", "/action/id"), ("grant_id", "/id")];

/// Returns whether a row covers a reference: its list is the kind's, and its pointer ends like the path.
fn is_about(row: &Row, kind: &Kind, path: &str) -> bool {
    let (places, at): (Vec<&str>, Vec<&str>) = (kind.paths.list.split('/').collect(), row.0.split('/').collect());
    // The bindings of a trigger are below the list of triggers.
    let is_at = at.len() >= places.len() && places.iter().zip(&at).all(|(place, at)| place == at || place.starts_with('{'));
    let answered = ANSWERED.iter().find(|(known, _)| *known == path).map(|(_, pointer)| *pointer);
    let path = path.replace("[]", "").replace("**.", "");
    let names: Vec<&str> = path.split('.').collect();
    let pointed: Vec<&str> = row.2.split('/').filter(|name| !name.is_empty() && name.parse::<usize>().is_err()).collect();
    // Lists below a parent are compared element by element.
    let is_element = kind.parent().is_some() && pointed == names[1..];
    let is_inside = pointed.first() == names.first() && pointed.last() == names.last();
    is_at && (answered == Some(row.2) || is_element || is_inside)
}

#[test]
fn every_reference_of_these_kinds_has_a_row() {
    // These are in `references_of_pages_and_connections`.
    let others = ["prompt-", "rate-", "network-", "tenant-", "custom-", "branding", "email-", "phone-", "guardian-", "attack-"];
    let rows: Vec<&Row> = CLIENTS.iter().chain(&CODE).chain(&ORGANIZATIONS).chain(&EXPERIMENTS).collect();
    let is_other = |kind: &&Kind| kind.name == "connections" || others.iter().any(|start| kind.name.starts_with(start));
    for kind in Catalog::standard().kinds().filter(|kind| !is_other(kind)) {
        // Parameters of the path are the target's, or the request would find nothing.
        let in_path: Vec<&str> = kind.path_fields().collect();
        for reference in kind.references.iter().filter(|reference| !in_path.contains(&reference.path)) {
            assert!(rows.iter().any(|row| is_about(row, kind, reference.path)), "{} {}", kind.name, reference.path);
        }
    }
}
