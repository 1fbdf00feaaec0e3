//! Converts errors of the use cases into failures for people.

use super::error::{ADD_SCOPES, DENIED, FAILED, Failure, LOCKED, REFUSED, USAGE, interrupted};
use super::review::refused;
use crate::apply;
use crate::report;
use crate::workflow::Error;

/// Hint if there is no place for locks.
const PLACE: &str = "set XDG_STATE_HOME to a folder that this user can write to; runs that share it see each other's locks";
/// Hint if there is no place for the files of a rehearsal.
const TEMPORARY_ROOM: &str = "check free space and permissions, or set TMPDIR to another folder";
/// Hint for a run that cannot be read.
const UNREADABLE: &str = "run `migrate plan` to compare with the current state of the target";
/// Hint for a later run that cannot be read.
const MAY_BE_AN_UNDO: &str = "it may be an undo of the same run; if not, move its folder out of runs/";

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Config(error) => error.into(),
            Error::Mapping(error) => error.into(),
            Error::KeyCollision(error) => error.into(),
            Error::State(error) => error.into(),
            Error::Pair(error) => error.into(),
            Error::Baseline(error) => error.into(),
            Error::PlanFile(error) => error.into(),
            Error::Snapshot(error) => error.into(),
            Error::Journal(error) => error.into(),
            Error::File(error) => error.into(),
            Error::Export(error) => error.into(),
            Error::Tenant { tenant, source } => Self::of_tenant(&source, &tenant),
            Error::Refused { ref target, ref refusals } => match error.same_tenant() {
                Some(same) => Self::new(REFUSED, same.message.as_str())
                    .hint("name another source with --from; `migrate restore` restores a tenant's own snapshot"),
                None => refused(refusals, &[], target),
            },
            Error::MissingScopes { .. } => Self::new(DENIED, error.to_string()).hint(ADD_SCOPES),
            error => of_run(error),
        }
    }
}

/// Converts an error about the lock, a past run or the run itself.
fn of_run(error: Error) -> Failure {
    let failure = |code| Failure::new(code, error.to_string());
    match &error {
        Error::UnknownInclude { known, .. } => failure(USAGE).hint(format!("--include accepts {}", known.join(", "))),
        Error::NothingMatches { nearest: Some(nearest), .. } => failure(USAGE).hint(format!("did you mean \"{nearest}\"?")),
        Error::NothingMatches { nearest: None, .. } => {
            failure(USAGE).hint("`migrate export` reads all resources of a tenant; a pattern is kind/name")
        }
        Error::UnmatchedRules { rules } => {
            let listed = if let [_] = &rules[..] { Vec::new() } else { rules.iter().map(ToString::to_string).collect() };
            failure(USAGE).with_causes(listed).hint("correct or remove what matches nothing, or leave out --strict")
        }
        Error::Selection(_) => failure(USAGE).hint("plan it without a selection, or from another snapshot"),
        Error::NothingSelected(_) => {
            failure(USAGE).hint("a pattern is kind/name, with the name in the target; `migrate kinds` lists the kinds")
        }
        Error::NoSource { .. } => failure(USAGE).hint("name one with --from, or set `source` in migrate.toml"),
        Error::AnotherTarget { .. } => failure(USAGE).hint("name the tenant it was made for with --tenant"),
        Error::RunExists(_) => failure(FAILED).hint("run the same command again"),
        Error::NoLockFolder => failure(USAGE).hint(PLACE),
        Error::Locked { has_waited: false, .. } => {
            failure(LOCKED).hint("try again when it has finished, or wait for it with --lock-timeout 10m")
        }
        Error::Locked { has_waited: true, .. } => {
            failure(LOCKED).hint("the other run took longer than --lock-timeout; try again when it has finished")
        }
        Error::NoSuchRun { nearest: Some(nearest), .. } => {
            failure(USAGE).hint(format!("did you mean \"{nearest}\"? `migrate runs` lists all runs"))
        }
        Error::NoSuchRun { nearest: None, .. } => failure(USAGE).hint("`migrate runs` lists all runs"),
        Error::NoSuchSnapshot { tenant, nearest, .. } => {
            let list = format!("`migrate snapshots --tenant {tenant}` lists all");
            failure(USAGE).hint(if nearest.is_empty() { list } else { format!("nearest: {}; {list}", nearest.join(", ")) })
        }
        Error::NoSnapshotToRestore { target, .. } => failure(USAGE)
            .hint(format!("name one as {target}@latest, {target}@DATE or {target}@RUN; `migrate snapshots --tenant {target}` lists all")),
        Error::SnapshotOfAnother { name, .. } => {
            failure(USAGE).hint(format!("to copy it into another tenant, use `migrate import --tenant {name} --from SNAPSHOT`"))
        }
        Error::NotKept { others, .. } if others.is_empty() => failure(USAGE).hint("`migrate snapshots` lists what runs kept"),
        Error::NotKept { others, .. } => failure(USAGE).hint(format!("it kept {}", others.join(", "))),
        Error::KeptIsGone { .. } => failure(USAGE).hint("`migrate undo` needs no snapshot; `migrate snapshots` lists those that are left"),
        Error::UnreadableRun { source, may_be_undo, .. } => {
            failure(USAGE).caused_by(&**source).hint(if *may_be_undo { MAY_BE_AN_UNDO } else { UNREADABLE })
        }
        Error::UnfinishedUndo { name, summary, .. } => {
            Failure::new(USAGE, format!("the undo \"{name}\" of this run was interrupted; {}", report::state(summary)))
        }
        Error::Unrecorded(unrecorded) => {
            let apply::Error::Journal { summary, source } = &**unrecorded;
            Failure::new(FAILED, unrecorded.to_string()).caused_by(source).with_state(report::state(summary))
        }
        Error::StoppedAtOnce { interrupt, summary } => failure(interrupted(*interrupt)).with_state(report::state(summary)),
        Error::Interrupted(interrupt) => Failure::new(interrupted(*interrupt), "the rehearsal was stopped"),
        Error::RehearsalSetup { source, lacks_folder } => {
            let setup = failure(FAILED).caused_by(&**source);
            if *lacks_folder { setup.hint(TEMPORARY_ROOM) } else { setup }
        }
        _ => match error {
            Error::Unremembered { summary, source } => Failure::from(source).with_state(report::state(&summary)),
            Error::Rehearsal(inside) => not_over((*inside).into()),
            other => Failure::new(FAILED, format!("{other}")),
        },
    }
}

fn not_over(failure: Failure) -> Failure {
    let failure = failure.within("the rehearsal failed");
    // The original hint is for a run on the target; on the copy there is nothing to resume, and its credentials are
    // valid.
    failure.hint("the failure was on the copy, which no longer exists, so there is nothing to resume: rehearse again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_rehearsal_gives_no_hint_about_a_run_on_the_target() {
        let inside = Failure::new(FAILED, "applied 1 of 2 changes").hint("run `migrate import --tenant prod --resume`");
        insta::assert_snapshot!(format!("{:#}", not_over(inside).json()), @r#"
        {
          "causes": [
            "applied 1 of 2 changes"
          ],
          "error": "the rehearsal failed",
          "exit": 1,
          "format": 1,
          "hint": "the failure was on the copy, which no longer exists, so there is nothing to resume: rehearse again",
          "state": null
        }
        "#);
    }
}
