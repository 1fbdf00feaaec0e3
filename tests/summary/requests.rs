//! Validates every request that the sandboxes of the tests received against Auth0's OpenAPI description.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader};

use serde::Deserialize;
use serde_json::Value;

use crate::support::openapi::{Break, Description, exceptions};
use crate::support::summary_notes;

/// Paths that Auth0 does not have, and why they are requested.
const MADE_UP: &[(&str, &str)] = &[("/widgets", "a kind that only `new_kind.rs` knows")];
/// The beginning of field names that no tenant has: `canary_secrets.rs` adds them to every object.
const MADE_UP_FIELD: &str = "\"a_made_up_";

/// A recorded request.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Request {
    method: String,
    target: String,
    body: Value,
}

/// The results.
#[derive(Default)]
struct Tally {
    requests: usize,
    distinct: HashSet<Request>,
    broken: usize,
    excepted: usize,
    made_up: usize,
    /// Each violation, with the number of distinct requests.
    breaks: BTreeMap<Break, usize>,
}

/// Validates the requests and prints the results; returns the violations, or `None` if the description is not
/// available.
pub(crate) fn judge() -> Option<BTreeSet<String>> {
    let description = Description::read()?;
    let mut tally = Tally::default();
    for line in File::open(summary_notes::path("requests")).into_iter().flat_map(|record| BufReader::new(record).lines()) {
        tally.add(&line.expect("a record is text"), description);
    }
    tally.tell();
    Some(tally.breaks.keys().map(Break::to_string).collect())
}

impl Tally {
    /// Adds a line of the recording; an empty one stands for a request that is already recorded.
    fn add(&mut self, line: &str, description: &Description) {
        self.requests += 1;
        if line.is_empty() {
            return;
        }
        let request: Request = serde_json::from_str(line).expect("a line of a record is a request");
        if self.distinct.contains(&request) {
            return;
        }
        let found = description.breaks(&request.method, &request.target, Some(&request.body).filter(|body| !body.is_null()));
        let is_made_up = MADE_UP.iter().any(|(path, _)| request.target.starts_with(path)) || line.contains(MADE_UP_FIELD);
        let (excepted, broken): (Vec<Break>, Vec<Break>) = found.into_iter().partition(exceptions::allow);
        self.excepted += usize::from(!excepted.is_empty());
        self.made_up += usize::from(is_made_up);
        if !is_made_up {
            self.broken += usize::from(!broken.is_empty());
            for one in broken {
                *self.breaks.entry(one).or_default() += 1;
            }
        }
        self.distinct.insert(request);
    }

    #[expect(clippy::print_stdout, reason = "the figures are wanted")]
    fn tell(&self) {
        let (requests, distinct, broken) = (self.requests, self.distinct.len(), self.broken);
        println!("\n{requests} requests to tenants, {distinct} of them distinct; {broken} of these break the OpenAPI description.");
        println!("{} have a break that a recording excuses, {} are of made-up kinds or fields.", self.excepted, self.made_up);
        let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (broken, requests) in &self.breaks {
            let kind = kinds.entry(kind_of(broken)).or_default();
            *kind = (kind.0 + 1, kind.1 + requests);
        }
        if !kinds.is_empty() {
            println!("breaks  requests  kind");
        }
        for (kind, (breaks, requests)) in kinds {
            println!("{breaks:6}  {requests:8}  {kind}");
        }
        if std::env::var_os("SHOW_BREAKS").is_some() {
            for (one, requests) in &self.breaks {
                println!("{requests:6}  {one}");
            }
        }
    }
}

/// Returns a violation without types: `wrong type`, `no enum match`.
fn kind_of(broken: &Break) -> &str {
    broken.what.split(':').next().unwrap_or_default()
}
