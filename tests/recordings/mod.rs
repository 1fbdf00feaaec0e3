//! The program, the sandbox and the OpenAPI description compared with facts about Auth0.
//!
//! These are recorded traffic, recorded tenants, public bug reports, and an independent tenant double.

mod blank_values;
mod cases;
pub(crate) mod imports;
mod openapi_exceptions;
mod openapi_validation;
pub(crate) mod replay;
mod sandbox_log;
mod sandbox_schema;
mod sandbox_state;
mod set_values;
mod situations;
pub(crate) mod tenant_double;
