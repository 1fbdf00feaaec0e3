//! Behaviour of actions, modules, hooks, rules, flows and forms.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::server_behaviour::{CATALOG_ONLY, ServerBehaviour, WriteContext, now};
use crate::json::{Body, is_blank};

/// The default runtime of actions and its first day: node16 was recorded only on 2023-01-25, node22 first on 2026-05-29.
const RUNTIMES: [(&str, &str); 2] = [("2026-05-29", "node22"), ("", "node16")];

/// The fields that make up a version of an action.
const OF_A_VERSION: [&str; 5] = ["code", "dependencies", "runtime", "secrets", "modules"];

/// The fields of an action that a binding contains.
const TOLD_OF_A_BOUND: [&str; 8] =
    ["id", "name", "supported_triggers", "created_at", "updated_at", "current_version", "deployed_version", "all_changes_deployed"];

pub(crate) static BEHAVIOURS: &[ServerBehaviour] = &[
    ServerBehaviour {
        kind: "actions",
        on_create: |_, action, context| {
            fill_lists(action);
            action.0.entry("runtime").or_insert_with(|| runtime_on(context.day).into());
            // A create returns `pending`, and reads return `built` (recorded).
            action.set("status", "built".into());
            action.set("all_changes_deployed", false.into());
            name_modules(action, context);
            // `deploy: true` replaces the request that deploys (OpenAPI description).
            if action.0.remove("deploy") == Some(Value::Bool(true)) {
                deployed(action);
            }
        },
        on_update: |before, sent, action, context| {
            date_secrets(sent, action);
            name_modules(action, context);
            // An unchanged action stays deployed (recorded four times).
            if OF_A_VERSION.iter().any(|field| before.get(field) != action.get(field)) {
                action.set("all_changes_deployed", false.into());
            }
        },
        on_follow_up: |action, _| deployed(action),
        on_create_response: |_, action, _| action.set("status", "pending".into()),
        on_update_response: |action| action.set("status", "pending".into()),
        also_accepted: &["secrets[].updated_at"],
        write_only: &["secrets[].value"],
        ..CATALOG_ONLY
    },
    ServerBehaviour {
        kind: "action-modules",
        on_create: |_, module, _| {
            fill_lists(module);
            module.set("all_changes_published", false.into());
            module.set("actions_using_module_total", 0.into());
        },
        on_update: |_, sent, module, _| {
            date_secrets(sent, module);
            module.set("all_changes_published", false.into());
        },
        on_follow_up: published,
        write_only: &["secrets[].value"],
        ..CATALOG_ONLY
    },
    ServerBehaviour { kind: "action-trigger-bindings", on_update: |_, _, trigger, context| bind(trigger, context), ..CATALOG_ONLY },
    ServerBehaviour {
        kind: "hooks",
        on_create: |sent, hook, _| {
            hook.0.entry("dependencies").or_insert_with(|| json!({}));
            hook.set("name", in_words(sent.text("name").unwrap_or_default()).into());
        },
        ..CATALOG_ONLY
    },
    ServerBehaviour {
        kind: "rules",
        // Sent by older tools and accepted with 201 (recorded).
        also_accepted: &["stage"],
        on_create: |_, rule, context| {
            let last = context.siblings.map_or(0, |rules| rules.max_number("order"));
            rule.0.entry("order").or_insert_with(|| (last + 1).into());
            rule.0.entry("stage").or_insert_with(|| "login_success".into());
        },
        ..CATALOG_ONLY
    },
    ServerBehaviour {
        kind: "flow-vault-connections",
        server_filled: &[("ready", "false")],
        on_create: |_, connection, context| connection.set("fingerprint", context.ids.hex(32).into()),
        on_update: |_, _, connection, context| connection.set("fingerprint", context.ids.hex(32).into()),
        on_create_response: |_, connection, _| connection.set("refreshed_at", Value::Null),
        on_update_response: |connection| connection.set("refreshed_at", Value::Null),
        write_only: &["setup"],
        ..CATALOG_ONLY
    },
    ServerBehaviour {
        kind: "forms",
        // Empty objects are not stored (recorded: TestAccFormDataSource).
        on_create: |_, form, _| form.0.retain(|_, value| !is_blank(value)),
        // In every recorded list, but in no read of a single flow.
        update_response_only: &["flow_count"],
        on_list: |form, listed| {
            let flows: BTreeSet<String> = form.find("nodes[].**.flow_id").into_iter().map(|(_, flow)| flow.to_string()).collect();
            listed["flow_count"] = flows.len().into();
        },
        ..CATALOG_ONLY
    },
];

/// Deploys the current content of an action.
fn deployed(action: &mut Body) {
    let mut version = json!({"deployed": true, "status": "built"});
    for field in OF_A_VERSION {
        version[field] = action.get(field).cloned().unwrap_or_default();
    }
    action.set("deployed_version", version);
    action.set("all_changes_deployed", true.into());
}

fn runtime_on(day: Option<&str>) -> &'static str {
    let began = |since: &str| day.is_none_or(|day| since <= day);
    RUNTIMES.iter().find(|(since, _)| began(since)).map_or("node22", |(_, runtime)| runtime)
}

fn fill_lists(body: &mut Body) {
    for list in ["dependencies", "secrets"] {
        body.0.entry(list).or_insert_with(|| json!([]));
    }
    let sent = body.clone();
    date_secrets(&sent, body);
}

/// Returns secrets by name and time of the last write.
fn date_secrets(sent: &Body, body: &mut Body) {
    if sent.get("secrets").is_some() {
        body.change("secrets[]", &mut |secret| secret["updated_at"] = now().into());
    }
}

/// Adds the name and version of each module that an action uses.
fn name_modules(action: &mut Body, context: &WriteContext<'_>) {
    action.change("modules[]", &mut |used| {
        let id = used["module_id"].as_str().unwrap_or_default();
        let Some(module) = context.tables.get("action-modules").and_then(|modules| modules.get(id)) else { return };
        used["module_name"] = module.get("name").cloned().unwrap_or_default();
        used["module_version_number"] = module.get("latest_version.version_number").cloned().unwrap_or_default();
    });
}

/// Publishes a module as a new version.
fn published(module: &mut Body, context: &mut WriteContext<'_>) {
    let number = module.get("latest_version.version_number").and_then(Value::as_u64).unwrap_or(0) + 1;
    let version = json!({"id": context.ids.uuid(), "version_number": number, "code": module.get("code"),
        "dependencies": module.get("dependencies"), "secrets": module.get("secrets")});
    module.set("latest_version", version);
    module.set("all_changes_published", true.into());
}

/// Replaces the name of an action by the action: bindings are written with a name and read with the action.
fn bind(trigger: &mut Body, context: &mut WriteContext<'_>) {
    let at = trigger.get("trigger").cloned().unwrap_or_default();
    let ids = &mut *context.ids;
    let actions = context.tables.get("actions");
    trigger.change("bindings[]", &mut |binding| {
        let name = binding["ref"]["value"].as_str().unwrap_or_default();
        let Some(action) = actions.and_then(|actions| actions.get(actions.id_by_name(name)?)) else { return };
        let action: Body = TOLD_OF_A_BOUND.iter().filter_map(|field| Some(((*field).to_owned(), action.get(field)?.clone()))).collect();
        *binding = json!({"id": ids.uuid(), "trigger_id": at, "display_name": binding["display_name"], "action": action,
            "created_at": now(), "updated_at": now()});
    });
    for page in ["total", "page", "per_page"] {
        trigger.0.remove(page);
    }
}

/// Returns a name in the format of hooks: `test-hook895` becomes `test-hook-895` (recorded five times).
fn in_words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 1);
    let mut before = ' ';
    for sign in name.chars() {
        if before.is_alphabetic() && sign.is_ascii_digit() {
            words.push('-');
        }
        words.push(sign);
        before = sign;
    }
    words
}
