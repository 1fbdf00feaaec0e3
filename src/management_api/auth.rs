//! What lets requests in: a token given, or one asked for by a secret or a private key, and renewed before it ends.
//!
//! Many requests that find no token wait for the one that asks for it; no lock is held while it does.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::address::Address;
use super::error::{Error, Missing, refusal};
use super::http::{Ending, Http, Lost, Message, chance, jitter};
use super::rate_limit::asked_wait;
use super::redact::Veil;
use super::retry::{Decision, Effect, Failure, Tried, decide};
use super::transport::too_patient;
use super::{Credentials, Wire};
use crate::model::resource::Secret;

/// The request that gives a token, as errors name it.
const REQUEST: &str = "POST /oauth/token";
/// How long a signed assertion is good for.
const ASSERTION: u64 = 120;
/// How long before its end a token is renewed, unless a tenth of its life is less.
const MARGIN: Duration = Duration::from_secs(60);

/// A token, and what is known about it.
#[derive(Debug)]
pub struct Token {
    /// What is sent.
    pub secret: Secret,
    /// What it is good for, where the tenant said so.
    pub scopes: Option<BTreeSet<String>>,
    renewed_at: Option<Instant>,
}

/// What an unread token says about itself; anybody may have written it, so it is believed only about its own use.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Claims {
    exp: Option<u64>,
    scope: Option<String>,
    azp: Option<String>,
    sub: Option<String>,
}

/// The answer of `/oauth/token`.
#[derive(Deserialize)]
struct Grant {
    access_token: String,
    expires_in: Option<u64>,
    scope: Option<String>,
}

/// How the client proves who it is.
enum Proof {
    Secret(Secret),
    Key(Box<EncodingKey>),
}

/// Where tokens come from.
enum Source {
    Given { token: Arc<Token>, claims: Claims },
    Asked { client_id: String, proof: Proof, slot: Mutex<Arc<OnceCell<Arc<Token>>>> },
}

/// The tokens of one tenant.
pub(super) struct Tokens(Source);

impl Tokens {
    /// Makes ready to ask; sends nothing.
    pub(super) fn new(credentials: Credentials) -> Result<Self, Error> {
        let asked = |client_id, proof| Self(Source::Asked { client_id, proof, slot: Mutex::default() });
        Ok(match credentials {
            Credentials::Secret { client_id, client_secret } => asked(client_id, Proof::Secret(client_secret)),
            Credentials::Key { client_id, pem } => {
                let key = EncodingKey::from_rsa_pem(pem.reveal().as_bytes()).map_err(|error| Error::Unusable {
                    what: "the client's private key: an RSA key as PEM was expected",
                    source: error.into(),
                })?;
                asked(client_id, Proof::Key(Box::new(key)))
            }
            Credentials::Token(secret) => {
                let claims = read_claims(&secret);
                let scopes = claims.scope.as_deref().map(words);
                Self(Source::Given { token: Arc::new(Token { secret, scopes, renewed_at: None }), claims })
            }
        })
    }

    /// Returns the client that the requests are made by, where it is known.
    pub(super) fn client_id(&self) -> Option<String> {
        match &self.0 {
            Source::Asked { client_id, .. } => Some(client_id.clone()),
            Source::Given { claims, .. } => {
                let subject = claims.sub.as_deref().and_then(|sub| sub.strip_suffix("@clients"));
                claims.azp.as_deref().or(subject).map(str::to_owned)
            }
        }
    }

    /// Returns a token that is good now, asking for one where there is none.
    pub(super) async fn current(&self, wire: &Wire) -> Result<Arc<Token>, Error> {
        match &self.0 {
            Source::Given { token, claims } => {
                let ended = claims.exp.is_some_and(|end| end <= unix_time());
                if ended { Err(Error::Unauthenticated { message: "the given token has ended".to_owned() }) } else { Ok(token.clone()) }
            }
            Source::Asked { client_id, proof, slot } => loop {
                let cell = locked(slot).clone();
                let token = cell.get_or_try_init(|| ask(wire, client_id, proof)).await?;
                if token.renewed_at.is_none_or(|at| Instant::now() < at) {
                    return Ok(token.clone());
                }
                forget(slot, token);
            },
        }
    }

    /// Forgets a token that the tenant did not take; returns whether another can be had.
    pub(super) fn reject(&self, token: &Arc<Token>) -> bool {
        match &self.0 {
            Source::Given { .. } => false,
            Source::Asked { slot, .. } => {
                forget(slot, token);
                true
            }
        }
    }
}

/// Empties the slot, unless another token stands there already.
fn forget(slot: &Mutex<Arc<OnceCell<Arc<Token>>>>, token: &Arc<Token>) {
    let mut slot = locked(slot);
    if slot.get().is_some_and(|held| Arc::ptr_eq(held, token)) {
        *slot = Arc::default();
    }
}

fn locked<T>(slot: &Mutex<T>) -> MutexGuard<'_, T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks for a token until there is one or the retry table gives up; asking twice does no harm.
async fn ask(wire: &Wire, client_id: &str, proof: &Proof) -> Result<Arc<Token>, Error> {
    let started = Instant::now();
    let mut tried = Tried::default();
    loop {
        let (failure, error) = match ask_once(&wire.http, &wire.address, client_id, proof).await? {
            Ok(token) => return Ok(Arc::new(token)),
            Err(failed) => failed,
        };
        tried.count(failure, started.elapsed());
        let Decision::Again(wait) = decide(Effect::Repeatable, tried, failure, jitter()) else { return Err(error) };
        wire.tell_retry(REQUEST, &error, tried);
        tokio::time::sleep(wait).await;
    }
}

async fn ask_once(http: &Http, address: &Address, client_id: &str, proof: &Proof) -> Result<Result<Token, (Failure, Error)>, Error> {
    let mut veil = Veil::default();
    let body = Some(question(address, client_id, proof, &mut veil)?.to_string().into_bytes());
    let ending = http.send(Message { method: Method::POST, url: address.token(), body, token: None }).await;
    let unreachable = |source: Lost| Error::Unreachable { host: address.host(), request: REQUEST.to_owned(), source: source.into() };
    match ending {
        Ending::Answered { status: 200..=299, body, .. } => Ok(Ok(read_grant(&body)?)),
        Ending::Answered { status, headers, body } => {
            let after = asked_wait(status, &headers, SystemTime::now());
            let failure = Failure::Status { status, after };
            // The endpoint answers 400, 401 or 403 for credentials of every wrong sort.
            let error = match refusal(REQUEST, status, &body, &veil) {
                Error::Refused { status: 400 | 403, message, .. } => Error::Unauthenticated { message },
                other => too_patient(other, REQUEST, after),
            };
            Ok(Err((failure, error)))
        }
        Ending::Unsent(source) => Ok(Err((Failure::Unsent, unreachable(source)))),
        Ending::Broken(source) => Ok(Err((Failure::Broken, unreachable(source)))),
        Ending::Excessive(source) => Err(Error::Excess { request: REQUEST.to_owned(), source }),
    }
}

fn question(address: &Address, client_id: &str, proof: &Proof, veil: &mut Veil) -> Result<Value, Error> {
    let mut question = json!({"grant_type": "client_credentials", "client_id": client_id, "audience": address.audience()});
    match proof {
        Proof::Secret(secret) => {
            veil.hide(secret.reveal());
            question["client_secret"] = secret.reveal().into();
        }
        Proof::Key(key) => {
            let now = unix_time();
            let claims = json!({
                "iss": client_id, "sub": client_id, "aud": format!("https://{}/", address.domain),
                "iat": now, "exp": now + ASSERTION, "jti": format!("{:016x}{:016x}", chance(), chance()),
            });
            let assertion = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, key)
                .map_err(|error| Error::Unusable { what: "the client's private key", source: error.into() })?;
            veil.hide(&assertion);
            question["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".into();
            question["client_assertion"] = assertion.into();
        }
    }
    Ok(question)
}

/// Reads the answer of `/oauth/token`.
///
/// # Errors
///
/// When it holds no token.
pub fn read_grant(body: &[u8]) -> Result<Token, Error> {
    // The reader quotes what it stumbles over, and here that can be a token: only the place is told.
    let no_grant = |error: serde_json::Error| Missing(format!("it grants no token (line {} column {})", error.line(), error.column()));
    let unreadable = |error| Error::Unreadable { request: REQUEST.to_owned(), source: no_grant(error).into() };
    let grant: Grant = serde_json::from_slice(body).map_err(unreadable)?;
    let secret = Secret::new(grant.access_token);
    let scopes = grant.scope.or_else(|| read_claims(&secret).scope).as_deref().map(words);
    // One that ends at once is still good for the request it was asked for.
    let life = grant.expires_in.map(|seconds| Duration::from_secs(seconds.max(1)));
    // A life longer than the clock can count is one without an end.
    let renewed_at = life.and_then(|life| Instant::now().checked_add(life.saturating_sub(MARGIN.min(life / 10))));
    Ok(Token { secret, scopes, renewed_at })
}

/// Reads what a token says about itself, or nothing where it is not a JWT.
fn read_claims(token: &Secret) -> Claims {
    let Ok(header) = jsonwebtoken::decode_header(token.reveal()) else { return Claims::default() };
    let mut validation = Validation::new(header.alg);
    validation.insecure_disable_signature_validation();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    validation.required_spec_claims.clear();
    let decoded = jsonwebtoken::decode::<Claims>(token.reveal(), &DecodingKey::from_secret(&[]), &validation);
    decoded.map(|decoded| decoded.claims).unwrap_or_default()
}

fn words(scopes: &str) -> BTreeSet<String> {
    scopes.split_whitespace().map(str::to_owned).collect()
}

fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_beyond_every_clock_is_one_without_an_end() {
        let token = read_grant(br#"{"access_token":"a","expires_in":18446744073709551615}"#).expect("a token");
        assert_eq!(token.renewed_at, None);
    }

    #[test]
    fn an_answer_that_grants_no_token_is_not_quoted() {
        let error = read_grant(br#"{"access_token":"a","expires_in":"s3cret"}"#).expect_err("no number");
        let because = std::error::Error::source(&error).expect("a cause").to_string();
        assert_eq!(because, "it grants no token (line 1 column 41)");
    }
}
