//! Links, `links.csv`: which source id corresponds to which target id, one row per resource.
//!
//! Links take precedence over keys in matching, so that a rename in the source renames the target's resource instead of
//! creating a second one. The file may be edited and is kept in git; it contains ids and keys, but no settings.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files;
use crate::model::resource::{Id, Key, Resource};

/// A link: a source resource and its counterpart in the target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// The kind of both resources.
    pub kind: String,
    /// The id in the source.
    pub source_id: Id,
    /// The id in the target.
    pub target_id: Id,
    /// The key at the time of writing, for human readers.
    pub key: String,
}

/// All links between one source and one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    by_source: BTreeMap<(String, Id), Link>,
    by_target: HashMap<(String, Id), Id>,
}

/// Why links cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A row is malformed.
    #[error("{path}:{line}: {reason}", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong.
        reason: String,
    },
}

impl Links {
    /// Links the resources of a tenant to themselves.
    pub fn within(resources: &[Resource]) -> Self {
        let mut links = Self::default();
        for one in resources.iter().filter(|one| one.key.kind().has_own_ids()) {
            links.link(&one.id, &one.id, &one.key);
        }
        links
    }

    /// Loads links; there are none if the file does not exist.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, a row is malformed, or an id is linked twice.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = files::if_exists(files::read_text(path))?;
        text.map_or_else(|| Ok(Self::default()), |text| Self::parse(path, &text))
    }

    /// Parses the content of the file at `path`.
    ///
    /// # Errors
    ///
    /// If a row is malformed, or an id is linked twice.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let malformed = |line, reason| Error::Malformed { path: path.to_owned(), line, reason };
        let mut seen: HashMap<(String, String), u64> = HashMap::new();
        let mut links = Self::default();
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let headers = reader.headers().map_err(|error| malformed(1, error.to_string()))?.clone();
        let mut record = csv::StringRecord::new();
        loop {
            let more = reader
                .read_record(&mut record)
                .map_err(|error| malformed(error.position().map_or(0, csv::Position::line), plain(&error)))?;
            if !more {
                return Ok(links);
            }
            let line = record.position().map_or(0, csv::Position::line);
            let row: Link = record.deserialize(Some(&headers)).map_err(|error| malformed(line, error.to_string()))?;
            for id in [format!("source {}", row.source_id), format!("target {}", row.target_id)] {
                if let Some(before) = seen.insert((row.kind.clone(), id.clone()), line) {
                    return Err(malformed(line, format!("{id} is linked on line {before} already")));
                }
            }
            links.add(row);
        }
    }

    /// Saves the links atomically, sorted so that a change is one line of a diff.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        Ok(files::write_whole(path, &self.text())?)
    }

    /// Serializes the links.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in self.iter() {
            writer.serialize(row).expect("a link is a row");
        }
        writer.into_inner().expect("memory takes everything")
    }

    /// Links two resources, replacing their former links.
    pub fn link(&mut self, source: &Id, target: &Id, key: &Key) {
        let kind = key.kind().name.to_owned();
        if let Some(before) = self.by_target.remove(&(kind.clone(), target.clone())) {
            self.by_source.remove(&(kind.clone(), before));
        }
        if let Some(before) = self.by_source.remove(&(kind.clone(), source.clone())) {
            self.by_target.remove(&(kind.clone(), before.target_id));
        }
        self.add(Link { kind, source_id: source.clone(), target_id: target.clone(), key: key.name().to_owned() });
    }

    fn add(&mut self, link: Link) {
        self.by_target.insert((link.kind.clone(), link.target_id.clone()), link.source_id.clone());
        self.by_source.insert((link.kind.clone(), link.source_id.clone()), link);
    }

    /// Returns the link of a source resource.
    pub fn of_source(&self, kind: &str, id: &Id) -> Option<&Link> {
        self.by_source.get(&(kind.to_owned(), id.clone()))
    }

    /// Returns the link of a target resource.
    pub fn of_target(&self, kind: &str, id: &Id) -> Option<&Link> {
        self.of_source(kind, self.by_target.get(&(kind.to_owned(), id.clone()))?)
    }

    /// Removes a link and returns it.
    pub fn unlink(&mut self, kind: &str, source: &Id) -> Option<Link> {
        let link = self.by_source.remove(&(kind.to_owned(), source.clone()))?;
        self.by_target.remove(&(kind.to_owned(), link.target_id.clone()));
        Some(link)
    }

    /// Returns the links of the same two tenants in the other direction.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let mut reversed = Self::default();
        for link in self.iter() {
            reversed.add(Link { source_id: link.target_id.clone(), target_id: link.source_id.clone(), ..link.clone() });
        }
        reversed
    }

    /// Returns the links, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.by_source.values()
    }
}

/// Returns what is wrong with a row, without its position.
fn plain(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!("a row has {len} of {expected_len} columns"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::resource::key;

    #[test]
    fn saved_links_are_sorted_and_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("links.csv");
        let mut links = Links::default();
        links.link(&Id::new("b"), &Id::new("2"), &key("clients/B, Inc"));
        links.link(&Id::new("a"), &Id::new("1"), &key("clients/A"));
        links.save(&path).expect("saved");
        assert_eq!(fs::read_to_string(&path).expect("read"), "kind,source_id,target_id,key\nclients,a,1,A\nclients,b,2,\"B, Inc\"\n");
        assert_eq!(Links::load(&path).expect("loaded").iter().count(), 2);
    }

    #[test]
    fn an_id_linked_twice_is_refused_with_both_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("links.csv");
        fs::write(&path, "kind,source_id,target_id,key\nclients,a,1,A\nclients,a,2,A\n").expect("written");
        let refused = Links::load(&path).expect_err("refused").to_string();
        assert_eq!(refused, format!("{}:3: source a is linked on line 2 already", path.display()));
    }
}
