//! Refusals of the live API that users reported and its description omits, one rule each, with its source.
//!
//! Sources are issues and pull requests of `auth0/auth0-deploy-cli` (deploy-cli) and `auth0/terraform-provider-auth0`
//! (terraform).

use serde_json::Value;

use crate::catalog::Kind;
use crate::json::{Body, is_blank};
use crate::sandbox::http::request::ApiRequest;
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::http::route::Target;
use crate::sandbox::store::state::State;

/// A request and the resource that it addresses.
struct RequestContext<'request> {
    state: &'request State,
    request: &'request ApiRequest,
    kind: &'static Kind,
    /// The resource before the write, if it exists.
    held: Option<&'request Body>,
    sent: Body,
}

impl RequestContext<'_> {
    fn is(&self, method: &str) -> bool {
        self.request.method.as_str() == method
    }

    /// Returns a field as it is sent, otherwise as it is stored.
    fn text(&self, path: &str) -> Option<&str> {
        self.sent.text(path).or_else(|| self.held?.text(path))
    }
}

/// Returns the refusal of a write, if the rule applies.
type RefusalRule = fn(&RequestContext<'_>) -> Option<ApiResponse>;

/// The rules of writes, by kind.
const RULES: &[(&str, RefusalRule)] = &[
    ("connections", realms_of_databases),
    ("connections", email_is_unique_for_good),
    ("connections", azure_needs_credentials),
    ("log-streams", suspended_is_no_choice),
    ("log-streams", a_sink_is_chosen_at_birth),
    ("log-streams", a_sink_keeps_its_type),
    ("tenant-settings", flags_of_some_tenants),
    ("prompt-custom-text", texts_that_ended),
    ("resource-servers", the_management_api_is_fixed),
    ("action-trigger-bindings", bindings_of_entities),
    ("actions", runtimes_that_ended),
    ("email-provider", a_custom_email_provider_is_an_action),
    ("phone-providers", a_custom_phone_provider_is_an_action),
];

impl State {
    /// Refuses what the live API is reported to refuse.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub(crate) fn check_live_refusals(&self, request: &ApiRequest) -> Result<(), ApiResponse> {
        let Some((kind, target)) = self.kind_at(&request.path) else { return Ok(()) };
        if request.method == "GET" && kind.name != "action-trigger-bindings" {
            return Ok(());
        }
        let held = match &target {
            Target::Resource(id) => self.tables.get(kind.name).and_then(|table| table.get(id).or_else(|| table.get(table.id_by_name(id)?))),
            Target::Root => self.tables.get(kind.name).and_then(|table| table.get("")),
            _ => None,
        };
        let sent = Body::from_value(request.body.clone()).unwrap_or_default();
        let situation = RequestContext { state: self, request, kind, held, sent };
        let rules = RULES.iter().filter(|(of, _)| *of == kind.name).map(|(_, rule)| rule);
        rules.chain([&(an_update_changes_something as RefusalRule)]).find_map(|rule| rule(&situation)).map_or(Ok(()), Err)
    }

    /// Refuses the first update of a new client, and the first client grant, or change of a connection's clients, that names one,
    /// if the tenant is eventually consistent (terraform#416, terraform#1370).
    ///
    /// # Errors
    ///
    /// The response that the client does not exist.
    pub(crate) fn check_visibility(&mut self, request: &ApiRequest) -> Result<(), ApiResponse> {
        let Some((kind, target)) = self.kind_at(&request.path) else { return Ok(()) };
        let Some(not_yet_visible) = self.not_yet_visible.as_mut().filter(|_| request.is_write()) else { return Ok(()) };
        let named = request.body.as_array().map_or(std::slice::from_ref(&request.body), Vec::as_slice);
        let named: Vec<&str> = match (kind.name, &target) {
            ("clients", Target::Resource(id)) => vec![id],
            ("client-grants" | "connection-clients", _) => named.iter().filter_map(|one| one["client_id"].as_str()).collect(),
            _ => Vec::new(),
        };
        let late = named.into_iter().filter(|id| not_yet_visible.remove(*id)).count();
        if late > 0 { Err(ApiResponse::refusal(404, "The client does not exist", Some("inexistent_client"))) } else { Ok(()) }
    }

    /// Hides a new client from the next write, if the tenant is eventually consistent.
    pub(crate) fn hide_new_client(&mut self, request: &ApiRequest, answer: &ApiResponse) {
        if let (Some(not_yet_visible), "POST", "/clients") = (&mut self.not_yet_visible, request.method.as_str(), request.path.as_str()) {
            not_yet_visible.extend(answer.body["client_id"].as_str().map(str::to_owned));
        }
    }

    /// Applies side effects of a write on other resources.
    ///
    /// A branding without colours disables `identifier_first` (deploy-cli#842, deploy-cli#1402, terraform#1509).
    pub(crate) fn apply_live_side_effects(&mut self, request: &ApiRequest) {
        let is_branding = self.kind_at(&request.path).is_some_and(|(kind, _)| kind.name == "branding");
        if !is_branding || request.method != "PATCH" || !is_blank(&request.body["colors"]) {
            return;
        }
        let Some(prompts) = self.catalog.kind("prompts") else { return };
        let mut body = self.tables.get(prompts.name).and_then(|table| table.get("")).cloned().unwrap_or_default();
        body.set("identifier_first", false.into());
        self.put(prompts, "", body);
    }
}

/// `minProperties` of 20 kinds, assumed for all others; the description allows an empty update of a self-service profile.
fn an_update_changes_something(context: &RequestContext<'_>) -> Option<ApiResponse> {
    let is_empty = context.is("PATCH") && context.request.body.as_object().is_some_and(serde_json::Map::is_empty);
    (is_empty && context.kind.name != "self-service-profiles")
        .then(|| ApiResponse::invalid_body("'Too few properties defined (0), minimum 1'"))
}

/// terraform#827; where the description distinguishes strategies, only databases have realms.
fn realms_of_databases(context: &RequestContext<'_>) -> Option<ApiResponse> {
    let has_realms = context.sent.get("realms").is_some_and(|realms| !realms.is_null());
    (has_realms && context.text("strategy") != Some("auth0")).then(|| refusal("Realms is only supported for database connections."))
}

/// terraform#1629, terraform#1646; a missing `unique` counts as true (terraform 1.54.1).
fn email_is_unique_for_good(context: &RequestContext<'_>) -> Option<ApiResponse> {
    let sent = context.sent.get("options.attributes.email").filter(|email| !email.is_null())?;
    let held = context.held.filter(|_| context.is("PATCH"))?.get("options.attributes.email");
    let is_unique = |email: &Value| email["unique"] != false;
    match held {
        None => (!is_unique(sent)).then(|| refusal("cannot add non-unique email attribute")),
        Some(held) => (is_unique(held) != is_unique(sent)).then(|| refusal("cannot patch unique property on email attribute")),
    }
}

/// deploy-cli#420, of creates and updates alike.
fn azure_needs_credentials(context: &RequestContext<'_>) -> Option<ApiResponse> {
    let writes_options = context.is("POST") || context.sent.get("options").is_some();
    let lacks = |path: &str| context.sent.get(path).is_none_or(is_blank);
    let is_lacking = lacks("options.client_id") || lacks("options.client_secret");
    (context.text("strategy") == Some("waad") && writes_options && is_lacking).then(|| {
        refusal("Before creating Windows Azure Active Directory connections you must configure the client_id and client_secret settings in the dashboard.")
    })
}

/// Only the tenant sets this status (deploy-cli PR 495, deploy-cli PR 725); the message is the sandbox's.
fn suspended_is_no_choice(context: &RequestContext<'_>) -> Option<ApiResponse> {
    (context.sent.text("status") == Some("suspended"))
        .then(|| ApiResponse::invalid_body("'No enum match for: \"suspended\"' on property status"))
}

/// The sinks of AWS and Azure (deploy-cli PR 495); the message is the sandbox's.
fn a_sink_is_chosen_at_birth(context: &RequestContext<'_>) -> Option<ApiResponse> {
    let is_fixed = context.is("PATCH") && matches!(context.held?.text("type"), Some("eventbridge" | "eventgrid"));
    (is_fixed && context.sent.get("sink").is_some()).then(|| ApiResponse::invalid_body("'Additional properties not allowed: sink'"))
}

/// The prefix of each sink's fields; fields of another sink are refused (the description has one schema per type, also for
/// updates).
const SINKS: [(&str, &str); 8] = [
    ("datadog", "datadog"),
    ("eventbridge", "aws"),
    ("eventgrid", "azure"),
    ("http", "http"),
    ("mixpanel", "mixpanel"),
    ("segment", "segment"),
    ("splunk", "splunk"),
    ("sumo", "sumo"),
];

fn a_sink_keeps_its_type(context: &RequestContext<'_>) -> Option<ApiResponse> {
    let (_, beginning) = SINKS.iter().find(|(of, _)| context.held.and_then(|held| held.text("type")) == Some(of))?;
    let sink = context.sent.get("sink").filter(|_| context.is("PATCH"))?.as_object()?;
    let others: Vec<&str> = sink.keys().map(String::as_str).filter(|name| !name.starts_with(beginning)).collect();
    let reason = format!("'Additional properties not allowed: {}' on property sink", others.join(","));
    (!others.is_empty()).then(|| ApiResponse::invalid_body(&reason))
}

/// A migration flag: a tenant that does not return it may not set it (deploy-cli#267, deploy-cli#270). Similar flags are no longer
/// in the description.
const FLAG_OF_A_MIGRATION: &str = "trust_azure_adfs_email_verified_connection_property";

fn flags_of_some_tenants(context: &RequestContext<'_>) -> Option<ApiResponse> {
    let has = |flag: &str| context.held.and_then(|held| held.get(&format!("flags.{flag}")));
    let sent = context.sent.get("flags")?.as_object()?;
    sent.iter().find_map(|(flag, value)| match flag.as_str() {
        FLAG_OF_A_MIGRATION if has(flag).is_none() => Some(refusal(&format!("You are not allowed to set flag '{flag}' for this tenant."))),
        // deploy-cli PR 590.
        "enforce_client_authentication_on_passwordless_start" if has(flag).is_none() => Some(flag_is_fixed(flag)),
        // deploy-cli#57; the flag that permits it is in the description.
        "enable_sso" => {
            let is_free = has("allow_changing_enable_sso") == Some(&Value::Bool(true));
            (!is_free && value != has(flag).unwrap_or(&Value::Bool(true))).then(|| flag_is_fixed(flag))
        }
        _ => None,
    })
}

fn flag_is_fixed(flag: &str) -> ApiResponse {
    refusal(&format!("Updating the {flag} flag is not allowed. Please contact us if you need additional information."))
}

/// A removed text of a screen: returned if it is stored, refused if it is sent (deploy-cli#981).
fn texts_that_ended(context: &RequestContext<'_>) -> Option<ApiResponse> {
    let (screen, text) = ("login", "invalid-email-format");
    let is_sent = context.request.path.contains("/prompts/login/") && context.request.body[screen].get(text).is_some();
    is_sent.then(|| refusal(&format!("Invalid key \"{text}\" in screen \"{screen}\".")))
}

/// Of the system APIs, the Management API accepts no PATCH at all (deploy-cli's resource server handler); the others have a fixed name
/// (recorded: TestResourceServer_ExpressConfiguration) and fixed scopes.
fn the_management_api_is_fixed(context: &RequestContext<'_>) -> Option<ApiResponse> {
    let held = context.held.filter(|held| context.is("PATCH") && held.get("is_system") == Some(&Value::Bool(true)))?;
    let is_management = held.text("identifier") == Some(&context.state.management_audience());
    let is_fixed = is_management || ["name", "scopes"].iter().any(|field| context.sent.get(field).is_some());
    is_fixed.then(|| ApiResponse::refusal(400, "System resource servers cannot be patched.", Some("operation_not_supported")))
}

/// Triggers whose actions are bound to an entity.
const BOUND_TO_ENTITIES: [&str; 4] = ["custom-token-exchange", "event-stream", "password-hash-migration", "mcp-tool"];

/// deploy-cli#988, reads included.
fn bindings_of_entities(context: &RequestContext<'_>) -> Option<ApiResponse> {
    let trigger = context.request.path.split('/').nth(3)?;
    let what = if context.is("GET") { "list" } else { "update" };
    BOUND_TO_ENTITIES
        .contains(&trigger)
        .then(|| ApiResponse::refusal(400, &format!("cannot {what} action bindings for an entity-bound trigger"), None))
}

/// Runtimes that triggers offer today; others are refused (terraform#286). On earlier days there were other runtimes.
const RUNTIMES: [&str; 3] = ["node18-actions", "node18", "node22"];

fn runtimes_that_ended(context: &RequestContext<'_>) -> Option<ApiResponse> {
    let runtime = context.sent.text("runtime").filter(|_| context.state.day().is_none())?;
    (!RUNTIMES.contains(&runtime)).then(|| ApiResponse::refusal(400, "runtime is not supported", None))
}

fn a_custom_email_provider_is_an_action(context: &RequestContext<'_>) -> Option<ApiResponse> {
    needs_action(context, "custom-email-provider")
}

fn a_custom_phone_provider_is_an_action(context: &RequestContext<'_>) -> Option<ApiResponse> {
    needs_action(context, "custom-phone-provider")
}

/// The description has this 409 for both creates; terraform PR 1474 creates the action first.
fn needs_action(context: &RequestContext<'_>, trigger: &str) -> Option<ApiResponse> {
    let actions = context.state.tables.get("actions");
    let is_deployed = |action: &Body| {
        let triggers = action.get("supported_triggers").and_then(Value::as_array);
        let has_run = action.get("deployed_version").is_some_and(|version| !version.is_null())
            || action.get("all_changes_deployed") == Some(&Value::Bool(true));
        has_run && triggers.is_some_and(|all| all.iter().any(|one| one["id"] == trigger))
    };
    let has_one = actions.is_some_and(|actions| !actions.ids_where(is_deployed).is_empty());
    let is_custom = context.is("POST") && context.sent.text("name") == Some("custom");
    (is_custom && !has_one).then(|| ApiResponse::refusal(409, "No deployed action was found.", Some("no_deployed_action")))
}

fn refusal(message: &str) -> ApiResponse {
    ApiResponse::refusal(400, message, Some("invalid_body"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const DOMAIN: &str = "acme.eu.auth0.com";

    fn tenant() -> State {
        let management = format!("https://{DOMAIN}/api/v2/");
        let data = json!({
            "/connections": [
                {"id": "con_1", "name": "users", "strategy": "auth0", "options": {"attributes": {"email": {"unique": true}}}},
                {"id": "con_2", "name": "plain", "strategy": "auth0", "options": {}},
                {"id": "con_3", "name": "saml", "strategy": "samlp", "options": {}},
                {"id": "con_4", "name": "azure", "strategy": "waad", "options": {}},
            ],
            "/log-streams": [{"id": "lst_1", "name": "aws", "type": "eventbridge", "status": "active", "sink": {}}],
            "/resource-servers": [
                {"id": "1".repeat(24), "name": "Auth0 Management API", "identifier": management, "is_system": true},
                {"id": "2".repeat(24), "name": "My Account", "identifier": format!("https://{DOMAIN}/me/"), "is_system": true},
            ],
            "/tenants/settings": {"flags": {}},
            "/prompts": {"identifier_first": true},
            "/branding": {"colors": {"primary": "#000000"}},
        });
        State::from_json(json!({"domain": DOMAIN, "data": data})).expect("a state")
    }

    fn refusal(method: &str, path: &str, sent: Value) -> Option<String> {
        let answer = tenant().ask(method, path, sent);
        (answer.status >= 400).then(|| answer.body["message"].as_str().expect("a text").to_owned())
    }

    #[test]
    fn reported_refusals_are_refused() {
        let azure = "Before creating Windows Azure Active Directory connections you must configure the client_id and client_secret settings in the dashboard.";
        let flag = |name: &str| format!("Updating the {name} flag is not allowed. Please contact us if you need additional information.");
        let settings = |flags: Value| ("PATCH", "/tenants/settings".to_owned(), json!({"flags": flags}));
        let connection = |id: &str, sent: Value| ("PATCH", format!("/connections/{id}"), sent);
        let email = |unique: bool| json!({"options": {"attributes": {"email": {"unique": unique}}}});
        let reported: Vec<((&str, String, Value), String)> = vec![
            (connection("con_3", json!({"realms": ["saml"]})), "Realms is only supported for database connections.".to_owned()),
            (connection("con_1", email(false)), "cannot patch unique property on email attribute".to_owned()),
            (connection("con_2", email(false)), "cannot add non-unique email attribute".to_owned()),
            (connection("con_4", json!({"options": {"tenant_domain": "a.example"}})), azure.to_owned()),
            (
                ("PATCH", "/log-streams/lst_1".to_owned(), json!({"sink": {}})),
                "Payload validation error: 'Additional properties not allowed: sink'.".to_owned(),
            ),
            (
                settings(json!({"trust_azure_adfs_email_verified_connection_property": true})),
                "You are not allowed to set flag 'trust_azure_adfs_email_verified_connection_property' for this tenant.".to_owned(),
            ),
            (settings(json!({"enable_sso": false})), flag("enable_sso")),
            (
                ("PUT", "/prompts/login/custom-text/en".to_owned(), json!({"login": {"invalid-email-format": "x"}})),
                "Invalid key \"invalid-email-format\" in screen \"login\".".to_owned(),
            ),
            (
                ("PATCH", format!("/resource-servers/{}", "1".repeat(24)), json!({"token_lifetime": 60})),
                "System resource servers cannot be patched.".to_owned(),
            ),
            (
                ("GET", "/actions/triggers/event-stream/bindings".to_owned(), Value::Null),
                "cannot list action bindings for an entity-bound trigger".to_owned(),
            ),
            (
                ("POST", "/emails/provider".to_owned(), json!({"name": "custom", "credentials": {}})),
                "No deployed action was found.".to_owned(),
            ),
            (connection("con_1", json!({})), "Payload validation error: 'Too few properties defined (0), minimum 1'.".to_owned()),
        ];
        for ((method, path, sent), message) in reported {
            assert_eq!(refusal(method, &path, sent), Some(message), "{method} {path}");
        }
    }

    #[test]
    fn unchanged_and_allowed_values_are_accepted() {
        let taken = [
            (
                "PATCH",
                "/connections/con_1".to_owned(),
                json!({"realms": ["users"], "options": {"attributes": {"email": {"unique": true}}}}),
            ),
            ("PATCH", format!("/resource-servers/{}", "2".repeat(24)), json!({"token_lifetime": 60})),
            ("PATCH", "/tenants/settings".to_owned(), json!({"flags": {"enable_sso": true}})),
            ("PATCH", "/self-service-profiles/ssp_1".to_owned(), json!({})),
        ];
        for (method, path, sent) in taken {
            let message = refusal(method, &path, sent);
            assert!(message.as_deref().is_none_or(|message| message.contains("does not exist")), "{method} {path}: {message:?}");
        }
    }

    #[test]
    fn a_branding_without_colours_switches_the_login_page() {
        let identifier_first = |sent: Value| {
            let mut tenant = tenant();
            assert_eq!(tenant.ask("PATCH", "/branding", sent).status, 200);
            tenant.ask("GET", "/prompts", Value::Null).body["identifier_first"].clone()
        };
        assert_eq!(identifier_first(json!({"logo_url": "https://a.example/logo.png"})), false);
        assert_eq!(identifier_first(json!({"logo_url": "https://a.example/logo.png", "colors": {"primary": "#000000"}})), true);
    }

    #[test]
    fn an_eventually_consistent_tenant_finds_a_new_client_at_the_second_write() {
        let mut tenant = tenant().eventually_consistent();
        let made = tenant.ask("POST", "/clients", json!({"name": "New"})).body;
        let mut enable =
            || tenant.ask("PATCH", "/connections/con_1/clients", json!([{"client_id": made["client_id"], "status": true}])).status;
        assert_eq!((enable(), enable()), (404, 204));
        let made = tenant.ask("POST", "/clients", json!({"name": "Newer"})).body;
        let path = format!("/clients/{}", made["client_id"].as_str().expect("an id"));
        let mut describe = || tenant.ask("PATCH", &path, json!({"description": "new"})).status;
        assert_eq!((describe(), describe()), (404, 200));
    }
}
