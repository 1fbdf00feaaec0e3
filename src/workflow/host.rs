//! Who runs a use case: hears what happens, and may interrupt it.

use std::path::PathBuf;

use futures_util::future::{BoxFuture, pending};

use crate::model::event::{NoObserver, Observer};

/// What a use case reports besides the events of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It waits for another run on the target.
    WaitingForLock {
        /// The target.
        target: String,
        /// Who holds the lock, and since when.
        holder: String,
    },
    /// It took over the lock of a process that died.
    LockTakenOver {
        /// The target.
        target: String,
        /// Who held the lock, and since when.
        holder: String,
    },
    /// The clock is behind the last run, so the new run is named after that one.
    ClockBehind {
        /// The name of the new run.
        run: String,
    },
    /// State files of an older version were moved to their present place.
    StateMoved {
        /// The source and the target.
        pair: String,
        /// The folder they are in now.
        folder: PathBuf,
        /// The files that were moved.
        files: Vec<String>,
    },
    /// It stops: requests that were sent are still being settled.
    Stopping {
        /// The target.
        target: String,
        /// The folder of the run.
        folder: PathBuf,
    },
}

/// What interrupts a use case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

/// Whoever runs a use case: hears what happens, and may interrupt it.
pub trait Host: Observer {
    /// Reports something besides the events of the engine.
    fn notice(&self, _notice: &Notice) {}

    /// Waits for the next interrupt.
    ///
    /// The first one lets requests that were sent settle, and a second one ends the run at once.
    fn interrupted(&self) -> BoxFuture<'_, Interrupt> {
        Box::pin(pending())
    }
}

impl Host for NoObserver {}
