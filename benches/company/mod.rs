//! Generates a realistic tenant of any size: the clients of the embedded company, repeated with different names, ids and hosts.
//!
//! The state file is written piece by piece: a process inherits the peak memory of its parent, so the measuring process
//! must stay small.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use auth0_migrate::sandbox::seed::ACME_DEV;
use serde_json::{Value, json};

/// Fields of a client that contain its hosts.
const WITH_HOSTS: [&str; 6] = ["callbacks", "allowed_logout_urls", "web_origins", "allowed_origins", "initiate_login_uri", "logo_uri"];

/// Writes a state file with this many clients and grants; everything else is as in the company.
///
/// Resources that cannot be created in an empty tenant are left out: rules, the global client, and the client with a
/// private key that nobody can read.
pub(crate) fn write(path: &Path, (clients, grants): (usize, usize)) -> io::Result<()> {
    let mut seed: Value = serde_json::from_str(ACME_DEV)?;
    let mut own_clients = take(&mut seed, "/clients");
    own_clients.retain(|client| client["global"] != true);
    let own_grants = take(&mut seed, "/client-grants");
    take(&mut seed, "/rules");
    let apis: Vec<Value> = own_apis(&seed);
    let models: Vec<&Value> = own_clients.iter().filter(|client| is_model(client)).collect();
    let more_clients = clients.saturating_sub(own_clients.len());
    let more_grants = grants.saturating_sub(own_grants.len()).min(more_clients);
    let new_clients = (0..more_clients).map(|number| client(models[number % models.len()], number));
    let new_grants = (0..more_grants).map(|number| grant(&apis[number % apis.len()], number));
    let mut out = BufWriter::new(File::create(path)?);
    write!(out, "{{\"tenant\":{},\"domain\":{},\"absent\":{},\"data\":{{", seed["tenant"], seed["domain"], seed["absent"])?;
    for (path, answer) in seed["data"].as_object().expect("paths") {
        write!(out, "{}:{answer},", json!(path))?;
    }
    write_list(&mut out, "/clients", own_clients.iter().cloned().chain(new_clients))?;
    write!(out, ",")?;
    write_list(&mut out, "/client-grants", own_grants.iter().cloned().chain(new_grants))?;
    write!(out, "}}}}")?;
    out.flush()
}

fn take(seed: &mut Value, path: &str) -> Vec<Value> {
    let taken = seed["data"].as_object_mut().expect("paths").remove(path);
    taken.and_then(|list| list.as_array().cloned()).expect("a list of the seed")
}

/// Returns the APIs that clients can have grants on, without the system APIs.
fn own_apis(seed: &Value) -> Vec<Value> {
    let apis = seed["data"]["/resource-servers"].as_array().expect("a list").iter();
    apis.filter(|api| api["is_system"] != true).cloned().collect()
}

fn is_model(client: &Value) -> bool {
    // Third-party clients are excluded.
    client["client_authentication_methods"].is_null() && client["is_first_party"] != false
}

fn write_list(out: &mut impl Write, path: &str, list: impl Iterator<Item = Value>) -> io::Result<()> {
    write!(out, "{}:[", json!(path))?;
    for (number, element) in list.enumerate() {
        write!(out, "{}{element}", if number > 0 { "," } else { "" })?;
    }
    write!(out, "]")
}

fn client(model: &Value, number: usize) -> Value {
    let mut client = model.clone();
    client["name"] = format!("{} {number}", model["name"].as_str().expect("a name")).into();
    client["client_id"] = client_id(number).into();
    client["client_secret"] = signs(number, 64).into();
    client["signing_keys"] = json!([{"cert": signs(number, 1_200), "pkcs7": signs(number, 1_400), "subject": "deprecated"}]);
    for field in WITH_HOSTS {
        if let Some(value) = client.get_mut(field) {
            *value = serde_json::from_str(&value.to_string().replace(".acme.example", &format!(".acme-{number}.example"))).expect("JSON");
        }
    }
    client
}

fn grant(api: &Value, number: usize) -> Value {
    let scopes: Vec<&Value> = api["scopes"].as_array().expect("scopes").iter().map(|scope| &scope["value"]).collect();
    json!({
        "id": format!("cgr_{}", signs(number, 16)),
        "client_id": client_id(number),
        "audience": api["identifier"],
        "scope": scopes,
        "subject_type": "client",
    })
}

fn client_id(number: usize) -> String {
    signs(number, 32)
}

/// Returns characters like those of ids and keys, different for each number.
fn signs(number: usize, length: usize) -> String {
    const SIGNS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = number as u64 + 1;
    let sign = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(SIGNS[usize::try_from((state >> 33) % 62).expect("below 62")])
    };
    std::iter::repeat_with(sign).take(length).collect()
}
