//! Locks: one holder at a time, across processes, until the holder releases it or ends.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use super::{Error, create_folder, folder_of, open};
use crate::platform;

/// A lock that is held until this value is dropped or its process ends.
///
/// Its file describes the holder and is emptied on release, so text in the file of a free lock was left by a process
/// that died.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// The result of trying to take a lock.
#[derive(Debug)]
pub enum LockAttempt {
    /// The lock was taken.
    Held {
        /// The lock.
        lock: Lock,
        /// The description of the last holder, if it died without releasing the lock.
        left_behind: Option<String>,
    },
    /// Another process holds it; this is its description.
    By(String),
}

/// Who holds a lock, according to its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockHolder {
    /// Nobody.
    Nobody,
    /// A process that died without releasing it; this is its description.
    Dead(String),
    /// A running process; this is its description.
    Running(String),
}

/// How long to wait in milliseconds if the lock is held but its file is empty, because it is just being taken or
/// released.
const WHILE_IT_CHANGES_HANDS: u32 = 500;

impl Lock {
    /// Takes the lock, or returns the description of its holder, without waiting.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, read or written.
    pub fn take(path: &Path, holder: &str) -> Result<LockAttempt, Error> {
        Self::attempt(path, holder).map_err(|source| Error::Lock { path: path.to_owned(), source })
    }

    /// Returns who holds a lock, without taking or creating it.
    ///
    /// # Errors
    ///
    /// If the file exists and cannot be opened or read.
    pub fn holder(path: &Path) -> Result<LockHolder, Error> {
        let of_file = || {
            let file = match open(OpenOptions::new().read(true), path) {
                Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(LockHolder::Nobody),
                opened => opened?,
            };
            // Shared, so that it is not in the way of another reader; whoever takes the lock meanwhile tries again.
            let is_free = match file.try_lock_shared() {
                Ok(()) => true,
                Err(fs::TryLockError::WouldBlock) => false,
                Err(fs::TryLockError::Error(source)) => return Err(source),
            };
            let holder = if is_free { word_in(&file) } else { word_of_holder(&file) }?;
            Ok(match (is_free, holder.is_empty()) {
                (false, _) => LockHolder::Running(holder),
                (true, true) => LockHolder::Nobody,
                (true, false) => LockHolder::Dead(holder),
            })
        };
        of_file().map_err(|source| Error::Lock { path: path.to_owned(), source })
    }

    fn attempt(path: &Path, holder: &str) -> io::Result<LockAttempt> {
        create_folder(folder_of(path))?;
        let mut file = open(platform::private_file(OpenOptions::new().read(true).write(true).create(true).truncate(false)), path)?;
        for is_last in (0..WHILE_IT_CHANGES_HANDS).map(|time| time + 1 == WHILE_IT_CHANGES_HANDS) {
            match file.try_lock() {
                Ok(()) => break,
                Err(fs::TryLockError::WouldBlock) => {
                    let holder = word_of_holder(&File::open(path)?)?;
                    if is_last || !holder.is_empty() {
                        return Ok(LockAttempt::By(holder));
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(fs::TryLockError::Error(source)) => return Err(source),
            }
        }
        let left_behind = word_in(&file)?;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(holder.as_bytes())?;
        Ok(LockAttempt::Held { lock: Self { file }, left_behind: (!left_behind.is_empty()).then_some(left_behind) })
    }
}

/// The maximum number of bytes read from a lock file, more than any description has.
const LONGEST_WORD: u64 = 1_000;

/// Returns the description of whoever holds a lock, or a general one where the system hides it.
fn word_of_holder(file: &File) -> io::Result<String> {
    match word_in(file) {
        Err(_) if platform::HIDES_LOCKED_FILES => Ok("another process".to_owned()),
        word => word,
    }
}

/// Returns the description in a lock file as one line, whatever the file contains.
fn word_in(file: &File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(LONGEST_WORD).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).replace(char::is_control, " ").trim_end().to_owned())
}

impl Drop for Lock {
    fn drop(&mut self) {
        // If it cannot be emptied, the next holder is told that this one died, which does no harm.
        let _ = self.file.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_told_without_taking_the_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let holder = || Lock::holder(&path).expect("read");
        assert_eq!(holder(), LockHolder::Nobody);
        assert!(!path.exists());
        let held = taken(&path, "ada");
        assert_eq!(holder(), LockHolder::Running("ada".to_owned()));
        drop(held);
        assert_eq!(holder(), LockHolder::Nobody);
        fs::write(&path, "bob").expect("written");
        assert_eq!(holder(), LockHolder::Dead("bob".to_owned()));
    }

    fn taken(path: &Path, holder: &str) -> LockAttempt {
        Lock::take(path, holder).expect("opened")
    }

    #[test]
    fn a_second_process_learns_who_holds_the_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let held = taken(&path, "ada");
        assert!(matches!(taken(&path, "bob"), LockAttempt::By(holder) if holder == "ada"));
        drop(held);
        assert!(matches!(taken(&path, "bob"), LockAttempt::Held { left_behind: None, .. }));
    }

    #[test]
    fn the_lock_of_a_dead_process_is_taken_over_with_its_description() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        fs::write(&path, "a holder with a long name").expect("written");
        let LockAttempt::Held { left_behind, lock } = taken(&path, "bob") else { panic!("nobody holds it") };
        assert_eq!(left_behind.as_deref(), Some("a holder with a long name"));
        assert_eq!(fs::read_to_string(&path).expect("read"), "bob");
        drop(lock);
        assert_eq!(fs::read_to_string(&path).expect("read"), "");
    }

    #[test]
    fn a_lock_file_without_valid_text_can_be_locked() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        fs::write(&path, b"ada\x1b[2J\n\xff\xfe").expect("written");
        let LockAttempt::Held { left_behind, .. } = taken(&path, "bob") else { panic!("nobody holds it") };
        assert_eq!(left_behind.as_deref(), Some("ada [2J \u{fffd}\u{fffd}"));
    }
}
