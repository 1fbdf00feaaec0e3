//! The types that every part shares, such as resources, keys, selections, guards and approvals.
//!
//! Also credentials, networks, secrets, events, checks and answers of the front door.

pub mod approval;
pub mod changed_by;
pub mod checkup;
pub mod credentials;
pub mod event;
pub mod front_door;
pub mod guard;
pub mod limits;
pub mod logged_write;
pub mod network;
pub mod resource;
pub mod secret;
pub mod selection;
pub mod unmatched_rule;
