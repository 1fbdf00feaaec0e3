//! The README and the pages of `docs/`: links, the table of contents, commands and configurations.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::fixture::{CommandOutput, Fixture};

/// Returns the README, the other pages at the root, and the pages of `docs/`, with their paths below the repository.
fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let below = |folder: &str| {
        let entries = std::fs::read_dir(root.join(folder)).expect("a folder").map(|entry| entry.expect("an entry").path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect::<Vec<_>>()
    };
    let mut paths = [below(""), below("docs")].concat();
    paths.sort();
    let page = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a page");
        (path.strip_prefix(root).expect("below the root").to_owned(), text)
    };
    paths.into_iter().map(page).collect()
}

/// Returns the anchor of a heading, as GitHub and mdBook make it.
fn anchor(heading: &str) -> String {
    let plain = heading.trim_start_matches('#').trim().to_lowercase().replace('`', "");
    let signs = plain.chars().filter(|sign| sign.is_alphanumeric() || " -_".contains(*sign));
    signs.map(|sign| if sign == ' ' { '-' } else { sign }).collect()
}

/// Returns the targets of the links of a page, without those in code.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split("](").skip(1).filter_map(|rest| rest.split(')').next())).collect()
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut broken = Vec::new();
    for (path, text) in pages() {
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
            let target = if file.is_empty() { root.join(&path) } else { root.join(path.parent().expect("a folder")).join(file) };
            let is_there = match heading {
                None => target.exists(),
                Some(heading) => std::fs::read_to_string(&target)
                    .is_ok_and(|text| text.lines().any(|line| line.starts_with('#') && anchor(line) == heading)),
            };
            // A book has no pages but its own.
            let is_outside = path.starts_with("docs") && file.starts_with("..");
            if !is_there || is_outside {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_table_of_contents_lists_every_page() {
    let pages = pages();
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    let of_docs = pages.iter().filter(|(path, _)| path.starts_with("docs")).map(|(path, _)| name(path));
    let expected: BTreeSet<String> = of_docs.filter(|name| name != "SUMMARY.md").collect();
    let (_, summary) = pages.iter().find(|(path, _)| path.ends_with("SUMMARY.md")).expect("a table of contents");
    assert_eq!(links(summary).into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), expected);
}

/// Returns the code blocks of a page in this language.
fn blocks<'text>(text: &'text str, language: &str) -> Vec<String> {
    let blocks = text.split("```").skip(1).step_by(2);
    let of_language = blocks.filter_map(|block| block.split_once('\n').filter(|(first, _)| first.trim() == language));
    // A block inside a list is indented.
    let unindented = |(_, block): (&'text str, &'text str)| {
        let indent = block.lines().find(|line| !line.trim().is_empty()).map_or(0, |line| line.len() - line.trim_start().len());
        block.lines().map(|line| line.get(indent..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
    };
    of_language.map(unindented).collect()
}

#[test]
fn every_configuration_is_accepted() {
    let mut count = 0;
    for (path, text) in pages() {
        for block in blocks(&text, "toml") {
            let fixture = Fixture::acme("");
            let is_mapping = block.contains("[[rule]]");
            fixture.write(if is_mapping { "mappings/dev-to-prod.toml" } else { "migrate.toml" }, &block);
            let checked = fixture.run("validate");
            assert_eq!(checked.code, 0, "{}: {}\n{block}", path.display(), checked.whole());
            count += 1;
        }
    }
    assert!(count >= 3, "{count}");
}

/// What cannot be run here, with the reason.
const NOT_RUN: &[(&str, &str)] = &[
    ("migrate sandbox", "it does not end"),
    ("migrate demo", "tests/commands/demo.rs runs it"),
    ("migrate init", "tests/commands/init.rs runs it"),
    ("migrate man", "tests/commands/completions.rs runs it"),
    ("migrate completions", "tests/commands/completions.rs runs it"),
];

/// Returns the lines of a page that run the program.
fn commands(text: &str) -> Vec<String> {
    let lines = blocks(text, "sh").into_iter().flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>());
    let command = |line: String| line.split("   #").next().unwrap_or_default().split(" # ").next().unwrap_or_default().trim().to_owned();
    let is_run = |line: &String| line.split([' ', '(']).any(|word| word == "migrate") && !line.starts_with(['#', '.']);
    lines
        .map(command)
        .filter(is_run)
        .filter(|line| !["docker", "cargo", "tar", "sha256sum"].iter().any(|word| line.starts_with(word)))
        .collect()
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn every_command_of_the_pages_is_accepted_between_two_tenants() {
    let mut refused = Vec::new();
    for (path, text) in pages() {
        let commands: Vec<String> =
            commands(&text).into_iter().filter(|line| !NOT_RUN.iter().any(|(start, _)| line.contains(start))).collect();
        if commands.is_empty() || path.ends_with("architecture.md") || path.ends_with("CHANGELOG.md") {
            continue;
        }
        let fixture = prepared();
        let run = fixture.in_folder("runs").pop().expect("a run");
        for line in commands {
            let script = in_the_fixture(&fixture, &line, &run);
            let ended = fixture.run_in_shell(&format!("migrate() {{ \"$MIGRATE\" \"$@\" </dev/null; }}\n{script}\n"));
            if !is_understood(&ended) {
                refused.push(format!("{}: {line}\n{}", path.display(), ended.whole()));
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// Returns whether a command was understood: done, or stopped by differences, something skipped, a guard or a missing answer.
fn is_understood(ended: &CommandOutput) -> bool {
    let is_answer_missing = ended.err.contains("confirmation is needed");
    // A checkup that finds something ends as a wrong configuration does.
    [0, 2, 3, 4].contains(&ended.code) || is_answer_missing || ended.out.contains("to correct before a run")
}

/// Two tenants, with a past run, a snapshot of each, and the files that commands name.
fn prepared() -> Fixture {
    let mut fixture = Fixture::acme("");
    fixture.run("export --tenant dev --quiet");
    fixture.run("export --tenant prod --quiet");
    fixture.run("plan --tenant prod --out plan.json --quiet");
    fixture.run("import --tenant prod --only roles --probe --yes --quiet");
    for name in ["FILE", "prod.plan"] {
        std::fs::copy(fixture.path("plan.json"), fixture.path(name)).expect("copied");
    }
    for name in ["CHAT_URL", "ALARM_URL"] {
        // Nobody listens there; a sync ends as it would otherwise.
        fixture.set(name, "http://127.0.0.1:9/");
    }
    fixture
}

/// Replaces what stands for something by something that is there.
fn in_the_fixture(fixture: &Fixture, line: &str, run: &str) -> String {
    let id = |tenant: &str| {
        let clients = fixture.run(&format!("get clients --tenant {tenant} --output json")).json();
        // It is called "Billing (dev)" in dev.
        let is_billing = |client: &&Value| client["key"].as_str().is_some_and(|key| key.starts_with("clients/Billing"));
        let billing = clients["resources"].as_array().expect("a list").iter().find(is_billing);
        billing.and_then(|client| client["id"].as_str()).expect("an id").to_owned()
    };
    let today = &run[..10];
    let line = if line.contains("DEV-ID") { line.replace("DEV-ID", &id("dev")).replace("PROD-ID", &id("prod")) } else { line.to_owned() };
    line.replace("RUN", run).replace("2026-11-22", today)
}
