//! Auth0's OpenAPI description of requests, and how a request is checked against it.

pub(crate) mod checker;
pub(crate) mod description;
mod formats;
mod violation;
