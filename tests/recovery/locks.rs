//! The lock on a target: a run that finds it taken waits or ends, and writes nothing until it is free.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use auth0_migrate::files::{Lock, LockAttempt};

use crate::support::fixture::Fixture;

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection --yes";

/// Returns the path of the lock on prod.
fn path(fixture: &Fixture) -> PathBuf {
    fixture.state_home().join(format!("migrate/locks/acme-prod.eu.auth0.com@{}.lock", fixture.port_of_prod()))
}

fn held(fixture: &Fixture) -> Lock {
    match Lock::take(&path(fixture), "process 7 of ada on night-1 since 2026-01-01T00:00:00Z").expect("opened") {
        LockAttempt::Held { lock, .. } => lock,
        LockAttempt::By(holder) => panic!("{holder} holds it"),
    }
}

#[test]
fn a_target_locked_by_another_run_is_not_touched() {
    let fixture = Fixture::small();
    let _lock = held(&fixture);
    insta::assert_snapshot!(fixture.run(IMPORT).refused(), @r#"
    exit 5
    error: "prod" is locked by another run: process 7 of ada on night-1 since TIME
    hint:  try again when it has finished, or wait for it with --lock-timeout 10m
    state: nothing was written
    "#);
    fixture.write("rule.json", "{\"enabled\": false}");
    for line in ["update rules Greeting rule.json --yes", "link clients a b", "unlink clients a", "api post roles --data rule.json --yes"] {
        let said = fixture.run(&format!("{line} --tenant prod"));
        assert_eq!(said.code, 5, "{line}: {}", said.whole());
    }
    assert!(fixture.writes().is_empty(), "{:?}", fixture.writes());
}

#[test]
fn a_waiting_run_starts_when_the_other_ends() {
    let fixture = Fixture::small();
    let lock = held(&fixture);
    let mut waiting = fixture.start(&format!("{IMPORT} --lock-timeout 10m"));
    let mut told = String::new();
    let mut words = BufReader::new(waiting.stderr.take().expect("a pipe"));
    words.read_line(&mut told).expect("read");
    assert_eq!(told, "Waiting for another run on \"prod\": process 7 of ada on night-1 since 2026-01-01T00:00:00Z\n");
    assert!(fixture.requests().is_empty(), "it looks at the target before it may");
    drop(lock);
    let drained = std::thread::spawn(move || std::io::read_to_string(words));
    assert_eq!(fixture.end(waiting).code, 0);
    drained.join().expect("read").expect("read");
    assert_eq!(fixture.writes().len(), 2, "{:?}", fixture.writes());
}

#[test]
fn a_waiting_run_ends_after_its_timeout() {
    let fixture = Fixture::small();
    let _lock = held(&fixture);
    insta::assert_snapshot!(fixture.run(&format!("{IMPORT} --lock-timeout 1ms")).refused(), @r#"
    exit 5
    Waiting for another run on "prod": process 7 of ada on night-1 since TIME
    error: "prod" is locked by another run: process 7 of ada on night-1 since TIME
    hint:  the other run took longer than --lock-timeout; try again when it has finished
    state: nothing was written
    "#);
}

#[test]
fn the_lock_of_a_dead_run_is_taken_over_with_a_notice() {
    let fixture = Fixture::small();
    std::fs::create_dir_all(path(&fixture).parent().expect("a folder")).expect("made");
    std::fs::write(path(&fixture), "process 7 of ada on night-1 since 2026-01-01T00:00:00Z").expect("written");
    let said = fixture.run(IMPORT);
    assert_eq!(said.code, 0, "{}", said.whole());
    let word = "Took over the lock on \"prod\" from a run that died: process 7 of ada on night-1 since TIME\n";
    assert!(said.err.starts_with(word), "{}", said.err);
    assert!(!fixture.run(IMPORT).err.contains("Took over"), "a run that ends gives its lock back");
}

/// Returns the runs that wrote to prod, in order of their starts.
fn turns(fixture: &Fixture) -> Vec<String> {
    let mut turns: Vec<String> =
        fixture.writes().into_iter().map(|seen| seen.correlation.expect("a write says which run it is of")).collect();
    turns.dedup();
    turns
}

#[test]
fn of_two_imports_started_together_one_ends_and_only_the_other_writes() {
    let mut fixture = Fixture::small();
    fixture.slow_down_prod();
    let both = [fixture.start(IMPORT), fixture.start(IMPORT)];
    let mut said = both.map(|started| fixture.end(started));
    said.sort_by_key(|said| said.code);
    assert_eq!(said.each_ref().map(|said| said.code), [0, 5], "{said:?}");
    assert!(said[1].err.starts_with("error: \"prod\" is locked by another run: process "), "{}", said[1].whole());
    let [run] = &turns(&fixture)[..] else { panic!("{:?}", turns(&fixture)) };
    assert_eq!((fixture.only_in("runs"), fixture.writes().len()), (format!("runs/{run}"), 2));
}

#[test]
fn of_two_imports_started_together_one_waits_and_has_nothing_left_to_do() {
    let mut fixture = Fixture::small();
    fixture.slow_down_prod();
    let line = format!("{IMPORT} --lock-timeout 10m");
    let both = [fixture.start(&line), fixture.start(&line)];
    let said = both.map(|started| fixture.end(started));
    assert_eq!(said.each_ref().map(|said| said.code), [0, 0], "{said:?}");
    assert_eq!(said.iter().filter(|said| said.err.contains("Waiting for another run on \"prod\"")).count(), 1, "{said:?}");
    assert_eq!(said.iter().filter(|said| said.out.contains("Nothing to do.")).count(), 1, "{said:?}");
    assert_eq!((turns(&fixture).len(), fixture.writes().len()), (1, 2), "{:?}", fixture.writes());
}

#[test]
fn two_runs_with_changes_never_interleave() {
    let mut fixture = Fixture::small();
    fixture.slow_down_prod();
    fixture.write("rule.json", "{\"enabled\": false}");
    let both = [
        format!("{IMPORT} --lock-timeout 10m"),
        "update rules Greeting rule.json --tenant prod --allow lockout-risk --yes --lock-timeout 10m".to_owned(),
    ];
    let said = both.map(|line| fixture.start(&line)).map(|started| fixture.end(started));
    let turns = turns(&fixture);
    assert_eq!((said.each_ref().map(|said| said.code), turns.len()), ([0, 0], 2), "{said:?} {turns:?}");
}

#[test]
fn two_names_of_one_domain_share_a_lock_and_get_a_warning() {
    let mut fixture = Fixture::small();
    let text = fixture.read("migrate.toml");
    let prod = text.split("[tenants.prod]").nth(1).expect("prod").replace("acme-prod.eu", "Acme-PROD.eu");
    fixture.write("migrate.toml", &format!("{text}\n[tenants.production]{prod}"));
    for (name, value) in [("CLIENT_ID", "tool"), ("CLIENT_SECRET", "CANARY-prod")] {
        fixture.set(&format!("MIGRATE_PRODUCTION_{name}"), value);
    }
    let checked = fixture.run("validate").out;
    let line = checked.lines().find(|line| line.starts_with("warning: "));
    insta::assert_snapshot!(line.expect("a warning"), @r#"warning: "prod" and "production" are the same tenant, acme-prod.eu.auth0.com: their runs share a lock, but not their state. Keep only one of these names."#);
    assert_eq!(fixture.run("validate --output json").json()["one_tenant"], serde_json::json!([["prod", "production"]]));
    let _lock = held(&fixture);
    assert_eq!(fixture.run(&IMPORT.replace("prod", "production")).code, 5);
    assert!(fixture.writes().is_empty(), "{:?}", fixture.writes());
}

#[test]
fn runs_in_other_folders_share_the_lock() {
    let fixture = Fixture::small();
    std::fs::create_dir(fixture.path("checkout")).expect("made");
    fixture.write("checkout/migrate.toml", &fixture.read("migrate.toml"));
    let _lock = held(&fixture);
    for elsewhere in ["--dir other", "--config checkout/migrate.toml"] {
        let said = fixture.run(&format!("{IMPORT} {elsewhere}"));
        assert_eq!(said.code, 5, "{elsewhere}: {}", said.whole());
    }
    assert!(fixture.writes().is_empty(), "{:?}", fixture.writes());
}

#[test]
fn a_lock_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::small();
    assert_eq!(fixture.run(IMPORT).code, 0);
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&path(&fixture)), mode(path(&fixture).parent().expect("a folder"))), (0o600, 0o700));
}
