//! Generates a mapping for a tenant that uses every kind of rule on names that this tenant has.

use std::path::Path;

use auth0_migrate::catalog::Catalog;
use auth0_migrate::mapping::{MappedSource, Mapping};
use auth0_migrate::model::resource::Resource;
use auth0_migrate::snapshot::Snapshot;
use glob::Pattern;
use serde_json::{Value, json};

/// Applies to a tenant a mapping generated from its content; each of the rules matches something.
pub(crate) fn mapped(source: &Snapshot) -> MappedSource {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("hosts.csv"), "from,to\nexample.com,example.org\n").expect("written");
    let path = folder.path().join("made.toml");
    std::fs::write(&path, rules(source).concat()).expect("written");
    let mapped = load(&path).apply(Catalog::standard(), source.clone()).expect("mapped");
    let is_secret = |path: &str| path.to_lowercase().ends_with("secret");
    for one in &mapped.desired.snapshot.resources {
        let body = one.body.open();
        body.each_text(&mut |path, text| assert!(!text.contains("example.com"), "{}: {path} was not replaced", one.key));
        body.each_text(&mut |path, _| assert!(!is_secret(path), "{}: the secret {path} is in the open", one.key));
    }
    mapped
}

fn load(path: &Path) -> Mapping {
    Mapping::load(Catalog::standard(), path).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn rules(source: &Snapshot) -> Vec<String> {
    let own = |kind: &'static str| -> Vec<&Resource> {
        source.of_kind(kind).filter(|one| one.excluded.is_none() && !source.twice.contains(&one.key)).collect()
    };
    let clients = own("clients");
    let mut rules: Vec<String> = ["clients", "roles", "connections"].into_iter().flat_map(|kind| for_the_ends(&own(kind))).collect();
    if let [first, ..] = clients[..] {
        rules.push(rule(first, Some("description"), "set", &json!("Set by the mapping")));
        rules.push(rule(first, Some("client_metadata.made"), "set", &json!("by a mapping")));
        rules.push(rule(first, Some("logo_uri"), "keep", &json!(true)));
    }
    let lasting = |all: Vec<&'_ Resource>| -> Vec<Resource> { all[..all.len().saturating_sub(1)].iter().copied().cloned().collect() };
    let lasting_clients = lasting(clients);
    let with = |field: &'static str| lasting_clients.iter().find_map(|one| Some((one, one.body.open().get(field)?.get(0)?.clone())));
    rules.extend(with("callbacks").map(|(client, callback)| rule(client, Some("callbacks[]"), "remove", &callback)));
    rules.extend(with("allowed_logout_urls").map(|(client, _)| rule(client, Some("allowed_logout_urls"), "remove", &json!(true))));
    let lasting_connections = lasting(own("connections"));
    let secret = lasting_connections.iter().find_map(|one| Some((one, one.secrets.iter().find(|path| !path.contains('['))?)));
    rules.extend(secret.map(|(connection, path)| rule(connection, Some(path), "secret", &json!("env:SUPPLIED"))));
    for settings in source.of_kind("tenant-settings") {
        rules.push(rule(settings, Some("friendly_name"), "set", &json!("Named by the mapping")));
        rules.push(rule(settings, Some("support_email"), "keep", &json!(true)));
    }
    if source.resources.iter().any(|one| one.body.open().into_value().to_string().contains("example.com")) {
        rules.push("[[rule]]\nmatch = \"*\"\nreplace = { table = \"hosts.csv\" }\n".to_owned());
    }
    rules
}

/// Renames the first resource of a kind and skips the last one, if there are several.
fn for_the_ends(all: &[&Resource]) -> Vec<String> {
    match all {
        [first, .., last] => {
            vec![rule(first, None, "rename", &json!("renamed-by-the-mapping")), rule(last, None, "skip", &json!(true))]
        }
        _ => Vec::new(),
    }
}

/// Returns a rule for one resource; JSON strings are valid TOML strings.
fn rule(about: &Resource, field: Option<&str>, word: &str, value: &Value) -> String {
    let field = field.map(|field| format!("field = {}\n", json!(field))).unwrap_or_default();
    format!("[[rule]]\nmatch = {}\n{field}{word} = {value}\n\n", json!(Pattern::escape(&about.key.to_string())))
}
