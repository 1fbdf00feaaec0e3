//! What cannot be copied is skipped or becomes a manual step, before the first write.

use auth0_migrate::apply::SyncState;
use auth0_migrate::management_api::Tenant;
use auth0_migrate::model::resource::Key;
use auth0_migrate::plan::Plan;
use auth0_migrate::sandbox::{Sandbox, State};
use auth0_migrate::snapshot::{Desired, SuppliedSecret};
use serde_json::{Value, json};

use crate::support::imports::{Imported, empty_sync_state, import, read, start};

const DEV: &str = "acme-dev.eu.auth0.com";
const PROD: &str = "acme-prod.eu.auth0.com";

/// Two tenants, and the mapped state of the first.
struct Pair {
    desired: Desired,
    into: Sandbox,
    tenant: Tenant,
    memory: SyncState,
}

impl Pair {
    async fn new(dev: Value, prod: Value) -> Self {
        let state = |domain: &str, data: Value| State::from_json(json!({"domain": domain, "data": data})).expect("a state");
        let (_from, from) = start(state(DEV, dev)).await;
        let desired = Desired::unmapped(read(&from).await);
        let (into, tenant) = start(state(PROD, prod)).await;
        Self { desired, into, tenant, memory: empty_sync_state() }
    }

    fn key(text: &str) -> Key {
        text.parse().expect("a key")
    }

    fn supply(mut self, key: &str, path: &str) -> Self {
        self.desired.supplied.push(SuppliedSecret { key: Self::key(key), path: path.to_owned(), from: "env:NAME".to_owned() });
        self
    }

    fn keep(mut self, key: &str, path: &str) -> Self {
        self.desired.kept.push((Self::key(key), path.to_owned()));
        self
    }

    /// Imports; nothing may be refused, and a second import must have nothing to do.
    async fn import(&mut self) -> Plan {
        let Imported { plan, summary, .. } = import(&self.desired, &self.tenant, &mut self.memory).await;
        assert!(summary.is_whole(), "{:?}", summary.settled);
        let again = import(&self.desired, &self.tenant, &mut self.memory).await.plan;
        assert!(again.is_empty(), "{:?}", again.changes().next());
        plan
    }

    fn written(&self, path: &str) -> Vec<Value> {
        self.into.requests().iter().filter(|seen| seen.method != "GET" && seen.path == path).map(|seen| json!(seen.method)).collect()
    }
}

fn steps(plan: &Plan) -> Vec<String> {
    plan.manual_steps.iter().map(|manual| format!("{} {}: {}", manual.key, manual.path, manual.step)).collect()
}

fn skipped(plan: &Plan) -> Vec<String> {
    plan.skipped.iter().map(|left| format!("{} {}: {}", left.key, left.path.as_deref().unwrap_or_default(), left.reason)).collect()
}

fn sendgrid() -> Value {
    json!({"/emails/provider": {"name": "sendgrid", "enabled": true, "default_from_address": "a@acme.com", "credentials": {}}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resource_without_a_required_secret_is_skipped_with_a_manual_step() {
    let mut pair = Pair::new(sendgrid(), json!({})).await;
    let plan = pair.import().await;
    assert_eq!(pair.written("/emails/provider"), [] as [Value; 0]);
    assert_eq!(skipped(&plan), ["email-provider : it cannot be created without its credentials"]);
    let step = "credentials is required to create it but is not copied; supply it with a `secret` rule in the mapping";
    assert_eq!(steps(&plan), [format!("email-provider credentials: {step}")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_only_secret_is_sent_with_the_create_only() {
    let mut pair = Pair::new(sendgrid(), json!({})).await.supply("email-provider", "credentials.api_key");
    let plan = pair.import().await;
    assert_eq!(pair.written("/emails/provider"), ["POST"]);
    assert_eq!((skipped(&plan), steps(&plan)), (Vec::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_email_provider_that_is_an_action_needs_no_credentials() {
    let action = json!({"id": "5e2c9a07-3f41-4c1e-9f0a-2b7d8e6c1a55", "name": "Send text messages", "code": "1", "runtime": "node22",
        "status": "built", "all_changes_deployed": true, "supported_triggers": [{"id": "custom-phone-provider", "version": "v1"}]});
    let custom = json!({"/branding/phone/providers": [{"id": "pro_1", "name": "custom", "disabled": false,
        "configuration": {"delivery_methods": ["text"]}}], "/actions/actions": [action]});
    let mut pair = Pair::new(custom, json!({})).await;
    let plan = pair.import().await;
    assert_eq!(pair.written("/branding/phone/providers"), ["POST"]);
    assert_eq!(skipped(&plan), [] as [&str; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_are_not_replaced_without_their_secrets() {
    let smtp =
        |host: &str| json!({"/emails/provider": {"name": "smtp", "enabled": true, "credentials": {"smtp_host": host, "smtp_port": 25}}});
    let mut pair = Pair::new(smtp("mail.dev"), smtp("mail.prod")).await;
    let plan = pair.import().await;
    assert_eq!(pair.written("/emails/provider"), [] as [Value; 0]);
    let reason = "it differs in the target and cannot be written without its secret; supply the secret with a `secret` rule in the mapping";
    assert_eq!(skipped(&plan), [format!("email-provider credentials: {reason}")]);
    let mut pair = Pair::new(smtp("mail.dev"), smtp("mail.prod")).await.supply("email-provider", "credentials.smtp_pass");
    pair.import().await;
    assert_eq!(pair.written("/emails/provider"), ["PATCH"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn direct_push_notifications_leave_firebase_to_a_person() {
    let provider = |name: &str| json!({"/guardian/factors/push-notification/selected-provider": {"provider": name}});
    let mut pair = Pair::new(provider("direct"), provider("guardian")).await;
    let plan = pair.import().await;
    assert_eq!(plan.manual_steps.len(), 1);
    assert!(plan.manual_steps[0].step.contains("push-notification/providers/fcmv1"), "{}", plan.manual_steps[0].step);
    let mut pair = Pair::new(provider("direct"), provider("direct")).await;
    assert_eq!(steps(&pair.import().await), [] as [&str; 0], "the target sends them directly already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_follow_their_languages_and_are_skipped_for_missing_ones() {
    let dev = || {
        let texts = json!({"login": {"title": "Bonjour"}});
        json!({"/tenants/settings": {"enabled_locales": ["en", "fr"]}, "/prompts/login/custom-text/fr": texts})
    };
    let prod = || json!({"/tenants/settings": {"enabled_locales": ["en"]}});
    let mut pair = Pair::new(dev(), prod()).await;
    let plan = pair.import().await;
    let order: Vec<String> = plan.changes().map(|change| change.key.to_string()).collect();
    assert_eq!(order, ["tenant-settings", "prompt-custom-text/login · fr"]);
    let mut pair = Pair::new(dev(), prod()).await.keep("tenant-settings", "enabled_locales");
    let plan = pair.import().await;
    assert!(plan.is_empty());
    assert_eq!(skipped(&plan), ["prompt-custom-text/login · fr : fr will not be a language of the target"]);
}

fn database(options: Value) -> Value {
    let mut connection =
        json!({"id": "con_0000000000000001", "name": "users", "display_name": "users", "strategy": "auth0", "realms": ["users"]});
    if !options.is_null() {
        connection["options"] = options;
    }
    json!({"/connections": [connection]})
}

/// Returns the options that an import sends to the target's connection.
async fn options_after(pair: &Pair) -> Value {
    let live = read(&pair.tenant).await;
    let options = live.of_kind("connections").next().expect("a connection").body.open().get("options").cloned();
    options.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unreadable_options_are_never_written() {
    let mut pair = Pair::new(database(json!({"import_mode": true})), database(Value::Null)).await;
    let plan = pair.import().await;
    assert!(plan.is_empty());
    let reason = "it differs in the target and cannot be merged with the target's value, which cannot be read; the token may lack a scope";
    assert_eq!(skipped(&plan), [format!("connections/users options: {reason}")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_are_merged_into_the_targets_own_and_a_rule_keeps_one() {
    let dev = database(json!({"import_mode": true, "disable_signup": true, "requires_username": true}));
    let prod = database(json!({"import_mode": false, "disable_signup": false, "password_history": {"enable": true}}));
    let mut pair = Pair::new(dev, prod).await.keep("connections/users", "options.disable_signup");
    pair.import().await;
    // The server fills in `brute_force_protection`.
    let expected = json!({"brute_force_protection": true, "import_mode": true, "disable_signup": false, "requires_username": true, "password_history": {"enable": true}});
    assert_eq!(options_after(&pair).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_a_secret_required_by_its_strategy_is_a_manual_step() {
    let azure = || {
        let options = json!({"client_id": "at-azure", "client_secret": "s3cret", "tenant_domain": "acme.example"});
        json!({"/connections": [{"id": "con_0000000000000001", "name": "azure", "strategy": "waad", "options": options}]})
    };
    let mut pair = Pair::new(azure(), json!({})).await;
    let plan = pair.import().await;
    assert_eq!(pair.written("/connections"), [] as [Value; 0]);
    assert_eq!(skipped(&plan)[0], "connections/azure : it cannot be created without its options.client_secret");
    let step = "is required to create it but is not copied; supply it with a `secret` rule in the mapping";
    assert_eq!(steps(&plan), [format!("connections/azure options.client_secret: options.client_secret {step}")]);
    let mut pair = Pair::new(azure(), json!({})).await.supply("connections/azure", "options.client_secret");
    let plan = pair.import().await;
    assert_eq!(pair.written("/connections"), [json!("POST")]);
    assert_eq!(skipped(&plan), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn masks_of_secrets_are_neither_copied_nor_written_back() {
    let state = |title: &str, mask: &str| {
        let options =
            json!({"client_id": "own", "client_secret": mask, "icon_url": title, "deep": {"of": {"passcode": mask, "kept": true}}});
        json!({"/connections": [{"id": "con_0000000000000001", "name": "idp", "strategy": "oauth2", "options": options}]})
    };
    for mask in ["********", "[REDACTED]"] {
        let mut pair = Pair::new(state("https://new.example", mask), state("https://old.example", mask)).await;
        pair.import().await;
        let held = pair.into.state().to_json()["data"]["/connections"][0]["options"].clone();
        assert_eq!(held, json!({"client_id": "own", "icon_url": "https://new.example", "deep": {"of": {"kept": true}}}));
        let mut pair = Pair::new(state("https://new.example", mask), json!({})).await;
        let plan = pair.import().await;
        assert!(!pair.into.state().to_json().to_string().contains(mask));
        assert!(steps(&plan).iter().any(|step| step.starts_with("connections/idp options.deep.of.passcode: ")), "{:?}", steps(&plan));
    }
}
