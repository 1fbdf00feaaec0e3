//! `--lock-timeout`: how long to wait for another run on the same target.

use std::time::Duration;

use clap::Args;

/// What to do while another run holds the lock.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct LockOptions {
    /// How long to wait for another run on the target to finish, for example 10m [default: do not wait]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(super) lock_timeout: Option<Duration>,
}

impl LockOptions {
    /// Returns the option as arguments.
    pub(super) fn to_args(self) -> Vec<String> {
        let time = |wait| humantime::format_duration(wait).to_string().replace(' ', "");
        self.lock_timeout.into_iter().flat_map(|wait| ["--lock-timeout".to_owned(), time(wait)]).collect()
    }
}
