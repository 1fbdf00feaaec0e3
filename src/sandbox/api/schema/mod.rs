//! Validation of requests against Auth0's OpenAPI description.

pub(crate) mod checker;
pub(crate) mod description;
mod formats;
mod violation;
