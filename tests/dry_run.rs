//! The whole text of a dry run of the worked example, as its reader sees it.

use crate::stage::Stage;

#[test]
fn the_worked_example_reads_as_a_plan() {
    let stage = Stage::acme("");
    let said = stage.run("import --tenant prod --dry-run --allow many-changes,critical --quiet");
    insta::assert_snapshot!(said.whole());
    assert_eq!(stage.writes(), []);
    assert_eq!(stage.in_folder("runs"), [""; 0]);
}
