//! The string formats that can be checked without Auth0's own code; others are not checked.

/// Returns whether a text has a format.
type Check = fn(&str) -> bool;

/// Each format with its check. Those of JSON Schema itself (`email`, `date-time`, `ipv4`, ..) are built into the validator.
pub(super) const FORMATS: &[(&str, Check)] = &[
    ("absolute-https-uri-or-empty", |text| text.is_empty() || is_https(text)),
    ("absolute-https-uri-with-placeholders-or-empty", |text| text.is_empty() || is_https(text)),
    ("absolute-uri-or-empty", |text| text.is_empty() || has_scheme(text)),
    ("cidr", is_cidr),
    ("email-or-empty", |text| text.is_empty() || text.contains('@')),
    ("forms-url-https", is_https),
    ("hexadecimal", |text| text.chars().all(|sign| sign.is_ascii_hexdigit())),
    ("ipv6_cidr", is_cidr),
    ("non-empty-string", |text| !text.is_empty()),
    ("strict-https-uri", is_https),
    ("strict-https-uri-or-null", is_https),
    ("strict-uri", has_scheme),
    ("uri", has_scheme),
    ("url", has_scheme),
    ("url-or-null", has_scheme),
];

fn is_https(text: &str) -> bool {
    text.starts_with("https://")
}

/// Returns whether a text begins like an absolute URL; one with a placeholder may become anything.
fn has_scheme(text: &str) -> bool {
    let is_scheme = |scheme: &str| !scheme.is_empty() && scheme.chars().all(|sign| sign.is_ascii_alphanumeric() || "+-.".contains(sign));
    text.starts_with('{') || text.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme))
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    address.parse::<std::net::IpAddr>().is_ok() && bits.parse::<u8>().is_ok_and(|bits| bits <= 128)
}
