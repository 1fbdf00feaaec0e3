//! Tests of `migrate.toml`: what is read of it, and what is said of mistakes in it.

use super::*;
use std::fs;

mod variables;

/// A folder with a configuration, and variables.
struct Given {
    folder: tempfile::TempDir,
    environment: EnvironmentVariables,
}

impl Given {
    fn nothing() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), environment: EnvironmentVariables::new() }
    }

    fn config(text: &str) -> Self {
        Self::nothing().file("migrate.toml", text)
    }

    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.folder.path().join(name), text).expect("written");
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Loads the configuration, without looking outside the folder.
    fn load(&self) -> Result<Settings, Error> {
        let file = |name| self.folder.path().join(name);
        let text = |name| Ok::<_, Error>(FileLookup { path: file(name), text: files::if_exists(files::read_text(&file(name)))? });
        Settings::resolve(text("migrate.toml")?, text(".env")?, None, &self.environment)
    }

    fn settings(&self) -> Settings {
        self.load().expect("settings")
    }

    /// Returns the error message without the folder.
    fn wrong(&self) -> String {
        self.text_of(&self.load().expect_err("something is wrong"))
    }

    fn text_of(&self, error: &Error) -> String {
        error.to_string().replace(&format!("{}/", self.folder.path().display()), "")
    }

    fn without_credentials(&self, tenant: &str) -> String {
        self.text_of(&self.settings().credentials(tenant).expect_err("no credentials"))
    }
}

const DEV: &str = "[tenants.dev]\ndomain = \"acme-dev.eu.auth0.com\"\n";

#[test]
fn every_setting_of_a_tenant_is_read() {
    let given = Given::config(
        r#"
        [tenants.dev]
        domain = "acme-dev.eu.auth0.com"
        rate = { burst = 10, per_second = 2.5 }
        [tenants.prod]
        domain = "acme-prod.eu.auth0.com"
        url = "http://127.0.0.1:4010/"
        rate = "enterprise-dev"
        share = 0.5
        source = "dev"
        mapping = "mappings/dev-to-prod.toml"
        protected = ["clients/Break glass*"]
        plan.most_changed = 1
        "#,
    );
    let settings = given.settings();
    let [dev, prod] = ["dev", "prod"].map(|name| settings.tenant(name).expect("a tenant"));
    assert_eq!(dev.rate, Some(Rate { burst: 10, a_minute: 150 }));
    assert_eq!((dev.share, dev.most_changed.of_all, dev.url.as_deref(), dev.tier.is_none()), (0.8, None, None, true));
    assert_eq!((prod.domain.as_str(), prod.url.as_deref()), ("acme-prod.eu.auth0.com", Some("http://127.0.0.1:4010")));
    assert_eq!((prod.tier.map(|tier| tier.name), prod.rate), (Some("enterprise-dev"), None));
    assert_eq!((prod.share, prod.most_changed.of_all, prod.source.as_deref()), (0.5, Some(1.0), Some("dev")));
    assert_eq!(prod.mapping, Some(given.folder.path().join("mappings/dev-to-prod.toml")));
    assert_eq!(prod.protected, ["clients/Break glass*"]);
    assert_eq!(settings.dir, given.folder.path());
}

#[test]
fn a_misspelt_key_is_shown_with_the_right_one() {
    insta::assert_snapshot!(Given::config("[tenants.dev]\ndomian = \"acme-dev.eu.auth0.com\"\n").wrong(), @r#"
    unknown key "domian" in tenant "dev"
     --> migrate.toml:2:1
      |
    2 | domian = "acme-dev.eu.auth0.com"
      | ^^^^^^ did you mean "domain"?
    "#);
}

#[test]
fn a_misspelt_key_at_the_top_is_shown_with_the_right_one() {
    insta::assert_snapshot!(Given::config("[tenant.dev]\ndomain = \"acme-dev.eu.auth0.com\"\n").wrong(), @r#"
    unknown key "tenant" in the configuration
     --> migrate.toml:1:2
      |
    1 | [tenant.dev]
      |  ^^^^^^ did you mean "tenants"?
    "#);
}

#[test]
fn a_misspelt_key_of_the_plan_is_shown_with_the_right_one() {
    insta::assert_snapshot!(Given::config(&format!("{DEV}plan = {{ most_changes = 0.1 }}\n")).wrong(), @r#"
    unknown key "most_changes" in "plan" of tenant "dev"
     --> migrate.toml:3:10
      |
    3 | plan = { most_changes = 0.1 }
      |          ^^^^^^^^^^^^ did you mean "most_changed"?
    "#);
}

#[test]
fn a_dissimilar_key_is_shown_with_all_known_ones() {
    insta::assert_snapshot!(Given::config(&format!("{DEV}colour = \"blue\"\n")).wrong(), @r#"
    unknown key "colour" in tenant "dev"
     --> migrate.toml:3:1
      |
    3 | colour = "blue"
      | ^^^^^^ expected one of domain, url, rate, share, source, mapping, hosts, protected, plan, client_secret_command, ca_file, proxy, nightly
    "#);
}

#[test]
fn invalid_toml_is_shown_at_its_position() {
    insta::assert_snapshot!(Given::config("[tenants.dev]\ndomain = acme-dev.eu.auth0.com\n").wrong(), @r#"
    "migrate.toml" is not valid TOML
     --> migrate.toml:2:10
      |
    2 | domain = acme-dev.eu.auth0.com
      |          ^^^^^^^^^^^^^^^^^^^^^ string values must be quoted, expected literal string
    "#);
}

#[test]
fn a_secret_in_the_file_is_refused_and_masked() {
    insta::assert_snapshot!(Given::config(&format!("{DEV}client_secret = \"CANARY-hush\"\n")).wrong(), @r#"
    credentials of tenant "dev" do not belong in this file
     --> migrate.toml:3:1
      |
    3 | client_secret = *************
      | ^^^^^^^^^^^^^ set MIGRATE_DEV_CLIENT_SECRET in the environment or in .env
    "#);
}

#[test]
fn a_secret_in_a_broken_line_is_masked() {
    insta::assert_snapshot!(Given::config(&format!("{DEV}client_secret = \"CANARY-hush\n")).wrong(), @r#"
    "migrate.toml" is not valid TOML
     --> migrate.toml:3:29
      |
    3 | client_secret = ************
      |                             ^ invalid basic string, expected `"`
    "#);
}

#[test]
fn a_tenant_without_a_domain_is_reported() {
    insta::assert_snapshot!(Given::config("[tenants.dev]\nshare = 0.5\n").wrong(), @r#"
    tenant "dev" has no domain
     --> migrate.toml:1:10
      |
    1 | [tenants.dev]
      |          ^^^ add domain = "..", as the dashboard shows it
    "#);
}

#[test]
fn a_domain_with_a_scheme_is_shown_without_it() {
    insta::assert_snapshot!(Given::config("[tenants.dev]\ndomain = \"https://acme-dev.eu.auth0.com/\"\n").wrong(), @r#"
    "https://acme-dev.eu.auth0.com/" is not a tenant domain
     --> migrate.toml:2:10
      |
    2 | domain = "https://acme-dev.eu.auth0.com/"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ use the bare name: acme-dev.eu.auth0.com
    "#);
}

#[test]
fn a_domain_that_is_only_the_tenants_name_is_refused() {
    insta::assert_snapshot!(Given::config("[tenants.dev]\ndomain = \"acme-dev\"\n").wrong(), @r#"
    "acme-dev" is not a tenant domain
     --> migrate.toml:2:10
      |
    2 | domain = "acme-dev"
      |          ^^^^^^^^^^ such as acme-dev.eu.auth0.com
    "#);
}

#[test]
fn a_url_on_another_machine_is_refused() {
    insta::assert_snapshot!(Given::config(&format!("{DEV}url = \"http://10.0.0.7:4010\"\n")).wrong(), @r#"
    "http://10.0.0.7:4010" cannot be the url of tenant "dev"
     --> migrate.toml:3:7
      |
    3 | url = "http://10.0.0.7:4010"
      |       ^^^^^^^^^^^^^^^^^^^^^^ only http or https to 127.0.0.1, [::1] or localhost; a tenant elsewhere is reached by its domain
    "#);
}

#[test]
fn a_url_with_a_path_is_refused() {
    insta::assert_snapshot!(Given::config(&format!("{DEV}url = \"http://127.0.0.1:4010/api/v2\"\n")).wrong(), @r#"
    "http://127.0.0.1:4010/api/v2" cannot be the url of tenant "dev"
     --> migrate.toml:3:7
      |
    3 | url = "http://127.0.0.1:4010/api/v2"
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ only scheme, host and port
    "#);
}

#[test]
fn an_unpublished_rate_is_shown_with_the_nearest() {
    insta::assert_snapshot!(Given::config(&format!("{DEV}rate = \"enterprize\"\n")).wrong(), @r#"
    unknown rate limit "enterprize"
     --> migrate.toml:3:8
      |
    3 | rate = "enterprize"
      |        ^^^^^^^^^^^^ did you mean "enterprise"?
    "#);
}

#[test]
fn an_incomplete_rate_is_refused() {
    insta::assert_snapshot!(Given::config(&format!("{DEV}rate = {{ burst = 10 }}\n")).wrong(), @r#"
    "rate" of tenant "dev" must set both burst and per_second
     --> migrate.toml:3:8
      |
    3 | rate = { burst = 10 }
      |        ^^^^^^^^^^^^^^ { burst = 10, per_second = 2 }
    "#);
}

#[test]
fn a_share_of_zero_is_refused() {
    insta::assert_snapshot!(Given::config(&format!("{DEV}share = 0\n")).wrong(), @r#"
    "share" of tenant "dev" must be above 0 and at most 1
     --> migrate.toml:3:9
      |
    3 | share = 0
      |         ^ out of range
    "#);
}

#[test]
fn a_share_given_as_text_is_refused() {
    insta::assert_snapshot!(Given::config(&format!("{DEV}share = \"most\"\n")).wrong(), @r#"
    "share" of tenant "dev" must be a number above 0 and at most 1
     --> migrate.toml:3:9
      |
    3 | share = "most"
      |         ^^^^^^ this is a string
    "#);
}

#[test]
fn a_source_that_is_not_a_tenant_is_shown_with_the_nearest() {
    insta::assert_snapshot!(
        Given::config(&format!("{DEV}[tenants.prod]\ndomain = \"acme-prod.eu.auth0.com\"\nsource = \"dve\"\n")).wrong()
    , @r#"
    unknown tenant "dve"
     --> migrate.toml:5:10
      |
    5 | source = "dve"
      |          ^^^^^ did you mean "dev"?
    "#);
}

#[test]
fn a_source_may_be_the_path_of_a_snapshot_from_the_folder_of_the_file() {
    let given = Given::config(&format!("{DEV}source = \"snapshots/old\"\n"));
    let path = given.folder.path().join("snapshots/old").display().to_string();
    assert_eq!(given.settings().tenant("dev").expect("a tenant").source, Some(path));
}

#[test]
fn a_protected_key_of_an_unknown_kind_is_shown_with_the_nearest() {
    insta::assert_snapshot!(Given::config(&format!("{DEV}protected = [\"clients/A\", \"client/Break glass*\"]\n")).wrong(), @r#"
    unknown kind "client"
     --> migrate.toml:3:27
      |
    3 | protected = ["clients/A", "client/Break glass*"]
      |                           ^^^^^^^^^^^^^^^^^^^^^ did you mean "clients"?
    "#);
}

#[test]
fn a_malformed_protected_pattern_is_refused() {
    insta::assert_snapshot!(Given::config(&format!("{DEV}protected = [\"clients/[a\"]\n")).wrong(), @r#"
    invalid pattern "clients/[a"
     --> migrate.toml:3:14
      |
    3 | protected = ["clients/[a"]
      |              ^^^^^^^^^^^^ invalid range pattern
    "#);
}

#[test]
fn a_tenants_name_must_be_usable_in_a_variable() {
    insta::assert_snapshot!(Given::config("[tenants.\"my dev\"]\ndomain = \"acme-dev.eu.auth0.com\"\n").wrong(), @r#"
    "my dev" cannot name a tenant
     --> migrate.toml:1:10
      |
    1 | [tenants."my dev"]
      |          ^^^^^^^^ letters, digits, - and _ only
    "#);
}

#[test]
fn two_tenants_with_the_same_variables_are_refused() {
    insta::assert_snapshot!(Given::config("tenants.a-b.domain = \"a.auth0.com\"\ntenants.a_b.domain = \"b.auth0.com\"\n").wrong(), @r#"
    tenants "a-b" and "a_b" would share their variables
     --> migrate.toml:2:9
      |
    2 | tenants.a_b.domain = "b.auth0.com"
      |         ^^^ both begin with MIGRATE_A_B_
    "#);
}

#[test]
fn two_tenants_may_share_a_domain() {
    let given = Given::config(&format!("{DEV}[tenants.other]\ndomain = \"acme-dev.eu.auth0.com\"\n"));
    assert_eq!(given.settings().tenants.len(), 2);
}

#[test]
fn an_unknown_tenant_is_reported_with_the_nearest_and_all_names() {
    let given = Given::config(&format!("{DEV}[tenants.prod]\ndomain = \"acme-prod.eu.auth0.com\"\n"));
    let told = given.text_of(&given.settings().tenant("prd").expect_err("no such tenant"));
    assert_eq!(told, "unknown tenant \"prd\"; did you mean \"prod\"? Configured: dev, prod");
}

#[test]
fn without_a_file_or_variables_there_is_no_tenant() {
    let given = Given::nothing();
    let told = given.text_of(&given.settings().tenant("dev").expect_err("no such tenant"));
    assert_eq!(told, "there is no configuration: no migrate.toml is in this folder or above it, and AUTH0_DOMAIN is not set");
}

#[test]
fn a_given_file_must_exist() {
    let wrong = Settings::load(Some(Path::new("/nowhere/migrate.toml")), None, &EnvironmentVariables::new()).expect_err("no file");
    assert_eq!(wrong.to_string(), "cannot read \"/nowhere/migrate.toml\"");
}
