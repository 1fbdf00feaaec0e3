//! Lists that change while they are read, with every kind of pagination: nothing is created or deleted because of it.

use std::process::{Child, Command};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::fixture::Fixture;

/// The number of resources of each kind in both tenants: more than a page in each kind of pagination.
const EACH: usize = 130;
/// The number of additional resources of each kind in prod, which come and go.
const STRANGERS: usize = 20;

/// A kind, its pagination, and a sample resource.
struct Listed {
    path: &'static str,
    paging: &'static str,
    id: &'static str,
    one: fn(&str) -> Value,
}

const LISTED: [Listed; 4] = [
    Listed {
        path: "/clients",
        paging: "by offset or checkpoint",
        id: "client_id",
        one: |name| json!({"name": name, "is_first_party": true}),
    },
    Listed { path: "/roles", paging: "by offset", id: "id", one: |name| json!({"name": name, "description": "r"}) },
    Listed { path: "/organizations", paging: "by checkpoint", id: "id", one: |name| json!({"name": name}) },
    Listed {
        path: "/actions/actions",
        paging: "counted",
        id: "id",
        one: |name| {
            json!({"name": name, "code": "// nothing", "runtime": "node22", "dependencies": [], "secrets": [],
                "supported_triggers": [{"id": "post-login", "version": "v3"}]})
        },
    },
];

impl Listed {
    fn called(&self, word: &str, number: usize, id: &str) -> Value {
        let name = format!("{word}-{number:03}");
        let mut one = (self.one)(&name);
        one[self.id] = json!(id);
        if self.path == "/actions/actions" {
            // The tenant sets the status of an action and accepts none.
            one["status"] = json!("built");
            one["all_changes_deployed"] = json!(true);
        }
        one
    }

    /// Returns a tenant's list; additional resources come first.
    fn response(&self, side: &str, strangers: usize) -> Value {
        let id = |word: &str, number: usize| format!("{side}{word}{number:020}");
        let strangers = (0..strangers).map(|number| self.called("stranger", number, &id("Other", number)));
        let ours = (0..EACH).map(|number| self.called("ours", number, &id("Ours", number)));
        strangers.chain(ours).collect()
    }
}

fn tenant(side: &str, strangers: usize) -> Value {
    let data: serde_json::Map<String, Value> =
        LISTED.iter().map(|listed| (listed.path.to_owned(), listed.response(side, strangers))).collect();
    json!({"tenant": format!("acme-{side}"), "domain": format!("acme-{side}.eu.auth0.com"), "data": data})
}

/// Repeatedly deletes an additional resource of prod and creates another while a command runs.
///
/// Returns the number of attempts and of successes.
fn meddle(fixture: &Fixture, running: &mut Child) -> (usize, usize) {
    let (mut calls, mut moves) = (0, 0);
    for number in 0..STRANGERS {
        for listed in &LISTED {
            if running.try_wait().expect("a process").is_some() {
                return (calls, moves);
            }
            fixture.write("one.json", &(listed.one)(&format!("newcomer-{number:03}")).to_string());
            let gone = format!("{}/prodOther{number:020}", listed.path.trim_start_matches('/'));
            for call in [format!("delete {gone}"), format!("post {} --data one.json", listed.path.trim_start_matches('/'))] {
                // The lock on prod belongs to the import; somebody in the dashboard takes none.
                let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
                command.args(format!("api {call} --tenant prod --yes --quiet").split(' '));
                let ended =
                    fixture.with_environment(&mut command).env("XDG_STATE_HOME", fixture.path("elsewhere")).output().expect("it ran");
                calls += 1;
                moves += usize::from(ended.status.success());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    (calls, moves)
}

#[test]
fn a_list_that_changes_while_it_is_read_causes_no_create_and_no_delete() {
    let mut fixture = Fixture::new(tenant("dev", 0), tenant("prod", STRANGERS), "");
    assert_eq!(fixture.run("import --tenant prod --yes --quiet --allow lockout-risk,weaker-protection,many-changes").code, 0);
    fixture.slow_down_prod();
    let mut moved = 0;
    for _ in 0..2 {
        let before = fixture.writes().len();
        let mut running =
            fixture.start("import --tenant prod --prune --yes --quiet --allow lockout-risk,weaker-protection,many-changes,deletes");
        let (calls, done) = meddle(&fixture, &mut running);
        moved += done;
        let said = fixture.end(running);
        // A list that never stops changing is refused, and then nothing is written.
        assert!(
            said.code == 0 && said.out.contains("Nothing to do.") || said.code == 1 && said.err.contains("nothing was written"),
            "{}",
            said.whole()
        );
        assert!(fixture.writes().len() - before <= calls, "only others wrote");
        for listed in &LISTED {
            let held = fixture.prod(listed.path);
            let ours = |one: &&Value| one["name"].as_str().is_some_and(|name| name.starts_with("ours-"));
            assert_eq!(held.as_array().expect("a list").iter().filter(ours).count(), EACH, "{}, paged {}", listed.path, listed.paging);
        }
    }
    assert!(moved >= 20, "{moved} moves");
}
