//! The real program between two independent tenant doubles, which know Auth0's own description of its API.
//!
//! A double, called a judge in the code, records every request and refuses those that the description does not allow.
//!
//! ```text
//! process.rs       one double: a process, and its control endpoints
//! project.rs       the working folder of the program, and its runs
//! tenant_state.rs  the state of a tenant, with ids and domain replaced by symbols
//! comparison.rs    three states -> the differences from the expected result of an import
//! refusals.rs      refused requests in a form that is the same for every tenant
//! exceptions.rs    expected differences and refusals, and why
//! pairs.rs         which tenants are copied into which
//! imports.rs       every pair: export, plan, import, second import
//! faults.rs        a failing target, and a program that is killed
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
