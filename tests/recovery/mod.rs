//! Faults, kills, full disks and concurrent writers: locks, journals, resumed runs and undo.

mod concurrent_writers;
mod damaged_journals;
mod fault_at_each_request;
mod full_disk;
mod incremental_nights;
mod killed_imports;
mod limited_disk_space;
mod lists_changing_while_read;
mod locks;
mod nightly_syncs;
mod random_faults;
mod superseded_runs;
mod undo;
mod unreachable_target;
