//! Source ids without a link: `state/<source>/<target>/source-ids.csv`, one row per resource.
//!
//! Code and lists may contain the id of a resource that has been deleted since. An id without a link means nothing in
//! the target; this file identifies it as that of a resource, so that a text with it is skipped and reported instead of
//! being sent unchanged. The file contains ids and names, but no settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files;
use crate::model::resource::{Id, Key};

/// Names of source resources without a link, by kind and id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceIds(BTreeMap<(String, Id), String>);

/// A row of the file.
#[derive(Serialize, Deserialize)]
struct Row {
    kind: String,
    id: Id,
    name: String,
}

/// Why the file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A row is malformed.
    #[error("{path}: {source}", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The cause, with its position.
        source: csv::Error,
    },
}

impl SourceIds {
    /// Loads the file; it is empty if it does not exist.
    ///
    /// # Errors
    ///
    /// If it cannot be read or a row is malformed.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = files::if_exists(files::read(path))?;
        let mut ids = Self::default();
        for row in csv::Reader::from_reader(text.unwrap_or_default().as_slice()).deserialize() {
            let Row { kind, id, name } = row.map_err(|source| Error::Malformed { path: path.to_owned(), source })?;
            ids.0.insert((kind, id), name);
        }
        Ok(ids)
    }

    /// Saves the file atomically and sorted, unless there is nothing to record.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        if self.0.is_empty() && !path.exists() {
            return Ok(());
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        for ((kind, id), name) in &self.0 {
            writer.serialize(Row { kind: kind.clone(), id: id.clone(), name: name.clone() }).expect("a row");
        }
        let text = writer.into_inner().expect("memory takes everything");
        Ok(files::write_whole(path, &text)?)
    }

    /// Adds a resource of the source.
    pub fn learn(&mut self, key: &Key, id: &Id) {
        self.0.insert((key.kind().name.to_owned(), id.clone()), key.name().to_owned());
    }

    /// Removes the resources for which `is_known` is true: they have a link now.
    pub fn forget(&mut self, is_known: &dyn Fn(&str, &Id) -> bool) {
        self.0.retain(|(kind, id), _| !is_known(kind, id));
    }

    /// Returns the kind, id and name of each resource.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Id, &str)> {
        self.0.iter().map(|((kind, id), name)| (kind.as_str(), id, name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::resource::key;

    #[test]
    fn source_ids_are_saved_sorted_and_a_missing_file_is_empty() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("source-ids.csv");
        assert_eq!(SourceIds::load(&path).expect("nothing"), SourceIds::default());
        let mut ids = SourceIds::default();
        ids.learn(&key("roles/Clerk"), &Id::new("r1"));
        ids.learn(&key("clients/Web, Inc"), &Id::new("c1"));
        ids.save(&path).expect("saved");
        assert_eq!(fs::read_to_string(&path).expect("text"), "kind,id,name\nclients,c1,\"Web, Inc\"\nroles,r1,Clerk\n");
        let mut read = SourceIds::load(&path).expect("read");
        assert_eq!(read, ids);
        read.forget(&|kind, _| kind == "roles");
        assert_eq!(read.iter().collect::<Vec<_>>(), [("clients", &Id::new("c1"), "Web, Inc")]);
    }
}
