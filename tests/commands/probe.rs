//! Probes: what worked before a run and fails after it is found at the front door, and undone.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::fixture::{CommandOutput, Fixture, client};

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection,many-changes --probe --yes --quiet";
/// A name that draws on a terminal, ends a quotation and is a pattern.
const HOSTILE: &str = "Evil*'; rm -rf ~\u{1b}[2J";

/// An application with callbacks and grant types.
fn application(id: &str, name: &str, callbacks: &[&str], grants: &[&str]) -> Value {
    let mut client = client(id, name, "");
    client["callbacks"] = json!(callbacks);
    client["grant_types"] = json!(grants);
    client
}

/// A tenant with these clients, all of which may use one connection, except those named.
fn tenant(name: &str, clients: &[Value], disabled: &[&str]) -> Value {
    let enabled = clients.iter().filter(|client| !disabled.contains(&client["name"].as_str().expect("a name")));
    let enabled: Vec<Value> = enabled.map(|client| json!({"client_id": client["client_id"]})).collect();
    json!({"tenant": format!("acme-{name}"), "domain": format!("acme-{name}.eu.auth0.com"), "data": {
        "/clients": clients,
        "/connections": [{"id": format!("con_{name}Users000001"), "name": "users", "strategy": "auth0", "options": {}}],
        format!("/connections/con_{name}Users000001/clients"): enabled,
    }})
}

/// The clients of a tenant; `web` are the callbacks of one of them, and `portal` the grant types of another.
fn clients(name: &str, web: &[&str], portal: &[&str]) -> Vec<Value> {
    let id = |of: &str| format!("{:0<32}", format!("{name}{of}"));
    vec![
        application(&id("Web"), "Web", web, &["authorization_code", "refresh_token"]),
        application(&id("Portal"), "Portal", &["https://portal.acme.example/cb"], portal),
        application(&id("Till"), "Till", &["com.acme.till://acme.example/callback"], &["authorization_code"]),
        application(&id("Worker"), "Worker", &[], &["client_credentials"]),
        application(&id("Evil"), HOSTILE, &["https://evil.acme.example/cb"], &["authorization_code"]),
    ]
}

const WEB: [&str; 2] = ["https://web.acme.example/cb", "https://old.acme.example/cb"];
const PORTAL: [&str; 2] = ["authorization_code", "implicit"];

fn prod() -> Value {
    tenant("prod", &clients("prod", &WEB, &PORTAL), &[])
}

/// A source in which a callback, a grant type and a connection of prod are missing.
fn breaking() -> Value {
    tenant("dev", &clients("dev", &WEB[..1], &PORTAL[..1]), &["Till", HOSTILE])
}

fn newest_run(fixture: &Fixture) -> String {
    fixture.in_folder("runs").into_iter().max().expect("a run")
}

/// Returns what broke, as the client and the callback.
fn broken(said: &CommandOutput) -> Vec<String> {
    let json = said.json();
    let results = json["probe"]["results"].as_array().expect("results").clone();
    let broken = results.into_iter().filter(|result| result["standing"] == "broken");
    broken.map(|result| format!("{} {}", result["question"]["key"], result["question"]["response_type"])).collect()
}

#[test]
fn a_removed_callback_and_grant_type_and_a_disabled_connection_are_noticed_and_undone() {
    let fixture = Fixture::new(breaking(), prod(), "");
    let said = fixture.run(IMPORT);
    let end = said.out.find("5 logins").map(|at| format!("exit {}\n{}", said.code, &said.out[at..]));
    assert_snapshot!(end.expect("the end"), @r#"
    exit 3
    5 logins that worked before the run fail now. Applied 3 changes to prod in TIME.

    Worked before the run and fails now
      client "Web", https://old.acme.example/cb (code): error page (403): Callback URL mismatch
      client "Portal", https://portal.acme.example/cb (id_token): unauthorized_client: Grant type 'implicit' not allowed for the client.
      client "Portal", https://portal.acme.example/cb (token): unauthorized_client: Grant type 'implicit' not allowed for the client.
      client "Till", com.acme.till://acme.example/callback (code): invalid_request: no connections enabled for the client
      client "Evil*'; rm -rf ~\u{1b}[2J", https://evil.acme.example/cb (code): invalid_request: no connections enabled for the client
      To undo exactly the changes behind this:  migrate undo TIME-prod --only clients/Portal --only clients/Web --only connection-clients/users

    Probed 7 logins and 2 documents: 4 of 9 work. 18 requests, nobody was signed in.

    The run's files are in ./runs/TIME-prod
    "#);
    let run = newest_run(&fixture);
    let shown = fixture.run(&format!("show {run} --output json"));
    assert_eq!(
        broken(&shown),
        [
            "\"clients/Web\" \"code\"".to_owned(),
            "\"clients/Portal\" \"id_token\"".to_owned(),
            "\"clients/Portal\" \"token\"".to_owned(),
            "\"clients/Till\" \"code\"".to_owned(),
            format!("{} \"code\"", json!(format!("clients/{HOSTILE}"))),
        ]
    );
    // The name of the run is a time, which outputs have replaced.
    let undo = shown.json()["probe"]["undo"].as_str().expect("a command").replace("TIME-prod", &run);
    let undone = fixture.run_in_shell(&format!("$MIGRATE {} --yes --quiet", undo.strip_prefix("migrate ").expect("a command of migrate")));
    assert_eq!(undone.code, 0, "{}", undone.whole());
    let again = fixture.run(&format!("probe --run {run} --output json"));
    assert_eq!((again.code, broken(&again)), (0, Vec::new()), "{}", again.whole());
    assert_eq!(fixture.prod("/clients")[0]["callbacks"], json!(WEB));
}

#[test]
fn the_reports_of_a_run_begin_with_what_broke() {
    let fixture = Fixture::new(breaking(), prod(), "");
    let run = {
        fixture.run(IMPORT);
        newest_run(&fixture)
    };
    let report: Value = serde_json::from_str(&fixture.read(&format!("runs/{run}/report.json"))).expect("JSON");
    assert_eq!((&report["exit"], &report["probe"]["broken"]), (&json!(3), &json!(5)));
    for file in ["report.md", "report.html"] {
        let text = fixture.read(&format!("runs/{run}/{file}"));
        let (broken, applied) = (text.find("Worked before the run and fails now"), text.find("Applied"));
        assert!(broken.is_some() && text.contains("Callback URL mismatch"), "{text}");
        assert!(text.find("that worked before the run").zip(applied).is_some_and(|(alarm, applied)| alarm < applied), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}

#[test]
fn a_front_door_that_does_not_answer_is_reported_and_changes_nothing() {
    let mut held = Vec::new();
    for faults in ["", "cut-before@l1x*", "cut-before@l9x*", "503-before@l1x*"] {
        let fixture = Fixture::new(breaking(), prod(), faults);
        let said = fixture.run(IMPORT);
        held.push(fixture.all_of_prod());
        if !faults.is_empty() {
            assert_eq!(said.code, 0, "{faults}: {}", said.whole());
            assert!(
                said.out.contains("Not certain whether logins work") && said.out.contains("To ask again:  migrate probe --run"),
                "{}",
                said.whole()
            );
        }
        if faults == "cut-before@l1x*" {
            let (_, end) = said.out.split_once("Applied ").expect("the end");
            // The system decides how a connection that is cut looks.
            let reason = end.split_once("no answer: ").and_then(|(_, rest)| rest.lines().next()).expect("a reason");
            assert_snapshot!(end.replace(reason, "REASON"), @r"
            3 changes to prod in TIME.

            Not certain whether logins work (2)
              7 logins and 2 documents: no answer: REASON
              To ask again:  migrate probe --run TIME-prod

            Probed 7 logins and 2 documents: 0 of 9 work. 2 requests, nobody was signed in.

            The run's files are in ./runs/TIME-prod
            ");
        }
    }
    assert!(held.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_tenant_that_limits_requests_is_asked_no_further() {
    let fixture = Fixture::new(breaking(), prod(), "429@l3x*");
    let said = fixture.run(&format!("{IMPORT} --output json"));
    let json = said.json();
    assert_eq!((said.code, &json["probe"]["requests"]), (0, &json!(4)), "three before the run, one after it");
}

#[test]
fn only_what_a_plan_could_break_is_asked() {
    let mut dev = tenant("dev", &clients("dev", &WEB, &PORTAL), &[]);
    dev["data"]["/clients"][0]["description"] = json!("another");
    dev["data"]["/clients"][1]["callbacks"] = json!(["https://portal.acme.example/cb", "https://new.acme.example/cb"]);
    let fixture = Fixture::new(dev, prod(), "");
    let said = fixture.run(IMPORT);
    assert_eq!(said.code, 0, "{}", said.whole());
    assert!(said.out.contains("so the front door was not asked"), "{}", said.whole());

    let fixture = Fixture::new(tenant("dev", &clients("dev", &WEB[..1], &PORTAL), &[]), prod(), "");
    let asked = fixture.run(&format!("{IMPORT} --output json")).json()["probe"]["results"].clone();
    let asked: Vec<&Value> = asked.as_array().expect("results").iter().map(|result| &result["question"]["key"]).collect();
    assert_eq!(asked, ["clients/Web", "clients/Web", "", ""].map(|key| if key.is_empty() { json!(null) } else { json!(key) }).each_ref());
}

#[test]
fn a_run_without_a_probe_asks_nothing() {
    let fixture = Fixture::new(breaking(), prod(), "");
    let said = fixture.run(&format!("{} --output json", IMPORT.replace(" --probe", "")));
    assert_eq!((said.code, said.json()["probe"].clone()), (0, json!(null)));
    let run = newest_run(&fixture);
    assert!(!fixture.path(&format!("runs/{run}/probe.json")).exists());
    assert_snapshot!(fixture.run(&format!("probe --run {run}")).refused(), @r#"
    exit 1
    error: the run "TIME-prod" was not probed
    hint:  `migrate probe --tenant prod` asks without comparing
    "#);
}

#[test]
fn all_applications_of_a_tenant_are_probed_at_each_of_its_domains() {
    let mut prod = prod();
    let domain = |id: &str, domain: &str, status: &str| json!({"custom_domain_id": id, "domain": domain, "type": "auth0_managed_certs", "status": status});
    prod["data"]["/custom-domains"] = json!([
        domain("cd_0000000000000001", "login.acme.example", "ready"),
        domain("cd_0000000000000002", "soon.acme.example", "pending_verification")
    ]);
    let callbacks = ["https://*.acme.example/cb", "https://sub.*.acme.example/cb", "https://{organization_name}.acme.example/cb"];
    prod["data"]["/clients"][0]["callbacks"] = json!(callbacks);
    let fixture = Fixture::new(breaking(), prod, "");
    let said = fixture.run("probe --tenant prod");
    assert_snapshot!(format!("exit {}\n{}", said.code, said.out), @r#"
    exit 3
    Some logins of prod fail.

    Fails (3)
      discovery document at soon.acme.example: the tenant answered 404
      signing keys at soon.acme.example: the tenant answered 404
      client "Web", https://migrate-probe.acme.example/cb (code) at soon.acme.example: error page (404)

    Not probed (3)
      client "Web", https://sub.*.acme.example/cb: its wildcard is one that Auth0 does not match
      client "Web", https://{organization_name}.acme.example/cb: it has a placeholder, whose value depends on the login
      client "Worker": it has no callback, so nobody signs in through it

    Probed 8 logins and 6 documents: 11 of 14 work. 14 requests, nobody was signed in.
    "#);
    let only = fixture.run("probe --tenant prod --only clients/Portal --output json").json();
    assert_eq!(only["probe"]["requests"], json!(11));
    assert_snapshot!(fixture.run("probe --tenant prod --only clients/Nobody --quiet").refused(), @r#"
    exit 64
    error: "prod" has no application that matches clients/Nobody
    hint:  `migrate get clients` lists all applications
    "#);
    assert!(fixture.writes().is_empty());
}

#[test]
fn a_new_callback_is_asked_for_after_the_run_only() {
    let fixture = Fixture::new(tenant("dev", &clients("dev", &[WEB[0], "https://new.acme.example/cb"], &PORTAL), &[]), prod(), "");
    let said = fixture.run(&format!("{IMPORT} --output json"));
    let results = said.json()["probe"]["results"].as_array().expect("results").clone();
    let new = results.iter().find(|result| result["question"]["callback"] == "https://new.acme.example/cb").expect("asked");
    assert_eq!((&new["standing"], &new["before"], &new["after"]["answer"]), (&json!("works"), &json!(null), &json!("login-page")));
}

#[test]
fn a_change_of_the_whole_tenant_asks_every_application_once() {
    let mut dev = tenant("dev", &clients("dev", &WEB, &PORTAL), &[]);
    dev["data"]["/tenants/settings"] =
        json!({"flags": {"enable_sso": true}, "default_directory": "users", "session_cookie": {"mode": "non-persistent"}});
    let mut prod = prod();
    prod["data"]["/tenants/settings"] =
        json!({"flags": {"enable_sso": true}, "default_directory": "users", "session_cookie": {"mode": "persistent"}});
    let fixture = Fixture::new(dev, prod, "");
    let said = fixture.run(&format!("{IMPORT} --output json"));
    let asked = said.json()["probe"]["results"].as_array().map_or(0, Vec::len);
    assert_eq!(asked, 4 + 2, "{}", said.whole());
}

#[test]
fn a_resumed_run_is_compared_with_the_answers_before_its_first_write() {
    let mut fixture = Fixture::new(breaking(), prod(), "cut-before@w2x*");
    let said = fixture.run(IMPORT);
    assert_ne!(said.code, 0, "{}", said.whole());
    let held = fixture.stop_prod();
    fixture.restart_prod(held);
    let said = fixture.run("import --tenant prod --resume --yes --quiet --output json");
    assert_eq!((said.code, said.json()["probe"]["broken"].clone()), (3, json!(5)), "{}", said.whole());
}

#[test]
fn a_sync_reports_first_what_broke() {
    let fixture = Fixture::new(breaking(), prod(), "");
    fixture.configure("plan.approve = [\"lockout-risk\"]\n");
    let said = fixture.run_unattended("sync --from dev --to prod --probe --allow many-changes --output json");
    let json = said.json();
    assert_eq!((said.code, &json["runs"][0]["probe"]["broken"]), (3, &json!(5)), "{}", said.whole());
    assert!(
        json["text"]
            .as_str()
            .is_some_and(|line| line.starts_with("dev -> prod: 5 logins that worked before the run fail now (`migrate undo")),
        "{json:#}"
    );
}
