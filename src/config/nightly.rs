//! How nightly syncs read their tenants: the key `nightly` of a target in `migrate.toml`.

use std::time::Duration;

/// How nightly syncs read a target and its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NightlyReading {
    /// Whether only what the tenants' logs name is read.
    pub is_incremental: bool,
    /// How old the last complete reading may be.
    pub full_every: Duration,
    /// How late an entry may come into a tenant's log.
    pub log_delay: Duration,
}

impl Default for NightlyReading {
    fn default() -> Self {
        Self { is_incremental: false, full_every: Duration::from_secs(7 * 86_400), log_delay: Duration::from_secs(3_600) }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::file::read;
    use crate::diagnostic::Text;

    /// Returns how the nights of a target with this setting read, or the error.
    fn nightly(setting: &str) -> Result<NightlyReading, String> {
        let text = format!("[tenants.prod]\ndomain = \"acme-prod.eu.auth0.com\"\n{setting}\n");
        let tenants = read(Text { path: Path::new("migrate.toml"), text: &text });
        tenants.map(|tenants| tenants["prod"].nightly).map_err(|error| error.to_string())
    }

    #[test]
    fn a_word_or_a_table_says_what_is_read() {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        assert_eq!(nightly(""), Ok(NightlyReading::default()));
        assert_eq!(nightly("nightly = \"full\""), Ok(NightlyReading::default()));
        assert_eq!(nightly("nightly = \"incremental\""), Ok(NightlyReading { is_incremental: true, ..NightlyReading::default() }));
        let table = "nightly = { read = \"incremental\", full_every = \"3days\", log_delay = \"2h\" }";
        let expected = NightlyReading { is_incremental: true, full_every: days(3), log_delay: Duration::from_secs(7_200) };
        assert_eq!(nightly(table), Ok(expected));
    }

    #[test]
    fn anything_else_is_an_error_that_names_the_place() {
        for (setting, part) in [
            ("nightly = \"incrementl\"", "\"incrementl\" is not a way to read tenant \"prod\""),
            ("nightly = 7", "\"nightly\" of tenant \"prod\" must be"),
            ("nightly = { full_every = \"soon\" }", "\"soon\" cannot be \"full_every\" of \"nightly\" of tenant \"prod\""),
            ("nightly = { every = \"7days\" }", "unknown key \"every\""),
        ] {
            let error = nightly(setting).expect_err(setting);
            assert!(error.contains(part) && error.contains("migrate.toml:3"), "{error}");
        }
    }
}
