//! `client_secret_command`: a client secret from a vault or a keychain.

use insta::assert_snapshot;

use crate::support::fixture::Fixture;
use crate::support::refusals::refused_offline;

/// Returns a fixture in which only this command knows the secret of prod, which is in `vault/prod`.
fn with_command(command: &str) -> Fixture {
    let mut fixture = Fixture::small();
    fixture.set("MIGRATE_PROD_CLIENT_SECRET", "");
    fixture.configure(&format!("client_secret_command = {command}\n"));
    fixture.write("vault/prod", "CANARY-prod\n");
    fixture
}

#[test]
fn a_list_of_words_and_a_text_for_the_shell_run_in_the_folder_of_the_configuration() {
    for command in [r#"["cat", "vault/prod"]"#, r#""head -n 1 vault/prod | tr -d '\\n'""#] {
        let fixture = with_command(command);
        let said = fixture.run_in_shell("mkdir below && cd below && exec \"$MIGRATE\" export --tenant prod --quiet");
        assert_eq!(said.code, 0, "{command}: {}", said.whole());
        assert!(!fixture.requests().is_empty());
    }
}

#[test]
fn it_runs_once_in_a_command_and_its_secret_is_nowhere() {
    let fixture = with_command(r#""echo ran >> vault/count; cat vault/prod""#);
    let said = fixture.run("import --tenant prod --allow lockout-risk,weaker-protection --yes --verbose");
    assert_eq!((said.code, fixture.read("vault/count").as_str()), (0, "ran\n"), "{}", said.whole());
    assert!(!fixture.writes().is_empty() && !said.whole().contains("CANARY"), "{}", said.whole());
    let written = fixture.files().into_iter().filter(|path| !path.ends_with("vault/prod"));
    for path in written {
        assert!(!String::from_utf8_lossy(&std::fs::read(&path).expect("read")).contains("CANARY"), "{}", path.display());
    }
}

#[test]
fn a_variable_comes_before_the_command() {
    let mut fixture = with_command(r#""touch ran; exit 1""#);
    fixture.set("MIGRATE_PROD_CLIENT_SECRET", "CANARY-prod");
    assert_eq!(fixture.run("export --tenant prod --quiet").code, 0);
    fixture.set("MIGRATE_PROD_CLIENT_SECRET", "");
    fixture.write(".env", "MIGRATE_PROD_CLIENT_SECRET=CANARY-prod\n");
    assert_eq!(fixture.run("export --tenant prod --quiet").code, 0);
    fixture.write(".env", "");
    fixture.sign_in_to_prod_with(&[]);
    let said = fixture.run("export --tenant prod --quiet");
    assert!(said.code == 0 && !fixture.path("ran").exists(), "{}", said.whole());
}

#[test]
fn what_asks_nothing_of_the_tenant_does_not_run_it() {
    let fixture = with_command(r#""touch ran; exit 1""#);
    assert_snapshot!(fixture.run("validate").whole(), @r"
    exit 0
    tenant  domain                  source  mapping  credentials
    dev     acme-dev.eu.auth0.com                    set
    prod    acme-prod.eu.auth0.com  dev              client_secret_command
    ");
    for line in ["runs", "scopes", "explain --help"] {
        assert_eq!(fixture.run(line).code, 0, "{line}");
    }
    // The snapshot says which tenant it is of, and nothing is asked of that one.
    let fixture = Fixture::small();
    assert_eq!(fixture.run("export --tenant dev --quiet").code, 0);
    let command = "client_secret_command = \"touch ran; exit 1\"\n\n[tenants.prod]";
    fixture.edit("migrate.toml", "[tenants.prod]", command);
    let said =
        fixture.run_in_shell("unset MIGRATE_DEV_CLIENT_SECRET; exec \"$MIGRATE\" plan --tenant prod --from dev@latest --output json");
    assert_eq!(said.code, 4, "{}", said.whole());
    assert!(!fixture.path("ran").exists());
}

#[test]
fn a_failure_shows_what_the_command_said_and_never_what_it_printed() {
    let fixture = with_command(r#""echo CANARY-prod; echo 'vault: sealed' >&2; echo \"vault: use it's key\" >&2; exit 2""#);
    assert_snapshot!(refused_offline(&fixture, "import --tenant prod --yes"), @r#"
    exit 77
    error: the client_secret_command of tenant "prod" failed with exit status: 2 (migrate.toml:9)
    cause: vault: sealed
    cause: vault: use it's key
    hint:  run the command yourself; what it prints is not shown here, since it may be the secret
    state: nothing was written
    "#);
    let fixture = with_command(r#"["no-such-vault", "read"]"#);
    assert_snapshot!(refused_offline(&fixture, "export --tenant prod"), @r#"
    exit 77
    error: the client_secret_command of tenant "prod" cannot be run (migrate.toml:9)
    cause: No such file or directory (os error 2)
    hint:  run the command yourself; what it prints is not shown here, since it may be the secret
    "#);
    let fixture = with_command(r#""echo Welcome; cat vault/prod""#);
    assert_snapshot!(refused_offline(&fixture, "export --tenant prod"), @r#"
    exit 77
    error: the client_secret_command of tenant "prod" printed more than one line (migrate.toml:9)
    hint:  run the command yourself; what it prints is not shown here, since it may be the secret
    "#);
}

#[test]
fn without_a_client_id_the_command_is_not_run() {
    let mut fixture = with_command(r#""touch ran""#);
    fixture.set("MIGRATE_PROD_CLIENT_ID", "");
    assert_snapshot!(refused_offline(&fixture, "export --tenant prod"), @r#"
    exit 77
    error: no credentials for tenant "prod": set MIGRATE_PROD_CLIENT_ID in the environment or in ".env"
    hint:  create a machine-to-machine application in that tenant and authorize it for the Auth0 Management API
    "#);
    assert!(!fixture.path("ran").exists());
}

#[test]
fn what_is_no_command_is_shown_with_its_line() {
    for command in ["[]", "3", "\" \"", "[\"op\", 3]"] {
        let said = refused_offline(&with_command(command), "validate");
        assert!(said.contains("\"client_secret_command\" of tenant \"prod\" must be a"), "{said}");
        assert!(said.contains("--> migrate.toml:9:"), "{said}");
    }
}
