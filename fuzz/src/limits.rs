//! Limits on input: bodies that are too deep or too large, names with terminal control characters, ids that change a request's path.

use auth0_migrate::catalog::{Catalog, Kind, Shape};
use auth0_migrate::json::Body;
use auth0_migrate::management_api::answers::{Address, Page};
use auth0_migrate::management_api::safety_limits::{ELEMENTS, NESTING};
use auth0_migrate::model::resource::{Id, Resource};
use auth0_migrate::report;
use serde_json::{Value, json};

/// Each input is tested with one of this many kinds.
const KINDS: usize = 12;
const DOMAIN: &str = "acme-dev.eu.auth0.com";

/// A body is parsed up to the maximum depth and no deeper, and a page up to the maximum number of elements and no
/// further.
///
/// The first byte is the distance of the body from the maximum depth, the second that of the page from the maximum
/// number of elements; each of the others is a level, a list or an object, and the rest is parsed as a page.
pub fn nesting(bytes: &[u8]) -> bool {
    let [depth, count, shape @ ..] = bytes else { return false };
    let depth = NESTING + 8 - usize::from(*depth % 16);
    let is_list = |level: usize| shape.get(level % shape.len().max(1)).is_none_or(|byte| byte % 2 == 0);
    let opened: String = (1..depth).map(|level| if is_list(level) { "[" } else { "{\"a\":" }).collect();
    let closed: String = (1..depth).rev().map(|level| if is_list(level) { "]" } else { "}" }).collect();
    let deep = format!("{{\"roles\":{opened}0{closed},\"total\":1}}");
    let is_read = serde_json::from_str::<Body>(&deep).is_ok();
    assert_eq!(is_read, depth <= NESTING, "{depth} levels");
    let page = Page::<Value>::parse(deep.as_bytes(), "roles");
    assert!(page.is_err() || depth <= NESTING, "a page of {depth} levels");
    // A field that is not used is skipped, however deep it is.
    let passed = Page::<Value>::parse(deep.replace("roles", "other").as_bytes(), "roles");
    assert!(passed.is_ok_and(|page| page.elements.is_none() && page.total == Some(1)), "{depth} levels");
    // Never closed, and closed too often.
    for torn in [&deep[..deep.len() / 2], &format!("{deep}]"), &opened.repeat(64)] {
        assert!(serde_json::from_str::<Body>(torn).is_err() && Page::<Value>::parse(torn.as_bytes(), "roles").is_err());
    }
    // Slow to generate, so not for every input.
    if *count > 250 && shape.is_empty() {
        let elements = ELEMENTS + 253 - usize::from(*count);
        let page = format!("{{\"roles\":[{}0]}}", "0,".repeat(elements - 1));
        let read = Page::<u8>::parse(page.as_bytes(), "roles");
        assert_eq!(read.is_ok(), elements <= ELEMENTS, "{elements} elements");
    }
    if let Ok(page) = Page::<Value>::parse(shape, "roles") {
        assert!(page.next.is_none_or(|next| !next.is_empty()), "a next that is none");
    }
    is_read
}

/// Returns a character that affects a terminal: one that remains besides line breaks, tabs and colours.
fn raw(text: &str) -> Option<char> {
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        let behind = &rest[at + 1..];
        let digits = behind.strip_prefix('[').map_or("", |behind| behind.split('m').next().unwrap_or_default());
        let is_colour = behind.starts_with('[') && digits.chars().all(|sign| sign.is_ascii_digit() || sign == ';');
        let length = digits.len() + 2;
        if !is_colour || behind.as_bytes().get(length - 1) != Some(&b'm') {
            return Some('\u{1b}');
        }
        if let Some(sign) = drawing(&rest[..at]) {
            return Some(sign);
        }
        rest = &behind[length..];
    }
    drawing(rest)
}

fn drawing(text: &str) -> Option<char> {
    let does_something = |sign: &char| {
        matches!(sign, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
            || (sign.is_control() && !['\n', '\t'].contains(sign))
    };
    text.chars().find(does_something)
}

/// No printed text affects a terminal, and printed JSON keeps its meaning.
pub fn printing(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let name = report::printable(&text);
    assert!(!name.contains(['\n', '\u{1b}']) && raw(&name).is_none(), "{name:?}");
    assert_eq!(report::printable(&name), name, "it is not printed twice alike");
    let printed = report::printed(&text);
    assert_eq!(raw(&printed), None, "{printed:?}");
    let value = json!({text.as_ref(): [text]});
    let json = report::json_text(&value);
    assert!(!json.contains('\u{1b}') && raw(&json).is_none(), "{json:?}");
    assert_eq!(serde_json::from_str::<Value>(&json).expect("JSON"), value);
    name == text
}

/// No id and no `next` leads a request out of the path of its kind: it is refused, or stays one segment of the path.
///
/// The first line is an id, the rest is the `next` of a page.
pub fn paths(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (id, next) = text.split_once('\n').unwrap_or((&text, ""));
    let address = Address::new(DOMAIN, None).expect("an address");
    let mut is_every_one_taken = true;
    // A few kinds suffice for one input.
    let first = bytes.iter().fold(0_usize, |sum, byte| sum * 31 % 997 + usize::from(*byte)) % KINDS;
    for kind in Catalog::standard().kinds().skip(first).step_by(KINDS) {
        let segments = format!("/api/v2/{}", kind.path_of("a/b").trim_start_matches('/')).split('/').count();
        match address.api(&kind.path_of(id)) {
            Ok(url) => {
                let count = url.path().split('/').count();
                assert_eq!(url.host_str(), Some(DOMAIN), "{url}");
                assert!(url.path().starts_with("/api/v2/") && count == segments, "{url} for {id:?} of {}", kind.name);
                assert!(url.query().is_none() && url.fragment().is_none(), "{url} for {id:?}");
            }
            Err(_) => is_every_one_taken = false,
        }
        if !Id::new(id).is_addressable() {
            assert!(read(kind, id).is_none(), "{id:?} is an id of {}", kind.name);
        }
    }
    let query = percent_encoded(next);
    let url = address.api(&format!("organizations?from={query}&take=100")).expect("a query leads nowhere");
    assert_eq!(url.query_pairs().count(), 2, "{url}");
    assert_eq!(url.path(), "/api/v2/organizations");
    is_every_one_taken
}

/// Parses a listed resource with this id.
fn read(kind: &'static Kind, id: &str) -> Option<Resource> {
    let is_listed = matches!(kind.shape, Shape::Collection);
    let answer = Body::from_iter([(kind.identity.id.to_owned(), json!(id)), ("name".to_owned(), json!("a"))]);
    is_listed.then(|| Resource::read(kind, answer).ok()).flatten()
}

/// Encodes a `next` as the request for its page does.
fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
