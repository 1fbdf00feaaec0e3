//! A JSON object and paths into it.
//!
//! A path is dotted field names: `a.b`. `[]` after a name means every element of that list (`scopes[].value`), `*` every field
//! of an object, `**` any depth below. This module knows JSON only: nothing of Auth0, tenants or kinds. A body that nobody looks into is
//! kept [`PackedBody`].

mod body;
mod packed_body;
mod path;
mod traversal;

pub use body::{Body, is_blank, lay_over};
pub use packed_body::PackedBody;
pub use path::{covers, is_in, join, top};
