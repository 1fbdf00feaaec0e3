//! Flags in a command line that is not parsed yet, or cannot be: one that a shell wants completed.

use std::ffi::{OsStr, OsString};

/// Returns the values of a flag, in order: those of the words that follow it, and those attached to it by `=`. Words after `--` are no flags.
pub(super) fn values_of<'words>(flag: &'words str, words: &'words [OsString]) -> impl Iterator<Item = &'words OsStr> {
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let words = &words[..end];
    words.iter().enumerate().filter_map(move |(at, word)| {
        if word == flag {
            return words.get(at + 1).map(OsString::as_os_str);
        }
        word.to_str()?.strip_prefix(flag)?.strip_prefix('=').map(OsStr::new)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_a_flag_or_are_attached_to_it_and_end_before_two_dashes() {
        let values = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            values_of("--dir", &words).map(|value| value.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(values("migrate --dir a plan --dir=b --directory c --dir"), ["a", "b"]);
        assert_eq!(values("migrate api get x -- --dir a"), [""; 0]);
    }
}
