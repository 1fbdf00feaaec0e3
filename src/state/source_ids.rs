//! What the source had and the target never got: `state/<source>/<target>/source-ids.csv`, one row a resource.
//!
//! Code and lists hold ids of what was removed since. An id that no link knows says nothing in the target; it is known by this file as the name
//! of something, so that a text which holds it is left out and named, and never sent as it stands. The file holds ids and names, no settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files;
use crate::model::resource::{Id, Key};

/// What a source had, by kind and id, with its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceIds(BTreeMap<(String, Id), String>);

/// A row of the file.
#[derive(Serialize, Deserialize)]
struct Row {
    kind: String,
    id: Id,
    name: String,
}

/// What could not be done with the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A row is not what such a file holds.
    #[error("{path}: {source}", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        source: csv::Error,
    },
}

impl SourceIds {
    /// Reads the file; one that does not exist holds none.
    ///
    /// # Errors
    ///
    /// When it cannot be read or a row is malformed.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = files::if_exists(files::read(path))?;
        let mut ids = Self::default();
        for row in csv::Reader::from_reader(text.unwrap_or_default().as_slice()).deserialize() {
            let Row { kind, id, name } = row.map_err(|source| Error::Malformed { path: path.to_owned(), source })?;
            ids.0.insert((kind, id), name);
        }
        Ok(ids)
    }

    /// Writes the file whole, sorted; none where there is nothing to say.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
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

    /// Remembers a resource of the source.
    pub fn learn(&mut self, key: &Key, id: &Id) {
        self.0.insert((key.kind().to_owned(), id.clone()), key.name().to_owned());
    }

    /// Forgets those of which this is said: a link knows them by now.
    pub fn forget(&mut self, is_known: &dyn Fn(&str, &Id) -> bool) {
        self.0.retain(|(kind, id), _| !is_known(kind, id));
    }

    /// Returns each by kind, id and name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Id, &str)> {
        self.0.iter().map(|((kind, id), name)| (kind.as_str(), id, name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_was_learnt_is_read_back_sorted_and_a_file_that_is_not_there_holds_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("source-ids.csv");
        assert_eq!(SourceIds::load(&path).expect("nothing"), SourceIds::default());
        let mut ids = SourceIds::default();
        ids.learn(&Key::new("roles", "Clerk"), &Id::new("r1"));
        ids.learn(&Key::new("clients", "Web, Inc"), &Id::new("c1"));
        ids.save(&path).expect("saved");
        assert_eq!(fs::read_to_string(&path).expect("text"), "kind,id,name\nclients,c1,\"Web, Inc\"\nroles,r1,Clerk\n");
        let mut read = SourceIds::load(&path).expect("read");
        assert_eq!(read, ids);
        read.forget(&|kind, _| kind == "roles");
        assert_eq!(read.iter().collect::<Vec<_>>(), [("clients", &Id::new("c1"), "Web, Inc")]);
    }
}
