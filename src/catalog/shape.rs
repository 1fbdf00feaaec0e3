//! How the API serves a kind: the shape of its paths, the pagination of its list, and how a resource is written.

use serde_json::Value;

use crate::json::Body;

/// How the API serves a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A list: `GET path`, `POST path`, and `GET`, `PATCH`, `DELETE path/{id}`.
    Collection,
    /// One object: `GET path`, `PATCH path`.
    Singleton,
    /// A set of named objects, each at its own path: `GET` and `PATCH path/{name}`.
    Keyed {
        /// Its names.
        names: KeyNames,
    },
    /// A list under each resource of another kind (`/roles/{id}/permissions`), changed element by element.
    ///
    /// The complete list is one resource, with the id and key name of its parent, and one field that contains the elements.
    Child {
        /// The kind above it.
        parent: &'static str,
        /// How elements are added and removed.
        element_changes: ElementChanges,
    },
    /// A collection under each resource of another kind (`/organizations/{organization}/discovery-domains`).
    ///
    /// Each element is a resource. Its body names the parent in the field that is in the path.
    Nested {
        /// The kind above it.
        parent: &'static str,
    },
    /// At most one object under each resource of another kind (`/connections/{connection}/scim-configuration`).
    ///
    /// Its body names the parent in the field that is in the path.
    Part {
        /// The kind above it.
        parent: &'static str,
    },
}

/// The names that a keyed kind has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyNames {
    /// A fixed list of names.
    Fixed(&'static [&'static str]),
    /// Those in the list at the path of the kind.
    Listed,
    /// Each of these names combined with each element of a list in a singleton: prompts and the tenant's languages.
    PerElement {
        /// The names.
        names: &'static [&'static str],
        /// The singleton.
        of: &'static str,
        /// The field of the singleton that contains the list.
        list: &'static str,
    },
}

/// How elements of a child's list are added and removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementChanges {
    /// `POST {field: [added]}` and `DELETE {field: [removed]}`.
    AddRemove {
        /// The maximum number of elements per request.
        most: usize,
    },
    /// `POST {field: [added]}`, `DELETE {field: [names]}`, and `PATCH path/{name}` if other fields of an element change.
    AddUpdateRemove {
        /// The field of an element that names it.
        by: &'static str,
        /// The maximum number of elements per request.
        most: usize,
    },
    /// `PATCH [{..element, "status": true}]`, with false to remove one.
    Switch {
        /// The maximum number of elements per request.
        most: usize,
    },
}

/// How a list is paginated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// A single response, a bare array or an object.
    Whole,
    /// A single response, an object that contains the list.
    In {
        /// The field of the response that contains the list.
        field: &'static str,
    },
    /// `page`, `per_page`, `include_totals`; the total gives the number of pages.
    Offset {
        /// The field of the response that contains the list.
        field: &'static str,
        /// Elements per page.
        size: usize,
        /// Whether `from` and `take` work too, for lists whose later pages the API refuses (400 `invalid_paging`).
        or_checkpoint: bool,
    },
    /// `page` and `per_page`; the response always contains the total, and `include_totals` is refused.
    Counted {
        /// The field of the response that contains the list.
        field: &'static str,
        /// Elements per page.
        size: usize,
    },
    /// `from` and `take`; `next` in a response is the next `from`.
    Checkpoint {
        /// The field of the response that contains the list.
        field: &'static str,
        /// Elements per page.
        size: usize,
    },
}

/// Which request updates a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// A PATCH of the fields that change.
    Patch,
    /// A PUT of the complete resource.
    Put,
}

/// The request after a write that makes it take effect: an action is deployed, a module published.
///
/// A field of the body that is never sent represents it: true if the current content is deployed, the deployed content
/// if it differs, and absent if nothing is deployed.
#[derive(Debug, Clone, Copy)]
pub struct FollowUp {
    /// The field that represents it.
    pub field: &'static str,
    /// The field of a response that shows whether the current content is deployed.
    pub status_field: &'static str,
    /// The field of a response that contains the deployed version.
    pub version_field: &'static str,
    /// The fields that are deployed.
    pub content: &'static [&'static str],
    /// The path of the POST, with `{id}` for the id of the resource.
    pub path: &'static str,
    /// A field of the resource and the value it must have before the request is sent; the resource is read until it does.
    pub ready_when: Option<(&'static str, &'static str)>,
}

impl FollowUp {
    /// Returns the value of the field that represents the deployment, for a response of the tenant.
    #[must_use]
    pub fn deployed(&self, answered: &Body) -> Option<Value> {
        if answered.get(self.status_field) == Some(&Value::Bool(true)) {
            return Some(Value::Bool(true));
        }
        let made = answered.get(self.version_field)?.as_object()?;
        Some(self.content_of(&Body(made.clone())).into_value())
    }

    /// Returns the part of a body that the request deploys.
    #[must_use]
    pub fn content_of(&self, body: &Body) -> Body {
        self.content.iter().filter_map(|field| Some(((*field).to_owned(), body.get(field)?.clone()))).collect()
    }
}
