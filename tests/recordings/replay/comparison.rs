//! Compares responses of the sandbox with recorded ones: which fields are not compared and why, and the known disagreements.

use std::collections::{BTreeMap, BTreeSet};

use auth0_migrate::catalog::{Catalog, Kind};
use auth0_migrate::json::{covers, is_blank};
use auth0_migrate::sandbox::ApiResponse;
use serde_json::{Value, json};

use super::{LEANED_ON, Wanted, text};

/// Random or tenant-specific fields: both responses must have them, with values of the same type.
const MADE: &[(&str, &str, &str)] = &[
    ("*", "id", "ids are random"),
    ("custom-domains", "custom_domain_id", "ids are random"),
    ("custom-domains", "verification.methods[].record", "made of the id, or random"),
    ("phone-providers", "tenant", "the recorder replaced the tenant's name"),
    ("phone-templates", "tenant", "the recorder replaced the tenant's name"),
    ("branding-theme", "themeId", "ids are random"),
    ("*", "**.created_at", "the time of the create"),
    ("*", "**.updated_at", "the time of the last write"),
    ("action-trigger-bindings", "bindings[].id", "ids are random"),
    ("organization-discovery-domains", "verification_txt", "random"),
    ("flow-vault-connections", "fingerprint", "made of what is stored, in a way nobody tells"),
    ("log-streams", "sink.awsPartnerEventSource", "random"),
    ("event-streams", "destination.configuration.aws_partner_event_source", "random"),
    ("clients", "client_id", "ids are random"),
    ("clients", "client_secret", "secrets are random, and masked in recordings"),
    ("clients", "signing_keys[].*", "keys are random, and masked in recordings"),
    ("clients", "tenant", "the recorder replaced the tenant's name"),
    ("clients", "client_authentication_methods.*.credentials[].id", "ids are random"),
    ("clients", "client_authentication_methods.*.credentials[].kid", "made of the key"),
    ("clients", "client_authentication_methods.*.credentials[].created_at", "the time of the create"),
    ("clients", "client_authentication_methods.*.credentials[].updated_at", "the time of the create"),
    ("connections", "provisioning_ticket_url", "tickets are random"),
    ("connections", "options.configuration.*", "values come back encrypted, another way each time"),
    ("connections", "options.app_domain", "the tenant's own domain"),
];

/// Fields derived from a certificate or from responses of an identity provider: the sandbox omits them rather than
/// invent a value.
const OUT_OF_REACH: &[(&str, &str, &str)] = &[
    ("connections", "options.oidc_metadata", "fetched from the provider's own address"),
    ("connections", "options.authorization_endpoint", "fetched from the provider's own address"),
    ("connections", "options.token_endpoint", "fetched from the provider's own address"),
    ("connections", "options.userinfo_endpoint", "fetched from the provider's own address"),
    ("connections", "options.thumbprints", "read from the certificate"),
    ("connections", "options.subject", "read from the certificate"),
    ("connections", "options.expires", "read from the certificate"),
];

/// Fields that were lost when a recorder re-encoded the response, as those rows state; compared in all other rows, and
/// wherever they are present.
const LOST: &[(&str, &str, &str)] = &[
    ("clients", "tenant", "in all 20 raw creates"),
    ("clients", "global", "in all 20 raw creates"),
    ("clients", "callback_url_template", "in all 20 raw creates"),
    ("clients", "cross_origin_auth", "in all 20 raw creates"),
    ("clients", "encrypted", "in all 20 raw creates"),
    ("clients", "signing_keys", "in all 20 raw creates"),
    ("clients", "client_secret", "in all 20 raw creates; masked, or in one row left out"),
];

/// Fields added by a recorder that re-encoded the response.
const PUT_IN: &[(&str, &str, &str)] = &[("clients", "client_secret", "put in as \"[REDACTED]\", also for clients that have none")];

/// Lists that are returned in a different order than sent, besides the sets of the catalog.
const ORDERLESS: &[(&str, &str)] = &[("connections", "enabled_clients")];

/// Replayed as of the day on which the source was released.
const UNDATED: &str = "nothing but the answer itself dates this row, and it is of a day before the field came";

const EARLIER_API: &str = "answered by the API of forms as it was before it was published";

const UNSHOWN: &str = "which settings were ever written shows in answers of updates only, and none came before this one";

const METADATA: &str = "the server reads the metadata document that was sent";

const OLDER_OKTA: &str = "nothing of the newer schema is filled here, as it is for others of this strategy before and after";

const NOT_PRIMARY: &str = "another domain of the tenant is primary, and no answer of the recording shows it";

const UNDATED_DOMAIN: &str = "nothing dates this recording, and it is of a day before three fields came";

/// Known disagreements between the sandbox and the server, with the reason.
const KNOWN: &[(&str, &str)] = &[
    ("go-auth0 TestClient_CreateWithDefaultOrg.yaml#1", UNDATED),
    ("go-auth0 TestClient_Read.yaml#0", UNDATED),
    ("go-auth0 TestClient_RotateSecret.yaml#0", UNDATED),
    ("go-auth0 TestClient_Update.yaml#0", UNDATED),
    ("go-auth0 TestConnectionManager_Create/It_can_successfully_create_a_Okta_Connection.yaml#0", OLDER_OKTA),
    (
        "go-auth0 TestConnectionManager_Read/It_can_successfully_read_a_OAuth1_Connection.yaml#0",
        "two fields that came before are not filled here; no other row is of this strategy",
    ),
    ("go-auth0 TestConnectionManager_Read/It_can_successfully_read_a_Okta_Connection.yaml#0", OLDER_OKTA),
    (
        "go-auth0 TestConnectionManager_Read/It_can_successfully_read_a_Wordpress_Connection.yaml#0",
        "the scope comes back shorter than it was sent; no other row is of this strategy",
    ),
    (
        "go-auth0 TestConnectionManager_Update/It_can_successfully_update_a_GoogleApps_Connection.yaml#1",
        "access to users is switched on by this update, unasked; no other row updates this strategy",
    ),
    ("go-auth0 TestCustomDomainManager_ListWithPagination.yaml#0", NOT_PRIMARY),
    ("go-auth0 TestPromptManager_ListRendering.yaml#0", NOT_PRIMARY),
    ("go-auth0 TestPromptManager_ReadRendering.yaml#0", NOT_PRIMARY),
    ("go-auth0 TestPromptManager_SetPartials.yaml#0", "the recorder replaced the domain in one of its two places"),
    ("go-auth0 TestPromptManager_UpdateRenderingWithAdvancedMode.yaml#0", NOT_PRIMARY),
    (
        "go-auth0 TestActionManager_Bindings.yaml#6",
        "the version that was deployed is told by the answer of the deploy, and no read of the action came behind it",
    ),
    ("go-auth0 TestFormManager_Create.yaml#0", EARLIER_API),
    (
        "go-auth0 TestOrganizationManager_Create.yaml#4",
        "connections can be enabled by the create itself, which migrate never does and the sandbox does not know",
    ),
    ("go-auth0 TestOrganizationManager_CreateDiscoveryDomain.yaml#1", UNDATED),
    ("go-auth0 TestOrganizationManager_DeleteDiscoveryDomain.yaml#1", UNDATED),
    ("go-auth0 TestTenantManager_CountryCodes.yaml#1", UNSHOWN),
    ("terraform-provider-auth0 TestAccConnection.yaml#0", "two methods that were not sent are filled, in this row only"),
    ("terraform-provider-auth0 TestAccConnectionSAML.yaml#0", METADATA),
    ("terraform-provider-auth0 TestAccCustomDomain.yaml#0", NOT_PRIMARY),
    ("terraform-provider-auth0 TestAccCustomDomain.yaml#9", NOT_PRIMARY),
    ("terraform-provider-auth0 TestAccCustomDomainVerificationWithSelfManagedCerts.yaml#0", UNDATED_DOMAIN),
    ("terraform-provider-auth0 TestAccDataSourceBranding.yaml#0", UNDATED_DOMAIN),
    (
        "terraform-provider-auth0 TestAccTenant_CountryCodes.yaml#9",
        "the theme that an earlier answer knew is gone, and no call of this recording removed it",
    ),
];

/// The results of a test.
#[derive(Default)]
pub(super) struct Tally {
    agreed: BTreeMap<&'static str, (usize, usize)>,
    skipped: BTreeMap<String, usize>,
    unlisted: Vec<String>,
}

impl Tally {
    /// Counts a row whose path belongs to no kind.
    pub(super) fn skip_resource(&mut self, row: &Value) {
        *self.skipped.entry(text(row, "kind").to_owned()).or_default() += 1;
    }

    /// Compares the status and the body of a response with the recorded ones.
    pub(super) fn count(&mut self, kind: &'static Kind, row: &Value, answered: &ApiResponse, (status, recorded): (&Value, &Value)) {
        let mut comparison = Comparison { kind, was_encoded_anew: row["fidelity"] == "go-struct", found: Vec::new() };
        if json!(answered.status) == *status {
            comparison.compare("", Some(&answered.body), Some(recorded));
        } else {
            comparison.found.push(format!("status {} for {status}: {}", answered.status, shown(Some(&answered.body))));
        }
        let found = comparison.found;
        let (agreed, of) = self.agreed.entry(kind.name).or_default();
        *of += 1;
        *agreed += usize::from(found.is_empty());
        let row = format!("{} {}#{}", text(row, "source"), text(row, "cassette"), row["seq"]);
        let known = KNOWN.iter().find(|(known, _)| row == *known);
        match (found.is_empty(), known) {
            (true, None) => {}
            (true, Some(_)) => self.unlisted.push(format!("{row} agrees now: take it off the list")),
            (false, Some((_, reason))) => println!("  {row}: {reason}"),
            (false, None) => self.unlisted.push(format!("{row} ({})\n    {}", kind.name, found.join("\n    "))),
        }
    }

    fn share(&self, kinds: &[&str]) -> f64 {
        let counted = self.agreed.iter().filter(|(kind, _)| kinds.is_empty() || kinds.contains(kind));
        let (agreed, of) = counted.fold((0, 0), |(agreed, of), (_, (more, more_of))| (agreed + more, of + more_of));
        #[expect(clippy::cast_precision_loss, reason = "some hundred rows")]
        let share = 100.0 * agreed as f64 / of as f64;
        share
    }

    /// Prints the agreement by kind.
    ///
    /// # Panics
    ///
    /// If a disagreement is not listed, or the agreement is below the required share.
    pub(super) fn print(&self, what: &str, wanted: &Wanted) {
        for (kind, (agreed, of)) in &self.agreed {
            println!("{what} {kind}: {agreed} of {of} ({:.1} %)", self.share(&[kind]));
        }
        println!("{what} every kind: {:.1} %", self.share(&[]));
        let skipped: Vec<String> = self.skipped.iter().map(|(kind, rows)| format!("{kind} {rows}")).collect();
        println!("{what} what no kind covers: {}", skipped.join(", "));
        assert!(self.unlisted.is_empty(), "disagreements that are not listed:\n{}", self.unlisted.join("\n"));
        assert!(self.share(&[]) >= wanted.all, "{what} every kind: {:.1} % of the wanted {} %", self.share(&[]), wanted.all);
        for (kind, least) in LEANED_ON.iter().map(|kind| (kind, &95.0)).chain(wanted.of.iter().map(|(kind, least)| (kind, least))) {
            assert!(self.share(&[kind]) >= *least, "{what} {kind}: {:.1} % of the wanted {least} %", self.share(&[kind]));
        }
    }
}

struct Comparison {
    kind: &'static Kind,
    was_encoded_anew: bool,
    found: Vec<String>,
}

impl Comparison {
    fn compare(&mut self, path: &str, ours: Option<&Value>, recorded: Option<&Value>) {
        let (ours, recorded) = (ours.map(|value| self.sorted_set(path, value)), recorded.map(|value| self.sorted_set(path, value)));
        if ours == recorded || self.is_excused(path, ours.as_ref(), recorded.as_ref()) {
            return;
        }
        match (&ours, &recorded) {
            (Some(Value::Object(ours)), Some(Value::Object(recorded))) => {
                let names: BTreeSet<&String> = ours.keys().chain(recorded.keys()).collect();
                for name in names {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    self.compare(&path, ours.get(name), recorded.get(name));
                }
            }
            (Some(Value::Array(ours)), Some(Value::Array(recorded))) if ours.len() == recorded.len() => {
                for (at, (ours, recorded)) in ours.iter().zip(recorded).enumerate() {
                    self.compare(&format!("{path}[{at}]"), Some(ours), Some(recorded));
                }
            }
            (ours, recorded) => self.found.push(format!("{path}: {} for {}", shown(ours.as_ref()), shown(recorded.as_ref()))),
        }
    }

    fn is_excused(&self, path: &str, ours: Option<&Value>, recorded: Option<&Value>) -> bool {
        let names = |list: &[(&str, &str, &str)]| {
            list.iter().any(|(of, at, _)| (*of == "*" || *of == self.kind.name) && !path.is_empty() && covers(at, path))
        };
        let is_one_type = match (ours, recorded) {
            (Some(ours), Some(recorded)) => std::mem::discriminant(ours) == std::mem::discriminant(recorded),
            _ => false,
        };
        (is_one_type && names(MADE))
            || (ours.is_none_or(is_blank) && names(OUT_OF_REACH))
            || (self.was_encoded_anew && recorded.is_none() && names(LOST))
            || (self.was_encoded_anew && ours.is_none() && names(PUT_IN))
    }

    /// Returns an unordered list sorted.
    fn sorted_set(&self, path: &str, value: &Value) -> Value {
        let is_set = self.kind.lists.unordered.contains(&path) || ORDERLESS.contains(&(self.kind.name, path));
        match value {
            Value::Array(list) if is_set => {
                let mut list = list.clone();
                list.sort_by_key(Value::to_string);
                Value::Array(list)
            }
            value => value.clone(),
        }
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("nothing".to_owned(), |value| value.to_string().chars().take(120).collect())
}

#[test]
fn random_fields_must_exist_and_lost_ones_are_excused_in_their_rows_only() {
    let found = |was_encoded_anew: bool, ours: Value, recorded: Value| {
        let kind = Catalog::standard().kind("clients").expect("a kind");
        let mut comparison = Comparison { kind, was_encoded_anew, found: Vec::new() };
        comparison.compare("", Some(&ours), Some(&recorded));
        comparison.found
    };
    assert!(found(false, json!({"client_id": "a"}), json!({"client_id": "b"})).is_empty());
    assert_eq!(found(false, json!({}), json!({"client_id": "b"})), ["client_id: nothing for \"b\""]);
    assert_eq!(found(false, json!({"client_id": 1}), json!({"client_id": "b"})), ["client_id: 1 for \"b\""]);
    assert!(found(true, json!({"global": false}), json!({})).is_empty());
    assert_eq!(found(false, json!({"global": false}), json!({})), ["global: false for nothing"]);
    assert_eq!(found(true, json!({"global": false}), json!({"global": true})), ["global: false for true"]);
    assert_eq!(found(true, json!({"callbacks": ["a"]}), json!({"callbacks": ["a", "b"]})).len(), 1);
}
