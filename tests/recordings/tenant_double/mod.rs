//! The real program between two independent tenant doubles, which know Auth0's own description of its API. The code calls such a double
//! a judge: it records every request and refuses those that the description does not allow.
//!
//! ```text
//! process.rs       one judge: a process, and what it answers about itself
//! project.rs       the folder that the program runs in, and its runs
//! tenant_state.rs  the state of a tenant, with ids and domain replaced by symbols
//! comparison.rs    three states -> where an import did not do what it should
//! refusals.rs      what a judge refused -> lines that hold for every tenant
//! exceptions.rs    what may differ or be refused, and why
//! pairs.rs         which tenants are copied into which
//! imports.rs       every pair: export, plan, import, import again
//! faults.rs        a target that fails, and a program that is killed
//! transport.rs     TLS, compression, HTTP/2, and limits of single endpoints
//! ```

mod comparison;
mod exceptions;
mod faults;
mod imports;
mod pairs;
pub(crate) mod process;
pub(crate) mod project;
mod refusals;
mod tenant_state;
mod transport;
