//! Quotes words for a shell.

/// Returns whether a word needs no quotes in any shell.
pub(super) fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_./:,=+@".contains(sign))
}

/// Quotes a word for a shell, if needed.
pub(crate) fn shell_word(word: &str) -> String {
    if is_plain(word) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
