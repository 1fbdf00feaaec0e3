//! Input and output at a terminal while the program works.

use super::interrupted::slow_prod;
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

#[test]
fn one_line_shows_how_far_a_run_is_and_a_wait_is_counted_down_with_its_reason() {
    let fixture = slow_prod();
    let terminal = Terminal::open().of_columns(120);
    let mut import = fixture.start_at(&terminal, &format!("{IMPORT} --only organizations --yes"));
    terminal.shown_until(" of 12 to prod  ");
    terminal.shown_until("organizations of prod allow 25 requests a minute: ");
    // Nothing happens in between but that time goes by.
    terminal.shown_until("organizations of prod allow 25 requests a minute: 1 s");
    terminal.type_keys("\x03");
    terminal.shown();
    assert_eq!(import.wait().expect("it ended").code(), Some(130));
}
