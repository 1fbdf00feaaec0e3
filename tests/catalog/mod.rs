//! The catalog: its fields, operations and references against Auth0's OpenAPI description and SDK, and how a kind is added.

pub(crate) mod api_coverage;
mod new_kind;
mod nullable_fields;
mod references_of_clients_and_code;
mod references_of_pages_and_connections;
pub(crate) mod sdk_types;
