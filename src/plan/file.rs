//! `plan.json`: what was reviewed is what is applied.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::Plan;
use crate::disk;

/// The newest format this version reads, and the one it writes.
pub const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    tool: String,
    #[serde(flatten)]
    plan: Plan,
}

/// What could not be done with a plan's file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be written.
    #[error("cannot write plan \"{path}\"", path = .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be read.
    #[error("cannot read plan \"{path}\"", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds no plan.
    #[error("\"{path}\" is no plan: {because}", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        because: String,
    },
    /// The format is newer than this version.
    #[error("plan \"{path}\" has format {format}; this version of migrate reads up to {FORMAT}", path = .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u64,
    },
}

/// Writes a plan whole.
///
/// # Errors
///
/// When the file cannot be written.
pub fn save(path: &Path, plan: &Plan) -> Result<(), Error> {
    let written = Written { format: FORMAT, tool: env!("CARGO_PKG_VERSION").to_owned(), plan: plan.clone() };
    let mut text = serde_json::to_string_pretty(&written).expect("a plan is JSON");
    text.push('\n');
    disk::write_whole(path, text.as_bytes()).map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// Reads a plan.
///
/// # Errors
///
/// When the file is missing, malformed or of a newer format.
pub fn load(path: &Path) -> Result<Plan, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let malformed = |source: serde_json::Error| Error::Malformed { path: path.to_owned(), because: source.to_string() };
    let any: serde_json::Value = serde_json::from_str(&text).map_err(malformed)?;
    match any.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format > u64::from(FORMAT) => return Err(Error::Newer { path: path.to_owned(), format }),
        Some(_) => {}
        None => return Err(Error::Malformed { path: path.to_owned(), because: "\"format\" is missing".to_owned() }),
    }
    serde_json::from_str::<Written>(&text).map(|written| written.plan).map_err(malformed)
}
