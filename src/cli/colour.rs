//! `--color`: whether text for people has colours.

use std::ffi::OsString;

use clap::{ColorChoice, ValueEnum};

use super::unparsed::values_of;

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
    let mut choices = values_of(FLAG, arguments).filter_map(|value| ColorChoice::from_str(value.to_str()?, false).ok());
    choices.next().unwrap_or(ColorChoice::Auto)
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
