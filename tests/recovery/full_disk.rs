//! A full disk, and folders that cannot be written to.

use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;

use crate::support::fixture::{CommandOutput, Fixture};
use crate::support::refusals::{IMPORT, RESUME, cut, refused};
use crate::support::skip::skip;

/// Runs a command line with a file size limit of this many blocks of 512 bytes.
fn run_in_little_room(fixture: &Fixture, blocks: usize, line: &str) -> CommandOutput {
    fixture.run_in_shell(&format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$MIGRATE\" {line}"))
}

#[test]
fn an_export_without_disk_space_leaves_nothing_behind() {
    let fixture = Fixture::small();
    assert_snapshot!(run_in_little_room(&fixture, 0, "export --tenant dev --quiet").whole(), @r#"
    exit 1
    error: cannot write "./snapshots/dev/TIME/action-modules.json"
    cause: File too large (os error 27)
    hint:  check free space and permissions, or name another folder with --dir
    "#);
    let left: Vec<_> = fixture.files().into_iter().filter(|path| !path.ends_with("migrate.toml")).collect();
    assert_eq!(left, [""; 0].map(std::path::PathBuf::from));
}

#[test]
fn a_plan_without_disk_space_is_not_written() {
    let fixture = Fixture::small();
    assert_eq!(fixture.run("export --tenant dev --quiet").code, 0);
    assert_snapshot!(run_in_little_room(&fixture, 0, "plan --tenant prod --out plan.json --quiet").whole(), @r#"
    exit 1
    error: cannot write "plan.json"
    cause: File too large (os error 27)
    hint:  check free space and permissions, or name another folder with --dir
    "#);
    assert!(!fixture.path("plan.json").exists());
}

#[test]
fn an_import_without_disk_space_for_its_plan_writes_to_no_tenant() {
    let fixture = Fixture::small();
    assert_eq!(fixture.run("export --tenant dev --quiet").code, 0);
    assert_snapshot!(run_in_little_room(&fixture, 1, IMPORT).refused(), @r#"
    exit 1
    error: cannot write "./snapshots/prod/TIME/manifest.json"
    cause: File too large (os error 27)
    hint:  check free space and permissions, or name another folder with --dir
    state: nothing was written
    "#);
    assert_eq!(fixture.writes(), []);
}

/// Pads the journal of a run so that this many bytes are left in its last block; returns its blocks.
fn fill_up(fixture: &Fixture, run: &str, left: usize) -> usize {
    let journal = format!("{run}/journal.jsonl");
    let text = fixture.read(&journal);
    let empty = "{\"entry\":\"resumed\",\"at\":\"\"}\n".len();
    let blocks = (text.len() + empty + left).div_ceil(512);
    let filling = "0".repeat(blocks * 512 - text.len() - empty - left);
    fixture.write(&journal, &format!("{text}{{\"entry\":\"resumed\",\"at\":\"{filling}\"}}\n"));
    blocks
}

#[test]
fn without_disk_space_for_the_journal_nothing_is_sent() {
    let (fixture, run) = cut();
    let blocks = fill_up(&fixture, &run, 0);
    assert_snapshot!(run_in_little_room(&fixture, blocks, RESUME).whole(), @r#"
    exit 1
    error: the run can no longer be recorded
    cause: cannot write "./runs/TIME-prod/journal.jsonl"
    cause: File too large (os error 27)
    hint:  check free space and permissions, then run `migrate import --tenant prod --resume TIME-prod`
    state: applied 0 of 2 changes; 2 not sent
    "#);
    assert_eq!(fixture.writes().len(), 4);
}

#[test]
fn a_disk_that_fills_up_while_requests_are_in_flight_loses_nothing() {
    let (fixture, run) = cut();
    // Room for the resume and both intents, but not for their outcomes.
    let blocks = fill_up(&fixture, &run, 260);
    assert_snapshot!(run_in_little_room(&fixture, blocks, RESUME).whole(), @r#"
    exit 1
    error: the run can no longer be recorded
    cause: cannot write "./runs/TIME-prod/journal.jsonl"
    cause: File too large (os error 27)
    hint:  check free space and permissions, then run `migrate import --tenant prod --resume TIME-prod`
    state: applied 2 changes
    "#);
    assert_eq!(fixture.writes().len(), 6);
    let said = fixture.run(RESUME);
    assert_eq!((said.code, fixture.writes().len()), (0, 6), "{}", said.whole());
    assert_eq!(fixture.prod("/clients").as_array().map(Vec::len), Some(2));
}

/// A real file system of 32 KiB, if the user may mount one.
#[test]
fn a_full_file_system_is_reported() {
    let fixture = Fixture::acme("");
    std::fs::create_dir(fixture.path("small")).expect("made");
    let mount = "mount -t tmpfs -o size=32k none small";
    let may_mount = fixture.run_in_shell(&format!("unshare -Urm sh -c '{mount}' 2>/dev/null || exit 9"));
    if may_mount.code != 0 {
        // The tests with `ulimit -f` show the same: what was written, what was not, and what to do.
        return;
    }
    let import = "exec \"$MIGRATE\" import --tenant prod --dir small --allow many-changes,lockout-risk,weaker-protection --yes --quiet";
    assert_snapshot!(fixture.run_in_shell(&format!("exec unshare -Urm sh -c '{mount}; {import}'")).whole(), @r#"
    exit 1
    error: cannot write "small/snapshots/dev/TIME/attack-protection-phone-provider-protection.json"
    cause: No space left on device (os error 28)
    hint:  check free space and permissions, or name another folder with --dir
    state: nothing was written
    "#);
    assert_eq!(fixture.writes(), []);
}

#[test]
fn a_folder_that_cannot_be_created_is_reported() {
    let fixture = Fixture::small();
    fixture.write("file", "no folder");
    assert_snapshot!(refused(&fixture, "import --tenant prod --allow lockout-risk,weaker-protection --dir file/below --yes --quiet"), @r#"
    exit 1
    error: cannot write "file/below/snapshots/dev/TIME"
    cause: "file" is a file, not a folder
    hint:  check free space and permissions, or name another folder with --dir
    state: nothing was written
    "#);
    assert_snapshot!(refused(&fixture, "export --tenant dev --out file/below --quiet"), @r#"
    exit 1
    error: cannot write "file/below"
    cause: "file" is a file, not a folder
    hint:  check free space and permissions, or name another folder with --dir
    "#);
}

#[test]
fn a_lock_that_cannot_be_written_stops_before_the_first_write() {
    let fixture = Fixture::small();
    std::fs::write(fixture.state_home(), "no folder").expect("written");
    let said = fixture.run(IMPORT);
    assert_snapshot!(said.refused(), @r#"
    exit 1
    error: cannot take the lock "DIR/.state/migrate/locks/acme-prod.eu.auth0.com@PORT.lock"
    cause: "DIR/.state" is a file, not a folder
    hint:  check free space and permissions, or set XDG_STATE_HOME to a folder that this user can write to; runs that share it see each other's locks
    state: nothing was written
    "#);
    assert_eq!(fixture.writes(), []);
}

#[test]
fn a_folder_without_write_permission_is_reported() {
    let fixture = Fixture::small();
    std::fs::create_dir(fixture.path("locked")).expect("made");
    std::fs::set_permissions(fixture.path("locked"), std::fs::Permissions::from_mode(0o500)).expect("locked");
    let may_write_anywhere = std::fs::write(fixture.path("locked/probe"), "").is_ok();
    let _ = std::fs::remove_file(fixture.path("locked/probe"));
    // In a user namespace, permissions apply to root too.
    let bound = if may_write_anywhere { "unshare -U" } else { "" };
    if fixture.run_in_shell(&format!("{bound} true 2>/dev/null || exit 9")).code != 0 {
        return skip("whoever runs it may write anywhere, and this machine has no user namespaces");
    }
    let import = "import --tenant prod --allow lockout-risk,weaker-protection --dir locked --yes --quiet";
    assert_snapshot!(fixture.run_in_shell(&format!("exec {bound} \"$MIGRATE\" {import}")).refused(), @r#"
    exit 1
    error: cannot write "locked/snapshots/dev/TIME"
    cause: Permission denied (os error 13)
    hint:  check free space and permissions, or name another folder with --dir
    state: nothing was written
    "#);
    assert_eq!(fixture.writes(), []);
}
