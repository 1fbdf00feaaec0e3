//! Properties of the files that migrate writes itself: what was read can be written and read again, and stays the same.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path};

use auth0_migrate::apply::journal::{self, Entry};
use auth0_migrate::catalog::Catalog;
use auth0_migrate::files;
use auth0_migrate::model::resource::Resource;
use auth0_migrate::plan::{Plan, file, refusal::Refusal};
use auth0_migrate::snapshot::{Snapshot, Status, store};
use auth0_migrate::state::baseline::{self, Baseline};
use auth0_migrate::state::fingerprints::Fingerprints;
use auth0_migrate::state::links::{self, Links};
use serde::Deserialize;

use super::{CANARY, hides_the_canary, lines_of, names_a_line_of};

/// A plan reads back as it was written; one without a valid hash is refused.
pub fn plan(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let path = Path::new("plan.json");
    let is_read = match file::parse(path, text) {
        Ok(_) => true,
        Err(file::Error::NotJson(wrong)) => {
            names_a_line_of(bytes, "plan.json:", &wrong.to_string());
            false
        }
        Err(_) => false,
    };
    // A fuzzer cannot compute the hash of a plan, so a generated plan is hashed here.
    if let Ok(Unsigned { refusals, plan }) = serde_json::from_str(text) {
        let mut written = Vec::new();
        file::write(&plan, &refusals, &mut written).expect("memory takes everything");
        let written = String::from_utf8(written).expect("JSON is text");
        let read = file::parse(path, &written).unwrap_or_else(|error| panic!("a plan just written is refused: {error}"));
        assert_eq!(read, (plan, refusals));
    }
    is_read
}

#[derive(Deserialize)]
struct Unsigned {
    refusals: Vec<Refusal>,
    #[serde(flatten)]
    plan: Plan,
}

/// A journal is read exactly up to a torn last line, wherever it was torn.
pub fn journal(bytes: &[u8]) -> bool {
    let (entries, whole) = match read_journal(bytes) {
        Ok(read) => read,
        Err(error @ journal::Error::Broken { .. }) => {
            names_a_line_of(bytes, "in line ", &error.to_string());
            return false;
        }
        Err(_) => return false,
    };
    assert!(whole <= bytes.len());
    let written = journal::lines(&entries).into_bytes();
    assert_eq!(read_journal(&written).expect("just written"), (entries.clone(), written.len()));
    let cut = bytes.iter().fold(0_usize, |sum, byte| sum * 31 % 65_521 + usize::from(*byte)) % (written.len() + 1);
    let zeros = [&written[..cut], &[0; 9]].concat();
    for torn in [&written[..cut], &zeros] {
        let (kept, whole) = read_journal(torn).unwrap_or_else(|error| panic!("a cut at {cut} makes it unreadable: {error}"));
        assert!(entries.starts_with(&kept) && whole <= cut, "a cut at {cut} changes what was said before it");
    }
    true
}

fn read_journal(bytes: &[u8]) -> Result<(Vec<Entry>, usize), journal::Error> {
    let mut entries = Vec::new();
    let whole = journal::parse(Path::new("journal.jsonl"), bytes, &mut |entry| entries.push(entry))?;
    Ok((entries, usize::try_from(whole).expect("no longer than what was read")))
}

/// Links read back as they were written.
pub fn links(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let path = Path::new("dev-prod.csv");
    match Links::parse(path, text) {
        Ok(links) => {
            let written = String::from_utf8(links.text()).expect("what was read from text is text");
            assert_eq!(Links::parse(path, &written).expect("just written"), links);
            true
        }
        Err(error @ links::Error::Malformed { .. }) => {
            names_a_line_of(bytes, "dev-prod.csv:", &error.to_string());
            false
        }
        Err(_) => false,
    }
}

/// A baseline reads back as it was written.
pub fn base(bytes: &[u8]) -> bool {
    let path = Path::new("dev-prod.json");
    match Baseline::parse(path, bytes) {
        Ok(base) => {
            let mut written = Vec::new();
            base.write(&mut written).expect("memory takes everything");
            let read = Baseline::parse(path, &written).expect("just written");
            assert!(read.iter().eq(base.iter()), "a base changes when it is written: {base:?}");
            true
        }
        Err(baseline::Error::Malformed { source, .. }) => {
            assert!(source.line() <= lines_of(bytes), "no such line: {source}");
            false
        }
        Err(_) => false,
    }
}

/// Fingerprints read back as they were written, and their key is never shown; in the input, `~` stands for it.
pub fn fingerprints(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).replace('~', CANARY);
    let path = Path::new("dev-prod.secrets.json");
    match Fingerprints::parse(path, text.as_bytes()) {
        Ok(fingerprints) => {
            let written = fingerprints.text().expect("what was read has a key");
            let read = Fingerprints::parse(path, written.as_bytes()).expect("just written");
            assert!(read.text().as_ref() == Some(&written), "they change when written");
            true
        }
        Err(error) => {
            hides_the_canary(&format!("{error} {error:?}"));
            false
        }
    }
}

/// A snapshot reads back as it was written; one without a valid hash is refused with its position.
pub fn snapshot(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let (catalog, path) = (Catalog::standard(), Path::new("snapshot"));
    // Whatever the manifest, only files in the folder of the snapshot are read.
    let inside = |file: &Path| {
        assert!(file.parent() == Some(path) && file.components().all(|part| matches!(part, Component::Normal(_))), "{}", file.display());
        Ok(text.to_owned())
    };
    match store::parse(catalog, path, &inside) {
        Err(store::Error::NotJson(wrong)) => names_a_line_of(bytes, ".json:", &wrong.to_string()),
        Err(_) => {}
        Ok(_) => panic!("one text is a manifest and a list"),
    }
    let Ok(resources) = serde_json::from_str::<Vec<Resource>>(text) else { return false };
    let kinds = resources.iter().map(|resource| (resource.key.kind().name.to_owned(), Status::Complete)).collect();
    let (tenant, domain, taken) = ("dev".to_owned(), "acme-dev.eu.auth0.com".to_owned(), "2026-01-01T00:00:00Z".to_owned());
    let mut snapshot = Snapshot { tenant, domain, taken, kinds, resources, twice: Vec::new(), selection: None };
    snapshot.sort(catalog);
    let written = store::files(&snapshot);
    let read = store::parse(catalog, path, &|file| held(&written, file));
    assert_eq!(read.unwrap_or_else(|error| panic!("a snapshot just written is refused: {error}")), snapshot);
    true
}

fn held(written: &BTreeMap<String, Vec<u8>>, file: &Path) -> Result<String, files::Error> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let missing = || files::Error::reading(file)(io::ErrorKind::NotFound.into());
    let content = written.get(name.as_ref()).ok_or_else(missing)?;
    Ok(String::from_utf8(content.clone()).expect("JSON is text"))
}
