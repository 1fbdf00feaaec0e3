//! The commands that follow a probe: undo what broke a login, and ask again.

use std::path::Path;

use super::context::Context;
use crate::model::resource::Key;
use crate::probe::ProbeReport;
use crate::report::{self, ProbeView, shell_word};

/// The commands that follow a probe; each is empty if there is none.
#[derive(Debug, Default)]
pub(super) struct ProbeCommands {
    undo: String,
    again: String,
}

impl ProbeCommands {
    /// Returns the commands that follow the probe of the run in a folder.
    pub(super) fn of_run(context: &Context, folder: &Path, probe: &ProbeReport) -> Self {
        let run = folder.file_name().unwrap_or_default().to_string_lossy();
        let patterns: Vec<String> = probe.to_undo().iter().map(|key| format!("--only {}", shell_word(&pattern(key)))).collect();
        let undo = if patterns.is_empty() { String::new() } else { context.command(format!("migrate undo {run}"), patterns) };
        Self { undo, again: context.command(format!("migrate probe --run {run}"), []) }
    }

    /// Returns the command that probes a tenant again.
    pub(super) fn of_tenant(context: &Context, target: &str, flags: Vec<String>) -> Self {
        Self { undo: String::new(), again: context.command(format!("migrate probe --tenant {target}"), flags) }
    }

    /// Returns a probe with its commands.
    pub(super) fn view<'run>(&'run self, report: &'run ProbeReport) -> ProbeView<'run> {
        ProbeView { report, undo: &self.undo, again: &self.again }
    }
}

/// Returns the pattern that matches a key, in a form that a person can copy: `?` stands for characters that a terminal does not show.
fn pattern(key: &Key) -> String {
    let sign = |sign: char| {
        let text = sign.to_string();
        if report::printable(&text) == text { glob::Pattern::escape(&text) } else { "?".to_owned() }
    };
    key.to_string().chars().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::key;

    #[test]
    fn a_pattern_matches_exactly_its_key_and_can_be_copied() {
        for name in ["clients/Web", "clients/a*b?[c]", "clients/\u{1b}[2J\nx", "clients/$(rm -rf ~) 'x'"] {
            let (key, pattern) = (key(name), pattern(&key(name)));
            assert!(glob::Pattern::new(&pattern).expect("a pattern").matches(&key.to_string()), "{pattern}");
            assert_eq!(report::printable(&pattern), pattern);
        }
        assert!(!glob::Pattern::new(&pattern(&key("clients/a*b"))).expect("a pattern").matches("clients/axxb"));
    }
}
