//! Sets up a folder: its configuration, its credentials and what git ignores. Never overwrites: what exists stays, and lines are only added.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::error::Error;
use crate::config::{self, EnvironmentVariables, FileLookup, Prefix, Settings};
use crate::files;

/// What git ignores in a folder with a configuration: credentials, and what only this machine needs. Links and baselines are kept in git.
const IGNORED: [&str; 5] = [".env", "runs/", "snapshots/", "state/*/*/fingerprints.json", "state/*/*/readings/"];

/// The folder of the schemas that editors check the configuration and its mapping with, beside the configuration.
const SCHEMAS: &str = "schemas";
/// The schema of a configuration.
const OF_CONFIGURATION: &str = "config.schema.json";
/// The schema of a mapping.
const OF_MAPPING: &str = "mapping.schema.json";

/// A tenant in a new configuration.
#[derive(Debug, Clone)]
pub(crate) struct NewTenant {
    /// Its name.
    pub(crate) name: String,
    /// Its domain.
    pub(crate) domain: String,
    /// The address of a sandbox in its place.
    pub(crate) url: Option<String>,
    /// The client id, if it is to be written.
    pub(crate) client_id: Option<String>,
    /// The client secret, if it is to be written.
    pub(crate) client_secret: Option<SecretString>,
}

/// A configuration that does not exist yet.
#[derive(Debug, Clone)]
pub(crate) struct NewConfiguration {
    /// The file of the configuration.
    pub(crate) path: PathBuf,
    /// The source.
    pub(crate) source: NewTenant,
    /// The target.
    pub(crate) target: NewTenant,
}

/// A file of a new configuration, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetUpFile {
    /// The file.
    pub(crate) path: PathBuf,
    /// What became of it.
    pub(crate) outcome: FileOutcome,
    /// What exists already and stays, although something else would have been written: variables, or the file as a whole.
    pub(crate) kept: Vec<String>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileOutcome {
    /// It is new.
    Created,
    /// Lines were added to it.
    Extended,
    /// It stays as it is.
    Unchanged,
}

impl NewConfiguration {
    /// Returns the text of `migrate.toml`; `mapping` is a path from its folder.
    pub(crate) fn text(&self, mapping: Option<&Path>) -> String {
        let section = |tenant: &NewTenant| {
            let url = tenant.url.as_ref().map(|url| format!("url = {}\n", toml_text(url))).unwrap_or_default();
            format!("[tenants.{}]\ndomain = {}\n{url}", tenant.name, toml_text(&tenant.domain))
        };
        let mapping = mapping.map(|path| format!("mapping = {}\n", toml_text(&path.display().to_string()))).unwrap_or_default();
        let source = toml_text(&self.source.name);
        format!("{}\n{}source = {source}\n{mapping}", section(&self.source), section(&self.target))
    }

    /// Returns the path of the mapping from the source to the target, from the folder of the configuration.
    pub(crate) fn mapping(&self) -> PathBuf {
        PathBuf::from(format!("mappings/{}-to-{}.toml", self.source.name, self.target.name))
    }

    /// Returns the settings that the configuration will have, without its mapping.
    ///
    /// # Errors
    ///
    /// If something in it is invalid.
    pub(crate) fn settings(&self, dir: Option<&Path>, environment: &EnvironmentVariables) -> Result<Settings, Error> {
        let path = self.path.with_file_name(".env");
        let held = files::if_exists(files::read_text(&path)).map_err(config::Error::from)?.unwrap_or_default();
        let dotenv = FileLookup { text: Some(with_variables(&held, &self.variables()).text), path };
        let config = FileLookup { path: self.path.clone(), text: Some(self.text(None)) };
        Ok(Settings::resolve(config, dotenv, dir, environment)?)
    }

    /// Writes what git ignores and the credentials.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written; each file is written as a whole or not at all.
    pub(crate) fn write_credentials(&self) -> Result<Vec<SetUpFile>, Error> {
        let ignored = extend(&self.path.with_file_name(".gitignore"), &|held| with_lines(held, &IGNORED))?;
        let variables = self.variables();
        if variables.is_empty() {
            return Ok(vec![ignored]);
        }
        let credentials = extend(&self.path.with_file_name(".env"), &|held| with_variables(held, &variables))?;
        Ok(vec![ignored, credentials])
    }

    /// Writes the schemas of the configuration and of its mapping, where there are none yet.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub(crate) fn write_schemas(&self, of_configuration: &str, of_mapping: &str) -> Result<Vec<SetUpFile>, Error> {
        let schemas = [(OF_CONFIGURATION, of_configuration), (OF_MAPPING, of_mapping)];
        schemas.into_iter().map(|(name, text)| create(&beside(&self.path, &Path::new(SCHEMAS).join(name)), text)).collect()
    }

    /// Writes a mapping with a line that names its schema, unless there is one already.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(crate) fn write_mapping(&self, text: &str) -> Result<SetUpFile, Error> {
        create(&beside(&self.path, &self.mapping()), &format!("#:schema ../{SCHEMAS}/{OF_MAPPING}\n{text}"))
    }

    /// Writes the configuration itself with a line that names its schema, which is the last file, so that it exists only if all others do.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(crate) fn write(&self, mapping: Option<&Path>) -> Result<SetUpFile, Error> {
        create(&self.path, &format!("#:schema ./{SCHEMAS}/{OF_CONFIGURATION}\n{}", self.text(mapping)))
    }

    /// Returns the variables to write, with their values.
    fn variables(&self) -> Vec<(String, SecretString)> {
        let of = |tenant: &NewTenant| {
            let prefix = Prefix::of_tenant(&tenant.name);
            let id = tenant.client_id.clone().map(|id| (format!("{prefix}CLIENT_ID"), SecretString::from(id)));
            let secret = tenant.client_secret.clone().map(|secret| (format!("{prefix}CLIENT_SECRET"), secret));
            id.into_iter().chain(secret).collect::<Vec<_>>()
        };
        [of(&self.source), of(&self.target)].concat()
    }
}

/// Returns a path beside a file.
fn beside(path: &Path, name: &Path) -> PathBuf {
    path.parent().map_or_else(|| name.to_owned(), |folder| folder.join(name))
}

fn create(path: &Path, text: &str) -> Result<SetUpFile, Error> {
    let (outcome, kept) = if path.exists() {
        (FileOutcome::Unchanged, vec!["the whole file".to_owned()])
    } else {
        files::write_whole(path, text.as_bytes())?;
        (FileOutcome::Created, Vec::new())
    };
    Ok(SetUpFile { path: path.to_owned(), outcome, kept })
}

/// A text with what was added to it.
struct Extended {
    text: String,
    kept: Vec<String>,
}

fn extend(path: &Path, more: &dyn Fn(&str) -> Extended) -> Result<SetUpFile, Error> {
    let held = files::if_exists(files::read_text(path))?;
    let Extended { text, kept } = more(held.as_deref().unwrap_or_default());
    let outcome = match &held {
        Some(held) if *held == text => FileOutcome::Unchanged,
        Some(_) => FileOutcome::Extended,
        None => FileOutcome::Created,
    };
    if outcome != FileOutcome::Unchanged {
        files::write_whole(path, text.as_bytes())?;
    }
    Ok(SetUpFile { path: path.to_owned(), outcome, kept })
}

/// Returns a text with these lines added, except those that it has.
fn with_lines(held: &str, lines: &[&str]) -> Extended {
    let known: BTreeSet<&str> = held.lines().map(|line| line.trim().trim_start_matches('/')).collect();
    let new = lines.iter().filter(|line| !known.contains(*line)).map(|line| format!("{line}\n"));
    Extended { text: ended(held) + &new.collect::<String>(), kept: Vec::new() }
}

/// Returns a `.env` file with these variables added, except those that it sets, whatever their values.
fn with_variables(held: &str, variables: &[(String, SecretString)]) -> Extended {
    let sets = |name: &str| {
        held.lines().any(|line| {
            let line = line.trim_start().trim_start_matches("export ").trim_start();
            line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
        })
    };
    let (kept, new): (Vec<_>, Vec<_>) = variables.iter().partition(|(name, _)| sets(name));
    let new = new.into_iter().map(|(name, value)| format!("{name}={}\n", quoted(value.expose_secret())));
    Extended { text: ended(held) + &new.collect::<String>(), kept: kept.into_iter().map(|(name, _)| name.clone()).collect() }
}

/// Returns a text that ends with a line break, unless it is empty.
fn ended(held: &str) -> String {
    if held.is_empty() || held.ends_with('\n') { held.to_owned() } else { format!("{held}\n") }
}

/// Returns a value in quotes between which it is taken literally.
fn quoted(value: &str) -> String {
    let quote = if value.contains('\'') { '`' } else { '\'' };
    format!("{quote}{value}{quote}")
}

fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(folder: &Path) -> NewConfiguration {
        let tenant = |name: &str| NewTenant {
            name: name.to_owned(),
            domain: format!("acme-{name}.eu.auth0.com"),
            url: None,
            client_id: Some(format!("id-of-{name}")),
            client_secret: Some(SecretString::from(format!("CANARY#'{name}"))),
        };
        NewConfiguration { path: folder.join("migrate.toml"), source: tenant("dev"), target: tenant("eu-prod") }
    }

    #[test]
    fn what_is_written_is_read_back_with_its_secrets() {
        let folder = tempfile::tempdir().expect("a folder");
        let new = configuration(folder.path());
        let written = [new.write_credentials().expect("written"), vec![new.write(None).expect("written")]].concat();
        assert!(written.iter().all(|file| file.outcome == FileOutcome::Created && file.kept.is_empty()), "{written:?}");
        let settings = Settings::load(Some(&new.path), None, &EnvironmentVariables::new()).expect("valid");
        assert_eq!(settings.tenants["eu-prod"].source.as_deref(), Some("dev"));
        let secret = settings.variable("MIGRATE_EU_PROD_CLIENT_SECRET").expect("it is set");
        assert_eq!(secret.expose_secret(), "CANARY#'eu-prod");
        assert!(settings.open_to_others.is_none());
        assert!(!files::read_text(&new.path).expect("read").contains("CANARY"));
    }

    #[test]
    fn what_exists_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let new = configuration(folder.path());
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path(".env"), "OTHER=1\nexport MIGRATE_DEV_CLIENT_ID=mine").expect("written");
        std::fs::write(path(".gitignore"), "/runs/\ntarget\n").expect("written");
        std::fs::write(path("migrate.toml"), "mine").expect("written");
        let written = [new.write_credentials().expect("written"), vec![new.write(None).expect("kept")]].concat();
        let outcomes: Vec<FileOutcome> = written.iter().map(|file| file.outcome).collect();
        assert_eq!(outcomes, [FileOutcome::Extended, FileOutcome::Extended, FileOutcome::Unchanged]);
        assert_eq!(written[1].kept, ["MIGRATE_DEV_CLIENT_ID"]);
        let read = |name: &str| files::read_text(&path(name)).expect("read");
        assert_eq!(read("migrate.toml"), "mine");
        assert_eq!(read(".gitignore"), "/runs/\ntarget\n.env\nsnapshots/\nstate/*/*/fingerprints.json\nstate/*/*/readings/\n");
        assert!(read(".env").starts_with("OTHER=1\nexport MIGRATE_DEV_CLIENT_ID=mine\nMIGRATE_DEV_CLIENT_SECRET="));
        let again = new.write_credentials().expect("unchanged");
        assert!(again.iter().all(|file| file.outcome == FileOutcome::Unchanged), "{again:?}");
    }
}
