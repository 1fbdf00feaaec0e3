//! What no word of the vocabulary covers: pure edits of a body on its way in, each with its evidence and a test. Ten at most.

use serde_json::{Value, json};

use super::kind::Quirk;
use crate::json::{Body, is_blank};

/// Tenant settings answer lifetimes in hours, which may be broken (181 minutes come back as 3.0166…), and take them in minutes.
///
/// Evidence: recorded `PATCH /tenants/settings` with `session_lifetime_in_minutes: 181`, answered `session_lifetime: 3.0166666666666666`; the
/// description says that the two exclude each other.
pub const LIFETIMES_IN_MINUTES: Quirk = Quirk { name: "lifetimes in minutes", read: lifetimes_in_minutes };

const LIFETIMES: [&str; 4] = ["session_lifetime", "idle_session_lifetime", "ephemeral_session_lifetime", "idle_ephemeral_session_lifetime"];

fn lifetimes_in_minutes(settings: &mut Body) {
    for name in LIFETIMES {
        let Some(hours) = settings.0.remove(name).as_ref().and_then(Value::as_f64) else { continue };
        #[expect(clippy::cast_possible_truncation, reason = "a session lives for less than 2^53 minutes")]
        let minutes = (hours * 60.0).round() as i64;
        settings.0.entry(format!("{name}_in_minutes")).or_insert_with(|| json!(minutes));
    }
}

/// The id of a grant in an organization's list of grants: read as `id`, written as `grant_id` (OpenAPI description).
pub const GRANT_ID: Quirk = Quirk { name: "grants by id", read: |grant| rename(grant, "id", "grant_id") };

/// The page template is read as `body` and written as `template` (OpenAPI description; 41 recorded reads, 7 writes).
pub const BODY_IS_TEMPLATE: Quirk = Quirk { name: "body is template", read: |page| rename(page, "body", "template") };

/// A binding is read with the whole action and written with its name (OpenAPI description; 164 recorded reads, 19 writes).
pub const BOUND_BY_NAME: Quirk = Quirk { name: "bound by name", read: bound_by_name };

/// Realms are answered for every connection and taken of databases alone (terraform-provider-auth0 issue 827; of the description's create
/// schemas by strategy that of `auth0` alone has them; none of 103 recorded writes of other strategies holds them).
pub const REALMS_OF_DATABASES: Quirk = Quirk { name: "realms of databases", read: realms_of_databases };

/// The certificate of an identity provider is written as `signingCert`; it is read back as `cert`, of PingFederate as nothing else (3
/// recorded answers, and 15 of SAML with both; terraform-provider-auth0 reads the one where the other is missing).
pub const CERTIFICATE_BY_ITS_NAME: Quirk = Quirk { name: "certificate by its name", read: certificate_by_its_name };

/// What an identity provider says of itself is read where its address is given, and is a setting where none is (TestAccConnectionOIDCMetadata
/// creates such a connection).
pub const DISCOVERED_METADATA: Quirk = Quirk { name: "discovered metadata", read: discovered_metadata };

fn certificate_by_its_name(connection: &mut Body) {
    let Some(options) = connection.0.get_mut("options").and_then(Value::as_object_mut) else { return };
    if let Some(certificate) = options.remove("cert") {
        options.entry("signingCert").or_insert(certificate);
    }
}

fn discovered_metadata(connection: &mut Body) {
    if connection.get("options.discovery_url").is_some_and(|address| !is_blank(address)) {
        connection.take("options.oidc_metadata");
    }
}

fn realms_of_databases(connection: &mut Body) {
    if connection.text("strategy").is_some_and(|strategy| strategy != "auth0") {
        connection.0.remove("realms");
    }
}

fn rename(body: &mut Body, from: &str, to: &str) {
    if let Some(value) = body.0.remove(from) {
        body.0.entry(to.to_owned()).or_insert(value);
    }
}

fn bound_by_name(trigger: &mut Body) {
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
    fn a_binding_names_its_action_and_keeps_what_it_is_called() {
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
    fn a_certificate_is_read_under_the_name_it_is_written_by() {
        let read = |options: Value| {
            let mut connection = Body::from_iter([("options".to_owned(), options)]);
            certificate_by_its_name(&mut connection);
            connection.get("options").cloned()
        };
        assert_eq!(read(json!({"cert": "a"})), Some(json!({"signingCert": "a"})));
        assert_eq!(read(json!({"cert": "derived", "signingCert": "b"})), Some(json!({"signingCert": "b"})));
    }

    #[test]
    fn only_what_was_discovered_is_left_to_the_target() {
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
    fn a_broken_number_of_hours_becomes_whole_minutes() {
        let mut settings = Body::new();
        settings.set("session_lifetime", json!(3.016_666_666_666_666_6));
        settings.set("idle_session_lifetime", json!(1));
        lifetimes_in_minutes(&mut settings);
        assert_eq!(settings.into_value(), json!({"session_lifetime_in_minutes": 181, "idle_session_lifetime_in_minutes": 60}));
    }
}
