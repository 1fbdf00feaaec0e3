//! Properties of the files that people write: every error names a position in them, and none shows a secret.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use auth0_migrate::catalog::Catalog;
use auth0_migrate::config::{EnvironmentVariables, Error, FileLookup, Settings};
use auth0_migrate::diagnostic::Text;
use auth0_migrate::files;
use auth0_migrate::mapping::{self, Mapping};
use auth0_migrate::snapshot::Snapshot;

use super::{CANARY, answers, hides_the_canary, names_a_line_of};

/// A valid configuration and variables, so that a fuzzer need not discover them.
const CONFIGURATION: &str = "[tenants.dev]\ndomain = \"acme-dev.eu.auth0.com\"\n";
const DOTENV: &str = "MIGRATE_DEV_CLIENT_ID=one\nMIGRATE_DEV_CLIENT_SECRET=CANARY-7f3a\n";
const HOSTS: &str = include_str!("../seeds/table/hosts.csv");

/// The tenant that mappings are applied to.
static SOURCE: LazyLock<Snapshot> = LazyLock::new(|| answers::portable(include_bytes!("../seeds/listing/small.json")));

/// A valid mapping can be applied, with the same result each time; an unmatched rule is reported with its line.
pub fn mapping(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let secret = format!("{text}\n[[rule]]\nmatch = \"clients/*\"\nfield = \"client_secret\"\nsecret = \"{CANARY}\"\n");
    hides_the_canary(&read_mapping(&secret).expect_err("a secret belongs elsewhere").to_string());
    let mapping = match read_mapping(text) {
        Ok(mapping) => mapping,
        Err(mapping::Error::Invalid(wrong)) => {
            names_a_line_of(bytes, "m.toml:", &wrong.to_string());
            return false;
        }
        Err(mapping::Error::File(_)) => return false,
    };
    if let Ok(mapped) = mapping.apply(Catalog::standard(), SOURCE.clone()) {
        let again = mapping.apply(Catalog::standard(), SOURCE.clone()).expect("as before");
        assert_eq!(mapped.desired.snapshot, again.desired.snapshot);
        mapped.unmatched.iter().for_each(|rule| names_a_line_of(bytes, "m.toml:", &rule.place));
    }
    true
}

/// Parses a mapping with one table beside it.
fn read_mapping(text: &str) -> Result<Mapping, mapping::Error> {
    let table = |path: &Path| match path.to_str() {
        Some("hosts.csv") => Ok(HOSTS.to_owned()),
        Some("locked.csv") => Err(files::Error::reading(path)(io::ErrorKind::PermissionDenied.into())),
        _ => Err(files::Error::reading(path)(io::ErrorKind::NotFound.into())),
    };
    Mapping::parse(Catalog::standard(), Text { path: Path::new("m.toml"), text }, &table)
}

/// Every row of a table has a non-empty, unique text to look for.
pub fn table(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    match mapping::rows(Text { path: Path::new("hosts.csv"), text }) {
        Ok(rows) => {
            let mut from: Vec<&str> = rows.iter().map(|row| row.from.as_str()).collect();
            from.sort_unstable();
            from.dedup();
            assert!(from.len() == rows.len() && from.iter().all(|text| !text.is_empty()));
            true
        }
        Err(wrong) => {
            names_a_line_of(bytes, "hosts.csv:", &wrong.to_string());
            false
        }
    }
}

/// A configuration never contains a secret; one that does is refused without showing it.
pub fn configuration(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let planted = format!("[tenants.planted]\nclient_secret = \"{CANARY}\"\n");
    let of_lines = format!("[tenants.planted]\nclient_secret = \"\"\"\n{CANARY}\\");
    for secret in [format!("{planted}{text}"), format!("{text}\n{planted}"), of_lines + text] {
        hides_the_canary(&settings(&secret, "").expect_err("a secret belongs elsewhere").to_string());
    }
    match settings(text, DOTENV) {
        Ok(settings) => {
            assert!(settings.tenants.values().all(|tenant| tenant.share > 0.0 && tenant.share <= 1.0 && !tenant.domain.is_empty()));
            hides_the_canary(&format!("{settings:?}"));
            true
        }
        Err(Error::Invalid(wrong)) => {
            let told = wrong.to_string();
            // The configuration determines the valid variables, so either file can be the invalid one.
            if told.contains("migrate.toml:") {
                names_a_line_of(bytes, "migrate.toml:", &told);
            } else {
                names_a_line_of(DOTENV.as_bytes(), ".env:", &told);
            }
            hides_the_canary(&told);
            false
        }
        Err(error) => panic!("no place of the configuration is named: {error}"),
    }
}

/// The values of `.env` are never shown, whatever is wrong with it.
pub fn dotenv(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let planted = format!("MIGRATE_DEV_CLIENT_SECRET={CANARY}");
    let mut is_read = false;
    for text in [format!("{planted}{text}"), format!("{text}\n{planted}\n")] {
        match settings(CONFIGURATION, &text) {
            Ok(settings) => {
                hides_the_canary(&format!("{settings:?}"));
                is_read = true;
            }
            Err(error) => {
                let told = error.to_string();
                let marker = if matches!(error, Error::Line { .. }) { "line " } else { ".env:" };
                names_a_line_of(text.as_bytes(), marker, &told);
                hides_the_canary(&told);
            }
        }
    }
    is_read
}

fn settings(configuration: &str, dotenv: &str) -> Result<Settings, Error> {
    let text = |path: &str, text: &str| FileLookup { path: PathBuf::from(path), text: Some(text.to_owned()) };
    Settings::resolve(text("migrate.toml", configuration), text(".env", dotenv), None, &EnvironmentVariables::new())
}
