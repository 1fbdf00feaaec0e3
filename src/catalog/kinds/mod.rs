//! The entries of the catalog, by area: one `static` a kind.
//!
//! An entry says what Auth0 has and how it is read and written; the words it uses are in the folder above. It does nothing.

pub(super) mod access;
pub(super) mod actions;
pub(super) mod applications;
pub(super) mod branding;
pub(super) mod connections;
pub(super) mod experiments;
pub(super) mod flows;
pub(super) mod guardian;
pub(super) mod organizations;
pub(super) mod profiles;
pub(super) mod protection;
pub(super) mod streams;
pub(super) mod tenant;
