//! The words that an entry of the catalog says of its fields.

use super::kind::Kind;
use super::reference::{Condition, GeneratedSecretField, Reference, RequiredSecrets};

impl Kind {
    /// Sets the writable fields, in the notation of [`Fields`](super::fields::Fields).
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

    /// Sets the fields whose names sound like secrets and that hold none, each with its reason.
    #[must_use]
    pub const fn not_secret(mut self, fields: &'static [(&'static str, &'static str)]) -> Self {
        self.not_secret = fields;
        self
    }

    /// Sets the fields that hold code.
    #[must_use]
    pub const fn code(mut self, paths: &'static [&'static str]) -> Self {
        self.code = paths;
        self
    }

    /// Sets the secrets that a tenant makes itself when the resource is created.
    #[must_use]
    pub const fn generated_secrets(mut self, secrets: &'static [GeneratedSecretField]) -> Self {
        self.generated_secrets = secrets;
        self
    }

    /// Sets the secrets that no answer ever holds.
    #[must_use]
    pub const fn write_only(mut self, paths: &'static [&'static str]) -> Self {
        self.write_only = paths;
        self
    }

    /// Sets the objects that are written together with the secrets in them, or not at all.
    #[must_use]
    pub const fn requires_secrets(mut self, sealed: &'static [RequiredSecrets]) -> Self {
        self.requires_secrets = sealed;
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

    /// Sets what tells the elements of a set apart, where they are objects that say more: the set, and a field of its elements.
    #[must_use]
    pub const fn element_key(mut self, fields: &'static [(&'static str, &'static str)]) -> Self {
        self.element_key = fields;
        self
    }

    /// Sets the lists with an order in which elements that name what only the target has stay.
    #[must_use]
    pub const fn ordered_merge(mut self, paths: &'static [&'static str]) -> Self {
        self.ordered_merge = paths;
        self
    }

    /// Sets the values that the server fills in.
    #[must_use]
    pub const fn defaults(mut self, defaults: &'static [(&'static str, &'static str)]) -> Self {
        self.defaults = defaults;
        self
    }

    /// Sets the fields that hold what another field holds where they are absent.
    #[must_use]
    pub const fn defaults_to_field(mut self, fields: &'static [(&'static str, &'static str)]) -> Self {
        self.defaults_to_field = fields;
        self
    }

    /// Sets the fields that a create fills in where the body lacks them.
    #[must_use]
    pub const fn server_filled(mut self, paths: &'static [&'static str]) -> Self {
        self.server_filled = paths;
        self
    }

    /// Sets the objects whose presence is the setting.
    #[must_use]
    pub const fn present(mut self, paths: &'static [&'static str]) -> Self {
        self.present = paths;
        self
    }

    /// Sets the values that the server alone gives: a field, and such values of it.
    #[must_use]
    pub const fn server_values(mut self, values: &'static [(&'static str, &'static [&'static str])]) -> Self {
        self.server_values = values;
        self
    }

    /// Sets the fields that a create must have.
    #[must_use]
    pub const fn required(mut self, paths: &'static [&'static str]) -> Self {
        self.required = paths;
        self
    }

    /// Sets the fields that a create must have where another one meets a condition.
    #[must_use]
    pub const fn required_when(mut self, fields: &'static [(&'static str, Condition, &'static str)]) -> Self {
        self.required_when = fields;
        self
    }

    /// Sets the fields that a PATCH replaces whole.
    #[must_use]
    pub const fn replaced(mut self, paths: &'static [&'static str]) -> Self {
        self.replaced = paths;
        self
    }

    /// Sets the objects of which an update takes nothing away.
    #[must_use]
    pub const fn merge_only(mut self, paths: &'static [&'static str]) -> Self {
        self.merge_only = paths;
        self
    }

    /// Sets the fields that are written over the target's own value; such fields are replaced whole.
    #[must_use]
    pub const fn read_modify_write(mut self, paths: &'static [&'static str]) -> Self {
        self.read_modify_write = paths;
        self.replaced = paths;
        self
    }

    /// Sets pairs of fields of which a resource has one: the newer, and the older that it took the place of.
    #[must_use]
    pub const fn exclusive(mut self, pairs: &'static [(&'static str, &'static str)]) -> Self {
        self.exclusive = pairs;
        self
    }

    /// Sets the fields that an update refuses while the resource holds another, each with that other.
    #[must_use]
    pub const fn blocked_by(mut self, fields: &'static [(&'static str, &'static str)]) -> Self {
        self.blocked_by = fields;
        self
    }

    /// Sets the fields that every update repeats.
    #[must_use]
    pub const fn always_sent(mut self, paths: &'static [&'static str]) -> Self {
        self.always_sent = paths;
        self
    }

    /// Sets the fields that go in one request or not at all, where they change together.
    #[must_use]
    pub const fn written_together(mut self, groups: &'static [&'static [&'static str]]) -> Self {
        self.written_together = groups;
        self
    }

    /// Sets the kinds of which a write of this one resets fields.
    #[must_use]
    pub const fn resets(mut self, kinds: &'static [&'static str]) -> Self {
        self.resets = kinds;
        self
    }
}
