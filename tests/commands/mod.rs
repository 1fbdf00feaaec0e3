//! What each command does, prints and refuses.

mod action_deployment;
mod at_a_terminal;
mod changes_since_last_run;
mod demo;
mod drift;
mod dry_run;
mod duplicate_names;
mod explain;
mod line_wrapping;
mod manual_steps;
mod mapping;
mod pager;
mod partially_refused_imports;
mod private_key_sign_in;
mod prune;
mod refusals;
mod rehearse;
mod renames;
mod request_counts;
mod schedule;
mod selection;
mod single_resource;
mod subscriptions_and_scopes;
mod sync;
mod unreadable_resources;
