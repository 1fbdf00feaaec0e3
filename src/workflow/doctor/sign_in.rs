//! Checks of credentials, network and sign-in, and of which tenant answers.

use crate::config::{Settings, TenantSettings, VariableOrigin};
use crate::management_api::{CredentialRefusal, Credentials, Error, NetworkRoute};
use crate::model::checkup::{Check, CheckSubject};

use super::reading::{SignInError, TenantReading};
use super::target::one_line;

/// The credentials of a tenant, and the check of them.
pub(super) struct CheckedCredentials {
    /// The check.
    pub(super) check: Check,
    /// The credentials, if there are any.
    pub(super) found: Option<Credentials>,
}

/// A tenant with credentials, whose answers are checked.
#[derive(Clone, Copy)]
pub(super) struct Subject<'tenant> {
    /// The tenant.
    pub(super) tenant: &'tenant TenantSettings,
    /// Its credentials.
    pub(super) credentials: &'tenant Credentials,
}

/// Checks whether a tenant has credentials, and says where they come from.
pub(super) fn credentials(settings: &Settings, tenant: &TenantSettings) -> CheckedCredentials {
    let names = settings.variables_of(&tenant.name).unwrap_or_default();
    match settings.credentials(&tenant.name) {
        Ok(found) => {
            let origins = names.iter().filter_map(|name| Some((name.as_str(), settings.origin_of(name)?)));
            let twin = namesake(settings, tenant, &found);
            let command = settings.client_of_command(&tenant.name).map(|_| "; the secret, from client_secret_command");
            let fact = origins_of(&origins.collect::<Vec<_>>()) + command.unwrap_or_default();
            let check = match twin {
                Some(other) => Check::warning(
                    CheckSubject::Credentials,
                    format!("{fact}; \"{other}\" has the same client id"),
                    "each tenant has clients of its own: use the id and the secret of an application of this tenant",
                ),
                None => Check::ok(CheckSubject::Credentials, fact),
            };
            CheckedCredentials { check, found: Some(found) }
        }
        Err(error) => {
            let advice = "create a machine-to-machine application in that tenant (Dashboard > Applications > Applications), authorize it for \
                          the Auth0 Management API, and set its id and secret";
            CheckedCredentials { check: Check::failure(CheckSubject::Credentials, one_line(&error), advice), found: None }
        }
    }
}

/// Returns another tenant with the same client id, which no two tenants have.
fn namesake(settings: &Settings, tenant: &TenantSettings, credentials: &Credentials) -> Option<String> {
    let id_of = |credentials: &Credentials| match credentials {
        Credentials::Secret { client_id, .. } | Credentials::Key { client_id, .. } => Some(client_id.clone()),
        Credentials::Token(_) => None,
    };
    let own = id_of(credentials)?;
    let others = settings.tenants.values().filter(|other| other.identity() != tenant.identity());
    // No command of another tenant is run for that.
    let of_other = |name: &str| settings.client_of_command(name).or_else(|| id_of(&settings.credentials(name).ok()?));
    let mut same = others.filter(|other| of_other(&other.name).as_ref() == Some(&own));
    same.next().map(|other| other.name.clone())
}

/// Describes where variables come from: `A and B, from the environment`.
fn origins_of(variables: &[(&str, VariableOrigin)]) -> String {
    let of = |origin: VariableOrigin| {
        let names: Vec<&str> = variables.iter().filter(|(_, of)| *of == origin).map(|(name, _)| *name).collect();
        let place = match origin {
            VariableOrigin::Environment => "the environment",
            VariableOrigin::Dotenv => ".env",
        };
        (!names.is_empty()).then(|| format!("{}, from {place}", names.join(" and ")))
    };
    [VariableOrigin::Environment, VariableOrigin::Dotenv].into_iter().filter_map(of).collect::<Vec<_>>().join("; ")
}

/// Checks how requests reach a tenant; returns the way too, if there is one.
pub(super) fn network(settings: &Settings, tenant: &TenantSettings) -> (Option<NetworkRoute>, Check) {
    let options = match settings.network(&tenant.name) {
        Ok(options) => options,
        Err(error) => return (None, Check::failure(CheckSubject::Network, one_line(&error), "correct it in migrate.toml")),
    };
    match NetworkRoute::new(&tenant.domain, tenant.url.as_deref(), &options) {
        Ok(route) => {
            let check = of_route(&route, tenant);
            (Some(route), check)
        }
        Err(error) => (None, Check::failure(CheckSubject::Network, one_line(&error), "correct `domain` and `url` in migrate.toml")),
    }
}

fn of_route(route: &NetworkRoute, tenant: &TenantSettings) -> Check {
    let url = tenant.url.as_deref().unwrap_or_default();
    if route.is_loopback {
        return Check::ok(CheckSubject::Network, format!("{url}, on this machine, without a proxy"));
    }
    let proxy = route.proxy.as_ref().map_or_else(|| "no proxy".to_owned(), |proxy| format!("through the proxy {proxy}"));
    let certificates = match route.certificates.as_slice() {
        [] => "the certificates of this system".to_owned(),
        set => {
            let named: Vec<String> = set.iter().map(|(name, path)| format!("{name}={}", path.display())).collect();
            format!("the certificates of {}", named.join(" and "))
        }
    };
    let certificates = match &tenant.ca_file {
        Some(own) => format!("{certificates} and those of {}", own.path.display()),
        None => certificates,
    };
    let missing = route.certificates.iter().find(|(name, path)| *name == "SSL_CERT_FILE" && !path.exists());
    let fact = format!("{proxy}, {certificates}");
    match missing {
        Some((name, path)) => {
            Check::failure(CheckSubject::Network, format!("{fact}: there is no {}", path.display()), format!("correct or unset {name}"))
        }
        None => Check::ok(CheckSubject::Network, fact),
    }
}

/// Checks whether a tenant accepts the credentials, and which tenant answers.
pub(super) fn checks(subject: &Subject<'_>, reading: &TenantReading) -> Vec<Check> {
    vec![sign_in(subject, reading), identity(subject, reading)]
}

/// Returns the checks of a tenant that was not asked.
pub(super) fn unchecked() -> Vec<Check> {
    use CheckSubject::{Client, Clock, RateLimit, Scopes, SignIn, Tenant};
    [SignIn, Tenant, Client, Scopes, RateLimit, Clock].map(|check| Check::unchecked(check, "the tenant was not asked")).to_vec()
}

fn sign_in(subject: &Subject<'_>, reading: &TenantReading) -> Check {
    let error = match &reading.scopes {
        Ok(_) => return Check::ok(CheckSubject::SignIn, accepted(subject.credentials)),
        Err(SignInError::Late(time)) => {
            let fact = format!("no response from {} within {} s", subject.tenant.domain, time.as_secs());
            return Check::failure(CheckSubject::SignIn, fact, UNREACHABLE);
        }
        Err(SignInError::Failed(error)) => error,
    };
    let advice = match &**error {
        Error::Unauthenticated { refusal, .. } => of_refusal(*refusal, subject),
        _ if error.is_unreachable() => UNREACHABLE.to_owned(),
        Error::Unusable { .. } | Error::Address { .. } => "correct it, then run `migrate doctor` again".to_owned(),
        _ => "try again later; if it stays so, check `domain` in migrate.toml and any proxy in between".to_owned(),
    };
    Check::failure(CheckSubject::SignIn, one_line(error), advice)
}

/// What to do about a tenant that does not answer.
const UNREACHABLE: &str = "check `domain` in migrate.toml, the network and the proxy; if a proxy on the way has a certificate of its own, set \
                           `ca_file` of the tenant to a file with the certificates to trust";

fn accepted(credentials: &Credentials) -> String {
    let what = match credentials {
        Credentials::Secret { .. } => "the client and its secret",
        Credentials::Key { .. } => "the client and its private key",
        Credentials::Token(_) => "the access token",
    };
    format!("the tenant accepts {what}")
}

/// Returns what to do about credentials that a tenant does not accept.
fn of_refusal(refusal: CredentialRefusal, subject: &Subject<'_>) -> String {
    let client = match subject.credentials {
        Credentials::Secret { client_id, .. } | Credentials::Key { client_id, .. } => client_id.as_str(),
        Credentials::Token(_) => "of the token",
    };
    match (refusal, subject.credentials) {
        (CredentialRefusal::Wrong, Credentials::Secret { .. }) => format!(
            "compare the id {client} and the secret with Dashboard > Applications > Applications > (the application) > Settings of {}; they may \
             be those of another tenant",
            subject.tenant.domain
        ),
        (CredentialRefusal::Wrong, Credentials::Key { .. }) => format!(
            "compare the id {client} and the key with Dashboard > Applications > Applications > (the application) > Credentials of {}, and this \
             machine's clock with the right time",
            subject.tenant.domain
        ),
        (CredentialRefusal::Wrong | CredentialRefusal::Expired, _) => {
            "request a new access token of this tenant, or set a client and its secret instead".to_owned()
        }
        (CredentialRefusal::GrantType, _) => format!(
            "tick Client Credentials in Dashboard > Applications > Applications > (the application {client}) > Settings > Advanced Settings > \
             Grant Types"
        ),
        (CredentialRefusal::NotAuthorized, _) => format!(
            "authorize the application {client} in Dashboard > Applications > APIs > Auth0 Management API > Machine to Machine Applications; if it \
             is authorized, `domain` in migrate.toml is not the tenant's own domain (a custom domain is none)"
        ),
    }
}

/// Checks whether the tenant that answers is the configured one: by the token, or else by the discovery document.
fn identity(subject: &Subject<'_>, reading: &TenantReading) -> Check {
    let TenantSettings { name, domain, .. } = subject.tenant;
    let api = format!("https://{domain}/api/v2/");
    let is_api = |audience: &String| audience.eq_ignore_ascii_case(&api);
    let own = format!("https://{domain}/");
    match (&reading.audience, &reading.issuer) {
        (Some(token), _) if token.audiences.iter().any(is_api) => Check::ok(CheckSubject::Tenant, format!("the token is for {api}")),
        (Some(token), _) => Check::failure(
            CheckSubject::Tenant,
            format!("the token is for {}, of {}, and not for {api}", token.audiences.join(" and "), token.issuer),
            format!("use credentials of {domain}, or correct the domain of \"{name}\" in migrate.toml"),
        ),
        (None, Some(issuer)) if issuer.eq_ignore_ascii_case(&own) => Check::ok(CheckSubject::Tenant, format!("it answers as {issuer}")),
        (None, Some(issuer)) => Check::failure(
            CheckSubject::Tenant,
            format!("it answers as {issuer}, and not as {own}"),
            format!("correct `domain` and `url` of \"{name}\" in migrate.toml; another tenant may have them"),
        ),
        (None, None) => Check::unchecked(CheckSubject::Tenant, "no answer says which tenant it is"),
    }
}
