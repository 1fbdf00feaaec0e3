//! Secrets planted in every field of every tenant appear in no output and no file.

use std::collections::BTreeMap;

use auth0_migrate::catalog::{Catalog, Kind, Shape};
use auth0_migrate::json::{Body, join};
use auth0_migrate::sandbox::{State, seed};
use serde_json::{Value, json};

use crate::safety::undeclared_secrets::{NAMES, canary, holds_texts, kind_of};
use crate::support::fixture::{CommandOutput, Fixture};

const IMPORT: &str = "import --tenant prod --allow many-changes,lockout-risk,weaker-protection --yes --verbose";

/// Puts a secret into every secret field of every resource; returns the number of secrets.
pub(super) fn plant(state: &mut Value) -> usize {
    let mut planted = 0;
    for kind in Catalog::standard().kinds().filter(|kind| kind.shape == Shape::Collection) {
        let Some(Value::Array(resources)) = state["data"].get_mut(kind.paths.list) else { continue };
        for resource in resources {
            let mut body = Body::from_value(resource.take()).expect("an object");
            // Only connections for text messages have a gateway.
            let has_gateway = body.text("strategy") == Some("sms");
            if has_gateway {
                let gateway = json!({"method": "bearer", "audience": "urn:AcmeGateway"});
                body.set("options.gateway_authentication", gateway);
            }
            for path in kind.secrets.paths.iter().filter(|path| has_gateway || !path.contains("gateway")) {
                let secret = Value::from(format!("CANARY-{}-{path}", kind.name));
                match path.split_once("[].") {
                    Some((list, field)) => drop(body.change(&format!("{list}[]"), &mut |element| element[field] = secret.clone())),
                    // An add-on that both tenants have represents all add-ons.
                    None => body.set(&path.replace('*', "samlp"), secret),
                }
                planted += 1;
            }
            // A certificate is public; only its key is not.
            for part in ["cert", "pkcs7"] {
                body.change(&format!("signing_keys[].{part}"), &mut |value| *value = "public".into());
            }
            *resource = body.into_value();
        }
    }
    planted
}

fn assert_silent(fixture: &Fixture, said: &CommandOutput) {
    assert!(!said.whole().contains("CANARY"), "a secret in a stream: {}", said.whole());
    // Files that a person wrote are exempt; all others were written by migrate.
    for path in fixture.files() {
        let content = std::fs::read(&path).expect("read");
        let line = String::from_utf8_lossy(&content).lines().find(|line| line.contains("CANARY")).map(str::to_owned);
        assert_eq!(line, None, "a secret in {}", path.display());
    }
}

#[test]
fn no_secret_reaches_an_output_or_a_file_even_from_error_bodies() {
    let [mut source, mut target] = [seed::ACME_DEV, seed::ACME_PROD].map(|text| serde_json::from_str(text).expect("JSON"));
    let planted = plant(&mut source) + plant(&mut target);
    assert!(planted > 400, "{planted}");
    let mut fixture = Fixture::acme_of(source, target, "echo@w1x*");
    let exported = fixture.run("export --tenant dev --verbose");
    assert_eq!(exported.code, 0, "{}", exported.whole());
    assert_silent(&fixture, &exported);
    let refused = fixture.run(IMPORT);
    assert_eq!(refused.code, 3, "{}", refused.whole());
    assert!(refused.out.contains("format json: Bearer (redacted) {"), "{}", refused.whole());
    assert!(refused.out.contains("\"client_secret\":\"(redacted)\""), "{}", refused.whole());
    assert_silent(&fixture, &refused);
    for line in ["plan --tenant prod --output json", "get connections google-oauth2 --tenant prod", "get clients Billing --tenant prod"] {
        let said = fixture.run(line);
        assert!([0, 4].contains(&said.code) && said.out.contains("client_id"), "{}", said.whole());
        assert_silent(&fixture, &said);
    }
    let held = fixture.stop_prod();
    fixture.restart_prod(held);
    let resumed = fixture.run("import --tenant prod --resume --yes --verbose");
    assert_eq!(resumed.code, 0, "{}", resumed.whole());
    assert_silent(&fixture, &resumed);
    assert!(fixture.writes().len() > 40, "{}", fixture.writes().len());
}

/// Adds undeclared secrets to every object in a value, each with a different name and in a different form.
///
/// Objects that an entry declares to contain only texts are not changed.
fn plant_unlisted(kind: Option<&Kind>, path: &str, value: &mut Value, number: &mut usize) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|element| plant_unlisted(kind, &format!("{path}[]"), element, number)),
        Value::Object(fields) => {
            fields.iter_mut().for_each(|(name, field)| plant_unlisted(kind, &join(path, name), field, number));
            if kind.is_some_and(|kind| holds_texts(kind, path)) {
                return;
            }
            *number += 1;
            let secret = canary(NAMES[*number % NAMES.len()], *number / NAMES.len(), &format!("CANARY-unlisted-{number}"));
            for (name, value) in secret {
                fields.entry(name).or_insert(value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Adds to a tenant a minimal resource of each kind that it has none of.
fn complete(state: &mut Value, tenant: &str) {
    let is_created = |kind: &&&Kind| {
        kind.lifecycle.not_creatable.is_none()
            && kind.lifecycle.manual_setup.is_none()
            && kind.quirks.same_endpoint_as.is_none()
            && kind.quirks.list_field.is_empty()
    };
    for kind in Catalog::standard().kinds().collect::<Vec<_>>().iter().filter(is_created) {
        let mut body = Body::new();
        let is_plain = |path: &&str| !path.contains(['[', '*']) && kind.references.iter().all(|reference| reference.path != *path);
        for field in kind.identity.key.iter().chain(kind.fields.required).copied().filter(is_plain) {
            body.set(field, format!("a {field}").into());
        }
        let held = match kind.shape {
            Shape::Collection => {
                body.set(kind.identity.id, format!("{tenant}Other000000000000000000a1b2").into());
                json!([body.into_value()])
            }
            Shape::Singleton => {
                body.set(kind.identity.id, format!("{tenant}Own").into());
                body.into_value()
            }
            _ => continue,
        };
        state["data"].as_object_mut().expect("an object").entry(kind.paths.list).or_insert(held);
    }
    state["data"]["/flows"] = json!([{"id": format!("af_{tenant}flow"), "name": "Notify", "actions": [
        {"id": "one", "type": "HTTP", "action": "SEND_REQUEST", "params": {"url": "https://hook.example", "headers": {"accept": "json"}}},
        {"id": "two", "type": "FLOW", "action": "BOOLEAN_CONDITION", "params": {"then": [{"id": "three", "params": {"a": tenant}}]}},
    ]}]);
}

/// Returns the undeclared secrets of a tenant with their paths.
fn unlisted(state: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let body = Body::from_value(state["data"].clone()).expect("an object");
    body.each_text(&mut |path, text| {
        if text.contains("CANARY-unlisted-") {
            found.insert(text.to_owned(), path.to_owned());
        }
    });
    found
}

fn assert_keeps(before: &BTreeMap<String, String>, held: &State) {
    let after = unlisted(&held.to_json());
    let lost: Vec<_> = before.iter().filter(|(secret, _)| !after.contains_key(*secret)).collect();
    assert!(lost.is_empty(), "the target lost {lost:?}");
}

/// Runs a command that must end with one of these codes and show no secret.
fn run_silently(fixture: &Fixture, line: &str, codes: &[i32]) {
    let said = fixture.run(line);
    assert!(codes.contains(&said.code), "{line}: {}", said.whole());
    assert_silent(fixture, &said);
}

#[test]
fn no_undeclared_secret_reaches_an_output_or_a_file_and_the_target_keeps_its_own() {
    let [mut source, mut target] = [seed::ACME_DEV, seed::ACME_PROD].map(|text| serde_json::from_str(text).expect("JSON"));
    let mut number = 0;
    for (state, tenant) in [(&mut source, "dEv"), (&mut target, "pRd")] {
        complete(state, tenant);
        for (path, value) in state["data"].as_object_mut().expect("an object") {
            plant_unlisted(kind_of(path), "", value, &mut number);
        }
    }
    assert!(number > 300, "{number}");
    let before = unlisted(&target);
    let mut fixture = Fixture::acme_of(source, target, "echo@w1x*");
    run_silently(&fixture, "export --tenant dev --verbose", &[0]);
    run_silently(&fixture, "plan --tenant prod --output json", &[0, 4]);
    run_silently(&fixture, IMPORT, &[3]);
    let held = fixture.stop_prod();
    assert_keeps(&before, &held);
    fixture.restart_prod(held);
    run_silently(&fixture, "import --tenant prod --resume --yes --verbose", &[0, 3]);
    run_silently(&fixture, "sync --from dev --to prod --allow many-changes", &[0, 3, 4]);
    let imported = fixture.in_folder("runs").into_iter().max().expect("a run");
    run_silently(
        &fixture,
        &format!("undo {imported} --allow many-changes,lockout-risk,weaker-protection,deletes --yes --verbose"),
        &[0, 3],
    );
    assert!(fixture.writes().len() > 40, "{}", fixture.writes().len());
    assert_keeps(&before, &fixture.stop_prod());
}
