//! Which writes of a run the log of its target contains.

use super::format::{count, named, number, printable};
use super::style::{TITLE, styled};
use crate::plan::{RunWrite, VerifiedWrites};

/// Renders the result of looking up the writes of a run as styled text.
pub(crate) fn verified(target: &str, verified: &VerifiedWrites) -> String {
    let VerifiedWrites { writes, found, missing, reason } = verified;
    let heading = styled(TITLE, format!("Writes in the log of {target}"));
    if *writes == 0 {
        return format!("{heading}\n  The run wrote nothing.\n");
    }
    let mut lines = vec![heading, format!("  {} of {} found", number(*found), count(*writes, "write"))];
    if !missing.is_empty() {
        let why = reason.as_ref().map(|reason| format!(": {}", printable(reason))).unwrap_or_default();
        lines.push(format!("  {} not found{why}", number(missing.len())));
    }
    let line = |write: &RunWrite| format!("    {} {} ({})", write.operation, named(&write.key), printable(write.id.as_str()));
    lines.extend(missing.iter().map(line));
    lines.join("\n") + "\n"
}
