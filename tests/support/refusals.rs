//! Commands that must be refused before anything is written, and a run that can be resumed.

use super::fixture::{Stage, dev, prod};

pub(crate) const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet";
pub(crate) const RESUME: &str = "import --tenant prod --resume --yes --quiet";

/// Everything said by a command that must not write to a tenant nor begin a run.
pub(crate) fn refused(stage: &Stage, line: &str) -> String {
    let said = stage.run(line);
    assert_eq!(stage.writes(), [], "{}", said.whole());
    assert_eq!(stage.in_folder("runs"), [""; 0], "{}", said.whole());
    assert!(!said.whole().contains("CANARY"), "{}", said.whole());
    said.whole()
}

/// The same, of one that can know without asking any tenant.
pub(crate) fn refused_offline(stage: &Stage, line: &str) -> String {
    let said = refused(stage, line);
    assert_eq!(stage.requests(), [], "{said}");
    said
}

/// A stage with a run whose two creates met a broken server, so that it can go on; returns the run's folder too.
pub(crate) fn cut() -> (Stage, String) {
    let mut target = prod();
    target["data"]["/clients"] = serde_json::json!([]);
    // Each create is sent, looked up, and sent once more.
    let stage = Stage::of(dev(), target, "503-before@w1x4");
    let said = stage.run(IMPORT);
    assert_eq!((said.code, stage.writes().len()), (3, 4), "{}", said.whole());
    let run = stage.only_in("runs");
    (stage, run)
}
