//! Proof that logins still work: which requests to the front door prove it, what their answers mean, and what a run broke. Pure.
//!
//! ```text
//! question.rs     one request to the front door: /authorize with a client and a callback, or a well-known document
//! login.rs        the logins that a client can start, and why others are not asked for
//! demand.rs       which clients a plan may lock out, and the questions that follow
//! verdict.rs      what an answer means: the login page, an error, or nothing certain
//! comparison.rs   the answers before and after a run, and what worked before and fails after
//! ```
//!
//! What Auth0 documents of `/authorize`, and what is assumed, is in `docs/probe.md`.

mod comparison;
mod demand;
mod login;
mod question;
mod verdict;

pub use comparison::{ProbeReport, ProbeResult, Standing};
pub(crate) use demand::CUSTOM_DOMAINS;
pub use demand::{Asked, ProbeDemand, When};
pub use login::NotProbed;
pub use question::{Ask, ProbeQuestion, ResponseType};
pub use verdict::{ProbeAnswer, verdict};
