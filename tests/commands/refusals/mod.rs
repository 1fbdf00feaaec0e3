//! Invalid input to the real binary: the complete output, the exit code, and that nothing was written.

mod credentials_and_scopes;
mod guards;
mod mapping_files;
mod plan_files;
mod snapshot_files;
mod unknown_names;
