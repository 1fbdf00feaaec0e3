//! Commands that must be refused before anything is written, and a run that can be resumed.

use super::fixture::{Fixture, dev, prod};

pub(crate) const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet";
pub(crate) const RESUME: &str = "import --tenant prod --resume --yes --quiet";

/// Everything said by a command that must not write to a tenant nor begin a run.
pub(crate) fn refused(fixture: &Fixture, line: &str) -> String {
    let said = fixture.run(line);
    assert_eq!(fixture.writes(), [], "{}", said.whole());
    assert_eq!(fixture.in_folder("runs"), [""; 0], "{}", said.whole());
    assert!(!said.whole().contains("CANARY"), "{}", said.whole());
    said.whole()
}

/// The same, of one that can know without asking any tenant.
pub(crate) fn refused_offline(fixture: &Fixture, line: &str) -> String {
    let said = refused(fixture, line);
    assert_eq!(fixture.requests(), [], "{said}");
    said
}

/// A fixture with a run whose two creates met a broken server, so that it can go on; returns the run's folder too.
pub(crate) fn cut() -> (Fixture, String) {
    let mut target = prod();
    target["data"]["/clients"] = serde_json::json!([]);
    // Each create is sent, looked up, and sent once more.
    let fixture = Fixture::new(dev(), target, "503-before@w1x4");
    let said = fixture.run(IMPORT);
    assert_eq!((said.code, fixture.writes().len()), (3, 4), "{}", said.whole());
    let run = fixture.only_in("runs");
    (fixture, run)
}
