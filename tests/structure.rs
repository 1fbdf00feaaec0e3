//! Rules for the source code: allowed imports, the length of files, and which modules may print.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The maximum number of lines of a file.
const MOST_LINES: usize = 500;

/// The modules that each module may import: those below it, or fewer where a boundary matters more than the level.
const MAY_IMPORT: &[(&str, &str)] = &[
    ("platform", ""),
    ("json", ""),
    ("files", "platform"),
    ("diagnostic", ""),
    ("catalog", "json"),
    ("model", "json catalog"),
    ("sandbox", "platform files json catalog"),
    ("snapshot", "json catalog files model diagnostic"),
    ("state", "json catalog files model"),
    ("management_api", "json catalog model"),
    ("mapping", "files json catalog model snapshot diagnostic"),
    ("plan", "state json catalog files model snapshot diagnostic"),
    ("export", "json catalog model snapshot management_api"),
    ("probe", "json catalog model plan snapshot"),
    ("apply", "state json catalog files model plan snapshot management_api"),
    ("config", "platform files catalog model diagnostic"),
    (
        "workflow",
        "platform files json catalog model diagnostic snapshot state management_api config mapping plan export apply probe sandbox",
    ),
    ("report", "apply json catalog model plan probe snapshot"),
];

/// The module that may import all others: the command line.
const TOP: &str = "cli";

/// The folders of all source code.
const WRITTEN: [&str; 5] = ["src", "tests", "benches", "fuzz/src", "fuzz/targets"];

/// Macros and crates that print.
const PRINTING: &[&str] = &["println!", "eprintln!", "print!(", "eprint!(", "anstream"];

/// The module for what only some systems have, and what names it.
const PLATFORM: &str = "platform";
const OF_SOME_SYSTEMS: &[&str] = &[
    "std::os::",
    "rustix::",
    "libc::",
    "windows_sys::",
    "signal::unix",
    "signal::windows",
    "cfg(unix",
    "cfg(windows",
    "cfg(target_",
    "cfg(not(",
];

/// A source file, without its tests.
struct File {
    path: PathBuf,
    text: String,
}

impl File {
    /// Returns the top-level module that it belongs to: `plan` for `src/plan/diff.rs`.
    fn module(&self) -> String {
        let under = self.path.strip_prefix(root().join("src")).expect("a file of src");
        let first = under.components().next().expect("a name").as_os_str().to_string_lossy();
        first.trim_end_matches(".rs").to_owned()
    }

    /// Returns the numbered lines of code, without comments and tests.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let code = self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = code.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        lines.filter(|(_, line)| !line.starts_with("//"))
    }

    /// Returns whether the parent module includes it for tests only.
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

/// Returns every Rust file below these folders.
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

/// Returns the modules after `crate::` in a line, including a `use crate::{..}` on one line.
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
fn imports_are_found_in_a_line() {
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
fn no_file_exceeds_500_lines() {
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
fn only_the_platform_module_uses_what_some_systems_do_not_have() {
    let is_elsewhere = |file: &&File| !file.is_of_tests() && file.module() != PLATFORM;
    let mut found = Vec::new();
    for file in files(&["src"]).iter().filter(is_elsewhere) {
        let lines = file.code().filter(|(_, text)| OF_SOME_SYSTEMS.iter().any(|word| text.contains(word)));
        found.extend(lines.map(|(line, text)| format!("{}: {text}", file.place(line))));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    let both = ["unix", "windows"].map(|name| functions(&root().join(format!("src/{PLATFORM}/{name}.rs"))));
    assert_eq!(both[0], both[1], "both systems must have the same functions");
    assert!(both[0].len() > 10, "{:?}", both[0]);
}

/// Returns the functions of a file that other modules use, as they are declared.
fn functions(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).expect("UTF-8");
    let lines = text.lines().map(str::trim).filter(|line| line.starts_with("pub(crate) fn") || line.starts_with("pub(crate) async fn"));
    // An argument that a system has no use for has no name there.
    let without_names = |line: &str| line.split(['(', ',', ')']).map(|part| part.split(": ").last().unwrap_or(part).to_owned()).collect();
    lines.map(without_names).map(|parts: Vec<String>| parts.join(" ")).collect()
}

#[test]
fn the_source_contains_no_machine_specific_path() {
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

/// The modules of `src` with their code: `plan::diff` for `src/plan/diff.rs`.
type Modules = BTreeMap<String, String>;

/// Returns the paths in a tree of imports: `a::b` and `a::c` for `a::{b, c}`.
fn imported_paths(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((above, group)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap_or(tree).trim().to_owned()];
    };
    let group = group.strip_suffix('}').unwrap_or(group);
    let mut depth = 0;
    let parts = group.split(|sign: char| {
        depth += i32::from(sign == '{') - i32::from(sign == '}');
        sign == ',' && depth == 0
    });
    parts.filter(|part| !part.trim().is_empty()).flat_map(imported_paths).map(|path| format!("{above}{path}")).collect()
}

/// Returns the absolute paths that a module imports, without `crate::`, and with or without its re-exports.
fn imports_of(module: &str, code: &str, is_passed_on: bool) -> Vec<String> {
    let statements = code.split(';').filter_map(|statement| {
        let line = statement.trim().lines().rfind(|line| line.starts_with("use ") || line.starts_with("pub"))?;
        let statement = &statement[statement.find(line)?..];
        let (visibility, tree) = statement.split_once("use ")?;
        (visibility.is_empty() || (visibility.starts_with("pub") && visibility.len() < "pub(in crate::model) ".len()))
            .then_some((visibility, tree))
    });
    let trees = statements.filter(|(visibility, _)| visibility.is_empty() != is_passed_on).map(|(_, tree)| tree);
    let absolute = |path: String| {
        let (first, rest) = path.split_once("::")?;
        let above = module.rsplit_once("::").map_or("", |(above, _)| above);
        match first {
            "crate" => Some(rest.to_owned()),
            "super" => Some(format!("{above}::{rest}").trim_start_matches("::").to_owned()),
            "self" => Some(format!("{module}::{rest}")),
            _ if is_passed_on => Some(format!("{module}::{path}")),
            _ => None,
        }
    };
    trees.flat_map(imported_paths).filter_map(absolute).collect()
}

/// Returns the module that defines the item at a path, following re-exports.
fn defined_in<'modules>(modules: &'modules Modules, path: &str) -> Option<&'modules str> {
    let mut module = path;
    while !modules.contains_key(module) {
        (module, _) = module.rsplit_once("::")?;
    }
    let (module, code) = modules.get_key_value(module)?;
    let name = path.get(module.len() + 2..).and_then(|rest| rest.split("::").next());
    let passed_on = imports_of(module, code, true).into_iter().find(|from| from.rsplit("::").next() == name && from != path);
    passed_on.and_then(|from| defined_in(modules, &from)).or(Some(module))
}

/// Returns the modules that import each other in a cycle, and those between two cycles.
fn circles(modules: &Modules) -> Vec<&str> {
    let mut imports: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (module, code) in modules {
        let from = imports_of(module, code, false);
        let from = from.iter().filter_map(|path| defined_in(modules, path)).filter(|from| from != module);
        imports.insert(module, from.collect());
    }
    loop {
        let imported: BTreeSet<&str> = imports.values().flatten().copied().collect();
        let open: BTreeSet<&str> =
            imports.iter().filter(|(module, from)| !from.is_empty() && imported.contains(*module)).map(|(module, _)| *module).collect();
        if open.len() == imports.len() {
            return open.into_iter().collect();
        }
        imports.retain(|module, _| open.contains(module));
        for from in imports.values_mut() {
            from.retain(|module| open.contains(module));
        }
    }
}

#[test]
fn a_cycle_is_found_through_re_exports() {
    let modules = |list: &[(&str, &str)]| list.iter().map(|(module, code)| ((*module).to_owned(), (*code).to_owned())).collect::<Modules>();
    let mut made_up = modules(&[
        ("plan", "mod diff;\npub use diff::{Edit, difference};\npub(crate) use send::sent;\n"),
        ("plan::diff", "use std::fmt;\nuse super::send::{\n    cleared,\n    sent,\n};\npub struct Edit;\n"),
        ("plan::send", "use crate::plan::{Edit, model::{Plan}};\n"),
        ("plan::model", "use crate::json::Body;\n"),
        ("json", ""),
    ]);
    assert_eq!(circles(&made_up), ["plan::diff", "plan::send"]);
    made_up.insert("plan::send".to_owned(), "use super::model::Plan;\n".to_owned());
    assert!(circles(&made_up).is_empty());
}

#[test]
fn no_files_import_each_other_in_a_cycle() {
    let module_of = |file: &File| {
        let path = file.path.strip_prefix(root().join("src")).expect("a file of src").with_extension("");
        let steps: Vec<_> = path.iter().map(|step| step.to_string_lossy()).filter(|step| step != "mod").collect();
        steps.join("::")
    };
    let code = |file: &File| file.code().map(|(_, line)| line).collect::<Vec<_>>().join("\n");
    let modules: Modules = files(&["src"]).iter().filter(|file| !file.is_of_tests()).map(|file| (module_of(file), code(file))).collect();
    let circles = circles(&modules);
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}
