//! The complete output of a dry run between the demo's tenants.

use crate::support::fixture::Fixture;

#[test]
fn the_example_plan_is_readable() {
    let fixture = Fixture::acme("");
    let said = fixture.run("import --tenant prod --dry-run --allow many-changes,lockout-risk,weaker-protection --quiet");
    insta::assert_snapshot!(said.whole());
    assert_eq!(fixture.writes(), []);
    assert_eq!(fixture.in_folder("runs"), [""; 0]);
}

#[test]
fn the_suggested_import_command_can_be_pasted_whatever_the_paths() {
    let fixture = Fixture::small();
    fixture.write("my rules.toml", "");
    let paths = ["--mapping", "my rules.toml", "--dir", "Ada's files"];
    let words: Vec<&str> = "import --dry-run --tenant prod --allow lockout-risk,weaker-protection".split(' ').chain(paths).collect();
    let said = fixture.run_words(&words);
    let next = said.out.lines().rfind(|line| line.starts_with("migrate import")).expect("the next command");
    assert_eq!(
        next,
        r"migrate import --tenant prod --from dev --mapping 'my rules.toml' --allow lockout-risk,weaker-protection --dir 'Ada'\''s files'"
    );
}
