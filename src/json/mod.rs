//! JSON objects and paths into them.
//!
//! A path consists of dotted field names: `a.b`. `[]` after a name stands for every element of that list
//! (`scopes[].value`), `*` for every field of an object, `**` for any depth below. This module knows only JSON: nothing
//! of Auth0, tenants or kinds. A body that is not in use is stored as [`PackedBody`].

mod body;
mod packed_body;
mod path;
mod traversal;

pub use body::{Body, is_blank, lay_over};
pub use packed_body::PackedBody;
pub use path::{covers, is_in, join, top};
