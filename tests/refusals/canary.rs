//! Secrets: planted everywhere, they are found nowhere.

use migrate::body::Body;
use migrate::catalog::{Catalog, Shape};
use migrate::sandbox::seed;
use serde_json::{Value, json};

use crate::stage::{Said, Stage};

const IMPORT: &str = "import --tenant prod --allow many-changes,critical --yes --verbose";

/// Puts a secret into every secret field of every resource; returns how many.
fn plant(state: &mut Value) -> usize {
    let mut planted = 0;
    for kind in Catalog::standard().kinds().filter(|kind| kind.shape == Shape::Collection) {
        let Some(Value::Array(resources)) = state["data"].get_mut(kind.path) else { continue };
        for resource in resources {
            let mut body = Body::from_value(resource.take()).expect("an object");
            // Of a gateway that is no text message's, no connection has anything.
            let has_gateway = body.text("strategy") == Some("sms");
            if has_gateway {
                let gateway = json!({"method": "bearer", "audience": "urn:AcmeGateway"});
                body.set("options.gateway_authentication", gateway);
            }
            for path in kind.secrets.iter().filter(|path| has_gateway || !path.contains("gateway")) {
                let secret = Value::from(format!("CANARY-{}-{path}", kind.name));
                match path.split_once("[].") {
                    Some((list, field)) => drop(body.change(&format!("{list}[]"), &mut |element| element[field] = secret.clone())),
                    // An add-on that both tenants know stands for every one.
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

fn assert_silent(stage: &Stage, said: &Said) {
    assert!(!said.whole().contains("CANARY"), "a secret in a stream: {}", said.whole());
    // What a person wrote is theirs; everything else was written by migrate.
    for path in stage.files() {
        let content = std::fs::read(&path).expect("read");
        assert!(!String::from_utf8_lossy(&content).contains("CANARY"), "a secret in {}", path.display());
    }
}

#[test]
fn no_secret_reaches_a_stream_or_a_file_of_a_full_run_even_from_error_bodies() {
    let [mut source, mut target] = [seed::ACME_DEV, seed::ACME_PROD].map(|text| serde_json::from_str(text).expect("JSON"));
    let planted = plant(&mut source) + plant(&mut target);
    assert!(planted > 400, "{planted}");
    let mut stage = Stage::acme_of(source, target, "echo@w1x*");
    let exported = stage.run("export --tenant dev --verbose");
    assert_eq!(exported.code, 0, "{}", exported.whole());
    assert_silent(&stage, &exported);
    let refused = stage.run(IMPORT);
    assert_eq!(refused.code, 3, "{}", refused.whole());
    assert!(refused.out.contains("format json: Bearer (redacted) {"), "{}", refused.whole());
    assert!(refused.out.contains("\"client_secret\":\"(redacted)\""), "{}", refused.whole());
    assert_silent(&stage, &refused);
    for line in ["plan --tenant prod --output json", "get connections google-oauth2 --tenant prod", "get clients Billing --tenant prod"] {
        let said = stage.run(line);
        assert!(said.code == 0 && said.out.contains("client_id"), "{}", said.whole());
        assert_silent(&stage, &said);
    }
    let held = stage.prod_goes();
    stage.prod_returns(held);
    let resumed = stage.run("import --tenant prod --resume --yes --verbose");
    assert_eq!(resumed.code, 0, "{}", resumed.whole());
    assert_silent(&stage, &resumed);
    assert!(stage.writes().len() > 40, "{}", stage.writes().len());
}
