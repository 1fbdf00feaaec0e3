//! `migrate doctor`: whether everything is ready for a run, and what to do about what is not.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use auth0_migrate::sandbox::Options;
use insta::assert_snapshot;

use serde_json::json;

use crate::support::example_company::{Company, own_client};
use crate::support::fixture::{CommandOutput, Fixture};

pub(super) const DOCTOR: &str = "doctor --tenant prod";

/// Returns every file of a fixture with its content.
fn contents(fixture: &Fixture) -> BTreeMap<PathBuf, Vec<u8>> {
    fixture.files().into_iter().map(|path| (path.clone(), fs::read(path).expect("read"))).collect()
}

/// Runs a checkup, which writes nothing and shows no secret.
pub(super) fn examined(fixture: &Fixture, line: &str) -> CommandOutput {
    let (before, writes) = (contents(fixture), fixture.writes());
    let said = fixture.run(line);
    assert_eq!(fixture.writes(), writes, "{}", said.whole());
    assert_eq!(contents(fixture), before, "{}", said.whole());
    assert!(!said.whole().contains("CANARY"), "{}", said.whole());
    said
}

#[test]
fn two_tenants_that_are_ready_for_a_run() {
    assert_snapshot!(examined(&Company::default().fixture(), "doctor").whole(), @r#"
    exit 0
    This machine
      ok       configuration  migrate.toml: 2 tenants
      ok       .env           there is no .env; credentials come from the environment
      ok       folders        snapshots, state and runs can be written in this folder

    dev  acme-dev.eu.auth0.com, source of prod
      ok       credentials    MIGRATE_DEV_CLIENT_ID and MIGRATE_DEV_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      ok       sign-in        the tenant accepts the client and its secret
      ok       tenant         the token is for https://acme-dev.eu.auth0.com/api/v2/
      ok       client         "migrate": machine-to-machine, client_secret_post, client_credentials
      ok       scopes         all 46 that are needed to read it
      -        rate limit     no response said what it is; migrate slows down when the tenant asks for it
      ok       clock          that of this machine agrees with that of the tenant

    prod  acme-prod.eu.auth0.com, target of dev
      ok       credentials    MIGRATE_PROD_CLIENT_ID and MIGRATE_PROD_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      ok       sign-in        the tenant accepts the client and its secret
      ok       tenant         the token is for https://acme-prod.eu.auth0.com/api/v2/
      ok       client         "migrate": machine-to-machine, client_secret_post, client_credentials
      ok       scopes         all 128 that are needed to read and write it; the optional read:logs would name who changed it
      -        rate limit     no response said what it is; migrate slows down when the tenant asks for it
      ok       clock          that of this machine agrees with that of the tenant
      ok       mapping        mappings/dev-to-prod.toml: 23 rules; there is no snapshot of dev yet, so rules that match nothing are not known
      ok       secrets        1 of 1 that the mapping needs are there
      ok       lock           free
      ok       runs           none is unfinished

    Everything is ready for a run.
    "#);
}

#[test]
fn a_wrong_secret() {
    let mut fixture = Company::default().fixture();
    fixture.set("MIGRATE_PROD_CLIENT_SECRET", "CANARY-wrong");
    assert_snapshot!(examined(&fixture, DOCTOR).whole(), @r"
    exit 64
    This machine
      ok       configuration  migrate.toml: 2 tenants
      ok       .env           there is no .env; credentials come from the environment
      ok       folders        snapshots, state and runs can be written in this folder

    prod  acme-prod.eu.auth0.com, target of dev
      ok       credentials    MIGRATE_PROD_CLIENT_ID and MIGRATE_PROD_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      failure  sign-in        the tenant did not accept the credentials: Unauthorized
                              → compare the id l2gwJXbSuC02ipcZ1U4e0bdyqsojwYoU and the secret with Dashboard > Applications > Applications > (the application) > Settings of acme-prod.eu.auth0.com; they may be those of another tenant
      ok       tenant         it answers as https://acme-prod.eu.auth0.com/
      -        client         not checked: nobody is signed in
      -        scopes         not checked: nobody is signed in
      -        rate limit     not checked: nobody is signed in
      ok       clock          that of this machine agrees with that of the tenant
      ok       mapping        mappings/dev-to-prod.toml: 23 rules; there is no snapshot of dev yet, so rules that match nothing are not known
      ok       secrets        1 of 1 that the mapping needs are there
      ok       lock           free
      ok       runs           none is unfinished

    1 failure to correct before a run.
    ");
}

#[test]
fn no_credentials() {
    let mut fixture = Company::default().fixture();
    fixture.set("MIGRATE_PROD_CLIENT_SECRET", "");
    assert_snapshot!(examined(&fixture, DOCTOR).whole(), @r#"
    exit 64
    This machine
      ok       configuration  migrate.toml: 2 tenants
      ok       .env           there is no .env; credentials come from the environment
      ok       folders        snapshots, state and runs can be written in this folder

    prod  acme-prod.eu.auth0.com, target of dev
      failure  credentials    no credentials for tenant "prod": set MIGRATE_PROD_CLIENT_SECRET in the environment or in ".env"
                              → create a machine-to-machine application in that tenant (Dashboard > Applications > Applications), authorize it for the Auth0 Management API, and set its id and secret
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      -        sign-in        the tenant was not asked
      -        tenant         the tenant was not asked
      -        client         the tenant was not asked
      -        scopes         the tenant was not asked
      -        rate limit     the tenant was not asked
      -        clock          the tenant was not asked
      ok       mapping        mappings/dev-to-prod.toml: 23 rules; there is no snapshot of dev yet, so rules that match nothing are not known
      ok       secrets        1 of 1 that the mapping needs are there
      ok       lock           free
      ok       runs           none is unfinished

    1 failure to correct before a run.
    "#);
}

#[test]
fn missing_scopes_of_a_target() {
    let company = Company::default().without_scopes_in_prod(&["read:roles", "create:clients", "update:connections_options"]);
    assert_snapshot!(examined(&company.fixture(), DOCTOR).whole(), @r#"
    exit 64
    This machine
      ok       configuration  migrate.toml: 2 tenants
      ok       .env           there is no .env; credentials come from the environment
      ok       folders        snapshots, state and runs can be written in this folder

    prod  acme-prod.eu.auth0.com, target of dev
      ok       credentials    MIGRATE_PROD_CLIENT_ID and MIGRATE_PROD_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      ok       sign-in        the tenant accepts the client and its secret
      ok       tenant         the token is for https://acme-prod.eu.auth0.com/api/v2/
      ok       client         "migrate": machine-to-machine, client_secret_post, client_credentials
      failure  scopes         3 of 128 that are needed to read and write it are missing: create:clients, read:roles, update:connections_options
                              → tick them in Dashboard > Applications > APIs > Auth0 Management API > Machine to Machine Applications > migrate
      -        rate limit     no response said what it is; migrate slows down when the tenant asks for it
      ok       clock          that of this machine agrees with that of the tenant
      ok       mapping        mappings/dev-to-prod.toml: 23 rules; there is no snapshot of dev yet, so rules that match nothing are not known
      ok       secrets        1 of 1 that the mapping needs are there
      ok       lock           free
      ok       runs           none is unfinished

    1 failure to correct before a run.
    "#);
}

#[test]
fn scopes_that_selected_kinds_do_not_need_may_be_missing() {
    let fixture = Company::default().without_scopes_in_prod(&["read:roles", "create:roles"]).fixture();
    assert_eq!(examined(&fixture, &format!("{DOCTOR} --kinds clients,client-grants")).code, 0);
    let said = examined(&fixture, &format!("{DOCTOR} --kinds roles"));
    assert_eq!(said.code, 64, "{}", said.whole());
    assert!(said.out.contains("are missing: create:roles, read:roles\n"), "{}", said.whole());
}

#[test]
fn missing_scopes_of_a_source_are_a_warning() {
    let company = Company::default().without_scopes_in_dev(&["read:roles", "read:clients"]);
    assert_snapshot!(examined(&company.fixture(), "doctor --tenant dev").whole(), @r"
    exit 0
    This machine
      ok       configuration  migrate.toml: 2 tenants
      ok       .env           there is no .env; credentials come from the environment
      ok       folders        snapshots, state and runs can be written in this folder

    dev  acme-dev.eu.auth0.com, source of prod
      ok       credentials    MIGRATE_DEV_CLIENT_ID and MIGRATE_DEV_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      ok       sign-in        the tenant accepts the client and its secret
      ok       tenant         the token is for https://acme-dev.eu.auth0.com/api/v2/
      -        client         not checked: the token may not read clients
      warning  scopes         2 of 46 that are needed to read it are missing: read:clients, read:roles; what they are for is not copied
                              → tick them in Dashboard > Applications > APIs > Auth0 Management API > Machine to Machine Applications > 028cMDNrPri8GnAHxIJfqr5B333qR5vF
      -        rate limit     no response said what it is; migrate slows down when the tenant asks for it
      ok       clock          that of this machine agrees with that of the tenant

    1 warning; nothing stops a run.
    ");
}

#[test]
fn tenants_whose_addresses_are_swapped() {
    let fixture = Company::default().fixture();
    let (text, [dev, prod]) = (fixture.read("migrate.toml"), fixture.urls());
    fixture.write("migrate.toml", &text.replace(&dev, "DEV").replace(&prod, &dev).replace("DEV", &prod));
    assert_snapshot!(examined(&fixture, DOCTOR).whole(), @r#"
    exit 64
    This machine
      ok       configuration  migrate.toml: 2 tenants
      ok       .env           there is no .env; credentials come from the environment
      ok       folders        snapshots, state and runs can be written in this folder

    prod  acme-prod.eu.auth0.com, target of dev
      ok       credentials    MIGRATE_PROD_CLIENT_ID and MIGRATE_PROD_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      failure  sign-in        the tenant did not accept the credentials: Service not enabled within domain: https://acme-prod.eu.auth0.com/api/v2/
                              → authorize the application l2gwJXbSuC02ipcZ1U4e0bdyqsojwYoU in Dashboard > Applications > APIs > Auth0 Management API > Machine to Machine Applications; if it is authorized, `domain` in migrate.toml is not the tenant's own domain (a custom domain is none)
      failure  tenant         it answers as https://acme-dev.eu.auth0.com/, and not as https://acme-prod.eu.auth0.com/
                              → correct `domain` and `url` of "prod" in migrate.toml; another tenant may have them
      -        client         not checked: nobody is signed in
      -        scopes         not checked: nobody is signed in
      -        rate limit     not checked: nobody is signed in
      ok       clock          that of this machine agrees with that of the tenant
      ok       mapping        mappings/dev-to-prod.toml: 23 rules; there is no snapshot of dev yet, so rules that match nothing are not known
      ok       secrets        1 of 1 that the mapping needs are there
      ok       lock           free
      ok       runs           none is unfinished

    2 failures to correct before a run.
    "#);
}

#[test]
fn credentials_of_another_tenant() {
    let mut fixture = Company::default().fixture();
    let dev = own_client(&mut Company::default().dev).clone();
    for (variable, field) in [("MIGRATE_PROD_CLIENT_ID", "client_id"), ("MIGRATE_PROD_CLIENT_SECRET", "client_secret")] {
        fixture.set(variable, dev[field].as_str().expect("a text"));
    }
    assert_snapshot!(examined(&fixture, DOCTOR).whole(), @r#"
    exit 64
    This machine
      ok       configuration  migrate.toml: 2 tenants
      ok       .env           there is no .env; credentials come from the environment
      ok       folders        snapshots, state and runs can be written in this folder

    prod  acme-prod.eu.auth0.com, target of dev
      warning  credentials    MIGRATE_PROD_CLIENT_ID and MIGRATE_PROD_CLIENT_SECRET, from the environment; "dev" has the same client id
                              → each tenant has clients of its own: use the id and the secret of an application of this tenant
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      failure  sign-in        the tenant did not accept the credentials: Unauthorized
                              → compare the id 028cMDNrPri8GnAHxIJfqr5B333qR5vF and the secret with Dashboard > Applications > Applications > (the application) > Settings of acme-prod.eu.auth0.com; they may be those of another tenant
      ok       tenant         it answers as https://acme-prod.eu.auth0.com/
      -        client         not checked: nobody is signed in
      -        scopes         not checked: nobody is signed in
      -        rate limit     not checked: nobody is signed in
      ok       clock          that of this machine agrees with that of the tenant
      ok       mapping        mappings/dev-to-prod.toml: 23 rules; there is no snapshot of dev yet, so rules that match nothing are not known
      ok       secrets        1 of 1 that the mapping needs are there
      ok       lock           free
      ok       runs           none is unfinished

    1 failure to correct before a run, and 1 warning.
    "#);
}

#[test]
fn an_access_token_of_another_tenant() {
    let mut fixture = Company::default().fixture();
    fixture.sign_in_to_dev_with(&["read:clients"]);
    let token = fixture.variable("MIGRATE_DEV_ACCESS_TOKEN");
    for (variable, value) in [("MIGRATE_PROD_CLIENT_ID", ""), ("MIGRATE_PROD_CLIENT_SECRET", ""), ("MIGRATE_PROD_ACCESS_TOKEN", &token)] {
        fixture.set(variable, value);
    }
    let said = examined(&fixture, DOCTOR);
    assert_eq!(said.code, 64);
    assert!(said.out.contains("  failure  sign-in        the tenant did not accept the credentials: Invalid token\n"), "{}", said.whole());
}

#[test]
fn a_custom_domain_in_place_of_the_tenants_own() {
    let fixture = Company::default().fixture();
    fixture.edit("migrate.toml", "acme-prod.eu.auth0.com", "login.acme.example");
    assert_snapshot!(examined(&fixture, DOCTOR).whole(), @r#"
    exit 64
    This machine
      ok       configuration  migrate.toml: 2 tenants
      ok       .env           there is no .env; credentials come from the environment
      ok       folders        snapshots, state and runs can be written in this folder

    prod  login.acme.example, target of dev
      ok       credentials    MIGRATE_PROD_CLIENT_ID and MIGRATE_PROD_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      failure  sign-in        the tenant did not accept the credentials: Service not enabled within domain: https://login.acme.example/api/v2/
                              → authorize the application l2gwJXbSuC02ipcZ1U4e0bdyqsojwYoU in Dashboard > Applications > APIs > Auth0 Management API > Machine to Machine Applications; if it is authorized, `domain` in migrate.toml is not the tenant's own domain (a custom domain is none)
      failure  tenant         it answers as https://acme-prod.eu.auth0.com/, and not as https://login.acme.example/
                              → correct `domain` and `url` of "prod" in migrate.toml; another tenant may have them
      -        client         not checked: nobody is signed in
      -        scopes         not checked: nobody is signed in
      -        rate limit     not checked: nobody is signed in
      ok       clock          that of this machine agrees with that of the tenant
      ok       mapping        mappings/dev-to-prod.toml: 23 rules; there is no snapshot of dev yet, so rules that match nothing are not known
      ok       secrets        1 of 1 that the mapping needs are there
      ok       lock           free
      ok       runs           none is unfinished

    2 failures to correct before a run.
    "#);
}

#[test]
fn an_unreachable_tenant_and_everything_else() {
    let mut fixture = Company::default().fixture();
    fixture.stop_prod();
    assert_snapshot!(examined(&fixture, "doctor").whole(), @r#"
    exit 64
    This machine
      ok       configuration  migrate.toml: 2 tenants
      ok       .env           there is no .env; credentials come from the environment
      ok       folders        snapshots, state and runs can be written in this folder

    dev  acme-dev.eu.auth0.com, source of prod
      ok       credentials    MIGRATE_DEV_CLIENT_ID and MIGRATE_DEV_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      ok       sign-in        the tenant accepts the client and its secret
      ok       tenant         the token is for https://acme-dev.eu.auth0.com/api/v2/
      ok       client         "migrate": machine-to-machine, client_secret_post, client_credentials
      ok       scopes         all 46 that are needed to read it
      -        rate limit     no response said what it is; migrate slows down when the tenant asks for it
      ok       clock          that of this machine agrees with that of the tenant

    prod  acme-prod.eu.auth0.com, target of dev
      ok       credentials    MIGRATE_PROD_CLIENT_ID and MIGRATE_PROD_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      failure  sign-in        no response from 127.0.0.1:PORT to POST /oauth/token: Connection refused (os error 111)
                              → check `domain` in migrate.toml, the network and the proxy; if a proxy on the way has a certificate of its own, set `ca_file` of the tenant to a file with the certificates to trust
      -        tenant         no answer says which tenant it is
      -        client         not checked: nobody is signed in
      -        scopes         not checked: nobody is signed in
      -        rate limit     not checked: nobody is signed in
      -        clock          not checked: no response said what time it is
      ok       mapping        mappings/dev-to-prod.toml: 23 rules; there is no snapshot of dev yet, so rules that match nothing are not known
      ok       secrets        1 of 1 that the mapping needs are there
      ok       lock           free
      ok       runs           none is unfinished

    1 failure to correct before a run.
    "#);
}

#[test]
fn a_client_without_the_grant_type() {
    let mut company = Company::default();
    own_client(&mut company.prod)["grant_types"] = json!(["authorization_code"]);
    assert_snapshot!(examined(&company.fixture(), DOCTOR).whole(), @r"
    exit 64
    This machine
      ok       configuration  migrate.toml: 2 tenants
      ok       .env           there is no .env; credentials come from the environment
      ok       folders        snapshots, state and runs can be written in this folder

    prod  acme-prod.eu.auth0.com, target of dev
      ok       credentials    MIGRATE_PROD_CLIENT_ID and MIGRATE_PROD_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      failure  sign-in        the tenant did not accept the credentials: Grant type 'client_credentials' not allowed for the client.
                              → tick Client Credentials in Dashboard > Applications > Applications > (the application l2gwJXbSuC02ipcZ1U4e0bdyqsojwYoU) > Settings > Advanced Settings > Grant Types
      ok       tenant         it answers as https://acme-prod.eu.auth0.com/
      -        client         not checked: nobody is signed in
      -        scopes         not checked: nobody is signed in
      -        rate limit     not checked: nobody is signed in
      ok       clock          that of this machine agrees with that of the tenant
      ok       mapping        mappings/dev-to-prod.toml: 23 rules; there is no snapshot of dev yet, so rules that match nothing are not known
      ok       secrets        1 of 1 that the mapping needs are there
      ok       lock           free
      ok       runs           none is unfinished

    1 failure to correct before a run.
    ");
}

#[test]
fn a_third_party_client() {
    let mut company = Company::default();
    own_client(&mut company.prod)["is_first_party"] = json!(false);
    let said = examined(&company.fixture(), DOCTOR);
    assert_eq!(said.code, 64);
    assert!(said.out.contains("client_credentials, third-party\n"), "{}", said.whole());
}

#[test]
fn a_wrong_clock_and_a_rate_limit() {
    let mut fixture = Company::default().fixture();
    let of_another_hour = |options: Options| options.clock_ahead(Duration::from_secs(3_600)).rate_limit(10.0, 50);
    fixture.restart_prod_by(of_another_hour);
    assert_snapshot!(examined(&fixture, DOCTOR).whole(), @r#"
    exit 0
    This machine
      ok       configuration  migrate.toml: 2 tenants
      ok       .env           there is no .env; credentials come from the environment
      ok       folders        snapshots, state and runs can be written in this folder

    prod  acme-prod.eu.auth0.com, target of dev
      ok       credentials    MIGRATE_PROD_CLIENT_ID and MIGRATE_PROD_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      ok       sign-in        the tenant accepts the client and its secret
      ok       tenant         the token is for https://acme-prod.eu.auth0.com/api/v2/
      ok       client         "migrate": machine-to-machine, client_secret_post, client_credentials
      ok       scopes         all 128 that are needed to read and write it; the optional read:logs would name who changed it
      ok       rate limit     50 requests at once, 49 left; migrate uses 80 % of it
      warning  clock          that of this machine is 59m 59s behind that of the tenant
                              → set the clock, for example with `timedatectl set-ntp true`: signed assertions expire by it, and runs and snapshots are named by it
      ok       mapping        mappings/dev-to-prod.toml: 23 rules; there is no snapshot of dev yet, so rules that match nothing are not known
      ok       secrets        1 of 1 that the mapping needs are there
      ok       lock           free
      ok       runs           none is unfinished

    1 warning; nothing stops a run.
    "#);
}
