//! The names of runs, which are also their folders: start time and target.

use std::path::Path;
use std::time::{Duration, SystemTime};

/// Returns the names of all runs, newest first.
pub(crate) fn names(runs: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(runs).into_iter().flatten().filter_map(Result::ok).filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort_unstable_by(|one, other| other.cmp(one));
    names
}

/// Returns the name of the newest run on a target.
pub(crate) fn newest_of(runs: &Path, target: &str) -> Option<String> {
    names(runs).into_iter().find(|name| is_of(name, target))
}

/// Returns the names of the runs on a target that have a journal, newest first. Their plans are complete, and before
/// the journal exists nothing is sent.
pub(crate) fn begun_on(runs: &Path, target: &str) -> impl Iterator<Item = String> {
    let has_begun = |name: &String| runs.join(name).join("journal.jsonl").exists();
    names(runs).into_iter().filter(|name| is_of(name, target)).filter(has_begun)
}

/// Returns whether this is the name of a run on this target.
pub(crate) fn is_of(name: &str, target: &str) -> bool {
    name.split_at_checked(TIME.len()).is_some_and(|(_, rest)| rest.strip_prefix('-') == Some(target))
}

/// Returns whether this text, of whatever origin, has the form of the name of a run on this target.
pub(crate) fn is_run(text: &str, target: &str) -> bool {
    is_of(text, target) && time_of(text).is_some()
}

/// The format of the time in a run's name.
const TIME: &str = "2026-11-25T06-32-27.000Z";

/// Returns the name of a run that starts now: time and target, and always later than the newest run's name.
pub(crate) fn name_after(newest: Option<&str>, now: SystemTime, target: &str) -> String {
    let after = newest.and_then(time_of).map(|newest| newest + Duration::from_millis(1));
    let time = after.map_or(now, |after| after.max(now));
    format!("{}-{target}", humantime::format_rfc3339_millis(time).to_string().replace(':', "-"))
}

/// Returns whether the time in the name of a run is in the future, because the clock was set back.
pub(crate) fn is_ahead(name: &str, now: SystemTime) -> bool {
    time_of(name).is_some_and(|time| time > now + Duration::from_secs(1))
}

/// Returns the time in the name of a run.
pub(super) fn time_of(name: &str) -> Option<SystemTime> {
    let (day, time) = name.get(..TIME.len())?.split_once('T')?;
    humantime::parse_rfc3339(&format!("{day}T{}", time.replace('-', ":"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> SystemTime {
        humantime::parse_rfc3339(time).expect("a time")
    }

    #[test]
    fn a_run_name_is_later_than_all_earlier_ones_even_if_the_clock_was_set_back() {
        let now = at("2026-11-25T06:32:27.250Z");
        assert_eq!(name_after(None, now, "prod"), "2026-11-25T06-32-27.250Z-prod");
        assert_eq!(name_after(Some("2026-11-24T23-00-00.000Z-prod"), now, "prod"), "2026-11-25T06-32-27.250Z-prod");
        assert_eq!(name_after(Some("2026-11-25T06-32-27.250Z-prod"), now, "prod"), "2026-11-25T06-32-27.251Z-prod");
        assert_eq!(name_after(Some("2027-01-01T00-00-00.999Z-prod"), now, "prod"), "2027-01-01T00-00-01.000Z-prod");
        assert_eq!(name_after(Some("by hand"), now, "prod"), "2026-11-25T06-32-27.250Z-prod");
    }

    #[test]
    fn a_run_name_can_be_ahead_of_a_clock_that_was_set_back() {
        let now = at("2026-11-25T06:32:27.250Z");
        assert!(is_ahead("2027-01-01T00-00-01.000Z-prod", now));
        assert!(!is_ahead("2026-11-25T06-32-27.251Z-prod", now) && !is_ahead("by hand", now));
    }

    #[test]
    fn a_run_belongs_to_the_target_whose_whole_name_it_ends_with() {
        assert!(is_of("2026-11-25T06-32-27.250Z-prod", "prod"));
        assert!(is_of("2026-11-25T06-32-27.250Z-eu-prod", "eu-prod"));
        assert!(!is_of("2026-11-25T06-32-27.250Z-eu-prod", "prod"));
    }
}
