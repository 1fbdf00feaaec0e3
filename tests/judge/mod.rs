//! The real program in front of independent judges, each of whom is one tenant and knows Auth0's own description of its API.
//!
//! ```text
//! double.rs      one judge: a process, and what it answers about itself
//! desk.rs        the folder that the program runs in, and its runs
//! tenant.rs      a tenant's state in words that hold in every tenant
//! compare.rs     three states -> where an import did not do what it should
//! refusals.rs    what a judge refused -> lines that hold for every tenant
//! exceptions.rs  what may differ or be refused, and why
//! pairs.rs       which tenants are copied into which
//! runs.rs        every pair: export, plan, import, import again
//! faults.rs     a target that fails, and a program that is killed
//! transport.rs  TLS, compression, HTTP/2, and limits of single endpoints
//! ```

mod compare;
pub(crate) mod desk;
pub(crate) mod double;
mod exceptions;
mod faults;
mod pairs;
mod refusals;
mod runs;
mod tenant;
mod transport;
