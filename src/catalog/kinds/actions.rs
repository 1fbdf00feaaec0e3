//! Entries of actions, their triggers and modules, rules, hooks and token exchange profiles.
//!
//! Fields: `/actions`, `/rules`, `/rules-configs`, `/hooks` and `/token-exchange-profiles` in Auth0's OpenAPI
//! description of 2026-06-25.

use crate::catalog::kind::Kind;
use crate::catalog::quirks::{self, Quirks};
use crate::catalog::reference::{Condition, Exclusion, Reference, RequiredSecrets};
use crate::catalog::risk::RiskClass::{self, DataLoss, Lockout};
use crate::catalog::risk::RiskRule::{AnyChange, Identity, Routine};
use crate::catalog::risk::Risks;
use crate::catalog::shape::{FollowUp, KeyNames, Paging};

/// Modules that actions share.
///
/// Actions use published versions of a module, so a change is published as an action is deployed. Actions pin a version; the newest one is
/// copied.
pub(super) static MODULES: Kind = Kind::collection("action-modules", "action module", "/actions/modules")
    .titled("Action modules")
    .paged(Paging::Counted { field: "modules", size: 50 })
    .summary_list()
    .writable("name+ code secrets[]{name value} dependencies[]{name version} api_version+ publish")
    .read_only(&[
        "id",
        "actions_using_module_total",
        "all_changes_published",
        "created_at",
        "latest_version",
        "latest_version_number",
        "secrets[].updated_at",
        "updated_at",
    ])
    .required(&["name", "code"])
    .always_sent(&["publish"])
    .code(&["code"])
    .secrets(&["secrets[].value"])
    .write_only(&["secrets[].value"])
    // The description requires the value of each.
    .requires_secrets(&[RequiredSecrets { path: "secrets", secretless_when: None }])
    .unordered(&["secrets", "dependencies"])
    .element_key(&[("secrets", "name"), ("dependencies", "name")])
    .scopes(&["read:actions"], &["create:actions"], &["update:actions"], &["delete:actions"])
    .follow_up(FollowUp {
        field: "publish",
        status_field: "all_changes_published",
        version_field: "latest_version",
        content: &["code", "dependencies"],
        path: "/actions/modules/{id}/versions",
        ready_when: None,
    })
    .quirks(Quirks { alias_id: "latest_version.id", ..Quirks::NONE })
    .risk(Risks::new(RiskClass::Routine, DataLoss, &[(AnyChange, "code secrets dependencies api_version publish"), (Routine, "name")]));

/// Actions.
///
/// An action runs as it was last deployed: it is built, deployed and then bound. A list of secrets that omits one deletes it. Their values
/// cannot be read, so only names are compared.
pub(super) static ACTIONS: Kind = Kind::collection("actions", "action", "/actions/actions")
    .titled("Actions")
    .paged(Paging::Counted { field: "actions", size: 50 })
    .distinguished_by(&["supported_triggers[].id", "runtime"])
    .writable(
        "name supported_triggers![]{id! version} code dependencies[]{name version registry_url} runtime secrets[]{name value}
         modules[]{module_id module_version_id} deploy",
    )
    .read_only(&[
        "id",
        "all_changes_deployed",
        "built_at",
        "created_at",
        "current_version",
        "deployed_version",
        "installed_integration_id",
        "integration",
        "status",
        "updated_at",
        "secrets[].updated_at",
        "modules[].module_name",
        "modules[].module_version_number",
        "supported_triggers[].status",
        "supported_triggers[].runtimes",
        "supported_triggers[].default_runtime",
        "supported_triggers[].compatible_triggers",
        "supported_triggers[].binding_policy",
    ])
    .required(&["name", "supported_triggers"])
    .always_sent(&["deploy"])
    .code(&["code"])
    .secrets(&["secrets[].value"])
    .write_only(&["secrets[].value"])
    .refers(&[Reference::id("modules[].module_id", "action-modules"), Reference::alias("modules[].module_version_id", "action-modules")])
    .unordered(&["secrets", "dependencies", "modules"])
    .element_key(&[("secrets", "name"), ("dependencies", "name"), ("modules", "module_id")])
    .scopes(&["read:actions"], &["create:actions"], &["update:actions"], &["delete:actions"])
    .excluded(&[
        Exclusion::always("integration", Condition::Present, "it was installed from the Auth0 Marketplace").foreign(),
        Exclusion::always("installed_integration_id", Condition::Present, "it was installed from the Auth0 Marketplace").foreign(),
    ])
    .follow_up(FollowUp {
        field: "deploy",
        status_field: "all_changes_deployed",
        version_field: "deployed_version",
        content: &["code", "dependencies", "runtime"],
        path: "/actions/actions/{id}/deploy",
        ready_when: Some(("status", "built")),
    })
    .risk(Risks::new(
        RiskClass::Routine,
        DataLoss,
        &[(AnyChange, "supported_triggers code dependencies runtime secrets modules deploy"), (Routine, "name")],
    ));

/// Which actions run at each trigger, in order.
///
/// A binding is read with the complete action and written with its name. An update replaces the list, so actions that only the target
/// binds (from the marketplace) are repeated after the others.
pub(super) static BINDINGS: Kind = Kind::keyed(
    "action-trigger-bindings",
    "bindings of trigger",
    "/actions/triggers",
    &["trigger"],
    KeyNames::Fixed(&[
        "post-login",
        "credentials-exchange",
        "pre-user-registration",
        "post-user-registration",
        "post-change-password",
        "send-phone-message",
        "custom-phone-provider",
        "custom-email-provider",
        "password-reset-post-challenge",
        "custom-token-exchange",
        "event-stream",
        "password-hash-migration",
        "login-post-identifier",
        "signup-post-identifier",
        // Newer than the description: the types of auth0 7.1.0 (npm); recorded triggers of 2026-08.
        "post-credential-validation",
        "mcp-tool",
    ]),
)
.titled("Triggers")
.item_path("/actions/triggers/{trigger}/bindings")
.paged(Paging::Counted { field: "bindings", size: 50 })
.writable("trigger/ bindings[]{ref{type! value} display_name}")
.read_only(&["total", "page", "per_page"])
.refers(&[Reference::key("bindings[].ref.value", "actions")])
.scopes(&["read:actions"], &["update:actions"], &["update:actions"], &[])
.quirks(Quirks { edits: &[quirks::bound_by_name], ordered_merge: &["bindings"], ..Quirks::NONE })
.risk(Risks::new(Lockout, Lockout, &[(Identity, "trigger"), (AnyChange, "bindings"), (Routine, "bindings[].display_name")]));

/// Token exchange profiles: which action validates a subject token.
pub(super) static TOKEN_EXCHANGE_PROFILES: Kind =
    Kind::collection("token-exchange-profiles", "token exchange profile", "/token-exchange-profiles")
        .titled("Token exchange profiles")
        .paged(Paging::Checkpoint { field: "token_exchange_profiles", size: 100 })
        .keyed_by(&["subject_token_type"])
        .distinguished_by(&["subject_token_type"])
        .writable("name! subject_token_type! action_id+! type+!")
        .read_only(&["id", "created_at", "updated_at"])
        .required(&["name", "subject_token_type", "action_id", "type"])
        .refers(&[Reference::id("action_id", "actions")])
        .scopes(
            &["read:token_exchange_profiles"],
            &["create:token_exchange_profiles"],
            &["update:token_exchange_profiles"],
            &["delete:token_exchange_profiles"],
        )
        .risk(Risks::SIGN_IN);

/// Rules.
///
/// Read-only for most tenants since 2024-11-18 and discontinued on 2026-11-18 (page "Deprecations and Migrations"); some tenants still
/// serve them. They are updated if both tenants have them, and never created.
pub(super) static RULES: Kind = Kind::collection("rules", "rule", "/rules")
    .titled("Rules")
    .paged(Paging::Offset { field: "rules", size: 100, or_checkpoint: false })
    // "A rule with the same order already exists" (409); auth0-deploy-cli first assigns other orders if rules swap places.
    .unique(&["order"])
    .distinguished_by(&["enabled"])
    .writable("name! script! order enabled")
    .read_only(&["id", "stage"])
    .required(&["name", "script"])
    .code(&["script"])
    .defaults(&[("enabled", "true")])
    .scopes(&["read:rules"], &["create:rules"], &["update:rules"], &["delete:rules"])
    .not_creatable("rules reached end of life on 2026-11-18; convert this rule to an action")
    .risk(Risks::new(Lockout, DataLoss, &[(AnyChange, "script order enabled"), (Routine, "name")]));

/// Settings of rules: only their keys can be read.
pub(super) static RULES_CONFIGS: Kind = Kind::keyed("rules-configs", "rule setting", "/rules-configs", &["key"], KeyNames::Listed)
    .titled("Rule settings")
    .put()
    .list_only()
    .writable("key/ value")
    .secrets(&["value"])
    .not_secret(&[("key", "the name of a setting")])
    .scopes(&["read:rules_configs"], &["update:rules_configs"], &["update:rules_configs"], &["delete:rules_configs"])
    .manual_setup("settings of rules cannot be read, and rules reached end of life on 2026-11-18; convert the rules that use it to actions, and store its value as a secret of the action")
    .risk(Risks::SIGN_IN);

/// Hooks, discontinued like rules.
pub(super) static HOOKS: Kind = Kind::collection("hooks", "hook", "/hooks")
    .titled("Hooks")
    .paged(Paging::Offset { field: "hooks", size: 100, or_checkpoint: false })
    .summary_list()
    .keyed_by(&["name", "triggerId"])
    // 409 "A hook with the same name already exists" (OpenAPI description of PATCH), whatever the trigger.
    .unique(&["name"])
    .distinguished_by(&["triggerId"])
    .writable("name! script! enabled dependencies{*} triggerId+!")
    .read_only(&["id"])
    .required(&["name", "script", "triggerId"])
    .replaced(&["dependencies"])
    .code(&["script"])
    .defaults(&[("enabled", "false")])
    .scopes(&["read:hooks"], &["create:hooks"], &["update:hooks"], &["delete:hooks"])
    .not_creatable("hooks reached end of life on 2026-11-18; convert this hook to an action")
    .risk(Risks::new(Lockout, DataLoss, &[(AnyChange, "script enabled dependencies triggerId"), (Routine, "name")]));
