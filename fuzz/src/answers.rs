//! Properties of responses: no response makes the program panic, and no error shows a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, UNIX_EPOCH};

use auth0_migrate::catalog::{Catalog, ReferencedBy, Shape};
use auth0_migrate::json::Body;
use auth0_migrate::management_api::answers::{self, Page, RateLimitHeaders, Redactor};
use auth0_migrate::model::resource::Resource;
use auth0_migrate::snapshot::id_substitution::{self, TenantNames};
use auth0_migrate::snapshot::{Snapshot, Status};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::{CANARY, hides_the_canary};

const DOMAIN: &str = "acme-dev.eu.auth0.com";
/// The longest wait that is accepted for a reset.
const HOUR: Duration = Duration::from_secs(3600);

/// A list becomes resources without secrets, each under a unique key; resolved again, it equals the original.
///
/// The input is an object with the list of every kind under its name, as a page has its list under a field.
pub fn listing(bytes: &[u8]) -> bool {
    let before = resources(bytes);
    let snapshot = portable(bytes);
    let mut names = TenantNames::new(DOMAIN);
    for resource in &snapshot.resources {
        assert!(names.id_of(&resource.key).is_none(), "two resources are called {}", resource.key);
        assert_eq!(resource.key.to_string().parse(), Ok(resource.key.clone()));
        names.learn(resource.key.clone(), resource.id.clone());
    }
    for (resource, before) in snapshot.resources.iter().zip(&before) {
        let kind = resource.key.kind();
        let body = resource.body.open();
        for path in kind.secrets.paths {
            assert!(body.find(path).is_empty() && resource.carried.find(path).is_empty(), "{path} of {}", resource.key);
        }
        // A reference to an older version becomes one to the newest; that is not reversible.
        if !kind.references.iter().any(|reference| reference.by == ReferencedBy::Alias) {
            let attached = names.resolve(kind, &body).map(|body| lower_domain(&body));
            assert_eq!(attached, Ok(lower_domain(&before.body.open())), "{}", resource.key);
        }
    }
    !before.is_empty()
}

/// Returns the portable snapshot of a tenant that lists this.
pub(super) fn portable(bytes: &[u8]) -> Snapshot {
    let mut resources = resources(bytes);
    let twice = id_substitution::to_portable(Catalog::standard(), DOMAIN, &mut resources);
    let kinds: BTreeMap<String, Status> =
        resources.iter().map(|resource| (resource.key.kind().name.to_owned(), Status::Complete)).collect();
    Snapshot {
        tenant: "dev".to_owned(),
        domain: DOMAIN.to_owned(),
        taken: "2026-01-01T00:00:00Z".to_owned(),
        kinds,
        resources,
        twice,
        selection: None,
    }
}

/// Returns the resources in a response, by kind; a tenant never lists an id twice.
fn resources(bytes: &[u8]) -> Vec<Resource> {
    let Ok(Value::Object(lists)) = serde_json::from_slice(bytes) else { return Vec::new() };
    let mut seen = BTreeSet::new();
    let kinds = lists.keys().filter_map(|name| Catalog::standard().kind(name));
    let listed = kinds.filter(|kind| matches!(kind.shape, Shape::Collection)).flat_map(|kind| {
        let page = Page::<Body>::parse(bytes, kind.name).ok();
        let elements = page.and_then(|page| page.elements).unwrap_or_default();
        elements.into_iter().filter_map(|body| Resource::read(kind, body).ok()).collect::<Vec<_>>()
    });
    listed.filter(|resource| seen.insert(resource.id.clone())).collect()
}

/// Converts the domain in texts to lower case: hosts ignore case, and come back in the tenant's spelling.
fn lower_domain(body: &Body) -> Value {
    let text = serde_json::to_string(body).expect("a body is JSON");
    let (lower, mut lowered, mut copied) = (text.to_ascii_lowercase(), String::new(), 0);
    for (at, _) in lower.match_indices(DOMAIN) {
        lowered.push_str(&text[copied..at]);
        lowered.push_str(DOMAIN);
        copied = at + DOMAIN.len();
    }
    serde_json::from_str(&(lowered + &text[copied..])).expect("letters in another case leave JSON what it is")
}

/// An error response becomes a sentence without secrets: the first two bytes are its status, and `~` stands for a
/// quoted secret.
pub fn refusal(bytes: &[u8]) -> bool {
    let [high, low, answer @ ..] = bytes else { return false };
    let status = u16::from_be_bytes([*high, *low]);
    let answer: Vec<u8> = answer.iter().flat_map(|byte| if *byte == b'~' { CANARY.as_bytes().to_vec() } else { vec![*byte] }).collect();
    let mut redactor = Redactor::default();
    redactor.add_secret(CANARY);
    let error = answers::refusal("POST /clients", status, &answer, &redactor);
    hides_the_canary(&format!("{error} {error:?}"));
    let told = error.to_string();
    assert!(!told.chars().any(char::is_control), "more than a line: {told:?}");
    serde_json::from_slice::<Value>(&answer).is_ok_and(|answer| answer.is_object())
}

/// A token response is parsed whatever its lifetime, and the token is never shown.
pub fn grant(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).replace('~', CANARY);
    match answers::parse_token_response(text.as_bytes()) {
        Ok(token) => {
            // Scopes are shown, and may contain anything.
            if token.scopes.is_none() {
                hides_the_canary(&format!("{token:?}"));
            }
            true
        }
        Err(error) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            hides_the_canary(&format!("{error}: {source:?}"));
            false
        }
    }
}

/// Whatever the headers, a wait for a reset is between a second and an hour; the input consists of `name: value` lines.
pub fn headers(bytes: &[u8]) -> bool {
    let headers: HeaderMap = bytes.split(|byte| *byte == b'\n').filter_map(header).collect();
    let mut is_told = false;
    for now in [UNIX_EPOCH, UNIX_EPOCH + Duration::from_secs(1_800_000_000)] {
        if let Some(told) = RateLimitHeaders::parse(&headers, now) {
            assert!((Duration::from_secs(1)..=HOUR).contains(&told.reset), "{told:?}");
            is_told = true;
        }
        let asks = |status| answers::requested_wait(status, &headers, now);
        let by_name = headers.contains_key("retry-after");
        assert!(asks(200).is_none() || by_name, "only a 429 waits for a reset");
        assert!(by_name || asks(429).is_none_or(|wait| wait <= HOUR));
    }
    is_told
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let at = line.iter().position(|byte| *byte == b':')?;
    Some((HeaderName::from_bytes(&line[..at]).ok()?, HeaderValue::from_bytes(line[at + 1..].trim_ascii()).ok()?))
}
