//! Input and output at a terminal while the program works.

use crate::support::fixture::Fixture;
use crate::support::program::Terminal;

const IMPORT: &str = "import --tenant prod --allow lockout-risk";
const QUESTION: &str = "[y/N] ";

#[test]
fn input_typed_before_the_question_does_not_answer_it() {
    let fixture = Fixture::small();
    let terminal = Terminal::open();
    // The terminal keeps typed input as long as some process has it open.
    let end = terminal.end();
    terminal.type_keys("y\n");
    let mut import = fixture.start_at(&terminal, IMPORT);
    drop(end);
    terminal.shown_until(QUESTION);
    terminal.type_keys("\n");
    let shown = terminal.shown();
    assert!(shown.contains("not confirmed"), "{shown}");
    assert_eq!(import.wait().expect("it ended").code(), Some(1));
    assert!(fixture.writes().is_empty(), "{:?}", fixture.writes());
}

#[test]
fn input_typed_after_the_question_answers_it() {
    let fixture = Fixture::small();
    let terminal = Terminal::open();
    let mut import = fixture.start_at(&terminal, IMPORT);
    terminal.shown_until(QUESTION);
    terminal.type_keys("y\n");
    let shown = terminal.shown();
    assert_eq!(import.wait().expect("it ended").code(), Some(0), "{shown}");
    assert!(!fixture.writes().is_empty());
}
