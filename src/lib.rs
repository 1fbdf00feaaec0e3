//! Copies the settings of one Auth0 tenant into another, safely.
//!
//! ```text
//!             ┌──────────── the same code both times ────────────┐
//! source ──▶ export ──▶ Snapshot ──▶ mapping ──▶ desired ─┐
//! target ──▶ export ──▶ Snapshot ─────────────▶ live ─────┼▶ plan ──▶ Plan ──▶ apply ──▶ journal ──▶ report
//!                         portable: ids are keys,         │             │
//!                         secrets never enter             ┘          plan.json   journal.jsonl   (one run folder)
//! ```
//!
//! - A snapshot is portable: every id that means something only in its own tenant is a key, secrets are never in it, and source and
//!   target are exported by the same function, so that a diff compares like with like.
//! - Planning is pure: no network, clock or disk. A dry run stops after the plan.
//! - The intent of every write is durable before the request leaves, and its outcome follows; if a run is interrupted
//!   between the two, the outcome is unknown, and resuming looks at the target before it sends anything again.
//! - Everything specific to Auth0 is an entry in the [`catalog`].
//!
//! ```text
//! platform                   what differs between operating systems
//! json, files, diagnostic    JSON and paths into it; atomic files; errors with their place in a file
//! catalog, model             what Auth0 has; resources and the events of a run
//! snapshot, state            the exported content of a tenant; the state between runs
//! management_api, export     requests to one tenant; reading a tenant into a snapshot
//! mapping, plan, apply       rewriting values; planning changes; executing a plan
//! probe                      proof that logins still work: which requests give it, and what their answers mean
//! config                     migrate.toml, .env and credentials
//! sandbox                    a tenant on loopback
//! workflow                   the use cases, without a terminal: the entry point for programs
//! report, cli                rendering results as text; the command line
//! ```
//!
//! # Importing from a program
//!
//! [`workflow`] holds the use cases without a terminal: [`workflow::prepare`] plans, [`workflow::import`] imports unattended, and
//! [`export::export`] takes a snapshot. Here both tenants are [`sandbox`]es on loopback.
//!
//! ```
//! use std::sync::Arc;
//!
//! use auth0_migrate::config::Settings;
//! use auth0_migrate::model::approval::Approval;
//! use auth0_migrate::model::event::NoObserver;
//! use auth0_migrate::sandbox::{Options, Sandbox, State, seed};
//! use auth0_migrate::workflow::{self, Completion, Environment, Route};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tenant = |seed: &str| Ok::<_, Box<dyn std::error::Error>>(Options::new(State::from_json(serde_json::from_str(seed)?)?));
//! let dev = Sandbox::start(tenant(seed::ACME_DEV)?.credentials("client", "secret")).await?;
//! let prod = Sandbox::start(tenant(seed::ACME_PROD)?.credentials("client", "secret")).await?;
//!
//! let folder = tempfile::tempdir()?;
//! let config = folder.path().join("migrate.toml");
//! let domains = (dev.state().domain().to_owned(), prod.state().domain().to_owned());
//! std::fs::write(
//!     &config,
//!     format!(
//!         "[tenants.dev]\ndomain = '{}'\nurl = '{}'\n\n[tenants.prod]\ndomain = '{}'\nurl = '{}'\nsource = 'dev'\n\
//!          plan.approve = ['lockout-risk:*', 'weaker-protection:*']\n",
//!         domains.0,
//!         dev.url(),
//!         domains.1,
//!         prod.url(),
//!     ),
//! )?;
//! let home = folder.path().display().to_string();
//! let variables = [
//!     ("MIGRATE_DEV_CLIENT_ID", "client"),
//!     ("MIGRATE_DEV_CLIENT_SECRET", "secret"),
//!     ("MIGRATE_PROD_CLIENT_ID", "client"),
//!     ("MIGRATE_PROD_CLIENT_SECRET", "secret"),
//!     ("XDG_STATE_HOME", &home),
//! ];
//! let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
//! let environment = Environment::new(Settings::load(Some(&config), None, &variables)?, Arc::new(NoObserver));
//!
//! let route = Route { target: "prod".to_owned(), ..Route::default() };
//! let prepared = workflow::prepare(&environment, &route).await?;
//! assert!(prepared.plan.changes().count() > 0);
//!
//! // What a job may approve by itself; the rest is approved in migrate.toml.
//! let approvals = [Approval::read("many-changes")?, Approval::read("source-leak")?].into_iter().collect();
//! let Completion::Run(run) = workflow::import(&environment, &route, &approvals, None).await? else { panic!("nothing to do") };
//! assert_eq!(run.summary.tally().failed, 0);
//! # Ok(())
//! # }
//! ```

// The documented interface: the use cases, their inputs and their results.
pub mod apply;
pub mod catalog;
pub mod config;
pub mod export;
pub mod management_api;
pub mod model;
pub mod plan;
pub mod probe;
pub mod sandbox;
pub mod snapshot;
pub mod workflow;

// Public only for this package's tests, benchmarks, fuzz targets and command: any version may change these
// modules.
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod diagnostic;
#[doc(hidden)]
pub mod files;
#[doc(hidden)]
pub mod json;
#[doc(hidden)]
pub mod mapping;
mod platform;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod state;
