//! The terminal: shows events and results, and receives interrupts.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::time::sleep;

use crate::model::event::{Event, Observer};
use crate::platform::{self, EndSignal, EndSignals};
use crate::report::{Mode, Progress, count, fitted, json_text, printed};
use crate::workflow::{Host, Interrupt, Notice};

/// How often it is looked whether a question is answered.
const KEYBOARD_INTERVAL: Duration = Duration::from_millis(50);

/// How often the progress moves though nothing happens.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// The terminal of one command.
#[derive(Debug)]
pub(super) struct Terminal {
    /// Shows the progress of reading and writing.
    pub(super) progress: Progress,
    signals: Signals,
    is_quiet: bool,
    /// How the rest of a run continues if it is stopped now.
    later: Mutex<String>,
    /// What an interrupt ends with, where no run of its own ends it.
    closing: Mutex<InterruptClosing>,
}

/// What is said of a command that an interrupt ends.
#[derive(Debug, Clone, Default)]
pub(super) struct InterruptClosing {
    /// What was written, where that is not nothing.
    pub(super) state: Option<String>,
    /// What to do next.
    pub(super) next: Option<String>,
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
        let progress = Progress::new(mode, is_watched);
        Self { progress, signals: Signals::default(), is_quiet, later: Mutex::default(), closing: Mutex::default() }
    }

    /// Starts listening for interrupts, so that none is missed while nobody waits for one.
    pub(super) async fn listen(&self) {
        self.signals.listen().await;
    }

    /// Sets the message about the rest of a run for the case that it is interrupted.
    pub(super) fn set_later(&self, text: String) {
        *self.later.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    /// Sets what an interrupt from now on ends with: what was written, and what to do next.
    pub(super) fn set_closing(&self, state: String, next: Option<String>) {
        *self.closing.lock().unwrap_or_else(PoisonError::into_inner) = InterruptClosing { state: Some(state), next };
    }

    /// Waits for an interrupt while nobody else does.
    pub(super) async fn unclaimed_interrupt(&self) -> Interrupt {
        self.signals.unclaimed().await
    }

    /// Returns what an interrupt ends with now.
    pub(super) fn closing(&self) -> InterruptClosing {
        self.closing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Moves the progress on every second, for ever.
    pub(super) async fn keep_moving(&self) -> ! {
        loop {
            sleep(PROGRESS_INTERVAL).await;
            self.progress.tick();
        }
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
    pub(super) async fn ask(&self, question: &str) -> Option<String> {
        self.progress.clear();
        platform::discard_input().ok()?;
        print_error(question);
        let mut open = OpenQuestion { is_answered: false };
        // A line is waited for without blocking, so that an interrupt is noticed meanwhile.
        while !platform::has_input() {
            sleep(KEYBOARD_INTERVAL).await;
        }
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).ok()?;
        open.is_answered = line.ends_with('\n');
        Some(line.trim().to_owned())
    }

    /// Asks for a secret, which the terminal does not show.
    pub(super) async fn ask_secret(&self, question: &str) -> Option<SecretString> {
        let hidden = platform::HiddenInput::begin()?;
        let answer = self.ask(question).await;
        drop(hidden);
        // The line break that ended the answer was not shown either.
        print_error("\n");
        answer.map(SecretString::from)
    }
}

/// A question on the terminal: what follows begins on a line of its own, answered or not.
struct OpenQuestion {
    is_answered: bool,
}

impl Drop for OpenQuestion {
    fn drop(&mut self) {
        if !self.is_answered {
            print_error("\n");
        }
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
        if let Notice::Stopping { .. } = notice {
            self.progress.clear();
            overwrite_echo();
        }
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
        Notice::Probing { target, requests } => {
            format!("Asking {target} whether logins work: {}, without credentials", count(*requests, "request"))
        }
        Notice::Stopping { .. } => format!("Stopping: waiting for requests in flight. Interrupt again to stop at once; {later}."),
    }
}

/// Both signals that end a run, caught from the first use on, so that one that arrives between two waits is not lost.
#[derive(Debug)]
struct Signals {
    caught: AsyncMutex<Option<EndSignals>>,
    /// How many wait for the next interrupt because they end by it in a way of their own.
    claims: watch::Sender<usize>,
}

/// Somebody who ends by an interrupt in a way of their own, as long as they wait for it.
struct Claim<'signals>(&'signals watch::Sender<usize>);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|claims| *claims -= 1);
    }
}

impl Default for Signals {
    fn default() -> Self {
        Self { caught: AsyncMutex::default(), claims: watch::Sender::new(0) }
    }
}

impl Signals {
    async fn listen(&self) {
        let mut caught = self.caught.lock().await;
        if caught.is_none() {
            *caught = EndSignals::listen().ok();
        }
    }

    /// Waits for the next interrupt, which is then nobody else's.
    async fn next(&self) -> Interrupt {
        self.claims.send_modify(|claims| *claims += 1);
        let _claim = Claim(&self.claims);
        self.receive().await
    }

    /// Waits for the next interrupt that comes while nobody claims it.
    async fn unclaimed(&self) -> Interrupt {
        let mut claims = self.claims.subscribe();
        loop {
            let _ = claims.wait_for(|claims| *claims == 0).await;
            tokio::select! {
                biased;
                _ = claims.wait_for(|claims| *claims > 0) => {}
                interrupt = self.receive() => return interrupt,
            }
        }
    }

    async fn receive(&self) -> Interrupt {
        self.listen().await;
        let mut caught = self.caught.lock().await;
        let Some(signals) = caught.as_mut() else { return std::future::pending().await };
        match signals.next().await {
            EndSignal::Interrupt => Interrupt::Interrupted,
            EndSignal::Terminate => Interrupt::Terminated,
        }
    }
}

/// Returns the width of a stream if it is a terminal. Other output is searched and compared line by line, so it is not
/// wrapped.
pub(super) fn columns(stream: impl platform::Stream) -> Option<usize> {
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

/// Begins a line where the terminal shows `^C`, which is what it made of an interrupt.
pub(super) fn overwrite_echo() {
    if std::io::stderr().is_terminal() {
        let _ = anstream::stderr().write_all(b"\r\x1b[K");
    }
}

/// Prints on stderr.
pub(super) fn print_error(text: &str) {
    let _ = anstream::stderr().write_all(printed(text).as_bytes());
}
