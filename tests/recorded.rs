//! The sandbox against recordings of the real server: the same request on the same state must get the same answer.
//!
//! The recordings are no part of the project: `AUTH0_REFERENCE` says where they are (`../shared/reference` where it is not set), and
//! without them these tests say so and pass. `cargo test -- recorded --nocapture` prints the agreement by kind.
#![expect(clippy::print_stdout, reason = "the agreement is what these tests are run for")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use migrate::body::{Body, covers};
use migrate::catalog::{By, Catalog, Kind, Shape};
use migrate::sandbox::State;
use serde_json::{Value, json};

/// What the server makes, which nobody can foretell: not compared, whatever either side holds.
const MADE: &[(&str, &str, &str)] = &[
    ("*", "id", "ids are random"),
    ("clients", "client_id", "ids are random"),
    ("clients", "client_secret", "secrets are random, and masked in recordings"),
    ("clients", "signing_keys", "keys are random, and masked in recordings"),
    ("clients", "tenant", "the recorder replaced the tenant's name"),
    ("clients", "client_authentication_methods.*.credentials[]", "credentials get ids and dates"),
    ("clients", "signed_request_object.credentials[]", "credentials get ids and dates"),
    ("clients", "token_vault_privileged_access.credentials[]", "credentials get ids and dates"),
    ("resource-servers", "signing_secret", "secrets are random"),
    ("connections", "provisioning_ticket_url", "tickets are random"),
    ("connections", "options.configuration", "values come back encrypted, another way each time"),
    ("connections", "options.app_domain", "the tenant's own domain"),
    ("connections", "options.oidc_metadata", "fetched from the provider's own address"),
    ("connections", "options.authorization_endpoint", "fetched from the provider's own address"),
    ("connections", "options.token_endpoint", "fetched from the provider's own address"),
    ("connections", "options.userinfo_endpoint", "fetched from the provider's own address"),
    ("connections", "options.thumbprints", "read from the certificate"),
    ("connections", "options.cert", "read from the certificate"),
    ("connections", "options.subject", "read from the certificate"),
    ("connections", "options.expires", "read from the certificate"),
    ("connections", "enabled_clients", "the field ended on 2026-07-13"),
];

/// What the server came to answer while the recordings were made, or the recorder lost: not compared where a recording lacks it, and
/// compared wherever it has it. The sandbox follows the newer recordings.
const UNSEEN: &[(&str, &str, &str)] = &[
    ("clients", "global", "lost to the recorder's re-encoding"),
    ("clients", "callback_url_template", "lost to the recorder's re-encoding"),
    ("clients", "cross_origin_auth", "lost to the recorder's re-encoding"),
    ("clients", "encrypted", "lost to the recorder's re-encoding"),
    ("clients", "cross_origin_authentication", "in no raw answer of 2024-08, in that of 2025-04"),
    ("client-grants", "subject_type", "in no raw answer of 2024-08, in all newer ones"),
    ("resource-servers", "subject_type_authorization", "in 8 of 14 answers to creates without it; undated"),
    ("connections", "authentication", "in no raw answer up to 2025-04, in newer ones"),
    ("connections", "connected_accounts", "in no raw answer up to 2025-04, in newer ones"),
    ("connections", "options.authentication_methods.password.api_behavior", "in no raw answer up to 2025-04, in newer ones"),
    ("connections", "options.authentication_methods.password.signup_behavior", "in no raw answer up to 2025-04, in newer ones"),
    ("connections", "options.assertion_decryption_settings", "in some answers only; undated"),
];

/// One tenant fills a notification channel in every client it makes; another, sent the same, does not. Nothing in the request decides it.
const UNEXPLAINED: &str = "a notification channel is filled, for no reason the recordings show";

/// The answer of an update has other fields than a read, and not always the same ones; nothing in the request decides which.
const ANOTHER_SHAPE: &str = "the answer of this update has fields that others lack, or lacks some that they have";

/// Where the sandbox disagrees with the server, and why.
const KNOWN: &[(&str, &str)] = &[
    (
        "auth0-deploy-cli should-deploy-without-deleting-resources-if-AUTH0_ALLOW_DELETE-is-false.json#46",
        "the new password options are filled here, and the old policy in other rows",
    ),
    (
        "auth0-deploy-cli should-deploy-without-deleting-resources-if-AUTH0_ALLOW_DELETE-is-false.json#63",
        "a type is answered here, and in no other recording",
    ),
    (
        "auth0-deploy-cli should-deploy-without-deleting-resources-if-AUTH0_ALLOW_DELETE-is-false.json#64",
        "a type is answered here, and in no other recording",
    ),
    (
        "auth0-deploy-cli should-deploy-without-deleting-resources-if-AUTH0_ALLOW_DELETE-is-false.json#65",
        "a type is answered here, and in no other recording",
    ),
    (
        "auth0-deploy-cli should-deploy-without-deleting-resources-if-AUTH0_ALLOW_DELETE-is-false.json#66",
        "a type is answered here, and in no other recording",
    ),
    ("auth0-deploy-cli@2024-08-27-88a7c498 should-dump-and-deploy-without-throwing-an-error.json#92", ANOTHER_SHAPE),
    ("auth0-deploy-cli@2025-04-10-e106d6ef should-dump-and-deploy-without-throwing-an-error.json#124", ANOTHER_SHAPE),
    ("go-auth0 TestClientGrant_ExpressConfiguration.yaml#0", UNEXPLAINED),
    ("go-auth0 TestClientGrant_ExpressConfiguration.yaml#3", UNEXPLAINED),
    ("go-auth0 TestClient_ExpressConfiguration.yaml#0", UNEXPLAINED),
    ("go-auth0 TestClient_ExpressConfiguration.yaml#12", UNEXPLAINED),
    ("go-auth0 TestClient_ExpressConfiguration.yaml#14", UNEXPLAINED),
    ("go-auth0 TestClient_ExpressConfiguration.yaml#15", UNEXPLAINED),
    ("go-auth0 TestClient_ExpressConfiguration.yaml#2", UNEXPLAINED),
    ("go-auth0 TestClient_ExpressConfiguration.yaml#5", UNEXPLAINED),
    ("go-auth0 TestClient_ExpressConfiguration.yaml#7", UNEXPLAINED),
    (
        "go-auth0 TestConnectionManager_Create/It_can_successfully_create_a_ADFS_Connection.yaml#0",
        "the server reads the metadata document that was sent",
    ),
    (
        "go-auth0 TestConnectionManager_Create/It_can_successfully_create_a_Okta_Connection.yaml#0",
        "nothing of the newer schema is filled here, as it is for others of this strategy",
    ),
    (
        "go-auth0 TestConnectionManager_CreateDBConnectionWithDifferentOptions/It_handles_Auth0_Connection_with_Email_as_Identifier.yaml#0",
        "a way of verification is filled here, and not for two like it",
    ),
    ("go-auth0 TestConnectionManager_DpopForOktaAndOIDC.yaml#1", "a type is filled here, and not for others of this strategy"),
    (
        "go-auth0 TestConnectionManager_Read/It_can_successfully_read_a_ADFS_Connection.yaml#0",
        "the server reads the metadata document that was sent",
    ),
    (
        "go-auth0 TestConnectionManager_Read/It_can_successfully_read_a_Okta_Connection.yaml#0",
        "nothing of the newer schema is filled here, as it is for others of this strategy",
    ),
    (
        "go-auth0 TestConnectionManager_Read/It_can_successfully_read_a_Wordpress_Connection.yaml#0",
        "the scope comes back shorter than it was sent",
    ),
    (
        "go-auth0 TestConnectionManager_Update/It_can_successfully_update_a_AD_Connection.yaml#1",
        "protection is filled in a create, and not in this update",
    ),
    (
        "go-auth0 TestConnectionManager_Update/It_can_successfully_update_a_GoogleApps_Connection.yaml#1",
        "access to users is switched on by this update, unasked",
    ),
    ("go-auth0 TestTenantManager_CountryCodes.yaml#1", ANOTHER_SHAPE),
    ("go-auth0 TestTenantManager_CountryCodes.yaml#3", ANOTHER_SHAPE),
    ("go-auth0 TestTenantManager_CountryCodes.yaml#5", ANOTHER_SHAPE),
    ("go-auth0 TestTenantManager_CountryCodes.yaml#7", ANOTHER_SHAPE),
    ("ruby-auth0 Auth0_Api_V2_Rules/create_test_disabled_rule.yml#0", "the order follows the rules the tenant had, which no row holds"),
    ("terraform-provider-auth0 TestAccConnection.yaml#0", "two methods that were not sent are filled, in this row only"),
    (
        "terraform-provider-auth0 TestAccConnectionAddEmailAttributeNonUnique.yaml#0",
        "the new password options are filled here, and the old policy in other rows",
    ),
    (
        "terraform-provider-auth0 TestAccConnectionAddEmailAttributeUnique.yaml#0",
        "the new password options are filled here, and the old policy in other rows",
    ),
    ("terraform-provider-auth0 TestAccConnectionSAML.yaml#0", "the server reads the metadata document that was sent"),
    ("terraform-provider-auth0 TestAccDataSourceOrganizationRoleMembers.yaml#2", "no description is answered here, and null elsewhere"),
    ("terraform-provider-auth0 TestAccDataSourcePages.yaml#23", ANOTHER_SHAPE),
    ("terraform-provider-auth0 TestAccDataSourceTenant.yaml#8", ANOTHER_SHAPE),
    ("terraform-provider-auth0 TestAccTenant_CountryCodes.yaml#5", ANOTHER_SHAPE),
    ("terraform-provider-auth0 TestAccTenant_CountryCodes.yaml#9", ANOTHER_SHAPE),
    ("terraform-provider-auth0 TestAccTenant_DefaultRedirectionURI.yaml#11", ANOTHER_SHAPE),
    ("terraform-provider-auth0 TestAccTenant_DefaultRedirectionURI.yaml#6", ANOTHER_SHAPE),
];

fn open(name: &str) -> Option<File> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference");
    let folder = std::env::var_os("AUTH0_REFERENCE").map_or_else(beside, PathBuf::from);
    let file = File::open(folder.join("recorded").join(name));
    if file.is_err() {
        println!("{name}: no recordings under {}, skipped", folder.display());
    }
    file.ok()
}

fn rows(name: &str) -> Option<Vec<Value>> {
    let lines = BufReader::new(GzDecoder::new(open(name)?)).lines();
    Some(lines.map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON")).collect())
}

fn text<'row>(row: &'row Value, field: &str) -> &'row str {
    row[field].as_str().expect("a text")
}

/// Returns the kind whose list or object a path is; nothing for what lies below.
fn kind_of(path: &str) -> Option<&'static Kind> {
    let own = Catalog::standard().kinds().filter(|kind| kind.view_of.is_none() && !matches!(kind.shape, Shape::Child { .. }));
    own.filter(|kind| kind.covers(path).is_some()).min_by_key(|kind| kind.covers(path).map(|places| places.len()))
}

/// What a test found.
#[derive(Default)]
struct Tally {
    agreed: BTreeMap<&'static str, (usize, usize)>,
    unexplained: usize,
    unlisted: Vec<String>,
    not_covered: usize,
}

impl Tally {
    fn count(&mut self, kind: &'static Kind, row: &Value, answered: &Value, recorded: &Value) {
        let mut found = Vec::new();
        differences(kind.name, "", Some(answered), Some(recorded), &mut found);
        let (agreed, of) = self.agreed.entry(kind.name).or_default();
        *of += 1;
        *agreed += usize::from(found.is_empty());
        let row = format!("{} {}#{}", text(row, "source"), text(row, "cassette"), row["seq"]);
        let known = KNOWN.iter().find(|(known, _)| row == *known);
        match (found.is_empty(), known) {
            (true, None) => {}
            (true, Some(_)) => self.unlisted.push(format!("{row} agrees now: take it off the list")),
            (false, Some((_, because))) => {
                self.unexplained += usize::from(*because == UNEXPLAINED);
                println!("  {row}: {because}");
            }
            (false, None) => self.unlisted.push(format!("{row} ({})\n    {}", kind.name, found.join("\n    "))),
        }
    }

    fn share(&self, kinds: &[&str]) -> f64 {
        let counted = self.agreed.iter().filter(|(kind, _)| kinds.is_empty() || kinds.contains(kind));
        let (agreed, of) = counted.fold((0, 0), |(agreed, of), (_, (more, more_of))| (agreed + more, of + more_of));
        #[expect(clippy::cast_precision_loss, reason = "some hundred rows")]
        let share = 100.0 * agreed as f64 / of as f64;
        share
    }

    fn print(&self, what: &str) {
        for (kind, (agreed, of)) in &self.agreed {
            println!("{what} {kind}: {agreed} of {of} ({:.1} %)", self.share(&[kind]));
        }
        println!("{what} in all: {:.1} %; {} rows of paths no kind covers", self.share(&[]), self.not_covered);
        assert!(self.unlisted.is_empty(), "disagreements that are not listed:\n{}", self.unlisted.join("\n"));
    }
}

fn differences(kind: &str, path: &str, ours: Option<&Value>, recorded: Option<&Value>, found: &mut Vec<String>) {
    let (ours, recorded) = (ours.map(|value| sorted_set(kind, path, value)), recorded.map(|value| sorted_set(kind, path, value)));
    let (ours, recorded) = (ours.as_ref(), recorded.as_ref());
    let is_listed =
        |list: &[(&str, &str, &str)]| list.iter().any(|(of, at, _)| (*of == "*" || *of == kind) && !path.is_empty() && covers(at, path));
    if ours == recorded || is_listed(MADE) || (recorded.is_none() && is_listed(UNSEEN)) {
        return;
    }
    match (ours, recorded) {
        (Some(Value::Object(ours)), Some(Value::Object(recorded))) => {
            let names: BTreeSet<&String> = ours.keys().chain(recorded.keys()).collect();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                differences(kind, &path, ours.get(name), recorded.get(name), found);
            }
        }
        (Some(Value::Array(ours)), Some(Value::Array(recorded))) if ours.len() == recorded.len() => {
            for (at, (ours, recorded)) in ours.iter().zip(recorded).enumerate() {
                differences(kind, &format!("{path}[{at}]"), Some(ours), Some(recorded), found);
            }
        }
        _ => found.push(format!("{path}: {} for {}", shown(ours), shown(recorded))),
    }
}

/// Returns a list in one order where the catalog says that its order says nothing.
fn sorted_set(kind: &str, path: &str, value: &Value) -> Value {
    let is_set = Catalog::standard().kind(kind).is_some_and(|kind| kind.sets.contains(&path));
    match value {
        Value::Array(list) if is_set => {
            let mut list = list.clone();
            list.sort_by_key(Value::to_string);
            Value::Array(list)
        }
        value => value.clone(),
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("nothing".to_owned(), |value| value.to_string().chars().take(120).collect())
}

fn without_old_fields(kind: &Kind, mut body: Value) -> Value {
    if let ("connections", Value::Object(fields)) = (kind.name, &mut body) {
        fields.remove("enabled_clients");
    }
    body
}

/// Returns a tenant that holds what a new resource is identified by.
fn around(kind: &Kind, request: &Value) -> State {
    let request = Body::from_value(request.clone()).expect("an object");
    let mut data = json!({});
    for reference in kind.references.iter().filter(|reference| kind.key.contains(&reference.path)) {
        let (Some(value), Some(to)) = (request.text(reference.path), Catalog::standard().kind(reference.to)) else { continue };
        let mut other = json!({to.id: value});
        if reference.by == By::Key {
            other[to.key[0]] = value.into();
        }
        data[to.path] = json!([other]);
    }
    State::from_json(json!({"domain": "recorded.eu.auth0.com", "data": data})).expect("a state")
}

#[test]
fn recorded_updates_are_answered_as_they_were() {
    let Some(rows) = rows("updates.jsonl.gz") else { return };
    let mut tally = Tally::default();
    for row in &rows {
        let path = text(row, "path");
        let Some(kind) = kind_of(path) else {
            tally.not_covered += 1;
            continue;
        };
        let (at, before) = match kind.shape {
            Shape::Collection => (kind.path, json!([row["before"]])),
            _ => (path, row["before"].clone()),
        };
        let mut state = State::from_json(json!({"domain": "recorded.eu.auth0.com", "data": {at: before}})).expect("a state");
        let answer = state.ask(text(row, "method"), path, without_old_fields(kind, row["request"].clone()));
        assert_eq!(answer.status, 200, "{}#{}: {}", text(row, "cassette"), row["seq"], answer.body);
        tally.count(kind, row, &answer.body, &row["after"]);
    }
    tally.print("updates of");
    assert!(tally.share(&["clients"]) >= 97.0, "client updates agree less than they did");
    assert!(tally.share(&[]) >= 90.0, "updates agree less than they did");
}

#[test]
fn recorded_creates_are_answered_as_they_were() {
    let Some(rows) = rows("creates.jsonl.gz") else { return };
    let mut tally = Tally::default();
    for row in &rows {
        let Some(kind) = kind_of(text(row, "path")).filter(|kind| kind.path == text(row, "path")) else {
            tally.not_covered += 1;
            continue;
        };
        let mut state = around(kind, &row["request"]);
        let answer = state.ask("POST", kind.path, without_old_fields(kind, row["request"].clone()));
        assert_eq!(json!(answer.status), row["status"], "{}#{}: {}", text(row, "cassette"), row["seq"], answer.body);
        tally.count(kind, row, &answer.body, &row["response"]);
    }
    tally.print("creates of");
    println!("creates of clients: {} rows differ by one field that nothing in the request decides", tally.unexplained);
    // 95 and 90 are wanted. What falls short is listed above, and counted: these floors only keep what there is.
    assert!(tally.share(&["clients"]) >= 89.8, "client creates agree less than they did");
    assert!(tally.share(&[]) >= 89.0, "creates agree less than they did");
}

#[test]
fn recorded_refusals_have_the_same_words() {
    let Some(lines) = open("errors.jsonl") else { return };
    let mut compared = 0;
    for line in BufReader::new(lines).lines() {
        let row: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        let is_absence = row["status"] == 404 && row["method"] == "GET";
        if !is_absence || kind_of(text(&row, "path")).is_none() || row["body"] == json!({}) {
            continue;
        }
        let mut state = State::from_json(json!({"data": {}})).expect("a state");
        assert_eq!(state.ask("GET", text(&row, "path"), Value::Null).body, row["body"], "{}", text(&row, "path"));
        compared += 1;
    }
    println!("refusals: {compared} of {compared} in the same words");
}
