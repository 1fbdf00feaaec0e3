//! Atomic files and folders, append-only files that are durable line by line, and locks.
//!
//! Everything is created for its owner only (0600, folders 0700), since settings of a tenant are confidential.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::platform;

mod lock;

pub use lock::{Lock, LockAttempt, LockHolder};

/// Why a file or folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read \"{path}\"", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It cannot be created, written or moved.
    #[error("cannot write \"{path}\"", path = .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It cannot be locked.
    #[error("cannot take the lock \"{path}\"", path = .path.display())]
    Lock {
        /// The path of the lock file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Error {
    /// Returns a function that creates the error for reading this file.
    pub fn reading(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Read { path: path.to_owned(), source }
    }

    /// Returns a function that creates the error for writing this file or folder.
    pub fn writing(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Write { path: path.to_owned(), source }
    }

    /// Returns the kind of the cause.
    pub fn kind(&self) -> io::ErrorKind {
        let (Self::Read { source, .. } | Self::Write { source, .. } | Self::Lock { source, .. }) = self;
        source.kind()
    }

    /// Returns whether the file does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
    }

    /// Returns the error with a path in a temporary folder replaced by the path in the final one.
    fn moved(mut self, aside: &Path, folder: &Path) -> Self {
        let (Self::Read { path, .. } | Self::Write { path, .. } | Self::Lock { path, .. }) = &mut self;
        if let Ok(name) = path.strip_prefix(aside) {
            *path = folder.join(name);
        }
        self
    }
}

/// Returns `None` if the file does not exist.
///
/// # Errors
///
/// If it exists but cannot be read.
pub(crate) fn if_exists<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Err(error) if error.is_missing() => Ok(None),
        read => read.map(Some),
    }
}

/// How everything is called that is written aside.
pub(crate) const PREFIX: &str = ".migrate-";

/// The maximum size of a file that is read, far above any snapshot, plan or journal.
pub(crate) const LARGEST: u64 = 1 << 30;

/// Reads a file.
///
/// # Errors
///
/// If it cannot be read, is too large, or is not a regular file: a pipe or a device may never end.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    content_of(path).map_err(Error::reading(path))
}

fn content_of(path: &Path) -> io::Result<Vec<u8>> {
    let file = open(OpenOptions::new().read(true), path)?;
    let mut content = Vec::new();
    if file.metadata()?.len() <= LARGEST {
        (&file).take(LARGEST + 1).read_to_end(&mut content)?;
    }
    if content.len() as u64 > LARGEST || file.metadata()?.len() > LARGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {} GiB", LARGEST >> 30)));
    }
    Ok(content)
}

/// Reads a text file.
///
/// # Errors
///
/// As [`read`], and if it is not UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    let no_text = |_| io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8");
    String::from_utf8(read(path)?).map_err(no_text).map_err(Error::reading(path))
}

/// Opens a regular file, without waiting for the other end of a pipe.
fn open(how: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = platform::without_waiting(how).open(path)?;
    let kind = file.metadata()?.file_type();
    let what = match kind {
        _ if kind.is_file() => return Ok(file),
        _ if kind.is_dir() => "a folder",
        _ if platform::is_pipe(kind) => "a pipe",
        _ => "a device",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, and a file was expected")))
}

/// Returns whether others than its owner and their group can read or write a file.
pub(crate) fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| platform::may_be_changed_or_read_by_all(&metadata))
}

/// Returns whether files can be created in a folder, or the folder itself, if it does not exist yet.
pub(crate) fn may_write_in(folder: &Path) -> bool {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let existing =
        folder.ancestors().map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path }).find(|path| path.exists());
    existing.is_some_and(|path| path.is_dir() && platform::may_write_in(path))
}

/// Returns whether a name is that of an entry in a folder, rather than a path out of it.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let is_plain = |sign: char| !sign.is_control() && !['/', '\\'].contains(&sign);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain)
}

/// Creates a folder and its parents, readable by the owner only.
///
/// # Errors
///
/// If the folder cannot be created.
pub(crate) fn make_folder(path: &Path) -> Result<(), Error> {
    create_folder(path).map_err(Error::writing(path))
}

fn create_folder(path: &Path) -> io::Result<()> {
    let made = platform::private_folder(fs::DirBuilder::new().recursive(true)).create(path);
    // The system reports "File exists" for the folder itself and "Not a directory" for a parent, neither with the path.
    made.map_err(|refused| match path.ancestors().find(|above| above.is_file()) {
        Some(file) => io::Error::new(io::ErrorKind::NotADirectory, format!("\"{}\" is a file, not a folder", file.display())),
        None => refused,
    })
}

/// Creates a folder that must not exist yet, and its parents, readable by the owner only.
///
/// # Errors
///
/// If it exists, or cannot be created.
pub(crate) fn make_new_folder(path: &Path) -> Result<(), Error> {
    let make = || {
        create_folder(folder_of(path))?;
        platform::private_folder(&mut fs::DirBuilder::new()).create(path)?;
        platform::sync_folder(folder_of(path))
    };
    make().map_err(Error::writing(path))
}

/// Writes a file atomically: a reader sees either the old or the new content, even after a power failure.
///
/// # Errors
///
/// If the content cannot be made durable; the old file is then unchanged.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), Error> {
    write_whole_with(path, |out| out.write_all(content))
}

/// Writes a file atomically, like [`write_whole`], with content that `fill` generates while it is written.
///
/// # Errors
///
/// If `fill` fails or the content cannot be made durable; the old file is then unchanged.
pub(crate) fn write_whole_with(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    replace(path, fill).map_err(Error::writing(path))
}

fn replace(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = folder_of(path);
    create_folder(folder)?;
    let mut aside = tempfile::Builder::new().prefix(PREFIX).tempfile_in(folder)?;
    // Writes to the inner file, so that errors do not contain the meaningless temporary path.
    let mut out = BufWriter::new(aside.as_file_mut());
    fill(&mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    aside.persist(path).map_err(|refused| refused.error)?;
    platform::sync_folder(folder)
}

/// Writes a folder atomically: `fill` writes to a temporary folder, which is then renamed to `path`.
///
/// # Errors
///
/// If `fill` fails or `path` is taken; nothing is left behind.
pub(crate) fn write_folder_whole(path: &Path, fill: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    let failed = Error::writing(path);
    let aside = filled_aside(path, fill)?;
    fs::rename(aside.path(), path).map_err(&failed)?;
    // The folder was renamed, so there is nothing to clean up under the temporary name.
    let _ = aside.keep();
    platform::sync_folder(folder_of(path)).map_err(&failed)
}

/// Replaces a folder: `fill` writes to a temporary folder beside it, which then takes its place in one step, where the system has such a
/// step; the old content is deleted.
///
/// # Errors
///
/// If `fill` fails, or the folder cannot be replaced; the old one is then unchanged.
pub(crate) fn replace_folder_whole(path: &Path, fill: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    // After the exchange, the temporary folder has the old content, and is deleted with it.
    let aside = filled_aside(path, fill)?;
    let exchanged = match platform::exchange(aside.path(), path) {
        // Some systems and file systems cannot.
        Err(refused) if matches!(refused.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput) => {
            exchange_in_steps(aside.path(), path)
        }
        exchanged => exchanged,
    };
    exchanged.and_then(|()| platform::sync_folder(folder_of(path))).map_err(Error::writing(path))
}

/// Exchanges two folders by renaming them one after the other; if that fails, both have their old names.
fn exchange_in_steps(one: &Path, other: &Path) -> io::Result<()> {
    let moved = one.with_extension("old");
    fs::rename(other, &moved)?;
    if let Err(refused) = fs::rename(one, other) {
        fs::rename(&moved, other)?;
        return Err(refused);
    }
    fs::rename(&moved, one)
}

/// Creates a temporary folder beside a path and has it filled and made durable; it is deleted again unless it is kept.
fn filled_aside(path: &Path, fill: impl FnOnce(&Path) -> Result<(), Error>) -> Result<tempfile::TempDir, Error> {
    let (above, failed) = (folder_of(path), Error::writing(path));
    create_folder(above).map_err(&failed)?;
    let mut builder = tempfile::Builder::new();
    if let Some(permissions) = platform::private_folder_permissions() {
        builder.permissions(permissions);
    }
    let aside = builder.prefix(PREFIX).tempdir_in(above).map_err(&failed)?;
    fill(aside.path()).map_err(|error| error.moved(aside.path(), path))?;
    platform::sync_folder(aside.path()).map_err(&failed)?;
    Ok(aside)
}

/// The maximum age of a temporary file that may still be in use.
const ASIDE: Duration = Duration::from_secs(24 * 60 * 60);

/// Deletes temporary files that a killed process left in a folder. Those that cannot be deleted do no harm.
pub(crate) fn remove_leftovers(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    for entry in entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes())) {
        let age = entry.metadata().and_then(|metadata| metadata.modified()).map(|modified| modified.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > ASIDE) {
            let path = entry.path();
            let _ = if entry.file_type().is_ok_and(|kind| kind.is_dir()) { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
}

/// Returns whether a name begins with a dot, as those of temporary files do.
pub(crate) fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// Moves a file into another folder, which is created if it is missing.
///
/// # Errors
///
/// If the file does not exist or cannot be moved.
pub(crate) fn move_file(from: &Path, to: &Path) -> Result<(), Error> {
    let rename = || {
        create_folder(folder_of(to))?;
        fs::rename(from, to)?;
        platform::sync_folder(folder_of(to))?;
        platform::sync_folder(folder_of(from))
    };
    rename().map_err(Error::writing(to))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns the hash of a content: `sha256:` and 64 hexadecimal digits.
pub(crate) fn content_hash(content: &[u8]) -> String {
    let mut hash = ContentHash::default();
    hash.0.update(content);
    hash.finish()
}

/// Formats bytes as hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Computes the hash of a content that is written to it.
#[derive(Debug, Default)]
pub(crate) struct ContentHash(Sha256);

impl ContentHash {
    /// Returns the hash of everything written: `sha256:` and 64 hexadecimal digits.
    pub(crate) fn finish(self) -> String {
        format!("sha256:{}", hexadecimal(&self.0.finalize()))
    }
}

impl Write for ContentHash {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.0.update(content);
        Ok(content.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is only appended to, line by line.
#[derive(Debug)]
pub(crate) struct Appender {
    file: File,
    path: PathBuf,
}

impl Appender {
    /// Opens a file for appending, creating it if it is missing.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened or its folder cannot be made durable.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let open = || {
            create_folder(folder_of(path))?;
            let file = open(platform::private_file(OpenOptions::new().append(true).create(true)), path)?;
            platform::sync_folder(folder_of(path))?;
            Ok(Self { file, path: path.to_owned() })
        };
        open().map_err(Error::writing(path))
    }

    /// Appends lines and returns once they are durable.
    ///
    /// # Errors
    ///
    /// If they may not be durable; the caller must not continue as if they were.
    pub(crate) fn append(&mut self, lines: &str) -> Result<(), Error> {
        self.file.write_all(lines.as_bytes()).and_then(|()| self.file.sync_data()).map_err(Error::writing(&self.path))
    }

    /// Truncates the file to a length, to remove a torn last line.
    ///
    /// # Errors
    ///
    /// If the file cannot be truncated.
    pub(crate) fn cut_to(&mut self, bytes: u64) -> Result<(), Error> {
        // By another handle: some systems do not let one that only appends do it.
        let cut = || {
            let file = OpenOptions::new().write(true).open(&self.path)?;
            file.set_len(bytes).and_then(|()| file.sync_data())
        };
        cut().map_err(Error::writing(&self.path))
    }

    /// Returns whether only its owner can read it.
    ///
    /// # Errors
    ///
    /// If the system does not report its permissions.
    pub(crate) fn is_private(&self) -> Result<bool, Error> {
        let metadata = self.file.metadata().map_err(Error::reading(&self.path))?;
        Ok(!platform::is_reachable_by_others(&metadata))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_atomic_file_is_private_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/plan.json");
        write_whole(&path, b"one").expect("written");
        write_whole(&path, b"two").expect("written again");
        assert_eq!(fs::read_to_string(&path).expect("read"), "two");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().expect("a folder")).expect("listed").count(), 1);
    }

    #[test]
    fn a_folder_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("review");
        let write = |name: &'static str| move |aside: &Path| write_whole(&aside.join(name), b"x");
        let names = |path: &Path| {
            let entries = fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").file_name());
            entries.map(|name| name.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        write_folder_whole(&path, write("old")).expect("written");
        replace_folder_whole(&path, |aside| {
            write_whole(&aside.join("half"), b"x").and(Err(Error::writing(aside)(io::Error::other("full"))))
        })
        .expect_err("full");
        assert_eq!((names(&path), names(folder.path())), (vec!["old".to_owned()], vec!["review".to_owned()]));
        replace_folder_whole(&path, write("new")).expect("replaced");
        assert_eq!((names(&path), names(folder.path())), (vec!["new".to_owned()], vec!["review".to_owned()]));
        // As where the system cannot exchange two names.
        let other = folder.path().join("other");
        write_folder_whole(&other, write("newer")).expect("written");
        exchange_in_steps(&other, &path).expect("exchanged");
        assert_eq!((names(&path), names(&other)), (vec!["newer".to_owned()], vec!["new".to_owned()]));
        exchange_in_steps(&folder.path().join("missing"), &path).expect_err("it is missing");
        assert_eq!(names(&path), ["newer"]);
    }

    #[test]
    fn a_folder_that_cannot_be_filled_does_not_exist_and_the_error_names_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("snapshot");
        let filled = write_folder_whole(&path, |aside| {
            write_whole(&aside.join("half"), b"x")?;
            Err(Error::writing(&aside.join("other"))(io::Error::other("full")))
        });
        let told = filled.expect_err("full").to_string();
        assert_eq!(told, format!("cannot write \"{}\"", path.join("other").display()));
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 0);
    }
}
