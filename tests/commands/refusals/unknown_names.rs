//! Unknown names on the command line, in the configuration and in the environment, each with the most similar known one.

use insta::assert_snapshot;

use crate::support::fixture::Fixture;
use crate::support::refusals::{IMPORT, refused_offline};

#[test]
fn an_unknown_tenant_is_reported_with_the_nearest() {
    let fixture = Fixture::small();
    assert_snapshot!(refused_offline(&fixture, "import --tenant prd --yes"), @r#"
    exit 64
    error: unknown tenant "prd"; did you mean "prod"? Configured: dev, prod
    hint:  define tenants in migrate.toml as [tenants.NAME] with a domain
    state: nothing was written
    "#);
    assert_snapshot!(refused_offline(&fixture, "import --tenant prod --allow lockout-risk,weaker-protection --from dve --yes"), @r#"
    exit 64
    error: unknown tenant "dve"; did you mean "dev"? Configured: dev, prod
    hint:  define tenants in migrate.toml as [tenants.NAME] with a domain
    state: nothing was written
    "#);
}

#[test]
fn an_unknown_kind_is_reported_with_the_nearest() {
    let fixture = Fixture::small();
    assert_snapshot!(refused_offline(&fixture, "export --tenant dev --kinds cleints"), @r#"
    exit 64
    error: unknown kind "cleints"
    hint:  did you mean "clients"? `migrate kinds` lists all kinds
    "#);
    assert_snapshot!(refused_offline(&fixture, "get rulez Greeting --tenant dev"), @r#"
    exit 64
    error: unknown kind "rulez"
    hint:  did you mean "rules"? `migrate kinds` lists all kinds
    "#);
}

#[test]
fn an_unknown_flag_is_reported_with_the_nearest() {
    assert_snapshot!(refused_offline(&Fixture::small(), "import --tenant prod --allow lockout-risk,weaker-protection --dry-rn"), @"
    exit 64
    error: unexpected argument '--dry-rn' found

      tip: a similar argument exists: '--dry-run'

    Usage: migrate import --tenant <TENANT> --allow <GUARD,..> --dry-run

    For more information, try '--help'.
    ");
}

#[test]
fn an_unknown_guard_is_reported_with_the_nearest() {
    assert_snapshot!(refused_offline(&Fixture::small(), "import --tenant prod --allow many-change"), @r#"
    exit 64
    error: unknown guard "many-change"
    hint:  did you mean "many-changes"?
    state: nothing was written
    "#);
}

#[test]
fn an_unknown_configuration_key_is_shown_in_its_line() {
    let fixture = Fixture::small();
    fixture.configure("maping = \"mapping.toml\"\n");
    assert_snapshot!(refused_offline(&fixture, IMPORT), @r#"
    exit 64
    error: unknown key "maping" in tenant "prod"
            --> migrate.toml:9:1
             |
           9 | maping = "mapping.toml"
             | ^^^^^^ did you mean "mapping"?
    state: nothing was written
    "#);
}

#[test]
fn an_unknown_variable_is_reported_with_the_nearest_without_its_value() {
    let mut fixture = Fixture::small();
    fixture.set("MIGRATE_PROD_CLIENT_SECRT", "CANARY-misspelt");
    assert_snapshot!(refused_offline(&fixture, IMPORT), @r#"
    exit 64
    error: unknown variable "MIGRATE_PROD_CLIENT_SECRT" in the environment; did you mean MIGRATE_PROD_CLIENT_SECRET?
    state: nothing was written
    "#);
}

#[test]
fn an_unknown_variable_of_the_env_file_is_shown_in_its_line_without_its_value() {
    let fixture = Fixture::small();
    fixture.write(".env", "# credentials\nMIGRATE_PROD_CLIENT_IDD=CANARY-misspelt\n");
    assert_snapshot!(refused_offline(&fixture, IMPORT), @r#"
    exit 64
    error: unknown variable "MIGRATE_PROD_CLIENT_IDD"
            --> .env:2:1
             |
           2 | MIGRATE_PROD_CLIENT_IDD
             | ^^^^^^^^^^^^^^^^^^^^^^^ did you mean "MIGRATE_PROD_CLIENT_ID"?
    state: nothing was written
    "#);
}

#[test]
fn invalid_toml_is_shown_in_its_line() {
    let fixture = Fixture::small();
    fixture.write("migrate.toml", "[tenants.dev]\ndomain = \"acme-dev.eu.auth0.com\n");
    assert_snapshot!(refused_offline(&fixture, IMPORT), @r#"
    exit 64
    error: "migrate.toml" is not valid TOML
            --> migrate.toml:2:32
             |
           2 | domain = "acme-dev.eu.auth0.com
             |                                ^ invalid basic string, expected `"`
    state: nothing was written
    "#);
}

#[test]
fn a_missing_configuration_is_reported() {
    assert_snapshot!(refused_offline(&Fixture::small(), "validate --config other.toml"), @r#"
    exit 64
    error: cannot read "other.toml"
    cause: No such file or directory (os error 2)
    "#);
}

#[test]
fn an_unknown_method_is_reported_with_the_nearest() {
    assert_snapshot!(refused_offline(&Fixture::small(), "api pach clients --tenant prod --yes"), @r#"
    exit 64
    error: unknown method "PACH"
    hint:  did you mean "PATCH"?
    state: nothing was written
    "#);
}

#[test]
fn a_missing_tenant_is_reported_with_the_flag_of_the_command() {
    let fixture = Fixture::small();
    for (line, flag) in [("import --yes", "--tenant"), ("sync", "--to"), ("schedule cron", "--to")] {
        let said = refused_offline(&fixture, line);
        let state = if line.starts_with("schedule") { "" } else { "state: nothing was written\n" };
        assert_eq!(said, format!("exit 64\nerror: {flag} is missing; configured tenants: dev, prod\n{state}"), "{line}");
    }
}
