//! One kind of settings, and what follows from its entry. The words an entry is written in stand in `words`, its paths in `address`.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::Value;

use super::fields::Fields;
use super::reference::{BuiltIn, Condition, Exclusion, GeneratedSecretField, ManualStepTemplate, Reference, ReferencedBy, RequiredSecrets};
use super::risk::Risks;
use super::risks;
use super::shape::{ElementChanges, FollowUp, KeyNames, Paging, Shape, Write};
use crate::json::{Body, Packed};

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
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own about the API")]
pub struct Kind {
    /// The name in commands, keys and file names: the API's own path word, plural.
    pub name: &'static str,
    /// One of them in a sentence: `client "Billing API"`.
    pub singular: &'static str,
    /// What Auth0's dashboard calls it.
    pub title: &'static str,
    /// How the API serves it.
    pub shape: Shape,
    /// The path of the list under `/api/v2`, or of a singleton.
    ///
    /// A child's holds `{id}`, its parent's id; that of a nested kind or a part holds the field that names its parent.
    pub path: &'static str,
    /// The path of one resource, where it does not follow from the path of the list: fields of the body and `{id}` stand in it.
    pub item: &'static str,
    /// Older paths that lead to the same: served and never called.
    pub aliases: &'static [&'static str],
    /// Where a POST creates one, where that does not follow from the shape.
    pub create_path: &'static str,
    /// Which request changes one.
    pub write: Write,
    /// How the list is read.
    pub paging: Paging,
    /// Query parameters every list call carries.
    pub query: &'static [(&'static str, &'static str)],
    /// The field under which a bare array that the API answers and takes is kept.
    pub list_field: &'static str,
    /// Whether the list is only a summary, so that each resource is read by itself.
    pub is_summarised: bool,
    /// Whether no request reads one of them: only the list shows it.
    pub is_only_listed: bool,
    /// Whether the list also shows presets, which have no id and count as absent.
    pub has_presets: bool,
    /// The kind whose resources it shows part of, at the same paths.
    pub view_of: Option<&'static str>,
    /// The field of the parent and what it must hold one of, where other parents have none.
    pub parents: Option<(&'static str, &'static [&'static str])>,
    /// The field that holds the id.
    pub id: &'static str,
    /// The fields that identify a resource in any tenant; absent ones count as null.
    pub key: &'static [&'static str],
    /// Whether a tenant that has none answers 404 until one is written.
    pub is_optional: bool,
    /// The field that holds another id of each resource, by which some references name it.
    pub alias: &'static str,
    /// The field that holds a host of the tenant itself, which means nothing in another one.
    pub host: &'static str,
    /// Templates in which Auth0 puts values of its own, and the names it knows there: `@@ID@@` is no value that somebody forgot.
    pub template_variables: &'static [(&'static str, &'static [&'static str])],
    /// Kinds that must come before this one though no field of it names them.
    pub depends_on: &'static [&'static str],
    /// The notation of [`Fields`].
    pub(super) table: &'static str,
    pub(super) parsed: OnceLock<Fields>,
    /// Fields the API returns, knows and never takes: dropped on the way in.
    pub read_only: &'static [&'static str],
    /// Fields that never become part of a resource.
    pub secrets: &'static [&'static str],
    /// Fields whose names sound like secrets and that hold none, each with its reason: the rule about secrets that nobody lists spares them.
    ///
    /// A path stands for that field alone, one that ends in `**` for all that is below.
    pub not_secret: &'static [(&'static str, &'static str)],
    /// Code, which is copied as it is, whatever stands in it.
    pub code: &'static [&'static str],
    /// Secrets that a tenant makes itself when it creates a resource, so that nobody has to supply them.
    pub generated_secrets: &'static [GeneratedSecretField],
    /// Secrets that no answer ever holds.
    pub write_only: &'static [&'static str],
    /// Objects that are written together with the secrets in them, or not at all.
    pub requires_secrets: &'static [RequiredSecrets],
    /// Fields that name another resource.
    pub references: &'static [Reference],
    /// Lists whose order says nothing.
    pub sets: &'static [&'static str],
    /// Sets of objects, and the field that tells one element from the others.
    pub element_key: &'static [(&'static str, &'static str)],
    /// Lists with an order in which elements that name what only the target has stay, behind the others.
    pub ordered_merge: &'static [&'static str],
    /// Values the server fills in, as JSON text: one that is absent and one that holds this are the same.
    pub defaults: &'static [(&'static str, &'static str)],
    /// Fields that hold what another field holds where they are absent.
    pub defaults_to_field: &'static [(&'static str, &'static str)],
    /// Fields that every resource has, since a create fills them in where the body lacks them: with what, depends on the rest of the body.
    ///
    /// One that is absent was not said, so the target's own value stands.
    pub server_filled: &'static [&'static str],
    /// Objects whose presence is the setting: an empty one is not the same as none.
    ///
    /// An update takes no null for one of them: the object that they stand in is cleared whole, and written again without it.
    pub present: &'static [&'static str],
    /// Values of a field that the server alone gives, among those that people give: neither compared nor sent. Where the field stands in the
    /// elements of a list, the whole element is the server's.
    pub server_values: &'static [(&'static str, &'static [&'static str])],
    /// Fields a create must have.
    pub required: &'static [&'static str],
    /// Fields a create must have where another one meets a condition: that field, the condition, what it must have.
    pub required_when: &'static [(&'static str, Condition, &'static str)],
    /// Fields that a PATCH replaces whole, where it merges other objects one level deep.
    pub replaced: &'static [&'static str],
    /// Objects in which an update adds and changes fields and takes none away: a PATCH keeps what it does not mention.
    pub merge_only: &'static [&'static str],
    /// Fields written from the target's own value with ours laid over, because they hold what we must not know.
    pub read_modify_write: &'static [&'static str],
    /// Pairs of fields of which a resource has one: the newer, and the older that it took the place of.
    pub exclusive: &'static [(&'static str, &'static str)],
    /// Fields that an update refuses while the resource holds another: the field, and the other.
    pub blocked_by: &'static [(&'static str, &'static str)],
    /// Fields that every update repeats, because leaving one out resets it.
    pub always_sent: &'static [&'static str],
    /// Fields of which one says whether what the others say is in force: where they change together, they go in one request or not at all.
    pub written_together: &'static [&'static [&'static str]],
    /// Kinds of which a write of this one resets fields: they are written again behind it.
    pub resets: &'static [&'static str],
    /// Resources to leave alone.
    pub excluded: &'static [Exclusion],
    /// Resources that the tenant itself makes, of which only some fields are written.
    pub built_in: Option<BuiltIn>,
    /// Fields beside the key whose value no two of them have.
    pub unique: &'static [&'static str],
    /// What users have of one, which goes with it and which nothing here reads or brings back.
    pub user_data: Option<&'static str>,
    /// Whether two of them may have the same key; where they may not, the API answers 409.
    pub allows_duplicates: bool,
    /// Why none can be created any more, where the API refuses it.
    pub not_created: Option<&'static str>,
    /// What a person has to do to have one, where no request can.
    pub by_hand: Option<&'static str>,
    /// What a person has to do once one was created, or came to hold what the step is about.
    pub manual_steps: &'static [ManualStepTemplate],
    /// Fields that a tenant's subscription may lack: where it refuses one, the resource is written without it.
    pub entitlements: &'static [&'static str],
    /// The request that makes a write count.
    pub follow_up: Option<FollowUp>,
    /// Pure edits on the way in.
    pub quirks: &'static [Quirk],
    /// The scopes that let a token read it.
    pub read_scopes: &'static [&'static str],
    /// The scopes that let a token create one.
    pub create_scopes: &'static [&'static str],
    /// The scopes that let a token change one.
    pub update_scopes: &'static [&'static str],
    /// Scopes that newer tenants ask for besides, to read and to write all of it.
    pub extra_scopes: (&'static [&'static str], &'static [&'static str]),
    /// The scopes that let a token remove one.
    pub delete_scopes: &'static [&'static str],
}

impl Kind {
    /// Returns the writable fields.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        self.parsed.get_or_init(|| Fields::parse(self.table))
    }

    /// Returns the names of the kinds that must come before this one: its parent and what it refers to, late references apart.
    pub fn comes_after(&self) -> impl Iterator<Item = &'static str> + '_ {
        let spoken_for = match self.shape {
            Shape::Keyed { names: KeyNames::PerElement { of, .. } } => Some(of),
            _ => self.parent(),
        };
        spoken_for
            .into_iter()
            .chain(self.depends_on.iter().copied())
            .chain(self.references.iter().filter(|reference| !reference.late).map(|reference| reference.to))
    }

    /// Returns the kinds that it names by what they are called.
    pub fn names_by_key(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.references.iter().filter(|reference| reference.by == ReferencedBy::Key).map(|reference| reference.to)
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

    /// Returns whether a request removes one, or empties it where it is there by being written.
    #[must_use]
    pub fn can_be_deleted(&self) -> bool {
        !self.delete_scopes.is_empty() || self.emptied().is_some()
    }

    /// Returns what a write holds that leaves nothing of a named object or a part which no DELETE removes; nothing where no write does that.
    #[must_use]
    pub fn emptied(&self) -> Option<Body> {
        let is_by_name = matches!(self.shape, Shape::Keyed { .. } | Shape::Part { .. }) && self.creation().is_none();
        if !is_by_name || !self.delete_scopes.is_empty() {
            return None;
        }
        if self.fields().is_open() {
            return (self.write == Write::Put).then(Body::new);
        }
        let lists = self.fields().iter().filter(|field| !field.in_path);
        let is_list = |name: &&'static str| self.sets.contains(name) || self.ordered_merge.contains(name);
        lists.map(|field| Some(field.name).filter(is_list).map(|name| (name.to_owned(), Value::Array(Vec::new())))).collect()
    }

    /// Returns the field that tells the elements of a set apart: two of which it holds the same are one thing to the API.
    #[must_use]
    pub fn told_apart_by(&self, set: &str) -> Option<&'static str> {
        match self.shape {
            Shape::Child { element_changes: ElementChanges::AddUpdateRemove { by, .. }, .. } => Some(by),
            _ => self.element_key.iter().find(|(path, _)| *path == set).map(|(_, field)| *field),
        }
    }

    /// Returns the kind it hangs under.
    #[must_use]
    pub fn parent(&self) -> Option<&'static str> {
        match self.shape {
            Shape::Child { parent, .. } | Shape::Nested { parent } | Shape::Part { parent } => Some(parent),
            Shape::Collection | Shape::Singleton | Shape::Keyed { .. } => None,
        }
    }

    /// Returns what changes of its resources may cost.
    #[must_use]
    pub fn risks(&self) -> &'static Risks {
        risks::of(self.name)
    }

    /// Returns whether a tenant gives each an id that means nothing elsewhere.
    #[must_use]
    pub fn has_own_ids(&self) -> bool {
        match self.shape {
            Shape::Collection => self.view_of.is_none(),
            Shape::Nested { .. } => !self.references.iter().any(|reference| reference.path == self.id),
            Shape::Singleton | Shape::Keyed { .. } | Shape::Child { .. } | Shape::Part { .. } => false,
        }
    }

    /// Returns the entry of an object that is written together with its secrets.
    #[must_use]
    pub fn sealed_at(&self, path: &str) -> Option<&RequiredSecrets> {
        self.requires_secrets.iter().find(|sealed| sealed.path == path)
    }

    /// Returns whether a parent, as it stands in a snapshot, can have any of it.
    #[must_use]
    pub fn hangs_under(&self, parent: &Packed) -> bool {
        self.parents.is_none_or(|(field, values)| parent.pick(&[field]).text(field).is_some_and(|value| values.contains(&value)))
    }

    /// Returns whether Auth0 itself puts a value where a template says `@@name@@`.
    #[must_use]
    pub fn knows_variable(&self, path: &str, name: &str) -> bool {
        self.template_variables.iter().any(|(template, names)| *template == path && names.contains(&name))
    }

    /// Returns why this resource, as the API answers it, must be left alone where these words are included.
    #[must_use]
    pub fn exclusion(&self, answered: &Body, included: &BTreeSet<String>) -> Option<&'static Exclusion> {
        let is_lifted = |alone: &Exclusion| alone.unless.is_some_and(|word| included.contains(word));
        let is_given = self.built_in.is_some_and(|given| given.is(answered));
        self.excluded.iter().filter(|_| !is_given).find(|alone| !is_lifted(alone) && alone.when.holds(answered.get(alone.field)))
    }

    /// Returns whether an update writes a field over the target's own value.
    ///
    /// So it does with what the entry says, and with an object in which a secret that reads show stands two levels down: a PATCH merges one
    /// level, and the object in between would come back without its secret.
    #[must_use]
    pub fn is_laid_over(&self, name: &str) -> bool {
        let is_deep = |path: &&&str| path.split('.').next() == Some(name) && path.split('.').nth(2).is_some();
        let is_shown = |path: &&&str| !self.write_only.contains(path);
        self.read_modify_write.contains(&name) || self.secrets.iter().filter(is_shown).any(|path| is_deep(&path))
    }

    /// Returns the fields that a resource cannot have beside this one.
    pub fn excluded_by<'path>(&self, path: &'path str) -> impl Iterator<Item = &'static str> + 'path {
        let other = move |(newer, older): &(&'static str, &'static str)| match path {
            path if path == *newer => Some(*older),
            path if path == *older => Some(*newer),
            _ => None,
        };
        self.exclusive.iter().filter_map(other)
    }

    /// Returns whether a field holds an object or a list of such, so that a secret supplied for it is JSON.
    #[must_use]
    pub fn holds_json(&self, path: &str) -> bool {
        self.fields().at(path).is_some_and(|field| field.below.is_some())
    }

    /// Returns the value that an absent field stands for.
    #[must_use]
    pub fn default_of(&self, path: &str) -> Option<Value> {
        let (_, text) = self.defaults.iter().find(|(known, _)| *known == path)?;
        Some(serde_json::from_str(text).expect("catalog test: every default is JSON"))
    }

    /// Returns the default at a path, or inside the default of an object above it.
    pub fn default_within(&self, path: &str) -> Option<Value> {
        self.default_of(path).or_else(|| {
            let (above, name) = path.rsplit_once('.')?;
            self.default_within(above)?.get(name).cloned()
        })
    }

    /// Returns the secrets that a tenant makes when it creates a resource of this body.
    pub fn made_for(&self, body: &Body) -> impl Iterator<Item = &'static GeneratedSecretField> {
        let holds = |field: &str, text: &str| body.get(field).cloned().or_else(|| self.default_of(field)) == Some(text.into());
        self.generated_secrets.iter().filter(move |made| made.when.is_none_or(|(field, text)| holds(field, text)))
    }
}
