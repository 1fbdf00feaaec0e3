//! `migrate doctor`: what it finds on this machine, and how it says so.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::doctor::{DOCTOR, examined};
use crate::support::example_company::Company;
use crate::support::program::Terminal;

#[test]
fn files_that_others_can_read_a_held_lock_and_an_unfinished_run() {
    let fixture = Company::default().fixture_with("cut-before@w1x*");
    let import = "import --tenant prod --allow many-changes,lockout-risk,weaker-protection --yes --quiet";
    assert_eq!(fixture.run(import).code, 3);
    fixture.write(".env", "OTHER=CANARY\n");
    for (name, mode) in [(".env", 0o644), ("runs", 0o755)] {
        fs::set_permissions(fixture.path(name), fs::Permissions::from_mode(mode)).expect("changed");
    }
    let mut locks = fs::read_dir(fixture.state_home().join("migrate/locks")).expect("a folder");
    let path = locks.next().expect("a lock").expect("an entry").path();
    fs::write(&path, "process 4711 of ada on laptop since 2026-11-25T06:32:27Z").expect("written");
    let held = fs::File::open(&path).expect("opened");
    held.lock().expect("locked");
    assert_snapshot!(examined(&fixture, DOCTOR).whole(), @r#"
    exit 0
    This machine
      ok       configuration  migrate.toml: 2 tenants
      warning  .env           .env can be read by other users of this machine
                              → run `chmod 600 .env`
      warning  folders        ./runs can be read by other users of this machine
                              → run `chmod 700 ./runs`

    prod  acme-prod.eu.auth0.com, target of dev
      ok       credentials    MIGRATE_PROD_CLIENT_ID and MIGRATE_PROD_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      ok       sign-in        the tenant accepts the client and its secret
      ok       tenant         the token is for https://acme-prod.eu.auth0.com/api/v2/
      ok       client         "migrate": machine-to-machine, client_secret_post, client_credentials
      ok       scopes         all 128 that are needed to read and write it; the optional read:logs would name who changed it
      -        rate limit     no response said what it is; migrate slows down when the tenant asks for it
      ok       clock          that of this machine agrees with that of the tenant
      ok       mapping        mappings/dev-to-prod.toml: 23 rules, each of which matches something in the newest snapshot
      ok       secrets        1 of 1 that the mapping needs are there
      warning  lock           held by another run: process 4711 of ada on laptop since TIME
                              → wait until it has finished, or let a run on prod wait with --lock-timeout 10m
      warning  runs           unfinished: TIME-prod
                              → `migrate show TIME-prod` shows what is left, `migrate import --tenant prod --resume TIME-prod` resumes it

    4 warnings; nothing stops a run.
    warning: ".env" contains credentials and can be read by other users: run `chmod 600 .env`
    "#);
}

#[test]
fn a_mapping_with_a_mistake_and_a_missing_secret() {
    let mut fixture = Company::default().fixture();
    fixture.set("PROD_GOOGLE_SECRET", "");
    let said = examined(&fixture, DOCTOR);
    assert_eq!(said.code, 64);
    assert!(
        said.out.contains("  failure  secrets        1 of 1 that the mapping needs are missing: env:PROD_GOOGLE_SECRET\n"),
        "{}",
        said.whole()
    );
    fixture.edit("mappings/dev-to-prod.toml", "field = \"friendly_name\"", "field = \"freindly_name\"");
    let said = examined(&fixture, DOCTOR);
    assert!(said.out.contains("  failure  mapping        mappings/dev-to-prod.toml:"), "{}", said.whole());
    assert!(said.out.contains("there is no field \"freindly_name\" in tenant-settings\n"), "{}", said.whole());
}

#[test]
fn rules_that_match_nothing_in_the_newest_snapshot() {
    let fixture = Company::default().fixture();
    assert_eq!(fixture.run("export --tenant dev --quiet").code, 0);
    let said = examined(&fixture, DOCTOR);
    // One of the example's rules keeps a field that only prod has.
    assert!(said.out.contains("of which 1 matches nothing in the newest snapshot: "), "{}", said.whole());
    fixture.edit("mappings/dev-to-prod.toml", "clients/Dev Playground*", "clients/Dev Playgruond*");
    let said = examined(&fixture, DOCTOR);
    assert_eq!(said.code, 0, "{}", said.whole());
    assert!(said.out.contains("of which 2 match nothing in the newest snapshot: "), "{}", said.whole());
}

#[test]
fn a_folder_that_cannot_be_written() {
    let fixture = Company::default().fixture();
    fixture.write("file", "");
    let said = examined(&fixture, &format!("{DOCTOR} --dir file/below"));
    assert_eq!(said.code, 64);
    assert!(said.out.contains("  failure  folders        nothing can be written in file/below\n"), "{}", said.whole());
}

#[test]
fn a_proxy_and_certificates_of_the_environment() {
    let mut fixture = Company::default().fixture();
    fixture.write("migrate.toml", "[tenants.prod]\ndomain = \"acme-prod.eu.auth0.com\"\n");
    fixture.set("HTTPS_PROXY", "http://ada:CANARY@127.0.0.1:9");
    fixture.set("SSL_CERT_FILE", "missing.pem");
    for name in ["MIGRATE_PROD_CLIENT_SECRET", "MIGRATE_DEV_CLIENT_ID", "MIGRATE_DEV_CLIENT_SECRET"] {
        fixture.set(name, "");
    }
    let said = examined(&fixture, DOCTOR);
    let network = "through the proxy http://127.0.0.1:9, the certificates of SSL_CERT_FILE=missing.pem: there is no missing.pem\n";
    assert!(said.out.contains(&format!("  failure  network        {network}")), "{}", said.whole());
}

#[test]
fn a_proxy_certificates_and_a_secret_that_the_configuration_names() {
    let mut fixture = Company::default().fixture();
    let tenant = |name: &str, more: &str| format!("[tenants.{name}]\ndomain = \"acme-{name}.eu.auth0.com\"\n{more}");
    let own = "proxy = \"env:ACME_PROXY\"\nca_file = \"missing.pem\"\n";
    let command = "client_secret_command = \"touch ran; exit 1\"\n";
    fixture.write("migrate.toml", &(tenant("dev", command) + &tenant("prod", own)));
    fixture.set("MIGRATE_DEV_CLIENT_SECRET", "");
    fixture.set("ACME_PROXY", "http://ada:CANARY@127.0.0.1:9");
    let said = examined(&fixture, DOCTOR);
    let network = "the ca_file of tenant \"prod\" cannot be used (migrate.toml:7): cannot read \"missing.pem\"";
    assert!(said.out.contains(&format!("  failure  network        {network}")), "{}", said.whole());
    // The command of another tenant is not run to compare its client.
    assert!(!fixture.path("ran").exists());
    fixture.edit("migrate.toml", "ca_file = \"missing.pem\"\n", "");
    let said = examined(&fixture, DOCTOR);
    assert!(said.out.contains("through the proxy http://127.0.0.1:9, the certificates of this system\n"), "{}", said.whole());
    fixture.edit("migrate.toml", "touch ran; ", "");
    let said = examined(&fixture, "doctor --tenant dev");
    assert!(
        said.out.contains("the client_secret_command of tenant \"dev\" failed with exit status: 1 (migrate.toml:3)"),
        "{}",
        said.whole()
    );
    fixture.edit("migrate.toml", "exit 1", "echo CANARY-printed");
    let said = examined(&fixture, "doctor --tenant dev");
    let from = "MIGRATE_DEV_CLIENT_ID, from the environment; the secret, from client_secret_command\n";
    assert!(said.out.contains(from), "{}", said.whole());
}

#[test]
fn a_checkup_is_json_for_programs() {
    let mut fixture = Company::default().fixture();
    fixture.set("MIGRATE_PROD_CLIENT_SECRET", "CANARY-wrong");
    let json = examined(&fixture, &format!("{DOCTOR} --output json")).json();
    let schema = fixture.run("schema doctor").json();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    assert!(validator.is_valid(&json), "{json:#}");
    assert_eq!((&json["format"], &json["exit"], &json["counts"]["failure"]), (&json!(1), &json!(64), &json!(1)));
    let failed: Vec<&Value> = json["checks"].as_array().expect("checks").iter().filter(|check| check["status"] == "failure").collect();
    assert_snapshot!(format!("{:#}", failed[0]), @r#"
    {
      "advice": "compare the id l2gwJXbSuC02ipcZ1U4e0bdyqsojwYoU and the secret with Dashboard > Applications > Applications > (the application) > Settings of acme-prod.eu.auth0.com; they may be those of another tenant",
      "check": "sign_in",
      "fact": "the tenant did not accept the credentials: Unauthorized",
      "status": "failure",
      "tenant": "prod"
    }
    "#);
}

#[test]
fn a_tenant_that_is_not_configured() {
    let said = examined(&Company::default().fixture(), "doctor --tenant prdo");
    assert_eq!(said.code, 64);
    assert!(said.err.contains("did you mean \"prod\"?"), "{}", said.whole());
}

#[test]
fn at_a_terminal_long_lines_continue_below_themselves() {
    let company = Company::default().without_scopes_in_prod(&["read:roles", "create:clients", "update:connections_options"]);
    let fixture = company.fixture();
    let terminal = Terminal::open().of_columns(80);
    let mut doctor = fixture.start_at(&terminal, DOCTOR);
    let shown = fixture.without_places(&anstream::adapter::strip_str(&terminal.shown()).to_string());
    assert_eq!(doctor.wait().expect("it ended").code(), Some(64), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    assert_snapshot!(shown, @r#"
    This machine
      ok       configuration  migrate.toml: 2 tenants
      ok       .env           there is no .env; credentials come from the
                              environment
      ok       folders        snapshots, state and runs can be written in this
                              folder

    prod  acme-prod.eu.auth0.com, target of dev
      ok       credentials    MIGRATE_PROD_CLIENT_ID and MIGRATE_PROD_CLIENT_SECRET,
                              from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a
                              proxy
      ok       sign-in        the tenant accepts the client and its secret
      ok       tenant         the token is for https://acme-
                              prod.eu.auth0.com/api/v2/
      ok       client         "migrate": machine-to-machine, client_secret_post,
                              client_credentials
      failure  scopes         3 of 128 that are needed to read and write it are
                              missing: create:clients, read:roles,
                              update:connections_options
                              → tick them in Dashboard > Applications > APIs > Auth0
                                Management API > Machine to Machine Applications >
                                migrate
      -        rate limit     no response said what it is; migrate slows down when
                              the tenant asks for it
      ok       clock          that of this machine agrees with that of the tenant
      ok       mapping        mappings/dev-to-prod.toml: 23 rules; there is no
                              snapshot of dev yet, so rules that match nothing are
                              not known
      ok       secrets        1 of 1 that the mapping needs are there
      ok       lock           free
      ok       runs           none is unfinished

    1 failure to correct before a run.
    "#);
}
