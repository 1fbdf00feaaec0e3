//! Records every request that a sandbox of a test receives; the summary validates all of them against Auth0's OpenAPI description.
//!
//! Requests of the sandbox's own unit tests are not recorded: they are written by hand, and the program never sends
//! them.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, LazyLock};

use auth0_migrate::sandbox::{Options, RequestLog};

use crate::support::fixture::Fixture;
use crate::support::summary_notes;

/// The variable that makes the sandboxes of a program record their requests too.
const VARIABLE: &str = "MIGRATE_SANDBOX_RECORD";

fn path() -> PathBuf {
    summary_notes::path("requests")
}

/// Returns the options of a test's sandbox with recording enabled.
pub(crate) fn recorded(options: Options) -> Options {
    static RECORD: LazyLock<Arc<RequestLog>> =
        LazyLock::new(|| Arc::new(RequestLog::open(&path()).expect("the target folder can be written").distinct()));
    options.request_log(Arc::clone(&RECORD))
}

/// Makes a program record the requests to its own sandboxes.
pub(crate) fn recording(program: &mut Command) -> &mut Command {
    program.env(VARIABLE, path())
}

#[test]
fn requests_of_a_program_to_a_sandbox_are_recorded() {
    let mut fixture = Fixture::small();
    let mut sandbox = fixture.start("sandbox --port 0 --credentials id:secret --record asked.jsonl");
    let mut told = String::new();
    BufReader::new(sandbox.stdout.take().expect("piped")).read_line(&mut told).expect("where it answers");
    let url = told.trim().rsplit(' ').next().expect("a word");
    fixture.write("migrate.toml", &format!("[tenants.tried]\ndomain = \"sandbox.eu.auth0.com\"\nurl = \"{url}\"\n"));
    for (name, value) in [("CLIENT_ID", "id"), ("CLIENT_SECRET", "secret")] {
        fixture.set(&format!("MIGRATE_TRIED_{name}"), value);
        fixture.set(&format!("MIGRATE_DEV_{name}"), "");
        fixture.set(&format!("MIGRATE_PROD_{name}"), "");
    }
    let said = fixture.run("api get roles?per_page=7 --tenant tried");
    assert_eq!(said.code, 0, "{}", said.whole());
    Fixture::terminate(&sandbox);
    assert_eq!(fixture.end(sandbox).code, 0);
    assert_eq!(fixture.read("asked.jsonl"), "{\"method\":\"GET\",\"target\":\"/roles?per_page=7\",\"body\":null,\"status\":200}\n");
}

#[test]
fn requests_of_a_rehearsal_to_its_copy_are_recorded_on_request() {
    let mut fixture = Fixture::small();
    let path = fixture.path("asked.jsonl").display().to_string();
    fixture.set(VARIABLE, &path);
    let said = fixture.run("import --tenant prod --rehearse --allow lockout-risk,weaker-protection");
    assert_eq!(said.code, 0, "{}", said.whole());
    let asked = fixture.read("asked.jsonl");
    assert!(asked.lines().any(|line| line.starts_with("{\"method\":\"POST\",\"target\":\"/clients\"")), "{asked}");
}

#[test]
fn an_unwritable_request_log_stops_a_sandbox_before_it_starts() {
    let fixture = Fixture::small();
    insta::assert_snapshot!(fixture.run("sandbox --port 0 --record nowhere/asked.jsonl").refused(), @r#"
    exit 1
    error: cannot write "nowhere/asked.jsonl"
    cause: No such file or directory (os error 2)
    hint:  check free space and permissions, or name another folder with --dir
    "#);
}
