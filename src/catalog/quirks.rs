//! Quirks, each true of one kind only: flags, and pure edits of what a tenant returns, with evidence and a test. Ten edits at most.
//!
//! A quirk that a second kind needs becomes a method of the builder.

use serde_json::{Value, json};

use super::reference::{BuiltIn, Condition};
use crate::json::{Body, is_blank};

/// The quirks of a kind.
#[derive(Debug)]
pub struct Quirks {
    /// Pure edits of what a tenant returns, made when a resource is read.
    pub edits: &'static [fn(&mut Body)],
    /// The API returns and accepts a bare array, which is stored under this field.
    pub list_field: &'static str,
    /// The list also contains presets, which have no id and count as absent.
    pub has_presets: bool,
    /// Another kind with the same paths, of whose resources this one is a part.
    pub same_endpoint_as: Option<&'static str>,
    /// The field that contains a second id, by which [`ReferencedBy::Alias`](super::ReferencedBy::Alias) refers to a resource.
    pub alias_id: &'static str,
    /// Templates in which Auth0 fills in values, each with its variables: `@@ID@@` is not a forgotten placeholder.
    pub template_variables: &'static [(&'static str, &'static [&'static str])],
    /// Resources that the tenant itself creates, of which only some fields are written.
    pub built_in: Option<BuiltIn>,
    /// Ordered lists in which elements that refer to resources only the target has are kept, after the others.
    pub ordered_merge: &'static [&'static str],
    /// Fields that default to the value of another field.
    pub defaults_to_field: &'static [(&'static str, &'static str)],
    /// Objects whose presence is the setting: an empty one differs from an absent one.
    ///
    /// An update accepts no null for one of them: the object around it is cleared completely, and written again without
    /// it.
    pub presence_is_setting: &'static [&'static str],
    /// Values of a field that only the server sets: neither compared nor sent.
    ///
    /// If the field is in the elements of a list, the complete element belongs to the server.
    pub server_values: &'static [(&'static str, &'static [&'static str])],
    /// Fields required by a create when another field meets a condition: that field, the condition, the required field.
    pub required_when: &'static [(&'static str, Condition, &'static str)],
    /// Pairs of fields of which a resource can have only one: the newer field, and the older one that it replaces.
    pub exclusive: &'static [(&'static str, &'static str)],
    /// Fields that an update refuses as long as the resource has another field: the field, and the other.
    pub blocked_by: &'static [(&'static str, &'static str)],
    /// Kinds whose fields a write of this one resets; they are written again after it.
    pub resets: &'static [&'static str],
    /// Scopes that newer tenants require in addition, to read and to write all of a resource.
    pub extra_scopes: (&'static [&'static str], &'static [&'static str]),
}

impl Quirks {
    /// No quirks.
    pub const NONE: Self = Self {
        edits: &[],
        list_field: "",
        has_presets: false,
        same_endpoint_as: None,
        alias_id: "",
        template_variables: &[],
        built_in: None,
        ordered_merge: &[],
        defaults_to_field: &[],
        presence_is_setting: &[],
        server_values: &[],
        required_when: &[],
        exclusive: &[],
        blocked_by: &[],
        resets: &[],
        extra_scopes: (&[], &[]),
    };
}

const LIFETIMES: [&str; 4] = ["session_lifetime", "idle_session_lifetime", "ephemeral_session_lifetime", "idle_ephemeral_session_lifetime"];

/// Tenant settings return lifetimes in hours, with a fraction (181 minutes are returned as 3.0166…), and accept them in
/// minutes.
///
/// Evidence: recorded `PATCH /tenants/settings` with `session_lifetime_in_minutes: 181`, answered `session_lifetime:
/// 3.0166666666666666`; the OpenAPI description says that the two exclude each other.
pub(super) fn lifetimes_in_minutes(settings: &mut Body) {
    for name in LIFETIMES {
        let Some(hours) = settings.0.remove(name).as_ref().and_then(Value::as_f64) else { continue };
        #[expect(clippy::cast_possible_truncation, reason = "a session lives for less than 2^53 minutes")]
        let minutes = (hours * 60.0).round() as i64;
        settings.0.entry(format!("{name}_in_minutes")).or_insert_with(|| json!(minutes));
    }
}

/// In an organization's list of grants, the id of a grant is read as `id` and written as `grant_id` (OpenAPI description).
pub(super) fn grant_id(grant: &mut Body) {
    rename(grant, "id", "grant_id");
}

/// The page template is read as `body` and written as `template` (OpenAPI description; 41 recorded reads, 7 writes).
pub(super) fn body_is_template(page: &mut Body) {
    rename(page, "body", "template");
}

/// The certificate of an identity provider is written as `signingCert` and also read as `cert`; for PingFederate, only as `cert` (3 recorded
/// answers, and 15 of SAML with both; terraform-provider-auth0 reads one if the other is missing).
pub(super) fn certificate_by_its_name(connection: &mut Body) {
    let Some(options) = connection.0.get_mut("options").and_then(Value::as_object_mut) else { return };
    if let Some(certificate) = options.remove("cert") {
        options.entry("signingCert").or_insert(certificate);
    }
}

/// The metadata of an identity provider is discovered if its URL is given, and is a setting otherwise (TestAccConnectionOIDCMetadata creates
/// such a connection).
pub(super) fn discovered_metadata(connection: &mut Body) {
    if connection.get("options.discovery_url").is_some_and(|address| !is_blank(address)) {
        connection.take("options.oidc_metadata");
    }
}

/// Realms are returned for every connection and accepted only for databases (terraform-provider-auth0 issue 827; of the
/// OpenAPI description's create schemas by strategy, only that of `auth0` has them; none of 103 recorded writes of
/// other strategies contains them).
pub(super) fn realms_of_databases(connection: &mut Body) {
    if connection.text("strategy").is_some_and(|strategy| strategy != "auth0") {
        connection.0.remove("realms");
    }
}

fn rename(body: &mut Body, from: &str, to: &str) {
    if let Some(value) = body.0.remove(from) {
        body.0.entry(to.to_owned()).or_insert(value);
    }
}

/// A binding is read with the complete action and written with its name (OpenAPI description; 164 recorded reads, 19 writes).
pub(super) fn bound_by_name(trigger: &mut Body) {
    let Some(bindings) = trigger.0.get_mut("bindings").and_then(Value::as_array_mut) else { return };
    for binding in bindings {
        if let Some(name) = binding["action"]["name"].as_str() {
            *binding = json!({"ref": {"type": "action_name", "value": name}, "display_name": binding["display_name"]});
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_names_its_action_and_keeps_its_display_name() {
        let mut trigger = Body::new();
        trigger.set("bindings", json!([{"id": "b1", "display_name": "First", "action": {"id": "a1", "name": "enrich", "code": ".."}}]));
        bound_by_name(&mut trigger);
        let expected = json!({"bindings": [{"ref": {"type": "action_name", "value": "enrich"}, "display_name": "First"}]});
        assert_eq!(trigger.into_value(), expected);
    }

    #[test]
    fn only_a_database_keeps_its_realms() {
        let read = |strategy: &str| {
            let mut connection = Body::new();
            connection.set("strategy", json!(strategy));
            connection.set("realms", json!(["acme"]));
            realms_of_databases(&mut connection);
            connection.get("realms").cloned()
        };
        assert_eq!((read("samlp"), read("auth0")), (None, Some(json!(["acme"]))));
    }

    #[test]
    fn a_certificate_is_read_under_the_name_for_writing() {
        let read = |options: Value| {
            let mut connection = Body::from_iter([("options".to_owned(), options)]);
            certificate_by_its_name(&mut connection);
            connection.get("options").cloned()
        };
        assert_eq!(read(json!({"cert": "a"})), Some(json!({"signingCert": "a"})));
        assert_eq!(read(json!({"cert": "derived", "signingCert": "b"})), Some(json!({"signingCert": "b"})));
    }

    #[test]
    fn only_discovered_metadata_is_dropped() {
        let read = |options: Value| {
            let mut connection = Body::from_iter([("options".to_owned(), options)]);
            discovered_metadata(&mut connection);
            connection.get("options").cloned()
        };
        let given = json!({"oidc_metadata": {"issuer": "https://a.example"}});
        assert_eq!(read(given.clone()), Some(given));
        let discovered = json!({"discovery_url": "https://a.example", "oidc_metadata": {"issuer": "https://a.example"}});
        assert_eq!(read(discovered), Some(json!({"discovery_url": "https://a.example"})));
    }

    #[test]
    fn fractional_hours_become_whole_minutes() {
        let mut settings = Body::new();
        settings.set("session_lifetime", json!(3.016_666_666_666_666_6));
        settings.set("idle_session_lifetime", json!(1));
        lifetimes_in_minutes(&mut settings);
        assert_eq!(settings.into_value(), json!({"session_lifetime_in_minutes": 181, "idle_session_lifetime_in_minutes": 60}));
    }
}
