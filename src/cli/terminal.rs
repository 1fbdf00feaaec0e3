//! The terminal: shows events and results, and receives interrupts.

use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;
use rustix::termios::{QueueSelector, tcflush};
use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Mutex as AsyncMutex;

use crate::model::event::{Event, Observer};
use crate::report::{Mode, Progress, fitted, json_text, printed};
use crate::workflow::{Host, Interrupt, Notice};

/// The terminal of one command.
#[derive(Debug)]
pub(super) struct Terminal {
    /// Shows the progress of reading and writing.
    pub(super) progress: Progress,
    signals: Signals,
    is_quiet: bool,
    /// How the rest of a run continues if it is stopped now.
    later: Mutex<String>,
}

impl Terminal {
    /// Creates a terminal with this verbosity.
    pub(super) fn new(is_quiet: bool, is_verbose: bool) -> Self {
        let mode = match (is_quiet, is_verbose) {
            (true, _) => Mode::Quiet,
            (false, true) => Mode::Verbose,
            (false, false) => Mode::Normal,
        };
        let is_watched = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        Self { progress: Progress::new(mode, is_watched), signals: Signals::default(), is_quiet, later: Mutex::default() }
    }

    /// Starts listening for interrupts, so that none is missed while nobody waits for one.
    pub(super) async fn listen(&self) {
        self.signals.listen().await;
    }

    /// Sets the message about the rest of a run for the case that it is interrupted.
    pub(super) fn set_later(&self, text: String) {
        *self.later.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    /// Prints a status message, unless `--quiet` is given.
    pub(super) fn tell(&self, text: &str) {
        if !self.is_quiet {
            self.progress.clear();
            print_error(&fitted(&format!("{text}\n"), columns(std::io::stderr())));
        }
    }

    /// Asks a question and returns the line typed after it; `None` if none can be read.
    ///
    /// Earlier input is discarded: nobody can answer a question that they have not seen.
    pub(super) fn ask(&self, question: &str) -> Option<String> {
        self.progress.clear();
        tcflush(std::io::stdin(), QueueSelector::IFlush).ok()?;
        print_error(question);
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).ok()?;
        Some(line.trim().to_owned())
    }
}

impl Observer for Terminal {
    fn notify(&self, event: &Event) {
        self.progress.notify(event);
    }
}

impl Host for Terminal {
    fn notice(&self, notice: &Notice) {
        let later = self.later.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.tell(&text_of(notice, &later));
    }

    fn interrupted(&self) -> BoxFuture<'_, Interrupt> {
        Box::pin(self.signals.next())
    }
}

fn text_of(notice: &Notice, later: &str) -> String {
    match notice {
        Notice::WaitingForLock { target, holder } => format!("Waiting for another run on \"{target}\": {holder}"),
        Notice::LockTakenOver { target, holder } => format!("Took over the lock on \"{target}\" from a run that died: {holder}"),
        Notice::ClockBehind { run } => {
            format!("The clock is behind the last run; this run is named {run} so that it is the newest.")
        }
        Notice::StateMoved { pair, folder, files } => {
            format!("Moved the state of {pair} to {}: {}", folder.display(), files.join(", "))
        }
        Notice::Stopping { .. } => format!("Stopping: waiting for requests in flight. Interrupt again to stop at once; {later}."),
    }
}

/// Both signals that end a run, caught from the first use on, so that one that arrives between two waits is not lost.
#[derive(Debug, Default)]
struct Signals(AsyncMutex<Option<(Signal, Signal)>>);

impl Signals {
    async fn listen(&self) {
        let mut caught = self.0.lock().await;
        if caught.is_none() {
            *caught = signal(SignalKind::interrupt()).ok().zip(signal(SignalKind::terminate()).ok());
        }
    }

    async fn next(&self) -> Interrupt {
        self.listen().await;
        let mut caught = self.0.lock().await;
        let Some((interrupt, terminate)) = caught.as_mut() else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => Interrupt::Interrupted,
            _ = terminate.recv() => Interrupt::Terminated,
        }
    }
}

/// Returns the width of a stream if it is a terminal. Other output is searched and compared line by line, so it is not
/// wrapped.
pub(super) fn columns(stream: impl AsFd) -> Option<usize> {
    terminal_size::terminal_size_of(stream).map(|(width, _)| usize::from(width.0))
}

/// Prints on stdout, with colours only on a terminal.
pub(super) fn print(text: &str) {
    // A reader that has gone away (`| head`) is no reason to fail.
    let _ = anstream::stdout().write_all(printed(text).as_bytes());
}

/// Prints JSON on stdout.
pub(super) fn print_json(value: &Value) {
    print(&json_text(value));
}

/// Prints on stderr.
pub(super) fn print_error(text: &str) {
    let _ = anstream::stderr().write_all(printed(text).as_bytes());
}
