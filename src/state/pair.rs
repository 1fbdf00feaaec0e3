//! The state folder of a source and a target: `state/<source>/<target>/`.
//!
//! `pair.json` records the pair that a folder belongs to. A folder of another pair is refused, so that a run never
//! continues from the wrong state. Earlier versions wrote `links/<source>-<target>.csv` and
//! `base/<source>-<target>.json`; these are moved into the folder once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::files;

/// The newest format that this version reads, and the one it writes.
const FORMAT: u32 = 1;

/// A source and a target, and the folder of their state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantPair {
    root: PathBuf,
    source: TenantIdentity,
    target: TenantIdentity,
}

/// One of the two tenants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantIdentity {
    /// Its name in the configuration.
    pub tenant: String,
    /// Its own domain, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}

/// The content of `pair.json`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct PairFile {
    format: u32,
    source: TenantIdentity,
    target: TenantIdentity,
}

/// Why the folder of a pair cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name of a tenant cannot be used as a folder name.
    #[error("\"{name}\" cannot be the name of a tenant: a folder is named after it")]
    Name {
        /// The name.
        name: String,
    },
    /// The folder belongs to another pair.
    #[error("\"{path}\" belongs to {of}, not to {wanted}", path = .path.display())]
    Another {
        /// Its `pair.json`.
        path: PathBuf,
        /// The pair in the file.
        of: String,
        /// The requested pair.
        wanted: String,
    },
    /// A file of an earlier version may belong to this pair or to another.
    #[error("\"{path}\", written by an earlier version, may belong to {}", .pairs.join(" or to "), path = .path.display())]
    Unclear {
        /// The file.
        path: PathBuf,
        /// The pairs that it may belong to.
        pairs: Vec<String>,
        /// The new path of the file if it belongs to the requested pair.
        wanted: PathBuf,
    },
    /// `pair.json` is malformed.
    #[error("\"{path}\" does not name the pair that its folder belongs to", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The cause, with its position.
        source: serde_json::Error,
    },
    /// The format is newer than this version can read.
    #[error("\"{path}\" has format {format}; this version of migrate reads up to {FORMAT}", path = .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        format: u32,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] files::Error),
}

impl TenantIdentity {
    /// Creates the identity of a tenant whose domain is known.
    pub fn new(tenant: &str, domain: &str) -> Self {
        Self { tenant: tenant.to_owned(), domain: Some(domain.to_owned()) }
    }

    fn is(&self, other: &Self) -> bool {
        let differs = |(one, other): (&String, &String)| !one.eq_ignore_ascii_case(other);
        self.tenant == other.tenant && !self.domain.as_ref().zip(other.domain.as_ref()).is_some_and(differs)
    }
}

impl fmt::Display for TenantIdentity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.domain {
            Some(domain) => write!(out, "{} ({domain})", self.tenant),
            None => out.write_str(&self.tenant),
        }
    }
}

impl fmt::Display for TenantPair {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} -> {}", self.source, self.target)
    }
}

impl TenantPair {
    /// Creates the pair of two tenants, with its folder below `root`.
    ///
    /// # Errors
    ///
    /// If a tenant's name cannot be used as a folder name: the name in a snapshot may be anything.
    pub fn new(root: &Path, source: TenantIdentity, target: TenantIdentity) -> Result<Self, Error> {
        for TenantIdentity { tenant, .. } in [&source, &target] {
            if !files::is_plain_name(tenant) {
                return Err(Error::Name { name: tenant.clone() });
            }
        }
        Ok(Self { root: root.to_owned(), source, target })
    }

    /// Returns the pair with its folder below another root.
    #[must_use]
    pub fn below(self, root: &Path) -> Self {
        Self { root: root.to_owned(), ..self }
    }

    /// Returns the file of the links.
    pub fn links(&self) -> PathBuf {
        self.file("links.csv")
    }

    /// Returns the file of the baseline.
    pub fn base(&self) -> PathBuf {
        self.file("baseline.json")
    }

    /// Returns every pair of a target that something is remembered of, by the name of the source.
    #[must_use]
    pub fn of_target(root: &Path, target: &TenantIdentity) -> Vec<Self> {
        let entries = std::fs::read_dir(root.join("state")).into_iter().flatten().filter_map(Result::ok);
        let mut sources: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        sources.sort();
        let pair = |tenant: String| Self::new(root, TenantIdentity { tenant, domain: None }, target.clone()).ok();
        sources.into_iter().filter_map(pair).filter(|pair| pair.path().is_file() && pair.check().is_ok()).collect()
    }

    /// Returns the name of the source.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source.tenant
    }

    /// Returns the file of the fingerprints of secrets.
    pub fn fingerprints(&self) -> PathBuf {
        self.file("fingerprints.json")
    }

    /// Returns the file of source ids without a link.
    pub fn source_ids(&self) -> PathBuf {
        self.file("source-ids.csv")
    }

    /// Returns the file with the result of the last sync.
    pub(crate) fn last_sync(&self) -> PathBuf {
        self.file("last-sync.json")
    }

    /// Returns the file with the result of the last sync of selected resources.
    pub fn last_selected_sync(&self) -> PathBuf {
        self.file("last-selected-sync.json")
    }

    /// Returns the folder of what was read last of the two tenants.
    pub(crate) fn readings(&self) -> PathBuf {
        self.file("readings")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.join("state").join(&self.source.tenant).join(&self.target.tenant).join(name)
    }

    fn path(&self) -> PathBuf {
        self.file("pair.json")
    }

    /// Checks that the folder belongs to this pair, or to none yet.
    ///
    /// # Errors
    ///
    /// If the folder belongs to another pair, or its `pair.json` cannot be read.
    pub fn check(&self) -> Result<(), Error> {
        let Some(PairFile { source, target, .. }) = self.written()? else { return Ok(()) };
        if source.is(&self.source) && target.is(&self.target) {
            return Ok(());
        }
        let of = Self { root: PathBuf::new(), source, target };
        Err(Error::Another { path: self.path(), of: of.to_string(), wanted: self.to_string() })
    }

    fn written(&self) -> Result<Option<PairFile>, Error> {
        let path = self.path();
        let Some(text) = files::if_exists(files::read(&path))? else {
            return Ok(None);
        };
        let written: PairFile = serde_json::from_slice(&text).map_err(|source| Error::Malformed { path: path.clone(), source })?;
        if written.format > FORMAT {
            return Err(Error::Newer { path, format: written.format });
        }
        Ok(Some(written))
    }

    /// Records in the folder which pair it belongs to, unless that is already recorded.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or the folder belongs to another pair.
    pub fn save(&self) -> Result<(), Error> {
        self.check()?;
        let (mut source, mut target) = (self.source.clone(), self.target.clone());
        if let Some(before) = self.written()? {
            if [(&before.source, &source), (&before.target, &target)]
                .iter()
                .all(|(before, now)| before.domain.is_some() || now.domain.is_none())
            {
                return Ok(());
            }
            source.domain = source.domain.or(before.source.domain);
            target.domain = target.domain.or(before.target.domain);
        }
        let text = serde_json::to_string_pretty(&PairFile { format: FORMAT, source, target }).expect("a pair is JSON") + "\n";
        Ok(files::write_whole(&self.path(), text.as_bytes())?)
    }

    /// Moves files of earlier versions for this pair into its folder and returns them; `known` are the names of all
    /// configured tenants.
    ///
    /// Existing files are not overwritten.
    ///
    /// # Errors
    ///
    /// If a file may also belong to another pair of known tenants, or cannot be moved.
    pub(crate) fn take_over(&self, known: &BTreeSet<String>) -> Result<Vec<PathBuf>, Error> {
        let left: Vec<(PathBuf, PathBuf)> = self.earlier().into_iter().filter(|(from, to)| from.is_file() && !to.exists()).collect();
        let others = self.of_the_same_name(known);
        // The next sync overwrites the result of the last one, so that file is not worth an error.
        let left: Vec<_> = left.into_iter().filter(|(_, to)| others.is_empty() || *to != self.last_sync()).collect();
        if let Some((path, wanted)) = left.first().filter(|_| !others.is_empty()) {
            let pair = |source: &str, target: &str| format!("{source} -> {target}");
            let this = pair(&self.source.tenant, &self.target.tenant);
            let pairs = std::iter::once(this).chain(others.iter().map(|(source, target)| pair(source, target))).collect();
            return Err(Error::Unclear { path: path.clone(), pairs, wanted: wanted.clone() });
        }
        let mut moved = Vec::new();
        for (from, to) in left {
            match files::move_file(&from, &to) {
                Ok(()) => moved.push(from),
                // Another process has already moved it.
                Err(gone) if gone.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(moved)
    }

    /// Returns the old and the new path of each file. Links come last, so that an interruption does not leave links
    /// without a baseline.
    fn earlier(&self) -> [(PathBuf, PathBuf); 4] {
        let name = format!("{}-{}", self.source.tenant, self.target.tenant);
        [
            (self.root.join(format!("runs/last-{name}.json")), self.last_sync()),
            (self.root.join(format!("base/{name}.secrets.json")), self.fingerprints()),
            (self.root.join(format!("base/{name}.json")), self.base()),
            (self.root.join(format!("links/{name}.csv")), self.links()),
        ]
    }

    /// Returns the other pairs of known tenants for which earlier versions used the same file names.
    fn of_the_same_name(&self, known: &BTreeSet<String>) -> Vec<(String, String)> {
        let name = format!("{}-{}", self.source.tenant, self.target.tenant);
        let splits = name.match_indices('-').map(|(at, _)| (name[..at].to_owned(), name[at + 1..].to_owned()));
        let is_other =
            |(source, target): &(String, String)| *source != self.source.tenant && known.contains(source) && known.contains(target);
        splits.filter(is_other).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn pair(root: &Path, source: &str, target: &str) -> TenantPair {
        let side = |name: &str| TenantIdentity::new(name, &format!("acme-{name}.eu.auth0.com"));
        TenantPair::new(root, side(source), side(target)).expect("plain names")
    }

    fn known(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn root() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    #[test]
    fn no_two_pairs_of_names_with_hyphens_share_a_folder() {
        let names = ["dev", "dev-eu", "eu-prod", "prod", "eu", "dev-eu-prod"];
        let pairs = names.iter().flat_map(|source| names.map(|target| pair(Path::new("."), source, target)));
        let files: Vec<PathBuf> = pairs
            .flat_map(|pair| [pair.links(), pair.base(), pair.fingerprints(), pair.source_ids(), pair.last_sync(), pair.path()])
            .collect();
        assert_eq!(files.iter().collect::<BTreeSet<_>>().len(), files.len());
    }

    #[test]
    fn a_folder_of_another_pair_is_refused_but_not_one_without_a_pair() {
        let root = root();
        let here = pair(root.path(), "dev", "prod");
        here.check().expect("nothing is said");
        here.save().expect("said");
        here.check().expect("it is this one");
        let other = TenantPair::new(
            root.path(),
            TenantIdentity::new("dev", "acme-dev.eu.auth0.com"),
            TenantIdentity::new("prod", "other.eu.auth0.com"),
        );
        let refused = other.expect("plain names").save().expect_err("another tenant is called so").to_string();
        assert!(refused.contains("belongs to dev (acme-dev.eu.auth0.com) -> prod (acme-prod.eu.auth0.com), not to dev"), "{refused}");
    }

    #[test]
    fn an_unknown_domain_is_recorded_later_and_never_lost() {
        let root = root();
        let unknown = TenantIdentity { tenant: "dev".to_owned(), domain: None };
        let half = TenantPair::new(root.path(), unknown, TenantIdentity::new("prod", "p.eu.auth0.com")).expect("plain names");
        half.save().expect("said");
        let whole =
            TenantPair::new(root.path(), TenantIdentity::new("dev", "d.eu.auth0.com"), TenantIdentity::new("prod", "P.eu.auth0.com"))
                .expect("plain names");
        whole.save().expect("said");
        half.save().expect("nothing new");
        let domain = half.written().expect("read").and_then(|written| written.source.domain);
        assert_eq!(domain.as_deref(), Some("d.eu.auth0.com"));
    }

    #[test]
    fn files_of_an_earlier_version_are_moved_once() {
        let root = root();
        for name in ["links/dev-prod.csv", "base/dev-prod.json", "base/dev-prod.secrets.json", "runs/last-dev-prod.json"] {
            write(root.path(), name, name);
        }
        let pair = pair(root.path(), "dev", "prod");
        assert_eq!(pair.take_over(&known(&["dev", "prod"])).expect("moved").len(), 4);
        let read = |path: PathBuf| fs::read_to_string(path).expect("there");
        assert_eq!([read(pair.links()), read(pair.base())], ["links/dev-prod.csv", "base/dev-prod.json"]);
        assert_eq!([read(pair.fingerprints()), read(pair.last_sync())], ["base/dev-prod.secrets.json", "runs/last-dev-prod.json"]);
        write(root.path(), "base/dev-prod.json", "written by an earlier version since");
        assert_eq!(pair.take_over(&known(&["dev", "prod"])).expect("nothing").len(), 0);
        assert_eq!(read(pair.base()), "base/dev-prod.json");
    }

    #[test]
    fn a_file_that_may_belong_to_two_pairs_is_left_to_a_person() {
        let root = root();
        write(root.path(), "base/dev-eu-prod.json", "{}");
        let pair = pair(root.path(), "dev", "eu-prod");
        let refused = pair.take_over(&known(&["dev", "dev-eu", "eu-prod", "prod"])).expect_err("unclear").to_string();
        assert!(refused.ends_with("may belong to dev -> eu-prod or to dev-eu -> prod"), "{refused}");
        assert!(root.path().join("base/dev-eu-prod.json").exists());
        assert_eq!(pair.take_over(&known(&["dev", "eu-prod", "prod"])).expect("only one can be meant").len(), 1);
    }

    #[test]
    fn an_ambiguous_last_sync_file_is_ignored() {
        let root = root();
        write(root.path(), "runs/last-dev-eu-prod.json", "{}");
        let left = pair(root.path(), "dev", "eu-prod").take_over(&known(&["dev", "dev-eu", "eu-prod", "prod"]));
        assert_eq!(left.expect("nothing to decide").len(), 0);
    }

    #[test]
    fn a_name_that_leads_out_of_the_folder_is_refused() {
        for name in ["..", "../prod", "", ".hidden", "a/b", "a\nb"] {
            assert!(TenantPair::new(Path::new("."), TenantIdentity::new(name, "d"), TenantIdentity::new("prod", "p")).is_err(), "{name}");
        }
    }
}
