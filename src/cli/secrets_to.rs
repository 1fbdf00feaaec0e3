//! `--secrets-to`: stores the secrets that a target generates when it creates resources.
//!
//! Each secret is one JSON object on a line: `tenant`, `kind`, `name`, `id`, `field`, `secret`. Lines are appended to a
//! file, or passed to a command on its standard input. The command's output is discarded, since it may repeat its
//! input.

use std::collections::HashMap;
use std::error::Error as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::error::{FAILED, Failure, USAGE};
use crate::apply::{NewSecret, SecretSink};
use crate::files::{self, Appender};
use crate::model::resource::{Id, Key};
use crate::platform;
use crate::report::shell_word;

/// The timeout of a command for one secret.
const LONGEST: Duration = Duration::from_secs(60);

/// Whether the secrets that a target makes are kept, as it is asked for.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Secrets {
    /// Store the secrets that the target generates: append them to a file, or pass each secret to the standard input of a command. The
    /// command cannot use the terminal and is stopped after one minute
    #[arg(long, value_name = "file:PATH|exec:CMD")]
    secrets_to: Option<SecretDestination>,
}

impl Secrets {
    /// Returns the option, quoted for a shell.
    pub(super) fn to_shell(&self) -> Vec<String> {
        self.to_args().iter().map(|word| shell_word(word)).collect()
    }

    /// Returns the option as arguments.
    pub(super) fn to_args(&self) -> Vec<String> {
        let place = |to: &SecretDestination| match to {
            SecretDestination::File(path) => format!("file:{}", path.display()),
            SecretDestination::Command(command) => format!("exec:{command}"),
        };
        self.secrets_to.iter().flat_map(|to| ["--secrets-to".to_owned(), place(to)]).collect()
    }

    /// Returns the sink for the secrets of a tenant, checked before anything is written to the tenant.
    pub(super) fn sink(&self, tenant: &str) -> Result<Option<Box<dyn SecretSink>>, Failure> {
        self.secrets_to.as_ref().map(|to| to.sink(tenant)).transpose()
    }
}

/// Where secrets that a target generates are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SecretDestination {
    /// Appended to this file.
    File(PathBuf),
    /// Each passed to this command on standard input.
    Command(String),
}

/// A text that names neither a file nor a command.
#[derive(Debug, thiserror::Error)]
#[error("expected file:PATH or exec:COMMAND")]
struct InvalidDestination;

impl FromStr for SecretDestination {
    type Err = InvalidDestination;

    fn from_str(text: &str) -> Result<Self, InvalidDestination> {
        match text.split_once(':') {
            Some((_, "")) | None => Err(InvalidDestination),
            Some(("file", path)) => Ok(Self::File(path.into())),
            Some(("exec", command)) => Ok(Self::Command(command.to_owned())),
            Some(_) => Err(InvalidDestination),
        }
    }
}

impl SecretDestination {
    fn sink(&self, tenant: &str) -> Result<Box<dyn SecretSink>, Failure> {
        Ok(match self {
            Self::File(path) => Box::new(FileSink::open(path, tenant)?),
            Self::Command(command) => Box::new(CommandSink { command: command.clone(), tenant: tenant.to_owned(), hangs: false }),
        })
    }
}

/// One secret as it is stored.
#[derive(Serialize, Deserialize)]
struct SecretLine {
    tenant: String,
    kind: String,
    name: String,
    id: String,
    field: String,
    secret: String,
}

impl SecretLine {
    fn new(tenant: &str, new: &NewSecret<'_>) -> Self {
        Self {
            tenant: tenant.to_owned(),
            kind: new.key.kind().name.to_owned(),
            name: new.key.name().to_owned(),
            id: new.id.to_string(),
            field: new.path.to_owned(),
            secret: new.secret.expose_secret().to_owned(),
        }
    }

    fn to_text(&self) -> String {
        let mut text = serde_json::to_string(self).expect("a line is JSON");
        text.push('\n');
        text
    }
}

/// A file for secrets that only its owner can read.
struct FileSink {
    file: Appender,
    tenant: String,
    /// Whether the last line may be incomplete.
    is_torn: bool,
    /// The secrets of this tenant in the file, by kind, id and field.
    kept: HashMap<(String, String, String), SecretString>,
}

impl FileSink {
    fn open(path: &Path, tenant: &str) -> Result<Self, Failure> {
        let failed = |error: files::Error| Failure::from_error(FAILED, &error).hint("name another file with --secrets-to");
        if path.exists() && !path.is_file() {
            return Err(Failure::new(USAGE, format!("--secrets-to \"{}\" is not a file", path.display())));
        }
        let mut file = Appender::open(path).map_err(failed)?;
        if !file.is_private().map_err(failed)? {
            let hint = format!("run `chmod 600 {}`, or name another file", path.display());
            return Err(Failure::new(USAGE, format!("--secrets-to \"{}\" can be read by other users", path.display())).hint(hint));
        }
        let held = files::read(path).map_err(failed)?;
        if !held.is_empty() && !held.ends_with(b"\n") {
            // An incomplete line, left by a power failure, must not spoil the next one.
            file.append("\n").map_err(failed)?;
        }
        // Line by line, since an incomplete one may not be valid UTF-8.
        let lines = held.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<SecretLine>(line).ok());
        let of_tenant = lines.filter(|line| line.tenant == tenant);
        let kept = of_tenant.map(|line| ((line.kind, line.id, line.field), SecretString::from(line.secret))).collect();
        Ok(Self { file, tenant: tenant.to_owned(), is_torn: false, kept })
    }
}

impl FileSink {
    fn append(&mut self, new: &NewSecret<'_>) -> Result<(), String> {
        let place = place(new.key, new.id, new.path);
        if self.kept.get(&place).is_some_and(|kept| kept.expose_secret() == new.secret.expose_secret()) {
            return Ok(());
        }
        // The file is not truncated: a run to another tenant may have appended to it since.
        let begins = if self.is_torn { "\n" } else { "" };
        let written = self.file.append(&format!("{begins}{}", SecretLine::new(&self.tenant, new).to_text()));
        self.is_torn = written.is_err();
        written.map_err(|error| error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}")))?;
        self.kept.insert(place, new.secret.clone());
        Ok(())
    }
}

impl SecretSink for FileSink {
    fn keep<'run>(&'run mut self, new: &'run NewSecret<'run>) -> BoxFuture<'run, Result<(), String>> {
        Box::pin(std::future::ready(self.append(new)))
    }

    fn has(&self, key: &Key, id: &Id, path: &str) -> bool {
        self.kept.contains_key(&place(key, id, path))
    }
}

fn place(key: &Key, id: &Id, path: &str) -> (String, String, String) {
    (key.kind().name.to_owned(), id.to_string(), path.to_owned())
}

/// A command that receives each secret.
struct CommandSink {
    command: String,
    tenant: String,
    /// Whether it exceeded its timeout once, so that it is not called again.
    hangs: bool,
}

impl SecretSink for CommandSink {
    fn keep<'run>(&'run mut self, new: &'run NewSecret<'run>) -> BoxFuture<'run, Result<(), String>> {
        let line = SecretLine::new(&self.tenant, new).to_text();
        Box::pin(async move {
            if self.hangs {
                return Err("the --secrets-to command timed out for an earlier secret".to_owned());
            }
            let ended = given(&self.command, &line, LONGEST).await;
            self.hangs = matches!(ended, Ok(None));
            match ended {
                Ok(Some(ended)) if ended.success() => Ok(()),
                Ok(Some(ended)) => Err(format!("the --secrets-to command failed: {ended}")),
                Ok(None) => Err(format!("the --secrets-to command timed out after {} s", LONGEST.as_secs())),
                Err(error) => Err(format!("the --secrets-to command cannot be run: {error}")),
            }
        })
    }

    fn has(&self, _: &Key, _: &Id, _: &str) -> bool {
        false
    }
}

/// A running command. When dropped, it is killed with all its child processes.
///
/// It has its own process group: Ctrl-C lets requests in flight complete, and must not kill a command while it stores a
/// secret.
struct Started(Child);

impl Started {
    fn new(command: &str) -> io::Result<Self> {
        let mut shell = platform::shell(command);
        let shell = platform::in_own_group(&mut shell).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        shell.spawn().map(Self)
    }

    /// Waits for the command without blocking signal handling; `None` if it takes too long.
    async fn ended_within(&mut self, longest: Duration) -> io::Result<Option<ExitStatus>> {
        let (started, mut pause) = (Instant::now(), Duration::from_millis(1));
        while started.elapsed() <= longest {
            if let Some(ended) = self.0.try_wait()? {
                return Ok(Some(ended));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        Ok(None)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            // Kills the whole group, since a shell waits for every part of `a | b`. If it cannot be killed, it is not
            // waited for.
            let _ = platform::kill_with_children(&mut self.0).map(|()| self.0.wait());
        }
    }
}

/// Runs a command with this standard input; returns its status, or `None` if it took too long and was killed.
async fn given(command: &str, input: &str, longest: Duration) -> io::Result<Option<ExitStatus>> {
    let mut started = Started::new(command)?;
    let is_written = started.0.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(input.as_bytes()));
    let ended = started.ended_within(longest).await?;
    match is_written {
        // If a command exits without reading its input, its status shows whether that was a failure.
        Err(broken) if broken.kind() != io::ErrorKind::BrokenPipe => Err(broken),
        _ => Ok(ended),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::key;
    use std::process::Command;

    #[test]
    fn a_destination_that_is_neither_a_file_nor_a_command_is_refused() {
        assert_eq!("file:a/b".parse::<SecretDestination>().expect("a file"), SecretDestination::File("a/b".into()));
        assert_eq!(
            "exec:pass insert x:y".parse::<SecretDestination>().expect("a command"),
            SecretDestination::Command("pass insert x:y".into())
        );
        for text in ["", "a/b", "file:", "exec:", "vault:x"] {
            assert!(text.parse::<SecretDestination>().is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_command_that_never_ends_is_killed() {
        assert_eq!(given("sleep 600", "x", Duration::from_millis(20)).await.expect("run"), None);
    }

    #[tokio::test]
    async fn child_processes_of_a_killed_command_are_killed_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pid");
        let command = format!("sleep 600 & echo $! > '{}'; wait", path.display());
        assert_eq!(given(&command, "x", Duration::from_secs(1)).await.expect("run"), None);
        let pid = std::fs::read_to_string(&path).expect("it was started");
        let is_there = || {
            let told = Command::new("ps").args(["-o", "stat=", "-p", pid.trim()]).output().expect("ps");
            !matches!(told.stdout.first(), None | Some(b'Z'))
        };
        let since = Instant::now();
        while is_there() {
            assert!(since.elapsed() < Duration::from_secs(10), "{pid} goes on");
        }
    }

    #[tokio::test]
    async fn a_command_is_not_in_the_process_group_that_ctrl_c_interrupts() {
        let is_leader = "test \"$(ps -o pgid= -p $$ | tr -d ' ')\" = $$";
        let ended = given(is_leader, "x", LONGEST).await.expect("run").expect("in time");
        assert!(ended.success(), "{ended}");
    }

    #[test]
    fn secrets_of_other_tenants_and_after_a_torn_character_are_distinguished() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secrets.jsonl");
        let (key, id, secret) = (key("clients/Web"), Id::new("c1"), SecretString::from("s3cret"));
        let new = NewSecret { key: &key, id: &id, path: "client_secret", secret: &secret };
        FileSink::open(&path, "prod").expect("opened").append(&new).expect("kept");
        Appender::open(&path).expect("opened").append("{\"tenant\":\"prod\",\"name\":\"").expect("appended");
        let mut held = std::fs::read(&path).expect("read");
        held.extend(&"ü".as_bytes()[..1]);
        std::fs::write(&path, held).expect("written");
        assert!(FileSink::open(&path, "prod").expect("opened").has(&key, &id, "client_secret"));
        assert!(!FileSink::open(&path, "stage").expect("opened").has(&key, &id, "client_secret"));
    }

    #[test]
    fn a_torn_line_does_not_spoil_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secrets.jsonl");
        let (key, id, secret) = (key("clients/Web"), Id::new("c1"), SecretString::from("s3cret"));
        let mut kept = FileSink::open(&path, "prod").expect("opened");
        // A line as a full disk leaves it.
        std::fs::write(&path, "{\"tenant\":\"pr").expect("written");
        kept.is_torn = true;
        kept.append(&NewSecret { key: &key, id: &id, path: "client_secret", secret: &secret }).expect("kept");
        assert!(FileSink::open(&path, "prod").expect("opened").has(&key, &id, "client_secret"));
        assert!(!kept.is_torn);
    }

    #[test]
    fn a_repeated_secret_is_stored_once_even_after_a_torn_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secrets.jsonl");
        let (key, id, secret) = (key("clients/Web"), Id::new("c1"), SecretString::from("s3cret"));
        let new = NewSecret { key: &key, id: &id, path: "client_secret", secret: &secret };
        for torn in ["", "{\"tenant\":\"pr"] {
            FileSink::open(&path, "prod").expect("opened").append(&new).expect("kept");
            let text = std::fs::read_to_string(&path).expect("read");
            std::fs::write(&path, format!("{text}{torn}")).expect("written");
        }
        let mut again = FileSink::open(&path, "prod").expect("opened");
        assert!(again.has(&key, &id, "client_secret"));
        let other = SecretString::from("other");
        again.append(&NewSecret { secret: &other, ..new }).expect("kept");
        let text = std::fs::read_to_string(&path).expect("read");
        let line = |secret: &str| {
            format!(r#"{{"tenant":"prod","kind":"clients","name":"Web","id":"c1","field":"client_secret","secret":"{secret}"}}"#)
        };
        assert_eq!(text.lines().collect::<Vec<_>>(), [line("s3cret").as_str(), "{\"tenant\":\"pr", &line("other")]);
    }
}
