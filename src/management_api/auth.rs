//! Access tokens: a given one, or one requested with a secret or a private key and renewed before it expires.
//!
//! Concurrent requests without a token wait for a single token request; no lock is held meanwhile.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::address::Address;
use super::connection::Connection;
use super::error::{CredentialRefusal, Error, TOKEN_REQUEST, UnexpectedAnswer, refusal};
use super::http::{Attempt, ConnectionError, HttpRequest, jitter, random_u64};
use super::rate_limit::requested_wait;
use super::redact::Redactor;
use super::retry::{AttemptFailure, Decision, Idempotency, RetryState, decide};
use crate::model::credentials::Credentials;

/// The lifetime of a signed assertion in seconds.
const ASSERTION_LIFETIME: u64 = 120;
/// How long before it expires a token is renewed, unless a tenth of its lifetime is less.
const RENEWAL_MARGIN: Duration = Duration::from_secs(60);

/// An access token and what is known about it.
#[derive(Debug)]
pub struct Token {
    /// The token itself.
    pub secret: SecretString,
    /// Its scopes, if the tenant reported them.
    pub scopes: Option<BTreeSet<String>>,
    /// Whom it is from and for, if it says so.
    pub audience: Option<TokenAudience>,
    renewed_at: Option<Instant>,
}

/// Whom a token says it is from and for. It is not verified: whoever answers here may claim anything, so it reveals mistakes, not attacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenAudience {
    /// The issuer: `https://acme.eu.auth0.com/`.
    pub issuer: String,
    /// The APIs: `https://acme.eu.auth0.com/api/v2/`.
    pub audiences: Vec<String>,
}

/// The claims of an unverified token. Anybody may have written them, so they are trusted only for its own use.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Claims {
    exp: Option<u64>,
    scope: Option<String>,
    azp: Option<String>,
    sub: Option<String>,
    iss: Option<String>,
    /// One text or a list of them (RFC 7519, section 4.1.3).
    aud: Value,
}

impl Claims {
    fn audience(&self) -> Option<TokenAudience> {
        let audiences = match &self.aud {
            Value::String(one) => vec![one.clone()],
            Value::Array(list) => list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        };
        Some(TokenAudience { issuer: self.iss.clone()?, audiences })
    }
}

/// The response of `/oauth/token`.
#[derive(Deserialize)]
struct TokenResponse {
    access_token: SecretString,
    expires_in: Option<u64>,
    scope: Option<String>,
}

/// How the client authenticates.
enum ClientAuthentication {
    Secret(SecretString),
    Key(Box<EncodingKey>),
}

/// Where tokens come from.
enum TokenSource {
    Fixed { token: Arc<Token>, claims: Claims },
    Requested { client_id: String, authentication: ClientAuthentication, slot: Mutex<Arc<OnceCell<Arc<Token>>>> },
}

/// Provides the tokens for one tenant.
pub(super) struct TokenProvider(TokenSource);

impl TokenProvider {
    /// Creates a provider without sending anything.
    pub(super) fn new(credentials: Credentials) -> Result<Self, Error> {
        let requested = |client_id, authentication| Self(TokenSource::Requested { client_id, authentication, slot: Mutex::default() });
        Ok(match credentials {
            Credentials::Secret { client_id, client_secret } => requested(client_id, ClientAuthentication::Secret(client_secret)),
            Credentials::Key { client_id, pem } => {
                let key = EncodingKey::from_rsa_pem(pem.expose_secret().as_bytes()).map_err(|error| Error::Unusable {
                    what: "the client's private key: expected an RSA key in PEM format",
                    source: error.into(),
                })?;
                requested(client_id, ClientAuthentication::Key(Box::new(key)))
            }
            Credentials::Token(secret) => {
                let claims = read_claims(&secret);
                let scopes = claims.scope.as_deref().map(parse_scopes);
                let token = Token { secret, scopes, audience: claims.audience(), renewed_at: None };
                Self(TokenSource::Fixed { token: Arc::new(token), claims })
            }
        })
    }

    /// Returns the id of the client that sends the requests, if known.
    pub(super) fn client_id(&self) -> Option<String> {
        match &self.0 {
            TokenSource::Requested { client_id, .. } => Some(client_id.clone()),
            TokenSource::Fixed { claims, .. } => {
                let subject = claims.sub.as_deref().and_then(|sub| sub.strip_suffix("@clients"));
                claims.azp.as_deref().or(subject).map(str::to_owned)
            }
        }
    }

    /// Returns a valid token, requesting one if there is none.
    pub(super) async fn current(&self, connection: &Connection) -> Result<Arc<Token>, Error> {
        match &self.0 {
            TokenSource::Fixed { token, claims } => {
                let ended = claims.exp.is_some_and(|end| end <= unix_time());
                if ended {
                    let message = "the access token has expired".to_owned();
                    return Err(Error::Unauthenticated { message, refusal: CredentialRefusal::Expired });
                }
                Ok(token.clone())
            }
            TokenSource::Requested { client_id, authentication, slot } => loop {
                let cell = lock(slot).clone();
                let token = cell.get_or_try_init(|| request_token(connection, client_id, authentication)).await?;
                if token.renewed_at.is_none_or(|at| Instant::now() < at) {
                    return Ok(token.clone());
                }
                invalidate(slot, token);
            },
        }
    }

    /// Discards a token that the tenant rejected; returns whether another one can be requested.
    pub(super) fn invalidate_token(&self, token: &Arc<Token>) -> bool {
        match &self.0 {
            TokenSource::Fixed { .. } => false,
            TokenSource::Requested { slot, .. } => {
                invalidate(slot, token);
                true
            }
        }
    }
}

/// Empties the slot, unless it already contains another token.
fn invalidate(slot: &Mutex<Arc<OnceCell<Arc<Token>>>>, token: &Arc<Token>) {
    let mut slot = lock(slot);
    if slot.get().is_some_and(|held| Arc::ptr_eq(held, token)) {
        *slot = Arc::default();
    }
}

fn lock<T>(slot: &Mutex<T>) -> MutexGuard<'_, T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Requests a token, retrying as the retry table says. Repeating this request is harmless.
async fn request_token(connection: &Connection, client_id: &str, authentication: &ClientAuthentication) -> Result<Arc<Token>, Error> {
    let started = Instant::now();
    let mut state = RetryState::default();
    loop {
        let authenticated = (client_id, authentication);
        let (failure, error) = match request_token_once(connection, authenticated, state.attempts() + 1).await? {
            Ok(token) => return Ok(Arc::new(token)),
            Err(failed) => failed,
        };
        state.count(failure, started.elapsed());
        let Decision::RetryAfter(wait) = decide(Idempotency::Idempotent, state, failure, jitter()) else { return Err(error) };
        connection.notify_retry(TOKEN_REQUEST, (failure, &error), (state.attempts() + 1, wait));
        tokio::time::sleep(wait).await;
    }
}

async fn request_token_once(
    connection: &Connection,
    (client_id, authentication): (&str, &ClientAuthentication),
    number: u32,
) -> Result<Result<Token, (AttemptFailure, Error)>, Error> {
    let Connection { address, witness, .. } = connection;
    let mut redactor = Redactor::default();
    let body = Some(token_request(address, client_id, authentication, &mut redactor)?.to_string().into_bytes());
    let request = HttpRequest { method: Method::POST, url: address.token(), body, token: None, attempt: number };
    let attempt = connection.send(request).await;
    let unreachable =
        |source: ConnectionError| Error::Unreachable { host: address.host(), request: TOKEN_REQUEST.to_owned(), source: source.into() };
    if let Attempt::Answered { headers, .. } = &attempt {
        witness.record(headers);
    }
    match attempt {
        Attempt::Answered { status: 200..=299, body, .. } => Ok(Ok(parse_token_response(&body)?)),
        Attempt::Answered { status, headers, body } => {
            let after = requested_wait(status, &headers, SystemTime::now());
            let failure = AttemptFailure::Status { status, after };
            // The endpoint answers wrong credentials with 400, 401 or 403.
            let error = match refusal(TOKEN_REQUEST, status, &body, &redactor) {
                Error::Refused { status: 400 | 403, message, .. } | Error::Unauthenticated { message, .. } => {
                    Error::Unauthenticated { message, refusal: CredentialRefusal::of_token_request(status, &body) }
                }
                other => other.or_excessive_wait(TOKEN_REQUEST, after),
            };
            Ok(Err((failure, error)))
        }
        Attempt::Unsent(source) => Ok(Err((AttemptFailure::Unsent, unreachable(source)))),
        Attempt::Broken(source) => Ok(Err((AttemptFailure::Broken, unreachable(source)))),
        Attempt::Excessive(source) => Err(Error::Excess { request: TOKEN_REQUEST.to_owned(), source }),
    }
}

fn token_request(
    address: &Address,
    client_id: &str,
    authentication: &ClientAuthentication,
    redactor: &mut Redactor,
) -> Result<Value, Error> {
    let mut fields = json!({"grant_type": "client_credentials", "client_id": client_id, "audience": address.audience()});
    match authentication {
        ClientAuthentication::Secret(secret) => {
            redactor.add_secret(secret.expose_secret());
            fields["client_secret"] = secret.expose_secret().into();
        }
        ClientAuthentication::Key(key) => {
            let now = unix_time();
            let claims = json!({
                "iss": client_id, "sub": client_id, "aud": format!("https://{}/", address.domain),
                "iat": now, "exp": now + ASSERTION_LIFETIME, "jti": format!("{:016x}{:016x}", random_u64(), random_u64()),
            });
            let assertion = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, key)
                .map_err(|error| Error::Unusable { what: "the client's private key", source: error.into() })?;
            redactor.add_secret(&assertion);
            fields["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".into();
            fields["client_assertion"] = assertion.into();
        }
    }
    Ok(fields)
}

/// Parses the response of `/oauth/token`.
///
/// # Errors
///
/// If it contains no token.
pub fn parse_token_response(body: &[u8]) -> Result<Token, Error> {
    // The parser quotes the offending text, which may be a token here, so only its position is reported.
    let no_grant =
        |error: serde_json::Error| UnexpectedAnswer(format!("it contains no token (line {} column {})", error.line(), error.column()));
    let unreadable = |error| Error::Unreadable { request: TOKEN_REQUEST.to_owned(), source: no_grant(error).into() };
    let response: TokenResponse = serde_json::from_slice(body).map_err(unreadable)?;
    let secret = response.access_token;
    let claims = read_claims(&secret);
    let audience = claims.audience();
    let scopes = response.scope.or(claims.scope).as_deref().map(parse_scopes);
    // A token that expires at once is still valid for the request it was requested for.
    let life = response.expires_in.map(|seconds| Duration::from_secs(seconds.max(1)));
    // A lifetime beyond the range of the clock is unlimited.
    let renewed_at = life.and_then(|life| Instant::now().checked_add(life.saturating_sub(RENEWAL_MARGIN.min(life / 10))));
    Ok(Token { secret, scopes, audience, renewed_at })
}

/// Parses the claims of a token; empty if it is not a JWT.
fn read_claims(token: &SecretString) -> Claims {
    let Ok(header) = jsonwebtoken::decode_header(token.expose_secret()) else { return Claims::default() };
    let mut validation = Validation::new(header.alg);
    validation.insecure_disable_signature_validation();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    validation.required_spec_claims.clear();
    let decoded = jsonwebtoken::decode::<Claims>(token.expose_secret(), &DecodingKey::from_secret(&[]), &validation);
    decoded.map(|decoded| decoded.claims).unwrap_or_default()
}

fn parse_scopes(scopes: &str) -> BTreeSet<String> {
    scopes.split_whitespace().map(str::to_owned).collect()
}

fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_beyond_the_clock_is_unlimited() {
        let token = parse_token_response(br#"{"access_token":"a","expires_in":18446744073709551615}"#).expect("a token");
        assert_eq!(token.renewed_at, None);
    }

    #[test]
    fn a_response_without_a_token_is_not_quoted() {
        let error = parse_token_response(br#"{"access_token":"a","expires_in":"s3cret"}"#).expect_err("no number");
        let reason = std::error::Error::source(&error).expect("a cause").to_string();
        assert_eq!(reason, "it contains no token (line 1 column 41)");
    }
}
