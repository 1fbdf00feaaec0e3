//! The snapshots on disk: which there are of which tenant, and what each of them holds.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::manifest::{Error, Manifest};
use crate::files;
use crate::model::selection::Selection;

/// The folder of restricted snapshots below that of all snapshots.
pub(super) const PARTIAL: &str = "partial";

/// A snapshot on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// The tenant in whose folder it is.
    pub tenant: String,
    /// The name of its folder: the time it was taken.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// Whether it is stored apart, since it is restricted to some resources.
    pub is_partial: bool,
    /// The size of its files.
    pub bytes: u64,
    /// What its manifest says; nothing if that cannot be read.
    pub content: Option<StoredContent>,
    /// The runs that need it, the newest first, if that was looked up.
    pub kept_by: Vec<String>,
}

/// What the manifest of a snapshot says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredContent {
    /// The tenant's domain.
    pub domain: String,
    /// When it was taken: RFC 3339, UTC.
    pub taken: String,
    /// How many resources it holds.
    pub resources: usize,
    /// Of how many kinds it holds any.
    pub kinds: usize,
    /// What it is restricted to, if it is.
    pub selection: Option<Selection>,
}

impl StoredSnapshot {
    fn read(tenant: &str, path: PathBuf) -> Self {
        let manifest = Manifest::read(&path, &|file| files::read_text(file)).ok();
        let content = manifest.map(|manifest| StoredContent {
            resources: manifest.kinds.values().map(|kind| kind.count).sum(),
            kinds: manifest.kinds.values().filter(|kind| kind.count > 0).count(),
            domain: manifest.domain,
            taken: manifest.taken,
            selection: manifest.selection,
        });
        Self {
            tenant: tenant.to_owned(),
            name: name_of(&path),
            bytes: bytes_in(&path),
            path,
            is_partial: false,
            content,
            kept_by: Vec::new(),
        }
    }

    /// Returns what a command names it by: `dev@2026-11-22T02-30-00Z`, or its folder if it is partial.
    #[must_use]
    pub fn reference(&self) -> String {
        if self.is_partial { self.path.display().to_string() } else { format!("{}@{}", self.tenant, self.name) }
    }
}

/// Returns all snapshots below the folder of all snapshots: by tenant, whole ones first, the newest first.
///
/// # Errors
///
/// If a folder cannot be read.
pub fn all(root: &Path) -> Result<Vec<StoredSnapshot>, Error> {
    let mut all = Vec::new();
    for (root, is_partial) in [(root.to_owned(), false), (root.join(PARTIAL), true)] {
        for tenant in subfolders(&root)?.iter().map(|folder| name_of(folder)) {
            let versions = versions(&root, &tenant)?;
            all.extend(versions.into_iter().rev().map(|path| StoredSnapshot { is_partial, ..StoredSnapshot::read(&tenant, path) }));
        }
    }
    all.sort_by(|one, other| (&one.tenant, one.is_partial).cmp(&(&other.tenant, other.is_partial)));
    Ok(all)
}

/// Returns the folders of a tenant's snapshots below `root`, the oldest first; none if there are none.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn versions(root: &Path, tenant: &str) -> Result<Vec<PathBuf>, Error> {
    let mut versions = subfolders(&root.join(tenant))?;
    versions.retain(|path| path.join("manifest.json").is_file());
    versions.sort_by_key(|path| place_of(path));
    Ok(versions)
}

/// Returns the folder of a tenant's newest snapshot below `root`.
///
/// # Errors
///
/// If there is none, or the folder cannot be read.
pub fn newest(root: &Path, tenant: &str) -> Result<PathBuf, Error> {
    let none = || Error::None { tenant: tenant.to_owned(), path: root.join(tenant) };
    versions(root, tenant)?.pop().ok_or_else(none)
}

/// Deletes a snapshot: it is gone at once for whoever looks for it.
///
/// # Errors
///
/// If its folder cannot be moved or deleted.
pub fn remove(path: &Path) -> Result<(), Error> {
    let aside = path.with_file_name(format!("{}{}", files::PREFIX, name_of(path)));
    let failed = files::Error::writing(path);
    fs::rename(path, &aside).map_err(&failed)?;
    Ok(fs::remove_dir_all(&aside).map_err(&failed)?)
}

/// Returns the folders in a folder; what another process is still writing aside begins with a dot, and is gone once it is whole.
fn subfolders(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(source) if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(source) => return Err(files::Error::Read { path: folder.to_owned(), source }.into()),
    };
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    Ok(paths.filter(|path| !files::is_hidden(path) && path.is_dir()).collect())
}

/// Returns the name of a folder.
pub(crate) fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns where a version stands among those of its tenant: by time, then by number, of which ten comes behind nine.
pub(super) fn place_of(path: &Path) -> (String, u64) {
    let name = name_of(path);
    let (time, number) = name.split_once("Z.").unwrap_or((&name, ""));
    (time.trim_end_matches('Z').to_owned(), number.parse().unwrap_or_default())
}

fn bytes_in(folder: &Path) -> u64 {
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(size).sum()
}
