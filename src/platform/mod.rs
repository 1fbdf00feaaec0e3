//! What differs between operating systems: no other module uses their interfaces.
//!
//! ```text
//! unix.rs       Linux, macOS and other Unix systems
//! windows.rs    Windows; where it cannot do the same, the function says what it does instead
//! ```
//!
//! Both have the same functions.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{
    EndSignals, HIDES_LOCKED_FILES, HiddenInput, Stream, device, discard_input, exchange, has_input, host_name, in_own_group, is_pipe,
    is_reachable_by_others, kill_with_children, may_be_changed_or_read_by_all, may_write_in, owner, private_file, private_folder,
    private_folder_permissions, shell, sync_folder, user, without_waiting,
};
#[cfg(windows)]
pub(crate) use windows::{
    EndSignals, HIDES_LOCKED_FILES, HiddenInput, Stream, device, discard_input, exchange, has_input, host_name, in_own_group, is_pipe,
    is_reachable_by_others, kill_with_children, may_be_changed_or_read_by_all, may_write_in, owner, private_file, private_folder,
    private_folder_permissions, shell, sync_folder, user, without_waiting,
};

/// What asked a process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndSignal {
    /// Somebody pressed Ctrl-C.
    Interrupt,
    /// The system, or another program.
    Terminate,
}
