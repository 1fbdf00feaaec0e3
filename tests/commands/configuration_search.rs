//! Where `migrate.toml` is looked for, and what happens where there is none.

use std::os::unix::fs::chown;
use std::path::Path;

use insta::assert_snapshot;

use crate::support::fixture::{CommandOutput, Fixture};
use crate::support::skip::skip;

/// A user who is neither root nor whoever runs the tests.
const STRANGER: u32 = 54_321;

/// Runs a command line in a folder of the fixture.
fn run_in(fixture: &Fixture, folder: &str, line: &str) -> CommandOutput {
    std::fs::create_dir_all(fixture.path(folder)).expect("made");
    fixture.run_in_shell(&format!("cd {folder} && exec \"$MIGRATE\" {line}"))
}

/// Returns a fixture without a configuration.
fn unconfigured() -> Fixture {
    let fixture = Fixture::small();
    std::fs::remove_file(fixture.path("migrate.toml")).expect("removed");
    let above = fixture.path("").ancestors().map(|folder| folder.join("migrate.toml")).find(|path| path.exists());
    assert_eq!(above, None, "remove this file: every test that has no configuration would use it");
    fixture
}

#[test]
fn below_the_folder_of_the_configuration_every_path_is_the_same() {
    let mut fixture = Fixture::acme("");
    let exported = run_in(&fixture, "docs/notes", "export --tenant dev --quiet");
    assert_eq!(exported.code, 0, "{}", exported.whole());
    fixture.only_in("snapshots/dev");
    let [here, below] = [fixture.run("plan --tenant prod"), run_in(&fixture, "docs/notes", "plan --tenant prod")];
    // Only the path of the mapping is shown as it is seen from the working folder, which moves a column.
    let words = |text: &str| text.replace("DIR/", "").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!((here.code, words(&here.out)), (4, words(&below.out)));
    assert_eq!(fixture.in_folder("docs/notes"), [""; 0]);
    // A snapshot that the configuration names is below its own folder too.
    fixture.edit("migrate.toml", "source = \"dev\"", &format!("source = \"{}\"", fixture.only_in("snapshots/dev")));
    fixture.set("MIGRATE_DEV_CLIENT_SECRET", "");
    let below = run_in(&fixture, "docs/notes", "plan --tenant prod --output json");
    assert_eq!(below.code, 4, "{}", below.whole());
}

#[test]
fn only_verbose_output_says_which_configuration_above_is_used() {
    let fixture = Fixture::small();
    assert_snapshot!(run_in(&fixture, "below", "validate --verbose").whole(), @"
    exit 0
    tenant  domain                  source  mapping  credentials
    dev     acme-dev.eu.auth0.com                    set
    prod    acme-prod.eu.auth0.com  dev              set
    Configuration: DIR/migrate.toml
    ");
    let said = [fixture.run("validate --verbose"), run_in(&fixture, "below", "validate")];
    assert_eq!(said.map(|said| (said.code, said.err)), [(0, String::new()), (0, String::new())]);
}

#[test]
fn a_named_configuration_and_folder_count_wherever_they_are() {
    let fixture = Fixture::small();
    let other = "[tenants.dev]\ndomain = \"other-dev.eu.auth0.com\"\n[tenants.prod]\ndomain = \"other-prod.eu.auth0.com\"\n";
    fixture.write("other/migrate.toml", other);
    for line in ["runs --config ../migrate.toml --dir .", "runs --dir ."] {
        let said = run_in(&fixture, "other", line);
        assert_eq!(said.code, 0, "{}", said.whole());
    }
    let said = run_in(&fixture, "other/below", "validate");
    assert!(said.out.contains("other-prod.eu.auth0.com") && !said.out.contains("acme"), "{}", said.whole());
    let said = run_in(&fixture, "other/below", "validate --config ../../migrate.toml");
    assert!(said.out.contains("acme-prod") && !said.out.contains("other"), "{}", said.whole());
}

#[test]
fn without_a_configuration_a_command_that_needs_one_says_how_to_get_one() {
    let fixture = unconfigured();
    assert_snapshot!(fixture.run("validate").whole(), @"
    exit 64
    error: there is no configuration: no migrate.toml is in this folder or above it, and AUTH0_DOMAIN is not set
    hint:  name a configuration with --config, change to a folder that has one, or run `migrate init`
    ");
    assert_snapshot!(fixture.run("import --tenant prod --yes").whole(), @"
    exit 64
    error: there is no configuration: no migrate.toml is in this folder or above it, and AUTH0_DOMAIN is not set
    hint:  name a configuration with --config, change to a folder that has one, or run `migrate init`
    state: nothing was written
    ");
    for line in ["plan", "export", "map clients/Web", "drift --tenant prod", "get clients --tenant dev", "probe --tenant prod"] {
        let said = fixture.run(line);
        assert!(said.code == 64 && said.err.ends_with("or run `migrate init`\n"), "{line}: {}", said.whole());
    }
    for line in ["kinds", "runs", "scopes"] {
        let said = fixture.run(line);
        assert_eq!(said.code, 0, "{line}: {}", said.whole());
    }
}

#[test]
fn a_configuration_above_that_another_user_may_have_written_is_refused() {
    let fixture = Fixture::small();
    fixture.write(".env", "");
    let own = |name: &str, user: u32| chown(fixture.path(name), Some(user), None);
    let me = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(fixture.path("migrate.toml")).expect("there"));
    if own("migrate.toml", STRANGER).is_err() {
        return skip("only root can give a file to another user");
    }
    assert_snapshot!(run_in(&fixture, "below", "validate").whole(), @r#"
    exit 64
    error: "DIR/migrate.toml" belongs to another user (uid 54321)
    hint:  above the working folder, a configuration, its folder and `.env` must belong to you or to root; if you trust it, name it with --config
    "#);
    let named = [run_in(&fixture, "below", "validate --config ../migrate.toml"), fixture.run("validate")];
    assert_eq!(named.map(|said| said.code), [0, 0]);
    own("migrate.toml", me).expect("given back");
    for name in [".env", ""] {
        own(name, STRANGER).expect("given away");
        let said = run_in(&fixture, "below", "validate");
        let path = Path::new("DIR").join(name).display().to_string();
        let told = format!("error: \"{}\" belongs to another user", path.trim_end_matches('/'));
        assert!(said.code == 64 && said.err.starts_with(&told), "{}", said.whole());
        own(name, me).expect("given back");
    }
    assert_eq!(run_in(&fixture, "below", "validate").code, 0);
}
