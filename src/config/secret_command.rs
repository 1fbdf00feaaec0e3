//! `client_secret_command`: the client secret as a command prints it, such as the client of a vault or a keychain.
//!
//! Nothing that the command prints on its standard output is shown or logged. It runs in the process group of this program, so
//! that it may ask at the terminal, and Ctrl-C ends it.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};

use super::error::{CommandMessage, Error, LateSetting};
use crate::diagnostic::FileLine;
use crate::platform;

/// How long a command may take, including a person who unlocks a vault.
const LONGEST: Duration = Duration::from_secs(60);
/// The maximum number of bytes read of each stream.
const MOST: u64 = 64 << 10;
/// The maximum number of lines of its standard error that an error shows.
const MOST_LINES: usize = 10;
/// How often it is looked whether a command has ended.
const INTERVAL: Duration = Duration::from_millis(10);

/// A command that prints a client secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretCommand {
    pub(super) words: CommandWords,
    /// The folder that it runs in: that of the configuration.
    pub(super) folder: PathBuf,
    /// Where it is configured.
    pub(super) place: FileLine,
}

/// A command, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CommandWords {
    /// A program and its arguments, which no shell reads.
    Words(Vec<String>),
    /// A text for the shell.
    Shell(String),
}

/// The secrets that commands have printed so far, by tenant: a command runs once.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownSecrets(Arc<Mutex<BTreeMap<String, SecretString>>>);

impl KnownSecrets {
    /// Returns the secret of a tenant, running its command if it has not run yet.
    pub(super) fn of(&self, tenant: &str, command: &SecretCommand) -> Result<SecretString, Error> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(secret) = known.get(tenant) {
            return Ok(secret.clone());
        }
        let secret = command.run(LONGEST).map_err(|failed| failed.of(tenant, command))?;
        known.insert(tenant.to_owned(), secret.clone());
        Ok(secret)
    }
}

/// Why a command printed no secret.
#[derive(Debug, Default)]
struct FailedCommand {
    what: String,
    said: Vec<String>,
}

impl FailedCommand {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), said: Vec::new() }
    }

    fn of(self, tenant: &str, command: &SecretCommand) -> Error {
        let said = CommandMessage::new(self.said.iter().map(String::as_str));
        LateSetting::SecretCommand.wrong((tenant, &command.place), self.what, said.map(Into::into))
    }
}

impl SecretCommand {
    fn run(&self, longest: Duration) -> Result<SecretString, FailedCommand> {
        let mut command = match &self.words {
            CommandWords::Words(words) => {
                let (program, arguments) = words.split_first().expect("parsed: a command has words");
                let mut command = Command::new(program);
                command.args(arguments);
                command
            }
            CommandWords::Shell(text) => platform::shell(text),
        };
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().map_err(|error| FailedCommand { what: "cannot be run".to_owned(), said: vec![error.to_string()] })?;
        let until = Instant::now() + longest;
        let (out, err) = (child.stdout.take().map(read_aside), child.stderr.take().map(read_aside));
        let status = ended(&mut child, until);
        // Something that it started may keep a stream open.
        let (out, err) = (content(out, until), content(err, until).unwrap_or_default());
        let said = |out: &[u8]| said(&String::from_utf8_lossy(&err), String::from_utf8_lossy(out).trim());
        let failed = |what: String, out: &[u8]| FailedCommand { what, said: said(out) };
        match (status, out) {
            (Ok(Some(status)), Some(out)) if status.success() => {
                secret(out).map_err(|what| FailedCommand { said: said(&[]), ..FailedCommand::new(what) })
            }
            (Ok(Some(status)), out) if !status.success() => Err(failed(format!("failed with {status}"), &out.unwrap_or_default())),
            (Ok(_), out) => Err(failed(format!("took longer than {}", humantime::format_duration(longest)), &out.unwrap_or_default())),
            (Err(error), out) => Err(failed(format!("cannot be waited for: {error}"), &out.unwrap_or_default())),
        }
    }
}

/// Reads a stream of a command, up to a limit, while the command runs.
fn read_aside(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut content = Vec::new();
        // What was read before an error counts; nobody receives it where the command took too long.
        let _ = stream.by_ref().take(MOST).read_to_end(&mut content);
        // The rest is read too: a command whose stream is closed would end with an error of its own.
        let _ = io::copy(&mut stream, &mut io::sink());
        let _ = send.send(content);
    });
    receive
}

fn content(stream: Option<Receiver<Vec<u8>>>, until: Instant) -> Option<Vec<u8>> {
    let left = until.saturating_duration_since(Instant::now()).max(INTERVAL);
    stream.and_then(|stream| stream.recv_timeout(left).ok())
}

/// Waits for a command; ends it and returns `None` if it takes too long.
fn ended(child: &mut Child, until: Instant) -> io::Result<Option<ExitStatus>> {
    while Instant::now() < until {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(INTERVAL);
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// Returns the secret in what a command printed: all of it, without one line break at its end.
fn secret(out: Vec<u8>) -> Result<SecretString, &'static str> {
    let text = String::from_utf8(out).map(SecretString::from).map_err(|_| "printed something that is no text")?;
    let printed = text.expose_secret();
    let line = printed.strip_suffix('\n').map_or(printed, |line| line.strip_suffix('\r').unwrap_or(line));
    match line {
        "" => Err("printed nothing"),
        line if line.contains(['\n', '\r']) => Err("printed more than one line"),
        line if line.len() as u64 >= MOST => Err("printed too much"),
        line => Ok(SecretString::from(line)),
    }
}

/// Returns the last lines of a standard error, without what was printed on the standard output.
fn said(err: &str, out: &str) -> Vec<String> {
    let lines: Vec<&str> = err.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(MOST_LINES)..];
    let without = |line: &&str| if out.is_empty() { (*line).to_owned() } else { line.replace(out, "(redacted)") };
    last.iter().map(without).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Text;
    use std::path::Path;

    fn command(text: &str) -> SecretCommand {
        let place = Text { path: Path::new("migrate.toml"), text: "" }.line_of(0);
        SecretCommand { words: CommandWords::Shell(text.to_owned()), folder: PathBuf::from("."), place }
    }

    fn printed(text: &str) -> Result<String, (String, Vec<String>)> {
        let ran = command(text).run(LONGEST);
        ran.map(|secret| secret.expose_secret().to_owned()).map_err(|failed| (failed.what, failed.said))
    }

    #[test]
    fn the_secret_is_what_is_printed_without_one_line_break() {
        assert_eq!(printed("echo ' a b '"), Ok(" a b ".to_owned()));
        assert_eq!(printed("printf 'x\\r\\n'"), Ok("x".to_owned()));
        assert_eq!(printed("printf x; echo warning >&2"), Ok("x".to_owned()));
        let without = |what: &str| Err((what.to_owned(), Vec::new()));
        assert_eq!(printed("true"), without("printed nothing"));
        assert_eq!(printed("echo; echo CANARY"), without("printed more than one line"));
        assert_eq!(printed("printf '\\377'"), without("printed something that is no text"));
        assert_eq!(printed("head -c 1000000 /dev/zero"), without("printed too much"));
        assert_eq!(printed("head -c 1000000 /dev/zero >&2; echo x"), Ok("x".to_owned()));
    }

    #[test]
    fn a_failure_shows_the_standard_error_and_never_what_was_printed() {
        let (what, said) = printed("echo CANARY; echo 'not signed in, CANARY is old' >&2; exit 3").expect_err("it failed");
        assert_eq!((what.as_str(), said), ("failed with exit status: 3", vec!["not signed in, (redacted) is old".to_owned()]));
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended_also_where_its_child_keeps_the_stream() {
        let began = Instant::now();
        for text in ["echo CANARY; exec sleep 600", "sleep 600 & echo CANARY"] {
            let failed = command(text).run(Duration::from_millis(300)).expect_err("too late");
            assert_eq!((failed.what.as_str(), failed.said.len()), ("took longer than 300ms", 0), "{text}");
        }
        assert!(began.elapsed() < Duration::from_secs(300), "{:?}", began.elapsed());
    }

    #[test]
    fn a_command_runs_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let counting = SecretCommand { folder: folder.path().to_owned(), ..command("echo x >> ran; echo secret") };
        let known = KnownSecrets::default();
        for _ in 0..3 {
            assert_eq!(known.clone().of("dev", &counting).expect("a secret").expose_secret(), "secret");
        }
        assert_eq!(std::fs::read_to_string(folder.path().join("ran")).expect("it ran"), "x\n");
    }
}
