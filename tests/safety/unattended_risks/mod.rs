//! What an unattended run may write, edit by edit and in both directions.

mod edits;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::fixture::Fixture;
use edits::Verdict::{DoesBoth, LocksOut, Passes, Weakens};
use edits::{CREATES, Created, EDITS, Edit, Verdict, client, connection};

const SYNC: &str = "sync --from dev --to prod --allow many-changes";

fn tenant(name: &str, data: &Value) -> Value {
    json!({"tenant": format!("acme-{name}"), "domain": format!("acme-{name}.eu.auth0.com"), "data": data})
}

/// Returns the result of a sync if dev has one side of an edit and prod the other.
fn verdict(edit: &Edit, is_made: bool) -> Verdict {
    verdict_over(edit.what, &(edit.data)("dev", is_made), &(edit.data)("prod", !is_made))
}

fn verdict_over(what: &str, dev: &Value, prod: &Value) -> Verdict {
    let fixture = Fixture::new(tenant("dev", dev), tenant("prod", prod), "");
    let said = fixture.run_unattended(SYNC);
    let refused = |guard: &str| said.err.contains(&format!("cause: {guard}: "));
    match said.code {
        4 => {
            assert_eq!(fixture.writes(), [], "{what}");
            match (refused("lockout-risk"), refused("weaker-protection")) {
                (true, true) => DoesBoth,
                (true, false) => LocksOut,
                (false, true) => Weakens,
                (false, false) => panic!("{what}: {}", said.whole()),
            }
        }
        0 | 3 => {
            assert_ne!(fixture.writes(), [], "{what}: {}", said.whole());
            Passes
        }
        _ => panic!("{what}: {}", said.whole()),
    }
}

#[test]
fn a_job_writes_additions_and_routine_edits_but_no_lockout_or_weaker_protection() {
    let found: Vec<_> = EDITS.iter().map(|edit| (edit.what, verdict(edit, true), verdict(edit, false))).collect();
    let expected: Vec<_> = EDITS.iter().map(|edit| (edit.what, edit.there, edit.back)).collect();
    let unlike: Vec<_> = found.iter().zip(&expected).filter(|(found, expected)| found != expected).collect();
    assert!(unlike.is_empty(), "{unlike:#?}");
}

#[test]
fn a_job_creates_unused_resources_but_nothing_that_takes_part_in_every_login() {
    let of = |(what, expected, data): &Created| (*what, verdict_over(what, &data(), &json!({})), *expected);
    let unlike: Vec<_> = CREATES.iter().map(of).filter(|(_, found, expected)| found != expected).collect();
    assert!(unlike.is_empty(), "{unlike:#?}");
}

/// Two clients that each lose a callback, and a database that loses a protection.
fn three_risks() -> Fixture {
    let data = |tenant: &str, is_after: bool| {
        let callbacks = |host: &str| if is_after { json!([]) } else { json!([format!("https://{host}.acme.example")]) };
        let mut shop = client(tenant, &json!({"callbacks": callbacks("shop")}));
        let mut billing = client(tenant, &json!({"callbacks": callbacks("billing")}));
        (shop["name"], billing["name"]) = (json!("Shop"), json!("Billing API"));
        billing["client_id"] = json!(format!("{tenant}Bill000000000000000000000000a"));
        let connection = connection(tenant, "auth0", &json!({"brute_force_protection": !is_after}));
        json!({"/clients": [shop, billing], "/connections": [connection]})
    };
    Fixture::new(tenant("dev", &data("dev", true)), tenant("prod", &data("prod", false)), "")
}

#[test]
fn a_pattern_in_the_configuration_approves_what_it_matches_for_a_job() {
    let fixture = three_risks();
    fixture.configure("[tenants.prod.plan]\napprove = [\"lockout-risk:clients/Billing*\"]\n");
    let said = fixture.run_unattended(SYNC);
    assert_snapshot!(said.refused(), @r#"
    exit 4
    error: the plan was refused
    cause: lockout-risk: users or services may be locked out by changes to clients/Shop (callbacks)
    cause: weaker-protection: a protection would become weaker by changes to connections/people (options.brute_force_protection)
    hint:  to approve this for every run, add to [tenants.prod] in migrate.toml: plan.approve = ["lockout-risk:clients/Shop", "weaker-protection:connections/people"]; if this is intended, run it once yourself:  migrate import --tenant prod --from dev --allow lockout-risk,many-changes,weaker-protection
    state: nothing was written
    "#);
    assert_eq!(fixture.writes(), []);
    fixture.configure("[tenants.prod.plan]\napprove = [\"lockout-risk:clients/*\", \"weaker-protection:connections/people\"]\n");
    let said = fixture.run_unattended(SYNC);
    assert_eq!((said.code, fixture.writes().len()), (0, 3), "{}", said.whole());
}

#[test]
fn a_narrow_approval_permits_only_what_it_matches() {
    let fixture = three_risks();
    let import = "import --tenant prod --yes --quiet";
    let said = fixture
        .run_words(&[&import.split(' ').collect::<Vec<_>>()[..], &["--allow", "lockout-risk:clients/Billing*,weaker-protection"]].concat());
    assert_snapshot!(said.refused(), @"
    exit 4
    error: the plan was refused
    cause: lockout-risk: users or services may be locked out by changes to clients/Shop (callbacks)
    hint:  if this is intended, run it with --allow lockout-risk,weaker-protection
    state: nothing was written
    ");
    assert_eq!(fixture.writes(), []);
    let allow = "lockout-risk:clients/Billing*,lockout-risk:clients/Shop,weaker-protection:connections/*";
    let said = fixture.run_words(&[&import.split(' ').collect::<Vec<_>>()[..], &["--allow", allow]].concat());
    assert_eq!((said.code, fixture.writes().len()), (0, 3), "{}", said.whole());
}

#[test]
fn the_suggested_line_can_be_pasted_whatever_the_clients_name() {
    let fixture = Fixture::new(tenant("dev", &quoted("dev", true)), tenant("prod", &quoted("prod", false)), "");
    let said = fixture.run_unattended(SYNC);
    let (_, rest) = said.err.split_once("in migrate.toml: ").expect("a line to add");
    let (line, _) = rest.split_once("; if this is intended").expect("and the command");
    fixture.configure(&format!("{line}\n"));
    let table: toml::Table = fixture.read("migrate.toml").parse().expect("TOML");
    assert_eq!(table["tenants"]["prod"]["plan"]["approve"].as_array().map(Vec::len), Some(1), "{line}");
    let said = fixture.run_unattended(SYNC);
    assert_eq!((said.code, fixture.writes().len()), (0, 1), "{}", said.whole());
}

/// A client that loses its callback, and whose name would end a quoted text.
fn quoted(name: &str, is_after: bool) -> Value {
    let callbacks = if is_after { json!([]) } else { json!(["https://shop.acme.example"]) };
    let mut client = client(name, &json!({"callbacks": callbacks}));
    client["name"] = json!("x\", \"lockout-risk");
    json!({"/clients": [client]})
}

#[test]
fn an_impossible_approval_is_refused_before_any_request() {
    let fixture = three_risks();
    for (allow, wrong) in [
        ("lockout", "unknown guard \"lockout\""),
        ("many-changes:clients/*", "many-changes can only be approved as a whole, not by resource"),
        ("deletes:[", "invalid pattern \"[\""),
    ] {
        let said = fixture.run(&format!("import --tenant prod --yes --allow {allow}"));
        assert_eq!((said.code, said.err.contains(wrong), fixture.requests().len()), (64, true, 0), "{}", said.whole());
    }
    for (entry, wrong) in [
        ("deletes", "deletes cannot be approved for all runs"),
        ("lockout-risk:client/*", "unknown kind \"client\""),
        ("lockout-risk:clients/[", "invalid pattern"),
        ("lockout", "unknown guard \"lockout\""),
    ] {
        fixture.configure(&format!("[tenants.prod.plan]\napprove = [\"{entry}\"]\n"));
        let said = fixture.run("validate");
        assert_eq!((said.code, said.err.contains(wrong)), (64, true), "{}", said.whole());
    }
}

/// Eight resources of a kind that only dev has, for a prod with many resources of another kind.
struct Eight {
    path: &'static str,
    id: &'static str,
}

impl Eight {
    fn in_dev(&self) -> Value {
        let one = |number: usize| {
            let mut one = json!({"name": format!("eight-{number}"), "description": "one of eight", self.id: Self::id_of(number)});
            if self.path == "/clients" {
                one["is_first_party"] = json!(true);
            }
            one
        };
        json!({self.path: (0..8).map(one).collect::<Vec<_>>()})
    }

    fn id_of(number: usize) -> String {
        format!("dev{number}{}", "0".repeat(28))
    }
}

#[test]
fn a_sync_does_not_delete_most_of_a_kind_even_in_a_large_tenant() {
    for eight in
        [Eight { path: "/clients", id: "client_id" }, Eight { path: "/roles", id: "id" }, Eight { path: "/organizations", id: "id" }]
    {
        let apis = (0..30).map(|number| json!({"id": format!("api{number}"), "name": "API", "identifier": format!("urn:{number}")}));
        let prod = json!({"/resource-servers": apis.collect::<Vec<_>>()});
        let fixture = Fixture::new(tenant("dev", &eight.in_dev()), tenant("prod", &prod), "");
        let first = fixture.run_unattended(SYNC);
        assert_eq!(first.code, 0, "{}", first.whole());
        for number in 0..7 {
            let gone = fixture.run(&format!("api delete {}/{} --tenant dev --yes --quiet", &eight.path[1..], Eight::id_of(number)));
            assert_eq!(gone.code, 0, "{}", gone.whole());
        }
        let writes = fixture.writes().len();
        let said = fixture.run_unattended("sync --from dev --to prod --prune --allow deletes");
        let kind = &eight.path[1..];
        let cause = format!("cause: many-changes: 7 of the 8 compared {kind} of \"prod\" would be deleted (limit 4)\n");
        assert_eq!((said.code, said.err.contains(&cause), fixture.writes().len()), (4, true, writes), "{}", said.whole());
        fixture.configure("[tenants.prod.plan]\nmost_changed_of_a_kind = 0.9\n");
        let said = fixture.run_unattended("sync --from dev --to prod --prune --allow deletes");
        assert_eq!((said.code, fixture.prod(eight.path).as_array().map(Vec::len)), (0, Some(1)), "{}", said.whole());
    }
}

#[test]
fn a_sync_does_not_delete_most_of_a_small_tenant_and_a_configured_share_always_counts() {
    let three = |name: &str, there: usize| {
        let role = |at: usize| json!({"id": format!("rol_{name}{at}"), "name": format!("Role {at}"), "description": name});
        json!({"/roles": (0..there).map(role).collect::<Vec<_>>()})
    };
    let fixture = Fixture::new(tenant("dev", &three("dev", 3)), tenant("prod", &json!({})), "");
    assert_eq!(fixture.run_unattended("sync --from dev --to prod").code, 0);
    for gone in 0..2 {
        assert_eq!(fixture.run(&format!("api delete roles/rol_dev{gone} --tenant dev --yes --quiet")).code, 0);
    }
    let said = fixture.run_unattended("sync --from dev --to prod --prune --allow deletes");
    let cause = "cause: many-changes: 2 of the 3 compared roles of \"prod\" would be deleted (limit 1)\n";
    assert_eq!((said.code, said.err.contains(cause)), (4, true), "{}", said.whole());

    let fixture = Fixture::new(tenant("dev", &three("dev", 6)), tenant("prod", &three("prod", 6)), "");
    fixture.configure("[tenants.prod.plan]\nmost_changed = 0.1\n");
    let said = fixture.run_unattended("sync --from dev --to prod");
    let cause = "cause: many-changes: 6 of the 13 compared resources of \"prod\" would change (limit 1); 6 of the 6 compared roles";
    assert_eq!((said.code, said.err.contains(cause)), (4, true), "{}", said.whole());
}

#[test]
fn a_first_import_into_a_new_tenant_is_not_many_changes() {
    let settings = |is_dev: bool| {
        let templates = ["verify_email", "reset_email", "welcome_email", "blocked_account", "stolen_credentials"];
        let template = |name: &str| {
            let subject = if is_dev { "Hello" } else { "" };
            (
                format!("/email-templates/{name}"),
                json!({"template": name, "body": "b", "from": "a@acme.example", "subject": subject, "syntax": "liquid", "enabled": true}),
            )
        };
        templates.map(template).into_iter().collect::<serde_json::Map<_, _>>()
    };
    let with = |clients: usize| {
        let client = |number: usize| {
            let mut one = client("prod", &json!({"name": format!("App {number}")}));
            one["client_id"] = json!(format!("prodApp{number}{}", "0".repeat(24)));
            one
        };
        let mut prod = settings(false);
        prod.insert("/clients".to_owned(), (0..clients).map(client).collect());
        Fixture::new(tenant("dev", &settings(true).into()), tenant("prod", &prod.into()), "").run_unattended("sync --from dev --to prod")
    };
    let said = with(3);
    assert_eq!(said.code, 0, "{}", said.whole());
    let said = with(4);
    let cause = "many-changes: 5 of the 10 compared resources of \"prod\" would change (limit 3); 5 of the 5 compared email-templates of \"prod\" would change";
    assert_eq!((said.code, said.err.contains(cause)), (4, true), "{}", said.whole());
}

#[test]
fn the_values_of_every_scale_belong_to_one_described_field() {
    let Some(file) = crate::support::auth0_reference::open("management-api-oas.json.gz") else { return };
    let document: Value = serde_json::from_reader(flate2::read::GzDecoder::new(file)).expect("JSON");
    let mut listed = Vec::new();
    collect_enums(&document, &mut listed);
    for scale in auth0_migrate::catalog::risk::SCALES {
        let is_whole = |values: &&Vec<String>| scale.iter().all(|value| values.iter().any(|listed| listed == value));
        assert!(listed.iter().any(|values| is_whole(&values)), "{scale:?}");
    }
}

fn collect_enums(value: &Value, found: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::Array(values)) = fields.get("enum") {
                found.push(values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect());
            }
            fields.values().for_each(|field| collect_enums(field, found));
        }
        Value::Array(list) => list.iter().for_each(|element| collect_enums(element, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
