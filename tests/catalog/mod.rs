//! The catalog compared with Auth0's OpenAPI description and SDK, and what a new kind requires.

pub(crate) mod api_coverage;
mod new_kind;
mod nullable_fields;
mod references_of_clients_and_code;
mod references_of_pages_and_connections;
pub(crate) mod sdk_types;
