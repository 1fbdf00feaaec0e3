//! Secrets that a mapping supplies: each is sent once, and again when its value changed.

use crate::support::fixture::{CommandOutput, Fixture, client, dev, prod};

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet";
const MAPPING: &str = "[[rule]]\nmatch = \"clients/*\"\nfield = \"client_secret\"\nsecret = \"env:SECRET\"\n";

/// Two tenants, and a mapping that supplies the secrets of their clients.
fn fixture(faults: &str) -> Fixture {
    let mut fixture = Fixture::new(dev(), prod(), faults);
    fixture.write("mapping.toml", MAPPING);
    fixture.configure("mapping = \"mapping.toml\"\n");
    fixture.set("SECRET", "CANARY-first");
    fixture
}

/// Runs an import that must succeed; returns the number of writes.
fn imported(fixture: &Fixture, line: &str) -> usize {
    let before = fixture.writes().len();
    let said = fixture.run(line);
    assert_eq!(said.code, 0, "{}", said.whole());
    assert_silent(fixture, &said);
    fixture.writes().len() - before
}

/// Returns the secrets of prod's clients with these names.
fn held(fixture: &Fixture, names: &[&str]) -> Vec<String> {
    let clients = fixture.prod("/clients");
    let clients = clients.as_array().expect("a list").iter();
    let of_names = clients.filter(|client| names.iter().any(|name| client["name"] == *name));
    of_names.map(|client| client["client_secret"].as_str().expect("a secret").to_owned()).collect()
}

fn assert_silent(fixture: &Fixture, said: &CommandOutput) {
    assert!(!said.whole().contains("CANARY"), "{}", said.whole());
    for path in fixture.files() {
        let content = std::fs::read(&path).expect("read");
        assert!(!String::from_utf8_lossy(&content).contains("CANARY"), "a secret in {}", path.display());
    }
}

#[test]
fn a_secret_is_sent_once_and_again_only_when_its_value_changed() {
    let mut fixture = fixture("");
    // Shop is changed together with its secret; Till is created first, then its secret is sent.
    assert_eq!(imported(&fixture, IMPORT), 3);
    assert_eq!(held(&fixture, &["Shop", "Till"]), ["CANARY-first", "CANARY-first"]);
    assert_eq!(imported(&fixture, IMPORT), 0);
    assert_eq!(fixture.run("plan --tenant prod --check --quiet").code, 0);
    fixture.set("SECRET", "CANARY-second");
    let planned = fixture.run("import --tenant prod --dry-run --quiet");
    insta::assert_snapshot!(planned.whole(), @r#"
    exit 4
    Plan  dev → prod
      source   acme-dev.eu.auth0.com   read just now
      target   acme-prod.eu.auth0.com  read just now
      mapping  mapping.toml            1 rule

      edits by risk: 2 lockout
      resources: 0 to create, 2 to update, 2 unchanged
      about 2 requests to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  client_secret  another secret
      LOCKOUT  client "Till"  client_secret  another secret

    Applications (clients)   2 to update
      ~ "Shop"  client_secret  (secret from env:SECRET, which changed)                    mapping.toml:1
      ~ "Till"  client_secret  (secret from env:SECRET, which changed)                    mapping.toml:1

    Refused until approved:
      lockout-risk: 2 resources

    To approve what you have reviewed:
      migrate import --tenant prod --from dev --allow lockout-risk:clients/Shop,lockout-risk:clients/Till
    "#);
    assert_eq!(imported(&fixture, IMPORT), 2);
    assert_eq!(held(&fixture, &["Shop", "Till"]), ["CANARY-second", "CANARY-second"]);
    assert_eq!(imported(&fixture, IMPORT), 0);
}

#[test]
fn fingerprints_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = fixture("");
    imported(&fixture, IMPORT);
    let file = std::fs::metadata(fixture.path("state/dev/prod/fingerprints.json")).expect("there");
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_refused_secret_is_sent_again_the_next_night() {
    let mut fixture = fixture("echo@w1x*");
    let refused = fixture.run(IMPORT);
    assert_eq!(refused.code, 3, "{}", refused.whole());
    assert_silent(&fixture, &refused);
    let unchanged = fixture.stop_prod();
    fixture.restart_prod(unchanged);
    assert_eq!(imported(&fixture, IMPORT), 3);
    assert_eq!(held(&fixture, &["Shop", "Till"]), ["CANARY-first", "CANARY-first"]);
    assert_eq!(imported(&fixture, IMPORT), 0);
}

#[test]
fn secrets_sent_by_a_killed_part_of_a_run_are_sent_once_more() {
    let mut source = dev();
    let many = (1..=20).map(|nth| client(&format!("dev{nth:02}"), &format!("Z{nth:02}"), "https://z.acme.example/back"));
    source["data"]["/clients"].as_array_mut().expect("a list").extend(many);
    let mut fixture = Fixture::new(source, prod(), "");
    fixture.write("mapping.toml", &MAPPING.replace("clients/*", "clients/Shop"));
    fixture.configure("mapping = \"mapping.toml\"\n");
    fixture.set("SECRET", "CANARY-first");
    // The first sixteen changes are recorded; the next new secret kills the process.
    fixture.write("kill.sh", "echo >> kept; [ $(wc -l < kept) -lt 16 ] || kill -9 $1");
    fixture.run_in_shell(&format!("$MIGRATE {IMPORT} --allow many-changes --secrets-to 'exec:sh kill.sh $PPID'; exit 0"));
    let journal = fixture.read(&format!("{}/journal.jsonl", fixture.only_in("runs")));
    assert_eq!(journal.lines().filter(|line| line.contains("\"applied\"")).count(), 16, "{journal}");
    fixture.set("SECRET", "CANARY-second");
    imported(&fixture, "import --tenant prod --resume --yes --quiet");
    assert_eq!(held(&fixture, &["Shop"]), ["CANARY-first"]);
    assert_eq!(imported(&fixture, IMPORT), 1);
    assert_eq!(held(&fixture, &["Shop"]), ["CANARY-second"]);
    assert_eq!(imported(&fixture, IMPORT), 0);
}

#[test]
fn a_renamed_client_keeps_its_sent_secret() {
    let fixture = fixture("");
    imported(&fixture, IMPORT);
    fixture.write("name.json", r#"{"name": "Boutique"}"#);
    let renamed = fixture.run("update clients Shop name.json --tenant dev --yes --quiet");
    assert_eq!(renamed.code, 0, "{}", renamed.whole());
    assert_eq!(imported(&fixture, IMPORT), 1);
    let plan = fixture.in_folder("runs").into_iter().filter(|run| run.ends_with("prod")).max().expect("a run");
    assert!(!fixture.read(&format!("runs/{plan}/plan.json")).contains("client_secret"));
    assert_eq!(held(&fixture, &["Boutique"]), ["CANARY-first"]);
}

#[test]
fn a_saved_plan_leaves_fingerprints_too() {
    let fixture = fixture("");
    let planned = fixture.run("plan --tenant prod --out plan.json --quiet");
    assert_eq!(planned.code, 0, "{}", planned.whole());
    assert_eq!(imported(&fixture, "import --tenant prod --plan plan.json --allow lockout-risk,weaker-protection --yes --quiet"), 3);
    assert_eq!(imported(&fixture, IMPORT), 0);
}

#[test]
fn a_missing_variable_stops_an_import_before_its_first_write() {
    let mut fixture = fixture("");
    imported(&fixture, IMPORT);
    fixture.set("SECRET", "");
    let before = fixture.writes().len();
    insta::assert_snapshot!(fixture.run(IMPORT).refused(), @"
    exit 4
    error: the plan was refused
    cause: secrets: the mapping needs secrets that are not available: env:SECRET
    hint:  set the variable or create the file, or remove the rule from the mapping
    state: nothing was written
    ");
    assert_eq!(fixture.writes().len(), before);
}
