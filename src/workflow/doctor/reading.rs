//! Asks a tenant what the checks need to know: a token, its own client or its settings, and sometimes its discovery document.
//!
//! The discovery document is read where the rest does not say who answers. Reads only, and soon gives up.

use std::collections::BTreeSet;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::config::TenantSettings;
use crate::management_api::{Error, FrontDoor, ResponseFacts, Tenant, TokenAudience};
use crate::model::front_door::FrontDoorAnswer;
use crate::workflow::environment::Environment;

/// How long signing in may take, with its retries.
const LONGEST_SIGN_IN: Duration = Duration::from_secs(20);
/// How long the request after it is retried.
const LONGEST_RETRY: Duration = Duration::from_secs(10);
/// The fields of the client that are checked; none is a secret.
const FIELDS: &str = "client_id,name,app_type,grant_types,is_first_party,token_endpoint_auth_method,client_authentication_methods";
/// A scope with which the client can be read.
const READ_CLIENTS: &str = "read:clients";
/// A scope with which some other request succeeds, if the client cannot be read.
const READ_SETTINGS: &str = "read:tenant_settings";

/// What a tenant answered.
#[derive(Debug)]
pub(super) struct TenantReading {
    /// The scopes of the token, if the tenant or the token lists them; otherwise why there is no token.
    pub(super) scopes: Result<Option<BTreeSet<String>>, SignInError>,
    /// Whom the token says it is from and for.
    pub(super) audience: Option<TokenAudience>,
    /// The issuer in the discovery document, if it was asked for.
    pub(super) issuer: Option<String>,
    /// The id of the client that signed in, if known.
    pub(super) client_id: Option<String>,
    /// The client that signed in.
    pub(super) client: OwnClient,
    /// What the headers of the responses said.
    pub(super) responses: ResponseFacts,
}

/// The client that signed in, or why it is not known.
#[derive(Debug)]
pub(super) enum OwnClient {
    /// Its fields.
    Known(Value),
    /// The token may not read clients.
    Forbidden,
    /// The token does not say which client it belongs to.
    Unnamed,
    /// The tenant has no such client.
    Missing,
    /// Reading it failed; this is the message.
    Failed(String),
}

/// Why nobody is signed in.
#[derive(Debug)]
pub(super) enum SignInError {
    /// The request failed.
    Failed(Box<Error>),
    /// The tenant did not answer in time.
    Late(Duration),
}

impl TenantReading {
    /// Returns whether the tenant did not accept the credentials.
    pub(super) fn is_denied(&self) -> bool {
        matches!(&self.scopes, Err(SignInError::Failed(error)) if matches!(**error, Error::Unauthenticated { .. }))
    }
}

/// Asks a tenant.
pub(super) async fn read(environment: &Environment, settings: &TenantSettings) -> TenantReading {
    let tenant = match environment.connect(settings) {
        Ok(tenant) => tenant,
        Err(error) => return unread(SignInError::from_connect(error)),
    };
    let scopes = match timeout(LONGEST_SIGN_IN, tenant.scopes()).await {
        Ok(scopes) => scopes.map_err(|error| SignInError::Failed(Box::new(error))),
        Err(_) => Err(SignInError::Late(LONGEST_SIGN_IN)),
    };
    let client_id = tenant.client_id();
    let (client, scopes) = match scopes {
        Ok(scopes) => match own_client(&tenant, client_id.as_deref(), scopes.as_ref()).await {
            Ok(client) => (client, Ok(scopes)),
            Err(refused) => (OwnClient::Unnamed, Err(SignInError::Failed(Box::new(refused)))),
        },
        Err(error) => (OwnClient::Unnamed, Err(error)),
    };
    let audience = if scopes.is_ok() { tenant.token_audience().await.ok().flatten() } else { None };
    let issuer = if audience.is_none() { issuer(environment, settings).await } else { None };
    TenantReading { scopes, audience, issuer, client_id, client, responses: tenant.response_facts() }
}

impl SignInError {
    fn from_connect(error: crate::workflow::error::Error) -> Self {
        match error {
            crate::workflow::error::Error::Tenant { source, .. } => Self::Failed(source),
            other => Self::Failed(Box::new(Error::Unusable { what: "the credentials", source: other.to_string().into() })),
        }
    }
}

fn unread(error: SignInError) -> TenantReading {
    let responses = ResponseFacts::default();
    TenantReading { scopes: Err(error), audience: None, issuer: None, client_id: None, client: OwnClient::Unnamed, responses }
}

/// Reads the client that signed in. If the token may not, another request finds out what the headers say.
///
/// # Errors
///
/// If the tenant does not accept the token.
async fn own_client(tenant: &Tenant, id: Option<&str>, scopes: Option<&BTreeSet<String>>) -> Result<OwnClient, Error> {
    tenant.retry_until(Instant::now() + LONGEST_RETRY);
    let may = |scope: &str| scopes.is_none_or(|scopes| scopes.contains(scope));
    let (unknown, path) = match id {
        Some(id) if may(READ_CLIENTS) => {
            let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
            (None, format!("clients/{id}?fields={FIELDS}&include_fields=true"))
        }
        Some(_) => (Some(OwnClient::Forbidden), SETTINGS.to_owned()),
        None => (Some(OwnClient::Unnamed), SETTINGS.to_owned()),
    };
    if unknown.is_some() && !may(READ_SETTINGS) {
        return Ok(unknown.unwrap_or(OwnClient::Unnamed));
    }
    match (tenant.call("GET", &path, None).await, unknown) {
        (Err(error @ Error::Unauthenticated { .. }), _) => Err(error),
        (_, Some(unknown)) => Ok(unknown),
        (Ok(reply), None) => Ok(OwnClient::Known(reply.body)),
        (Err(error), None) if error.is_not_found() => Ok(OwnClient::Missing),
        (Err(error), None) if error.is_scope() => Ok(OwnClient::Forbidden),
        (Err(error), None) => Ok(OwnClient::Failed(super::target::one_line(&error))),
    }
}

/// The request for the tenant's settings, of which one field suffices.
const SETTINGS: &str = "tenants/settings?fields=friendly_name&include_fields=true";

/// Returns the issuer that the discovery document names.
async fn issuer(environment: &Environment, settings: &TenantSettings) -> Option<String> {
    let network = environment.settings().network(&settings.name).ok()?;
    let door = FrontDoor::new(&settings.domain, settings.url.as_deref(), &network).ok()?;
    match door.ask(None, "/.well-known/openid-configuration", &[]).await {
        FrontDoorAnswer::Answered { status: 200, body, .. } => {
            let document: Value = serde_json::from_slice(&body).ok()?;
            document["issuer"].as_str().map(str::to_owned)
        }
        _ => None,
    }
}
