//! Placeholders in portable texts for everything that differs from tenant to tenant.
//!
//! ```text
//! ⟦clients/Billing API⟧    the id of that resource in the tenant that the text is sent to
//! ⟨tenant⟩                 the tenant's own domain, as in https://⟨tenant⟩/api/v2/
//! ⟨tenant-name⟩            the first label of that domain, where it names the tenant (urn:auth0:⟨tenant-name⟩:..)
//! ```
//!
//! A placeholder looks the same in a reference field and inside a script, so one parser serves both, the order of
//! creation can be derived from any text, and a prefixed id (`client_id:⟦..⟧`) needs no special treatment. Settings do
//! not normally contain these brackets; where one does, it is doubled.
//!
//! Plain text is replaced, also in URLs and code: `%2Facme-dev.eu.auth0.com%2F`, `'client_<id>'`. Property names are
//! not replaced, since a field has the same name in every tenant. Nor are texts in which the domain or an id is itself
//! written in escapes or base64, since there are many ways to write them; the `source-leak` guard refuses those.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::text_search::{HostMatch, SHORTEST_ID, hosts, ids};
use crate::model::resource::Key;

pub(crate) const OPEN: char = '⟦';
const CLOSE: char = '⟧';
const ANGLE: char = '⟨';
pub(super) const DOMAIN: &str = "⟨tenant⟩";
const NAME: &str = "⟨tenant-name⟩";

/// A piece of a portable text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'text> {
    /// Text that means the same in every tenant.
    Plain(&'text str),
    /// The key of a resource, as text.
    Key(&'text str),
    /// The tenant's own domain.
    Domain,
    /// The tenant's name.
    Name,
}

/// Returns the placeholder of a resource.
pub(crate) fn for_key(key: &Key) -> String {
    format!("{OPEN}{key}{CLOSE}")
}

/// Returns the key if a text consists of a single placeholder.
pub(crate) fn only_key(text: &str) -> Option<Key> {
    let inside = text.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
    if inside.contains(OPEN) || inside.contains(CLOSE) { None } else { inside.parse::<Key>().ok() }
}

/// Returns whether a text consists of the tenant's own domain.
pub(crate) fn is_domain(text: &str) -> bool {
    text == DOMAIN
}

/// Splits a portable text into its pieces.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find([OPEN, ANGLE]) {
        if at > 0 {
            pieces.push(Piece::Plain(&rest[..at]));
        }
        rest = &rest[at..];
        let (piece, used) = piece_at(rest);
        pieces.push(piece);
        rest = &rest[used..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Plain(rest));
    }
    pieces
}

/// Returns the piece that begins with a bracket, and its length in bytes.
fn piece_at(text: &str) -> (Piece<'_>, usize) {
    let bracket = if text.starts_with(OPEN) { OPEN } else { ANGLE };
    let width = bracket.len_utf8();
    let doubled = text[width..].starts_with(bracket);
    if doubled {
        return (Piece::Plain(&text[..width]), 2 * width);
    }
    if text.starts_with(DOMAIN) {
        return (Piece::Domain, DOMAIN.len());
    }
    if text.starts_with(NAME) {
        return (Piece::Name, NAME.len());
    }
    match text.find(CLOSE) {
        Some(end) if bracket == OPEN => (Piece::Key(&text[width..end]), end + CLOSE.len_utf8()),
        _ => (Piece::Plain(&text[..width]), width),
    }
}

/// Returns a portable text with spaces in place of placeholders.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains([OPEN, ANGLE]) {
        return Cow::Borrowed(text);
    }
    pieces(text).into_iter().map(|piece| if let Piece::Plain(plain) = piece { plain } else { " " }).collect()
}

/// Returns the keys that a portable text mentions.
pub(crate) fn keys_in(text: &str) -> impl Iterator<Item = Key> + '_ {
    let is_marked = text.contains(OPEN);
    let pieces = if is_marked { pieces(text) } else { Vec::new() };
    pieces.into_iter().filter_map(|piece| match piece {
        Piece::Key(key) => key.parse().ok(),
        _ => None,
    })
}

/// Returns the text of a placeholder that names no resource, since no kind has its name: a mistake in a rule of the mapping.
pub(crate) fn invalid_key_in(text: &str) -> Option<String> {
    pieces(text).into_iter().find_map(|piece| match piece {
        Piece::Key(key) if key.parse::<Key>().is_err() => Some(key.to_owned()),
        _ => None,
    })
}

/// Renames keys inside a portable text; borrows the text if nothing changes.
pub(crate) fn renamed<'text>(text: &'text str, names: &HashMap<Key, Key>) -> Cow<'text, str> {
    if !keys_in(text).any(|key| names.contains_key(&key)) {
        return Cow::Borrowed(text);
    }
    let renamed = |key: &str| key.parse::<Key>().ok().and_then(|key| names.get(&key)).map_or_else(|| marked(key), for_key);
    Cow::Owned(rewritten(text, &escaped, &renamed))
}

/// Rewrites a portable text piece by piece: plain text and keys.
fn rewritten(text: &str, plain: &dyn Fn(&str) -> String, key: &dyn Fn(&str) -> String) -> String {
    let piece = |piece| match piece {
        Piece::Plain(text) => plain(text),
        Piece::Domain => DOMAIN.to_owned(),
        Piece::Name => NAME.to_owned(),
        Piece::Key(text) => key(text),
    };
    pieces(text).into_iter().map(piece).collect()
}

fn marked(key: &str) -> String {
    format!("{OPEN}{key}{CLOSE}")
}

fn escaped(plain: &str) -> String {
    plain.replace(OPEN, "⟦⟦").replace(ANGLE, "⟨⟨")
}

/// Replaces further ids in a portable text by placeholders; `None` if it contains none of them.
pub(crate) fn with_more_marked(text: &str, keys: &HashMap<String, Key>) -> Option<String> {
    let is_known = |word: &str| keys.contains_key(word);
    if pieces(text).iter().all(|piece| !matches!(piece, Piece::Plain(plain) if !ids(plain, &is_known).is_empty())) {
        return None;
    }
    let plain = |plain: &str| {
        let (mut out, mut copied) = (String::new(), 0);
        for (at, id) in ids(plain, &is_known) {
            out += &escaped(&plain[copied..at]);
            out += &for_key(&keys[id]);
            copied = at + id.len();
        }
        out + &escaped(&plain[copied..])
    };
    Some(rewritten(text, &plain, &marked))
}

/// Returns a portable text with some of its keys replaced by ids.
pub(crate) fn with_ids<'ids>(text: &str, id_of: &dyn Fn(&Key) -> Option<&'ids str>) -> String {
    let id = |key: &str| key.parse::<Key>().ok().and_then(|key| id_of(&key)).map_or_else(|| marked(key), str::to_owned);
    rewritten(text, &escaped, &id)
}

/// Applies `change` to the text between placeholders; returns how many pieces changed.
pub(crate) fn change_plain(text: &mut String, change: &mut dyn FnMut(&str) -> Option<String>) -> usize {
    if !text.contains([OPEN, ANGLE]) {
        return change(text).map(|changed| *text = changed).is_some().into();
    }
    let mut count = 0;
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Plain(plain) => {
                let changed = change(plain);
                count += usize::from(changed.is_some());
                out.push_str(&changed.as_deref().unwrap_or(plain).replace(OPEN, "⟦⟦").replace(ANGLE, "⟨⟨"));
            }
            Piece::Domain => out.push_str(DOMAIN),
            Piece::Name => out.push_str(NAME),
            Piece::Key(key) => {
                out.push(OPEN);
                out.push_str(key);
                out.push(CLOSE);
            }
        }
    }
    *text = out;
    count
}

/// Returns a portable text as a name inside a key, with placeholders replaced by names.
pub(crate) fn as_name(text: &str) -> String {
    if let Some(key) = only_key(text) {
        return key.name().to_owned();
    }
    text.to_owned()
}

/// Makes the texts of one tenant portable.
#[derive(Debug)]
pub(crate) struct IdMarker {
    domain: String,
    urn: String,
    keys: HashMap<String, Key>,
}

impl IdMarker {
    /// Creates a marker for a tenant's domain, without any ids.
    pub(crate) fn new(domain: &str) -> Self {
        let name = domain.split('.').next().unwrap_or(domain);
        Self { domain: domain.to_owned(), urn: format!("urn:auth0:{name}:"), keys: HashMap::new() }
    }

    /// Adds an id to look for.
    pub(crate) fn learn(&mut self, id: &str, key: &Key) {
        if id.len() >= SHORTEST_ID {
            self.keys.insert(id.to_owned(), key.clone());
        }
    }

    /// Replaces ids and the domain in a text by placeholders.
    pub(crate) fn mark<'text>(&self, text: &'text str) -> Cow<'text, str> {
        let mut text = Cow::Borrowed(text);
        if text.contains([OPEN, ANGLE]) {
            text = Cow::Owned(text.replace(OPEN, "⟦⟦").replace(ANGLE, "⟨⟨"));
        }
        if let Some(marked) = self.with_domain_marked(&text) {
            text = Cow::Owned(marked);
        }
        if text.contains(&self.urn) {
            text = Cow::Owned(text.replace(&self.urn, "urn:auth0:⟨tenant-name⟩:"));
        }
        match self.with_ids_marked(&text) {
            Some(marked) => Cow::Owned(marked),
            None => text,
        }
    }

    /// A subdomain of the tenant's host is not replaced: whether the target has a similar one is unknown.
    fn with_domain_marked(&self, text: &str) -> Option<String> {
        let own = hosts(text, &self.domain).filter(|(_, host)| *host == HostMatch::Same);
        replaced(text, own.map(|(at, _)| (at, DOMAIN.to_owned())))
    }

    fn with_ids_marked(&self, text: &str) -> Option<String> {
        let found = ids(text, &|word| self.keys.contains_key(word)).into_iter();
        replaced(text, found.map(|(at, id)| (at..at + id.len(), for_key(&self.keys[id]))))
    }
}

/// Replaces ranges of a text; `None` if there are none.
fn replaced(text: &str, places: impl Iterator<Item = (Range<usize>, String)>) -> Option<String> {
    let mut out = String::new();
    let mut copied = 0;
    for (at, instead) in places {
        out.push_str(&text[copied..at.start]);
        out.push_str(&instead);
        copied = at.end;
    }
    (copied > 0).then(|| {
        out.push_str(&text[copied..]);
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::key;

    fn marker() -> IdMarker {
        let mut marker = IdMarker::new("acme-dev.eu.auth0.com");
        marker.learn("AbCdEfGh12345678", &key("clients/Billing API"));
        marker
    }

    #[test]
    fn ids_and_the_domain_are_replaced_inside_longer_texts() {
        let script = "if (context.clientID === 'AbCdEfGh12345678') call('https://acme-dev.eu.auth0.com/api/v2/');";
        assert_eq!(marker().mark(script), "if (context.clientID === '⟦clients/Billing API⟧') call('https://⟨tenant⟩/api/v2/');");
    }

    #[test]
    fn parts_of_longer_words_and_hosts_are_not_replaced() {
        for text in
            ["xAbCdEfGh12345678", "https://my.acme-dev.eu.auth0.com", "https://acme-dev.eu.auth0.company", "not-acme-dev.eu.auth0.com"]
        {
            assert_eq!(marker().mark(text), text);
        }
    }

    #[test]
    fn brackets_in_settings_are_preserved() {
        let text = "a ⟦b⟧ ⟨tenant⟩ AbCdEfGh12345678";
        let marked = marker().mark(text).into_owned();
        let plain: String = pieces(&marked)
            .into_iter()
            .map(|piece| match piece {
                Piece::Plain(plain) => plain,
                Piece::Key(_) => "AbCdEfGh12345678",
                Piece::Domain | Piece::Name => "wrong",
            })
            .collect();
        assert_eq!(plain, text);
    }

    #[test]
    fn renaming_changes_only_placeholders_of_that_key() {
        let names = HashMap::from([(key("clients/A"), key("clients/B"))]);
        assert_eq!(renamed("⟦clients/A⟧ ⟦clients/AA⟧ ⟦⟦x ⟨tenant⟩", &names), "⟦clients/B⟧ ⟦clients/AA⟧ ⟦⟦x ⟨tenant⟩");
    }
}
