//! Ctrl-C at every moment of a run: it ends with one line, and what is left can be resumed.

use std::process::Child;

use auth0_migrate::files::{Lock, LockAttempt};
use serde_json::{Value, json};

use crate::support::fixture::{Fixture, dev, prod};
use crate::support::program::Terminal;

const IMPORT: &str = "import --tenant prod --allow lockout-risk";
const CTRL_C: &str = "\x03";

/// Waits until the command ended; returns its last line, and its exit code.
fn ended(fixture: &Fixture, terminal: Terminal, mut started: Child) -> (String, Option<i32>) {
    let shown = anstream::adapter::strip_str(&fixture.without_places(&terminal.shown())).to_string();
    // It begins where the terminal showed `^C`.
    let last = shown.trim_end().lines().last().and_then(|line| line.rsplit('\r').next()).unwrap_or_default();
    (last.to_owned(), started.wait().expect("it ended").code())
}

#[test]
fn while_the_tenant_is_read_it_says_that_nothing_was_written() {
    // A request that is never answered: whatever ends the command, it is not the tenant.
    let fixture = Fixture::new(dev(), prod(), "slow:10m@3");
    let terminal = Terminal::open();
    let import = fixture.start_at(&terminal, IMPORT);
    terminal.shown_until("read dev: ");
    terminal.type_keys(CTRL_C);
    assert_eq!(ended(&fixture, terminal, import), ("Interrupted: nothing was written.".to_owned(), Some(130)));
    assert!(fixture.writes().is_empty(), "{:?}", fixture.writes());
}

#[test]
fn at_the_question_it_says_that_nothing_was_written() {
    let fixture = Fixture::small();
    let terminal = Terminal::open();
    let import = fixture.start_at(&terminal, IMPORT);
    terminal.shown_until("[y/N] ");
    terminal.type_keys(CTRL_C);
    assert_eq!(ended(&fixture, terminal, import), ("Interrupted: nothing was written.".to_owned(), Some(130)));
    assert!(fixture.in_folder("runs").is_empty());
}

#[test]
fn while_it_waits_for_the_lock_it_says_that_nothing_was_written() {
    let fixture = Fixture::small();
    let path = fixture.state_home().join(format!("migrate/locks/acme-prod.eu.auth0.com@{}.lock", fixture.port_of_prod()));
    let LockAttempt::Held { lock: _lock, .. } = Lock::take(&path, "process 7 of ada").expect("opened") else { panic!("it is held") };
    let terminal = Terminal::open();
    let import = fixture.start_at(&terminal, &format!("{IMPORT} --lock-timeout 10m"));
    terminal.shown_until("Waiting for another run");
    terminal.type_keys(CTRL_C);
    assert_eq!(ended(&fixture, terminal, import), ("Interrupted: nothing was written.".to_owned(), Some(130)));
}

/// A dev of twelve organizations, and a prod that takes four of them at once, and then one in some seconds.
pub(super) fn slow_prod() -> Fixture {
    let organization =
        |at: u32| json!({"id": format!("org_{at:016}"), "name": format!("branch-{at}"), "display_name": format!("Branch {at}")});
    let mut ahead = dev();
    ahead["data"] = json!({"/organizations": (1..=12).map(organization).collect::<Vec<Value>>()});
    let mut behind = prod();
    behind["data"] = json!({});
    let fixture = Fixture::new(ahead, behind, "");
    fixture.configure("rate = \"essentials\"\n");
    fixture
}

fn created(fixture: &Fixture) -> usize {
    fixture.writes().len()
}

#[test]
fn while_it_waits_for_a_rate_limit_what_has_not_left_is_not_sent_and_the_run_can_be_resumed() {
    let fixture = slow_prod();
    let terminal = Terminal::open();
    let import = fixture.start_at(&terminal, &format!("{IMPORT} --only organizations --yes"));
    terminal.read_until(|| created(&fixture) >= 4);
    terminal.type_keys(CTRL_C);
    let (last, code) = ended(&fixture, terminal, import);
    let applied = created(&fixture);
    let run = fixture.in_folder("runs").remove(0);
    assert_eq!(code, Some(130), "{last}");
    assert!(applied < 12, "{last}");
    let expected = format!(
        "Interrupted: applied {applied} of 12 changes; {} not sent. To resume this run:  migrate import --tenant prod --resume TIME-prod",
        12 - applied
    );
    assert_eq!(last, expected);
    fixture.configure("");
    let resumed = fixture.run(&format!("import --tenant prod --resume {run} --yes"));
    assert_eq!(resumed.code, 0, "{}", resumed.whole());
    assert_eq!(fixture.prod("/organizations").as_array().map(Vec::len), Some(12));
    assert_eq!(created(&fixture), 12, "each once");
}

#[test]
fn while_a_resumed_run_reads_the_target_it_says_how_to_resume_it_again() {
    let mut fixture = unfinished();
    let held = fixture.stop_prod();
    fixture.restart_prod_with(held, "slow:10m@3");
    let terminal = Terminal::open();
    let resumed = fixture.start_at(&terminal, "import --tenant prod --resume");
    terminal.read_until(|| fixture.requests().len() >= 3);
    terminal.type_keys(CTRL_C);
    let expected = "Interrupted: nothing more was sent. To resume this run:  migrate import --tenant prod --resume TIME-prod";
    assert_eq!(ended(&fixture, terminal, resumed), (expected.to_owned(), Some(130)));
}

#[test]
fn a_second_one_ends_it_at_once_with_what_is_known() {
    let fixture = Fixture::new(dev(), prod(), "slow:10m@w1");
    let terminal = Terminal::open();
    let import = fixture.start_at(&terminal, &format!("{IMPORT} --only clients/Shop --yes"));
    terminal.read_until(|| !fixture.writes().is_empty());
    terminal.type_keys(CTRL_C);
    terminal.shown_until("Stopping: ");
    terminal.type_keys(CTRL_C);
    let (last, code) = ended(&fixture, terminal, import);
    assert_eq!(code, Some(130), "{last}");
    let expected = "Stopped at once: applied 0 of 1 change; 1 with unknown outcome. To resume this run:  migrate import --tenant prod --resume TIME-prod";
    assert_eq!(last, expected);
}

#[test]
fn sigterm_ends_it_in_the_same_way_with_its_own_exit_code() {
    let fixture = Fixture::new(dev(), prod(), "slow:10m@3");
    let import = fixture.start(&format!("{IMPORT} --yes"));
    while fixture.requests().len() < 3 {
        std::thread::yield_now();
    }
    Fixture::terminate(&import);
    let said = fixture.end(import);
    assert_eq!((said.code, said.err.lines().last()), (143, Some("Interrupted: nothing was written.")), "{}", said.whole());
}

/// A fixture whose import was interrupted after the first of its two changes.
fn unfinished() -> Fixture {
    let fixture = Fixture::small();
    let said = fixture.run(&format!("{IMPORT} --yes --quiet"));
    assert_eq!(said.code, 0, "{}", said.whole());
    let journal = format!("{}/journal.jsonl", fixture.only_in("runs"));
    let cut: Vec<String> = fixture.read(&journal).lines().take(4).map(|line| format!("{line}\n")).collect();
    fixture.write(&journal, &cut.concat());
    fixture
}

/// Imports at a terminal and types the answer to the question about the unfinished run; returns all that is shown.
fn answered(fixture: &Fixture, answer: &str) -> (String, Option<i32>) {
    let terminal = Terminal::open().of_columns(200);
    let mut import = fixture.start_at(&terminal, IMPORT);
    let asked = terminal.shown_until("[resume/new] ");
    terminal.type_keys(answer);
    if answer == "resume\n" {
        terminal.shown_until("[y/N] ");
        terminal.type_keys("y\n");
    }
    let rest = terminal.shown();
    (fixture.without_places(&(asked + &rest)), import.wait().expect("it ended").code())
}

#[test]
fn a_new_import_asks_whether_an_unfinished_run_is_resumed() {
    let fixture = unfinished();
    let (shown, code) = answered(&fixture, "resume\n");
    assert!(
        shown.contains("Run TIME-prod was started at TIME and is unfinished: applied 1 of 2 changes; 1 with unknown outcome.\n"),
        "{shown}"
    );
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(fixture.in_folder("runs").len(), 1, "the same run");
}

#[test]
fn a_new_import_supersedes_an_unfinished_run_if_that_is_what_somebody_wants_and_stops_without_an_answer() {
    let fixture = unfinished();
    let (shown, code) = answered(&fixture, "\n");
    assert!(shown.contains("error: no decision"), "{shown}");
    assert_eq!(code, Some(1), "{shown}");
    let (shown, code) = answered(&fixture, "new\n");
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(fixture.in_folder("runs").len(), 1, "nothing was left to do: {shown}");
}

#[test]
fn an_import_without_a_person_plans_anew_and_says_that_it_supersedes_the_unfinished_run() {
    let fixture = unfinished();
    let said = fixture.run(&format!("{IMPORT} --yes"));
    let told = "Run TIME-prod was started at TIME and is unfinished: applied 1 of 2 changes; 1 with unknown outcome. A new run supersedes it and plans its remaining changes again.";
    assert_eq!(said.err.lines().next(), Some(told), "{}", said.whole());
    assert_eq!(said.code, 0);
    let said = fixture.run("import --tenant prod --dry-run");
    let told = "To resume this run:  migrate import --tenant prod --resume TIME-prod";
    assert!(said.err.lines().next().is_some_and(|line| line.ends_with(told)), "{}", said.whole());
}

#[test]
fn a_resumed_run_says_first_what_is_left_of_it() {
    let fixture = unfinished();
    let said = fixture.run("import --tenant prod --resume --yes");
    assert_eq!(said.code, 0, "{}", said.whole());
    let told: Vec<&str> = said.err.lines().take(4).collect();
    let expected = [
        "Run TIME-prod, started at TIME",
        "  1 of 2 changes applied",
        "  1 with unknown outcome, looked up first",
        "    + client \"Till\"",
    ];
    assert_eq!(told, expected, "{}", said.whole());
}

#[test]
fn a_saved_plan_and_a_rehearsal_say_that_a_run_is_unfinished() {
    let fixture = unfinished();
    let told = "Run TIME-prod was started at TIME and is unfinished: applied 1 of 2 changes; 1 with unknown outcome.";
    let said = fixture.run("import --tenant prod --rehearse");
    assert!(said.err.lines().next().is_some_and(|line| line.starts_with(told)), "{}", said.whole());
    let said = fixture.run("plan --tenant prod --out saved.plan --quiet");
    assert!([0, 3].contains(&said.code), "{}", said.whole());
    let said = fixture.run("import --tenant prod --plan saved.plan --yes");
    let superseded = format!("{told} The saved plan supersedes it: only what is in the plan is applied.");
    assert_eq!(said.err.lines().next(), Some(superseded.as_str()), "{}", said.whole());
}
