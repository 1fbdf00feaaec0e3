//! Exceptions where the OpenAPI description is narrower than the API: each is proven by a recorded request that a real tenant accepted.

use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::support::auth0_reference;
use crate::support::openapi::exceptions::{self, EXCEPTIONS, Proof};
use crate::support::openapi::{Break, Description};

/// One recorded interaction.
#[derive(Deserialize)]
struct Interaction {
    source: String,
    cassette: String,
    seq: u64,
    api: String,
    method: String,
    path: String,
    query: Map<String, Value>,
    request_body: Value,
    status: u16,
}

impl Interaction {
    fn is_accepted(&self) -> bool {
        self.api == "management" && (200..300).contains(&self.status)
    }

    /// Returns the path with its query.
    fn target(&self) -> String {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let encoded = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let pairs = self.query.iter().flat_map(|(name, value)| {
            let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            values.into_iter().map(move |value| format!("{}={}", encoded(name), encoded(&text(&value))))
        });
        format!("{}?{}", self.path, pairs.collect::<Vec<_>>().join("&"))
    }
}

fn accepted() -> Option<Vec<Interaction>> {
    let file = BufReader::new(GzDecoder::new(auth0_reference::open("recorded/traffic.jsonl.gz")?));
    let all = file.lines().map(|line| serde_json::from_str::<Interaction>(&line.expect("text")).expect("an interaction"));
    Some(all.filter(Interaction::is_accepted).collect())
}

/// Returns the violations of an interaction.
fn breaks(description: &Description, one: &Interaction) -> Vec<Break> {
    description.breaks(&one.method, &one.target(), Some(&one.request_body).filter(|body| !body.is_null()))
}

#[test]
fn a_tenant_accepted_what_each_exception_allows() {
    let (Some(description), Some(accepted)) = (Description::read(), accepted()) else { return };
    let Some(newer) = auth0_reference::path("catalog.md").map(|path| std::fs::read_to_string(path).expect("text")) else { return };
    let mut unproven = Vec::new();
    for exception in EXCEPTIONS {
        let is_it = |found: &Break| (found.operation.as_str(), found.place.as_str(), found.what.as_str()) == exception.broken;
        let is_proven = match exception.proof {
            Proof::Documented(operation) => newer.contains(&format!("`{operation}`")),
            Proof::Described(method, path, words) => description.prose(method, path).contains(words),
            Proof::Recorded(source, cassette, seq) => {
                let recorded = accepted.iter().find(|one| (one.source.as_str(), one.cassette.as_str(), one.seq) == (source, cassette, seq));
                recorded.is_some_and(|one| breaks(description, one).iter().any(is_it))
            }
        };
        if !is_proven {
            unproven.push(exception.broken);
        }
    }
    assert!(unproven.is_empty(), "no proof holds these: {unproven:#?}");
}

#[test]
#[expect(clippy::print_stdout, reason = "the figure is wanted")]
fn nine_in_ten_accepted_writes_have_no_violation() {
    let (Some(description), Some(accepted)) = (Description::read(), accepted()) else { return };
    let writes: Vec<&Interaction> = accepted.iter().filter(|one| one.method != "GET").collect();
    let sound = writes.iter().filter(|one| breaks(description, one).iter().all(exceptions::allow)).count();
    assert!(sound * 100 >= writes.len() * 90, "{sound} of {} accepted writes are sound", writes.len());
    println!("{sound} of {} accepted writes are sound", writes.len());
}
