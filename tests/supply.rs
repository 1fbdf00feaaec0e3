//! What the program is built of: from one registry, under licences that may be passed on, and no part of it twice that need not be.
//!
//! `cargo deny` would say the same and know advisories besides; its database is no part of any registry, so this is what can be held everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

/// Where every package comes from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Licences that allow what MIT and Apache-2.0 do to whoever keeps their notices.
const ALLOWED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Packages that are there in more than one version, and who wants the older.
const TWICE: [(&str, &str); 10] = [
    ("base64", "jsonwebtoken 9"),
    ("bit-vec", "proptest, of the tests"),
    ("core-foundation", "macOS alone"),
    ("getrandom", "ring and proptest"),
    ("hashbrown", "governor"),
    ("pem", "jsonwebtoken 9"),
    ("r-efi", "UEFI alone"),
    ("syn", "derives that did not move yet"),
    ("synstructure", "derives that did not move yet"),
    ("windows-sys", "Windows alone"),
];

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
}

fn locked(path: &str) -> Vec<Package> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a lock file");
    toml::from_str::<Lock>(&text).expect("a lock file").package
}

#[test]
fn every_package_comes_from_the_registry() {
    for path in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let own = |package: &Package| package.source.is_none() && package.name.starts_with("migrate");
        let foreign: Vec<String> = locked(path)
            .iter()
            .filter(|package| package.source.as_deref() != Some(REGISTRY) && !own(package))
            .map(|package| format!("{} of {:?}", package.name, package.source))
            .collect();
        assert!(foreign.is_empty(), "{path}: {foreign:?}");
    }
}

#[test]
fn no_package_is_there_in_two_versions_but_those_that_are_known() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in locked("Cargo.lock") {
        versions.entry(package.name).or_default().insert(package.version);
    }
    let twice: BTreeSet<&str> = versions.iter().filter(|(_, versions)| versions.len() > 1).map(|(name, _)| name.as_str()).collect();
    assert_eq!(twice, TWICE.iter().map(|(name, _)| *name).collect());
}

/// Returns whether a licence, as a package writes it, leaves one to choose that is allowed.
fn is_allowed(licence: &str) -> bool {
    let licence = licence.replace('/', " OR ");
    licence.split(" AND ").all(|part| part.trim_matches(['(', ')', ' ']).split(" OR ").any(|one| ALLOWED.contains(&one.trim())))
}

#[test]
fn a_licence_is_allowed_where_one_of_each_choice_is() {
    for licence in ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "(MIT OR GPL-2.0) AND Unicode-3.0", "Apache-2.0 WITH LLVM-exception OR MIT"]
    {
        assert!(is_allowed(licence), "{licence}");
    }
    for licence in ["GPL-3.0", "", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND MPL-2.0", "Apache-2.0 WITH other"] {
        assert!(!is_allowed(licence), "{licence}");
    }
}

#[test]
fn every_licence_may_be_passed_on() {
    let version = Command::new(env!("CARGO")).arg("-vV").output().expect("cargo runs").stdout;
    let version = String::from_utf8(version).expect("text");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--locked", "--offline", "--format-version", "1", "--filter-platform", host]);
    let told = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    let packages = told["packages"].as_array().expect("packages");
    assert!(packages.len() > 100, "{}", packages.len());
    let text = |package: &Value, field: &str| package[field].as_str().unwrap_or_default().to_owned();
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !is_allowed(&text(package, "license")))
        .map(|package| format!("{}: {}", text(package, "name"), text(package, "license")))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
}
