//! The lock on a target: only one run at a time writes to it, from the first read to the last file.
//!
//! The lock belongs to the tenant's domain, whatever the working folder and the configured name: one file per domain in
//! the state directory of this user on this machine. It protects neither against other machines nor against other
//! users.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::environment::{Environment, now};
use super::error::Error;
use super::host::Notice;
use crate::config::{Settings, TenantSettings};
use crate::files::{Lock, LockAttempt, LockHolder};
use crate::platform;

/// The interval between attempts to get a lock that another run holds.
const AGAIN: Duration = Duration::from_millis(500);

/// Returns the folder of this user's locks on this machine.
///
/// # Errors
///
/// If the user has no home: a lock in some other folder would not stop anybody.
pub(crate) fn folder_of_locks(settings: &Settings) -> Result<PathBuf, Error> {
    let home = settings.state_home.as_ref();
    home.map(|home| home.join("migrate/locks")).ok_or(Error::NoLockFolder)
}

/// Returns the file of the lock on a target.
fn path_of(settings: &Settings, target: &TenantSettings) -> Result<PathBuf, Error> {
    Ok(folder_of_locks(settings)?.join(format!("{}.lock", target.identity())))
}

/// Returns who holds the lock on a target, without taking it.
pub(crate) fn lock_holder(settings: &Settings, target: &TenantSettings) -> Result<LockHolder, Error> {
    Ok(Lock::holder(&path_of(settings, target)?)?)
}

/// Locks a target, waiting up to the timeout, or returns who holds the lock.
pub(crate) async fn lock(environment: &Environment, target: &TenantSettings, timeout: Option<Duration>) -> Result<Lock, Error> {
    let path = path_of(environment.settings(), target)?;
    let target = &target.name;
    let last = timeout.map(|wait| Instant::now() + wait);
    let mut is_told = false;
    loop {
        let holder = match take(environment, target, &path)? {
            Ok(lock) => return Ok(lock),
            Err(holder) => holder,
        };
        if last.is_some() && !is_told {
            environment.host.notice(&Notice::WaitingForLock { target: target.clone(), holder: holder.clone() });
            is_told = true;
        }
        let Some(last) = last.filter(|last| Instant::now() < *last) else {
            return Err(Error::Locked { target: target.clone(), holder, has_waited: timeout.is_some() });
        };
        tokio::select! {
            () = sleep(AGAIN) => {}
            () = sleep_until(last) => {}
        }
    }
}

/// Tries once; returns the lock or its holder.
fn take(environment: &Environment, target: &str, path: &Path) -> Result<Result<Lock, String>, Error> {
    Ok(match Lock::take(path, &holder())? {
        LockAttempt::By(holder) => Err(holder),
        LockAttempt::Held { lock, left_behind } => {
            if let Some(dead) = left_behind {
                environment.host.notice(&Notice::LockTakenOver { target: target.to_owned(), holder: dead });
            }
            Ok(lock)
        }
    })
}

/// Describes this process as a lock holder: its id, user, host and the time.
fn holder() -> String {
    let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    let of = user.map(|user| format!(" of {user}")).unwrap_or_default();
    format!("process {}{of} on {} since {}", std::process::id(), platform::host_name(), now())
}
