//! `--log-file`: what is logged of requests and runs, and that no secret ever is.

use std::os::unix::fs::PermissionsExt;

use auth0_migrate::sandbox::seed;
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::canary_secrets::plant;
use super::network_and_file_access::{Stranger, prod_at};
use crate::support::fixture::{Fixture, dev, prod};

const LOG: &str = "--log-file log.jsonl --log-format json";

/// Returns the events of a log, each of which must be a JSON object on a line of its own.
fn events(fixture: &Fixture) -> Vec<Value> {
    let text = fixture.read("log.jsonl");
    assert!(text.ends_with('\n'), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn of_kind<'log>(events: &'log [Value], message: &str) -> Vec<&'log Value> {
    events.iter().filter(|event| event["message"] == message).collect()
}

/// Returns a log without what differs between runs.
fn steady(text: &str) -> String {
    let number = |text: &str, name: &str| {
        let mut parts = text.split(name);
        let begin = parts.next().unwrap_or_default().to_owned();
        parts.fold(begin, |out, part| out + name + "N" + part.trim_start_matches(|sign: char| sign.is_ascii_digit()))
    };
    [" ms=", " pid="].iter().fold(text.to_owned(), |text, name| number(&text, name))
}

#[test]
fn no_secret_of_a_tenant_is_logged_even_where_a_tenant_repeats_it() {
    let [mut source, mut target] = [seed::ACME_DEV, seed::ACME_PROD].map(|text| serde_json::from_str(text).expect("JSON"));
    assert!(plant(&mut source) + plant(&mut target) > 400);
    let fixture = Fixture::acme_of(source, target, "echo@w1x*");
    for line in [
        "export --tenant dev --verbose",
        "import --tenant prod --allow many-changes,lockout-risk,weaker-protection --yes --verbose",
        "get clients Billing --tenant prod",
        "api get users?q=CANARY%40acme.example&page=1 --tenant prod",
    ] {
        fixture.run(&format!("{line} {LOG}"));
    }
    let log = fixture.read("log.jsonl");
    assert!(!log.contains("CANARY") && !log.to_lowercase().contains("bearer"), "{log}");
    let events = events(&fixture);
    let requests = of_kind(&events, "request");
    assert!(requests.iter().filter(|event| event["method"] != "GET" && event["status"] == 400).count() > 40, "{log}");
    let seen = fixture.requests().len() + fixture.requests_of_dev().len();
    assert_eq!(requests.iter().filter(|event| event["path"] != "/oauth/token").count(), seen);
    assert!(requests.iter().any(|event| event["path"] == "/api/v2/users?q=…&page=1"), "{log}");
}

#[test]
fn a_log_in_text_says_what_was_sent_and_how_it_ended() {
    let fixture = Fixture::small();
    for line in ["get rules Greeting --tenant prod", "get rulez --tenant prod"] {
        fixture.run(&format!("{line} --log-file log.txt"));
    }
    assert_snapshot!(steady(&fixture.without_places(&fixture.read("log.txt"))), @r#"
    TIME  INFO start command="get" version="0.1.0" pid=N
    TIME  INFO request tenant="prod" method=POST path="/oauth/token" status=200 ms=N attempt=1
    TIME  INFO request tenant="prod" method=GET path="/api/v2/rules/Greeting" status=404 ms=N attempt=1
    TIME  INFO request tenant="prod" method=GET path="/api/v2/rules?page=0&per_page=100&include_totals=true" status=200 ms=N attempt=1
    TIME  INFO end command="get" exit_code=0 ms=N
    TIME  INFO start command="get" version="0.1.0" pid=N
    TIME  INFO end command="get" exit_code=64 ms=N
    "#);
    assert_eq!(fixture.path("log.txt").metadata().expect("there").permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_run_its_waits_and_its_retries_are_logged_with_their_reasons() {
    let fixture = Fixture::new(dev(), prod(), "503-before@3,429@5,cut-before@7");
    let said = fixture.run(&format!("import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet {LOG}"));
    assert_eq!(said.code, 0, "{}", said.whole());
    let events = events(&fixture);
    let field = |event: &Value, name: &str| event[name].clone();
    let mut retries: Vec<Value> =
        of_kind(&events, "retry").iter().map(|event| json!([field(event, "reason"), field(event, "status")])).collect();
    retries.sort_by_key(ToString::to_string);
    assert_eq!(retries, [json!(["no complete response", null]), json!(["status", 429]), json!(["status", 503])]);
    assert!(of_kind(&events, "request").iter().any(|event| event["attempt"] == 2 && event["tenant"] == "prod"));
    assert!(of_kind(&events, "request").iter().any(|event| event["failure"] == "no complete response" && event["status"].is_null()));
    let waits = of_kind(&events, "wait");
    assert!(waits.iter().all(|event| event["reason"].is_string() && event["wait_ms"].is_u64()), "{waits:?}");
    let run = fixture.only_in("runs").replace("runs/", "");
    let began = &of_kind(&events, "run started")[0];
    assert_eq!((&began["run"], &began["tenant"], &began["changes"]), (&json!(run), &json!("prod"), &json!(2)));
    let ended = &of_kind(&events, "run ended")[0];
    assert_eq!((&ended["run"], &ended["applied"], &ended["failed"]), (&json!(run), &json!(2), &json!(0)));
    let ends = of_kind(&events, "end");
    assert_eq!((ends.len(), &ends[0]["command"], &ends[0]["exit_code"]), (1, &json!("import"), &json!(0)));
}

#[test]
fn the_id_that_auth0_gave_a_request_is_logged() {
    for (header, id) in [("x-auth0-requestid", "4ad55daa560e468bdfe1"), ("CF-Ray", "7e2e6a80b99c392d-KUL")] {
        let fixture = Fixture::small();
        let server = Stranger::saying(format!("403 Forbidden\r\n{header}: {id}"));
        prod_at(&fixture, &format!("http://127.0.0.1:{}", server.port));
        fixture.run(&format!("export --tenant prod --quiet {LOG}"));
        let events = events(&fixture);
        let asked = of_kind(&events, "request");
        assert_eq!((&asked[0]["path"], &asked[0]["request_id"]), (&json!("/oauth/token"), &json!(id)), "{asked:?}");
    }
}

#[test]
fn a_log_that_cannot_be_written_is_reported() {
    let fixture = Fixture::small();
    assert_snapshot!(fixture.run("validate --log-file nowhere/log.txt").whole(), @r#"
    exit 64
    error: cannot write "nowhere/log.txt"
    cause: No such file or directory (os error 2)
    hint:  name a file with --log-file in a folder that exists and can be written to
    "#);
    assert_snapshot!(fixture.run("validate --log-format json").whole(), @r"
    exit 64
    error: --log-format needs --log-file
    hint:  name the file that the log is appended to
    ");
    let said = fixture.run("validate --log-file /dev/full");
    assert!(said.code == 0 && said.err.starts_with("warning: the log is incomplete: No space left on device"), "{}", said.whole());
}
