//! One kind of settings: the words an entry of the catalog is written in.

use std::sync::OnceLock;

use serde_json::Value;

use super::fields::Fields;
use crate::body::Body;

/// How the API serves a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A list: `GET path`, `POST path`, and `GET`, `PATCH`, `DELETE path/{id}`.
    Collection,
    /// One object: `GET path`, `PATCH path`.
    Singleton,
    /// A fixed set of named objects: `GET` and `PATCH path/{name}`, `POST path` where there is none yet (404).
    Keyed {
        /// The names, as they stand in the path.
        names: &'static [&'static str],
    },
    /// A list under each resource of another kind (`/roles/{id}/permissions`), changed element by element.
    ///
    /// The whole list is one resource, with its parent's id and key name, and one field that holds the elements.
    Child {
        /// The kind above it.
        parent: &'static str,
        /// How elements come and go.
        delta: Delta,
    },
}

/// How the elements of a child's list come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delta {
    /// `POST {field: [added]}` and `DELETE {field: [removed]}`.
    AddRemove,
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
    /// `page`, `per_page`, `include_totals`; pages after the first are known from the total.
    Offset {
        /// The field of the answer that holds the list.
        field: &'static str,
        /// Elements asked for a page.
        size: usize,
        /// Whether `from` and `take` work too: for where the API refuses deep pages (400 `invalid_paging`).
        or_checkpoint: bool,
    },
    /// `from` and `take`; `next` of each answer leads on.
    Checkpoint {
        /// The field of the answer that holds the list.
        field: &'static str,
        /// Elements asked for a page.
        size: usize,
    },
}

/// What a reference holds in the API's own JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The id, which differs from tenant to tenant.
    Id,
    /// What the other resource is named by (an API's identifier, a connection's name).
    Key,
}

/// A field that names another resource.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    /// Where it stands in the body.
    pub path: &'static str,
    /// The kind it names.
    pub to: &'static str,
    /// What it holds.
    pub by: By,
    /// Whether it may be written after the resource exists, so that it puts no order on the kinds.
    pub late: bool,
    /// Whether the kind it names is not in the catalog yet; until then the field cannot be carried to another tenant.
    pub planned: bool,
}

impl Reference {
    /// Returns a reference that holds an id.
    #[must_use]
    pub const fn id(path: &'static str, to: &'static str) -> Self {
        Self { path, to, by: By::Id, late: false, planned: false }
    }

    /// Returns a reference that holds what the other resource is named by.
    #[must_use]
    pub const fn key(path: &'static str, to: &'static str) -> Self {
        Self { path, to, by: By::Key, late: false, planned: false }
    }

    /// Says that the reference may be written after its target exists.
    #[must_use]
    pub const fn late(mut self) -> Self {
        self.late = true;
        self
    }

    /// Says that the kind it names is not covered yet.
    #[must_use]
    pub const fn planned(mut self) -> Self {
        self.planned = true;
        self
    }
}

/// What marks a resource that must be left alone.
#[derive(Debug, Clone, Copy)]
pub struct Alone {
    /// The field to look at, as the API answers it.
    pub field: &'static str,
    /// What it must hold.
    pub when: When,
    /// Why it is left alone, as part of a sentence.
    pub because: &'static str,
}

/// A condition on one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The field is true.
    True,
    /// The field is there and not blank.
    Present,
    /// The field holds this text.
    Is(&'static str),
}

/// A pure edit of a body on its way in, for what no word of the vocabulary covers.
#[derive(Debug, Clone, Copy)]
pub struct Quirk {
    /// What it is about.
    pub name: &'static str,
    /// The edit, made on what the API answered.
    pub read: fn(&mut Body),
}

/// One kind of settings.
#[derive(Debug)]
pub struct Kind {
    /// The name in commands, keys and file names: the API's own path word, plural.
    pub name: &'static str,
    /// One of them in a sentence: `client "Billing API"`.
    pub singular: &'static str,
    /// What Auth0's dashboard calls it.
    pub title: &'static str,
    /// How the API serves it.
    pub shape: Shape,
    /// The path under `/api/v2`; a child's holds `{id}`, the parent's id.
    pub path: &'static str,
    /// How the list is read.
    pub paging: Paging,
    /// Query parameters every list call carries.
    pub query: &'static [(&'static str, &'static str)],
    /// The field that holds the id.
    pub id: &'static str,
    /// The fields that identify a resource in any tenant; absent ones count as null.
    pub key: &'static [&'static str],
    /// The notation of [`Fields`].
    table: &'static str,
    parsed: OnceLock<Fields>,
    /// Fields the API returns, knows and never takes: dropped on the way in.
    pub read_only: &'static [&'static str],
    /// Fields that never become part of a resource.
    pub secrets: &'static [&'static str],
    /// Whether a tenant gives the secret itself when the resource is created, so that nobody has to supply it.
    pub made_secrets: &'static [&'static str],
    /// Fields that name another resource.
    pub references: &'static [Reference],
    /// Lists whose order says nothing.
    pub sets: &'static [&'static str],
    /// Values the server fills in, as JSON text: one that is absent and one that holds this are the same.
    pub defaults: &'static [(&'static str, &'static str)],
    /// Fields a create must have.
    pub required: &'static [&'static str],
    /// Fields that a PATCH replaces whole, where it merges other objects one level deep.
    pub replaced: &'static [&'static str],
    /// Fields written from the target's own value with ours laid over, because they hold what we must not know.
    pub overlaid: &'static [&'static str],
    /// Fields that every update repeats, because leaving one out resets it.
    pub echoed: &'static [&'static str],
    /// Resources to leave alone.
    pub alone: &'static [Alone],
    /// Why none can be created any more, where the API refuses it.
    pub not_created: Option<&'static str>,
    /// Pure edits on the way in.
    pub quirks: &'static [Quirk],
    /// The scopes that let a token read it.
    pub read_scopes: &'static [&'static str],
    /// The scopes that let a token create one.
    pub create_scopes: &'static [&'static str],
    /// The scopes that let a token change one.
    pub update_scopes: &'static [&'static str],
    /// The scopes that let a token remove one.
    pub delete_scopes: &'static [&'static str],
}

impl Kind {
    const fn new(shape: Shape, name: &'static str, singular: &'static str, path: &'static str) -> Self {
        Self {
            name,
            singular,
            title: singular,
            shape,
            path,
            paging: Paging::Whole,
            query: &[],
            id: "id",
            key: &["name"],
            table: "",
            parsed: OnceLock::new(),
            read_only: &[],
            secrets: &[],
            made_secrets: &[],
            references: &[],
            sets: &[],
            defaults: &[],
            required: &[],
            replaced: &[],
            overlaid: &[],
            echoed: &[],
            alone: &[],
            not_created: None,
            quirks: &[],
            read_scopes: &[],
            create_scopes: &[],
            update_scopes: &[],
            delete_scopes: &[],
        }
    }

    /// Opens the entry of a collection.
    #[must_use]
    pub const fn collection(name: &'static str, singular: &'static str, path: &'static str) -> Self {
        Self::new(Shape::Collection, name, singular, path)
    }

    /// Opens the entry of a singleton: its key is its own name.
    #[must_use]
    pub const fn singleton(name: &'static str, singular: &'static str, path: &'static str) -> Self {
        let mut kind = Self::new(Shape::Singleton, name, singular, path);
        kind.key = &[];
        kind
    }

    /// Opens the entry of a fixed set of named objects; `field` holds the name in the body and is id and key.
    #[must_use]
    pub const fn keyed(
        name: &'static str,
        singular: &'static str,
        path: &'static str,
        field: &'static [&'static str; 1],
        names: &'static [&'static str],
    ) -> Self {
        let mut kind = Self::new(Shape::Keyed { names }, name, singular, path);
        kind.id = field[0];
        kind.key = field;
        kind
    }

    /// Opens the entry of a list under each resource of `parent`.
    #[must_use]
    pub const fn child(name: &'static str, singular: &'static str, path: &'static str, parent: &'static str, delta: Delta) -> Self {
        let mut kind = Self::new(Shape::Child { parent, delta }, name, singular, path);
        kind.key = &[];
        kind
    }

    /// Sets what the dashboard calls it.
    #[must_use]
    pub const fn titled(mut self, title: &'static str) -> Self {
        self.title = title;
        self
    }

    /// Sets how the list is read.
    #[must_use]
    pub const fn paged(mut self, paging: Paging) -> Self {
        self.paging = paging;
        self
    }

    /// Sets query parameters that every list call carries.
    #[must_use]
    pub const fn asking(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
        self.query = query;
        self
    }

    /// Sets the field that holds the id (`id` where nothing is said).
    #[must_use]
    pub const fn identified_by(mut self, id: &'static str) -> Self {
        self.id = id;
        self
    }

    /// Sets the fields that identify a resource in any tenant (`name` where nothing is said).
    #[must_use]
    pub const fn keyed_by(mut self, key: &'static [&'static str]) -> Self {
        self.key = key;
        self
    }

    /// Sets the writable fields, in the notation of [`Fields`].
    #[must_use]
    pub const fn writable(mut self, table: &'static str) -> Self {
        self.table = table;
        self
    }

    /// Sets the fields that are dropped on the way in.
    #[must_use]
    pub const fn read_only(mut self, paths: &'static [&'static str]) -> Self {
        self.read_only = paths;
        self
    }

    /// Sets the fields that never become part of a resource.
    #[must_use]
    pub const fn secrets(mut self, paths: &'static [&'static str]) -> Self {
        self.secrets = paths;
        self
    }

    /// Sets the secrets that a tenant makes itself when the resource is created.
    #[must_use]
    pub const fn made_secrets(mut self, paths: &'static [&'static str]) -> Self {
        self.made_secrets = paths;
        self
    }

    /// Sets the fields that name other resources.
    #[must_use]
    pub const fn refers(mut self, references: &'static [Reference]) -> Self {
        self.references = references;
        self
    }

    /// Sets the lists whose order says nothing.
    #[must_use]
    pub const fn sets(mut self, paths: &'static [&'static str]) -> Self {
        self.sets = paths;
        self
    }

    /// Sets the values that the server fills in.
    #[must_use]
    pub const fn defaults(mut self, defaults: &'static [(&'static str, &'static str)]) -> Self {
        self.defaults = defaults;
        self
    }

    /// Sets the fields that a create must have.
    #[must_use]
    pub const fn required(mut self, paths: &'static [&'static str]) -> Self {
        self.required = paths;
        self
    }

    /// Sets the fields that a PATCH replaces whole.
    #[must_use]
    pub const fn replaced(mut self, paths: &'static [&'static str]) -> Self {
        self.replaced = paths;
        self
    }

    /// Sets the fields that are written over the target's own value; such fields are replaced whole.
    #[must_use]
    pub const fn overlaid(mut self, paths: &'static [&'static str]) -> Self {
        self.overlaid = paths;
        self.replaced = paths;
        self
    }

    /// Sets the fields that every update repeats.
    #[must_use]
    pub const fn echoed(mut self, paths: &'static [&'static str]) -> Self {
        self.echoed = paths;
        self
    }

    /// Sets which resources are left alone.
    #[must_use]
    pub const fn alone(mut self, alone: &'static [Alone]) -> Self {
        self.alone = alone;
        self
    }

    /// Says why none can be created any more.
    #[must_use]
    pub const fn not_created(mut self, because: &'static str) -> Self {
        self.not_created = Some(because);
        self
    }

    /// Sets the pure edits on the way in.
    #[must_use]
    pub const fn quirks(mut self, quirks: &'static [Quirk]) -> Self {
        self.quirks = quirks;
        self
    }

    /// Sets the scopes for reading, creating, changing and removing.
    #[must_use]
    pub const fn scopes(
        mut self,
        read: &'static [&'static str],
        create: &'static [&'static str],
        update: &'static [&'static str],
        delete: &'static [&'static str],
    ) -> Self {
        self.read_scopes = read;
        self.create_scopes = create;
        self.update_scopes = update;
        self.delete_scopes = delete;
        self
    }

    /// Returns the writable fields.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        self.parsed.get_or_init(|| Fields::parse(self.table))
    }

    /// Returns the names of the kinds that must come before this one: its parent and what it refers to, late references apart.
    pub fn comes_after(&self) -> impl Iterator<Item = &'static str> + '_ {
        let parent = match self.shape {
            Shape::Child { parent, .. } => Some(parent),
            _ => None,
        };
        parent
            .into_iter()
            .chain(self.references.iter().filter(|reference| !reference.late && !reference.planned).map(|reference| reference.to))
    }

    /// Returns the field that holds the list of a child.
    ///
    /// # Panics
    ///
    /// When the kind is no child.
    #[must_use]
    pub fn elements(&self) -> &'static str {
        assert!(matches!(self.shape, Shape::Child { .. }), "only a child has elements");
        self.fields().iter().next().expect("catalog test: a child has one field").name
    }

    /// Returns the path of one resource: `/clients/{id}`, the singleton's own, or a child's list under its parent.
    ///
    /// The id is percent-encoded, since some contain `|` or `/`.
    #[must_use]
    pub fn path_of(&self, id: &str) -> String {
        let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string();
        let id = id.replace("%5F", "_").replace("%2D", "-");
        match self.shape {
            Shape::Singleton => self.path.to_owned(),
            Shape::Child { .. } => self.path.replace("{id}", &id),
            Shape::Collection | Shape::Keyed { .. } => format!("{}/{id}", self.path),
        }
    }

    /// Returns why this resource, as the API answers it, must be left alone.
    #[must_use]
    pub fn left_alone(&self, answered: &Body) -> Option<&'static str> {
        let holds = |alone: &Alone| match (alone.when, answered.get(alone.field)) {
            (When::True, Some(value)) => *value == Value::Bool(true),
            (When::Present, Some(value)) => !crate::body::is_blank(value),
            (When::Is(text), Some(value)) => value.as_str() == Some(text),
            (_, None) => false,
        };
        self.alone.iter().find(|alone| holds(alone)).map(|alone| alone.because)
    }

    /// Returns the value the server fills in where a field is absent.
    ///
    /// # Panics
    ///
    /// When the table holds a default that is not JSON; a test of the catalog reads every one.
    #[must_use]
    pub fn default_of(&self, path: &str) -> Option<Value> {
        let (_, text) = self.defaults.iter().find(|(known, _)| *known == path)?;
        Some(serde_json::from_str(text).expect("catalog test: every default is JSON"))
    }
}
