//! The words an entry of the catalog is written in.

use std::sync::OnceLock;

use super::kind::{Kind, Quirk};
use super::reference::{BuiltIn, Exclusion, ManualStepTemplate};
use super::shape::{ElementChanges, FollowUp, KeyNames, Paging, Shape, Write};

impl Kind {
    const fn new(shape: Shape, name: &'static str, singular: &'static str, path: &'static str) -> Self {
        Self {
            name,
            singular,
            title: singular,
            shape,
            path,
            item: "",
            aliases: &[],
            create_path: "",
            write: Write::Patch,
            paging: Paging::Whole,
            query: &[],
            list_field: "",
            is_summarised: false,
            is_only_listed: false,
            has_presets: false,
            view_of: None,
            parents: None,
            is_optional: false,
            alias: "",
            host: "",
            template_variables: &[],
            depends_on: &[],
            id: "id",
            key: &["name"],
            table: "",
            parsed: OnceLock::new(),
            read_only: &[],
            secrets: &[],
            not_secret: &[],
            code: &[],
            generated_secrets: &[],
            write_only: &[],
            requires_secrets: &[],
            references: &[],
            sets: &[],
            element_key: &[],
            ordered_merge: &[],
            defaults: &[],
            defaults_to_field: &[],
            server_filled: &[],
            present: &[],
            server_values: &[],
            required: &[],
            required_when: &[],
            written_together: &[],
            replaced: &[],
            merge_only: &[],
            read_modify_write: &[],
            exclusive: &[],
            blocked_by: &[],
            always_sent: &[],
            resets: &[],
            excluded: &[],
            built_in: None,
            unique: &[],
            user_data: None,
            allows_duplicates: false,
            not_created: None,
            by_hand: None,
            manual_steps: &[],
            entitlements: &[],
            follow_up: None,
            quirks: &[],
            read_scopes: &[],
            create_scopes: &[],
            update_scopes: &[],
            extra_scopes: (&[], &[]),
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

    /// Opens the entry of a set of named objects; `fields` hold the name in the body, and are the key.
    #[must_use]
    pub const fn keyed(
        name: &'static str,
        singular: &'static str,
        path: &'static str,
        fields: &'static [&'static str],
        names: KeyNames,
    ) -> Self {
        let mut kind = Self::new(Shape::Keyed { names }, name, singular, path);
        kind.id = fields[0];
        kind.key = fields;
        kind
    }

    /// Opens the entry of a list under each resource of `parent`.
    #[must_use]
    pub const fn child(
        name: &'static str,
        singular: &'static str,
        path: &'static str,
        parent: &'static str,
        element_changes: ElementChanges,
    ) -> Self {
        let mut kind = Self::new(Shape::Child { parent, element_changes }, name, singular, path);
        kind.key = &[];
        kind
    }

    /// Opens the entry of a collection under each resource of `parent`; the field in the path names the parent.
    #[must_use]
    pub const fn nested(name: &'static str, singular: &'static str, path: &'static str, parent: &'static str) -> Self {
        Self::new(Shape::Nested { parent }, name, singular, path)
    }

    /// Opens the entry of an object that a resource of `parent` may have; the field in the path names the parent.
    #[must_use]
    pub const fn part(name: &'static str, singular: &'static str, path: &'static str, parent: &'static str) -> Self {
        Self::new(Shape::Part { parent }, name, singular, path)
    }

    /// Sets what the dashboard calls it.
    #[must_use]
    pub const fn titled(mut self, title: &'static str) -> Self {
        self.title = title;
        self
    }

    /// Sets the path of one resource; fields of the body and `{id}` stand in it.
    #[must_use]
    pub const fn at(mut self, item: &'static str) -> Self {
        self.item = item;
        self
    }

    /// Sets older paths that lead to the same.
    #[must_use]
    pub const fn aliases(mut self, paths: &'static [&'static str]) -> Self {
        self.aliases = paths;
        self
    }

    /// Sets where a POST creates one; without it a singleton, a part or a named object is there by being written.
    #[must_use]
    pub const fn create_path(mut self, path: &'static str) -> Self {
        self.create_path = path;
        self
    }

    /// Says that a change is a PUT of the whole.
    #[must_use]
    pub const fn put(mut self) -> Self {
        self.write = Write::Put;
        self
    }

    /// Sets the field under which a bare array that the API answers and takes is kept.
    #[must_use]
    pub const fn list_field(mut self, field: &'static str) -> Self {
        self.list_field = field;
        self
    }

    /// Says that the list is only a summary.
    #[must_use]
    pub const fn summarised(mut self) -> Self {
        self.is_summarised = true;
        self
    }

    /// Says that no request reads one of them.
    #[must_use]
    pub const fn only_listed(mut self) -> Self {
        self.is_only_listed = true;
        self
    }

    /// Says that the list also shows presets, which have no id.
    #[must_use]
    pub const fn with_presets(mut self) -> Self {
        self.has_presets = true;
        self
    }

    /// Says that it shows part of another kind's resources, at the same paths.
    #[must_use]
    pub const fn view_of(mut self, kind: &'static str) -> Self {
        self.view_of = Some(kind);
        self
    }

    /// Sets which parents have any: those whose field holds one of these values.
    #[must_use]
    pub const fn where_parent(mut self, field: &'static str, values: &'static [&'static str]) -> Self {
        self.parents = Some((field, values));
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
    pub const fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
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

    /// Says that a tenant that has none answers 404 until one is written.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// Sets the field that holds another id of each resource, by which [`ReferencedBy::Alias`](super::reference::ReferencedBy) names it.
    #[must_use]
    pub const fn also_known_by(mut self, field: &'static str) -> Self {
        self.alias = field;
        self
    }

    /// Sets the field that holds a host of the tenant itself.
    #[must_use]
    pub const fn hosted_at(mut self, field: &'static str) -> Self {
        self.host = field;
        self
    }

    /// Sets the templates in which Auth0 puts values of its own: the field, and the names it knows there.
    #[must_use]
    pub const fn template_variables(mut self, variables: &'static [(&'static str, &'static [&'static str])]) -> Self {
        self.template_variables = variables;
        self
    }

    /// Sets kinds that must come before this one though no field of it names them.
    #[must_use]
    pub const fn depends_on(mut self, kinds: &'static [&'static str]) -> Self {
        self.depends_on = kinds;
        self
    }

    /// Sets which resources are left alone.
    #[must_use]
    pub const fn excluded(mut self, alone: &'static [Exclusion]) -> Self {
        self.excluded = alone;
        self
    }

    /// Sets which resources the tenant itself makes, and what of them is written.
    #[must_use]
    pub const fn built_in(mut self, given: BuiltIn) -> Self {
        self.built_in = Some(given);
        self
    }

    /// Sets what users have of one, which goes with it.
    #[must_use]
    pub const fn user_data(mut self, what: &'static str) -> Self {
        self.user_data = Some(what);
        self
    }

    /// Sets the fields beside the key whose value no two of them have.
    #[must_use]
    pub const fn unique(mut self, fields: &'static [&'static str]) -> Self {
        self.unique = fields;
        self
    }

    /// Says that two of them may have the same key.
    #[must_use]
    pub const fn allows_duplicates(mut self) -> Self {
        self.allows_duplicates = true;
        self
    }

    /// Says why none can be created any more.
    #[must_use]
    pub const fn not_created(mut self, reason: &'static str) -> Self {
        self.not_created = Some(reason);
        self
    }

    /// Says what a person has to do to have one.
    #[must_use]
    pub const fn by_hand(mut self, what: &'static str) -> Self {
        self.by_hand = Some(what);
        self
    }

    /// Sets what a person has to do once one was created, or came to hold what the step is about.
    #[must_use]
    pub const fn manual_steps(mut self, steps: &'static [ManualStepTemplate]) -> Self {
        self.manual_steps = steps;
        self
    }

    /// Sets the fields that a subscription may lack.
    #[must_use]
    pub const fn entitlements(mut self, fields: &'static [&'static str]) -> Self {
        self.entitlements = fields;
        self
    }

    /// Sets the request that makes a write count.
    #[must_use]
    pub const fn follow_up(mut self, follow_up: FollowUp) -> Self {
        self.follow_up = Some(follow_up);
        self
    }

    /// Sets the pure edits on the way in.
    #[must_use]
    pub const fn quirks(mut self, quirks: &'static [Quirk]) -> Self {
        self.quirks = quirks;
        self
    }

    /// Sets the scopes that newer tenants ask for besides, to read and to write all of it.
    #[must_use]
    pub const fn extra_scopes(mut self, read: &'static [&'static str], write: &'static [&'static str]) -> Self {
        self.extra_scopes = (read, write);
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
}
