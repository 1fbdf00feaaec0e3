//! A snapshot as a person names it: `dev@latest`, `dev@2026-11-22`, `dev@RUN`.

use std::fmt;

/// What the newest snapshot of a tenant is called.
const LATEST: &str = "latest";
/// How a day is written.
const DAY: &str = "dddd-dd-dd";

/// A snapshot of a tenant, as a person names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SnapshotReference {
    /// The tenant.
    pub(crate) tenant: String,
    /// Which of its snapshots.
    pub(crate) version: SnapshotVersion,
}

/// Which snapshot of a tenant is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SnapshotVersion {
    /// The newest.
    Latest,
    /// The one of this name, the newest of this time or its beginning (`2026-11-22`, `2026-11-22T02:30`), or the one of this run.
    Named(String),
}

impl SnapshotReference {
    /// Reads a reference; `None` if the text is none.
    ///
    /// The name of a tenant may contain an `@` itself, so a part in front of one that `is_tenant` knows is taken first.
    pub(crate) fn parse(text: &str, is_tenant: &dyn Fn(&str) -> bool) -> Option<Self> {
        let splits = || text.match_indices('@').map(|(at, _)| (&text[..at], &text[at + 1..]));
        let (tenant, version) = splits().filter(|(tenant, _)| is_tenant(tenant)).last().or_else(|| splits().next())?;
        if tenant.is_empty() || version.is_empty() {
            return None;
        }
        let version = if version == LATEST { SnapshotVersion::Latest } else { SnapshotVersion::Named(version.to_owned()) };
        Some(Self { tenant: tenant.to_owned(), version })
    }
}

impl fmt::Display for SnapshotReference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match &self.version {
            SnapshotVersion::Latest => LATEST,
            SnapshotVersion::Named(name) => name,
        };
        write!(out, "{}@{version}", self.tenant)
    }
}

/// Returns the version of this name, or the newest of the time that the name is or begins; `versions` are names of folders, the oldest first.
pub(crate) fn version_named<'names>(name: &str, versions: &'names [String]) -> Option<&'names str> {
    let folder = name.replace(':', "-");
    if let Some(exact) = versions.iter().find(|version| **version == folder) {
        return Some(exact);
    }
    if !is_time(name) {
        return None;
    }
    let wanted = as_folder(name);
    let begins = |version: &&String| version.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with(['T', '-', 'Z']));
    versions.iter().rev().find(begins).map(String::as_str)
}

/// Returns the versions around a time that has none: the last before it and the first after it.
pub(crate) fn versions_around<'names>(time: &str, versions: &'names [String]) -> Vec<&'names str> {
    let wanted = as_folder(time);
    let at = versions.iter().position(|version| *version > wanted).unwrap_or(versions.len());
    versions[at.saturating_sub(1)..versions.len().min(at + 1)].iter().map(String::as_str).collect()
}

/// Returns whether a text is a day, or a time of one: nothing else begins with a day and has no letter but those of a time.
pub(crate) fn is_time(text: &str) -> bool {
    let day: String = text.chars().take(DAY.len()).map(|sign| if sign.is_ascii_digit() { 'd' } else { sign }).collect();
    let is_of_time = |sign: char| sign.is_ascii_digit() || "-:.TZ".contains(sign);
    day == DAY && text.chars().all(is_of_time)
}

/// Returns a time as a folder is named after it, without its end.
fn as_folder(time: &str) -> String {
    time.trim_end_matches('Z').replace(':', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, String)> {
        let tenants = ["dev", "eu@dev"];
        let reference = SnapshotReference::parse(text, &|name| tenants.contains(&name))?;
        let (tenant, whole) = (reference.tenant.clone(), reference.to_string());
        Some((tenant.clone(), whole.trim_start_matches(&format!("{tenant}@")).to_owned()))
    }

    #[test]
    fn a_reference_names_a_tenant_and_one_of_its_snapshots() {
        let pair = |tenant: &str, version: &str| Some((tenant.to_owned(), version.to_owned()));
        assert_eq!(parsed("dev@latest"), pair("dev", "latest"));
        assert_eq!(parsed("dev@2026-11-22"), pair("dev", "2026-11-22"));
        assert_eq!(parsed("eu@dev@latest"), pair("eu@dev", "latest"));
        assert_eq!(parsed("other@2026-11-22T02-30-00.000Z-a@b"), pair("other", "2026-11-22T02-30-00.000Z-a@b"));
        assert_eq!([parsed("dev"), parsed("dev@"), parsed("@latest")], [None, None, None]);
    }

    fn versions() -> Vec<String> {
        let names =
            ["2026-11-20T02-30-00Z", "2026-11-22T02-30-00Z", "2026-11-22T02-30-00Z.2", "2026-11-22T23-59-59Z", "2026-11-28T02-30-00Z"];
        names.map(str::to_owned).to_vec()
    }

    #[test]
    fn a_day_or_a_part_of_one_is_the_newest_snapshot_of_it() {
        let all = versions();
        let named = |name: &str| version_named(name, &all);
        assert_eq!(named("2026-11-22"), Some("2026-11-22T23-59-59Z"));
        assert_eq!(named("2026-11-22T02"), Some("2026-11-22T02-30-00Z.2"));
        assert_eq!(named("2026-11-22T02:30Z"), Some("2026-11-22T02-30-00Z.2"));
        assert_eq!(named("2026-11-22T02-30-00Z"), Some("2026-11-22T02-30-00Z"));
        assert_eq!(named("2026-11-22T02:30:00Z"), Some("2026-11-22T02-30-00Z"));
        assert_eq!([named("2026-11-2"), named("2026-11-21"), named("2026"), named("02-30")], [None; 4]);
    }

    #[test]
    fn a_day_without_one_has_neighbours() {
        let all = versions();
        assert_eq!(versions_around("2026-11-25", &all), ["2026-11-22T23-59-59Z", "2026-11-28T02-30-00Z"]);
        assert_eq!(versions_around("2026-01-01", &all), ["2026-11-20T02-30-00Z"]);
        assert_eq!(versions_around("2027-01-01", &all), ["2026-11-28T02-30-00Z"]);
        assert!(versions_around("2027-01-01", &[]).is_empty());
    }
}
