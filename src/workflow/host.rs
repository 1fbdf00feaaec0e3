//! The host of a use case: receives notices and may interrupt it.

use std::path::PathBuf;

use futures_util::future::{BoxFuture, pending};

use crate::model::event::{NoObserver, Observer};

/// A notice of a use case, in addition to the events of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The use case waits for another run on the target.
    WaitingForLock {
        /// The target.
        target: String,
        /// The process that holds the lock, and since when.
        holder: String,
    },
    /// The use case took over the lock of a process that died.
    LockTakenOver {
        /// The target.
        target: String,
        /// The process that held the lock, and since when.
        holder: String,
    },
    /// The clock is behind the last run, so the name of the new run is derived from that one.
    ClockBehind {
        /// The name of the new run.
        run: String,
    },
    /// State files of an older version were moved to their current place.
    StateMoved {
        /// The source and the target.
        pair: String,
        /// The folder they were moved to.
        folder: PathBuf,
        /// The files that were moved.
        files: Vec<String>,
    },
    /// The front door of a tenant is asked whether logins work.
    Probing {
        /// The tenant.
        target: String,
        /// The number of requests.
        requests: usize,
    },
    /// The use case is stopping; requests in flight are being completed.
    Stopping {
        /// The target.
        target: String,
        /// The folder of the run.
        folder: PathBuf,
    },
}

/// An interrupt of a use case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

/// The program around a use case: receives notices and may interrupt it.
pub trait Host: Observer {
    /// Handles a notice.
    fn notice(&self, _notice: &Notice) {}

    /// Waits for the next interrupt.
    ///
    /// The first one lets requests in flight complete; a second one aborts the run.
    fn interrupted(&self) -> BoxFuture<'_, Interrupt> {
        Box::pin(pending())
    }
}

impl Host for NoObserver {}
