//! Thirty nights of random edits in both tenants: a target that is synced by the logs ends each night like one whose tenants are read completely.

use auth0_migrate::sandbox::Caller;
use serde_json::{Map, Value, json};

use crate::support::dice::Dice;
use crate::support::fixture::{Fixture, dev, prod};

const NIGHTS: usize = 30;
const SYNC: &str = "sync --from dev --to prod --quiet --output json --allow many-changes";
/// The lists that are edited, and the fields of a resource that belong to its tenant alone.
const LISTS: [(&str, &str); 3] = [("/clients", "client_id"), ("/resource-servers", "id"), ("/roles", "id")];

/// An edit that can be made in several tenants alike: resources are named, not numbered.
#[derive(Debug)]
struct TenantEdit {
    tenant: &'static str,
    list: &'static str,
    /// The name of the resource, if one is changed or deleted.
    of: Option<String>,
    method: &'static str,
    body: Value,
}

/// A source and a target of the same content, for one way to read.
struct House {
    fixture: Fixture,
    flags: &'static str,
}

impl House {
    fn new(flags: &'static str) -> Self {
        let (mut ours, mut theirs) = (dev(), prod());
        theirs["data"]["/clients"][0]["callbacks"] = ours["data"]["/clients"][0]["callbacks"].clone();
        for (state, id) in [(&mut ours, "dev"), (&mut theirs, "prod")] {
            let scopes = json!([{"value": "read:orders", "description": "Read orders"}]);
            state["data"]["/resource-servers"] = json!([{"id": format!("{id}Api00000000000000000001"), "name": "Orders", "identifier": "https://orders.acme.example", "scopes": scopes}]);
            state["data"]["/roles"] = json!([{"id": format!("rol_{id}Clerk000001"), "name": "Clerk", "description": "Sells"}]);
        }
        let fixture = Fixture::new(ours, theirs, "");
        fixture.configure("nightly = { log_delay = \"0s\" }\n");
        Self { fixture, flags }
    }

    fn ask(&self, tenant: &str, method: &str, path: &str, body: &Value) -> Value {
        let jane = Caller::administrator("auth0|1", "Jane", "jane@acme.example");
        self.fixture.ask_as(jane, (tenant, method, path), body)
    }

    fn named(&self, tenant: &str, list: &str) -> Vec<Map<String, Value>> {
        let listed = self.ask(tenant, "GET", list, &Value::Null);
        listed
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(Value::as_object)
            .filter(|one| one["name"] != "All Applications")
            .cloned()
            .collect()
    }

    fn edit(&self, edit: &TenantEdit) {
        let field = LISTS.iter().find(|(list, _)| *list == edit.list).expect("a list").1;
        let id = |name: &String| {
            let held = self.named(edit.tenant, edit.list).into_iter().find(|one| one["name"] == name.as_str());
            held.unwrap_or_else(|| panic!("{}: no {name}", edit.tenant))[field].as_str().expect("an id").to_owned()
        };
        let path = edit.of.as_ref().map_or_else(|| edit.list.to_owned(), |name| format!("{}/{}", edit.list, id(name)));
        self.ask(edit.tenant, edit.method, &path, &edit.body);
    }

    /// Runs a night; returns its requests to the two tenants and what it said.
    fn night(&self) -> ([usize; 2], Value) {
        let count = || [self.fixture.requests_of_dev().len(), self.fixture.requests().len()];
        let before = count();
        let said = self.fixture.run(&format!("{SYNC} {}", self.flags));
        assert!(matches!(said.code, 0 | 3), "{}", said.whole());
        let after = count();
        ([after[0] - before[0], after[1] - before[1]], said.json())
    }

    /// Returns what the target has, without what differs between two tenants of the same content.
    fn target(&self) -> Value {
        let of_list = |(list, field): &(&str, &str)| {
            let mut listed = self.named("prod", list);
            for one in &mut listed {
                one.retain(|name, _| !["client_secret", "signing_keys", "updated_at", "created_at", field].contains(&name.as_str()));
            }
            listed.sort_by_key(|one| one["name"].to_string());
            ((*list).to_owned(), json!(listed))
        };
        Value::Object(LISTS.iter().map(of_list).collect())
    }
}

/// Returns an edit that is possible in the tenants as they are.
fn edit(dice: &mut Dice, house: &House, number: usize) -> TenantEdit {
    let tenant = if dice.below(3) == 0 { "prod" } else { "dev" };
    let (list, _) = LISTS[dice.below(LISTS.len())];
    let names: Vec<String> = house.named(tenant, list).iter().filter_map(|one| one["name"].as_str().map(str::to_owned)).collect();
    let of = names[dice.below(names.len())].clone();
    let name = format!("{} {number}", &list[1..]);
    let created = match list {
        "/resource-servers" => json!({"name": name, "identifier": format!("https://{number}.acme.example")}),
        "/roles" => json!({"name": name, "description": "New"}),
        _ => json!({"name": name, "app_type": "non_interactive", "description": "New"}),
    };
    let changed = match list {
        "/resource-servers" => json!({"scopes": [{"value": "read:orders", "description": format!("Read orders {number}")}]}),
        _ => json!({"description": format!("Edit {number}")}),
    };
    match dice.below(5) {
        0 => TenantEdit { tenant, list, of: None, method: "POST", body: created },
        1 if tenant == "dev" && names.len() > 2 => TenantEdit { tenant, list, of: Some(of), method: "DELETE", body: Value::Null },
        _ => TenantEdit { tenant, list, of: Some(of), method: "PATCH", body: changed },
    }
}

#[test]
#[ignore = "slow"]
#[expect(clippy::print_stdout, reason = "the figures are wanted")]
fn a_target_synced_by_the_logs_ends_each_night_like_one_that_is_read_completely() {
    let (full, by_log) = (House::new("--full"), House::new("--incremental"));
    let mut dice = Dice(20_261_130);
    let mut number = 0;
    let mut sums = [[0_usize; 2]; 2];
    println!("night  edits  requests completely (source, target)  by the logs (source, target)");
    for night in 1..=NIGHTS {
        let edits = if night % 3 == 0 { 0 } else { 1 + dice.below(3) };
        for _ in 0..edits {
            number += 1;
            let edit = edit(&mut dice, &full, number);
            full.edit(&edit);
            by_log.edit(&edit);
        }
        let ((completely, _), (by_logs, said)) = (full.night(), by_log.night());
        assert_eq!(by_log.target(), full.target(), "night {night}: {said:#}");
        let sent = [completely, by_logs];
        println!("{night:5}  {edits:5}  {:>17} {:>5}  {:>25} {:>5}", sent[0][0], sent[0][1], sent[1][0], sent[1][1]);
        for (sum, sent) in sums.iter_mut().zip(sent) {
            sum[0] += sent[0];
            sum[1] += sent[1];
        }
    }
    println!("total         {:>17} {:>5}  {:>25} {:>5}", sums[0][0], sums[0][1], sums[1][0], sums[1][1]);
    assert!(sums[1][0] * 3 < sums[0][0], "the logs spare most requests: {sums:?}");
}
