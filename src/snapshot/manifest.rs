//! The manifest of a snapshot, `manifest.json`: what the snapshot is of, which files it has, and their hash.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Status;
use crate::diagnostic::{Diagnostic, Text};
use crate::files;
use crate::model::resource::{Key, OpenResource};
use crate::model::selection::Selection;

/// The newest format this version reads.
pub(crate) const FORMAT: u32 = 2;

/// How the resources of a snapshot are laid out in files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileLayout {
    /// One file a kind.
    #[default]
    Kinds,
    /// One file a resource, for reviews in git.
    Resources,
}

impl FileLayout {
    /// Returns the oldest format that has it, so that versions which do not know it say so.
    pub(super) const fn format(self) -> u32 {
        match self {
            Self::Kinds => 1,
            Self::Resources => 2,
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What stands in `manifest.json`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Manifest {
    pub(super) format: u32,
    pub(super) tool: String,
    pub(super) tenant: String,
    pub(super) domain: String,
    pub(super) taken: String,
    #[serde(default, skip_serializing_if = "FileLayout::is_default")]
    pub(super) layout: FileLayout,
    pub(super) kinds: BTreeMap<String, ListedKind>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) twice: Vec<Key>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) selection: Option<Selection>,
    pub(super) hash: String,
}

/// The resources of a kind, as `KIND.json` lists them.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "its schema is published; the resources are written as they are")]
pub(crate) struct KindFile(Vec<OpenResource>);

/// What a manifest says of a kind.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct ListedKind {
    #[serde(flatten)]
    pub(super) status: Status,
    pub(super) count: usize,
    /// The files of its resources in the tenant's order, where each has one of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) files: Vec<String>,
}

/// What could not be done with the files of a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A file is not the JSON that a snapshot holds.
    #[error(transparent)]
    NotJson(#[from] Box<Diagnostic>),
    /// A file is not what a snapshot holds.
    #[error("\"{path}\" is not part of a snapshot: {reason}", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The format is newer than this version.
    #[error("snapshot \"{path}\" has format {format}; this version of migrate reads up to {FORMAT}", path = .path.display())]
    Newer {
        /// The snapshot's folder.
        path: PathBuf,
        /// Its format.
        format: u64,
    },
    /// The content is not what was written.
    #[error("snapshot \"{path}\" was changed after it was written: {file} does not match its manifest", path = .path.display())]
    Changed {
        /// The snapshot's folder.
        path: PathBuf,
        /// What does not match.
        file: String,
    },
    /// A folder is not to be replaced by a snapshot.
    #[error("cannot replace \"{path}\": {reason}", path = .path.display())]
    NotReplaced {
        /// The folder.
        path: PathBuf,
        /// Why it stays.
        reason: String,
    },
    /// There is none.
    #[error("no snapshot of \"{tenant}\" in \"{path}\"", path = .path.display())]
    None {
        /// The tenant.
        tenant: String,
        /// Where they would be.
        path: PathBuf,
    },
}

impl Manifest {
    /// Returns the paths of the files of the snapshot, below its folder.
    pub(super) fn files(&self) -> BTreeSet<PathBuf> {
        let of_kind = |(kind, listed): (&String, &ListedKind)| match self.layout {
            FileLayout::Kinds => vec![PathBuf::from(format!("{kind}.json"))],
            FileLayout::Resources => listed.files.iter().map(PathBuf::from).collect(),
        };
        self.kinds.iter().flat_map(of_kind).chain([PathBuf::from("manifest.json")]).collect()
    }

    /// Reads the manifest of the snapshot in a folder.
    ///
    /// # Errors
    ///
    /// If it is missing, malformed or of a newer format.
    pub(super) fn read(path: &Path, read: &dyn Fn(&Path) -> Result<String, files::Error>) -> Result<Self, Error> {
        let file = path.join("manifest.json");
        let text = read(&file)?;
        let refused = |error: serde_json::Error| not_json(&file, &text, &error);
        let any: serde_json::Value = serde_json::from_str(&text).map_err(refused)?;
        match any.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format > u64::from(FORMAT) => return Err(Error::Newer { path: path.to_owned(), format }),
            Some(_) => {}
            None => return Err(Error::Malformed { path: file, reason: "\"format\" is missing".to_owned() }),
        }
        let manifest: Self = serde_json::from_str(&text).map_err(refused)?;
        if let Some(name) = [&manifest.tenant, &manifest.taken].into_iter().find(|name| !files::is_plain_name(name)) {
            return Err(Error::Malformed { path: file, reason: format!("\"{name}\" cannot be part of the name of a folder") });
        }
        Ok(manifest)
    }
}

/// Returns the error of a file of a snapshot that is no JSON.
pub(super) fn not_json(path: &Path, text: &str, error: &serde_json::Error) -> Error {
    Box::new(Text { path, text }.not_json("this is not part of a snapshot", error)).into()
}
