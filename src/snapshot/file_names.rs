//! Names of files for resources: readable, and safe on every file system.

use std::collections::HashMap;

use crate::files::content_hash;

/// Characters of a name that a file is named by.
const LONGEST: usize = 80;
/// Hexadecimal digits that tell names apart which look alike as files.
const DIGITS: usize = 12;
/// Names that Windows reserves for devices.
const RESERVED: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2", "lpt3", "lpt4",
    "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Returns the name of a file for each of these names, in their order; no two are equal, also where case does not count.
///
/// A name that is safe as it is stays so. Any other gets a hash of the name: one with a slash, one that differs from another only in
/// case, one whose letters a file system may compose otherwise.
pub(super) fn file_names<'name>(names: impl Iterator<Item = &'name str> + Clone) -> Vec<String> {
    let mut alike: HashMap<String, usize> = HashMap::new();
    for name in names.clone() {
        *alike.entry(name.to_lowercase()).or_default() += 1;
    }
    let is_unique = |name: &str| alike[&name.to_lowercase()] == 1;
    names.map(|name| if is_safe(name) && is_unique(name) { format!("{name}.json") } else { hashed(name) }).collect()
}

/// Returns whether a name means the same on every file system.
fn is_safe(name: &str) -> bool {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "-_. ()".contains(sign);
    let is_reserved = RESERVED.contains(&name.split('.').next().unwrap_or_default().to_lowercase().as_str());
    let has_edges = name.starts_with(['.', ' ']) || name.ends_with(['.', ' ']);
    !name.is_empty() && name.len() <= LONGEST && name.chars().all(is_plain) && !is_reserved && !has_edges
}

fn hashed(name: &str) -> String {
    let shown = |sign: char| if sign.is_alphanumeric() || "-_. ()".contains(sign) { sign } else { '_' };
    let readable: String = name.chars().map(shown).take(LONGEST / 2).collect();
    let hash = content_hash(name.as_bytes());
    let digits = hash.rsplit(':').next().unwrap_or_default();
    // No safe name has a tilde, so that a hashed one is never equal to one.
    format!("{}~{}.json", readable.trim_matches(['.', ' ']), &digits[..DIGITS])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Vec<String> {
        file_names(names.iter().copied())
    }

    #[test]
    fn a_safe_name_stays_as_it_is() {
        assert_eq!(of(&["Billing (dev)", "web-1.0_b"]), ["Billing (dev).json", "web-1.0_b.json"]);
    }

    #[test]
    fn whatever_a_file_system_may_read_otherwise_gets_a_hash() {
        for name in ["a/b", "..", ".hidden", "a\\b", "a\0b", "CON", "nul.txt", "Zoë", "a ", "x~0123456789ab", "", &"long".repeat(30)] {
            let file = of(&[name]).remove(0);
            assert!(crate::files::is_plain_name(&file) && file.contains('~') && file.len() < 200, "{name:?} -> {file}");
        }
        assert!(of(&["https://api.acme.example/v2"])[0].starts_with("https___api.acme.example_v2~"));
    }

    #[test]
    fn names_that_differ_only_in_case_or_in_what_is_replaced_have_different_files() {
        let files = of(&["Web", "web", "a/b", "a:b", "Shop"]);
        let lower: std::collections::HashSet<String> = files.iter().map(|file| file.to_lowercase()).collect();
        assert_eq!(lower.len(), files.len(), "{files:?}");
        assert_eq!(files[4], "Shop.json");
    }
}
