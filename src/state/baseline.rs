//! The baseline, `baseline.json`: what was last applied to a target, so that a plan knows which side changed a field since.
//!
//! It contains the desired portable bodies when they were applied, and the fields that only the target had then. It is
//! written after each run, only for resources that are in the target as desired.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::io::Write;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::catalog::Kind;
use crate::files;
use crate::json::PackedBody;
use crate::model::resource::{Id, InvalidKey, Key};

/// The newest format that this version reads, and the one it writes.
pub(crate) const FORMAT: u32 = 1;

/// What was last applied from one source to one target.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Baseline {
    resources: BTreeMap<Key, AppliedResource>,
    /// Resources of kinds that only another version of migrate knows, by the texts of their keys: carried, so that versions can share a file.
    foreign: BTreeMap<String, AppliedResource>,
    /// Whether nothing was ever applied; false for a baseline that was emptied.
    is_new: bool,
    /// The keys of resources when they were applied, by kind and id.
    keys: HashMap<(&'static Kind, Id), Key>,
}

/// One resource as it was last applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppliedResource {
    /// Its id in the target.
    pub id: Id,
    /// The desired body, portable.
    pub body: PackedBody,
    /// The values that only the target had at that time, portable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<PackedBody>,
    /// Fields that the mapping leaves to the target: they do not drift.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
    /// Fields that the target refused when it created the resource. Their values in the target count as unchanged, so
    /// that the source's value is planned again without a conflict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
}

impl AppliedResource {
    /// Creates the record of a resource that was applied completely.
    #[must_use]
    pub fn whole(id: Id, body: PackedBody) -> Self {
        Self { id, body, own: None, kept: Vec::new(), refused: Vec::new() }
    }
}

/// The content of the file; its resources are by the texts of their keys.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct BaselineFile<R = BTreeMap<String, AppliedResource>> {
    format: u32,
    resources: R,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_new: bool,
}

/// The resources of a baseline in the order of their keys, foreign ones among them.
struct WrittenResources<'base>(&'base Baseline);

impl Serialize for WrittenResources<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Baseline { resources, foreign, .. } = self.0;
        let known = resources.iter().map(|(key, applied)| ((key.kind().name, key.name()), applied));
        let foreign = foreign.iter().map(|(text, applied)| (text.split_once('/').unwrap_or((text, "")), applied));
        let all: BTreeMap<(&str, &str), &AppliedResource> = known.chain(foreign).collect();
        let text = |kind: &str, name: &str| if name.is_empty() { kind.to_owned() } else { format!("{kind}/{name}") };
        serializer.collect_map(all.into_iter().map(|((kind, name), applied)| (text(kind, name), applied)))
    }
}

/// Why a baseline cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// The file does not contain a baseline.
    #[error("\"{path}\" is not a baseline", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The cause, with its position.
        source: serde_json::Error,
    },
    /// The format is newer than this version can read.
    #[error("baseline \"{path}\" has format {format}; this version of migrate reads up to {FORMAT}", path = .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        format: u32,
    },
}

impl Baseline {
    /// Loads a baseline; it is empty if the file does not exist.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is malformed, or has a newer format.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = files::if_exists(files::read(path))?;
        text.map_or_else(|| Ok(Self::default()), |text| Self::parse(path, &text))
    }

    /// Parses the content of the file at `path`.
    ///
    /// # Errors
    ///
    /// If it is malformed or has a newer format.
    pub fn parse(path: &Path, text: &[u8]) -> Result<Self, Error> {
        let malformed = |source| Error::Malformed { path: path.to_owned(), source };
        let written: BaselineFile<BTreeMap<String, AppliedResource>> = serde_json::from_slice(text).map_err(malformed)?;
        if written.format > FORMAT {
            return Err(Error::Newer { path: path.to_owned(), format: written.format });
        }
        let mut base = Self { is_new: written.is_new, ..Self::default() };
        for (text, applied) in written.resources {
            match text.parse::<Key>() {
                Ok(key) => {
                    base.keys.insert((key.kind(), applied.id.clone()), key.clone());
                    base.resources.insert(key, applied);
                }
                Err(InvalidKey::UnknownKind { text, .. }) => {
                    base.foreign.insert(text, applied);
                }
                Err(no_key) => return Err(malformed(serde::de::Error::custom(no_key))),
            }
        }
        Ok(base)
    }

    /// Saves the baseline atomically.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        Ok(files::write_whole_with(path, |out| self.write(out))?)
    }

    /// Serializes the baseline.
    ///
    /// # Errors
    ///
    /// If `out` fails.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let (resources, is_new) = (WrittenResources(self), self.is_empty());
        serde_json::to_writer_pretty(&mut *out, &BaselineFile { format: FORMAT, resources, is_new })?;
        out.write_all(b"\n")
    }

    /// Returns whether the baseline was emptied, by a wrong merge or in an editor.
    #[must_use]
    pub(crate) fn was_emptied(&self) -> bool {
        self.is_empty() && !self.is_new
    }

    /// Returns whether nothing was ever applied.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.foreign.is_empty()
    }

    /// Returns a resource as it was last applied.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&AppliedResource> {
        self.resources.get(key)
    }

    /// Returns what was last applied to a resource of the target, whatever its key was then.
    #[must_use]
    pub fn of_target(&self, key: &Key, id: &Id) -> Option<&AppliedResource> {
        self.keys.get(&(key.kind(), id.clone())).and_then(|key| self.resources.get(key))
    }

    /// Returns every resource that was applied.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &AppliedResource)> {
        self.resources.iter()
    }

    /// Records what was applied of a resource, whatever its previous key. Values that only the target has are recorded
    /// again.
    pub(crate) fn record_applied(&mut self, key: &Key, id: &Id, body: PackedBody) {
        let before = self.forget_target(key.kind(), id);
        self.forget(key);
        self.keys.insert((key.kind(), id.clone()), key.clone());
        let (kept, refused) = before.map(|before| (before.kept, before.refused)).unwrap_or_default();
        self.resources.insert(key.clone(), AppliedResource { kept, refused, ..AppliedResource::whole(id.clone(), body) });
    }

    /// Records the fields that the mapping leaves to the target.
    pub(crate) fn record_kept(&mut self, key: &Key, fields: Vec<String>) {
        if let Some(applied) = self.resources.get_mut(key) {
            applied.kept = fields;
        }
    }

    /// Records the fields that the target refused when it created the resource.
    pub(crate) fn record_refused(&mut self, key: &Key, fields: Vec<String>) {
        if let Some(applied) = self.resources.get_mut(key) {
            applied.refused = fields;
        }
    }

    /// Records the values that only the target has in a resource.
    pub(crate) fn record_extra(&mut self, key: &Key, own: PackedBody) {
        if let Some(applied) = self.resources.get_mut(key) {
            applied.own = Some(own);
        }
    }

    /// Removes a resource that the target no longer has.
    pub fn forget(&mut self, key: &Key) {
        if let Some(applied) = self.resources.remove(key) {
            self.keys.remove(&(key.kind(), applied.id));
        }
    }

    /// Removes a resource of the target, whatever its key was, and returns its record.
    pub(crate) fn forget_target(&mut self, kind: &'static Kind, id: &Id) -> Option<AppliedResource> {
        self.keys.remove(&(kind, id.clone())).and_then(|key| self.resources.remove(&key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Body;
    use crate::model::resource::key;
    use serde_json::json;

    #[test]
    fn a_baseline_survives_its_file_and_a_missing_one_is_empty() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("baseline.json");
        let key = key("clients/Web");
        let mut base = Baseline::load(&path).expect("none is one");
        assert!(base.is_empty());
        base.record_applied(&key, &Id::new("c1"), Body::from_value(json!({"name": "Web"})).expect("an object").into());
        base.record_extra(&key, PackedBody::default());
        base.save(&path).expect("saved");
        let read = Baseline::load(&path).expect("read");
        assert_eq!(read.get(&key), base.get(&key));
        base.record_applied(&key, &Id::new("c1"), PackedBody::default());
        assert_eq!(base.get(&key).expect("applied").own, None);
    }

    #[test]
    fn a_renamed_resource_has_one_entry() {
        let [web, shop] = ["clients/Web", "clients/Shop"].map(key);
        let [one, other] = ["c1", "c2"].map(Id::new);
        let mut base = Baseline::default();
        base.record_applied(&web, &one, PackedBody::default());
        base.record_applied(&shop, &other, PackedBody::default());
        // They swap names.
        base.record_applied(&shop, &one, PackedBody::default());
        base.record_applied(&web, &other, PackedBody::default());
        let names: Vec<(&Key, &Id)> = base.iter().map(|(key, applied)| (key, &applied.id)).collect();
        assert_eq!(names, [(&shop, &one), (&web, &other)]);
        assert_eq!(base.of_target(&web, &one), base.get(&shop));
        base.record_applied(&key("clients/Store"), &one, PackedBody::default());
        assert_eq!(base.get(&shop), None);
    }

    #[test]
    fn what_another_version_of_migrate_applied_stays_in_the_file_where_it_stood() {
        let path = Path::new("b.json");
        let resource = |key: &str| format!("    \"{key}\": {{\n      \"id\": \"1\",\n      \"body\": {{}}\n    }}");
        let resources = ["clients/Web", "gizmos/A", "gizmos/B/C", "roles/R"].map(resource).join(",\n");
        let held = format!("{{\n  \"format\": 1,\n  \"resources\": {{\n{resources}\n  }}\n}}\n");
        let mut base = Baseline::parse(path, held.as_bytes()).expect("a baseline");
        assert_eq!(base.iter().map(|(key, _)| key.to_string()).collect::<Vec<_>>(), ["clients/Web", "roles/R"]);
        let written = |base: &Baseline| {
            let mut out = Vec::new();
            base.write(&mut out).expect("written");
            String::from_utf8(out).expect("text")
        };
        assert_eq!(written(&base), held);
        base.forget(&key("clients/Web"));
        base.forget(&key("roles/R"));
        assert!(!base.is_empty());
    }

    #[test]
    fn a_baseline_of_a_newer_format_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("b.json");
        std::fs::write(&path, r#"{"format": 9, "resources": {}}"#).expect("written");
        assert!(Baseline::load(&path).expect_err("newer").to_string().contains("has format 9"));
    }
}
