//! Linux, macOS and other Unix systems.

use std::fs::{DirBuilder, File, FileType, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Access, OFlags};
use rustix::process::{Pid, Signal, kill_process_group};
use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use tokio::signal::unix::{self, SignalKind, signal};

use super::EndSignal;

pub(crate) use std::os::fd::AsFd as Stream;

/// Whether a locked file cannot be read by others.
pub(crate) const HIDES_LOCKED_FILES: bool = false;

/// The permissions of files for their owner only.
const FILE: u32 = 0o600;
/// The permissions of folders for their owner only.
const FOLDER: u32 = 0o700;

/// Returns the user who owns a file, if the system has such numbers.
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such number")]
pub(crate) fn owner(metadata: &Metadata) -> Option<u32> {
    Some(metadata.uid())
}

/// Returns the user as whom this process acts, if the system has such numbers.
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such number")]
pub(crate) fn user() -> Option<u32> {
    Some(rustix::process::geteuid().as_raw())
}

/// Returns what identifies the file system that a file is on, if the system has such numbers.
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such number")]
pub(crate) fn device(metadata: &Metadata) -> Option<u64> {
    Some(metadata.dev())
}

/// Has a file that is created be for its owner only.
pub(crate) fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(FILE)
}

/// Has folders that are created be for their owner only.
pub(crate) fn private_folder(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder.mode(FOLDER)
}

/// Returns the permissions of a folder for its owner only, if the system has such permissions.
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such permissions")]
pub(crate) fn private_folder_permissions() -> Option<Permissions> {
    Some(Permissions::from_mode(FOLDER))
}

/// Returns whether anybody but the owner can do anything with a file.
pub(crate) fn is_reachable_by_others(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o077 != 0
}

/// Returns whether people who are neither the owner nor in the group can read or write a file.
pub(crate) fn may_be_changed_or_read_by_all(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o006 != 0
}

/// Returns whether this process may create files in a folder.
pub(crate) fn may_write_in(folder: &Path) -> bool {
    rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// Has opening a pipe not wait for its other end.
pub(crate) fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(OFlags::NONBLOCK.bits().cast_signed())
}

/// Returns whether a file is a pipe.
pub(crate) fn is_pipe(kind: FileType) -> bool {
    kind.is_fifo()
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Exchanges two files or folders in one step.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(crate) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    Ok(rustix::fs::renameat_with(rustix::fs::CWD, one, rustix::fs::CWD, other, rustix::fs::RenameFlags::EXCHANGE)?)
}

/// Fails: this system cannot exchange two names in one step.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(crate) fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns the name of this machine.
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Returns the command that has the system's shell run a text.
pub(crate) fn shell(text: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", text]);
    shell
}

/// Has a command be in a process group of its own, which Ctrl-C does not interrupt.
pub(crate) fn in_own_group(command: &mut Command) -> &mut Command {
    command.process_group(0)
}

/// Kills a command that is in its own group, with everything that it started there.
pub(crate) fn kill_with_children(child: &mut Child) -> io::Result<()> {
    Ok(kill_process_group(Pid::from_child(child), Signal::KILL)?)
}

/// Discards what was typed and not read yet.
pub(crate) fn discard_input() -> io::Result<()> {
    Ok(tcflush(io::stdin(), QueueSelector::IFlush)?)
}

/// Returns whether reading from standard input would not wait, whatever comes of it.
pub(crate) fn has_input() -> bool {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(&io::stdin(), PollFlags::IN)], Some(&at_once)) != Ok(0)
}

/// Input that the terminal does not show, until this is dropped.
pub(crate) struct HiddenInput(Termios);

impl HiddenInput {
    /// Begins to hide it; returns nothing if there is no terminal.
    pub(crate) fn begin() -> Option<Self> {
        let shown = tcgetattr(io::stdin()).ok()?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden).ok()?;
        Some(Self(shown))
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        // Nothing can be done if the terminal is gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// The signals that ask this process to end, caught from now on.
#[derive(Debug)]
pub(crate) struct EndSignals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl EndSignals {
    /// Begins to catch them.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> EndSignal {
        tokio::select! {
            _ = self.interrupt.recv() => EndSignal::Interrupt,
            _ = self.terminate.recv() => EndSignal::Terminate,
        }
    }
}
