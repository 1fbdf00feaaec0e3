//! `migrate sync`: silent when nothing changed, otherwise one line and one report; the next sync completes a run that a limit ended.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::support::fixture::{CommandOutput, Fixture, client};
use crate::support::webhook_receiver::WebhookReceiver;

const SYNC: &str = "sync --from dev --to prod";
const OUTCOME: &str = "state/dev/prod/last-sync.json";

fn outcome(fixture: &Fixture) -> Value {
    serde_json::from_str(&fixture.read(OUTCOME)).expect("JSON")
}

/// A dev tenant with this many clients that prod lacks; everything else is equal.
fn ahead_by(clients: usize) -> Fixture {
    let of = |tenant: &str, count: usize| {
        let clients: Vec<Value> = (0..count)
            .map(|at| client(&format!("{tenant}{at:04}000000000000000000000000"), &format!("App {at}"), "https://a.acme.example/back"))
            .collect();
        json!({"tenant": format!("acme-{tenant}"), "domain": format!("acme-{tenant}.eu.auth0.com"), "data": {"/clients": clients}})
    };
    Fixture::new(of("dev", clients + 1), of("prod", 1), "")
}

fn quiet(said: &CommandOutput) {
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "", ""), "{}", said.whole());
}

#[test]
fn a_sync_with_changes_prints_one_line_and_writes_one_file_and_the_next_is_silent() {
    let fixture = ahead_by(2);
    let (chat, pulse) = (WebhookReceiver::new(), WebhookReceiver::new());
    let hooks = format!("--notify {} --heartbeat {}", chat.url, pulse.url);
    let said = fixture.run(&format!("{SYNC} {hooks}"));
    insta::assert_snapshot!(said.whole(), @"
    exit 0
    dev -> prod: applied 2 changes in TIME
    ");
    assert_eq!(chat.received().len(), 1);
    assert_eq!(pulse.received(), ["GET"]);
    let told = outcome(&fixture);
    assert_eq!((&told["exit"], &told["runs"][0]["counts"]["applied"], &told["error"]), (&json!(0), &json!(2), &Value::Null), "{told:#}");
    assert!(!fixture.read(OUTCOME).contains("CANARY"), "the webhook URL is a secret");

    quiet(&fixture.run(&format!("{SYNC} {hooks}")));
    assert_eq!((chat.received().len(), pulse.received().len()), (0, 1));
    assert_eq!(outcome(&fixture)["text"], "dev -> prod: nothing to apply");
    assert_eq!(fixture.writes().len(), 2);
}

#[test]
fn a_chat_receives_the_line_as_text() {
    let fixture = ahead_by(1);
    let chat = WebhookReceiver::new();
    fixture.run(&format!("{SYNC} --notify {}", chat.url));
    assert_eq!(chat.received(), [format!("POST {}", json!({"text": outcome(&fixture)["text"]}))]);
}

#[test]
fn an_unreachable_webhook_is_reported_by_its_host_and_changes_nothing() {
    let mut fixture = ahead_by(1);
    fixture.set("CHAT", "http://127.0.0.1:9/CANARY-path");
    let said = fixture.run(&format!("{SYNC} --notify env:CHAT"));
    assert_eq!(said.code, 0);
    assert_eq!(said.err, "note: --notify was not delivered: no response from 127.0.0.1: Connection refused (os error 111)\n");
}

#[test]
fn a_webhook_is_checked_before_anything_is_done() {
    let fixture = ahead_by(1);
    insta::assert_snapshot!(fixture.run(&format!("{SYNC} --notify http://chat.example/x")).refused(), @"
    exit 64
    error: --notify cannot be used
    cause: the webhook URL is not on loopback, so it needs https
    state: nothing was written
    ");
    insta::assert_snapshot!(fixture.run(&format!("{SYNC} --heartbeat env:NOWHERE")).refused(), @"
    exit 64
    error: --heartbeat: variable NOWHERE is not set
    state: nothing was written
    ");
    assert!(fixture.requests().is_empty());
}

#[test]
fn a_reached_request_limit_exits_with_75_and_the_next_sync_does_the_rest() {
    let fixture = ahead_by(60);
    let reads = {
        fixture.run("plan --tenant prod");
        fixture.requests().len()
    };
    let said = fixture.run(&format!("{SYNC} --max-requests {}", reads + 21));
    assert_eq!(said.code, 75, "{}", said.whole());
    insta::assert_snapshot!(said.whole(), @"
    exit 75
    dev -> prod: applied 20 of 60 changes in TIME; 40 not sent; the budget of 127 requests is used up: 127 were sent; the next sync applies the rest
    ");
    assert_eq!(fixture.writes().len(), 20, "no request beyond the budget");
    let told = outcome(&fixture);
    assert_eq!(
        (&told["exit"], &told["limit"]),
        (&json!(75), &json!(format!("the budget of {0} requests is used up: {0} were sent", reads + 21))),
        "{told:#}"
    );

    let said = fixture.run(SYNC);
    insta::assert_snapshot!(said.whole(), @"
    exit 0
    dev -> prod: applied 40 changes in TIME
    ");
    assert_eq!(fixture.writes().len(), 60, "nothing is sent twice");
    quiet(&fixture.run(SYNC));
}

#[test]
fn resources_deleted_from_the_source_since_a_limited_sync_are_not_created() {
    let fixture = ahead_by(60);
    fixture.run("plan --tenant prod");
    let reads = fixture.requests().len();
    assert_eq!(fixture.run(&format!("{SYNC} --max-requests {}", reads + 21)).code, 75);
    let made = names(&fixture);
    let unmade: Vec<usize> = (0..=60).filter(|at| !made.contains(&json!(format!("App {at}")))).collect();
    assert_eq!((made.len(), unmade.len()), (21, 40));
    let given_up = unmade[0];
    fixture.run(&format!("api DELETE clients/dev{given_up:04}000000000000000000000000 --tenant dev --yes"));
    let said = fixture.run(SYNC);
    assert!(said.code == 0 && said.out.contains("applied 39 changes"), "{}", said.whole());
    assert!(!names(&fixture).contains(&json!(format!("App {given_up}"))), "{}", said.whole());
    quiet(&fixture.run(SYNC));
}

#[test]
fn a_limited_sync_is_undone_as_far_as_it_got() {
    let fixture = ahead_by(60);
    fixture.run("plan --tenant prod");
    let reads = fixture.requests().len();
    assert_eq!(fixture.run(&format!("{SYNC} --max-requests {}", reads + 21)).code, 75);
    let run = fixture.in_folder("runs").into_iter().find(|name| !name.ends_with("json")).expect("a run");
    let said = fixture.run(&format!("undo {run} --allow deletes,many-changes --yes --quiet"));
    assert_eq!((said.code, names(&fixture)), (0, vec![json!("App 0")]), "{}", said.whole());
}

#[test]
fn a_limited_sync_is_not_resumed_without_confirmation() {
    let fixture = ahead_by(60);
    fixture.run("plan --tenant prod");
    let reads = fixture.requests().len();
    assert_eq!(fixture.run(&format!("{SYNC} --max-requests {}", reads + 21)).code, 75);
    assert_eq!(fixture.run("import --tenant prod --resume --quiet").code, 64, "nobody confirms it");
    let said = fixture.run(SYNC);
    assert!(said.code == 0 && !said.out.contains("earlier run"), "it is planned anew: {}", said.whole());
}

/// Returns the names of the clients of prod.
fn names(fixture: &Fixture) -> Vec<Value> {
    fixture.prod("/clients").as_array().into_iter().flatten().map(|client| client["name"].clone()).collect()
}

#[test]
fn a_killed_sync_never_leads_to_duplicates() {
    let mut fixture = ahead_by(40);
    fixture.slow_down_prod();
    let mut night = fixture.start(SYNC);
    fixture.until_prod_is_written_to(&mut night);
    night.kill().expect("killed");
    night.wait().expect("it ended");
    let said = fixture.run(SYNC);
    assert!(said.code == 0 && said.out.contains("an earlier run was interrupted after"), "{}", said.whole());
    let mut names = names(&fixture);
    let all = names.len();
    names.sort_by_key(Value::to_string);
    names.dedup();
    assert_eq!((all, names.len()), (41, 41), "each client once");
}

#[test]
fn after_a_killed_sync_the_next_plans_anew_and_counts_only_its_own_changes() {
    let mut fixture = ahead_by(200);
    fixture.slow_down_prod();
    let mut night = fixture.start(SYNC);
    fixture.until_prod_is_written_to(&mut night);
    let run = fixture.in_folder("runs").into_iter().find(|name| !name.ends_with("json")).expect("a run");
    let applied = |fixture: &Fixture| fixture.read(&format!("runs/{run}/journal.jsonl")).matches("\"applied\"").count();
    while applied(&fixture) == 0 {
        assert!(night.try_wait().expect("a process").is_none(), "it ended before anything was recorded");
    }
    night.kill().expect("killed");
    night.wait().expect("it ended");
    let earlier = applied(&fixture);
    fixture.run("api DELETE clients/dev0199000000000000000000000000 --tenant dev --yes");
    let is_made = names(&fixture).contains(&json!("App 199"));
    let said = fixture.run(SYNC);
    assert_eq!(said.code, 0, "{}", said.whole());
    assert_eq!(names(&fixture).contains(&json!("App 199")), is_made, "what was given up since is not made: {}", said.whole());
    let runs = outcome(&fixture)["runs"].clone();
    let counted = |at: usize| runs[at]["counts"]["applied"].as_u64().expect("a count");
    let wanted = if is_made { 200 } else { 199 };
    assert_eq!((&runs[0]["earlier"], &runs[0]["resumed"]), (&json!(earlier), &json!(true)), "{runs:#}");
    assert_eq!(counted(0) + counted(1) + earlier as u64, wanted, "{runs:#}");
    let cut_off =
        format!("an earlier run was interrupted after {} of 200 changes; applied {} changes in TIME", wanted - counted(1), counted(1));
    assert!(said.out.contains(&cut_off), "{cut_off}: {}", said.whole());
}

#[test]
fn a_request_limit_used_up_by_reading_is_an_error() {
    let fixture = ahead_by(2);
    let pulse = WebhookReceiver::new();
    let said = fixture.run(&format!("{SYNC} --max-requests 20 --heartbeat {}", pulse.url));
    insta::assert_snapshot!(said.refused(), @r#"
    exit 64
    error: reading "prod" alone took 106 requests, and --max-requests is 20
    hint:  raise --max-requests
    state: nothing was written
    "#);
    assert!(fixture.writes().is_empty() && pulse.received().is_empty());
}

#[test]
fn a_passed_time_limit_exits_with_75_without_writing() {
    let fixture = ahead_by(2);
    let an_hour_ago = humantime::format_rfc3339(SystemTime::now() - Duration::from_hours(1)).to_string();
    let said = fixture.run(&format!("{SYNC} --until {}Z", &an_hour_ago[11..16]));
    assert_eq!(said.code, 75, "{}", said.whole());
    assert!(said.out.contains("applied 0 of 2 changes in TIME; 2 not sent"), "{}", said.out);
    assert!(said.out.contains(&format!("{}Z was reached; the next sync applies the rest", &an_hour_ago[11..16])), "{}", said.out);
    assert!(fixture.writes().is_empty());
    assert_eq!(fixture.run(SYNC).code, 0);
    assert_eq!(fixture.writes().len(), 2);
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn a_sync_whose_time_ends_while_the_tenant_refuses_everything_stops_retrying() {
    let mut fixture = ahead_by(2);
    let held = fixture.stop_prod();
    fixture.restart_prod_with(held, "429@w1x*");
    let soon = humantime::format_rfc3339(SystemTime::now() + Duration::from_secs(70)).to_string();
    let said = fixture.run(&format!("{SYNC} --until {}Z", &soon[11..16]));
    let end = humantime::parse_rfc3339(&format!("{}:00Z", &soon[..16])).expect("a time");
    // Otherwise a request that the tenant refuses is retried for ten minutes.
    assert!(SystemTime::now() < end + Duration::from_mins(5), "{}", said.whole());
    assert!(said.code == 3 && said.out.contains("applied 0 of 2 changes in TIME; 2 failed"), "{}", said.whole());
    let held = fixture.stop_prod();
    fixture.restart_prod_with(held, "");
    assert_eq!(fixture.run(SYNC).code, 0);
    assert_eq!(names(&fixture).len(), 3, "the next night does the rest");
}

#[test]
fn a_guard_stops_a_sync_and_shows_how_a_person_approves_it() {
    let fixture = Fixture::small();
    let chat = WebhookReceiver::new();
    let said = fixture.run(&format!("{SYNC} --notify {}", chat.url));
    insta::assert_snapshot!(said.refused(), @r#"
    exit 4
    error: the plan was refused
    cause: lockout-risk: users or services may be locked out by changes to clients/Shop (callbacks)
    hint:  to approve this for every run, add to [tenants.prod] in migrate.toml: plan.approve = ["lockout-risk:clients/Shop"]; if this is intended, run it once yourself:  migrate import --tenant prod --from dev --allow lockout-risk
    state: nothing was written
    "#);
    assert_eq!(chat.received().len(), 1, "whoever sleeps hears of it");
    assert_eq!(outcome(&fixture)["exit"], 4);
    assert!(fixture.writes().is_empty());
}

#[test]
fn the_command_for_a_person_repeats_the_approvals_of_every_sync() {
    let fixture = Fixture::small();
    let said = fixture.run(&format!("{SYNC} --allow deletes --secrets-to file:new.jsonl"));
    let command = "migrate import --tenant prod --from dev --allow deletes,lockout-risk --secrets-to file:new.jsonl\n";
    assert!(said.code == 4 && said.err.contains(command), "{}", said.whole());
}

#[test]
fn lockout_risks_cannot_be_approved_for_every_sync_by_a_flag() {
    let fixture = Fixture::small();
    insta::assert_snapshot!(fixture.run(&format!("{SYNC} --allow lockout-risk,weaker-protection")).refused(), @r#"
    exit 64
    error: lockout-risk cannot be approved for unattended runs with a flag
    hint:  approve single resources in migrate.toml, under the tenant: plan.approve = ["lockout-risk:clients/Billing*"]; or review the plan with `migrate plan --out FILE`, then `migrate import --plan FILE --allow lockout-risk`
    state: nothing was written
    "#);
    assert!(fixture.requests().is_empty());
}

#[test]
fn a_lost_new_secret_exits_with_3_and_is_reported() {
    let fixture = ahead_by(1);
    let said = fixture.run(&format!("{SYNC} --secrets-to exec:false"));
    assert_eq!(said.code, 3, "{}", said.whole());
    assert!(said.out.contains("applied 1 change in TIME; 1 new secret not stored"), "{}", said.out);
    assert_eq!(outcome(&fixture)["runs"][0]["secrets_lost"], 1);
}

#[test]
fn skipped_resources_exit_with_3_every_time_and_are_reported_once() {
    let mut fixture = ahead_by(1);
    fixture.change_prod(|data| {
        let twins = ["twinA", "twinB"].map(|id| client(&format!("{id}00000000000000000000000000"), "App 1", "https://b.acme.example"));
        data["/clients"].as_array_mut().expect("a list").extend(twins);
    });
    let chat = WebhookReceiver::new();
    for received in [1, 0] {
        let said = fixture.run(&format!("{SYNC} --notify {}", chat.url));
        assert_eq!(said.whole(), "exit 3\ndev -> prod: nothing to apply; 1 skipped (clients/App 1)\n", "a job that fails says why");
        assert_eq!(chat.received().len(), received, "nobody is told again");
    }
}

#[test]
fn a_failure_is_reported_on_stderr_and_in_the_file() {
    let mut fixture = ahead_by(1);
    let held = fixture.stop_prod();
    let said = fixture.run(SYNC);
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.whole());
    assert!(said.err.ends_with("state: nothing was written\n"), "{}", said.err);
    let told = outcome(&fixture);
    assert_eq!((&told["exit"], &told["state"]), (&json!(1), &json!("nothing was written")), "{told:#}");
    fixture.restart_prod(held);
    assert_eq!(fixture.run(SYNC).code, 0);
    assert_eq!(outcome(&fixture)["error"], Value::Null);
}

#[test]
fn programs_can_read_the_result_on_stdout() {
    let fixture = ahead_by(1);
    let said = fixture.run(&format!("{SYNC} --output json"));
    let mut printed = said.json();
    let mut written = outcome(&fixture);
    // Folders and times in the output are replaced.
    for told in [&mut printed, &mut written] {
        for name in ["began", "ended", "runs", "text"] {
            told[name].take();
        }
    }
    assert_eq!(printed, written);
    assert_eq!(said.err, "");
}

#[test]
fn a_run_interrupted_by_a_person_is_not_resumed_by_a_sync() {
    let mut fixture = ahead_by(40);
    fixture.slow_down_prod();
    let mut import = fixture.start("import --tenant prod --yes");
    fixture.until_prod_is_written_to(&mut import);
    Fixture::terminate(&import);
    assert_eq!(fixture.end(import).code, 143);
    let said = fixture.run(SYNC);
    assert_eq!(said.code, 0, "{}", said.whole());
    assert!(!said.out.contains("earlier run"), "{}", said.out);
    quiet(&fixture.run(SYNC));
    let names = fixture.prod("/clients").as_array().expect("a list").len();
    assert_eq!(names, 41, "each client once");
}

#[test]
fn a_terminated_sync_exits_with_143_and_the_next_does_the_rest() {
    let mut fixture = ahead_by(40);
    fixture.slow_down_prod();
    let mut night = fixture.start(SYNC);
    fixture.until_prod_is_written_to(&mut night);
    Fixture::terminate(&night);
    let said = fixture.end(night);
    assert_eq!(said.code, 143, "{}", said.whole());
    assert_eq!(outcome(&fixture)["exit"], 143);
    let said = fixture.run(SYNC);
    assert!(said.code == 0 && !said.out.contains("earlier run"), "{}", said.whole());
    assert_eq!(fixture.writes().len(), 40);
}
