//! Decodes encoded text: URL, HTML and JavaScript escapes, and base64.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

/// The shortest base64 that is decoded: the shortest id has eight characters.
const SHORTEST_BASE64: usize = 11;
/// The shortest run of printable characters that is considered.
const SHORTEST_TEXT: usize = 8;
/// The shortest line of base64 that may continue on the next line (MIME has 76 characters, PEM 64).
const SHORTEST_LINE: usize = 60;

/// HTML entities for characters that occur in or next to hosts and ids.
const ENTITIES: [(&str, char); 16] = [
    ("&amp;", '&'),
    ("&period;", '.'),
    ("&colon;", ':'),
    ("&sol;", '/'),
    ("&quot;", '"'),
    ("&apos;", '\''),
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&equals;", '='),
    ("&quest;", '?'),
    ("&num;", '#'),
    ("&commat;", '@'),
    ("&lowbar;", '_'),
    ("&UnderBar;", '_'),
    ("&dash;", '-'),
    ("&nbsp;", ' '),
];

/// Returns a text with its escapes decoded once; `None` if it has none.
pub(super) fn unescaped(text: &str) -> Option<String> {
    let mut out: Vec<u8> = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(next) = text[at..].find(['%', '&', '\\']) {
        at += next;
        if let Some((meaning, length)) = escape(&text[at..]) {
            out.extend(&text.as_bytes()[copied..at]);
            match meaning {
                EscapedValue::Byte(byte) => out.push(byte),
                EscapedValue::Sign(sign) => out.extend(sign.to_string().as_bytes()),
            }
            at += length;
            copied = at;
        } else {
            at += 1;
        }
    }
    (copied > 0).then(|| {
        out.extend(&text.as_bytes()[copied..]);
        String::from_utf8_lossy(&out).into_owned()
    })
}

/// A decoded escape: a byte in a URL, a character elsewhere.
enum EscapedValue {
    Byte(u8),
    Sign(char),
}

/// Decodes the escape at the beginning of a text; returns its value and length.
fn escape(text: &str) -> Option<(EscapedValue, usize)> {
    let code = |at: Range<usize>, radix: u32| {
        let digits = text.get(at).filter(|digits| digits.chars().all(|digit| digit.is_digit(radix)))?;
        u32::from_str_radix(digits, radix).ok()
    };
    let sign = |code: Option<u32>, length: usize| Some((EscapedValue::Sign(char::from_u32(code?)?), length));
    let mut signs = text.chars();
    match (signs.next()?, signs.next()?) {
        ('%', _) => Some((EscapedValue::Byte(u8::try_from(code(1..3, 16)?).ok()?), 3)),
        ('&', '#') => {
            let (radix, digits) = if text[2..].starts_with(['x', 'X']) { (16, 3) } else { (10, 2) };
            let rest = &text[digits..];
            let end = digits + rest.find(|sign: char| !sign.is_digit(radix)).unwrap_or(rest.len());
            sign(code(digits..end, radix), end + usize::from(text[end..].starts_with(';')))
        }
        ('&', _) => ENTITIES.iter().find(|(name, _)| text.starts_with(name)).map(|(name, sign)| (EscapedValue::Sign(*sign), name.len())),
        ('\\', 'x') => sign(code(2..4, 16), 4),
        ('\\', 'u') if text[2..].starts_with('{') => {
            let end = text.find('}')?;
            sign(code(3..end, 16), end + 1)
        }
        ('\\', 'u') => sign(code(2..6, 16), 6),
        ('\\', 'n' | 'r' | 't') => Some((EscapedValue::Sign(' '), 2)),
        ('\\', '/') => Some((EscapedValue::Sign('/'), 2)),
        _ => None,
    }
}

/// Calls `see` with every printable text that is encoded as base64 inside a text, in the standard or the URL-safe
/// alphabet.
///
/// The base64 may begin anywhere in a longer run of its characters, so all four alignments are tried.
pub(super) fn in_base64(text: &str, see: &mut dyn FnMut(&str)) {
    let mut signs = text.char_indices().peekable();
    while let Some(run) = run(&mut signs) {
        for skipped in 0..4.min(run.len()) {
            each_printable(&decoded(&run[skipped..]), see);
        }
    }
}

/// Returns the values of the next run of base64 that is long enough, skipping line breaks in it.
fn run(signs: &mut Peekable<CharIndices<'_>>) -> Option<Vec<u8>> {
    let mut run = Vec::new();
    let mut line = 0;
    while let Some((_, sign)) = signs.next() {
        if let Some(value) = value(sign) {
            run.push(value);
            line += 1;
            continue;
        }
        let goes_on = sign == '\r' && signs.peek().is_some_and(|(_, next)| *next == '\n');
        let is_broken = sign == '\n' && line >= SHORTEST_LINE && signs.peek().is_some_and(|(_, next)| value(*next).is_some());
        if is_broken {
            line = 0;
        } else if !(goes_on && line >= SHORTEST_LINE) {
            if run.len() >= SHORTEST_BASE64 {
                return Some(run);
            }
            (run, line) = (Vec::new(), 0);
        }
    }
    (run.len() >= SHORTEST_BASE64).then_some(run)
}

fn value(sign: char) -> Option<u8> {
    let byte = u8::try_from(sign).ok()?;
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

fn decoded(values: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(values.len() * 3 / 4 + 1);
    for group in values.chunks(4) {
        let bits = group.iter().fold(0_u32, |bits, value| bits << 6 | u32::from(*value)) << (6 * (4 - group.len()));
        bytes.extend(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
}

fn each_printable(bytes: &[u8], see: &mut dyn FnMut(&str)) {
    let is_printable = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    for printable in bytes.split(|byte| !is_printable(byte)).filter(|part| part.len() >= SHORTEST_TEXT) {
        // ASCII is always valid UTF-8.
        see(std::str::from_utf8(printable).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded() {
        let escaped = [
            ("https%3A%2F%2Facme%2Eexample", "https://acme.example"),
            ("acme&#46;example&#x2E;org &period;&unknown;", "acme.example.org .&unknown;"),
            (r"acme\u002eexample\x2f\u{61}\/", "acme.example/a/"),
            ("caf%C3%A9 100% &#xZ;", "café 100% &#xZ;"),
            ("%2&#", "%2&#"),
        ];
        for (text, meaning) in escaped {
            assert_eq!(unescaped(text).as_deref().unwrap_or(text), meaning, "{text}");
        }
        assert_eq!(unescaped("100 % & more \\"), None);
    }

    fn holds(text: &str, wanted: &str) -> bool {
        let mut found = false;
        in_base64(text, &mut |inside| found |= inside.contains(wanted));
        found
    }

    #[test]
    fn base64_is_decoded_at_every_alignment() {
        // "https://acme.example/cb", with other text around it.
        let whole = "aHR0cHM6Ly9hY21lLmV4YW1wbGUvY2I";
        for text in [
            whole.to_owned(),
            format!("{whole}="),
            format!("Basic {whole}."),
            format!("/state/{whole}/next"),
            format!("x{whole}"),
            format!("xy/{whole}"),
            format!("state={whole}&more"),
        ] {
            assert!(holds(&text, "acme.example"), "{text}");
        }
        assert!(holds("PDw_Pz4-YWNtZS5leGFtcGxl", "acme.example"), "of the alphabet of URLs");
        assert!(!holds("a longer text with a path/to/something and getUserMetadata()", "acme"));
    }

    #[test]
    fn base64_continues_on_the_next_line() {
        let lines = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWNt\r\nZS5leGFtcGxl";
        assert!(holds(lines, "acme.example"));
    }
}
