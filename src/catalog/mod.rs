//! What Auth0 has: every kind of settings as one entry of a table.
//!
//! Export, references, diff, order, redaction, scopes, pacing groups, the sandbox and the help text are derived from these entries.
//! A new kind is one entry; behaviour is first sought as a word of [`Kind`], and only what no word covers is a [`Quirk`].
//! This module knows bodies and paths; it does no input or output.
//!
//! ```text
//! kind.rs words.rs field_words.rs shape.rs reference.rs fields.rs address.rs quirks.rs   the vocabulary
//! unlisted.rs      secrets that no entry lists
//! limits.rs        published rate limits
//! kinds/           the entries
//!   applications.rs  clients and their grants          access.rs       APIs and roles
//!   connections.rs   where users come from             profiles.rs     how customers connect their own
//!   organizations.rs organizations                     actions.rs      code that runs inside a login
//!   flows.rs         forms and flows                   branding.rs     pages, prompts, mails and messages
//!   guardian.rs      second factors                    protection.rs   attackers and traffic
//!   streams.rs       logs and events                   experiments.rs  betas that few tenants have
//!   tenant.rs        the tenant as a whole
//! ```

pub mod address;
mod field_words;
mod fields;
mod kind;
mod kinds;
pub mod limits;
pub mod quirks;
mod reference;
pub mod risk;
mod risks;
mod shape;
mod unlisted;
mod words;

use std::sync::OnceLock;

use kinds::{
    access, actions, applications, branding, connections, experiments, flows, guardian, organizations, profiles, protection, streams,
    tenant,
};

pub use fields::{Field, Fields, RequestPurpose, Writability};
pub use kind::{Kind, Quirk};
pub use reference::{BuiltIn, Condition, Exclusion, GeneratedSecretField, ManualStepTemplate, Reference, ReferencedBy, RequiredSecrets};
pub use shape::{ElementChanges, FollowUp, KeyNames, Paging, Shape, Write};
pub use unlisted::{WithheldReason, is_mask};

/// The kinds a run works on, in the order their references demand.
#[derive(Debug)]
pub struct Catalog {
    kinds: Vec<&'static Kind>,
}

impl Catalog {
    /// Returns the catalog of everything `migrate` covers.
    #[must_use]
    pub fn standard() -> &'static Self {
        static STANDARD: OnceLock<Catalog> = OnceLock::new();
        STANDARD.get_or_init(|| {
            Self::new(&[
                &applications::CLIENTS,
                &applications::CLIENT_GRANTS,
                &applications::LOGIN_PAGE,
                &applications::AGENTS,
                &access::RESOURCE_SERVERS,
                &access::ROLES,
                &access::ROLE_PERMISSIONS,
                &connections::CONNECTIONS,
                &connections::CONNECTION_CLIENTS,
                &connections::SCIM,
                &connections::DIRECTORY,
                &connections::DIRECTORY_GROUPS,
                &profiles::USER_ATTRIBUTES,
                &profiles::CONNECTIONS,
                &profiles::SELF_SERVICE,
                &profiles::SELF_SERVICE_TEXTS,
                &organizations::ORGANIZATIONS,
                &organizations::ORGANIZATION_CONNECTIONS,
                &organizations::ORGANIZATION_GRANTS,
                &organizations::ORGANIZATION_DOMAINS,
                &organizations::ORGANIZATION_CLIENTS,
                &organizations::TEMPLATES,
                &actions::MODULES,
                &actions::ACTIONS,
                &actions::BINDINGS,
                &actions::TOKEN_EXCHANGE_PROFILES,
                &actions::RULES,
                &actions::RULES_CONFIGS,
                &actions::HOOKS,
                &flows::VAULT_CONNECTIONS,
                &flows::FLOWS,
                &flows::FORMS,
                &branding::BRANDING,
                &branding::THEME,
                &branding::PAGE_TEMPLATE,
                &branding::PROMPTS,
                &branding::TEXTS_OF_PROMPTS,
                &branding::PARTIALS,
                &branding::RENDERING,
                &branding::EMAIL_PROVIDER,
                &branding::EMAIL_TEMPLATES,
                &branding::PHONE_PROVIDERS,
                &branding::PHONE_TEMPLATES,
                &guardian::FACTORS,
                &guardian::POLICIES,
                &guardian::SETTINGS,
                &guardian::EMAIL_SETTINGS,
                &guardian::PHONE_SETTINGS,
                &guardian::DUO,
                &guardian::PHONE_MESSAGE_TYPES,
                &guardian::PHONE_PROVIDER,
                &guardian::PHONE_TWILIO,
                &guardian::PHONE_TEMPLATES,
                &guardian::PUSH_PROVIDER,
                &guardian::PUSH_APNS,
                &guardian::PUSH_SNS,
                &guardian::PUSH_APP,
                &guardian::WEBAUTHN_PLATFORM,
                &guardian::WEBAUTHN_ROAMING,
                &protection::BOT_DETECTION,
                &protection::BREACHED_PASSWORDS,
                &protection::BRUTE_FORCE,
                &protection::CAPTCHA,
                &protection::SUSPICIOUS_IPS,
                &protection::PHONE_PROVIDER_PROTECTION,
                &protection::RISK_ASSESSMENT,
                &protection::NEW_DEVICE,
                &protection::SUPPLEMENTAL_SIGNALS,
                &protection::NETWORK_ACLS,
                &protection::RATE_LIMIT_POLICIES,
                &streams::LOG_STREAMS,
                &streams::EVENT_STREAMS,
                &experiments::FLAGS,
                &experiments::VARIATIONS,
                &experiments::SEGMENTS,
                &experiments::EXPERIMENTS,
                &experiments::CREDENTIAL_TEMPLATES,
                &tenant::CUSTOM_DOMAINS,
                &tenant::DEFAULT_DOMAIN,
                &tenant::CUSTOM_SIGNING_KEYS,
                &tenant::NETWORK_ACL_KEYS,
                &tenant::TENANT_SETTINGS,
            ])
        })
    }

    /// Returns a catalog of these kinds, sorted so that what a kind refers to comes before it; late references do not count.
    ///
    /// # Panics
    ///
    /// When the references that are not late form a cycle.
    #[must_use]
    pub fn new(kinds: &[&'static Kind]) -> Self {
        let mut sorted: Vec<&'static Kind> = Vec::with_capacity(kinds.len());
        while sorted.len() < kinds.len() {
            let is_placed = |name: &str| !kinds.iter().any(|kind| kind.name == name) || sorted.iter().any(|kind| kind.name == name);
            let next =
                kinds.iter().find(|kind| !is_placed(kind.name) && kind.comes_after().all(|name| name == kind.name || is_placed(name)));
            let next = next.expect("catalog test: references that are not late form no cycle");
            sorted.push(next);
        }
        Self { kinds: sorted }
    }

    /// Returns every kind, each after those it refers to.
    pub fn kinds(&self) -> impl DoubleEndedIterator<Item = &'static Kind> + '_ {
        self.kinds.iter().copied()
    }

    /// Returns the kind of this name.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&'static Kind> {
        self.kinds().find(|kind| kind.name == name)
    }

    /// Returns the place of a kind in the order of creation.
    ///
    /// # Panics
    ///
    /// When the catalog has no such kind.
    #[must_use]
    pub fn place(&self, name: &str) -> usize {
        self.kinds.iter().position(|kind| kind.name == name).expect("a key names a kind of the catalog")
    }

    /// Returns the kind whose name is nearest to a misspelt one.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&'static str> {
        let near = self.kinds().map(|kind| (strsim::damerau_levenshtein(kind.name, name), kind.name)).min()?;
        (near.0 <= 4).then_some(near.1)
    }

    /// Returns what hangs under each resource of a kind: lists, collections and parts.
    pub fn below(&self, parent: &'static str) -> impl Iterator<Item = &'static Kind> + '_ {
        self.kinds().filter(move |kind| kind.parent() == Some(parent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_names_a_kind_and_a_path_that_can_be_written() {
        let catalog = Catalog::standard();
        for kind in catalog.kinds() {
            for reference in kind.references {
                assert!(catalog.kind(reference.to).is_some(), "{} -> {}", kind.name, reference.to);
                assert!(kind.fields().has(reference.path), "{}: {} is not writable", kind.name, reference.path);
            }
        }
    }

    #[test]
    fn every_path_of_an_entry_names_a_known_field() {
        for kind in Catalog::standard().kinds() {
            let paths = kind
                .sets
                .iter()
                .chain(kind.read_modify_write)
                .chain(kind.replaced)
                .chain(kind.merge_only)
                .chain(kind.always_sent)
                .chain(kind.required)
                .chain(kind.key)
                .chain(kind.server_filled);
            let mirrors = kind.defaults_to_field.iter().flat_map(|(path, other)| [*path, *other]);
            let made = kind.generated_secrets.iter().flat_map(|made| [Some(made.path), made.when.map(|(field, _)| field)]).flatten();
            let together = kind.written_together.iter().copied().flatten().copied();
            let paths = paths.copied().chain(together);
            let conditional = kind.required_when.iter().flat_map(|(field, _, path)| [*field, *path]);
            for path in paths.chain(kind.defaults.iter().map(|(path, _)| *path)).chain(mirrors).chain(made).chain(conditional) {
                assert!(kind.fields().has(path), "{}: {path}", kind.name);
            }
            for (set, field) in kind.element_key {
                let is_known = kind.sets.contains(set) && kind.fields().has(&format!("{set}[].{field}"));
                assert!(is_known, "{}: {set}, {field}", kind.name);
            }
        }
    }

    #[test]
    fn every_default_is_json() {
        for kind in Catalog::standard().kinds() {
            for (path, text) in kind.defaults {
                assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{}: {path} = {text}", kind.name);
            }
        }
    }

    #[test]
    fn an_object_with_a_secret_two_levels_down_is_laid_over_the_targets_own() {
        let laid_over = |kind: &str| -> Vec<&str> {
            let kind = Catalog::standard().kind(kind).expect("a kind");
            kind.fields().iter().map(|field| field.name).filter(|name| kind.is_laid_over(name)).collect()
        };
        assert_eq!(laid_over("clients"), ["addons"]);
        assert_eq!(laid_over("connections"), ["options"]);
    }

    #[test]
    fn kinds_come_after_what_they_refer_to() {
        let order: Vec<_> = Catalog::standard().kinds().map(|kind| kind.name).collect();
        let place = |name| order.iter().position(|kind| *kind == name).expect("a kind");
        assert!(place("resource-servers") < place("clients"));
        assert!(place("clients") < place("client-grants"));
        assert!(place("roles") < place("role-permissions"));
        assert!(place("connections") < place("tenant-settings"));
    }

    #[test]
    fn a_misspelt_kind_finds_the_nearest() {
        assert_eq!(Catalog::standard().nearest("cleints"), Some("clients"));
        assert_eq!(Catalog::standard().nearest("tenant"), None);
        assert_eq!(Catalog::standard().nearest("zzzzzzzzzzzzzzz"), None);
    }

    #[test]
    fn who_made_what_is_left_alone_is_said_of_each() {
        let marks =
            Catalog::standard().kinds().flat_map(|kind| kind.excluded.iter().map(move |alone| (kind.name, alone.field, alone.is_foreign)));
        let (foreign, own): (Vec<_>, Vec<_>) = marks.partition(|(.., is_foreign)| *is_foreign);
        let fields = |marks: Vec<(&'static str, &'static str, bool)>| -> Vec<String> {
            marks.into_iter().map(|(kind, field, _)| format!("{kind}: {field}")).collect()
        };
        let of_others = [
            "roles: type",
            "actions: integration",
            "actions: installed_integration_id",
            "clients: is_first_party",
            "clients: external_metadata_type",
            "clients: external_metadata_type",
        ];
        let of_the_tenant = [
            "resource-servers: is_system",
            "clients: global",
            "client-grants: is_system",
            "experimentation-feature-flags: type",
            "experimentation-segments: type",
        ];
        let sorted = |mut list: Vec<String>| {
            list.sort();
            list
        };
        let expected = |list: &[&str]| sorted(list.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(sorted(fields(foreign)), expected(&of_others));
        assert_eq!(sorted(fields(own)), expected(&of_the_tenant));
    }

    #[test]
    fn what_a_write_resets_comes_behind_it() {
        let catalog = Catalog::standard();
        for kind in catalog.kinds() {
            for reset in kind.resets {
                assert!(catalog.place(reset) > catalog.place(kind.name), "{}: {reset}", kind.name);
            }
        }
    }

    #[test]
    fn what_stands_once_and_what_is_written_of_a_given_resource_are_known_fields() {
        for kind in Catalog::standard().kinds() {
            for path in kind.unique.iter().chain(kind.built_in.iter().flat_map(|given| given.fields)) {
                assert!(kind.fields().has(path), "{}: {path}", kind.name);
            }
        }
    }

    #[test]
    fn what_has_no_id_of_its_own_is_removed_or_emptied_or_known_to_stay() {
        let kinds = || Catalog::standard().kinds().filter(|kind| !kind.has_own_ids() && !matches!(kind.shape, Shape::Child { .. }));
        let is_there_for_good = |kind: &&Kind| kind.shape == Shape::Singleton && kind.creation().is_none() && !kind.is_optional;
        let sorted = |mut names: Vec<&'static str>| {
            names.sort_unstable();
            names
        };
        assert_eq!(
            sorted(kinds().filter(|kind| kind.emptied().is_some()).map(|kind| kind.name).collect()),
            [
                "action-trigger-bindings",
                "connection-synchronized-groups",
                "prompt-custom-text",
                "prompt-partials",
                "self-service-custom-text"
            ]
        );
        // The login page and the factors are there in every tenant; of the others the API offers no way.
        assert_eq!(
            sorted(kinds().filter(|kind| !kind.can_be_deleted() && !is_there_for_good(kind)).map(|kind| kind.name).collect()),
            ["client-login-page", "email-templates", "guardian-factors", "prompt-rendering"]
        );
    }
}
