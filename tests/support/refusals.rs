//! Commands that must be refused before anything is written, and a run that can be resumed.

use super::fixture::{Fixture, dev, prod};

pub(crate) const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet";
pub(crate) const RESUME: &str = "import --tenant prod --resume --yes --quiet";

/// Returns the complete output of a command that must neither write to a tenant nor start a run.
pub(crate) fn refused(fixture: &Fixture, line: &str) -> String {
    let said = fixture.run(line);
    assert_eq!(fixture.writes(), [], "{}", said.whole());
    assert_eq!(fixture.in_folder("runs"), [""; 0], "{}", said.whole());
    assert!(!said.whole().contains("CANARY"), "{}", said.whole());
    said.whole()
}

/// The same for a command that must not send a request either.
pub(crate) fn refused_offline(fixture: &Fixture, line: &str) -> String {
    let said = refused(fixture, line);
    assert_eq!(fixture.requests(), [], "{said}");
    said
}

/// A fixture with an interrupted run whose two creates got a server error; also returns the run's folder.
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
