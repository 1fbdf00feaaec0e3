//! The source itself: who may import whom, how long a file may be, and who may print.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The longest a file may be.
const MOST_LINES: usize = 500;

/// What each module may import; everything below it, and less where a boundary matters more than height.
const MAY_IMPORT: &[(&str, &str)] = &[
    ("json", ""),
    ("files", ""),
    ("diagnostic", ""),
    ("catalog", "json"),
    ("model", "json catalog"),
    ("sandbox", "files json catalog"),
    ("snapshot", "json catalog files model diagnostic"),
    ("state", "json catalog files model"),
    ("management_api", "json catalog model"),
    ("mapping", "files json catalog model snapshot diagnostic"),
    ("plan", "state json catalog files model snapshot diagnostic"),
    ("export", "json catalog model snapshot management_api"),
    ("apply", "state json catalog files model plan snapshot management_api"),
    ("config", "files catalog model diagnostic"),
    ("workflow", "files json catalog model diagnostic snapshot state management_api config mapping plan export apply sandbox"),
    ("report", "apply json catalog model plan snapshot"),
];

/// The one that may import all: the command line.
const TOP: &str = "cli";

/// The folders of everything written here.
const WRITTEN: [&str; 5] = ["src", "tests", "benches", "fuzz/src", "fuzz/targets"];

/// What prints.
const PRINTING: &[&str] = &["println!", "eprintln!", "print!(", "eprint!(", "anstream"];

/// A file of source, without its tests.
struct File {
    path: PathBuf,
    text: String,
}

impl File {
    /// Returns the module of the top level that it belongs to: `plan` for `src/plan/diff.rs`.
    fn module(&self) -> String {
        let under = self.path.strip_prefix(root().join("src")).expect("a file of src");
        let first = under.components().next().expect("a name").as_os_str().to_string_lossy();
        first.trim_end_matches(".rs").to_owned()
    }

    /// Returns the lines of code, numbered; no comments, and nothing from the tests on.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let code = self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = code.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        lines.filter(|(_, line)| !line.starts_with("//"))
    }

    /// Returns whether the module above builds it for tests only.
    fn is_of_tests(&self) -> bool {
        let name = self.path.file_stem().expect("a name").to_string_lossy();
        let above = fs::read_to_string(self.path.with_file_name("mod.rs")).unwrap_or_default();
        above.contains(&format!("#[cfg(test)]\nmod {name};"))
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path.strip_prefix(root()).unwrap_or(&self.path).display())
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file under these folders.
fn files(folders: &[&str]) -> Vec<File> {
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).filter(|folder| folder.exists()).collect();
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("UTF-8");
                files.push(File { path, text });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// Returns the modules that a line names behind `crate::`, `use crate::{..}` on one line included.
fn imported(line: &str) -> Vec<&str> {
    let word = |text: &str| text.find(|sign: char| !sign.is_ascii_lowercase() && sign != '_').unwrap_or(text.len());
    let mut modules = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => modules.extend(group.split('}').next().unwrap_or_default().split(',').map(|part| {
                let part = part.trim();
                &part[..word(part)]
            })),
            None => modules.push(&rest[..word(rest)]),
        }
    }
    modules.retain(|module| !module.is_empty());
    modules
}

#[test]
fn a_line_names_what_it_imports() {
    assert_eq!(imported("use crate::plan::{Plan, file};"), ["plan"]);
    assert_eq!(imported("use crate::{apply, plan::Plan};"), ["apply", "plan"]);
    assert_eq!(imported("let wrong: crate::diagnostic::Wrong = crate::files::x();"), ["diagnostic", "files"]);
    assert!(imported("use super::plan;").is_empty());
}

#[test]
fn every_import_points_downward() {
    let mut upward = Vec::new();
    for file in files(&["src"]).iter().filter(|file| !file.is_of_tests()) {
        let module = file.module();
        if [TOP, "lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let allowed = MAY_IMPORT.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
        let allowed: BTreeSet<&str> = allowed.unwrap_or_else(|| panic!("{module} has no level")).split_whitespace().collect();
        for (line, text) in file.code() {
            let beyond = imported(text).into_iter().filter(|import| *import != module && !allowed.contains(import));
            upward.extend(beyond.map(|import| format!("{}: {module} must not import {import}", file.place(line))));
        }
    }
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

#[test]
fn no_file_is_longer_than_a_person_reads() {
    let long = files(&WRITTEN).into_iter().map(|file| (file.text.lines().count(), file));
    let long: Vec<String> = long.filter(|(lines, _)| *lines > MOST_LINES).map(|(lines, file)| file.place(lines)).collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn only_the_report_and_the_command_line_print() {
    let mut printing = Vec::new();
    for file in files(&["src"]).iter().filter(|file| !file.is_of_tests() && !["cli", "report"].contains(&file.module().as_str())) {
        let lines = file.code().filter(|(_, text)| PRINTING.iter().any(|word| text.contains(word)));
        printing.extend(lines.map(|(line, text)| format!("{}: {text}", file.place(line))));
    }
    assert!(printing.is_empty(), "{}", printing.join("\n"));
}

#[test]
fn no_path_of_one_machine_stands_in_the_source() {
    let places = [["/wo", "rk/"], ["/tm", "p/"], ["/ho", "me/"], ["/ro", "ot/"], ["/Us", "ers/"]].map(|parts| parts.concat());
    let mut found = Vec::new();
    for file in files(&WRITTEN) {
        for (at, line) in file.text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place)) {
                found.push(format!("{}: {}", file.place(at + 1), line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
