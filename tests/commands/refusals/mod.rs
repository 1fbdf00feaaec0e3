//! Bad input through the real binary: everything that is printed, the exit code, and that nothing was written.

mod credentials_and_scopes;
mod guards;
mod mapping_files;
mod plan_files;
mod snapshot_files;
mod unknown_names;
