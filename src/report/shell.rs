//! Words of a command as a shell reads them.

/// Returns whether a word means itself to every shell.
pub(super) fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_./:,=+@".contains(sign))
}

/// Quotes a word of a shell.
pub(crate) fn shell_word(word: &str) -> String {
    if is_plain(word) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
