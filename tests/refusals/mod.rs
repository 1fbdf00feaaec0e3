//! Bad input through the real binary: everything that is said, the exit code, and that nothing was written.

mod access;
mod canary;
mod disk;
mod gone;
mod guards;
mod journals;
mod mappings;
mod plans;
mod room;
mod snapshots;
mod unseen;
mod untouched;
mod words;

use crate::stage::{Stage, dev, prod};

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet";
const RESUME: &str = "import --tenant prod --resume --yes --quiet";

/// Everything said by a command that must not write to a tenant nor begin a run.
fn refused(stage: &Stage, line: &str) -> String {
    let said = stage.run(line);
    assert_eq!(stage.writes(), [], "{}", said.whole());
    assert_eq!(stage.in_folder("runs"), [""; 0], "{}", said.whole());
    assert!(!said.whole().contains("CANARY"), "{}", said.whole());
    said.whole()
}

/// The same, of one that can know without asking any tenant.
fn refused_offline(stage: &Stage, line: &str) -> String {
    let said = refused(stage, line);
    assert_eq!(stage.requests(), [], "{said}");
    said
}

/// A stage with a run whose two creates met a broken server, so that it can go on; returns the run's folder too.
fn cut() -> (Stage, String) {
    let mut target = prod();
    target["data"]["/clients"] = serde_json::json!([]);
    // Each create is sent, looked up, and sent once more.
    let stage = Stage::of(dev(), target, "503-before@w1x4");
    let said = stage.run(IMPORT);
    assert_eq!((said.code, stage.writes().len()), (3, 4), "{}", said.whole());
    let run = stage.only_in("runs");
    (stage, run)
}
