//! The integration tests: one binary, a file a subject.

mod by_hand;
mod code;
mod coverage;
mod cuts;
mod demo;
mod dry_run;
mod effort;
mod flows;
mod hearer;
mod house;
mod imaginary;
mod kills;
mod locks;
mod program;
mod random;
mod recorded;
mod reference;
mod references;
mod references_pages;
mod refusals;
mod signing;
mod stage;
mod subscriptions;
mod sync;
mod undo;
mod verbs;
