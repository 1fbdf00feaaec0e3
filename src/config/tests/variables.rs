//! Tests of variables, in the environment and in `.env`: credentials, and settings that they replace.

use secrecy::ExposeSecret;

use super::*;

#[test]
fn the_variables_of_two_other_tools_define_a_tenant() {
    for (domain, id, secret) in
        [("AUTH0_DOMAIN", "AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET"), ("CLIENT_DOMAIN", "CLIENT_ID", "CLIENT_SECRET")]
    {
        let given = Given::nothing().variable(domain, "acme.eu.auth0.com").variable(id, "c1").variable(secret, "hush");
        let settings = given.settings();
        assert_eq!(settings.tenant("default").expect("a tenant").domain, "acme.eu.auth0.com");
        let Ok(Credentials::Secret { client_id, client_secret }) = settings.credentials("default") else { panic!("no secret") };
        assert_eq!((client_id.as_str(), client_secret.expose_secret()), ("c1", "hush"));
    }
}

#[test]
fn a_domain_in_a_variable_is_checked_like_one_in_the_file() {
    let wrong = Given::nothing().variable("AUTH0_DOMAIN", "https://acme.eu.auth0.com").wrong();
    assert_eq!(wrong, "\"https://acme.eu.auth0.com\" in AUTH0_DOMAIN is not a tenant domain: use the bare name: acme.eu.auth0.com");
}

#[test]
fn the_environment_overrides_the_dotenv_file() {
    let given = Given::config(DEV)
        .file(".env", "MIGRATE_DEV_CLIENT_ID=from-file\nexport MIGRATE_DEV_CLIENT_SECRET='hush # $not a comment'\n")
        .variable("MIGRATE_DEV_CLIENT_ID", "from-environment");
    let Ok(Credentials::Secret { client_id, client_secret }) = given.settings().credentials("dev") else { panic!("no secret") };
    assert_eq!((client_id.as_str(), client_secret.expose_secret()), ("from-environment", "hush # $not a comment"));
}

#[test]
fn a_key_path_is_relative_to_the_file_that_contains_it() {
    let given = Given::config(DEV)
        .file(".env", "MIGRATE_DEV_CLIENT_ID=c1\nMIGRATE_DEV_CLIENT_SIGNING_KEY_PATH=dev.pem\n")
        .file("dev.pem", "-----BEGIN PRIVATE KEY-----");
    let Ok(Credentials::Key { client_id, pem }) = given.settings().credentials("dev") else { panic!("no key") };
    assert_eq!((client_id.as_str(), pem.expose_secret()), ("c1", "-----BEGIN PRIVATE KEY-----"));
}

#[test]
fn a_missing_key_file_is_reported() {
    let given =
        Given::config(DEV).file(".env", "MIGRATE_DEV_CLIENT_ID=c1\n").variable("MIGRATE_DEV_CLIENT_SIGNING_KEY_PATH", "/nowhere/dev.pem");
    assert_eq!(given.without_credentials("dev"), "cannot read \"/nowhere/dev.pem\"");
}

#[test]
fn a_token_is_sufficient() {
    let given = Given::config(DEV).variable("MIGRATE_DEV_ACCESS_TOKEN", "ey");
    let Ok(Credentials::Token(token)) = given.settings().credentials("dev") else { panic!("no token") };
    assert_eq!(token.expose_secret(), "ey");
}

#[test]
fn missing_credentials_are_reported_with_where_to_set_them() {
    let told = Given::config(DEV).without_credentials("dev");
    assert_eq!(
        told,
        "no credentials for tenant \"dev\": set MIGRATE_DEV_CLIENT_ID and MIGRATE_DEV_CLIENT_SECRET in the environment or in \".env\""
    );
}

#[test]
fn an_empty_variable_counts_as_missing() {
    let given = Given::config(DEV).variable("MIGRATE_DEV_CLIENT_ID", "c1").variable("MIGRATE_DEV_CLIENT_SECRET", "");
    let told = "no credentials for tenant \"dev\": set MIGRATE_DEV_CLIENT_SECRET in the environment or in \".env\"";
    assert_eq!(given.without_credentials("dev"), told);
}

#[test]
fn two_kinds_of_credentials_are_refused() {
    let given = Given::config(DEV).variable("MIGRATE_DEV_CLIENT_SECRET", "hush").file(".env", "MIGRATE_DEV_ACCESS_TOKEN=ey\n");
    let told = "two kinds of credentials for tenant \"dev\": unset MIGRATE_DEV_CLIENT_SECRET or MIGRATE_DEV_ACCESS_TOKEN";
    assert_eq!(given.without_credentials("dev"), told);
}

#[test]
fn a_misspelt_variable_is_reported_with_the_right_one() {
    let wrong = Given::config(DEV).variable("MIGRATE_DEV_CLIENT_SECERT", "CANARY-hush").wrong();
    assert_eq!(wrong, "unknown variable \"MIGRATE_DEV_CLIENT_SECERT\" in the environment; did you mean MIGRATE_DEV_CLIENT_SECRET?");
}

#[test]
fn a_misspelt_variable_in_the_file_is_shown_without_its_value() {
    let given = Given::config(DEV).file(".env", "# dev\nMIGRATE_DEV_CLIENT_SECERT=CANARY-hush\n");
    insta::assert_snapshot!(given.wrong(), @r#"
    unknown variable "MIGRATE_DEV_CLIENT_SECERT"
     --> .env:2:1
      |
    2 | MIGRATE_DEV_CLIENT_SECERT
      | ^^^^^^^^^^^^^^^^^^^^^^^^^ did you mean "MIGRATE_DEV_CLIENT_SECRET"?
    "#);
}

#[test]
fn a_malformed_dotenv_line_is_reported_by_its_number_only() {
    let given = Given::config(DEV).file(".env", "# dev\nMIGRATE_DEV_CLIENT_ID=c1\nMIGRATE_DEV_CLIENT_SECRET CANARY-hush\n");
    assert_eq!(given.wrong(), "line 3 of \".env\" is not NAME=value");
}

#[test]
fn without_a_configuration_variables_of_any_tenant_are_accepted() {
    let given = Given::nothing().variable("MIGRATE_DEV_CLIENT_ID", "c1");
    assert!(given.settings().tenants.is_empty());
}

#[test]
fn variables_replace_both_flags() {
    let given = Given::config(DEV);
    let config = given.folder.path().join("migrate.toml").display().to_string();
    let environment =
        EnvironmentVariables::from([("MIGRATE_CONFIG".to_owned(), config), ("MIGRATE_DIR".to_owned(), "/elsewhere".to_owned())]);
    let settings = Settings::load(None, None, &environment).expect("settings");
    assert_eq!((settings.tenants.len(), settings.dir.as_path()), (1, Path::new("/elsewhere")));
    let settings = Settings::load(None, Some(Path::new("/here")), &environment).expect("settings");
    assert_eq!(settings.dir, Path::new("/here"));
}

#[test]
fn settings_display_no_secret() {
    let given = Given::config(DEV).variable("MIGRATE_DEV_CLIENT_SECRET", "CANARY-hush").variable("MIGRATE_DEV_CLIENT_ID", "c1");
    let settings = given.settings();
    assert!(!format!("{settings:?} {:?}", settings.credentials("dev")).contains("CANARY"));
}

#[test]
fn a_tenant_is_identified_by_its_domain_or_on_loopback_by_its_port() {
    let identity = |domain: &str, url: Option<&str>| {
        let tenant = TenantSettings::new("any", domain, Prefix::of_tenant("any"));
        TenantSettings { url: url.map(str::to_owned), ..tenant }.identity()
    };
    assert_eq!(identity("Acme.EU.auth0.com", None), "acme.eu.auth0.com");
    assert_eq!(identity("acme.eu.auth0.com", Some("http://127.0.0.1:4010")), "acme.eu.auth0.com@4010");
    assert_eq!(identity("acme.eu.auth0.com", Some("http://localhost:4010/")), "acme.eu.auth0.com@4010");
    assert_eq!(identity("acme.eu.auth0.com", Some("https://[::1]")), "acme.eu.auth0.com@443");
}

#[test]
fn state_is_stored_where_the_environment_says_otherwise_at_home() {
    let of = |variables: &[(&str, &str)]| {
        let given = variables.iter().fold(Given::nothing(), |given, (name, value)| given.variable(name, value));
        given.settings().state_home.map(|path| path.display().to_string())
    };
    assert_eq!(of(&[("HOME", "/h"), ("XDG_STATE_HOME", "/x")]).as_deref(), Some("/x"));
    assert_eq!(of(&[("HOME", "/h"), ("XDG_STATE_HOME", "relative")]).as_deref(), Some("/h/.local/state"));
    assert_eq!(of(&[("XDG_STATE_HOME", "")]), None);
}
