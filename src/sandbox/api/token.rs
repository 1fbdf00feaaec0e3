//! Access tokens: who gets one at `/oauth/token`, what it allows, and when it expires.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::logs;
use crate::sandbox::http::caller::Caller;
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::store::state::{State, required_scopes};

/// What a token allows.
#[derive(Debug, Clone)]
pub(crate) enum Scopes {
    /// Everything.
    All,
    /// Whatever these scopes allow.
    Named(Arc<[String]>),
}

impl Scopes {
    /// Returns whether one of these scopes is granted; true if none is required.
    pub(crate) fn allow_any(&self, sent: &[&str]) -> bool {
        match self {
            Self::All => true,
            Self::Named(scopes) => sent.is_empty() || scopes.iter().any(|scope| sent.contains(&scope.as_str())),
        }
    }
}

/// Credentials that are accepted in addition to those of clients in the state.
#[derive(Clone, Default)]
pub(crate) struct RegisteredClients {
    /// Client ids with their secrets.
    pub(crate) secrets: Vec<(String, String)>,
    /// Client ids with their public keys.
    pub(crate) keys: Vec<(String, String)>,
}

/// The token endpoint: the clients that it knows besides those of the state, and the time on the clock of the tenant.
#[derive(Clone, Copy)]
pub(crate) struct TokenEndpoint<'server> {
    /// The clients.
    pub(crate) registered: &'server RegisteredClients,
    /// The time.
    pub(crate) now: SystemTime,
}

/// A token that was issued.
#[derive(Debug, Clone)]
pub(crate) struct IssuedToken {
    /// Who it belongs to.
    pub(crate) caller: Caller,
    /// What it allows.
    pub(crate) scopes: Scopes,
    end: Instant,
}

/// Every token that was issued.
#[derive(Debug)]
pub(crate) struct IssuedTokens {
    issued: HashMap<String, IssuedToken>,
    lifetime: Duration,
    /// The signing key, random so that nobody else on the machine can guess a token.
    key: [u8; 32],
}

impl IssuedTokens {
    pub(crate) fn new(lifetime: Duration) -> Self {
        let mut key = [0; 32];
        SystemRandom::new().fill(&mut key).expect("the system has random numbers");
        Self { issued: HashMap::new(), lifetime, key }
    }

    /// Returns who a token belongs to and what it allows.
    ///
    /// # Errors
    ///
    /// The response to a missing, unknown or expired token.
    pub(crate) fn find(&self, authorization: Option<&str>) -> Result<IssuedToken, ApiResponse> {
        let token = authorization.and_then(|header| header.strip_prefix("Bearer "));
        let token = token.ok_or_else(|| ApiResponse::unauthorized("Missing authentication"))?;
        let issued = self.issued.get(token).ok_or_else(|| ApiResponse::unauthorized("Invalid token"))?;
        if issued.end <= Instant::now() {
            return Err(expired());
        }
        Ok(issued.clone())
    }

    /// Expires a token early.
    pub(crate) fn end(&mut self, authorization: Option<&str>) {
        if let Some(token) = authorization.and_then(|header| header.strip_prefix("Bearer ")) {
            self.issued.entry(token.to_owned()).and_modify(|issued| issued.end = Instant::now());
        }
    }

    /// Issues a token.
    pub(crate) fn issue(&mut self, state: &State, caller: Caller, scopes: Scopes) -> Value {
        let client = &caller.client_id;
        let scope = match &scopes {
            Scopes::All => [required_scopes(state.catalog), vec![logs::SCOPES[0].to_owned()]].concat().join(" "),
            Scopes::Named(scopes) => scopes.join(" "),
        };
        let now = jsonwebtoken::get_current_timestamp();
        let claims = json!({
            "iss": format!("https://{}/", state.domain), "sub": format!("{client}@clients"), "azp": client, "gty": "client-credentials",
            "aud": state.management_audience(), "iat": now, "exp": now + self.lifetime.as_secs(), "scope": scope,
            "jti": self.issued.len(),
        });
        // HMAC over valid JSON does not fail.
        let token = encode(&Header::default(), &claims, &EncodingKey::from_secret(&self.key)).unwrap_or_default();
        self.issued.insert(token.clone(), IssuedToken { caller, scopes, end: Instant::now() + self.lifetime });
        json!({"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime.as_secs(), "scope": scope})
    }

    /// Answers a request to `/oauth/token`.
    pub(crate) fn token_response(&mut self, state: &State, endpoint: TokenEndpoint<'_>, sent: &Value) -> ApiResponse {
        match authenticate(state, endpoint, sent) {
            Ok((client, scopes)) => ApiResponse::new(200, self.issue(state, Caller::client(&client), scopes)),
            Err(refused) => refused,
        }
    }
}

/// Returns the response to an expired token.
pub(crate) fn expired() -> ApiResponse {
    ApiResponse::unauthorized("Expired token received for JSON Web Token validation")
}

fn refused(status: u16, error: &str, description: &str) -> ApiResponse {
    ApiResponse::new(status, json!({"error": error, "error_description": description}))
}

/// Returns the requesting client and the scopes it may have.
fn authenticate(state: &State, endpoint: TokenEndpoint<'_>, sent: &Value) -> Result<(String, Scopes), ApiResponse> {
    let text = |name: &str| sent[name].as_str().unwrap_or_default();
    let unauthorized = || refused(401, "access_denied", "Unauthorized");
    if text("grant_type") != "client_credentials" {
        return Err(refused(403, "unsupported_grant_type", &format!("Unsupported grant type: {}", text("grant_type"))));
    }
    if text("audience") != state.management_audience() {
        return Err(refused(403, "access_denied", &format!("Service not enabled within domain: {}", text("audience"))));
    }
    if !text("client_assertion").is_empty() {
        return verify_assertion(state, endpoint, text("client_assertion")).map(|client| (client, Scopes::All)).ok_or_else(unauthorized);
    }
    let (client, secret) = (text("client_id"), text("client_secret"));
    if endpoint.registered.secrets.iter().any(|(known, its)| known == client && its == secret) {
        return Ok((client.to_owned(), Scopes::All));
    }
    let body = state.tables.get("clients").and_then(|table| table.get(client));
    let known = body.and_then(|body| body.text("client_secret"));
    if known.is_none_or(|known| known != secret || known.is_empty() || known == "[REDACTED]") {
        return Err(unauthorized());
    }
    // Reported for a client without this grant type: auth0/ruby-auth0#190.
    let granted = body.and_then(|body| body.get("grant_types")).and_then(Value::as_array);
    if granted.is_some_and(|types| !types.iter().any(|grant| grant == "client_credentials")) {
        return Err(refused(403, "unauthorized_client", "Grant type 'client_credentials' not allowed for the client."));
    }
    let scopes = granted_scopes(state, client).ok_or_else(|| {
        let audience = state.management_audience();
        let why =
            format!("Client is not authorized to access \"{audience}\". You need to create a \"client-grant\" associated to this API.");
        refused(403, "access_denied", &why)
    })?;
    Ok((client.to_owned(), scopes))
}

/// Returns the client that a signed assertion authenticates.
fn verify_assertion(state: &State, endpoint: TokenEndpoint<'_>, assertion: &str) -> Option<String> {
    let algorithm = decode_header(assertion).ok()?.alg;
    if !matches!(algorithm, Algorithm::RS256 | Algorithm::RS384 | Algorithm::PS256) {
        return None;
    }
    endpoint.registered.keys.iter().find_map(|(client, pem)| {
        let mut expected = Validation::new(algorithm);
        expected.set_audience(&[format!("https://{}/", state.domain), format!("https://{}/oauth/token", state.domain)]);
        expected.set_issuer(&[client]);
        let key = DecodingKey::from_rsa_pem(pem.as_bytes()).ok()?;
        let claims = decode::<Value>(assertion, &key, &expected).ok()?.claims;
        let has_expired = claims["exp"].as_u64().is_none_or(|end| UNIX_EPOCH + Duration::from_secs(end) <= endpoint.now);
        (claims["sub"] == client.as_str() && !has_expired).then(|| client.clone())
    })
}

/// Returns what a client's grant on the Management API allows.
fn granted_scopes(state: &State, client: &str) -> Option<Scopes> {
    let table = state.tables.get("client-grants")?;
    let audience = state.management_audience();
    let ids = table.ids_where(|grant| grant.text("client_id") == Some(client) && grant.text("audience") == Some(&audience));
    let grant = table.get(ids.first()?)?;
    if grant.get("allow_all_scopes") == Some(&Value::Bool(true)) {
        return Some(Scopes::All);
    }
    let scopes = grant.get("scope").and_then(Value::as_array);
    Some(Scopes::Named(scopes.into_iter().flatten().filter_map(|scope| scope.as_str().map(str::to_owned)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State::from_json(json!({"domain": "acme.eu.auth0.com", "data": {
            "/clients": [
                {"client_id": "c1", "name": "A", "client_secret": "s1"},
                {"client_id": "c2", "name": "B", "client_secret": "s2"},
                {"client_id": "c3", "name": "C", "client_secret": "[REDACTED]"},
                {"client_id": "c4", "name": "D", "client_secret": "s4", "grant_types": ["authorization_code"]},
            ],
            "/client-grants": [{"id": "g1", "client_id": "c1", "audience": "https://acme.eu.auth0.com/api/v2/", "scope": ["read:clients"]}],
        }}))
        .expect("a state")
    }

    fn exchange(client: &str, secret: &str) -> ApiResponse {
        let sent = json!({
            "grant_type": "client_credentials", "client_id": client, "client_secret": secret, "audience": "https://acme.eu.auth0.com/api/v2/",
        });
        let endpoint = TokenEndpoint { registered: &RegisteredClients::default(), now: UNIX_EPOCH };
        IssuedTokens::new(Duration::from_secs(60)).token_response(&state(), endpoint, &sent)
    }

    #[test]
    fn a_client_of_the_state_gets_the_scopes_of_its_grant() {
        let answer = exchange("c1", "s1");
        assert_eq!((answer.status, &answer.body["scope"]), (200, &json!("read:clients")));
        assert_eq!(answer.body["expires_in"], 60);
    }

    #[test]
    fn a_wrong_secret_a_missing_grant_or_grant_type_and_a_masked_secret_get_no_token() {
        let unauthorized = json!({"error": "access_denied", "error_description": "Unauthorized"});
        assert_eq!(exchange("c1", "wrong"), ApiResponse::new(401, unauthorized.clone()));
        assert_eq!(exchange("c3", "[REDACTED]"), ApiResponse::new(401, unauthorized));
        assert_eq!(exchange("c2", "s2").status, 403);
        assert_eq!(exchange("c4", "s4").body["error"], "unauthorized_client");
    }
}
