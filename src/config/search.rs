//! Looks for `migrate.toml` in the working folder and above it.
//!
//! A file above the working folder is used only if nobody but this user or root can have put it there: it decides which
//! tenants are written to, and may name commands that are run.

use std::fs;
use std::path::{Path, PathBuf};

use super::Error;
use crate::platform;

/// The name of the configuration file.
pub(super) const NAME: &str = "migrate.toml";
/// The name of the file with variables beside it.
pub(super) const DOTENV: &str = ".env";

/// The user who may do everything anyway.
const ROOT: u32 = 0;

/// Where the configuration file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// In the working folder, or nowhere.
    Here,
    /// In a folder above it: this is its absolute path.
    Above(PathBuf),
}

/// Looks for the configuration file in the working folder, and then in the folders above it, up to the root of their file
/// system: what is mounted inside of another one, such as the volume of a container, is not its business.
///
/// On systems that do not say who owns a file, only the working folder counts.
pub(super) fn search() -> Result<Found, Error> {
    let Some(user) = platform::user().filter(|_| !Path::new(NAME).exists()) else { return Ok(Found::Here) };
    let Ok(folder) = std::env::current_dir() else { return Ok(Found::Here) };
    let device = |path: &Path| fs::metadata(path).ok().and_then(|metadata| platform::device(&metadata));
    // A link belongs to whoever made it.
    let owner = |path: &Path| fs::symlink_metadata(path).ok().and_then(|metadata| platform::owner(&metadata));
    search_above(&folder, &device, &|path| owner(path).filter(|owner| ![user, ROOT].contains(owner)))
}

/// Looks above a folder, as far as the device is the same; `stranger` returns the owner of a file that is neither the
/// user's nor root's.
fn search_above(folder: &Path, device: &dyn Fn(&Path) -> Option<u64>, stranger: &dyn Fn(&Path) -> Option<u32>) -> Result<Found, Error> {
    let here = device(folder);
    let within = folder.ancestors().skip(1).take_while(|above| device(above) == here);
    let Some(path) = within.map(|above| above.join(NAME)).find(|path| path.is_file()) else { return Ok(Found::Here) };
    let relied_on = path.parent().into_iter().map(Path::to_owned).chain([path.clone(), path.with_file_name(DOTENV)]);
    for file in relied_on {
        if let Some(owner) = stranger(&file) {
            return Err(Error::OfAnother { path: file, owner });
        }
    }
    Ok(Found::Above(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with `outer/inner` in it.
    struct Nested(tempfile::TempDir);

    impl Nested {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            fs::create_dir_all(folder.path().join("outer/inner")).expect("made");
            Self(folder)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn found(&self, device: &dyn Fn(&Path) -> Option<u64>, stranger: &dyn Fn(&Path) -> Option<u32>) -> Result<Found, String> {
            search_above(&self.path("outer/inner"), device, stranger).map_err(|error| error.to_string())
        }
    }

    #[test]
    fn the_nearest_file_above_counts() {
        let nested = Nested::new();
        for name in ["migrate.toml", "outer/migrate.toml"] {
            fs::write(nested.path(name), "").expect("written");
            assert_eq!(nested.found(&|_| Some(1), &|_| None), Ok(Found::Above(nested.path(name))));
        }
    }

    #[test]
    fn the_root_of_a_file_system_ends_the_search() {
        let nested = Nested::new();
        fs::write(nested.path("migrate.toml"), "").expect("written");
        let mounted = nested.path("outer");
        assert_eq!(nested.found(&|path| Some(u64::from(path.starts_with(&mounted))), &|_| None), Ok(Found::Here));
    }

    #[test]
    fn a_folder_or_a_file_in_it_that_belongs_to_somebody_else_is_refused() {
        let nested = Nested::new();
        fs::write(nested.path("outer/migrate.toml"), "").expect("written");
        for name in ["outer", "outer/migrate.toml", "outer/.env"] {
            let theirs = nested.path(name);
            let refused = nested.found(&|_| Some(1), &|path| (path == theirs).then_some(1001));
            assert_eq!(refused, Err(format!("\"{}\" belongs to another user (uid 1001)", theirs.display())));
        }
    }
}
