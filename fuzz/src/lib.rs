//! Properties that every parser must have for any input.
//!
//! Each property takes the bytes of an input and returns whether its parser accepted them; it panics if the property is
//! violated. The fuzz targets call them with generated inputs, and a test of the project calls them with the seeds and
//! with damaged seeds. None uses the network, the clock or the disk.
//!
//! ```text
//! .ci/fuzz 60                                                              every target for a minute
//! cargo +nightly fuzz run -s none --fuzz-dir fuzz plan fuzz/corpus/plan fuzz/seeds/plan    one of them, until it finds something
//! ```

mod answers;
mod files;
mod limits;
mod words;

pub use answers::{grant, headers, listing, refusal};
pub use files::{base, fingerprints, journal, links, plan, snapshot};
pub use limits::{nesting, paths, printing};
pub use words::{configuration, dotenv, mapping, table};

/// A property of a parser.
pub type Property = fn(&[u8]) -> bool;

/// Every property, under the name of its target and of its folder of seeds.
pub const ALL: [(&str, Property); 17] = [
    ("base", base),
    ("configuration", configuration),
    ("dotenv", dotenv),
    ("fingerprints", fingerprints),
    ("grant", grant),
    ("headers", headers),
    ("journal", journal),
    ("links", links),
    ("listing", listing),
    ("mapping", mapping),
    ("nesting", nesting),
    ("paths", paths),
    ("plan", plan),
    ("printing", printing),
    ("refusal", refusal),
    ("snapshot", snapshot),
    ("table", table),
];

/// A secret that is planted into inputs and must never be shown.
const CANARY: &str = "CANARY-7f3a";

/// Panics if an error shows the planted secret.
fn hides_the_canary(error: &str) {
    assert!(!error.contains(CANARY), "a secret is shown: {error}");
}

/// Panics if the line number after `marker` (`file.toml:`) in an error is not a line of the text.
fn names_a_line_of(text: &[u8], marker: &str, error: &str) {
    let Some((_, behind)) = error.split_once(marker) else { panic!("no \"{marker}\" in: {error}") };
    let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
    let line: usize = digits.parse().unwrap_or_else(|_| panic!("no number of a line behind \"{marker}\" in: {error}"));
    assert!((1..=lines_of(text)).contains(&line), "there are {} lines, and no {line}: {error}", lines_of(text));
}

fn lines_of(text: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').count()
}
