//! Stores snapshots as files: `snapshots/<tenant>/<UTC time>/manifest.json` and one pretty-printed, canonically ordered JSON file per kind.
//!
//! A snapshot is written to a temporary folder and then renamed; one that equals the newest is not written again. A
//! snapshot is read only if its content hash matches: edits belong in a mapping.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::model::{Snapshot, Status};
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Text};
use crate::files;
use crate::model::resource::{Key, Resource};
use crate::model::selection::Selection;

/// The newest format that this version reads, and the one it writes.
pub(crate) const FORMAT: u32 = 1;

/// The content of `manifest.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    tool: String,
    tenant: String,
    domain: String,
    taken: String,
    kinds: BTreeMap<String, ListedKind>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    twice: Vec<Key>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    selection: Option<Selection>,
    hash: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct ListedKind {
    #[serde(flatten)]
    status: Status,
    count: usize,
}

/// Why a snapshot cannot be stored or loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A file is not valid JSON of a snapshot.
    #[error(transparent)]
    NotJson(#[from] Box<Diagnostic>),
    /// The content of a file is not valid.
    #[error("\"{path}\" is not part of a snapshot: {reason}", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The format is newer than this version can read.
    #[error("snapshot \"{path}\" has format {format}; this version of migrate reads up to {FORMAT}", path = .path.display())]
    Newer {
        /// The snapshot's folder.
        path: PathBuf,
        /// The format of the snapshot.
        format: u64,
    },
    /// The content was changed after it was written.
    #[error("snapshot \"{path}\" was changed after it was written: {file} does not match its manifest", path = .path.display())]
    Changed {
        /// The snapshot's folder.
        path: PathBuf,
        /// The file that does not match.
        file: String,
    },
    /// There is no snapshot.
    #[error("no snapshot of \"{tenant}\" in \"{path}\"", path = .path.display())]
    None {
        /// The tenant.
        tenant: String,
        /// The folder of the tenant's snapshots.
        path: PathBuf,
    },
}

/// Receives a file: its name, and a function that writes its content.
type FileWriter<'take, E> = &'take mut dyn FnMut(&str, &dyn Fn(&mut dyn Write) -> io::Result<()>) -> Result<(), E>;

/// Where a snapshot is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// It was written as a new version in this folder.
    New(PathBuf),
    /// It equals the newest version, which is in this folder.
    Same(PathBuf),
}

impl Stored {
    /// Returns the folder of the snapshot.
    pub fn path(&self) -> &Path {
        match self {
            Self::New(path) | Self::Same(path) => path,
        }
    }
}

/// Saves a snapshot as the newest version below `root` (`snapshots/<tenant>/<time>`), unless it equals the newest one.
///
/// # Errors
///
/// If the files cannot be written; then nothing is left behind.
pub fn save(root: &Path, snapshot: &Snapshot) -> Result<Stored, Error> {
    let folder = root.join(&snapshot.tenant);
    let hash = hash_of(snapshot);
    files::remove_leftovers(&folder);
    loop {
        let before = newest(root, &snapshot.tenant).ok();
        if let Some(newest) = &before
            && read_manifest(newest, &|file| files::read_text(file)).is_ok_and(|manifest| manifest.hash == hash)
        {
            return Ok(Stored::Same(newest.clone()));
        }
        let path = unused(&folder, &name_after(before.as_deref(), &snapshot.taken));
        match write_files(&path, snapshot, hash.clone()) {
            Ok(()) => return Ok(Stored::New(path)),
            // Another process took the name in the meantime, perhaps with the same content.
            Err(taken) if is_taken(taken.kind()) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Returns the folder in which a snapshot is stored. Partial ones are stored separately, so that none is mistaken for a
/// complete one.
#[must_use]
pub fn folder_of(root: &Path, snapshot: &Snapshot) -> PathBuf {
    if snapshot.selection.is_some() { root.join("partial") } else { root.to_owned() }
}

/// Returns whether a folder could not be renamed because the name is taken.
fn is_taken(error: io::ErrorKind) -> bool {
    matches!(error, io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty)
}

/// Saves a snapshot in exactly this folder, which must be empty or missing.
///
/// # Errors
///
/// If the files cannot be written.
pub(crate) fn save_at(path: &Path, snapshot: &Snapshot) -> Result<Stored, Error> {
    let hash = hash_of(snapshot);
    write_files(path, snapshot, hash)?;
    Ok(Stored::New(path.to_owned()))
}

/// Loads the snapshot in a folder.
///
/// # Errors
///
/// If a file is missing, malformed, changed or has a newer format.
pub fn load(catalog: &Catalog, path: &Path) -> Result<Snapshot, Error> {
    parse(catalog, path, &|file| files::read_text(file))
}

/// Parses the snapshot in the folder `path`; `read` returns the content of a file.
///
/// # Errors
///
/// If a file is missing, malformed, changed or has a newer format.
pub fn parse(catalog: &Catalog, path: &Path, read: &dyn Fn(&Path) -> Result<String, files::Error>) -> Result<Snapshot, Error> {
    let manifest = read_manifest(path, read)?;
    for name in [&manifest.tenant, &manifest.taken] {
        if !files::is_plain_name(name) {
            let reason = format!("\"{name}\" cannot be part of the name of a folder");
            return Err(Error::Malformed { path: path.join("manifest.json"), reason });
        }
    }
    let mut content = ContentSummary::new(&manifest.domain);
    let mut resources = Vec::new();
    for (kind, listed) in &manifest.kinds {
        if catalog.kind(kind).is_none() {
            let reason = format!("\"{kind}\" is not a kind that this version of migrate knows");
            return Err(Error::Malformed { path: path.join("manifest.json"), reason });
        }
        let file = path.join(format!("{kind}.json"));
        let text = read(&file)?;
        let of_kind: Vec<Resource> = serde_json::from_str(&text).map_err(|error| not_json(&file, &text, &error))?;
        if let Some(stray) = of_kind.iter().find(|resource| resource.key.kind() != kind) {
            return Err(Error::Malformed { path: file, reason: format!("\"{}\" does not belong here", stray.key) });
        }
        if of_kind.len() != listed.count {
            let file = format!("{kind}.json ({} of {} resources)", of_kind.len(), listed.count);
            return Err(Error::Changed { path: path.to_owned(), file });
        }
        resources.extend(of_kind);
        content.add(kind, &listed.status, &files::content_hash(text.as_bytes()));
    }
    let kinds = manifest.kinds.into_iter().map(|(kind, listed)| (kind, listed.status)).collect();
    let Manifest { tenant, domain, taken, twice, selection, hash, .. } = manifest;
    let mut snapshot = Snapshot { tenant, domain, taken, kinds, resources, twice, selection };
    content.restrict(snapshot.selection.as_ref());
    if content.hash() != hash {
        return Err(Error::Changed { path: path.to_owned(), file: "its content".to_owned() });
    }
    snapshot.sort(catalog);
    Ok(snapshot)
}

/// Returns the folder of a tenant's newest snapshot below `root`.
///
/// # Errors
///
/// If there is none, or the folder cannot be read.
pub fn newest(root: &Path, tenant: &str) -> Result<PathBuf, Error> {
    let folder = root.join(tenant);
    let none = || Error::None { tenant: tenant.to_owned(), path: folder.clone() };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Err(none()),
        Err(source) => return Err(files::Error::Read { path: folder, source }.into()),
    };
    // A folder that another process is still writing begins with a dot.
    let is_whole = |path: &PathBuf| !files::is_hidden(path) && path.join("manifest.json").is_file();
    let versions = entries.filter_map(Result::ok).map(|entry| entry.path()).filter(is_whole);
    versions.max_by_key(|path| place_of(path)).ok_or_else(none)
}

fn not_json(path: &Path, text: &str, error: &serde_json::Error) -> Error {
    Box::new(Text { path, text }.not_json("this is not part of a snapshot", error)).into()
}

/// Returns the sort key of a version: by time, then by number, so that 10 sorts after 9.
fn place_of(path: &Path) -> (String, u64) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (time, number) = name.split_once("Z.").map_or((name.as_ref(), ""), |(time, number)| (time, number));
    (time.trim_end_matches('Z').to_owned(), number.parse().unwrap_or_default())
}

/// Returns the time in the name of a version. It is never before the newest, even if the clock was set back, since
/// later snapshots are compared with the newest.
fn name_after(newest: Option<&Path>, taken: &str) -> String {
    let time = taken.replace(':', "-");
    let newest = newest.map(|newest| place_of(newest).0 + "Z").unwrap_or_default();
    time.max(newest)
}

/// Returns an unused name for a version.
fn unused(folder: &Path, time: &str) -> PathBuf {
    let first = folder.join(time);
    let numbered = (2..).map(|nth| folder.join(format!("{time}.{nth}")));
    std::iter::once(first).chain(numbered).find(|path| !path.exists()).expect("there are more numbers than snapshots")
}

/// Writes the file of a kind without building it in memory.
fn write_kind(snapshot: &Snapshot, kind: &str, out: &mut dyn Write) -> io::Result<()> {
    let resources: Vec<&Resource> = snapshot.of_kind(kind).collect();
    serde_json::to_writer_pretty(&mut *out, &resources)?;
    out.write_all(b"\n")
}

/// Returns the hash of the content of a snapshot's files.
fn hash_of(snapshot: &Snapshot) -> String {
    let mut content = ContentSummary::new(&snapshot.domain);
    for (kind, status) in &snapshot.kinds {
        let mut file = files::ContentHash::default();
        write_kind(snapshot, kind, &mut file).expect("a hash takes everything");
        content.add(kind, status, &file.finish());
    }
    content.restrict(snapshot.selection.as_ref());
    content.hash()
}

/// The content of a snapshot without its time; the hash of a snapshot is computed over these lines.
struct ContentSummary(String);

impl ContentSummary {
    fn new(domain: &str) -> Self {
        Self(format!("{domain}\n"))
    }

    fn add(&mut self, kind: &str, status: &Status, hash: &str) {
        let status = serde_json::to_string(status).expect("a status is JSON");
        self.0 += &[kind, " ", &status, " ", hash, "\n"].concat();
    }

    fn restrict(&mut self, selection: Option<&Selection>) {
        if let Some(selection) = selection {
            let selection = serde_json::to_string(selection).expect("a selection is JSON");
            self.0 += &["selection ", &selection, "\n"].concat();
        }
    }

    fn hash(&self) -> String {
        files::content_hash(self.0.as_bytes())
    }
}

fn write_files(path: &Path, snapshot: &Snapshot, hash: String) -> Result<(), files::Error> {
    files::write_folder_whole(path, |aside| each_file(snapshot, hash, &mut |name, fill| files::write_whole_with(&aside.join(name), fill)))
}

/// Returns the files of a snapshot: name -> content.
pub fn files(snapshot: &Snapshot) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut keep = |name: &str, fill: &dyn Fn(&mut dyn Write) -> io::Result<()>| fill(files.entry(name.to_owned()).or_default());
    each_file(snapshot, hash_of(snapshot), &mut keep).expect("memory takes everything");
    files
}

/// Passes every file of a snapshot, the manifest last, to `write`.
fn each_file<E>(snapshot: &Snapshot, hash: String, write: FileWriter<'_, E>) -> Result<(), E> {
    let count = |kind: &String| snapshot.of_kind(kind).count();
    let listed = |(kind, status): (&String, &Status)| (kind.clone(), ListedKind { status: status.clone(), count: count(kind) });
    let manifest = Manifest {
        format: FORMAT,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        tenant: snapshot.tenant.clone(),
        domain: snapshot.domain.clone(),
        taken: snapshot.taken.clone(),
        kinds: snapshot.kinds.iter().map(listed).collect(),
        twice: snapshot.twice.clone(),
        selection: snapshot.selection.clone(),
        hash,
    };
    for kind in snapshot.kinds.keys() {
        write(&format!("{kind}.json"), &|out| write_kind(snapshot, kind, out))?;
    }
    let text = serde_json::to_string_pretty(&manifest).expect("a manifest is JSON") + "\n";
    write("manifest.json", &|out| out.write_all(text.as_bytes()))
}

fn read_manifest(path: &Path, read: &dyn Fn(&Path) -> Result<String, files::Error>) -> Result<Manifest, Error> {
    let file = path.join("manifest.json");
    let text = read(&file)?;
    let refused = |error: serde_json::Error| not_json(&file, &text, &error);
    let any: serde_json::Value = serde_json::from_str(&text).map_err(refused)?;
    match any.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format > u64::from(FORMAT) => return Err(Error::Newer { path: path.to_owned(), format }),
        Some(_) => {}
        None => return Err(Error::Malformed { path: file, reason: "\"format\" is missing".to_owned() }),
    }
    serde_json::from_str(&text).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Body;
    use serde_json::json;

    fn snapshot(taken: &str) -> Snapshot {
        let kind = Catalog::standard().kind("clients").expect("a kind");
        let client = Body::from_value(json!({"client_id": "one", "name": "Web", "later": 1})).expect("an object");
        let kinds = BTreeMap::from([("clients".to_owned(), Status::Complete), ("rules".to_owned(), Status::Absent("gone".to_owned()))]);
        let resources = vec![Resource::read(kind, client).expect("readable")];
        Snapshot {
            tenant: "dev".into(),
            domain: "dev.auth0.com".into(),
            taken: taken.into(),
            kinds,
            resources,
            twice: Vec::new(),
            selection: None,
        }
    }

    fn saved() -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().expect("a folder");
        let path = save(root.path(), &snapshot("2026-01-01T00:00:00Z")).expect("saved").path().to_owned();
        (root, path)
    }

    #[test]
    fn a_saved_snapshot_loads_unchanged() {
        let (_root, path) = saved();
        assert!(path.ends_with("dev/2026-01-01T00-00-00Z"));
        assert_eq!(load(Catalog::standard(), &path).expect("loaded"), snapshot("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn an_equal_snapshot_is_not_written_again() {
        let (root, path) = saved();
        assert_eq!(save(root.path(), &snapshot("2026-01-02T00:00:00Z")).expect("saved"), Stored::Same(path));
    }

    #[test]
    fn snapshots_of_the_same_second_are_all_stored_even_if_written_concurrently() {
        let root = tempfile::tempdir().expect("a folder");
        let taken = "2026-01-01T00:00:00Z";
        let of = |name: usize| {
            let mut snapshot = snapshot(taken);
            let client = Body::from_value(json!({"client_id": "one", "name": format!("Web {name}")})).expect("an object");
            snapshot.resources = vec![Resource::read(Catalog::standard().kind("clients").expect("a kind"), client).expect("readable")];
            snapshot
        };
        for round in 0..10 {
            let stored: Vec<(usize, PathBuf)> = std::thread::scope(|scope| {
                let one = |at: usize| (at, save(root.path(), &of(10 * round + at % 4)).expect("saved").path().to_owned());
                let writing: Vec<_> = (0..8).map(|at| scope.spawn(move || one(at))).collect();
                writing.into_iter().map(|writer| writer.join().expect("ended")).collect()
            });
            for (at, path) in stored {
                assert_eq!(load(Catalog::standard(), &path).expect("there, and whole"), of(10 * round + at % 4), "{}", path.display());
            }
        }
    }

    #[test]
    fn an_unfinished_snapshot_is_ignored() {
        let (root, path) = saved();
        fs::rename(&path, path.with_file_name(".migrate-aside")).expect("renamed");
        assert!(matches!(newest(root.path(), "dev"), Err(Error::None { .. })));
    }

    #[test]
    fn a_newer_format_is_refused_by_its_number() {
        let (_root, path) = saved();
        let file = path.join("manifest.json");
        let text = fs::read_to_string(&file).expect("read").replace("\"format\": 1", "\"format\": 7");
        fs::write(&file, text).expect("written");
        let refused = load(Catalog::standard(), &path).expect_err("refused").to_string();
        assert_eq!(refused, format!("snapshot \"{}\" has format 7; this version of migrate reads up to 1", path.display()));
    }

    #[test]
    fn a_truncated_file_is_refused_with_its_position() {
        let (_root, path) = saved();
        let file = path.join("clients.json");
        let text = fs::read_to_string(&file).expect("read");
        fs::write(&file, &text[..text.len() / 2]).expect("written");
        let refused = load(Catalog::standard(), &path).expect_err("refused").to_string();
        assert!(refused.contains("clients.json:6:5"), "{refused}");
    }

    #[test]
    fn a_changed_value_is_detected() {
        let (_root, path) = saved();
        let file = path.join("clients.json");
        fs::write(&file, fs::read_to_string(&file).expect("read").replace("Web", "Wob")).expect("written");
        assert!(matches!(load(Catalog::standard(), &path), Err(Error::Changed { .. })));
    }
}
