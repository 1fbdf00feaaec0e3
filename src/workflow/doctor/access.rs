//! Checks of what migrate may do in a tenant: its own client, its scopes, the rate limit, and the clock that tokens depend on.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::catalog::Kind;
use crate::management_api::{ClockDifference, ClockReading, Credentials, LOG_SCOPES, ResponseFacts};
use crate::model::checkup::{Check, CheckSubject, CheckedTenant};
use crate::workflow::scopes::{TenantAccess, needed_scopes};

use super::reading::{OwnClient, TenantReading};
use super::sign_in::Subject;

/// The difference between two clocks that is none: a header has whole seconds, and a response takes time.
const SAME_TIME: Duration = Duration::from_secs(5);
/// The difference up to which nothing depends on the clock: half the lifetime of a signed assertion.
const TOLERABLE: Duration = Duration::from_secs(60);

/// Checks what migrate may do in a tenant.
pub(super) fn checks(subject: &Subject<'_>, checked: &CheckedTenant, kinds: &[&'static Kind], reading: &TenantReading) -> Vec<Check> {
    let clock = clock(reading.responses.clock, subject.credentials);
    let Ok(granted) = &reading.scopes else {
        let unchecked = |check| Check::unchecked(check, "not checked: nobody is signed in");
        let of_client = [CheckSubject::Client, CheckSubject::Scopes, CheckSubject::RateLimit].map(unchecked);
        return of_client.into_iter().chain([clock]).collect();
    };
    let client = shown_client(reading);
    let is_target = checked.source.is_some();
    let access = if is_target { TenantAccess::Write } else { TenantAccess::Read };
    let needed = needed_scopes(kinds.iter().copied(), access);
    let grant = match subject.credentials {
        Credentials::Token(_) => "request an access token with them".to_owned(),
        _ => format!("tick them in Dashboard > Applications > APIs > Auth0 Management API > Machine to Machine Applications > {client}"),
    };
    let scopes = scopes(&needed, granted.as_ref(), access, &grant);
    vec![own_client(&reading.client, subject.credentials), scopes, rate_limit(reading.responses, subject.tenant.share), clock]
}

/// Returns the name of the client that signed in, or else its id.
fn shown_client(reading: &TenantReading) -> String {
    let name = if let OwnClient::Known(client) = &reading.client { client["name"].as_str() } else { None };
    name.or(reading.client_id.as_deref()).unwrap_or("(the application)").to_owned()
}

/// Checks the client that signed in.
fn own_client(client: &OwnClient, credentials: &Credentials) -> Check {
    let unchecked = |reason: &str| Check::unchecked(CheckSubject::Client, reason);
    let client = match client {
        OwnClient::Known(client) => client,
        OwnClient::Forbidden => return unchecked("not checked: the token may not read clients"),
        OwnClient::Unnamed => return unchecked("not checked: the token does not say which client it belongs to"),
        OwnClient::Missing => return unchecked("not checked: the tenant has no client of this id"),
        OwnClient::Failed(reason) => return unchecked(&format!("not checked: {reason}")),
    };
    let text = |field: &str| client[field].as_str();
    let name = text("name").unwrap_or("(without a name)");
    let grants: Vec<&str> = client["grant_types"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fact = |problem: &str| format!("\"{name}\": {}{problem}", properties(client, &grants));
    let settings = format!("Dashboard > Applications > Applications > {name} > Settings");
    if client["is_first_party"] == false {
        let advice = "use a first-party machine-to-machine application, which is none that a third party registered";
        return Check::failure(CheckSubject::Client, fact(", third-party"), advice);
    }
    if client["grant_types"].is_array() && !grants.contains(&"client_credentials") {
        let advice = format!("tick Client Credentials in {settings} > Advanced Settings > Grant Types");
        let fact = fact("; without the grant type client_credentials it cannot sign in");
        // Who signs in with a given token is signed in all the same.
        return match credentials {
            Credentials::Token(_) => Check::warning(CheckSubject::Client, fact, advice),
            _ => Check::failure(CheckSubject::Client, fact, advice),
        };
    }
    if text("token_endpoint_auth_method") == Some("none") {
        let advice = format!("choose an authentication method in {} > Credentials", settings.trim_end_matches(" > Settings"));
        return Check::warning(CheckSubject::Client, fact("; a client without authentication is open to anybody who knows its id"), advice);
    }
    Check::ok(CheckSubject::Client, fact(""))
}

/// Describes a client: what kind of application it is, how it authenticates, and with which grant types.
fn properties(client: &Value, grants: &[&str]) -> String {
    let app_type = match client["app_type"].as_str() {
        Some("non_interactive") => "machine-to-machine",
        Some(other) => other,
        None => "no application type",
    };
    let methods = client["client_authentication_methods"].as_object();
    let method = methods.and_then(|methods| methods.keys().next()).map(String::as_str);
    let method = method.or(client["token_endpoint_auth_method"].as_str()).unwrap_or("client_secret_post");
    [app_type, method].into_iter().chain(grants.iter().copied()).collect::<Vec<_>>().join(", ")
}

/// Checks the scopes of a token.
fn scopes(needed: &BTreeSet<&'static str>, granted: Option<&BTreeSet<String>>, access: TenantAccess, grant: &str) -> Check {
    let Some(granted) = granted else {
        return Check::unchecked(CheckSubject::Scopes, "not checked: neither the tenant nor the token says which scopes it has");
    };
    let purpose = match access {
        TenantAccess::Read => "to read it",
        TenantAccess::Write => "to read and write it",
    };
    let missing: Vec<&str> = needed.iter().copied().filter(|scope| !granted.contains(*scope)).collect();
    let all = needed.len();
    if missing.is_empty() {
        let has_log = LOG_SCOPES.iter().any(|scope| granted.contains(*scope));
        let log = if access == TenantAccess::Read || has_log { "" } else { "; the optional read:logs would name who changed it" };
        return Check::ok(CheckSubject::Scopes, format!("all {all} that are needed {purpose}{log}"));
    }
    let fact = format!("{} of {all} that are needed {purpose} are missing: {}", missing.len(), missing.join(", "));
    if access == TenantAccess::Read && missing.len() < all {
        return Check::warning(CheckSubject::Scopes, format!("{fact}; what they are for is not copied"), grant);
    }
    Check::failure(CheckSubject::Scopes, fact, grant)
}

/// Checks what the headers say about the rate limit.
fn rate_limit(responses: ResponseFacts, share: f64) -> Check {
    let Some(limit) = responses.rate_limit else {
        return Check::unchecked(CheckSubject::RateLimit, "no response said what it is; migrate slows down when the tenant asks for it");
    };
    let fact = format!("{} requests at once, {} left; migrate uses {:.0} % of it", limit.limit, limit.remaining, share * 100.0);
    if limit.remaining < limit.limit / 4 {
        let advice = "find out what else calls the Management API of this tenant, or run at another time";
        return Check::warning(CheckSubject::RateLimit, fact, advice);
    }
    Check::ok(CheckSubject::RateLimit, fact)
}

/// Compares the clock of this machine with that of the tenant.
fn clock(reading: Option<ClockReading>, credentials: &Credentials) -> Check {
    let Some(reading) = reading else {
        return Check::unchecked(CheckSubject::Clock, "not checked: no response said what time it is");
    };
    let (difference, direction) = match reading.difference() {
        ClockDifference::Ahead(by) => (by, "ahead of"),
        ClockDifference::Behind(by) => (by, "behind"),
    };
    if difference <= SAME_TIME {
        return Check::ok(CheckSubject::Clock, "that of this machine agrees with that of the tenant");
    }
    let time = humantime::format_duration(Duration::from_secs(difference.as_secs()));
    let fact = format!("that of this machine is {time} {direction} that of the tenant");
    let advice = "set the clock, for example with `timedatectl set-ntp true`: signed assertions expire by it, and runs and snapshots are named by it";
    match credentials {
        _ if difference <= TOLERABLE => Check::ok(CheckSubject::Clock, fact),
        Credentials::Key { .. } => Check::failure(CheckSubject::Clock, fact, advice),
        _ => Check::warning(CheckSubject::Clock, fact, advice),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use secrecy::SecretString;
    use serde_json::json;

    use super::*;
    use crate::model::checkup::CheckStatus;

    fn secret() -> Credentials {
        Credentials::Secret { client_id: "c1".to_owned(), client_secret: SecretString::from("CANARY") }
    }

    fn key() -> Credentials {
        Credentials::Key { client_id: "c1".to_owned(), pem: SecretString::from("CANARY") }
    }

    #[test]
    fn a_wrong_clock_stops_only_a_client_that_signs_with_a_key() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let status =
            |seconds, credentials: &Credentials| clock(Some(ClockReading { tenant: at(1_000), local: at(seconds) }), credentials).status;
        assert_eq!(status(1_003, &key()), CheckStatus::Ok);
        assert_eq!(status(960, &key()), CheckStatus::Ok);
        assert_eq!([status(700, &key()), status(700, &secret())], [CheckStatus::Failure, CheckStatus::Warning]);
        assert_eq!(clock(None, &key()).status, CheckStatus::Unchecked);
    }

    #[test]
    fn a_client_is_checked_for_its_grant_type_and_its_owner() {
        let check = |client: Value| own_client(&OwnClient::Known(client), &secret());
        let whole =
            json!({"name": "migrate", "app_type": "non_interactive", "grant_types": ["client_credentials"], "is_first_party": true});
        assert_eq!(
            check(whole.clone()),
            Check::ok(CheckSubject::Client, "\"migrate\": machine-to-machine, client_secret_post, client_credentials")
        );
        let with = |field: &str, value: Value| {
            let mut client = whole.clone();
            client[field] = value;
            check(client).status
        };
        assert_eq!(with("grant_types", json!(["authorization_code"])), CheckStatus::Failure);
        assert_eq!(with("is_first_party", json!(false)), CheckStatus::Failure);
        assert_eq!(with("token_endpoint_auth_method", json!("none")), CheckStatus::Warning);
        assert_eq!(with("grant_types", json!(null)), CheckStatus::Ok);
    }

    #[test]
    fn a_missing_scope_stops_a_target_and_a_source_only_if_nothing_can_be_read() {
        let needed = BTreeSet::from(["read:clients", "read:roles"]);
        let status = |granted: &[&str], access| {
            let granted: BTreeSet<String> = granted.iter().map(|scope| (*scope).to_owned()).collect();
            scopes(&needed, Some(&granted), access, "tick them").status
        };
        assert_eq!(status(&["read:clients"], TenantAccess::Write), CheckStatus::Failure);
        assert_eq!(status(&["read:clients"], TenantAccess::Read), CheckStatus::Warning);
        assert_eq!(status(&[], TenantAccess::Read), CheckStatus::Failure);
        assert_eq!(status(&["read:clients", "read:roles"], TenantAccess::Write), CheckStatus::Ok);
        assert_eq!(scopes(&needed, None, TenantAccess::Write, "tick them").status, CheckStatus::Unchecked);
    }
}
