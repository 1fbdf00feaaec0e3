//! `--log-file`: a log for machines, one line for each request, wait, retry and run.
//!
//! Only events of this program are written: those of its libraries may contain headers and bodies.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use clap::{Args, ValueEnum};
use tracing::info;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt, registry};

use super::error::{FAILED, Failure, USAGE};
use crate::files;
use crate::platform;

/// Where a log for machines goes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct LogOptions {
    /// Append a line for each request, wait, retry and run to this file; it never contains bodies or credentials
    #[arg(long, global = true, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// The format of the log [default: text]
    #[arg(long, global = true, value_name = "FORMAT", value_enum)]
    log_format: Option<LogFormat>,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people
    Text,
    /// For programs: one JSON object per line
    Json,
}

/// A log that is being written.
#[derive(Debug)]
pub(super) struct CommandLog {
    began: Instant,
    command: String,
    writer: Option<LogWriter>,
}

/// The file of a log, and the first error of writing to it.
#[derive(Debug, Clone)]
struct LogWriter(Arc<(File, OnceLock<String>)>);

impl Write for LogWriter {
    /// Writes a whole line at once, so that several processes may share a file.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let (mut file, failed) = (&self.0.0, &self.0.1);
        file.write(line).inspect_err(|error| drop(failed.set(error.to_string())))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LogOptions {
    /// Returns the file of the log, if there is one.
    pub(super) fn file(&self) -> Option<&Path> {
        self.log_file.as_deref()
    }

    /// Returns the options other than the file as arguments for another command.
    pub(super) fn format_to_args(&self) -> Vec<String> {
        let format = self.log_format.as_ref().and_then(ValueEnum::to_possible_value);
        format.into_iter().flat_map(|format| ["--log-format".to_owned(), format.get_name().to_owned()]).collect()
    }

    /// Begins to log a command.
    pub(super) fn start(&self, command: &str) -> Result<CommandLog, Failure> {
        if let (None, Some(_)) = (&self.log_file, self.log_format) {
            return Err(Failure::new(USAGE, "--log-format needs --log-file").hint("name the file that the log is appended to"));
        }
        let writer = self.log_file.as_deref().map(open).transpose()?;
        if let Some(writer) = writer.clone() {
            let lines = fmt::layer().with_target(false).with_ansi(false).log_internal_errors(false).with_writer(move || writer.clone());
            let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), LevelFilter::INFO);
            let lines: Box<dyn Layer<Registry> + Send + Sync> = match self.log_format.unwrap_or(LogFormat::Text) {
                LogFormat::Text => lines.boxed(),
                LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
            };
            let subscriber = registry().with(lines.with_filter(ours));
            tracing::subscriber::set_global_default(subscriber).map_err(|error| Failure::new(FAILED, "cannot log").caused_by(&error))?;
        }
        info!(command, version = env!("CARGO_PKG_VERSION"), pid = std::process::id(), "start");
        Ok(CommandLog { began: Instant::now(), command: command.to_owned(), writer })
    }
}

impl CommandLog {
    /// Ends the log of a command; returns a warning if it is incomplete.
    pub(super) fn end(&self, code: u8) -> Option<String> {
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        info!(command = self.command, exit_code = code, ms, "end");
        let error = self.writer.as_ref()?.0.1.get()?;
        Some(format!("warning: the log is incomplete: {error}\n"))
    }
}

/// Opens a file for appending; a new one is for its owner only. A device is one too: `/dev/stderr`.
fn open(path: &Path) -> Result<LogWriter, Failure> {
    let opened = platform::private_file(OpenOptions::new().append(true).create(true)).open(path);
    let file = opened.map_err(files::Error::writing(path)).map_err(|error| {
        Failure::from_error(USAGE, &error).hint("name a file with --log-file in a folder that exists and can be written to")
    })?;
    Ok(LogWriter(Arc::new((file, OnceLock::new()))))
}
