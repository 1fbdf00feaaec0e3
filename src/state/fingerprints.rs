//! Fingerprints of sent secrets, `fingerprints.json`, which show whether a supplied secret changed.
//!
//! A secret cannot be compared with the target's. Therefore each sent secret leaves a keyed fingerprint (HMAC-SHA256),
//! and is sent again only if the fingerprint of the supplied value differs. Resource and field are part of the input,
//! so that equal secrets have different fingerprints. The random key is in the same file, which only its owner can
//! read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ring::hmac;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::files::{self, hexadecimal};
use crate::model::resource::Id;
use crate::model::secret::random_secret;

/// The newest format that this version reads, and the one it writes.
const FORMAT: u32 = 1;

/// The secret field of one resource in the target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct SecretLocation {
    kind: String,
    id: Id,
    path: String,
}

/// The fingerprints of the secrets sent from one source to one target.
#[derive(Debug, Clone, Default)]
pub struct Fingerprints {
    /// Generated when the first secret is sent.
    key: Option<SecretString>,
    sent: BTreeMap<SecretLocation, String>,
}

/// For each sent secret, the supply sources that still have the same value.
///
/// Planning needs no more than that. It contains neither secrets nor fingerprints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SentSecrets(BTreeMap<SecretLocation, BTreeSet<String>>);

/// Why fingerprints cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// The file does not contain fingerprints.
    ///
    /// Only the position is reported, since the text there may be the key.
    #[error("\"{path}\" is not a file of fingerprints (line {line} column {column})", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line of the error, from 1.
        line: usize,
        /// The column.
        column: usize,
    },
    /// The format is newer than this version can read.
    #[error("the fingerprints \"{path}\" have format {format}; this version of migrate reads up to {FORMAT}", path = .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        format: u32,
    },
}

/// The content of the file.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct FingerprintsFile {
    format: u32,
    key: String,
    sent: Vec<FingerprintLine>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct FingerprintLine {
    kind: String,
    id: Id,
    field: String,
    fingerprint: String,
}

impl Fingerprints {
    /// Loads fingerprints; there are none if the file does not exist.
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
        let malformed = |error: serde_json::Error| Error::Malformed { path: path.to_owned(), line: error.line(), column: error.column() };
        let written: FingerprintsFile = serde_json::from_slice(text).map_err(malformed)?;
        if written.format > FORMAT {
            return Err(Error::Newer { path: path.to_owned(), format: written.format });
        }
        let sent =
            written.sent.into_iter().map(|line| (SecretLocation { kind: line.kind, id: line.id, path: line.field }, line.fingerprint));
        Ok(Self { key: Some(SecretString::from(written.key)), sent: sent.collect() })
    }

    /// Saves the fingerprints atomically, unless no secret was ever sent.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let Some(text) = self.text() else { return Ok(()) };
        Ok(files::write_whole(path, text.as_bytes())?)
    }

    /// Serializes the fingerprints; `None` if no secret was ever sent.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let key = self.key.as_ref()?;
        let line = |(place, fingerprint): (&SecretLocation, &String)| FingerprintLine {
            kind: place.kind.clone(),
            id: place.id.clone(),
            field: place.path.clone(),
            fingerprint: fingerprint.clone(),
        };
        let written = FingerprintsFile { format: FORMAT, key: key.expose_secret().to_owned(), sent: self.sent.iter().map(line).collect() };
        let mut text = serde_json::to_string_pretty(&written).expect("fingerprints are JSON");
        text.push('\n');
        Some(text)
    }

    /// Records the fingerprint of a secret that the target accepted.
    ///
    /// # Panics
    ///
    /// If the system provides no random numbers for the key.
    pub(crate) fn record_sent(&mut self, kind: &str, id: &Id, path: &str, secret: &SecretString) {
        let key = self.key.get_or_insert_with(random_secret);
        let place = SecretLocation { kind: kind.to_owned(), id: id.clone(), path: path.to_owned() };
        let fingerprint = fingerprint(key, &place, secret);
        self.sent.insert(place, fingerprint);
    }

    /// Removes the fingerprints of a deleted resource.
    pub(crate) fn forget_target(&mut self, kind: &str, id: &Id) {
        self.sent.retain(|place, _| place.kind != kind || place.id != *id);
    }

    /// Compares sent secrets with those supplied now, by kind, field and supply source.
    pub fn compared<'now>(
        &self,
        supplied: impl Iterator<Item = (&'now str, &'now str, &'now str)>,
        secret: &dyn Fn(&str) -> Option<SecretString>,
    ) -> SentSecrets {
        let Some(key) = &self.key else { return SentSecrets::default() };
        let mut values: BTreeMap<&str, Option<SecretString>> = BTreeMap::new();
        let mut of_field: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for (kind, path, from) in supplied {
            values.entry(from).or_insert_with(|| secret(from));
            of_field.entry((kind, path)).or_default().insert(from);
        }
        let same = |place: &SecretLocation, sent: &str| {
            let now = of_field.get(&(place.kind.as_str(), place.path.as_str())).into_iter().flatten();
            let is_same = |from: &&&str| values[**from].as_ref().is_some_and(|value| fingerprint(key, place, value) == sent);
            now.filter(is_same).map(|from| (*from).to_owned()).collect()
        };
        SentSecrets(self.sent.iter().map(|(place, sent)| (place.clone(), same(place, sent))).collect())
    }
}

impl SentSecrets {
    /// Returns whether the value from a supply source is the one that was sent; `None` if none was sent.
    #[must_use]
    pub fn is_same(&self, kind: &str, id: &Id, path: &str, from: &str) -> Option<bool> {
        let place = SecretLocation { kind: kind.to_owned(), id: id.clone(), path: path.to_owned() };
        self.0.get(&place).map(|same| same.contains(from))
    }
}

fn fingerprint(key: &SecretString, place: &SecretLocation, secret: &SecretString) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
    // No id or path contains a zero byte, so locations cannot be confused.
    let signed = [&place.kind, place.id.as_str(), &place.path, secret.expose_secret()].join("\0");
    hexadecimal(hmac::sign(&key, signed.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn supply(secret: &'static str) -> impl Fn(&str) -> Option<SecretString> {
        move |from| (from == "env:S").then(|| SecretString::from(secret))
    }

    fn sent() -> Fingerprints {
        let mut fingerprints = Fingerprints::default();
        for id in ["c1", "c2"] {
            fingerprints.record_sent("clients", &Id::new(id), "client_secret", &SecretString::from("s3cret"));
        }
        fingerprints
    }

    fn is_same(fingerprints: &Fingerprints, id: &str, now: &'static str) -> Option<bool> {
        let sent = fingerprints.compared([("clients", "client_secret", "env:S")].into_iter(), &supply(now));
        sent.is_same("clients", &Id::new(id), "client_secret", "env:S")
    }

    #[test]
    fn changed_unchanged_and_unsent_secrets_are_distinguished() {
        let fingerprints = sent();
        assert_eq!([is_same(&fingerprints, "c1", "s3cret"), is_same(&fingerprints, "c1", "other")], [Some(true), Some(false)]);
        assert_eq!(is_same(&fingerprints, "c3", "s3cret"), None);
    }

    #[test]
    fn the_file_reveals_neither_a_secret_nor_that_two_are_equal() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fingerprints.json");
        sent().save(&path).expect("saved");
        let text = fs::read_to_string(&path).expect("read");
        let written: FingerprintsFile = serde_json::from_str(&text).expect("JSON");
        assert!(!text.contains("s3cret"));
        assert_ne!(written.sent[0].fingerprint, written.sent[1].fingerprint);
        let mut read = Fingerprints::load(&path).expect("loaded");
        assert_eq!(is_same(&read, "c2", "s3cret"), Some(true));
        read.forget_target("clients", &Id::new("c2"));
        assert_eq!((is_same(&read, "c1", "s3cret"), is_same(&read, "c2", "s3cret")), (Some(true), None));
    }

    #[test]
    fn each_file_has_its_own_key_which_is_never_shown() {
        let (one, other) = (sent(), sent());
        assert_ne!(one.sent, other.sent);
        let key = one.key.as_ref().expect("a secret was sent");
        assert!(!format!("{one:?}").contains(key.expose_secret()));
    }

    #[test]
    fn without_sent_secrets_there_is_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("none.json");
        Fingerprints::load(&path).expect("none is one").save(&path).expect("nothing to save");
        assert!(!path.exists());
    }

    fn refused(text: &str) -> String {
        Fingerprints::parse(Path::new("f.json"), text.as_bytes()).expect_err("refused").to_string()
    }

    #[test]
    fn a_newer_format_is_refused_by_its_number() {
        let told = refused(r#"{"format": 9, "key": "", "sent": []}"#);
        assert_eq!(told, format!("the fingerprints \"f.json\" have format 9; this version of migrate reads up to {FORMAT}"));
    }

    #[test]
    fn a_misplaced_key_is_not_shown() {
        assert_eq!(refused(r#"{"format": "s3cret"}"#), "\"f.json\" is not a file of fingerprints (line 1 column 19)");
    }
}
