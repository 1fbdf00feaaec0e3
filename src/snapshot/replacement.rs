//! Replaces the snapshot in a folder that people keep, such as one for reviews in git: written aside, then exchanged.
//!
//! Only a snapshot is replaced. A folder that has any other file stays as it is; what git has in it (`.gitignore`, `.gitattributes`) is kept.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::manifest::{Error, FileLayout, Manifest};
use super::model::Snapshot;
use super::store::{self, Stored, hash_of, save_at, write_into};
use crate::catalog::Catalog;
use crate::files;

/// The folder of a git repository.
const GIT: &str = ".git";
/// How many files are named that are not part of a snapshot.
const NAMED: usize = 5;

/// Saves a snapshot in exactly this folder. If the folder holds a snapshot, it is replaced, unless the new one is equal.
///
/// # Errors
///
/// If the folder holds anything else, or the files cannot be written; it is then unchanged.
pub(crate) fn replace_at(catalog: &Catalog, path: &Path, (snapshot, layout): (&Snapshot, FileLayout)) -> Result<Stored, Error> {
    if is_free(path)? {
        return save_at(path, snapshot, layout);
    }
    // A link to a folder stays a link.
    let folder = path.canonicalize().map_err(files::Error::reading(path))?;
    let kept = |reason: String| Error::NotReplaced { path: path.to_owned(), reason };
    if !folder.join("manifest.json").exists() {
        return Err(kept("it has no manifest.json, so it is not a snapshot".to_owned()));
    }
    if folder.join(GIT).is_dir() {
        return Err(kept("it is the root of a git repository; export into a folder below it".to_owned()));
    }
    if std::env::current_dir().is_ok_and(|working| working.starts_with(&folder)) {
        return Err(kept("it is the working folder, or contains it".to_owned()));
    }
    let manifest = Manifest::read(path, &|file| files::read_text(file))?;
    let (of_git, others) = not_of(&folder, &manifest.files())?;
    if !others.is_empty() {
        return Err(kept(format!("{}, which the export did not write", listed(&others))));
    }
    let hash = hash_of(snapshot);
    if manifest.hash == hash && manifest.layout == layout && store::load(catalog, path).is_ok() {
        return Ok(Stored::Same(path.to_owned()));
    }
    files::replace_folder_whole(&folder, |aside| {
        for name in &of_git {
            let copied = fs::copy(folder.join(name), aside.join(name));
            copied.map_err(files::Error::writing(&aside.join(name)))?;
        }
        write_into(aside, (snapshot, layout), hash)
    })?;
    Ok(Stored::New(path.to_owned()))
}

/// Returns whether a folder is missing or empty.
fn is_free(path: &Path) -> Result<bool, Error> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(files::Error::reading(path)(error).into()),
    }
}

/// Returns the files in a folder that are not those of its snapshot: what git has there, and all others.
fn not_of(folder: &Path, own: &BTreeSet<PathBuf>) -> Result<(BTreeSet<PathBuf>, BTreeSet<PathBuf>), Error> {
    let mut found = BTreeSet::new();
    each_file(folder, folder, &mut found)?;
    let is_of_git = |name: &PathBuf| name.components().count() == 1 && name.as_os_str().as_encoded_bytes().starts_with(GIT.as_bytes());
    Ok(found.into_iter().filter(|name| !own.contains(name)).partition(is_of_git))
}

fn each_file(root: &Path, folder: &Path, found: &mut BTreeSet<PathBuf>) -> Result<(), Error> {
    let failed = files::Error::reading(folder);
    for entry in fs::read_dir(folder).map_err(&failed)? {
        let entry = entry.map_err(&failed)?;
        let path = entry.path();
        if entry.file_type().map_err(&failed)?.is_dir() {
            each_file(root, &path, found)?;
        } else {
            found.insert(path.strip_prefix(root).expect("a path below the root").to_owned());
        }
    }
    Ok(())
}

/// Names files: `it contains "a", "b" and 3 more`.
fn listed(files: &BTreeSet<PathBuf>) -> String {
    let names: Vec<String> = files.iter().take(NAMED).map(|name| format!("\"{}\"", name.display())).collect();
    let more = files.len() - names.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("it contains {}{more}", names.join(", "))
}
