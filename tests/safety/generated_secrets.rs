//! Secrets that the target generates: each reaches its secret sink, and nothing else.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStderr};
use std::time::{Duration, Instant};

use auth0_migrate::catalog::Catalog;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::fixture::{CommandOutput, Fixture, client, prod};

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet";

/// Soon, even on a busy machine; a command of `--secrets-to` may take twice as long.
const SOON: Duration = Duration::from_secs(30);

fn import_to(fixture: &Fixture, place: &str) -> CommandOutput {
    fixture.run_words(&[&IMPORT.split(' ').collect::<Vec<_>>()[..], &["--secrets-to", place]].concat())
}

/// A fixture in which an import creates one client, and the response to the create is lost.
fn cut_after_the_create() -> Fixture {
    let till = client("devTill000000000000000000000000a", "Till", "https://till.acme.example/back");
    Fixture::new(json!({"domain": "acme-dev.eu.auth0.com", "data": {"/clients": [till]}}), prod(), "cut-after@w1")
}

/// Returns id and secret of the client that an import creates.
fn till(fixture: &Fixture) -> (String, String) {
    let clients = fixture.prod("/clients");
    let till = clients.as_array().expect("a list").iter().find(|client| client["name"] == "Till").expect("it was made");
    let text = |field: &str| till[field].as_str().expect("a text").to_owned();
    (text("client_id"), text("client_secret"))
}

/// The line with a client's secret.
fn line_of((id, secret): (String, String)) -> Value {
    json!({"tenant": "prod", "kind": "clients", "name": "Till", "id": id, "field": "client_secret", "secret": secret})
}

fn lines(fixture: &Fixture, name: &str) -> Vec<Value> {
    fixture.read(name).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Checks that neither the output nor any file except these contains the secret.
fn assert_nowhere_but(fixture: &Fixture, files: &[&str], said: &CommandOutput) {
    let (_, secret) = till(fixture);
    assert!(!said.whole().contains(&secret), "{}", said.whole());
    for path in fixture.files().into_iter().filter(|path| !files.iter().any(|name| path.ends_with(name))) {
        let content = std::fs::read(&path).expect("read");
        assert!(!String::from_utf8_lossy(&content).contains(&secret), "the secret is in {}", path.display());
    }
}

#[test]
fn a_new_secret_is_appended_to_a_private_file_and_is_nowhere_else() {
    let fixture = Fixture::small();
    let said = import_to(&fixture, "file:kept/secrets.jsonl");
    assert_snapshot!(said.whole(), @r#"
    exit 0
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout · 1 widened
      resources: 1 to create, 1 to update, 2 unchanged
      about 2 requests to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/old  … 1 more

    Applications (clients)   1 to create, 1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/old  + https://shop.acme.example/back
      + "Till"  regular_web   callbacks  https://till.acme.example/back

    Manual steps (1)
      1. client "Till": the target generates a new client_secret; give it to the services that use this client

    Approved: lockout-risk: 1 resource
    Applied 2 changes to prod in TIME.

    New secrets stored (--secrets-to)
      client "Till": client_secret

    The run's files are in ./runs/TIME-prod
    "#);
    assert_eq!(lines(&fixture, "kept/secrets.jsonl"), [line_of(till(&fixture))]);
    let mode = |name: &str| std::fs::metadata(fixture.path(name)).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode("kept/secrets.jsonl"), mode("kept")), (0o600, 0o700));
    assert_nowhere_but(&fixture, &["secrets.jsonl"], &said);
    let report: Value = serde_json::from_str(&fixture.read(&format!("{}/report.json", fixture.only_in("runs")))).expect("JSON");
    assert_eq!((&report["secrets"][0]["disposition"], report["secrets"][0].get("secret")), (&json!("kept"), None), "{report:#}");
}

#[test]
fn a_command_receives_each_new_secret_on_its_standard_input() {
    let fixture = Fixture::small();
    let said = import_to(&fixture, "exec:cat >> got.jsonl; echo no answer of migrate");
    assert_eq!(said.code, 0, "{}", said.whole());
    assert!(!said.whole().contains("no answer"), "{}", said.whole());
    assert_eq!(lines(&fixture, "got.jsonl"), [line_of(till(&fixture))]);
    assert_nowhere_but(&fixture, &["got.jsonl"], &said);
}

#[test]
fn a_failed_command_is_reported_with_how_to_get_the_secret_but_not_its_output() {
    let fixture = Fixture::small();
    let said = import_to(&fixture, "exec:tee /dev/stderr; exit 7");
    assert_snapshot!(said.whole(), @r#"
    exit 3
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout · 1 widened
      resources: 1 to create, 1 to update, 2 unchanged
      about 2 requests to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/old  … 1 more

    Applications (clients)   1 to create, 1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/old  + https://shop.acme.example/back
      + "Till"  regular_web   callbacks  https://till.acme.example/back

    Manual steps (1)
      1. client "Till": the target generates a new client_secret; give it to the services that use this client

    Approved: lockout-risk: 1 resource
    Applied 2 changes to prod in TIME.

    Manual steps
      1. client "Till": its new client_secret was not stored: the --secrets-to command failed: exit status: 7; `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)

    The run's files are in ./runs/TIME-prod
    "#);
    assert_nowhere_but(&fixture, &[], &said);
    let (id, secret) = till(&fixture);
    let fetched = fixture.run(&format!("api get clients/{id}?fields=client_secret --tenant prod"));
    assert_eq!(fetched.json(), json!({"client_secret": secret}));
}

#[test]
fn a_secrets_file_that_is_not_private_stops_an_import_before_its_first_write() {
    let fixture = Fixture::small();
    fixture.write("open.jsonl", "");
    let refused = |place: &str| import_to(&fixture, place).refused();
    let open = refused("file:open.jsonl");
    let (no_folder, folder, nowhere) = (refused("file:open.jsonl/x"), refused("file:."), refused("vault:x"));
    assert_snapshot!([open, no_folder, folder, nowhere].join("\n"), @r#"
    exit 64
    error: --secrets-to "open.jsonl" can be read by other users
    hint:  run `chmod 600 open.jsonl`, or name another file
    state: nothing was written

    exit 1
    error: cannot write "open.jsonl/x"
    cause: "open.jsonl" is a file, not a folder
    hint:  name another file with --secrets-to
    state: nothing was written

    exit 64
    error: --secrets-to "." is not a file
    state: nothing was written

    exit 64
    error: invalid value 'vault:x' for '--secrets-to <file:PATH|exec:CMD>': expected file:PATH or exec:COMMAND

    For more information, try '--help'.
    "#);
    assert_eq!(fixture.writes().len(), 0);
    assert!(fixture.in_folder("runs").is_empty());
}

#[test]
fn the_secret_of_a_create_without_a_response_is_stored_after_the_lookup() {
    let fixture = cut_after_the_create();
    let said = import_to(&fixture, "file:secrets.jsonl");
    assert_eq!(said.code, 0, "{}", said.whole());
    assert_eq!(lines(&fixture, "secrets.jsonl"), [line_of(till(&fixture))]);
    assert_eq!(fixture.writes().len(), 1);
}

#[test]
fn if_the_lookup_does_not_return_the_secret_the_report_shows_how_to_get_it() {
    let mut fixture = cut_after_the_create();
    let reads = Catalog::standard().kinds().flat_map(|kind| kind.scopes.read).copied().filter(|scope| *scope != "read:client_keys");
    fixture.sign_in_to_prod_with(&reads.chain(["create:clients", "update:clients"]).collect::<Vec<_>>());
    let said = import_to(&fixture, "file:secrets.jsonl");
    assert_eq!(said.code, 3, "{}", said.whole());
    let step = "was not stored: the target did not return it; `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it";
    assert!(said.out.contains(step), "{}", said.whole());
    assert_eq!(fixture.read("secrets.jsonl"), "");
}

#[test]
fn a_run_killed_before_the_create_was_recorded_stores_the_secret_when_resumed() {
    let fixture = Fixture::small();
    fixture.run_in_shell(&format!("$MIGRATE {IMPORT} --secrets-to 'exec:kill -9 $PPID'; exit 0"));
    let journal = fixture.read(&format!("{}/journal.jsonl", fixture.only_in("runs")));
    assert!(journal.contains("intent") && !journal.contains("applied"), "{journal}");
    let (id, _) = till(&fixture);
    let resumed = fixture.run("import --tenant prod --resume --yes --secrets-to file:secrets.jsonl");
    assert_eq!(resumed.code, 0, "{}", resumed.whole());
    assert_eq!(till(&fixture).0, id);
    assert_eq!(lines(&fixture, "secrets.jsonl"), [line_of(till(&fixture))]);
}

#[test]
fn a_past_run_does_not_ask_to_pass_on_a_stored_secret() {
    let fixture = Fixture::small();
    assert_eq!(import_to(&fixture, "file:secrets.jsonl").code, 0);
    let run = fixture.only_in("runs");
    let said = fixture.run(&format!("show {}", run.trim_start_matches("runs/"))).whole();
    assert!(
        said.contains("the target generated a new client_secret, and the journal does not say whether it was stored: `migrate api get"),
        "{said}"
    );
    let (_, ended) = said.split_once("Result").expect("how it ended");
    assert!(!ended.contains("give it to"), "{said}");
}

#[test]
fn the_secret_of_a_client_recreated_by_an_undo_is_stored_too() {
    let fixture = Fixture::small();
    let run = |line: &str| {
        let said = fixture.run(line);
        assert_eq!(said.code, 0, "{}", said.whole());
    };
    run(IMPORT);
    run("api delete clients/devTill000000000000000000000000a --tenant dev --yes");
    run("import --tenant prod --prune --allow deletes --yes");
    let newest = fixture.in_folder("runs").into_iter().max().expect("a run");
    run(&format!("undo {newest} --yes --secrets-to file:secrets.jsonl"));
    assert_eq!(lines(&fixture, "secrets.jsonl"), [line_of(till(&fixture))]);
}

#[test]
fn without_a_sink_the_report_shows_how_to_get_each_secret() {
    let fixture = Fixture::new(
        json!({"domain": "acme-dev.eu.auth0.com", "data": {"/clients": [client("d1", "Till", "https://a.example")],
        "/resource-servers": [{"id": "rs1", "name": "Orders", "identifier": "https://orders", "signing_alg": "HS256"}]}}),
        prod(),
        "",
    );
    let said = fixture.run(IMPORT);
    assert_eq!(said.code, 0, "{}", said.whole());
    let (_, by_hand) = said.out.rsplit_once("Manual steps").expect("steps");
    assert_snapshot!(by_hand, @r#"
      1. API "https://orders": the target generated a new signing_secret; give it to the services that need it: `migrate api get 'resource-servers/ccf6818a244f869872d8c4d8' --tenant prod` prints it
      2. client "Till": the target generated a new client_secret; give it to the services that need it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)

    The run's files are in ./runs/TIME-prod
    "#);
}

/// Starts an import whose `--secrets-to` command reports its start, then waits until it may store the secret.
fn hanging(fixture: &Fixture) -> (Child, BufReader<ChildStderr>) {
    fixture.write("keep.sh", "echo $$ > begun.aside; mv begun.aside begun; until [ -e go ]; do sleep 0.01; done; cat > got.jsonl");
    let mut import = fixture.start("import --tenant prod --allow lockout-risk,weaker-protection --yes --secrets-to exec:sh${IFS}keep.sh");
    let said = BufReader::new(import.stderr.take().expect("its stderr"));
    while !fixture.path("begun").exists() {
        assert!(import.try_wait().expect("a process").is_none(), "it ended without a word to the command");
        std::thread::yield_now();
    }
    (import, said)
}

/// Sends SIGTERM and reads output until the signal is reported, while the command continues.
fn until_heard(import: &Child, said: &mut BufReader<ChildStderr>) {
    let sent = Instant::now();
    Fixture::terminate(import);
    let is_heard = said.lines().map_while(Result::ok).any(|line| line.starts_with("Stopping: "));
    assert!(is_heard && sent.elapsed() < SOON, "heard: {is_heard}, after {:?}", sent.elapsed());
}

#[test]
fn a_signal_during_a_command_is_handled_and_the_secret_is_stored() {
    let fixture = Fixture::small();
    let (import, mut said) = hanging(&fixture);
    until_heard(&import, &mut said);
    fixture.write("go", "");
    let ended = fixture.end(import);
    assert_eq!(ended.code, 0, "{}", ended.whole());
    assert_eq!(lines(&fixture, "got.jsonl"), [line_of(till(&fixture))]);
}

#[test]
fn a_second_signal_ends_run_and_command_at_once_and_the_secret_is_stored_later() {
    let fixture = Fixture::small();
    let (import, mut said) = hanging(&fixture);
    until_heard(&import, &mut said);
    let sent = Instant::now();
    Fixture::terminate(&import);
    assert_eq!(fixture.end(import).code, 143);
    assert!(sent.elapsed() < SOON, "{:?}", sent.elapsed());
    let command = fixture.read("begun");
    // A killed process may remain as a zombie until its parent collects it.
    let is_there = || !matches!(fixture.run_in_shell(&format!("ps -o stat= -p {}", command.trim())).out.chars().next(), None | Some('Z'));
    while is_there() {
        assert!(sent.elapsed() < SOON, "the command goes on");
    }
    let resumed = fixture.run("import --tenant prod --resume --yes --secrets-to file:secrets.jsonl");
    assert_eq!(resumed.code, 0, "{}", resumed.whole());
    assert_eq!(lines(&fixture, "secrets.jsonl"), [line_of(till(&fixture))]);
}
