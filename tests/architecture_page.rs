//! `docs/architecture.md` lists every source file with the first line of its documentation, and no other files.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// The beginning of the list of files.
const LIST: &str = "<!-- files -->\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    fs::read_to_string(root().join("docs/architecture.md")).expect("the page")
}

/// Returns the entries of a folder, files before folders, each sorted by name.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort_by_key(|path| (path.is_dir(), path.clone()));
    paths
}

/// Returns the first line of a file's documentation.
fn first_line(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("UTF-8");
    text.lines().next().and_then(|line| line.strip_prefix("//! ")).unwrap_or_default().to_owned()
}

/// Lists the Rust files of a folder and of its subfolders, without test modules in their own files.
fn list(folder: &Path, page: &mut String) {
    let files: Vec<PathBuf> = entries(folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs")).collect();
    let name = folder.strip_prefix(root()).expect("below the root").display().to_string();
    let files: Vec<PathBuf> = files.into_iter().filter(|file| !file.ends_with("tests.rs")).collect();
    if !files.is_empty() {
        writeln!(page, "\n### `{name}/`\n\n| file | what it holds |\n|---|---|").expect("a text grows");
    }
    for file in &files {
        let name = file.file_name().expect("a name").to_string_lossy();
        writeln!(page, "| `{name}` | {} |", first_line(file).replace('|', "\\|")).expect("a text grows");
    }
    entries(folder).iter().filter(|path| path.is_dir()).for_each(|below| list(below, page));
}

#[test]
fn the_architecture_page_lists_every_file() {
    let page = page();
    let (prose, listed) = page.split_once(LIST).expect("the list");
    let mut expected = String::new();
    list(&root().join("src"), &mut expected);
    if std::env::var_os("UPDATE_PAGES").is_some() {
        fs::write(root().join("docs/architecture.md"), format!("{prose}{LIST}{expected}")).expect("written");
        return;
    }
    assert!(listed == expected, "run UPDATE_PAGES=1 cargo test --test integration architecture");
}

#[test]
fn every_path_on_the_architecture_page_exists() {
    let page = page();
    let (prose, _) = page.split_once(LIST).expect("the list");
    let named = prose.split('`').skip(1).step_by(2).filter(|text| ["src/", "tests/"].iter().any(|start| text.starts_with(start)));
    let missing: Vec<&str> = named.filter(|path| !root().join(path).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
