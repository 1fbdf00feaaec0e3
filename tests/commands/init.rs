//! `migrate init`: a folder for two tenants, at a terminal and without one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use serde_json::json;

use crate::support::example_company::{Company, own_client};
use crate::support::fixture::{CommandOutput, Fixture};
use crate::support::program::Terminal;

/// Creates the example company's tenants in a folder without any file, signed in to with variables.
fn empty_folder(company: Company) -> Fixture {
    let fixture = company.fixture();
    for name in ["migrate.toml", "mappings/dev-to-prod.toml", "mappings/hosts.csv"] {
        fs::remove_file(fixture.path(name)).expect("removed");
    }
    fs::remove_dir(fixture.path("mappings")).expect("removed");
    fixture
}

/// Returns the options that name the two tenants and the addresses of their sandboxes.
fn options(fixture: &Fixture) -> String {
    let [dev, prod] = fixture.urls();
    format!(
        "init --source-domain https://acme-dev.eu.auth0.com/ --source-url {dev} --target-domain acme-prod.eu.auth0.com --target-url {prod}"
    )
}

/// Runs a command that writes nothing to a tenant and shows no secret.
fn said(fixture: &Fixture, line: &str) -> CommandOutput {
    let said = fixture.run_unattended(line);
    assert_eq!(fixture.writes(), [], "{}", said.whole());
    assert!(!said.whole().contains("CANARY"), "{}", said.whole());
    said
}

#[test]
fn options_and_variables_set_up_a_folder_and_end_with_the_first_plan() {
    let fixture = empty_folder(Company::default());
    let told = said(&fixture, &options(&fixture));
    assert_snapshot!("the_first_plan", without_durations(&told.whole()));
    assert_eq!(told.code, 0);
    assert_snapshot!(fixture.without_places(&fixture.read("migrate.toml")), @r#"
    #:schema ./schemas/config.schema.json
    [tenants.dev]
    domain = "acme-dev.eu.auth0.com"
    url = "http://127.0.0.1:PORT"

    [tenants.prod]
    domain = "acme-prod.eu.auth0.com"
    url = "http://127.0.0.1:PORT"
    source = "dev"
    mapping = "mappings/dev-to-prod.toml"
    "#);
    assert_snapshot!("the_suggested_mapping", fixture.read("mappings/dev-to-prod.toml"));
    // The secrets are in variables, so nothing is written to `.env`.
    assert!(!fixture.path(".env").exists());
    assert_snapshot!(fixture.read(".gitignore"), @r"
.env
runs/
snapshots/
state/*/*/fingerprints.json
state/*/*/readings/
");
    assert_eq!(fixture.run("validate --strict").code, 0);
    assert_eq!(fixture.run("doctor").code, 0);
}

#[test]
fn editors_find_the_schemas_of_what_was_written() {
    let fixture = empty_folder(Company::default());
    assert_eq!(said(&fixture, &options(&fixture)).code, 0);
    for (file, schema) in [("migrate.toml", "config"), ("mappings/dev-to-prod.toml", "mapping")] {
        let text = fixture.read(file);
        let named = text.lines().next().and_then(|line| line.strip_prefix("#:schema ")).expect("a directive in the first line");
        // A relative path starts in the folder of the file that names it.
        let path = fixture.path(file).with_file_name(named);
        let found = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(found, fixture.run(&format!("schema {schema}")).out, "{file}");
        let schema: serde_json::Value = serde_json::from_str(&found).expect("JSON");
        let content: serde_json::Value = serde_json::to_value(toml::from_str::<toml::Table>(&text).expect("TOML")).expect("JSON");
        let validator = jsonschema::draft7::new(&schema).expect("a schema");
        assert!(validator.is_valid(&content), "{file}: {:?}", validator.iter_errors(&content).collect::<Vec<_>>());
    }
}

#[test]
fn secrets_of_files_are_written_to_a_private_file_and_nowhere_else() {
    let mut fixture = empty_folder(Company::default());
    let mut line = options(&fixture);
    for (side, name) in [("source", "DEV"), ("target", "PROD")] {
        let (id, secret) =
            (fixture.variable(&format!("MIGRATE_{name}_CLIENT_ID")), fixture.variable(&format!("MIGRATE_{name}_CLIENT_SECRET")));
        fixture.write(&format!("{side}.secret"), &format!("{secret}\n"));
        line = format!("{line} --{side}-client-id {id} --{side}-client-secret-file {side}.secret");
        fixture.set(&format!("MIGRATE_{name}_CLIENT_ID"), "");
        fixture.set(&format!("MIGRATE_{name}_CLIENT_SECRET"), "");
    }
    let told = said(&fixture, &format!("{line} --output json"));
    assert_eq!(told.code, 0, "{}", told.whole());
    let json = told.json();
    assert_eq!((&json["format"], &json["next"]), (&json!(1), &json!("migrate plan --tenant prod")));
    let dotenv = fs::metadata(fixture.path(".env")).expect("written");
    assert_eq!(dotenv.permissions().mode() & 0o777, 0o600);
    assert_eq!(fixture.run("doctor").code, 0, "{}", fixture.run("doctor").whole());
    let with_secret = |path: &std::path::PathBuf| fs::read_to_string(path).is_ok_and(|text| text.contains("CANARY"));
    let mut names: Vec<String> = fixture
        .files()
        .iter()
        .filter(|path| with_secret(path))
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, [".env", "source.secret", "target.secret"]);
}

#[test]
fn what_is_missing_is_named_where_nobody_can_be_asked() {
    let mut fixture = empty_folder(Company::default());
    fixture.set("MIGRATE_PROD_CLIENT_SECRET", "");
    assert_snapshot!(said(&fixture, "init --source-domain acme-dev.eu.auth0.com").whole(), @r"
    exit 64
    error: missing: --target-domain, --target-client-secret-file (or MIGRATE_PROD_CLIENT_SECRET)
    hint:  give them, or run `migrate init` at a terminal, where it asks
    state: nothing was written
    ");
    assert_snapshot!(said(&fixture, "init --source-domain http://acme-dev.eu.auth0.com").whole(), @r#"
    exit 64
    error: "http://acme-dev.eu.auth0.com" of --source-domain is not a tenant domain: use the bare name: acme-dev.eu.auth0.com
    "#);
    assert_eq!(said(&fixture, "init --output json").json()["exit"], 64);
    assert!(fixture.files().is_empty(), "{:?}", fixture.files());
}

#[test]
fn nothing_that_exists_is_overwritten() {
    let fixture = empty_folder(Company::default());
    fixture.write("migrate.toml", "# mine\n");
    assert_snapshot!(said(&fixture, &options(&fixture)).whole(), @r#"
    exit 64
    It would contain:

    [tenants.dev]
    domain = "acme-dev.eu.auth0.com"
    url = "http://127.0.0.1:PORT"

    [tenants.prod]
    domain = "acme-prod.eu.auth0.com"
    url = "http://127.0.0.1:PORT"
    source = "dev"

    error: "migrate.toml" exists already, and nothing is overwritten
    hint:  add the tenants there yourself, then run `migrate doctor`; or set up another folder with --config FOLDER/migrate.toml
    state: nothing was written
    "#);
    assert_eq!(fixture.read("migrate.toml"), "# mine\n");
    fs::remove_file(fixture.path("migrate.toml")).expect("removed");
    for (name, text) in [(".gitignore", "target\n.env\n"), ("mappings/dev-to-prod.toml", "# mine\n")] {
        fixture.write(name, text);
    }
    let told = said(&fixture, &options(&fixture));
    assert_eq!(told.code, 0, "{}", told.whole());
    assert!(told.out.contains("mappings/dev-to-prod.toml    unchanged  the whole file existed already and stays\n"), "{}", told.whole());
    assert_eq!(fixture.read("mappings/dev-to-prod.toml"), "# mine\n");
    assert!(fixture.read(".gitignore").starts_with("target\n.env\nruns/\n"));
}

#[test]
fn a_wrong_secret_writes_nothing() {
    let mut fixture = empty_folder(Company::default());
    fixture.set("MIGRATE_PROD_CLIENT_SECRET", "CANARY-wrong");
    assert_snapshot!(said(&fixture, &options(&fixture)).whole(), @r#"
    exit 77
    error: cannot sign in to "prod"
    cause: the tenant did not accept the credentials: Unauthorized
    hint:  compare the id l2gwJXbSuC02ipcZ1U4e0bdyqsojwYoU and the secret with Dashboard > Applications > Applications > (the application) > Settings of acme-prod.eu.auth0.com; they may be those of another tenant
    state: nothing was written
    "#);
    assert!(fixture.files().is_empty(), "{:?}", fixture.files());
}

#[test]
fn missing_scopes_are_named_with_where_to_tick_them() {
    let fixture = empty_folder(Company::default().without_scopes_in_prod(&["read:roles", "create:clients"]));
    let told = said(&fixture, &options(&fixture));
    assert_eq!(told.code, 0, "{}", told.whole());
    let (checked, _) = told.out.split_once("\nFiles\n").expect("the files");
    assert_snapshot!(checked, @r#"
    dev  acme-dev.eu.auth0.com, source of prod
      ok       credentials    MIGRATE_DEV_CLIENT_ID and MIGRATE_DEV_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      ok       sign-in        the tenant accepts the client and its secret
      ok       tenant         the token is for https://acme-dev.eu.auth0.com/api/v2/
      ok       client         "migrate": machine-to-machine, client_secret_post, client_credentials
      ok       scopes         all 46 that are needed to read it

    prod  acme-prod.eu.auth0.com, target of dev
      ok       credentials    MIGRATE_PROD_CLIENT_ID and MIGRATE_PROD_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      ok       sign-in        the tenant accepts the client and its secret
      ok       tenant         the token is for https://acme-prod.eu.auth0.com/api/v2/
      ok       client         "migrate": machine-to-machine, client_secret_post, client_credentials
      failure  scopes         2 of 128 that are needed to read and write it are missing: create:clients, read:roles
                              → tick them in Dashboard > Applications > APIs > Auth0 Management API > Machine to Machine Applications > migrate
    "#);
}

#[test]
fn a_tenant_that_may_not_be_read_ends_with_the_next_command() {
    let fixture = empty_folder(Company::default().with_scopes_in_prod(&["read:users"]));
    let said = said(&fixture, &options(&fixture));
    assert_snapshot!(format!("exit {}\n{}", said.code, said.out), @r#"
    exit 77
    dev  acme-dev.eu.auth0.com, source of prod
      ok       credentials    MIGRATE_DEV_CLIENT_ID and MIGRATE_DEV_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      ok       sign-in        the tenant accepts the client and its secret
      ok       tenant         the token is for https://acme-dev.eu.auth0.com/api/v2/
      ok       client         "migrate": machine-to-machine, client_secret_post, client_credentials
      ok       scopes         all 46 that are needed to read it

    prod  acme-prod.eu.auth0.com, target of dev
      ok       credentials    MIGRATE_PROD_CLIENT_ID and MIGRATE_PROD_CLIENT_SECRET, from the environment
      ok       network        http://127.0.0.1:PORT, on this machine, without a proxy
      ok       sign-in        the tenant accepts the client and its secret
      ok       tenant         the token is for https://acme-prod.eu.auth0.com/api/v2/
      -        client         not checked: the token may not read clients
      failure  scopes         128 of 128 that are needed to read and write it are missing: create:actions, create:agents, create:client_grants, create:clients, create:connection_profiles, create:connections, create:custom_domains, create:custom_signing_keys, create:directory_provisionings, create:email_provider, create:email_templates, create:event_streams, create:experimentation, create:flows, create:flows_vault_connections, create:forms, create:hooks, create:log_streams, create:network_acl_keys, create:network_acls, create:organization_client_grants, create:organization_clients, create:organization_connections, create:organization_discovery_domains, create:organization_templates, create:organizations, create:phone_providers, create:phone_templates, create:rate_limit_policies, create:resource_servers, create:roles, create:rules, create:scim_config, create:self_service_profiles, create:token_exchange_profiles, create:user_attribute_profiles, create:vdcs_templates, delete:organization_clients, read:actions, read:agents, read:attack_protection, read:branding, read:client_grants, read:clients, read:connection_profiles, read:connections, read:connections_options, read:custom_domains, read:custom_signing_keys, read:directory_provisionings, read:email_provider, read:email_templates, read:event_streams, read:experimentation, read:flows, read:flows_vault_connections, read:forms, read:guardian_factors, read:hooks, read:log_streams, read:mfa_policies, read:network_acl_keys, read:network_acls, read:organization_client_grants, read:organization_clients, read:organization_connections, read:organization_discovery_domains, read:organization_templates, read:organizations, read:phone_providers, read:phone_templates, read:prompts, read:rate_limit_policies, read:resource_servers, read:roles, read:rules, read:rules_configs, read:scim_config, read:self_service_profile_custom_texts, read:self_service_profiles, read:tenant_settings, read:token_exchange_profiles, read:user_attribute_profiles, read:vdcs_templates, update:actions, update:agents, update:attack_protection, update:branding, update:client_grants, update:clients, update:connection_profiles, update:connections, update:connections_options, update:custom_domains, update:custom_signing_keys, update:directory_provisionings, update:email_provider, update:email_templates, update:event_streams, update:experimentation, update:flows, update:flows_vault_connections, update:forms, update:guardian_factors, update:hooks, update:log_streams, update:mfa_policies, update:network_acls, update:organization_clients, update:organization_connections, update:organization_discovery_domains, update:organization_templates, update:organizations, update:phone_providers, update:phone_templates, update:prompts, update:rate_limit_policies, update:resource_servers, update:roles, update:rules, update:rules_configs, update:scim_config, update:self_service_profile_custom_texts, update:self_service_profiles, update:tenant_settings, update:token_exchange_profiles, update:user_attribute_profiles, update:vdcs_templates
                              → tick them in Dashboard > Applications > APIs > Auth0 Management API > Machine to Machine Applications > l2gwJXbSuC02ipcZ1U4e0bdyqsojwYoU

    Files
      .gitignore                   created
      schemas/config.schema.json   created
      schemas/mapping.schema.json  created
      migrate.toml                 created

    No mapping was suggested and nothing was planned: the token may read nothing of prod.
    Correct what is listed above. Then run:
      migrate doctor
    "#);
    assert!(!fixture.path("mappings").exists() && fixture.path("migrate.toml").exists());
}

#[test]
fn swapped_tenants_write_nothing() {
    let fixture = empty_folder(Company::default());
    let [dev, prod] = fixture.urls();
    let swapped = options(&fixture).replace(&dev, "DEV").replace(&prod, &dev).replace("DEV", &prod);
    assert_snapshot!(said(&fixture, &swapped).whole(), @r#"
    exit 77
    error: cannot sign in to "dev"
    cause: the tenant did not accept the credentials: Service not enabled within domain: https://acme-dev.eu.auth0.com/api/v2/
    hint:  authorize the application 028cMDNrPri8GnAHxIJfqr5B333qR5vF in Dashboard > Applications > APIs > Auth0 Management API > Machine to Machine Applications; if it is authorized, `domain` in migrate.toml is not the tenant's own domain (a custom domain is none)
    state: nothing was written
    "#);
    assert!(fixture.files().is_empty(), "{:?}", fixture.files());
}

#[test]
fn an_unreachable_tenant_writes_nothing() {
    let mut fixture = empty_folder(Company::default());
    let line = options(&fixture);
    fixture.stop_prod();
    assert_snapshot!(said(&fixture, &line).whole(), @r#"
    exit 1
    error: cannot sign in to "prod"
    cause: no response from 127.0.0.1:PORT to POST /oauth/token: Connection refused (os error 111)
    hint:  check `domain` in migrate.toml, the network and the proxy; if a proxy on the way has a certificate of its own, set `ca_file` of the tenant to a file with the certificates to trust
    state: nothing was written
    "#);
    assert!(fixture.files().is_empty(), "{:?}", fixture.files());
}

#[test]
fn a_client_without_the_grant_type_writes_nothing() {
    let mut company = Company::default();
    own_client(&mut company.prod)["grant_types"] = json!(["authorization_code"]);
    let fixture = empty_folder(company);
    assert_snapshot!(said(&fixture, &options(&fixture)).whole(), @r#"
    exit 77
    error: cannot sign in to "prod"
    cause: the tenant did not accept the credentials: Grant type 'client_credentials' not allowed for the client.
    hint:  tick Client Credentials in Dashboard > Applications > Applications > (the application l2gwJXbSuC02ipcZ1U4e0bdyqsojwYoU) > Settings > Advanced Settings > Grant Types
    state: nothing was written
    "#);
    assert!(fixture.files().is_empty(), "{:?}", fixture.files());
}

#[test]
fn a_secret_of_standard_input_is_used() {
    let mut fixture = empty_folder(Company::default());
    let secret = fixture.variable("MIGRATE_PROD_CLIENT_SECRET");
    fixture.write("secret", &secret);
    fixture.set("MIGRATE_PROD_CLIENT_SECRET", "");
    let line = options(&fixture);
    let script = format!("\"$MIGRATE\" {line} --target-client-secret-file - --output json < secret");
    let told = fixture.run_in_shell(&script);
    assert_eq!(told.code, 0, "{}", told.whole());
    assert!(fixture.read(".env").starts_with("MIGRATE_PROD_CLIENT_SECRET='CANARY"));
}

/// Answers a question at a terminal; returns what was shown before the answer.
fn answer(terminal: &Terminal, question: &str, text: &str) -> String {
    let shown = terminal.shown_until(question);
    terminal.type_keys(&format!("{text}\n"));
    shown
}

#[test]
fn questions_at_a_terminal_set_up_a_folder_and_hide_the_secrets() {
    let mut fixture = empty_folder(Company::default());
    let credentials = ["DEV", "PROD"].map(|name| {
        let of = |part: &str| fixture.variable(&format!("MIGRATE_{name}_{part}"));
        (of("CLIENT_ID"), of("CLIENT_SECRET"))
    });
    for name in ["DEV", "PROD"].into_iter().flat_map(|name| [format!("MIGRATE_{name}_CLIENT_ID"), format!("MIGRATE_{name}_CLIENT_SECRET")])
    {
        fixture.set(&name, "");
    }
    let [dev, prod] = fixture.urls();
    let terminal = Terminal::open().of_columns(80);
    let mut init = fixture.start_at(&terminal, &format!("init --source-url {dev} --target-url {prod} --no-pager"));
    let mut shown = answer(&terminal, "Name of the source [dev]: ", "");
    shown += &answer(&terminal, "Domain of dev (such as acme-dev.eu.auth0.com): ", "http://acme-dev.eu.auth0.com");
    shown += &answer(&terminal, "Domain of dev (such as acme-dev.eu.auth0.com): ", "acme-dev.eu.auth0.com");
    shown += &answer(&terminal, "Client id of the application for migrate in dev: ", &credentials[0].0);
    shown += &answer(&terminal, "Its client secret (not shown): ", &credentials[0].1);
    shown += &answer(&terminal, "Name of the target [prod]: ", "");
    shown += &answer(&terminal, "Domain of prod (such as acme-prod.eu.auth0.com): ", "acme-prod.eu.auth0.com");
    shown += &answer(&terminal, "Client id of the application for migrate in prod: ", &credentials[1].0);
    shown += &answer(&terminal, "Its client secret (not shown): ", "wrong");
    // It is asked for again, since the tenant does not accept it.
    shown += &answer(&terminal, "Client id of the application for migrate in prod: ", &credentials[1].0);
    shown += &answer(&terminal, "Its client secret (not shown): ", &credentials[1].1);
    shown += &terminal.shown_until("writes nothing:");
    terminal.shown();
    assert_eq!(init.wait().expect("it ended").code(), Some(0), "{shown}");
    assert!(!shown.contains("CANARY"), "{shown}");
    assert_snapshot!(asked(&fixture, &shown));
    assert_eq!(fixture.run("doctor").code, 0, "{}", fixture.run("doctor").whole());
    assert_eq!(fixture.writes(), []);
}

/// Returns a conversation without colours, progress and ids.
fn asked(fixture: &Fixture, shown: &str) -> String {
    let plain = anstream::adapter::strip_str(shown).to_string();
    // A line of progress is drawn over again.
    let lines = plain.lines().map(|line| line.rsplit('\r').next().unwrap_or_default().trim_end());
    without_durations(&fixture.without_places(&lines.collect::<Vec<_>>().join("\n")))
}

/// Leaves out how long reading took, and how old the snapshot is.
fn without_durations(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("read "));
    let without_age = |line: &str| line.split(", ").filter(|part| !part.ends_with(" old")).collect::<Vec<_>>().join(", ");
    lines.map(without_age).collect::<Vec<_>>().join("\n")
}

#[test]
fn ctrl_c_at_a_hidden_question_shows_input_again_and_writes_nothing() {
    let mut fixture = empty_folder(Company::default());
    fixture.set("MIGRATE_DEV_CLIENT_SECRET", "");
    let terminal = Terminal::open().of_columns(80);
    // The terminal keeps its modes as long as some process has it open.
    let end = terminal.end();
    let line = "init --source-domain acme-dev.eu.auth0.com --source-name dev";
    let mut init = fixture.start_at(&terminal, line);
    terminal.shown_until("Its client secret (not shown): ");
    assert!(!has_echo(&terminal));
    terminal.type_keys("\x03");
    assert_eq!(init.wait().expect("it ended").code(), Some(130));
    assert!(has_echo(&terminal));
    drop(end);
    assert!(fixture.files().is_empty(), "{:?}", fixture.files());
}

/// Returns whether a terminal shows what is typed.
fn has_echo(terminal: &Terminal) -> bool {
    let mut stty = Command::new("stty");
    let said = stty.arg("-a").stdin(terminal.end()).stderr(Stdio::null()).output().expect("stty, of coreutils");
    !String::from_utf8_lossy(&said.stdout).split_whitespace().any(|word| word == "-echo")
}
