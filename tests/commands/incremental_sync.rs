//! Incremental nights: only what the tenants' logs name is read, and whatever does not fit together leads to a complete reading.

use std::time::{Duration, SystemTime};

use auth0_migrate::sandbox::{Caller, LogLimits};
use serde_json::{Value, json};

use crate::support::fixture::{CommandOutput, Fixture, dev, prod};

const NIGHTLY: &str = "nightly = { read = \"incremental\", log_delay = \"0s\" }\n";
const SYNC: &str = "sync --from dev --to prod --quiet --output json";
const DEV_SHOP: &str = "/clients/devShop000000000000000000000000a";
const PROD_SHOP: &str = "/clients/prodShop00000000000000000000000a";
/// The requests that a night without changes may cost a tenant.
const QUIET: usize = 5;

fn jane() -> Caller {
    Caller::administrator("auth0|1", "Jane", "jane@acme.example")
}

fn describe(fixture: &Fixture, tenant: &str, text: &str) {
    let shop = if tenant == "dev" { DEV_SHOP } else { PROD_SHOP };
    fixture.ask_as(jane(), (tenant, "PATCH", shop), &json!({"description": text}));
}

/// Returns a fixture between whose tenants only descriptions differ, after its first night.
fn synced() -> Fixture {
    synced_with(NIGHTLY)
}

fn synced_with(nightly: &str) -> Fixture {
    let (mut ours, mut theirs) = (dev(), prod());
    theirs["data"]["/clients"][0]["callbacks"] = ours["data"]["/clients"][0]["callbacks"].clone();
    let grant = json!({"id": "cgr_devShop0001", "client_id": "devShop000000000000000000000000a", "audience": "https://api.acme.example", "scope": []});
    ours["data"]["/client-grants"] = json!([grant]);
    ours["data"]["/resource-servers"] = json!([{"id": "rs_dev1", "name": "API", "identifier": "https://api.acme.example", "scopes": []}]);
    let fixture = Fixture::new(ours, theirs, "");
    fixture.configure(nightly);
    for tenant in ["dev", "prod"] {
        describe(&fixture, tenant, "before the first night");
    }
    let first = fixture.run(SYNC);
    assert_eq!(first.code, 0, "{}", first.whole());
    assert_eq!(mode(&first), ["full: there is no earlier reading to continue from", "full: there is no earlier reading to continue from"]);
    // The second night reads what the first one wrote.
    let second = fixture.run(SYNC);
    assert_eq!(second.code, 0, "{}", second.whole());
    fixture
}

/// Returns how a sync read its source and its target.
fn mode(said: &CommandOutput) -> [String; 2] {
    let json = said.json();
    ["source", "target"].map(|side| {
        let reading = &json["reading"][side];
        match reading["mode"].as_str() {
            Some("full") => format!("full: {}", reading["reason"].as_str().expect("a reason")),
            Some(_) => {
                let kinds: Vec<&str> = reading["kinds"].as_array().expect("kinds").iter().filter_map(Value::as_str).collect();
                format!("incremental: {}", kinds.join(" "))
            }
            None => "not said".to_owned(),
        }
    })
}

fn requests(fixture: &Fixture) -> [usize; 2] {
    [fixture.requests_of_dev().len(), fixture.requests().len()]
}

fn description(fixture: &Fixture) -> String {
    let clients = fixture.prod("/clients");
    let shop = clients.as_array().expect("clients").iter().find(|client| client["name"] == "Shop").expect("Shop");
    shop["description"].as_str().unwrap_or_default().to_owned()
}

/// Runs a night after an edit of dev and returns how prod was read; the edit must have arrived.
fn night_after(fixture: &Fixture, text: &str) -> String {
    describe(fixture, "dev", text);
    let said = fixture.run(SYNC);
    assert!(matches!(said.code, 0 | 3), "{}", said.whole());
    assert_eq!(description(fixture), text, "{}", said.whole());
    let [_, target] = mode(&said);
    target
}

/// Returns when prod was read last, as it is remembered.
fn searched(fixture: &Fixture) -> String {
    let record: Value = serde_json::from_str(&fixture.read("state/dev/prod/readings/target.json")).expect("JSON");
    record["searched"].as_str().expect("a time").to_owned()
}

/// Runs the night after a complete reading, which continues from it.
fn assert_continued(fixture: &Fixture) {
    let said = fixture.run(SYNC);
    assert!(mode(&said)[1].starts_with("incremental: "), "{}", said.whole());
}

/// Drops prod's log so far. The times in a journal are whole seconds, and the runs so far must be earlier than the next night.
fn forget_log(fixture: &Fixture) {
    fixture.forget_log_of_prod();
    std::thread::sleep(Duration::from_secs(2));
}

/// Sets a field of what is remembered of prod.
fn remember(fixture: &Fixture, field: &str, value: Value) {
    let file = "state/dev/prod/readings/target.json";
    let mut record: Value = serde_json::from_str(&fixture.read(file)).expect("JSON");
    record[field] = value;
    fixture.write(file, &record.to_string());
}

fn ago(time: Duration) -> Value {
    json!(humantime::format_rfc3339_millis(SystemTime::now() - time).to_string())
}

#[test]
fn a_night_without_changes_costs_a_handful_of_requests() {
    let fixture = synced();
    let before = requests(&fixture);
    let said = fixture.run(SYNC);
    assert_eq!((said.code, mode(&said)), (0, ["incremental: ".to_owned(), "incremental: ".to_owned()]), "{}", said.whole());
    let after = requests(&fixture);
    assert!(after.iter().zip(before).all(|(after, before)| after - before <= QUIET), "{before:?} -> {after:?}");
}

#[test]
fn an_edit_of_the_source_is_applied_and_only_its_kinds_are_read() {
    let fixture = synced();
    describe(&fixture, "dev", "edited");
    let said = fixture.run(SYNC);
    let [source, target] = mode(&said);
    assert_eq!((description(&fixture).as_str(), target.as_str()), ("edited", "incremental: "), "{}", said.whole());
    assert!(source.contains("clients") && !source.contains("resource-servers"), "{source}");
    // The next night sees its own write in prod's log, the one after that has nothing to read.
    let [_, target] = mode(&fixture.run(SYNC));
    assert!(target.contains("clients"), "{target}");
    assert_eq!(mode(&fixture.run(SYNC)), ["incremental: ", "incremental: "]);
}

#[test]
fn drift_is_found_in_a_kind_that_the_log_of_the_target_names() {
    let fixture = synced();
    describe(&fixture, "prod", "by hand");
    let said = fixture.run(SYNC);
    assert_eq!(said.json()["drift"][0]["path"], "description", "{}", said.whole());
    assert_eq!(description(&fixture), "by hand");
}

#[test]
fn what_a_deletion_takes_along_is_read_again() {
    let fixture = synced();
    fixture.ask_as(jane(), ("dev", "DELETE", DEV_SHOP), &Value::Null);
    let [source, _] = mode(&fixture.run(SYNC));
    assert!(source.contains("client-grants"), "the grant named the client: {source}");
}

#[test]
fn nothing_is_deleted_on_the_word_of_the_log_alone() {
    let fixture = synced();
    fixture.ask_as(jane(), ("dev", "DELETE", "/clients/devTill000000000000000000000000a"), &Value::Null);
    let said = fixture.run(&format!("{SYNC} --prune --allow deletes,many-changes"));
    assert_eq!(mode(&said), ["full: resources would be deleted", "full: resources would be deleted"], "{}", said.whole());
    assert_eq!(said.code, 0, "{}", said.whole());
    assert!(!fixture.prod("/clients").to_string().contains("Till"));
}

#[test]
fn a_reading_is_not_used_after_what_it_depends_on_changed() {
    let fixture = synced();
    let selected = fixture.run(&format!("{SYNC} --only clients/Shop"));
    assert_eq!(mode(&selected)[1], "full: only some resources are selected");
    assert_eq!(mode(&fixture.run(SYNC))[1], "incremental: ", "a selection leaves what is remembered");
    assert_eq!(mode(&fixture.run(&format!("{SYNC} --include third-party")))[1], "full: --include changed since the last reading");
    assert_eq!(mode(&fixture.run(SYNC))[1], "full: --include changed since the last reading");
    fixture.write("map.toml", "");
    assert_eq!(mode(&fixture.run(&format!("{SYNC} --mapping map.toml")))[1], "full: the mapping changed since the last reading");
    assert_eq!(mode(&fixture.run(SYNC))[1], "full: the mapping changed since the last reading");
    remember(&fixture, "full", ago(Duration::from_secs(8 * 86_400)));
    assert_eq!(mode(&fixture.run(SYNC))[1], "full: the last complete reading is more than 7days old");
    let mut conditions: Value = serde_json::from_str(&fixture.read("state/dev/prod/readings/target.json")).expect("JSON");
    conditions["conditions"]["version"] = json!("0.0.1");
    remember(&fixture, "conditions", conditions["conditions"].clone());
    assert_eq!(mode(&fixture.run(SYNC))[1], "full: the version of migrate changed since the last reading");
    assert_eq!(mode(&fixture.run(&format!("{SYNC} --full"))), ["not said", "not said"]);
    assert_eq!(mode(&fixture.run(SYNC)), ["incremental: ", "incremental: "]);
}

#[test]
fn a_damaged_reading_is_not_used() {
    let fixture = synced();
    let file =
        fixture.files().into_iter().find(|file| file.ends_with("clients.json") && file.to_string_lossy().contains("readings/target"));
    let file = file.expect("a reading");
    let text = std::fs::read_to_string(&file).expect("a file").replace("Shop", "Shed");
    std::fs::write(&file, text).expect("written");
    let reason = night_after(&fixture, "after the damage");
    assert!(reason.starts_with("full: the last reading cannot be used: snapshot \""), "{reason}");
    assert_continued(&fixture);
}

#[test]
fn an_entry_that_comes_late_leads_to_a_complete_reading() {
    let fixture = synced_with("nightly = { read = \"incremental\", log_delay = \"12m\" }\n");
    fixture.limit_log_of_prod(LogLimits { delay: Duration::from_secs(600), ..LogLimits::default() });
    describe(&fixture, "prod", "late");
    assert_eq!(mode(&fixture.run(SYNC))[1], "incremental: ", "the entry is not there yet");
    assert_eq!(description(&fixture), "late");
    fixture.limit_log_of_prod(LogLimits::default());
    // As if that night had been yesterday, and the log had been searched long after the write.
    remember(&fixture, "searched", json!(humantime::format_rfc3339_millis(SystemTime::now() + Duration::from_secs(600)).to_string()));
    let said = fixture.run(SYNC);
    assert!(mode(&said)[1].starts_with("full: a write of "), "{}", said.whole());
    assert_eq!(said.json()["drift"][0]["path"], "description");
    assert!(said.json()["text"].as_str().expect("a line").contains("prod was read completely: a write of"), "{}", said.whole());
}

#[test]
fn an_entry_that_comes_a_little_late_is_read_the_next_night() {
    let fixture = synced_with("nightly = { read = \"incremental\", log_delay = \"1h\" }\n");
    fixture.limit_log_of_prod(LogLimits { delay: Duration::from_secs(600), ..LogLimits::default() });
    describe(&fixture, "prod", "a little late");
    assert_eq!(mode(&fixture.run(SYNC))[1], "incremental: ", "the entry is not there yet");
    fixture.limit_log_of_prod(LogLimits::default());
    let said = fixture.run(SYNC);
    assert!(mode(&said)[1].starts_with("incremental: "), "{}", said.whole());
    assert_eq!(said.json()["drift"][0]["path"], "description", "{}", said.whole());
}

#[test]
fn a_log_that_does_not_reach_back_leads_to_a_complete_reading() {
    let fixture = synced();
    remember(&fixture, "searched", ago(Duration::from_secs(40 * 86_400)));
    assert_eq!(night_after(&fixture, "after the retention"), "full: the tenant's log begins on MINUTE, after the last reading");
    assert_continued(&fixture);
    forget_log(&fixture);
    assert_eq!(
        night_after(&fixture, "after the log was emptied"),
        "full: the tenant's log shows no write at all, so it may not be searchable"
    );
    assert_continued(&fixture);
}

#[test]
fn a_log_that_lacks_writes_of_an_earlier_run_leads_to_a_complete_reading() {
    let fixture = synced();
    night_after(&fixture, "a run writes");
    forget_log(&fixture);
    describe(&fixture, "prod", "the log goes on");
    let said = fixture.run(SYNC);
    assert!(mode(&said)[1].starts_with("full: the tenant's log lacks writes of run "), "{}", said.whole());
    assert_eq!(said.json()["drift"][0]["path"], "description");
    assert_continued(&fixture);
}

#[test]
fn more_writes_than_a_search_finds_lead_to_a_complete_reading() {
    let fixture = synced();
    for number in 0..1_000 {
        describe(&fixture, "prod", &format!("edit {number}"));
    }
    let before = searched(&fixture);
    let said = fixture.run(SYNC);
    assert_eq!(mode(&said)[1], "full: the tenant's log has more writes since the last reading than a search finds");
    assert_eq!(said.json()["drift"][0]["path"], "description");
    assert!(searched(&fixture) > before, "the next night continues from this one");
}

#[test]
fn a_log_that_may_not_be_read_leads_to_a_complete_reading_which_is_said_once() {
    let mut fixture = synced();
    let scopes: Vec<&str> = auth0_migrate::catalog::Catalog::standard()
        .kinds()
        .flat_map(|kind| kind.scopes.read.iter().chain(kind.scopes.create).chain(kind.scopes.update))
        .copied()
        .collect();
    fixture.sign_in_to_prod_with(&scopes);
    assert_eq!(night_after(&fixture, "without the scope"), "full: the token lacks the optional scope read:logs");
    let quiet = fixture.run(&SYNC.replace(" --output json", ""));
    assert_eq!((quiet.code, quiet.out.as_str()), (0, ""), "it was said the night before: {}", quiet.whole());
}

#[test]
fn what_is_remembered_of_a_tenant_contains_no_secret() {
    let fixture = synced();
    let files: Vec<_> = fixture.files().into_iter().filter(|file| file.to_string_lossy().contains("/readings/")).collect();
    assert!(files.len() > 10, "{files:?}");
    for file in files {
        assert!(!std::fs::read_to_string(&file).expect("a file").contains("CANARY"), "{}", file.display());
    }
}
