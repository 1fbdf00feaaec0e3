//! Variables of the environment and, as a fallback, of `.env`. No input or output.
//!
//! Variables of `.env` are never put into the environment, and no value appears in an error.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::{EnvironmentVariables, Error};
use crate::diagnostic::{Text, did_you_mean, nearest};

/// The variable for `--config`.
pub(super) const CONFIG: &str = "MIGRATE_CONFIG";
pub(super) const DIR: &str = "MIGRATE_DIR";
/// The file in which every sandbox records its requests.
pub(super) const RECORD: &str = "MIGRATE_SANDBOX_RECORD";
/// Variables that are valid only in the environment.
const OF_THE_ENVIRONMENT: [&str; 2] = [CONFIG, RECORD];

/// The content of a tenant's variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    ClientId,
    ClientSecret,
    SigningKeyPath,
    AccessToken,
}

impl Part {
    pub(super) const ALL: [Self; 4] = [Self::ClientId, Self::ClientSecret, Self::SigningKeyPath, Self::AccessToken];

    fn suffix(self) -> &'static str {
        match self {
            Self::ClientId => "CLIENT_ID",
            Self::ClientSecret => "CLIENT_SECRET",
            Self::SigningKeyPath => "CLIENT_SIGNING_KEY_PATH",
            Self::AccessToken => "ACCESS_TOKEN",
        }
    }

    /// Returns its name in lower case, as in a file.
    pub(super) fn key(self) -> String {
        self.suffix().to_ascii_lowercase()
    }
}

/// The prefix of one tenant's credential variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// Returns the prefix for a tenant of `migrate.toml`: `MIGRATE_ACME_DEV_` for `acme-dev`.
    #[must_use]
    pub fn of_tenant(name: &str) -> Self {
        Self(format!("MIGRATE_{}_", name.to_ascii_uppercase().replace('-', "_")))
    }

    /// Returns the prefixes that other tools use, with the variable for the domain; they are used only without a
    /// `migrate.toml`.
    pub(super) fn of_other_tools() -> [(Self, &'static str); 2] {
        [(Self("AUTH0_".to_owned()), "AUTH0_DOMAIN"), (Self(String::new()), "CLIENT_DOMAIN")]
    }

    pub(super) fn name(&self, part: Part) -> String {
        self.0.clone() + part.suffix()
    }

    /// Returns the variables that can be set. Without a prefix, a name such as `ACCESS_TOKEN` may belong to another
    /// program.
    pub(super) fn parts(&self) -> &'static [Part] {
        if self.0.is_empty() { &[Part::ClientId, Part::ClientSecret] } else { &Part::ALL }
    }

    fn names(&self) -> impl Iterator<Item = String> {
        self.parts().iter().map(|part| self.name(*part))
    }
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// Where the value of a variable comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableOrigin {
    /// The environment.
    Environment,
    /// The `.env` file.
    Dotenv,
}

/// A value, where it comes from, and the folder that a path in it is relative to.
#[derive(Debug, Clone)]
struct FoundVariable {
    value: SecretString,
    origin: VariableOrigin,
    folder: PathBuf,
}

impl FoundVariable {
    fn of_environment(value: &str) -> Self {
        Self { value: SecretString::from(value), origin: VariableOrigin::Environment, folder: PathBuf::new() }
    }
}

/// Every variable that is set; an empty one counts as not set.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    found: BTreeMap<String, FoundVariable>,
}

impl Variables {
    /// Merges both; variables of the environment override those of `.env`.
    pub(super) fn merge(environment: &EnvironmentVariables, dotenv: Option<Text<'_>>) -> Result<Self, Error> {
        let mut found = BTreeMap::new();
        for (name, value) in environment {
            found.insert(name.clone(), FoundVariable::of_environment(value));
        }
        for (name, value) in dotenv.map(read_dotenv).transpose()?.into_iter().flatten() {
            let folder = dotenv.and_then(|file| file.path.parent()).unwrap_or(Path::new("")).to_owned();
            let origin = VariableOrigin::Dotenv;
            found.entry(name).or_insert(FoundVariable { value: SecretString::from(value), origin, folder });
        }
        found.retain(|_, found| !found.value.expose_secret().is_empty());
        Ok(Self { found })
    }

    /// Replaces a tenant's credential variables by a client and its secret.
    pub(super) fn sign_in(&mut self, prefix: &Prefix, (id, secret): (&str, &str)) {
        prefix.names().for_each(|name| drop(self.found.remove(&name)));
        for (part, value) in [(Part::ClientId, id), (Part::ClientSecret, secret)] {
            self.found.insert(prefix.name(part), FoundVariable::of_environment(value));
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&SecretString> {
        self.found.get(name).map(|found| &found.value)
    }

    pub(super) fn origin_of(&self, name: &str) -> Option<VariableOrigin> {
        self.found.get(name).map(|found| found.origin)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.found.contains_key(name)
    }

    /// Returns the path in a variable.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.found.get(name).map(|found| found.folder.join(found.value.expose_secret()))
    }
}

/// Parses `NAME=value` lines; the last one for a name counts. Errors contain only the number of a line, since the line
/// may contain a secret.
///
/// Values are taken literally, without variable substitution. A `#` in an unquoted value would cut it short, and is
/// refused.
fn read_dotenv(file: Text<'_>) -> Result<Vec<(String, String)>, Error> {
    let wrong = |line: u32, reason| Error::Line { path: file.path.to_owned(), line: usize::try_from(line).unwrap_or(1), reason };
    // Lines end with `\n`, as everywhere else that lines are counted.
    let text = file.text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', " ");
    let entries = dotenvor::parse_str(&text).map_err(|error| match error {
        dotenvor::Error::Parse(error) => wrong(error.line, "is not NAME=value"),
        // The text is already in memory; only lines can be malformed.
        dotenvor::Error::Io(_) | dotenvor::Error::InvalidEncoding(_) => wrong(1, "is not NAME=value"),
    })?;
    let lines: Vec<&str> = text.split('\n').collect();
    let is_cut_short = |entry: &&dotenvor::Entry| lines.get(entry.line as usize - 1).is_some_and(|line| is_cut_short(line));
    if let Some(entry) = entries.iter().find(is_cut_short) {
        return Err(wrong(entry.line, "has a # in its value: put the value in single quotes, or a blank before a comment"));
    }
    Ok(entries.into_iter().map(|entry| (entry.key, entry.value)).collect())
}

/// Returns whether a line contains a `#` that would cut its value short although it does not clearly begin a comment.
fn is_cut_short(line: &str) -> bool {
    let value = line.split_once('=').map_or("", |(_, value)| value);
    let is_quoted = value.trim_start().starts_with(['\'', '"', '`']);
    !is_quoted && value.split_once('#').is_some_and(|(before, _)| !before.ends_with(char::is_whitespace))
}

/// Refuses variables that are similar to ours: a misspelt one would otherwise be ignored. Dissimilar ones belong to
/// other programs.
///
/// Without tenants to compare with, every prefix may be right.
pub(super) fn refuse_unknown(environment: &EnvironmentVariables, dotenv: Option<Text<'_>>, tenants: &[&Prefix]) -> Result<(), Error> {
    let mut known: Vec<String> = tenants.iter().flat_map(|prefix| prefix.names()).collect();
    known.push(DIR.to_owned());
    let is_unknown = |name: &str| {
        let may_be_ours = tenants.is_empty() && Part::ALL.iter().any(|part| name.ends_with(&format!("_{}", part.suffix())));
        name.starts_with("MIGRATE_") && !may_be_ours && !known.iter().any(|known| known == name)
    };
    let near = |name: &str| nearest(name, known.iter().map(String::as_str).chain(OF_THE_ENVIRONMENT)).map(str::to_owned);
    let names: Vec<_> = known.iter().map(String::as_str).collect();
    if let Some(file) = dotenv {
        let unknown = read_dotenv(file)?.into_iter().find(|(name, _)| is_unknown(name) && near(name).is_some());
        if let Some((name, _)) = unknown {
            return Err(unknown_in_file(file, &name, &names).into());
        }
    }
    let is_ours = |name: &str| OF_THE_ENVIRONMENT.contains(&name);
    let misspelt = environment.keys().filter(|name| is_unknown(name) && !is_ours(name)).find_map(|name| Some((name, near(name)?)));
    misspelt.map_or(Ok(()), |(name, meant)| Err(Error::UnknownVariable { name: name.clone(), meant }))
}

fn unknown_in_file(file: Text<'_>, name: &str, known: &[&str]) -> super::Diagnostic {
    // Only the text up to the name is shown: what follows may be a secret under a misspelt name.
    let ends = place_of(name, file.text).map_or(0, |at| at + name.len());
    let shown = Text { path: file.path, text: &file.text[..ends] };
    let label = if OF_THE_ENVIRONMENT.contains(&name) { "counts in the environment only".to_owned() } else { did_you_mean(name, known) };
    shown.wrong(ends.saturating_sub(name.len())..ends, format!("unknown variable \"{name}\""), label)
}

/// Returns the position at which a variable is set: at the beginning of a line, or after `export`.
fn place_of(name: &str, text: &str) -> Option<usize> {
    let mut begins = 0;
    for line in text.split_inclusive('\n') {
        let assignment = line.trim_start_matches('\u{feff}').trim_start().trim_start_matches("export").trim_start();
        if assignment.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('=')) {
            return Some(begins + line.len() - assignment.len());
        }
        begins += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        read_dotenv(Text { path: Path::new(".env"), text }).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_is_taken_literally() {
        let values = [
            ("ab$HOME${X}\\n", "ab$HOME${X}\\n"),
            ("a b # why", "a b"),
            ("'a#b$c\\n'  # why", "a#b$c\\n"),
            ("\"a#b\\nc\"", "a#b\nc"),
            ("'two\r\nlines'", "two\nlines"),
            (" # why", ""),
            ("one\nB=last", "last"),
        ];
        for (written, value) in values {
            let text = format!("\u{feff}export A = c1\r\n\r\n# why\nB={written}\n");
            let expected = [("A", "c1"), ("B", value)].map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(read(&text), Ok(expected.to_vec()), "{written}");
        }
    }

    #[test]
    fn a_value_that_a_comment_might_cut_short_is_refused_with_its_line() {
        for written in ["CANARY#hush", "#CANARY", "CANARY# why", "CANARY hush#"] {
            let told = read(&format!("A=c1\nB={written}\n")).expect_err("cut short");
            assert!(told.starts_with("line 2 of \".env\" has a # in its value: ") && !told.contains("CANARY"), "{told}");
        }
    }
}
