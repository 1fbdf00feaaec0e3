//! The builder for entries of the catalog; its methods are in the order in which every entry calls them.

use super::groups::{Defaults, FieldRules, Identity, Lifecycle, Lists, Paths, RequiredScopes, SecretFields};
use super::kind::Kind;
use super::quirks::Quirks;
use super::reference::{Exclusion, GeneratedSecretField, ManualStepTemplate, Reference, RequiredSecrets};
use super::risk::Risks;
use super::shape::{ElementChanges, FollowUp, KeyNames, Paging, Shape, Write};

impl Kind {
    const fn new(shape: Shape, name: &'static str, singular: &'static str, path: &'static str) -> Self {
        Self {
            name,
            singular,
            title: singular,
            shape,
            paths: Paths::new(path),
            identity: Identity::DEFAULT,
            fields: FieldRules::new(),
            secrets: SecretFields::DEFAULT,
            references: &[],
            depends_on: &[],
            lists: Lists::DEFAULT,
            defaults: Defaults::DEFAULT,
            scopes: RequiredScopes::DEFAULT,
            entitlements: &[],
            lifecycle: Lifecycle::DEFAULT,
            quirks: Quirks::NONE,
            risk: Risks::SIGN_IN,
        }
    }

    /// Starts the entry of a collection.
    #[must_use]
    pub const fn collection(name: &'static str, singular: &'static str, path: &'static str) -> Self {
        Self::new(Shape::Collection, name, singular, path)
    }

    /// Starts the entry of a singleton, whose key is its own name.
    #[must_use]
    pub const fn singleton(name: &'static str, singular: &'static str, path: &'static str) -> Self {
        let mut kind = Self::new(Shape::Singleton, name, singular, path);
        kind.identity.key = &[];
        kind
    }

    /// Starts the entry of a set of named objects; `fields` contain the name in the body, and are the key.
    #[must_use]
    pub(crate) const fn keyed(
        name: &'static str,
        singular: &'static str,
        path: &'static str,
        fields: &'static [&'static str],
        names: KeyNames,
    ) -> Self {
        let mut kind = Self::new(Shape::Keyed { names }, name, singular, path);
        kind.identity.id = fields[0];
        kind.identity.key = fields;
        kind
    }

    /// Starts the entry of a list under each resource of `parent`.
    #[must_use]
    pub const fn child(
        name: &'static str,
        singular: &'static str,
        path: &'static str,
        parent: &'static str,
        element_changes: ElementChanges,
    ) -> Self {
        let mut kind = Self::new(Shape::Child { parent, element_changes }, name, singular, path);
        kind.identity.key = &[];
        kind
    }

    /// Starts the entry of a collection under each resource of `parent`; the field in the path names the parent.
    #[must_use]
    pub const fn nested(name: &'static str, singular: &'static str, path: &'static str, parent: &'static str) -> Self {
        Self::new(Shape::Nested { parent }, name, singular, path)
    }

    /// Starts the entry of an object that a resource of `parent` may have; the field in the path names the parent.
    #[must_use]
    pub const fn part(name: &'static str, singular: &'static str, path: &'static str, parent: &'static str) -> Self {
        Self::new(Shape::Part { parent }, name, singular, path)
    }

    /// Sets the name in Auth0's dashboard.
    #[must_use]
    pub const fn titled(mut self, title: &'static str) -> Self {
        self.title = title;
        self
    }

    /// Sets the path of one resource, which contains `{id}` and fields of the body in braces.
    #[must_use]
    pub(crate) const fn item_path(mut self, path: &'static str) -> Self {
        self.paths.item = path;
        self
    }

    /// Sets the path at which a POST creates a resource; without it, a singleton, a part or a named object comes into
    /// being by being written.
    #[must_use]
    pub(crate) const fn create_path(mut self, path: &'static str) -> Self {
        self.paths.create = path;
        self
    }

    /// Sets older paths of the same endpoint.
    #[must_use]
    pub const fn aliases(mut self, paths: &'static [&'static str]) -> Self {
        self.paths.aliases = paths;
        self
    }

    /// Restricts the kind to parents whose field contains one of these values.
    #[must_use]
    pub(crate) const fn parent_condition(mut self, field: &'static str, values: &'static [&'static str]) -> Self {
        self.paths.parent_condition = Some((field, values));
        self
    }

    /// Sets query parameters of every list request.
    #[must_use]
    pub const fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
        self.paths.query = query;
        self
    }

    /// Sets how the list is paginated.
    #[must_use]
    pub const fn paged(mut self, paging: Paging) -> Self {
        self.paths.paging = paging;
        self
    }

    /// Declares that an update is a PUT of the complete resource.
    #[must_use]
    pub const fn put(mut self) -> Self {
        self.paths.write = Write::Put;
        self
    }

    /// Declares that the list contains only summaries.
    #[must_use]
    pub(crate) const fn summary_list(mut self) -> Self {
        self.paths.list_is_summary = true;
        self
    }

    /// Declares that a resource can only be read as part of the list.
    #[must_use]
    pub(crate) const fn list_only(mut self) -> Self {
        self.paths.is_list_only = true;
        self
    }

    /// Sets the field that contains the id (default: `id`).
    #[must_use]
    pub(crate) const fn id_field(mut self, field: &'static str) -> Self {
        self.identity.id = field;
        self
    }

    /// Sets the fields that identify a resource in any tenant (default: `name`).
    #[must_use]
    pub(crate) const fn keyed_by(mut self, fields: &'static [&'static str]) -> Self {
        self.identity.key = fields;
        self
    }

    /// Sets fields besides the key whose value no two resources may share.
    #[must_use]
    pub const fn unique(mut self, fields: &'static [&'static str]) -> Self {
        self.identity.unique = fields;
        self
    }

    /// Declares that two resources may have the same key.
    #[must_use]
    pub const fn allows_duplicates(mut self) -> Self {
        self.identity.allows_duplicates = true;
        self
    }

    /// Declares that a tenant may have none: it answers 404 until one is written.
    #[must_use]
    pub(crate) const fn optional(mut self) -> Self {
        self.identity.is_optional = true;
        self
    }

    /// Sets the field that contains a host of the tenant itself.
    #[must_use]
    pub const fn tenant_host(mut self, field: &'static str) -> Self {
        self.identity.tenant_host = field;
        self
    }

    /// Sets the fields besides the key that show a reader what a new resource is.
    #[must_use]
    pub const fn distinguished_by(mut self, fields: &'static [&'static str]) -> Self {
        self.identity.distinguishing = fields;
        self
    }

    /// Sets the writable fields, in the notation of [`Fields`](super::fields::Fields).
    #[must_use]
    pub const fn writable(mut self, table: &'static str) -> Self {
        self.fields.table = table;
        self
    }

    /// Sets fields that are dropped when a resource is read.
    #[must_use]
    pub const fn read_only(mut self, paths: &'static [&'static str]) -> Self {
        self.fields.read_only = paths;
        self
    }

    /// Sets fields that a create must contain.
    #[must_use]
    pub const fn required(mut self, paths: &'static [&'static str]) -> Self {
        self.fields.required = paths;
        self
    }

    /// Sets objects that a PATCH replaces completely.
    #[must_use]
    pub const fn replaced(mut self, paths: &'static [&'static str]) -> Self {
        self.fields.replaced = paths;
        self
    }

    /// Sets objects from which an update cannot remove fields.
    #[must_use]
    pub const fn merge_only(mut self, paths: &'static [&'static str]) -> Self {
        self.fields.merge_only = paths;
        self
    }

    /// Sets objects that are merged into the target's own value and then replaced completely.
    #[must_use]
    pub(crate) const fn read_modify_write(mut self, paths: &'static [&'static str]) -> Self {
        self.fields.read_modify_write = paths;
        self.fields.replaced = paths;
        self
    }

    /// Sets fields that every update repeats.
    #[must_use]
    pub const fn always_sent(mut self, paths: &'static [&'static str]) -> Self {
        self.fields.always_sent = paths;
        self
    }

    /// Sets groups of fields that, if they change together, are sent in one request or not at all.
    #[must_use]
    pub(crate) const fn written_together(mut self, groups: &'static [&'static [&'static str]]) -> Self {
        self.fields.written_together = groups;
        self
    }

    /// Sets fields that contain code.
    #[must_use]
    pub const fn code(mut self, paths: &'static [&'static str]) -> Self {
        self.fields.code = paths;
        self
    }

    /// Sets fields that never become part of a resource.
    #[must_use]
    pub const fn secrets(mut self, paths: &'static [&'static str]) -> Self {
        self.secrets.paths = paths;
        self
    }

    /// Sets fields whose names sound like secrets but contain none, each with the reason.
    #[must_use]
    pub(crate) const fn not_secret(mut self, fields: &'static [(&'static str, &'static str)]) -> Self {
        self.secrets.exempt = fields;
        self
    }

    /// Sets secrets that the tenant generates when it creates a resource.
    #[must_use]
    pub const fn generated_secrets(mut self, secrets: &'static [GeneratedSecretField]) -> Self {
        self.secrets.generated = secrets;
        self
    }

    /// Sets secrets that no response contains.
    #[must_use]
    pub(crate) const fn write_only(mut self, paths: &'static [&'static str]) -> Self {
        self.secrets.write_only = paths;
        self
    }

    /// Sets objects that are written together with the secrets in them, or not at all.
    #[must_use]
    pub(crate) const fn requires_secrets(mut self, objects: &'static [RequiredSecrets]) -> Self {
        self.secrets.required_in = objects;
        self
    }

    /// Sets fields that refer to other resources.
    #[must_use]
    pub const fn refers(mut self, references: &'static [Reference]) -> Self {
        self.references = references;
        self
    }

    /// Sets kinds that must be written before this one although no field refers to them.
    #[must_use]
    pub(crate) const fn depends_on(mut self, kinds: &'static [&'static str]) -> Self {
        self.depends_on = kinds;
        self
    }

    /// Sets lists whose order has no meaning.
    #[must_use]
    pub const fn unordered(mut self, paths: &'static [&'static str]) -> Self {
        self.lists.unordered = paths;
        self
    }

    /// Sets the field that identifies an element, for unordered lists of objects.
    #[must_use]
    pub const fn element_key(mut self, fields: &'static [(&'static str, &'static str)]) -> Self {
        self.lists.element_key = fields;
        self
    }

    /// Sets values that the server fills in, as JSON text.
    #[must_use]
    pub const fn defaults(mut self, values: &'static [(&'static str, &'static str)]) -> Self {
        self.defaults.values = values;
        self
    }

    /// Sets fields that a create fills in depending on the rest of the body.
    #[must_use]
    pub const fn server_filled(mut self, paths: &'static [&'static str]) -> Self {
        self.defaults.server_filled = paths;
        self
    }

    /// Sets the scopes for reading, creating, updating and deleting.
    #[must_use]
    pub const fn scopes(
        mut self,
        read: &'static [&'static str],
        create: &'static [&'static str],
        update: &'static [&'static str],
        delete: &'static [&'static str],
    ) -> Self {
        self.scopes = RequiredScopes { read, create, update, delete };
        self
    }

    /// Sets fields that a subscription may lack.
    #[must_use]
    pub const fn entitlements(mut self, fields: &'static [&'static str]) -> Self {
        self.entitlements = fields;
        self
    }

    /// Sets which resources are not copied.
    #[must_use]
    pub const fn excluded(mut self, exclusions: &'static [Exclusion]) -> Self {
        self.lifecycle.excluded = exclusions;
        self
    }

    /// States why the API no longer creates any.
    #[must_use]
    pub const fn not_creatable(mut self, reason: &'static str) -> Self {
        self.lifecycle.not_creatable = Some(reason);
        self
    }

    /// States what a person has to do to get one.
    #[must_use]
    pub const fn manual_setup(mut self, step: &'static str) -> Self {
        self.lifecycle.manual_setup = Some(step);
        self
    }

    /// Sets what a person has to do once a resource was created, or meets the condition of the step.
    #[must_use]
    pub const fn manual_steps(mut self, steps: &'static [ManualStepTemplate]) -> Self {
        self.lifecycle.manual_steps = steps;
        self
    }

    /// Sets the request that makes a write take effect.
    #[must_use]
    pub const fn follow_up(mut self, follow_up: FollowUp) -> Self {
        self.lifecycle.follow_up = Some(follow_up);
        self
    }

    /// States what users lose when a resource is deleted.
    #[must_use]
    pub(crate) const fn user_data(mut self, what: &'static str) -> Self {
        self.lifecycle.user_data = Some(what);
        self
    }

    /// Sets what is true of this kind only.
    #[must_use]
    pub const fn quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// Sets the risks of changes to its resources.
    #[must_use]
    pub const fn risk(mut self, risk: Risks) -> Self {
        self.risk = risk;
        self
    }
}
