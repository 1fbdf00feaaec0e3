//! Finds hosts and ids of a tenant in a text, ignoring those that are only part of something longer.
//!
//! A host ends where no host can continue: `my-acme.eu.auth0.com` and `acme.eu.auth0.com.example.net` are other hosts
//! than `acme.eu.auth0.com`, and `mtls.acme.eu.auth0.com` is a subdomain of it. An id is a whole word, or a whole part
//! of a word between `-` and `_`. Escapes count as the decoded character: in `%2Facme.eu.auth0.com` the host follows a
//! slash.

use std::ops::Range;

/// How a host in a text relates to the one searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostMatch {
    /// The same host.
    Same,
    /// A subdomain of it.
    Below,
}

/// Shorter ids are recognised only in reference fields: in a script they could be ordinary words.
pub(super) const SHORTEST_ID: usize = 8;
/// A shorter part of a word may match by accident; Auth0's ids have 16 random characters or more.
const SHORTEST_PART: usize = 16;
/// The maximum number of parts that form an id; a UUID has five.
const MOST_PARTS: usize = 8;

/// Returns the occurrences of a host and of its subdomains in a text, ignoring case.
pub(crate) fn hosts<'text>(text: &'text str, host: &'text str) -> impl Iterator<Item = (Range<usize>, HostMatch)> + 'text {
    places(text, host).filter_map(move |at| {
        let end = at + host.len();
        let mut after = text[end..].chars();
        let goes_on = match after.next() {
            Some('.') => after.next().is_some_and(|sign| sign.is_ascii_alphanumeric()),
            next => next.is_some_and(is_of_label),
        };
        let before = sign_before(&text[..at]);
        let label_above = text[..at].strip_suffix('.').and_then(sign_before).is_some_and(is_of_label);
        match before {
            _ if goes_on => None,
            Some(sign) if is_of_label(sign) => None,
            _ => Some((at..end, if label_above { HostMatch::Below } else { HostMatch::Same })),
        }
    })
}

/// Returns the hosts in a text: in URLs, after an `@`, or as the whole text.
pub(crate) fn named_hosts(text: &str) -> impl Iterator<Item = &str> {
    let in_urls = text.match_indices("://").map(|(at, mark)| at + mark.len());
    let behind_signs = text.match_indices('@').map(|(at, mark)| at + mark.len());
    let named = in_urls.chain(behind_signs).filter_map(|at| host_at(&text[at..]));
    let whole = host_at(text).filter(|host| host.len() == text.len() && !is_reversed(host));
    named.chain(whole)
}

/// Returns the host at the beginning of a text, without `*.`.
fn host_at(text: &str) -> Option<&str> {
    let text = text.strip_prefix("*.").unwrap_or(text);
    let end = text.find(|sign: char| !is_of_label(sign) && sign != '.' && sign != '_').unwrap_or(text.len());
    let host = text[..end].trim_end_matches('.');
    let last = host.rsplit_once('.')?.1;
    let is_domain = last.len() >= 2 && last.chars().all(|sign| sign.is_ascii_alphabetic());
    (is_domain && host.split('.').all(|label| !label.is_empty())).then_some(host)
}

/// Returns whether a name is in reverse domain order, as names of apps and packages are: `com.acme.driver`.
fn is_reversed(name: &str) -> bool {
    name.split('.').next().is_some_and(|first| ["app", "com", "dev", "io", "net", "org"].contains(&first))
}

/// Returns the occurrences of an ASCII text in another one, ignoring case.
fn places<'text>(text: &'text str, wanted: &'text str) -> impl Iterator<Item = usize> + 'text {
    let (bytes, wanted) = (text.as_bytes(), wanted.as_bytes());
    let (small, large) = wanted.first().map_or((0, 0), |first| (first.to_ascii_lowercase(), first.to_ascii_uppercase()));
    let last = (bytes.len() + 1).saturating_sub(wanted.len().max(1));
    let is_first = move |at: &usize| bytes[*at] == small || bytes[*at] == large;
    (0..last).filter(is_first).filter(move |at| bytes[*at..*at + wanted.len()].eq_ignore_ascii_case(wanted))
}

fn is_of_label(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || sign == '-'
}

/// Returns the last character of a text, decoded if it is an escape.
fn sign_before(text: &str) -> Option<char> {
    let last = text.chars().next_back()?;
    if !last.is_ascii_alphanumeric() {
        return Some(last);
    }
    let code = |digits: usize, opens: &str| {
        let (before, hex) = text.split_at_checked(text.len().checked_sub(digits)?)?;
        before.ends_with(opens).then(|| u32::from_str_radix(hex, 16).ok().and_then(char::from_u32)).flatten()
    };
    let line_end = || text.ends_with("\\n") || text.ends_with("\\r") || text.ends_with("\\t");
    let escaped = code(2, "%").or_else(|| code(2, "\\x")).or_else(|| code(4, "\\u"));
    escaped.or_else(|| line_end().then_some('\n')).or(Some(last))
}

/// Returns the known ids in a text with their positions, without overlaps.
pub(crate) fn ids<'text>(text: &'text str, is_known: &dyn Fn(&str) -> bool) -> Vec<(usize, &'text str)> {
    let mut found = Vec::new();
    for (at, word) in words(text) {
        if is_known(word) {
            found.push((at, word));
            continue;
        }
        // The letters of an escape before an id are not part of it.
        let escape = escape_length(&text[..at], word);
        let (at, word) = (at + escape, &word[escape..]);
        if escape > 0 && is_known(word) {
            found.push((at, word));
        } else {
            parts(at, word, is_known, &mut found);
        }
    }
    found
}

/// Returns the words that could be ids, with their positions.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |sign: char| sign.is_ascii_alphanumeric() || sign == '_' || sign == '-';
    text.split(move |sign: char| !is_part(sign))
        .filter(|word| word.len() >= SHORTEST_ID)
        .map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

/// Returns whether a text may contain an unknown id.
///
/// Every id has a digit, or is long and has a capital letter: fewer than one in a million strings of 16 random letters
/// and digits have neither.
pub(crate) fn may_be_id(text: &str, is_known: &dyn Fn(&str) -> bool) -> bool {
    let has = |word: &str, is_such: fn(&u8) -> bool| word.bytes().any(|byte| is_such(&byte));
    let looks_random = |word: &str| has(word, u8::is_ascii_digit) || (word.len() >= SHORTEST_PART && has(word, u8::is_ascii_uppercase));
    words(text).any(|(_, word)| looks_random(word) && !is_known(word))
}

fn escape_length(before: &str, word: &str) -> usize {
    let is_hex = |digits: &str| digits.chars().all(|sign| sign.is_ascii_hexdigit());
    let digits = |from: usize, to: usize| word.get(from..to).is_some_and(is_hex);
    match word.chars().next() {
        _ if before.ends_with('%') && digits(0, 2) => 2,
        Some('x') if before.ends_with('\\') && digits(1, 3) => 3,
        Some('u') if before.ends_with('\\') && digits(1, 5) => 5,
        Some('n' | 'r' | 't') if before.ends_with('\\') => 1,
        _ => 0,
    }
}

/// Finds ids that are part of a longer word.
fn parts<'text>(at: usize, word: &'text str, is_known: &dyn Fn(&str) -> bool, found: &mut Vec<(usize, &'text str)>) {
    if word.len() <= SHORTEST_PART {
        return;
    }
    let cuts: Vec<usize> = word.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'-' | b'_')).map(|(cut, _)| cut).collect();
    let begins = std::iter::once(0).chain(cuts.iter().map(|cut| cut + 1));
    let mut free = 0;
    for begin in begins {
        let ends = cuts.iter().copied().filter(|cut| *cut > begin).chain([word.len()]).take(MOST_PARTS);
        let long = ends.filter(|end| begin >= free && end - begin >= SHORTEST_PART && is_known(&word[begin..*end]));
        if let Some(end) = long.last() {
            found.push((at + begin, &word[begin..end]));
            free = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOMAIN: &str = "acme-dev.eu.auth0.com";
    const ID: &str = "AbCdEfGh12345678";

    fn host(text: &str) -> Option<HostMatch> {
        hosts(text, DOMAIN).next().map(|(at, host)| {
            assert!(text[at].eq_ignore_ascii_case(DOMAIN));
            host
        })
    }

    #[test]
    fn a_host_ends_where_no_host_can_continue() {
        let same = [
            "acme-dev.eu.auth0.com",
            "https://acme-dev.eu.auth0.com/api/v2/",
            "https://acme-dev.eu.auth0.com:443",
            "see ACME-dev.EU.auth0.com.",
            "see acme-dev.eu.auth0.com. Then",
            "ops@acme-dev.eu.auth0.com",
            ".acme-dev.eu.auth0.com",
            "https%3A%2F%2Facme-dev.eu.auth0.com%2Fapi",
            r"a\nacme-dev.eu.auth0.com\n",
            r"\u002facme-dev.eu.auth0.com",
            "issuer_acme-dev.eu.auth0.com_users",
        ];
        for text in same {
            assert_eq!(host(text), Some(HostMatch::Same), "{text}");
        }
        assert_eq!(host("https://mtls.acme-dev.eu.auth0.com"), Some(HostMatch::Below));
        let others = [
            "my-acme-dev.eu.auth0.com",
            "https://myacme-dev.eu.auth0.com",
            "my%2Dacme-dev.eu.auth0.com",
            "acme-dev.eu.auth0.company",
            "acme-dev.eu.auth0.com-mail",
            "acme-dev.eu.auth0.com.evil.example",
            "acme-dev.us.auth0.com",
            "eu.auth0.com",
            "",
        ];
        for text in others {
            assert_eq!(host(text), None, "{text}");
        }
    }

    #[test]
    fn hosts_are_found_in_urls_in_addresses_and_as_whole_texts() {
        for (text, expected) in [
            ("https://shop.dev.acme.example/cb", &["shop.dev.acme.example"][..]),
            ("see https://a.example:443?x, http://u:p@b.example.", &["a.example", "b.example"]),
            ("https://*.acme.example", &["acme.example"]),
            ("Acme <ops@mail.acme.example>", &["mail.acme.example"]),
            ("login.acme.example", &["login.acme.example"]),
            ("see login.acme.example", &[]),
            ("com.acme.driver", &[]),
            ("com.acme.driver://acme.example/callback", &["acme.example"]),
            ("http://localhost:3000 http://127.0.0.1 1.5 @auth0/x event.user", &[]),
        ] {
            assert_eq!(named_hosts(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn every_occurrence_of_a_host_is_found() {
        let text = "acme-dev.eu.auth0.com, my-acme-dev.eu.auth0.com, é acme-dev.eu.auth0.com";
        assert_eq!(hosts(text, DOMAIN).map(|(at, _)| at.start).collect::<Vec<_>>(), [0, text.len() - DOMAIN.len()]);
    }

    #[test]
    fn an_id_is_a_whole_word_or_a_whole_part_of_one() {
        let found = |text| ids(text, &|word| word == ID);
        let holding = [
            ("AbCdEfGh12345678", 0),
            ("client_id:AbCdEfGh12345678;", 10),
            ("client_id%3DAbCdEfGh12345678&x", 12),
            (r"\u003dAbCdEfGh12345678", 6),
            (r"a\nAbCdEfGh12345678", 3),
            ("client_AbCdEfGh12345678", 7),
            ("a-AbCdEfGh12345678-b", 2),
        ];
        for (text, at) in holding {
            assert_eq!(found(text), [(at, ID)], "{text}");
        }
        for text in ["xAbCdEfGh12345678", "AbCdEfGh123456789", "AbCdEfGh1234567", "abcdefgh12345678"] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn an_id_with_hyphens_is_found_inside_a_longer_word() {
        let id = "5e2c9a07-3f41-4c1e-9f0a-2b7d8e6c1a55";
        let text = format!("module-{id}_v1");
        assert_eq!(ids(&text, &|word| word == id), [(7, id)]);
    }
}
