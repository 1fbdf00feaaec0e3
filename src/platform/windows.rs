//! Windows; where it cannot do what Unix does, the function says what it does instead.
//!
//! Files are as private as the folder that they are in: what a user creates in their own profile, other users cannot read.

use std::fs::{DirBuilder, FileType, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::windows::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};

use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};

use super::EndSignal;

pub(crate) use std::os::windows::io::AsHandle as Stream;

/// Whether a locked file cannot be read by others.
pub(crate) const HIDES_LOCKED_FILES: bool = true;

/// The flag `CREATE_NEW_PROCESS_GROUP`.
const NEW_PROCESS_GROUP: u32 = 0x0000_0200;

/// Returns nothing: the standard library does not say who owns a file.
pub(crate) fn owner(_: &Metadata) -> Option<u32> {
    None
}

/// Returns nothing: users have no numbers.
pub(crate) fn user() -> Option<u32> {
    None
}

/// Returns nothing: the standard library does not say which volume a file is on.
pub(crate) fn device(_: &Metadata) -> Option<u64> {
    None
}

/// Changes nothing: a new file has the access rules of its folder.
pub(crate) fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Changes nothing: a new folder has the access rules of the one above it.
pub(crate) fn private_folder(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder
}

/// Returns nothing: permissions of the standard library only say whether a file can be written.
pub(crate) fn private_folder_permissions() -> Option<Permissions> {
    None
}

/// Returns false: the standard library cannot read access rules.
pub(crate) fn is_reachable_by_others(_: &Metadata) -> bool {
    false
}

/// Returns false: the standard library cannot read access rules.
pub(crate) fn may_be_changed_or_read_by_all(_: &Metadata) -> bool {
    false
}

/// Returns whether a folder may be written to, without its access rules, which the standard library cannot read.
pub(crate) fn may_write_in(folder: &Path) -> bool {
    std::fs::metadata(folder).is_ok_and(|metadata| !metadata.permissions().readonly())
}

/// Changes nothing: pipes are not in folders.
pub(crate) fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Returns false: pipes are not in folders.
pub(crate) fn is_pipe(_: FileType) -> bool {
    false
}

/// Does nothing: a folder cannot be opened to flush it, and NTFS logs its entries.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Fails: the system cannot exchange two names in one step.
pub(crate) fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns the name of this machine.
pub(crate) fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "unknown".to_owned())
}

/// Returns the command that has the system's shell run a text.
pub(crate) fn shell(text: &str) -> Command {
    let mut shell = Command::new("cmd");
    // As it is written: `cmd` does not read quotes as other programs do.
    shell.arg("/C").raw_arg(text);
    shell
}

/// Has a command be in a process group of its own, which Ctrl-C does not interrupt.
pub(crate) fn in_own_group(command: &mut Command) -> &mut Command {
    command.creation_flags(NEW_PROCESS_GROUP)
}

/// Kills a command; what it started goes on.
pub(crate) fn kill_with_children(child: &mut Child) -> io::Result<()> {
    child.kill()
}

/// Does nothing: the standard library cannot discard what was typed before, so it answers the next question.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub(crate) fn discard_input() -> io::Result<()> {
    Ok(())
}

/// Returns true: it is unknown whether there is input, so that a question is waited for until it is answered.
pub(crate) fn has_input() -> bool {
    true
}

/// Input that the terminal does not show. There is none: the standard library cannot hide it.
pub(crate) struct HiddenInput;

impl HiddenInput {
    /// Returns nothing, so that no secret is asked for where it would be shown.
    pub(crate) fn begin() -> Option<Self> {
        None
    }
}

/// The signals that ask this process to end, caught from now on.
#[derive(Debug)]
pub(crate) struct EndSignals {
    interrupt: CtrlC,
    pause: CtrlBreak,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl EndSignals {
    /// Begins to catch them.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: ctrl_c()?, pause: ctrl_break()?, close: ctrl_close()?, shutdown: ctrl_shutdown()? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> EndSignal {
        tokio::select! {
            _ = self.interrupt.recv() => EndSignal::Interrupt,
            _ = self.pause.recv() => EndSignal::Interrupt,
            _ = self.close.recv() => EndSignal::Terminate,
            _ = self.shutdown.recv() => EndSignal::Terminate,
        }
    }
}
