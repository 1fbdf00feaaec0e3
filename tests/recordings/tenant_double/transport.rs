//! TLS, compression, HTTP/2, and rate limits of single endpoints.
#![expect(clippy::print_stdout, reason = "how many requests were refused as too many is wanted beside the verdict")]

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::comparison::Comparison;
use super::exceptions::{STATES, without};
use super::imports::DoublePair;
use super::pairs::{self, Pair};
use super::process::{Double, authority, installed};
use super::project::Ended;
use crate::support::known_failures;

/// An import: its result, the number of rate-limited requests, and the target after it.
struct Copied {
    ended: Ended,
    too_many: u64,
    after: Value,
}

impl Copied {
    /// Exports and imports while the target has these limits.
    fn make(doubles: &DoublePair, pair: &Pair, limits: &str) -> Self {
        let mut project = doubles.load(pair);
        project.set("SSL_CERT_FILE", &authority(installed().expect("the judge is installed")).display().to_string());
        let single = doubles.source.single().into_iter().chain(doubles.target.single()).collect();
        if limits != "none" {
            project.say_of_prod(&format!("rate = \"{limits}\"\n"));
        }
        doubles.target.ask("config", &json!({ "endpointLimits": limits }));
        let exported = project.export();
        let ended = if exported.code == 0 { project.import() } else { exported };
        let too_many = doubles.target.ask("stats", &json!({}))["status429"].as_u64().expect("a number");
        doubles.target.ask("config", &json!({ "endpointLimits": "none" }));
        Self { ended, too_many, after: doubles.target.answered(&single) }
    }

    /// Returns the differences from an import without limits.
    fn unlike(&self, plain: &Self, what: &str) -> BTreeSet<String> {
        let differences = Comparison::differences(&plain.after, &plain.after, &self.after);
        let lines = without(STATES, differences.iter().map(|difference| difference.line.as_str()));
        let mut found: BTreeSet<String> = lines.into_iter().map(|line| format!("{what}: {line}")).collect();
        if self.ended.code != plain.ended.code {
            found.insert(format!("{what}: ended with {} in place of {}", self.ended.code, plain.ended.code));
        }
        if self.too_many > 0 {
            found.insert(format!("{what}: requests are refused as too many"));
        }
        println!("{what}: ended with {}, {} requests too many, {found:?}", self.ended.code, self.too_many);
        found
    }
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn a_private_certificate_authority_compression_and_http2_change_nothing() {
    let Some(doubles) = DoublePair::start() else { return };
    let pair = pairs::demo();
    let plain = Copied::make(&doubles, &pair, "none");
    let start = || Double::start_with(&["--tls", "--http2", "--gzip"]).expect("the judge is installed");
    let doubles = DoublePair { source: start(), target: start() };
    let found = Copied::make(&doubles, &pair, "none").unlike(&plain, "tls");
    known_failures::compare("judge-transport", &found);
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn limits_of_single_endpoints_slow_an_import_and_change_nothing() {
    let Some(doubles) = DoublePair::start() else { return };
    let pair = pairs::one_into_empty("dcli-2025-04-10-dump");
    let plain = Copied::make(&doubles, &pair, "none");
    let found = Copied::make(&doubles, &pair, "enterprise").unlike(&plain, "limits");
    known_failures::compare("judge-limits", &found);
}
