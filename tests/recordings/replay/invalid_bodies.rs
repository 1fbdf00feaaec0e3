//! Recorded bodies with one invalid value: the share of those refused by the OpenAPI description that the sandbox refuses too.

use std::collections::{BTreeMap, BTreeSet};

use auth0_migrate::catalog::address::matched;
use auth0_migrate::sandbox::State;
use serde_json::{Map, Value, json};

use super::tenant_state::Recordings;
use super::{replayed, rows, text};
use crate::support::openapi::{Description, exceptions};

/// The minimum share that must be refused, in percent.
const LEAST: usize = 90;

/// Returns invalid variants of a body: the defect, its path, and the body.
fn broken(body: &Value) -> Vec<(&'static str, String, Value)> {
    let mut all = Vec::new();
    walk(body, &mut String::new(), &mut |place, value| {
        let mut instead = |what, value: Value| all.push((what, place.to_owned(), with(body, place, Some(value))));
        match value {
            Value::Object(fields) => {
                instead("wrong type", json!("text"));
                instead("surplus field", Value::Object(with_surplus(fields)));
                instead("blank", json!({}));
            }
            Value::Array(_) => {
                instead("wrong type", json!({"not": "a list"}));
                instead("blank", json!([]));
            }
            Value::String(_) => {
                instead("wrong type", json!(7));
                instead("unknown word", json!("no-such-word"));
                instead("too long", json!("x".repeat(5000)));
                instead("blank", json!(""));
            }
            Value::Number(_) => {
                instead("wrong type", json!("text"));
                instead("out of range", json!(-7_000_000_000_i64));
            }
            Value::Bool(_) => instead("wrong type", json!("text")),
            Value::Null => {}
        }
        if !place.is_empty() {
            all.push(("null", place.to_owned(), with(body, place, Some(Value::Null))));
            all.push(("missing field", place.to_owned(), with(body, place, None)));
        }
    });
    all
}

fn with_surplus(fields: &Map<String, Value>) -> Map<String, Value> {
    fields.clone().into_iter().chain([("no_such_field".to_owned(), json!(1))]).collect()
}

/// Visits each value with its JSON pointer.
fn walk(value: &Value, place: &mut String, visit: &mut dyn FnMut(&str, &Value)) {
    visit(place, value);
    let length = place.len();
    let mut below = |name: &str, value: &Value| {
        place.push('/');
        place.push_str(&name.replace('~', "~0").replace('/', "~1"));
        walk(value, place, visit);
        place.truncate(length);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| below(name, value)),
        // One element represents all.
        Value::Array(list) => list.iter().take(1).for_each(|value| below("0", value)),
        _ => {}
    }
}

/// Returns a body with a different value at a path, or without the field.
fn with(body: &Value, place: &str, value: Option<Value>) -> Value {
    let mut body = body.clone();
    match (value, place.rsplit_once('/')) {
        (Some(value), _) => *body.pointer_mut(place).expect("a place of this body") = value,
        (None, Some((holder, name))) => match body.pointer_mut(holder) {
            Some(Value::Object(fields)) => drop(fields.remove(&name.replace("~1", "/").replace("~0", "~"))),
            Some(Value::Array(list)) => drop(list.remove(0)),
            _ => {}
        },
        (None, None) => {}
    }
    body
}

/// The numbers refused by a lenient sandbox and by a strict one, and the total.
#[derive(Default)]
struct Tally(BTreeMap<String, [usize; 3]>);

impl Tally {
    fn count(&mut self, of: &str, [lenient, strict]: [bool; 2]) {
        let counted = self.0.entry(of.to_owned()).or_default();
        counted[0] += usize::from(lenient);
        counted[1] += usize::from(strict);
        counted[2] += 1;
    }

    fn print(&self) {
        for (of, [lenient, strict, all]) in &self.0 {
            println!("refused of broken {of}: {lenient} -> {strict} of {all} ({} % -> {} %)", 100 * lenient / all, 100 * strict / all);
        }
    }
}

/// The attempts and their results.
struct Trial {
    description: &'static Description,
    recordings: Recordings,
    seen: BTreeSet<(String, String, &'static str)>,
    tally: Tally,
    taken: Vec<String>,
}

impl Trial {
    /// Replaces one value at a time in the body of a recorded write, and sends the result to the tenant in its previous
    /// state.
    fn run(&mut self, method: &str, row: &Value) {
        let Some(kind) = replayed(row) else { return };
        let path = text(row, "path");
        let Some(operation) = self.description.operation(method, path).map(ToString::to_string) else { return };
        if method == "POST" && kind.creation().is_none_or(|form| matched(form, path).is_none())
            || self.refuses(method, path, &row["request"])
        {
            return;
        }
        let mut tenant: Option<State> = None;
        for (what, place, body) in broken(&row["request"]) {
            let is_new = self.seen.insert((operation.clone(), place.clone(), what));
            if !is_new || !self.refuses(method, path, &body) {
                continue;
            }
            let tenant = tenant.get_or_insert_with(|| match method {
                "POST" => self.recordings.tenant_before_create(kind, row),
                _ => self.recordings.tenant_before_update(kind, row),
            });
            let is_refused = |mut tenant: State| tenant.ask(method, path, body.clone()).status >= 400;
            let refused = [is_refused(tenant.clone().lenient()), is_refused(tenant.clone())];
            for of in ["bodies", &format!("kind {}", kind.name), &format!("by {what}")] {
                self.tally.count(of, refused);
            }
            if !refused[1] {
                self.taken.push(format!("{operation} {place}: {what}"));
            }
        }
    }

    fn refuses(&self, method: &str, path: &str, body: &Value) -> bool {
        self.description.breaks(method, path, Some(body)).iter().any(|broken| broken.place != "body" && !exceptions::allow(broken))
    }
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn nine_in_ten_invalid_bodies_refused_by_the_description_are_refused() {
    let (Some(description), Some(recordings)) = (Description::read(), Recordings::read()) else { return };
    let (Some(creates), Some(updates)) = (rows("creates.jsonl.gz"), rows("updates.jsonl.gz")) else { return };
    let mut trial = Trial { description, recordings, seen: BTreeSet::new(), tally: Tally::default(), taken: Vec::new() };
    for row in &creates {
        trial.run("POST", row);
    }
    for row in &updates {
        trial.run(text(row, "method"), row);
    }
    trial.tally.print();
    for taken in &trial.taken {
        println!("taken: {taken}");
    }
    let [_, strict, all] = trial.tally.0["bodies"];
    assert!(strict * 100 >= all * LEAST, "{strict} of {all}");
}

#[test]
fn each_value_of_a_body_is_made_invalid_in_turn() {
    let body = json!({"name": "a", "list": [{"deep": 1}]});
    let all = broken(&body);
    let of = |what, place: &str| all.iter().find(|one| one.0 == what && one.1 == place).map(|one| one.2.clone());
    assert_eq!(of("missing field", "/name"), Some(json!({"list": [{"deep": 1}]})));
    assert_eq!(of("null", "/list/0/deep"), Some(json!({"name": "a", "list": [{"deep": null}]})));
    assert_eq!(of("surplus field", "/list/0"), Some(json!({"name": "a", "list": [{"deep": 1, "no_such_field": 1}]})));
    assert_eq!(of("blank", ""), Some(json!({})));
}
