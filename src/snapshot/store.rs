//! Snapshots as files: `snapshots/<tenant>/<UTC time>/manifest.json` and one pretty, canonically ordered JSON file a kind, or a resource.
//!
//! A snapshot is written aside and renamed whole; an equal one is not written again. What is read is believed only when its content hash
//! holds: edits belong into a mapping. The hash does not depend on the layout of the files.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::file_names::file_names;
pub use super::manifest::{Error, FileLayout};
use super::manifest::{ListedKind, Manifest, not_json};
use super::model::{Snapshot, Status};
use super::versions;
pub use super::versions::newest;
use crate::catalog::Catalog;
use crate::files;
use crate::model::resource::Resource;
use crate::model::selection::Selection;

/// What takes a file: its name, and what fills it.
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

/// Writes a snapshot as the newest version below `root` (`snapshots/<tenant>/<time>`), unless the newest that is restricted alike is equal.
///
/// # Errors
///
/// If the files cannot be written; then nothing is left behind.
pub fn save(root: &Path, snapshot: &Snapshot) -> Result<Stored, Error> {
    let folder = root.join(&snapshot.tenant);
    let hash = hash_of(snapshot);
    files::remove_leftovers(&folder);
    loop {
        let before = versions::versions(root, &snapshot.tenant).unwrap_or_default();
        if let Some(same) = newest_alike(&before, snapshot).filter(|(_, manifest)| manifest.hash == hash) {
            return Ok(Stored::Same(same.0.clone()));
        }
        let path = unused(&folder, &name_after(before.last().map(PathBuf::as_path), &snapshot.taken));
        match write_files(&path, (snapshot, FileLayout::Kinds), hash.clone()) {
            Ok(()) => return Ok(Stored::New(path)),
            // Another process took the name in the meantime, perhaps with the same content.
            Err(taken) if is_taken(taken.kind()) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Returns the newest of these versions, the oldest first, that is restricted as a snapshot is; none behind one that cannot be read.
fn newest_alike<'path>(before: &'path [PathBuf], snapshot: &Snapshot) -> Option<(&'path PathBuf, Manifest)> {
    for path in before.iter().rev() {
        let manifest = Manifest::read(path, &|file| files::read_text(file)).ok()?;
        if manifest.selection == snapshot.selection {
            return Some((path, manifest));
        }
    }
    None
}

/// Returns the folder below which a snapshot is stored: partial ones stand apart, so that none passes for a whole one.
#[must_use]
pub fn folder_of(root: &Path, snapshot: &Snapshot) -> PathBuf {
    if snapshot.selection.is_some() { root.join(versions::PARTIAL) } else { root.to_owned() }
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
pub(crate) fn save_at(path: &Path, snapshot: &Snapshot, layout: FileLayout) -> Result<Stored, Error> {
    let hash = hash_of(snapshot);
    write_files(path, (snapshot, layout), hash)?;
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

/// Returns the name and the domain of the tenant whose snapshot is in a folder.
///
/// # Errors
///
/// If the manifest is missing, malformed or of a newer format.
pub(crate) fn tenant_of(path: &Path) -> Result<(String, String), Error> {
    let manifest = Manifest::read(path, &|file| files::read_text(file))?;
    Ok((manifest.tenant, manifest.domain))
}

/// Parses the snapshot in the folder `path`; `read` returns the content of a file.
///
/// # Errors
///
/// If a file is missing, malformed, changed or has a newer format.
pub fn parse(catalog: &Catalog, path: &Path, read: &dyn Fn(&Path) -> Result<String, files::Error>) -> Result<Snapshot, Error> {
    let manifest = Manifest::read(path, read)?;
    let mut content = ContentSummary::new(&manifest.domain);
    let mut resources = Vec::new();
    for (kind, listed) in &manifest.kinds {
        if catalog.kind(kind).is_none() {
            let reason = format!("\"{kind}\" is not a kind that this version of migrate knows");
            return Err(Error::Malformed { path: path.join("manifest.json"), reason });
        }
        let (of_kind, hash) = match manifest.layout {
            FileLayout::Kinds => read_kind(path, kind, read)?,
            FileLayout::Resources => read_resources(path, (kind, &listed.files), read)?,
        };
        if of_kind.len() != listed.count {
            let file = format!("{kind}.json ({} of {} resources)", of_kind.len(), listed.count);
            return Err(Error::Changed { path: path.to_owned(), file });
        }
        resources.extend(of_kind);
        content.add(kind, &listed.status, &hash);
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

/// What was read of a kind: its resources in the tenant's order, and the hash of the file that holds or would hold all of them.
type KindContent = (Vec<Resource>, String);

/// Reads the one file of a kind.
fn read_kind(path: &Path, kind: &str, read: &dyn Fn(&Path) -> Result<String, files::Error>) -> Result<KindContent, Error> {
    let file = path.join(format!("{kind}.json"));
    let text = read(&file)?;
    let of_kind: Vec<Resource> = serde_json::from_str(&text).map_err(|error| not_json(&file, &text, &error))?;
    refuse_stray(&file, kind, &of_kind)?;
    Ok((of_kind, files::content_hash(text.as_bytes())))
}

/// Reads the files of the resources of a kind.
fn read_resources(
    path: &Path,
    (kind, names): (&str, &[String]),
    read: &dyn Fn(&Path) -> Result<String, files::Error>,
) -> Result<KindContent, Error> {
    let mut of_kind: Vec<Resource> = Vec::new();
    for name in names {
        let is_plain =
            name.strip_prefix(kind).is_some_and(|rest| rest == ".json" || rest.strip_prefix('/').is_some_and(files::is_plain_name));
        if !is_plain {
            let reason = format!("\"{name}\" is not the name of a file of {kind}");
            return Err(Error::Malformed { path: path.join("manifest.json"), reason });
        }
        let file = path.join(name);
        let text = read(&file)?;
        of_kind.push(serde_json::from_str(&text).map_err(|error| not_json(&file, &text, &error))?);
        refuse_stray(&file, kind, &of_kind)?;
    }
    let mut hash = files::ContentHash::default();
    write_all(of_kind.iter(), &mut hash).expect("a hash takes everything");
    Ok((of_kind, hash.finish()))
}

/// Refuses a file that holds a resource of another kind.
fn refuse_stray(file: &Path, kind: &str, of_kind: &[Resource]) -> Result<(), Error> {
    match of_kind.iter().find(|resource| resource.key.kind().name != kind) {
        Some(stray) => Err(Error::Malformed { path: file.to_owned(), reason: format!("\"{}\" does not belong here", stray.key) }),
        None => Ok(()),
    }
}

/// Returns the time in the name of a version. It is never before the newest, even if the clock was set back, since
/// later snapshots are compared with the newest.
fn name_after(newest: Option<&Path>, taken: &str) -> String {
    let time = taken.replace(':', "-");
    let newest = newest.map(|newest| versions::place_of(newest).0 + "Z").unwrap_or_default();
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
    write_all(snapshot.of_kind(kind), out)
}

fn write_all<'one>(resources: impl Iterator<Item = &'one Resource>, out: &mut dyn Write) -> io::Result<()> {
    let resources: Vec<&Resource> = resources.collect();
    serde_json::to_writer_pretty(&mut *out, &resources)?;
    out.write_all(b"\n")
}

/// Returns the hash of the content of a snapshot's files.
pub(super) fn hash_of(snapshot: &Snapshot) -> String {
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

fn write_files(path: &Path, snapshot: (&Snapshot, FileLayout), hash: String) -> Result<(), files::Error> {
    files::write_folder_whole(path, |aside| write_into(aside, snapshot, hash))
}

/// Writes the files of a snapshot into a folder.
pub(super) fn write_into(folder: &Path, snapshot: (&Snapshot, FileLayout), hash: String) -> Result<(), files::Error> {
    each_file(snapshot, hash, &mut |name, fill| files::write_whole_with(&folder.join(name), fill))
}

/// Returns the files of a snapshot: name -> content.
pub fn files(snapshot: &Snapshot) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut keep = |name: &str, fill: &dyn Fn(&mut dyn Write) -> io::Result<()>| fill(files.entry(name.to_owned()).or_default());
    each_file((snapshot, FileLayout::Kinds), hash_of(snapshot), &mut keep).expect("memory takes everything");
    files
}

/// Hands every file of a snapshot, the manifest last, to `write`: its name, and what fills it.
fn each_file<E>((snapshot, layout): (&Snapshot, FileLayout), hash: String, write: FileWriter<'_, E>) -> Result<(), E> {
    let mut kinds = BTreeMap::new();
    for (kind, status) in &snapshot.kinds {
        let files = match layout {
            FileLayout::Kinds => {
                write(&format!("{kind}.json"), &|out| write_kind(snapshot, kind, out))?;
                Vec::new()
            }
            FileLayout::Resources => each_resource(snapshot, kind, write)?,
        };
        kinds.insert(kind.clone(), ListedKind { status: status.clone(), count: snapshot.of_kind(kind).count(), files });
    }
    let manifest = Manifest {
        format: layout.format(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        tenant: snapshot.tenant.clone(),
        domain: snapshot.domain.clone(),
        taken: snapshot.taken.clone(),
        layout,
        kinds,
        twice: snapshot.twice.clone(),
        selection: snapshot.selection.clone(),
        hash,
    };
    let text = serde_json::to_string_pretty(&manifest).expect("a manifest is JSON") + "\n";
    write("manifest.json", &|out| out.write_all(text.as_bytes()))
}

/// Hands the file of each resource of a kind to `write`; returns their names in the tenant's order.
fn each_resource<E>(snapshot: &Snapshot, kind: &str, write: FileWriter<'_, E>) -> Result<Vec<String>, E> {
    let names = file_names(snapshot.of_kind(kind).map(|resource| resource.key.name()).collect::<Vec<_>>().into_iter());
    let mut files = Vec::new();
    for (resource, name) in snapshot.of_kind(kind).zip(names) {
        let file = if resource.key.name().is_empty() { format!("{kind}.json") } else { format!("{kind}/{name}") };
        write(&file, &|out| {
            serde_json::to_writer_pretty(&mut *out, resource)?;
            out.write_all(b"\n")
        })?;
        files.push(file);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::fs;

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
        assert_eq!(refused, format!("snapshot \"{}\" has format 7; this version of migrate reads up to 2", path.display()));
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

    fn of_names(names: &[&str]) -> Snapshot {
        let kind = Catalog::standard().kind("clients").expect("a kind");
        let client = |name: &&str| Body::from_value(json!({"client_id": format!("id of {name}"), "name": name})).expect("an object");
        let resources = names.iter().map(|name| Resource::read(kind, client(name)).expect("readable")).collect();
        Snapshot { resources, ..snapshot("2026-01-01T00:00:00Z") }
    }

    #[test]
    fn one_file_per_resource_is_loaded_again_in_the_order_of_the_tenant() {
        let root = tempfile::tempdir().expect("a folder");
        let (path, snapshot) = (root.path().join("dev"), of_names(&["Web", "web", "a/b", "..", "Zoë", "A"]));
        save_at(&path, &snapshot, FileLayout::Resources).expect("saved");
        assert!(path.join("clients/A.json").is_file());
        assert_eq!(fs::read_dir(path.join("clients")).expect("a folder").count(), 6);
        assert_eq!(load(Catalog::standard(), &path).expect("loaded"), snapshot);
        let file = path.join("clients/A.json");
        fs::write(&file, fs::read_to_string(&file).expect("read").replace("\"A\"", "\"B\"")).expect("written");
        assert!(matches!(load(Catalog::standard(), &path), Err(Error::Changed { .. })));
    }

    #[test]
    fn a_manifest_leads_to_no_file_elsewhere() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("dev");
        save_at(&path, &of_names(&["A"]), FileLayout::Resources).expect("saved");
        let manifest = path.join("manifest.json");
        let text = fs::read_to_string(&manifest).expect("read");
        for elsewhere in ["clients/../../A.json", "/etc/passwd", "clients//A.json", "roles/A.json", "clients/.A.json"] {
            fs::write(&manifest, text.replace("clients/A.json", elsewhere)).expect("written");
            assert!(matches!(load(Catalog::standard(), &path), Err(Error::Malformed { .. })), "{elsewhere}");
        }
    }

    #[test]
    fn a_restricted_snapshot_is_compared_with_those_that_are_restricted_alike() {
        let root = tempfile::tempdir().expect("a folder");
        let of = |kind: &str, taken: &str| {
            let selection = Selection::read(Catalog::standard(), &[kind.to_owned()], &[], &[]).expect("a kind");
            Snapshot { selection: Some(selection), ..snapshot(taken) }
        };
        let first = save(root.path(), &of("clients", "2026-01-01T00:00:00Z")).expect("saved").path().to_owned();
        assert!(matches!(save(root.path(), &of("roles", "2026-01-02T00:00:00Z")), Ok(Stored::New(_))));
        assert_eq!(save(root.path(), &of("clients", "2026-01-03T00:00:00Z")).expect("saved"), Stored::Same(first));
    }
}
