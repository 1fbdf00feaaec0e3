//! One at a time: whoever writes to a target holds its lock, from the first look to the last file.
//!
//! The lock is of the tenant, whatever folder a run works in and whatever the tenant is called there: one file a domain, in the state
//! directory of this user on this machine. It does not reach another machine, nor another user of this one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::time::{Instant, sleep, sleep_until};

use super::context::{Context, now};
use super::error::{FAILED, Failure, LOCKED, USAGE};
use crate::config::{Settings, TenantSettings};
use crate::files::{Lock, Taken};

/// How often a lock is tried again that another run holds.
const AGAIN: Duration = Duration::from_millis(500);

/// What to do while another run holds the lock.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct LockTimeout {
    /// Wait this long for another run on the target to end, as in 10m [default: not at all]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    lock_timeout: Option<Duration>,
}

impl LockTimeout {
    /// Returns the flag that asks for it.
    pub(super) fn words(self) -> Vec<String> {
        let time = |wait| humantime::format_duration(wait).to_string().replace(' ', "");
        self.lock_timeout.into_iter().flat_map(|wait| ["--lock-timeout".to_owned(), time(wait)]).collect()
    }
}

/// Where to keep locks, where they have no place.
const PLACE: &str = "set XDG_STATE_HOME to a folder that this user may write to; runs that share it see each other's locks";
/// What to do where a lock cannot be written.
const ROOM: &str =
    "free some room, or set XDG_STATE_HOME to another folder that this user may write to; runs that share it see each other's locks";

/// Returns the folder of the locks of this user on this machine.
///
/// # Errors
///
/// When the user has no home: a lock in some other folder would hold nobody off.
pub(super) fn folder_of_locks(settings: &Settings) -> Result<PathBuf, Failure> {
    let home = settings.state_home.as_ref();
    home.map(|home| home.join("migrate/locks")).ok_or_else(|| {
        let state = "nothing was written: there is no folder to keep the lock in, since HOME and XDG_STATE_HOME are not set";
        Failure::new(USAGE, state).hint(PLACE)
    })
}

/// Takes the lock on a target, waiting for it as long as was asked, or says who holds it.
pub(super) async fn lock(context: &Context, target: &TenantSettings, patience: LockTimeout) -> Result<Lock, Failure> {
    let path = folder_of_locks(context.settings()?)?.join(format!("{}.lock", target.identity()));
    let target = &target.name;
    let last = patience.lock_timeout.map(|wait| Instant::now() + wait);
    let mut is_told = false;
    loop {
        let holder = match take(context, target, &path)? {
            Ok(lock) => return Ok(lock),
            Err(holder) => holder,
        };
        if last.is_some() && !is_told {
            context.tell(&format!("Waiting for another run on \"{target}\": {holder}"));
            is_told = true;
        }
        let Some(last) = last.filter(|last| Instant::now() < *last) else { return Err(held(target, &holder, patience)) };
        tokio::select! {
            () = sleep(AGAIN) => {}
            () = sleep_until(last) => {}
        }
    }
}

/// Tries once; returns the lock, or who holds it.
fn take(context: &Context, target: &str, path: &Path) -> Result<Result<Lock, String>, Failure> {
    let failed = |source: std::io::Error| {
        Failure::new(FAILED, format!("nothing was written: cannot take the lock \"{}\"", path.display())).caused_by(&source).hint(ROOM)
    };
    Ok(match Lock::take(path, &holder()).map_err(failed)? {
        Taken::By(holder) => Err(holder),
        Taken::Held { lock, left_behind } => {
            if let Some(dead) = left_behind {
                context.tell(&format!("Took over the lock on \"{target}\" of a run that died: {dead}"));
            }
            Ok(lock)
        }
    })
}

fn held(target: &str, holder: &str, patience: LockTimeout) -> Failure {
    let state = format!("nothing was written: another run works on \"{target}\": {holder}");
    Failure::new(LOCKED, state).hint(match patience.lock_timeout {
        None => "wait for it to end, then run the same command again, or let this one wait with --lock-timeout 10m",
        Some(_) => "it took longer than --lock-timeout; run the same command again when it has ended",
    })
}

/// Returns who is asking, where and since when.
fn holder() -> String {
    let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    let of = user.map(|user| format!(" of {user}")).unwrap_or_default();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("process {}{of} on {host} since {}", std::process::id(), now())
}
