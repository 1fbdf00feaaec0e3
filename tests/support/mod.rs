//! What the tests share: fixtures, tools and facts.
//!
//! ```text
//! fixture.rs            two sandbox tenants, a working folder, and the real binary
//! command_output.rs     what a command printed, without what differs from run to run
//! example_company.rs    the two tenants of the example company, with the client that migrate signs in with
//! program.rs            the real binary between two sandboxes of the test, and a terminal for it
//! imports.rs            imports by the library, without the program
//! refusals.rs           commands that must be refused before anything is written
//! divergent_tenants.rs  two tenants more than sixty changes apart, and comparisons of their content
//! recorded_tenants.rs   the recorded tenants
//! browser.rs            Chromium without a window
//! auth0_reference.rs    files about Auth0 that are not part of this repository
//! openapi/              Auth0's OpenAPI description as a validator of requests
//! webhook_receiver.rs   a webhook on loopback
//! known_failures.rs     the list of known failures
//! schemas.rs            the published schemas, which every answer and file of a fixture must follow
//! linters.rs            checks files by the tools that read them
//! skip.rs               reports that a test is skipped
//! request_recording.rs  records every request that a sandbox of a test receives
//! summary_notes.rs      notes of the tests for the summary
//! ```

pub(crate) mod auth0_reference;
pub(crate) mod browser;
pub(crate) mod command_output;
pub(crate) mod dice;
pub(crate) mod divergent_tenants;
pub(crate) mod example_company;
pub(crate) mod fixture;
pub(crate) mod imports;
pub(crate) mod known_failures;
pub(crate) mod linters;
pub(crate) mod openapi;
pub(crate) mod program;
pub(crate) mod recorded_tenants;
pub(crate) mod refusals;
pub(crate) mod request_recording;
pub(crate) mod schemas;
pub(crate) mod skip;
pub(crate) mod summary_notes;
pub(crate) mod tenant_access;
pub(crate) mod webhook_receiver;
