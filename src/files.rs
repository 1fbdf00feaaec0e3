//! Files that are written whole or not at all, journals that are durable line by line, and locks.
//!
//! Everything written here is for its owner only (0600, folders 0700): settings of a tenant are nobody else's business.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

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
        /// The file of the lock.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Error {
    /// Returns the error of reading this file.
    pub fn reading(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Read { path: path.to_owned(), source }
    }

    /// Returns the error of writing this file or folder.
    pub fn writing(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Write { path: path.to_owned(), source }
    }

    /// Returns the kind of its cause.
    pub fn kind(&self) -> io::ErrorKind {
        let (Self::Read { source, .. } | Self::Write { source, .. } | Self::Lock { source, .. }) = self;
        source.kind()
    }

    /// Returns whether there is no file of that name.
    pub fn is_missing(&self) -> bool {
        matches!(self.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
    }

    /// Returns it with the path in a folder written aside as the path in the folder that takes its place.
    fn moved(mut self, aside: &Path, folder: &Path) -> Self {
        let (Self::Read { path, .. } | Self::Write { path, .. } | Self::Lock { path, .. }) = &mut self;
        if let Ok(name) = path.strip_prefix(aside) {
            *path = folder.join(name);
        }
        self
    }
}

/// Returns what was read of a file, and nothing where there is none of that name.
///
/// # Errors
///
/// When it is there and cannot be read.
pub(crate) fn if_exists<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Err(error) if error.is_missing() => Ok(None),
        read => read.map(Some),
    }
}

/// How everything is called that is written aside.
const PREFIX: &str = ".migrate-";

/// Bytes that are read of a file at most: no snapshot, plan or journal of a tenant comes near it.
pub(crate) const LARGEST: u64 = 1 << 30;

/// Reads a file.
///
/// # Errors
///
/// When it cannot be read, is larger than any that is read, or is no file: a pipe may never end, nor a device.
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

/// Reads a file that holds text.
///
/// # Errors
///
/// As [`read`], and when it holds no UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    let no_text = |_| io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8");
    String::from_utf8(read(path)?).map_err(no_text).map_err(Error::reading(path))
}

/// Opens what has to be a file; waits for nobody at the other end of a pipe.
fn open(how: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let without_waiting = OFlags::NONBLOCK.bits().cast_signed();
    let file = how.custom_flags(without_waiting).open(path)?;
    let kind = file.metadata()?.file_type();
    let what = match kind {
        _ if kind.is_file() => return Ok(file),
        _ if kind.is_dir() => "a folder",
        _ if kind.is_fifo() => "a pipe",
        _ => "a device",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, and a file was expected")))
}

/// Returns whether anybody but its owner and their group may read or write a file.
pub(crate) fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o006 != 0)
}

/// Returns whether a name leads to something in a folder, and to nothing above or below it.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let is_plain = |sign: char| !sign.is_control() && !['/', '\\'].contains(&sign);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain)
}

/// Makes a folder and those above it, readable by the owner only.
///
/// # Errors
///
/// When the folder cannot be made.
pub(crate) fn make_folder(path: &Path) -> Result<(), Error> {
    create_folder(path).map_err(Error::writing(path))
}

fn create_folder(path: &Path) -> io::Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    // The system says "File exists" of a folder's own name and "Not a directory" of one above it; neither says which file.
    made.map_err(|refused| match path.ancestors().find(|above| above.is_file()) {
        Some(file) => io::Error::new(io::ErrorKind::NotADirectory, format!("\"{}\" is a file, not a folder", file.display())),
        None => refused,
    })
}

/// Makes a folder that must not be there yet, and those above it, readable by the owner only.
///
/// # Errors
///
/// When there is one of that name, or the folder cannot be made.
pub(crate) fn make_new_folder(path: &Path) -> Result<(), Error> {
    let make = || {
        create_folder(folder_of(path))?;
        fs::DirBuilder::new().mode(0o700).create(path)?;
        sync_folder(folder_of(path))
    };
    make().map_err(Error::writing(path))
}

/// Writes a file whole: a reader sees the old content or the new, also after a power cut.
///
/// # Errors
///
/// When the content cannot be made durable; the old file is then untouched.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), Error> {
    write_whole_with(path, |out| out.write_all(content))
}

/// Writes a file whole, as [`write_whole`] does, with content that is made while it is written.
///
/// # Errors
///
/// When `fill` fails or the content cannot be made durable; the old file is then untouched.
pub(crate) fn write_whole_with(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    replace(path, fill).map_err(Error::writing(path))
}

fn replace(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = folder_of(path);
    create_folder(folder)?;
    let mut aside = tempfile::Builder::new().prefix(PREFIX).permissions(fs::Permissions::from_mode(0o600)).tempfile_in(folder)?;
    // Written past the name aside, which would stand in an error and says nothing to anybody.
    let mut out = BufWriter::new(aside.as_file_mut());
    fill(&mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    aside.persist(path).map_err(|refused| refused.error)?;
    sync_folder(folder)
}

/// Writes a folder whole: `fill` writes into a folder aside, which then takes its place under `path`.
///
/// # Errors
///
/// When `fill` fails or `path` cannot be taken; nothing of the folder is then left behind.
pub(crate) fn write_folder_whole(path: &Path, fill: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    let (above, failed) = (folder_of(path), Error::writing(path));
    create_folder(above).map_err(&failed)?;
    let aside =
        tempfile::Builder::new().prefix(PREFIX).permissions(fs::Permissions::from_mode(0o700)).tempdir_in(above).map_err(&failed)?;
    fill(aside.path()).map_err(|error| error.moved(aside.path(), path))?;
    sync_folder(aside.path()).and_then(|()| fs::rename(aside.path(), path)).map_err(&failed)?;
    // The folder has its new name; there is nothing left to tidy up under the old one.
    let _ = aside.keep();
    sync_folder(above).map_err(&failed)
}

/// How long something that is written aside may take; nobody is at it any more that is older.
const ASIDE: Duration = Duration::from_secs(24 * 60 * 60);

/// Removes from a folder what a process wrote aside that was killed. What cannot be removed does no harm.
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

/// Returns whether a name begins with a dot, as that of everything does that is written aside.
pub(crate) fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// Moves a file to a place in another folder, which is made where it is missing.
///
/// # Errors
///
/// When the file is not there, or cannot be moved.
pub(crate) fn move_file(from: &Path, to: &Path) -> Result<(), Error> {
    let rename = || {
        create_folder(folder_of(to))?;
        fs::rename(from, to)?;
        sync_folder(folder_of(to))?;
        sync_folder(folder_of(from))
    };
    rename().map_err(Error::writing(to))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Returns what tells this content from any other: `sha256:` and 64 hexadecimal digits.
pub(crate) fn content_hash(content: &[u8]) -> String {
    let mut hash = ContentHash::default();
    hash.0.update(content);
    hash.finish()
}

/// Returns bytes as hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// What tells a content from any other, found while the content is written into it.
#[derive(Debug, Default)]
pub(crate) struct ContentHash(Sha256);

impl ContentHash {
    /// Returns the hash of everything that was written: `sha256:` and 64 hexadecimal digits.
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

/// A file that only grows, line by line.
#[derive(Debug)]
pub(crate) struct Appender {
    file: File,
    path: PathBuf,
}

impl Appender {
    /// Opens a file to append to, making it where it is missing.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or its folder cannot be made durable.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let open = || {
            create_folder(folder_of(path))?;
            let file = open(OpenOptions::new().append(true).create(true).mode(0o600), path)?;
            sync_folder(folder_of(path))?;
            Ok(Self { file, path: path.to_owned() })
        };
        open().map_err(Error::writing(path))
    }

    /// Appends lines and returns when they are durable.
    ///
    /// # Errors
    ///
    /// When they may not be; the caller must not go on as if they were.
    pub(crate) fn append(&mut self, lines: &str) -> Result<(), Error> {
        self.file.write_all(lines.as_bytes()).and_then(|()| self.file.sync_data()).map_err(Error::writing(&self.path))
    }

    /// Cuts the file to a length: what a torn last line is removed with.
    ///
    /// # Errors
    ///
    /// When the file cannot be cut.
    pub(crate) fn cut_to(&mut self, bytes: u64) -> Result<(), Error> {
        self.file.set_len(bytes).and_then(|()| self.file.sync_data()).map_err(Error::writing(&self.path))
    }

    /// Returns whether only its owner may read it.
    ///
    /// # Errors
    ///
    /// When the system does not say.
    pub(crate) fn is_private(&self) -> Result<bool, Error> {
        let of_others = self.file.metadata().map_err(Error::reading(&self.path))?.permissions().mode() & 0o077;
        Ok(of_others == 0)
    }
}

/// A lock held as long as this value lives, or until its process ends.
///
/// Its file says who holds it, and says nothing once it was given back: a word in the file of a free lock is of a process that died.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// What came of trying to take a lock.
#[derive(Debug)]
pub enum LockAttempt {
    /// It is held from now on.
    Held {
        /// The lock.
        lock: Lock,
        /// What its last holder wrote, where that one died without giving it back.
        left_behind: Option<String>,
    },
    /// Another holds it, who wrote this.
    By(String),
}

/// Milliseconds to wait where it is held and nobody stands in it: somebody takes it right now, or gives it back.
const WHILE_IT_CHANGES_HANDS: u32 = 500;

impl Lock {
    /// Takes the lock, or returns what its holder wrote into it; waits for nobody.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, read or written.
    pub fn take(path: &Path, holder: &str) -> Result<LockAttempt, Error> {
        Self::attempt(path, holder).map_err(|source| Error::Lock { path: path.to_owned(), source })
    }

    fn attempt(path: &Path, holder: &str) -> io::Result<LockAttempt> {
        create_folder(folder_of(path))?;
        let mut file = open(OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600), path)?;
        for is_last in (0..WHILE_IT_CHANGES_HANDS).map(|time| time + 1 == WHILE_IT_CHANGES_HANDS) {
            match file.try_lock() {
                Ok(()) => break,
                Err(fs::TryLockError::WouldBlock) => {
                    let holder = word_in(&File::open(path)?)?;
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

/// Bytes of a lock's file that are read: more than anybody writes into it.
const LONGEST_WORD: u64 = 1_000;

/// Returns what a holder wrote into the file of a lock, as one line, whatever else somebody put there.
fn word_in(file: &File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(LONGEST_WORD).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).replace(char::is_control, " ").trim_end().to_owned())
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Where it cannot be emptied the next holder hears of one who died, which takes nothing from anybody.
        let _ = self.file.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_written_whole_is_for_its_owner_only_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/plan.json");
        write_whole(&path, b"one").expect("written");
        write_whole(&path, b"two").expect("written again");
        assert_eq!(fs::read_to_string(&path).expect("read"), "two");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().expect("a folder")).expect("listed").count(), 1);
    }

    #[test]
    fn a_folder_whose_filling_fails_is_not_there_and_the_error_names_the_file_in_it() {
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

    fn taken(path: &Path, holder: &str) -> LockAttempt {
        Lock::take(path, holder).expect("opened")
    }

    #[test]
    fn a_second_taker_is_told_who_holds_the_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let held = taken(&path, "ada");
        assert!(matches!(taken(&path, "bob"), LockAttempt::By(holder) if holder == "ada"));
        drop(held);
        assert!(matches!(taken(&path, "bob"), LockAttempt::Held { left_behind: None, .. }));
    }

    #[test]
    fn a_lock_whose_holder_died_is_taken_over_with_its_word() {
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
    fn a_lock_in_whose_file_is_no_text_can_be_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        fs::write(&path, b"ada\x1b[2J\n\xff\xfe").expect("written");
        let LockAttempt::Held { left_behind, .. } = taken(&path, "bob") else { panic!("nobody holds it") };
        assert_eq!(left_behind.as_deref(), Some("ada [2J \u{fffd}\u{fffd}"));
    }
}
