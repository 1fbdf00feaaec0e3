//! How the API serves a kind: the shape of its paths, how a list is read to its end, how a resource is written.

use serde_json::Value;

use crate::json::Body;

/// How the API serves a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A list: `GET path`, `POST path`, and `GET`, `PATCH`, `DELETE path/{id}`.
    Collection,
    /// One object: `GET path`, `PATCH path`.
    Singleton,
    /// A set of named objects, each at a path of its own: `GET` and `PATCH path/{name}`.
    Keyed {
        /// Which names there are.
        names: KeyNames,
    },
    /// A list under each resource of another kind (`/roles/{id}/permissions`), changed element by element.
    ///
    /// The whole list is one resource, with its parent's id and key name, and one field that holds the elements.
    Child {
        /// The kind above it.
        parent: &'static str,
        /// How elements come and go.
        element_changes: ElementChanges,
    },
    /// A collection under each resource of another kind (`/organizations/{organization}/discovery-domains`).
    ///
    /// Each element is a resource of its own. Its body names its parent in the field that stands in the path.
    Nested {
        /// The kind above it.
        parent: &'static str,
    },
    /// At most one object under each resource of another kind (`/connections/{connection}/scim-configuration`).
    ///
    /// Its body names its parent in the field that stands in the path.
    Part {
        /// The kind above it.
        parent: &'static str,
    },
}

/// Which names a keyed kind has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyNames {
    /// Names that are known beforehand.
    Fixed(&'static [&'static str]),
    /// Those that the list at the kind's path answers.
    Listed,
    /// Each of these names with each element of a list that a singleton holds: prompts and the tenant's languages.
    PerElement {
        /// The names.
        names: &'static [&'static str],
        /// The singleton.
        of: &'static str,
        /// The field of it that holds the list.
        list: &'static str,
    },
}

/// How the elements of a child's list come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementChanges {
    /// `POST {field: [added]}` and `DELETE {field: [removed]}`.
    AddRemove {
        /// How many elements one call takes.
        most: usize,
    },
    /// `POST {field: [added]}`, `DELETE {field: [names]}`, and `PATCH path/{name}` for one whose other fields change.
    AddUpdateRemove {
        /// The field of an element that names it.
        by: &'static str,
        /// How many elements one call takes.
        most: usize,
    },
    /// `PATCH [{..element, "status": true}]`, with false for a removed one.
    Switch {
        /// How many elements one call takes.
        most: usize,
    },
}

/// How a list is read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// One answer, a bare array or an object.
    Whole,
    /// One answer, an object that holds the list.
    In {
        /// The field of the answer that holds the list.
        field: &'static str,
    },
    /// `page`, `per_page`, `include_totals`; pages after the first are known from the total.
    Offset {
        /// The field of the answer that holds the list.
        field: &'static str,
        /// Elements asked for a page.
        size: usize,
        /// Whether `from` and `take` work too: for where the API refuses deep pages (400 `invalid_paging`).
        or_checkpoint: bool,
    },
    /// `page` and `per_page`; the total is always told, and asking for it is refused.
    Counted {
        /// The field of the answer that holds the list.
        field: &'static str,
        /// Elements asked for a page.
        size: usize,
    },
    /// `from` and `take`; `next` of each answer leads on.
    Checkpoint {
        /// The field of the answer that holds the list.
        field: &'static str,
        /// Elements asked for a page.
        size: usize,
    },
}

/// Which request changes a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// A PATCH of the fields that change.
    Patch,
    /// A PUT of the whole resource.
    Put,
}

/// A second request that makes a write count: an action is deployed, a module published.
///
/// It stands for a field of the body that is never sent: true where the resource runs as it stands, the content that runs where that is
/// another, absent where nothing does.
#[derive(Debug, Clone, Copy)]
pub struct FollowUp {
    /// The field that says what runs.
    pub field: &'static str,
    /// The field of an answer that says whether the resource runs as it stands.
    pub status_field: &'static str,
    /// The field of an answer that holds what runs.
    pub version_field: &'static str,
    /// The fields that make up what runs.
    pub content: &'static [&'static str],
    /// The path the POST goes to; `{id}` is the resource's.
    pub path: &'static str,
    /// A field of the resource and what it must hold before the request is sent; it is read again until it does.
    pub ready_when: Option<(&'static str, &'static str)>,
}

impl FollowUp {
    /// Returns what runs of an answered resource, as the body keeps it.
    #[must_use]
    pub fn deployed(&self, answered: &Body) -> Option<Value> {
        if answered.get(self.status_field) == Some(&Value::Bool(true)) {
            return Some(Value::Bool(true));
        }
        let made = answered.get(self.version_field)?.as_object()?;
        Some(self.content_of(&Body(made.clone())).into_value())
    }

    /// Returns the part of a body that runs once the request was sent.
    #[must_use]
    pub fn content_of(&self, body: &Body) -> Body {
        self.content.iter().filter_map(|field| Some(((*field).to_owned(), body.get(field)?.clone()))).collect()
    }
}
