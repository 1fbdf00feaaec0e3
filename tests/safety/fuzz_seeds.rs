//! The properties of the fuzz targets hold for their seeds, complete and damaged.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use properties::ALL;

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "the fuzz targets are crates of their own")]
mod properties;

/// The number of positions at which a seed is damaged, each in several ways.
const PLACES: usize = 60;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// Returns the names in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect()
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder().join("seeds").join(target)).expect("a folder of seeds");
    files.map(|file| fs::read(file.expect("a seed").path()).expect("read")).collect()
}

/// Returns a seed truncated, and with single bytes replaced, at positions throughout.
fn broken(seed: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let places = (0..seed.len()).step_by(seed.len().div_ceil(PLACES).max(1));
    places.flat_map(move |at| {
        let replaced = b"\0\"\n9}".iter().map(move |byte| [&seed[..at], &[*byte], &seed[at + 1..]].concat());
        replaced.chain([seed[..at].to_vec(), [&seed[..at], &seed[at + 1..]].concat()])
    })
}

#[test]
fn every_property_holds_for_complete_and_damaged_seeds() {
    for (target, holds) in ALL {
        for seed in seeds(target) {
            holds(&seed);
            for broken in broken(&seed) {
                holds(&broken);
            }
        }
    }
}

#[test]
fn every_parser_accepts_at_least_one_seed_and_refuses_another() {
    let of = |taken: bool| ALL.iter().filter(move |(target, holds)| !seeds(target).iter().any(|seed| holds(seed) == taken));
    let missing: Vec<&str> = of(true).chain(of(false)).map(|(target, _)| *target).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_property_has_a_target_and_seeds() {
    let properties: BTreeSet<String> = ALL.iter().map(|(target, _)| (*target).to_owned()).collect();
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).expect("read");
    assert_eq!(names(&folder().join("targets")), properties);
    assert_eq!(names(&folder().join("seeds")), properties);
    assert!(properties.iter().all(|target| manifest.contains(&format!("path = \"targets/{target}.rs\""))));
}
