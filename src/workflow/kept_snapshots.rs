//! The snapshots that a run needs, `snapshots.json` in its folder: the target before the first write, and the source as it was read.
//!
//! The snapshots themselves are in `snapshots/` like any other, so that equal ones are stored once; a run only names their folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::environment::Environment;
use super::error::Error;
use super::run_name::names;
use crate::files;

/// The format of the file.
const FORMAT: u32 = 1;
/// Its name.
const FILE: &str = "snapshots.json";

/// The snapshots that a run needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct KeptSnapshots {
    format: u32,
    /// The source as it was read; nothing if the run has no source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<KeptSnapshot>,
    /// The target before the first write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<KeptSnapshot>,
}

/// A snapshot that a run names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct KeptSnapshot {
    /// Its tenant.
    pub(crate) tenant: String,
    /// Its folder, relative to that of the configuration.
    pub(crate) folder: PathBuf,
}

impl KeptSnapshot {
    /// Returns the snapshot of a tenant in a folder.
    pub(crate) fn new(environment: &Environment, tenant: &str, folder: &Path) -> Self {
        let below = folder.strip_prefix(&environment.settings().dir).map(Path::to_owned);
        let folder = below.unwrap_or_else(|_| std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()));
        Self { tenant: tenant.to_owned(), folder }
    }

    /// Returns its folder from where the program runs.
    pub(crate) fn path(&self, environment: &Environment) -> PathBuf {
        environment.settings().dir.join(&self.folder)
    }
}

impl KeptSnapshots {
    /// Returns the snapshots of a source and a target.
    pub(crate) fn new(source: Option<KeptSnapshot>, target: Option<KeptSnapshot>) -> Self {
        Self { format: FORMAT, source, target }
    }

    /// Writes them into the folder of a run.
    pub(crate) fn save(&self, run: &Path) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(self).expect("names are JSON") + "\n";
        Ok(files::write_whole(&run.join(FILE), text.as_bytes())?)
    }

    /// Reads those of the run in a folder; a run of an earlier version has none.
    pub(crate) fn load(run: &Path) -> Option<Self> {
        serde_json::from_slice(&files::read(&run.join(FILE)).ok()?).ok()
    }

    /// Returns each of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &KeptSnapshot> {
        self.target.iter().chain(&self.source)
    }
}

/// Returns the runs that name each snapshot, by its folder as the system calls it, the newest run first.
pub(crate) fn kept_by_runs(environment: &Environment) -> BTreeMap<PathBuf, Vec<String>> {
    let runs = environment.folder("runs");
    let mut kept: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for name in names(&runs) {
        let Some(snapshots) = KeptSnapshots::load(&runs.join(&name)) else { continue };
        for path in snapshots.all().filter_map(|one| one.path(environment).canonicalize().ok()) {
            let by = kept.entry(path).or_default();
            if by.last() != Some(&name) {
                by.push(name.clone());
            }
        }
    }
    kept
}
