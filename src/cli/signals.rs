//! Ctrl-C and SIGTERM, heard from the first time somebody listens: one that comes between two waits is heard by the next.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Mutex;

use super::error::{INTERRUPTED, TERMINATED};

/// Both signals that end a run.
#[derive(Debug, Default)]
pub(super) struct Signals(Mutex<Option<(Signal, Signal)>>);

impl Signals {
    /// Listens from now on, even while nobody waits.
    pub(super) async fn listen(&self) {
        let mut heard = self.0.lock().await;
        if heard.is_none() {
            *heard = signal(SignalKind::interrupt()).ok().zip(signal(SignalKind::terminate()).ok());
        }
    }

    /// Waits for the next one; returns the exit code that says which it was.
    pub(super) async fn next(&self) -> u8 {
        self.listen().await;
        let mut heard = self.0.lock().await;
        let Some((interrupt, terminate)) = heard.as_mut() else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => INTERRUPTED,
            _ = terminate.recv() => TERMINATED,
        }
    }
}
