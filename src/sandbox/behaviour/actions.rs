//! What the server does with code, and with what runs it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::server_behaviour::{Habit, PLAIN, Scene, now};
use crate::json::{Body, is_blank};

/// The runtime of an action that names none, and since when: node16 was recorded on 2023-01-25 alone, node22 first on 2026-05-29.
const RUNTIMES: [(&str, &str); 2] = [("2026-05-29", "node22"), ("", "node16")];

/// What a new version of an action is made of.
const OF_A_VERSION: [&str; 5] = ["code", "dependencies", "runtime", "secrets", "modules"];

/// What a binding tells of the action it binds.
const TOLD_OF_A_BOUND: [&str; 8] =
    ["id", "name", "supported_triggers", "created_at", "updated_at", "current_version", "deployed_version", "all_changes_deployed"];

pub(crate) static HABITS: &[Habit] = &[
    Habit {
        kind: "actions",
        created: |_, action, scene| {
            fill_lists(action);
            action.0.entry("runtime").or_insert_with(|| runtime_on(scene.day).into());
            // A create is answered `pending`, and read back `built` (recorded).
            action.set("status", "built".into());
            action.set("all_changes_deployed", false.into());
            name_modules(action, scene);
            // It stands for the request that deploys (OpenAPI description).
            if action.0.remove("deploy") == Some(Value::Bool(true)) {
                deployed(action);
            }
        },
        updated: |before, sent, action, scene| {
            date_secrets(sent, action);
            name_modules(action, scene);
            // What was deployed and is sent again as it is stays deployed (recorded four times).
            if OF_A_VERSION.iter().any(|field| before.get(field) != action.get(field)) {
                action.set("all_changes_deployed", false.into());
            }
        },
        followed: |action, _| deployed(action),
        create_answer: |_, action, _| action.set("status", "pending".into()),
        update_answer: |action| action.set("status", "pending".into()),
        tolerated: &["secrets[].updated_at"],
        write_only: &["secrets[].value"],
        ..PLAIN
    },
    Habit {
        kind: "action-modules",
        created: |_, module, _| {
            fill_lists(module);
            module.set("all_changes_published", false.into());
            module.set("actions_using_module_total", 0.into());
        },
        updated: |_, sent, module, _| {
            date_secrets(sent, module);
            module.set("all_changes_published", false.into());
        },
        followed: published,
        write_only: &["secrets[].value"],
        ..PLAIN
    },
    Habit { kind: "action-trigger-bindings", updated: |_, _, trigger, scene| bind(trigger, scene), ..PLAIN },
    Habit {
        kind: "hooks",
        created: |sent, hook, _| {
            hook.0.entry("dependencies").or_insert_with(|| json!({}));
            hook.set("name", in_words(sent.text("name").unwrap_or_default()).into());
        },
        ..PLAIN
    },
    Habit {
        kind: "rules",
        // Sent by older tools and answered 201 (recorded).
        tolerated: &["stage"],
        created: |_, rule, scene| {
            let last = scene.siblings.map_or(0, |rules| rules.highest("order"));
            rule.0.entry("order").or_insert_with(|| (last + 1).into());
            rule.0.entry("stage").or_insert_with(|| "login_success".into());
        },
        ..PLAIN
    },
    Habit {
        kind: "flow-vault-connections",
        filled: &[("ready", "false")],
        created: |_, connection, scene| connection.set("fingerprint", scene.mint.hex(32).into()),
        updated: |_, _, connection, scene| connection.set("fingerprint", scene.mint.hex(32).into()),
        create_answer: |_, connection, _| connection.set("refreshed_at", Value::Null),
        update_answer: |connection| connection.set("refreshed_at", Value::Null),
        write_only: &["setup"],
        ..PLAIN
    },
    Habit {
        kind: "forms",
        // An empty object is not kept (recorded: TestAccFormDataSource).
        created: |_, form, _| form.0.retain(|_, value| !is_blank(value)),
        // Every recorded list tells it and no single read does.
        unread: &["flow_count"],
        told_in_lists: |form, told| {
            let flows: BTreeSet<String> = form.find("nodes[].**.flow_id").into_iter().map(|(_, flow)| flow.to_string()).collect();
            told["flow_count"] = flows.len().into();
        },
        ..PLAIN
    },
];

/// Makes what an action holds now what runs.
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

/// Secrets are told by name and by when they were written.
fn date_secrets(sent: &Body, body: &mut Body) {
    if sent.get("secrets").is_some() {
        body.change("secrets[]", &mut |secret| secret["updated_at"] = now().into());
    }
}

/// Tells the name and the version of each module that an action uses.
fn name_modules(action: &mut Body, scene: &Scene<'_>) {
    action.change("modules[]", &mut |used| {
        let id = used["module_id"].as_str().unwrap_or_default();
        let Some(module) = scene.tables.get("action-modules").and_then(|modules| modules.get(id)) else { return };
        used["module_name"] = module.get("name").cloned().unwrap_or_default();
        used["module_version_number"] = module.get("latest_version.version_number").cloned().unwrap_or_default();
    });
}

/// Makes a version of a module as it stands.
fn published(module: &mut Body, scene: &mut Scene<'_>) {
    let number = module.get("latest_version.version_number").and_then(Value::as_u64).unwrap_or(0) + 1;
    let version = json!({"id": scene.mint.uuid(), "version_number": number, "code": module.get("code"),
        "dependencies": module.get("dependencies"), "secrets": module.get("secrets")});
    module.set("latest_version", version);
    module.set("all_changes_published", true.into());
}

/// Puts the whole action in the place of its name: a binding is written with a name and read with what it names.
fn bind(trigger: &mut Body, scene: &mut Scene<'_>) {
    let at = trigger.get("trigger").cloned().unwrap_or_default();
    let mint = &mut *scene.mint;
    let actions = scene.tables.get("actions");
    trigger.change("bindings[]", &mut |binding| {
        let name = binding["ref"]["value"].as_str().unwrap_or_default();
        let Some(action) = actions.and_then(|actions| actions.get(actions.named(name)?)) else { return };
        let action: Body = TOLD_OF_A_BOUND.iter().filter_map(|field| Some(((*field).to_owned(), action.get(field)?.clone()))).collect();
        *binding = json!({"id": mint.uuid(), "trigger_id": at, "display_name": binding["display_name"], "action": action,
            "created_at": now(), "updated_at": now()});
    });
    for page in ["total", "page", "per_page"] {
        trigger.0.remove(page);
    }
}

/// Returns a name as hooks have it: `test-hook895` becomes `test-hook-895` (recorded five times).
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
