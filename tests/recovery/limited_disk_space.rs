//! Disk space that runs out at each write in turn: every command that writes is run with more and more space, until it suffices.
//!
//! Wherever the space runs out, the command reports it, no file is torn, and the same command succeeds once there is
//! space.
#![expect(clippy::print_stdout, reason = "how often the room was too small is told")]

use std::path::Path;

use auth0_migrate::apply::journal::Record;
use serde_json::Value;

use crate::support::fixture::{CommandOutput, Fixture};
use crate::support::skip::skip;

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet";

/// The available space.
#[derive(Debug, Clone, Copy)]
enum Room {
    /// A file system of this many pages of 4 KiB.
    Pages(usize),
    /// No file larger than this many blocks of 512 bytes.
    Blocks(usize),
}

impl Room {
    /// Runs a command line in this space; its files are in the folder `kept`.
    fn run(self, fixture: &Fixture, line: &str) -> CommandOutput {
        match self {
            Self::Pages(pages) => {
                let size = pages * 4;
                let inside = format!(
                    "mount -t tmpfs -o size={size}k none small; $MIGRATE {line} --dir small; code=$?; cp -a small/. kept/; exit $code"
                );
                fixture.run_in_shell(&format!("mkdir -p small kept; exec unshare -Urm sh -c '{inside}'"))
            }
            Self::Blocks(blocks) => fixture.run_in_shell(&format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$MIGRATE\" {line} --dir kept")),
        }
    }

    const fn more(self, by: usize) -> Self {
        match self {
            Self::Pages(pages) => Self::Pages(pages + by),
            Self::Blocks(blocks) => Self::Blocks(blocks + by),
        }
    }
}

/// Returns the smallest spaces that this machine lets a user create.
fn rooms() -> Vec<Room> {
    let fixture = Fixture::small();
    std::fs::create_dir(fixture.path("small")).expect("made");
    let may_mount = fixture.run_in_shell("unshare -Urm sh -c 'mount -t tmpfs -o size=4k none small' 2>/dev/null || exit 9").code == 0;
    if may_mount {
        return vec![Room::Blocks(0), Room::Pages(1)];
    }
    // A block limit ends every write as pages do, file by file.
    vec![Room::Blocks(0)]
}

/// Checks that every file below a folder is complete and that no temporary file is left.
fn assert_whole(folder: &Path, room: Room) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(!name.starts_with(".migrate-"), "{room:?}: {} was left", path.display());
        if path.is_dir() {
            assert_whole(&path, room);
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        let is_whole = match name.rsplit_once('.').map(|(_, form)| form) {
            Some("json") => serde_json::from_str::<Value>(&text).is_ok(),
            Some("jsonl") => text.is_empty() || Record::load(&path).is_ok(),
            Some("csv" | "md" | "html") => text.ends_with('\n'),
            _ => false,
        };
        assert!(is_whole, "{room:?}: {} is torn: {text}", path.display());
    }
}

/// Runs a command line in more and more space, each time on a new fixture, until it suffices; returns how often it did
/// not.
fn until_there_is_room(mut room: Room, step: usize, line: &str, ends_right: &dyn Fn(&Fixture, CommandOutput)) -> usize {
    let mut refused = 0;
    loop {
        let fixture = Fixture::small();
        let said = room.run(&fixture, line);
        assert_whole(&fixture.path("kept"), room);
        if said.code == 0 {
            return refused;
        }
        let state = said.err.lines().last().and_then(|line| line.strip_prefix("state: "));
        assert_eq!(said.code, 1, "{room:?}: {}", said.whole());
        let is_told = state.map_or(!line.starts_with("import"), |state| state == "nothing was written" || state.starts_with("applied "));
        assert!(is_told, "{room:?}: {}", said.whole());
        assert!(said.err.contains("No space left on device") || said.err.contains("File too large"), "{room:?}: {}", said.whole());
        assert!(said.err.contains("hint:  check free space"), "{room:?}: {}", said.whole());
        assert!(state != Some("nothing was written") || fixture.writes().is_empty(), "{room:?}: {}", said.whole());
        ends_right(&fixture, said);
        (refused, room) = (refused + 1, room.more(step));
        assert!(refused < 200, "{room:?}: it never has enough");
    }
}

/// Returns the step size for a command that writes only a snapshot, which consists of many files of one page.
const fn step_of(room: Room) -> usize {
    if matches!(room, Room::Pages(_)) { 9 } else { 1 }
}

/// Returns the number of pages of the snapshot that an import writes first.
fn pages_of_a_snapshot() -> usize {
    let fixture = Fixture::small();
    assert_eq!(fixture.run("export --tenant dev --quiet").code, 0);
    let sizes = fixture.files().into_iter().filter(|path| path.starts_with(fixture.path("snapshots")));
    sizes.map(|path| path.metadata().expect("there").len().div_ceil(4096)).sum::<u64>().try_into().expect("a small number")
}

/// The factor by which the fast tier increases the step size.
const FASTER: usize = 6;

#[test]
fn an_export_a_plan_and_an_import_survive_a_few_space_limits() {
    an_export_ends_right(FASTER);
    a_plan_ends_right(FASTER);
    an_import_ends_right(FASTER);
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn an_export_survives_any_space_limit() {
    an_export_ends_right(1);
}

fn an_export_ends_right(faster: usize) {
    for room in rooms() {
        let refused = until_there_is_room(room, step_of(room) * faster, "export --tenant dev --quiet", &|fixture, said| {
            assert_eq!(fixture.in_folder("kept/snapshots/dev"), [""; 0], "{}", said.whole());
            let again = fixture.run("export --tenant dev --quiet --dir kept");
            assert_eq!(again.code, 0, "{}", again.whole());
        });
        println!("{room:?}: refused {refused} times");
        assert!(refused * faster > 1, "{room:?}: {refused}");
    }
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn a_plan_survives_any_space_limit() {
    a_plan_ends_right(1);
}

fn a_plan_ends_right(faster: usize) {
    for room in rooms() {
        let out = if matches!(room, Room::Pages(_)) { "small/plan.json" } else { "kept/plan.json" };
        let refused =
            until_there_is_room(room, step_of(room) * faster, &format!("plan --tenant prod --quiet --out {out}"), &|fixture, said| {
                assert!(!fixture.path("kept/plan.json").exists(), "{}", said.whole());
                let again = fixture.run("plan --tenant prod --quiet --dir kept --out kept/plan.json");
                assert_eq!(again.code, 0, "{}", again.whole());
            });
        println!("{room:?}: refused {refused} times");
        assert!(refused * faster > 1, "{room:?}: {refused}");
    }
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn an_import_survives_any_space_limit() {
    an_import_ends_right(1);
}

fn an_import_ends_right(faster: usize) {
    for room in rooms() {
        let room = room.more(if matches!(room, Room::Pages(_)) { pages_of_a_snapshot() } else { 0 });
        let refused = until_there_is_room(room, faster, IMPORT, &|fixture, said| {
            let is_cut = fixture.run("runs --dir kept").out.contains("interrupted");
            let line = if is_cut { "import --tenant prod --resume --yes --quiet" } else { IMPORT };
            let again = fixture.run(&format!("{line} --dir kept"));
            assert_eq!(again.code, 0, "{room:?}: {}\n{}", said.whole(), again.whole());
            let creates = fixture.writes().iter().filter(|seen| seen.method == "POST").count();
            let clients = fixture.prod("/clients");
            assert_eq!((creates, clients.as_array().map(Vec::len)), (1, Some(2)), "{}\n{}", said.whole(), again.whole());
            let links = fixture.read("kept/state/dev/prod/links.csv");
            let base: Value = serde_json::from_str(&fixture.read("kept/state/dev/prod/baseline.json")).expect("JSON");
            assert!(links.contains("Shop") && links.contains("Till") && base["resources"].get("clients/Till").is_some(), "{links}{base:#}");
            let last = fixture.run("import --tenant prod --yes --quiet --dir kept");
            assert!(last.code == 0 && last.out.contains("Nothing to do."), "{}", last.whole());
        });
        println!("{room:?}: refused {refused} times");
        assert!(refused * faster > 5, "{room:?}: {refused}");
    }
}

/// A read-only file system, if the user may mount one: elsewhere, root may write anywhere.
#[test]
fn a_read_only_folder_is_reported_before_anything_is_written() {
    let fixture = Fixture::small();
    std::fs::create_dir(fixture.path("small")).expect("made");
    let mount = "mount -t tmpfs -o ro none small";
    if fixture.run_in_shell(&format!("unshare -Urm sh -c '{mount}' 2>/dev/null || exit 9")).code != 0 {
        return skip("this machine lets no user mount a file system that can only be read");
    }
    for line in [
        "export --tenant dev",
        "import --tenant prod --allow lockout-risk,weaker-protection --yes",
        "plan --tenant prod --out small/plan.json",
        "link clients devShop000000000000000000000000a prodShop00000000000000000000000a --tenant prod",
    ] {
        let said = fixture.run_in_shell(&format!("exec unshare -Urm sh -c '{mount}; exec \"$MIGRATE\" {line} --dir small --quiet'"));
        let is_told = said.err.starts_with("error: ") && said.err.contains("Read-only file system") && said.err.contains("small/");
        assert!(said.code == 1 && is_told, "{line}: {}", said.whole());
    }
    assert_eq!(fixture.writes(), []);
}
