//! `--color`: whether text for people has colours.

use std::ffi::OsString;

use clap::{ColorChoice, ValueEnum};

const FLAG: &str = "--color";

/// Sets whether everything that this process prints has colours; `auto` leaves it to the terminal and the environment.
pub(super) fn set(choice: ColorChoice) {
    let choice = match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Returns the choice in a command line that is not parsed yet: help and usage errors have colours too.
pub(super) fn written(arguments: &[OsString]) -> ColorChoice {
    let texts: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).take_while(|word| *word != "--").collect();
    let following = texts.windows(2).filter(|pair| pair[0] == FLAG).map(|pair| pair[1]);
    let attached = texts.iter().filter_map(|word| word.strip_prefix(FLAG)?.strip_prefix('='));
    let choice = following.chain(attached).find_map(|choice| ColorChoice::from_str(choice, false).ok());
    choice.unwrap_or(ColorChoice::Auto)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_found_before_the_command_line_is_parsed() {
        let choice = |line: &str| written(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        for (line, expected) in [
            ("migrate --color always --hlep", ColorChoice::Always),
            ("migrate plan --color=never", ColorChoice::Never),
            ("migrate plan --color", ColorChoice::Auto),
            ("migrate plan --color purple", ColorChoice::Auto),
            ("migrate api get x -- --color always", ColorChoice::Auto),
        ] {
            assert_eq!(choice(line), expected, "{line}");
        }
    }
}
