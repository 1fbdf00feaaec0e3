//! Snapshots with a newer format, truncated ones, and edited ones.

use insta::assert_snapshot;

use crate::support::fixture::Fixture;
use crate::support::refusals::refused_offline;

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection --from ./taken --yes --quiet";

/// A fixture with a snapshot of dev in the folder `taken`.
fn exported() -> Fixture {
    let fixture = Fixture::small();
    let said = fixture.run("export --tenant dev --out taken --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    fixture
}

#[test]
fn a_snapshot_of_a_newer_format_is_refused_by_its_number() {
    let fixture = exported();
    fixture.edit("taken/manifest.json", "\"format\": 1", "\"format\": 3");
    assert_snapshot!(refused_offline(&fixture, IMPORT), @r#"
    exit 64
    error: snapshot "./taken" has format 3; this version of migrate reads up to 2
    hint:  update migrate, or export again with this version
    state: nothing was written
    "#);
}

#[test]
fn a_truncated_snapshot_is_shown_where_it_ends() {
    let fixture = exported();
    let text = fixture.read("taken/clients.json");
    fixture.write("taken/clients.json", &text[..text.len() / 2]);
    assert_snapshot!(refused_offline(&fixture, IMPORT), @"
    exit 64
    error: this is not part of a snapshot
             --> ./taken/clients.json:16:4
              |
           16 |   },
              |    ^ EOF while parsing a value
    hint:  export again; put changes into a mapping instead of editing a snapshot
    state: nothing was written
    ");
}

#[test]
fn a_snapshot_without_one_of_its_files_names_it() {
    let fixture = exported();
    std::fs::remove_file(fixture.path("taken/rules.json")).expect("removed");
    assert_snapshot!(refused_offline(&fixture, IMPORT), @r#"
    exit 64
    error: cannot read "./taken/rules.json"
    cause: No such file or directory (os error 2)
    hint:  name the folder of a snapshot, with all files that `migrate export` wrote
    state: nothing was written
    "#);
}

#[test]
fn a_malformed_snapshot_is_shown_at_the_error() {
    let fixture = exported();
    fixture.edit("taken/clients.json", "\"key\": \"clients/Shop\"", "\"key\": 7");
    assert_snapshot!(refused_offline(&fixture, IMPORT), @r#"
    exit 64
    error: this is not part of a snapshot
            --> ./taken/clients.json:3:12
             |
           3 |     "key": 7,
             |            ^ invalid type: integer `7`, expected a string
    hint:  export again; put changes into a mapping instead of editing a snapshot
    state: nothing was written
    "#);
}

#[test]
fn a_malformed_manifest_is_shown_at_the_error() {
    let fixture = exported();
    fixture.edit("taken/manifest.json", "\"kinds\": {", "\"kinds\": {,");
    assert_snapshot!(refused_offline(&fixture, IMPORT), @r#"
    exit 64
    error: this is not part of a snapshot
            --> ./taken/manifest.json:7:13
             |
           7 |   "kinds": {,
             |             ^ key must be a string
    hint:  export again; put changes into a mapping instead of editing a snapshot
    state: nothing was written
    "#);
}

#[test]
fn an_edited_snapshot_does_not_match_its_manifest() {
    let fixture = exported();
    fixture.edit("taken/clients.json", "https://shop.acme.example/back", "https://evil.example/back");
    assert_snapshot!(refused_offline(&fixture, IMPORT), @r#"
    exit 64
    error: snapshot "./taken" was changed after it was written: its content does not match its manifest
    hint:  export again; put changes into a mapping instead of editing a snapshot
    state: nothing was written
    "#);
}

#[test]
fn a_folder_that_is_not_a_snapshot_is_reported() {
    let fixture = Fixture::small();
    fixture.write("taken/readme.txt", "nothing");
    assert_snapshot!(refused_offline(&fixture, IMPORT), @r#"
    exit 64
    error: cannot read "./taken/manifest.json"
    cause: No such file or directory (os error 2)
    hint:  name the folder of a snapshot, with all files that `migrate export` wrote
    state: nothing was written
    "#);
}
