//! Tests that are known to fail before a sandbox that refuses what Auth0 refuses: until they pass, theirs is lenient.
//!
//! They stand under `[strict-sandbox]` in `known_failures.toml`. One that passes before a strict sandbox comes off the list.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use crate::known_failures;

const CHECK: &str = "strict-sandbox";
/// Set where nobody is spared.
const VARIABLE: &str = "STRICT_SANDBOX";

/// Returns whether the running test is known to fail before a strict sandbox.
pub(crate) fn is_spared() -> bool {
    let current = std::thread::current();
    let is_listed = current.name().is_some_and(|test| known_failures::listed(CHECK).contains(test));
    is_listed && std::env::var_os(VARIABLE).is_none()
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn what_is_known_to_fail_before_a_strict_sandbox_fails_before_it() {
    if crate::reference::path("recorded").is_none() {
        return;
    }
    let fails = |test: &&str| {
        let mut again = Command::new(std::env::current_exe().expect("this program"));
        // A test that is skipped does not fail.
        again.args(["--exact", test, "--include-ignored"]).env_remove("CI");
        // That it fails is enough; a smaller example is not looked for.
        again.envs([(VARIABLE, "1"), ("TEST_SESSION", "strict"), ("PROPTEST_MAX_SHRINK_ITERS", "0")]);
        let ended = again.stdout(Stdio::piped()).stderr(Stdio::null()).output().expect("it ran");
        let told = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(told.contains("running 1 test"), "there is no test {test}");
        !ended.status.success()
    };
    let failing: BTreeSet<String> =
        known_failures::listed(CHECK).iter().filter(|test| fails(test)).map(|test| (*test).to_owned()).collect();
    known_failures::compare(CHECK, &failing);
}
