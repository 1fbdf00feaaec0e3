//! Recognises secrets by patterns in a text, whatever the field is named.

use serde_json::Value;

use super::field_names::{NAMES, NameClass, PRIVATE_MEMBERS, VALUES, classify};
use super::field_values::{is_secret, is_template, is_words};

/// Prefixes of the secrets of well-known services, each with the fewest characters that follow.
const ISSUED_PREFIXES: &[(&str, usize)] = &[
    ("ghp_", 30),
    ("gho_", 30),
    ("ghu_", 30),
    ("ghs_", 30),
    ("ghr_", 30),
    ("github_pat_", 22),
    ("glpat-", 20),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("sk_test_", 16),
    ("rk_test_", 16),
    ("whsec_", 16),
    ("sk-proj-", 20),
    ("sk-svcacct-", 20),
    ("sk-ant-", 20),
    ("sk-", 40),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 35),
    ("ya29.", 20),
    ("SG.", 40),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxe-", 10),
    ("xoxo-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("xapp-", 10),
    ("npm_", 36),
    ("shpat_", 32),
    ("dop_v1_", 40),
    ("hf_", 30),
];
/// Webhook URLs whose path is the credential.
const WEBHOOK_URLS: &[&str] = &[
    "hooks.slack.com/services/",
    "hooks.slack.com/workflows/",
    "discord.com/api/webhooks/",
    "discordapp.com/api/webhooks/",
    "webhook.office.com/webhookb2/",
];
/// The beginning of a private key in Base64: `-----BEGIN PRIVATE`, and with `RSA`, `EC`, `ENCRYPTED`, `OPENSSH` and `PGP` in between.
const ENCODED_KEYS: &[&str] = &["TiBQUklWQVRF", "TiBSU0EgUFJJVkFU", "TiBFQyBQUklW", "TiBFTkNSWVBU", "TiBPUEVOU1NI", "TiBQR1AgUFJJ"];
/// The minimum number of characters of a token and of an issued secret.
const SHORTEST_TOKEN: usize = 15;
/// URL parameters that contain a signature.
const SIGNATURE_PARAMETERS: &[&str] = &["sig", "signature", "x-amz-signature", "x-goog-signature"];

/// Returns whether a text contains a secret, whatever the field is named.
pub(super) fn matches_secret_pattern(text: &str) -> bool {
    if is_short_word(text) {
        return false;
    }
    let signs = AsciiSigns::of(text);
    is_private_key(text, signs)
        || is_authorization(text.trim())
        || (signs.has("://@") && has_url_password(text))
        || (signs.has("=") && (has_secret_url_parameter(text) || is_connection_string(text) || is_form(text)))
        || is_json(text)
        || (signs.has(":") && text.lines().any(is_likely_secret_header))
        || (signs.has(".com/") && WEBHOOK_URLS.iter().any(|hook| is_webhook_url(hook, text)))
        || words(text).any(|word| is_token(word) || is_issued(word))
}

/// Which ASCII characters occur in a text. Every text of every response is searched, and most lack what a pattern needs.
#[derive(Clone, Copy)]
struct AsciiSigns(u128);

impl AsciiSigns {
    fn of(text: &str) -> Self {
        Self(text.bytes().filter(u8::is_ascii).fold(0, |signs, sign| signs | 1 << sign))
    }

    /// Returns whether each of these characters occurs.
    fn has(self, signs: &str) -> bool {
        let Self(needed) = Self::of(signs);
        self.0 & needed == needed
    }
}

/// Returns whether a text is too short for an issued secret and has none of the signs that every other pattern contains.
fn is_short_word(text: &str) -> bool {
    text.len() < SHORTEST_TOKEN && !text.contains([' ', ':', '=', '"', '{', '['])
}

/// Returns whether a header line contains a secret: `X-Api-Key: a`.
pub(super) fn is_secret_header(line: &str) -> bool {
    header(line).is_some_and(|(class, value)| is_secret(class, value))
}

/// Returns whether a line of any text is likely a header with a secret: its value is a single word, and not a plain one.
fn is_likely_secret_header(line: &str) -> bool {
    let Some((class, value)) = header(line) else { return false };
    // A line with these characters is code.
    let is_one_word = value.len() >= 8 && !value.contains([' ', '"', '\'', '(', ')', '<', '{', ',']);
    is_authorization(value) || (class == NameClass::Secret && is_one_word && is_secret(NameClass::Possible, value))
}

fn header(line: &str) -> Option<(NameClass, &str)> {
    let (name, value) = line.split_once(':')?;
    let is_name = !name.is_empty() && name.trim_start().chars().all(|sign| sign.is_ascii_alphanumeric() || "-_".contains(sign));
    is_name.then(|| (classify(name.trim_start()), value.trim()))
}

/// `-----BEGIN RSA PRIVATE KEY-----`, `-----BEGIN PGP PRIVATE KEY BLOCK-----`, `---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----`.
fn is_private_key(text: &str, signs: AsciiSigns) -> bool {
    let label = |block: &str| block.split("--").next().is_some_and(|label| label.contains("PRIVATE KEY"));
    let encoded = |block: &str| ENCODED_KEYS.iter().any(|key| block.starts_with(key));
    (signs.has("-BEGIN ") && text.split("-BEGIN ").skip(1).chain(text.split("- BEGIN ").skip(1)).any(label))
        || (signs.has("LS0t1CRUdJ") && text.split("LS0tLS1CRUdJ").skip(1).any(encoded))
        || text.starts_with("PuTTY-User-Key-File-")
}

/// Returns whether a text is `Bearer` or `Basic` and one long word with a digit, a sign or a capital inside; after `Basic`, in Base64.
fn is_authorization(text: &str) -> bool {
    let Some((scheme, word)) = text.split_once(' ').filter(|(_, word)| word.len() >= 8) else { return false };
    let is_of = |signs: &str| word.chars().all(|sign| sign.is_ascii_alphanumeric() || signs.contains(sign));
    let is_of_no_language = word.chars().skip(1).any(|sign| !sign.is_ascii_lowercase());
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => is_of_no_language && is_of("-._~+/=:"),
        "basic" => is_of_no_language && is_of("+/=") && word.len().is_multiple_of(4),
        _ => false,
    }
}

/// Returns the words of a text that are long enough for a token.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|sign: char| !(sign.is_ascii_alphanumeric() || "_-.".contains(sign)));
    words.map(|word| word.trim_end_matches('.')).filter(|word| word.len() >= SHORTEST_TOKEN)
}

/// Returns whether a word is a JSON Web Token: three parts if signed, five if encrypted, the first of them `{"` in Base64.
fn is_token(word: &str) -> bool {
    if !word.starts_with("eyJ") {
        return false;
    }
    let parts: Vec<&str> = word.split('.').collect();
    // With direct encryption there is no encrypted key, so the second part is empty.
    let is_part = |(at, part): (usize, &&str)| part.len() > 3 || (parts.len() == 5 && at == 1 && part.is_empty());
    matches!(parts.len(), 3 | 5) && parts.iter().enumerate().all(is_part)
}

fn is_issued(word: &str) -> bool {
    let rest_of = |(prefix, least): &(&str, usize)| word.strip_prefix(prefix).filter(|rest| rest.len() >= *least);
    ISSUED_PREFIXES
        .iter()
        .filter_map(rest_of)
        .any(|rest| rest.chars().any(|sign| sign.is_ascii_digit()) && rest.chars().any(char::is_alphabetic))
}

fn is_webhook_url(hook: &str, text: &str) -> bool {
    let mut rests = text.split(hook).skip(1).map(|rest| rest.split(is_url_end).next().unwrap_or_default());
    rests.any(|rest| rest.len() >= 20 && rest.contains('/') && !rest.contains("{{") && rest.chars().any(|sign| sign.is_ascii_digit()))
}

/// Returns whether a URL in a text contains a password.
fn has_url_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(|sign| is_url_end(sign) || "/?#".contains(sign)).next().unwrap_or_default();
        let user = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
        user.is_some_and(|(_, password)| !password.is_empty() && !is_template(password))
    })
}

/// Returns whether a URL in a text has a secret in its query or fragment: `?api_key=..`, `&sig=..`.
fn has_secret_url_parameter(text: &str) -> bool {
    let is_secret_pair = |pair: &str| {
        let pair = pair.strip_prefix("amp;").unwrap_or(pair);
        pair.split_once('=').is_some_and(|(name, value)| is_secret_parameter(name) && !value.contains("{{") && !is_words(value))
    };
    let parts = text.split("://").skip(1).filter_map(|rest| rest.split(is_url_end).next()?.split_once(['?', '#']));
    parts.flat_map(|(_, pairs)| pairs.split(['&', '#'])).any(is_secret_pair)
}

fn is_secret_parameter(name: &str) -> bool {
    SIGNATURE_PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) || classify(name) != NameClass::Unrelated
}

/// Returns whether a text is a connection string with a secret: `AccountName=a;AccountKey=b`, `host=a password=b`.
fn is_connection_string(text: &str) -> bool {
    let is_of = |separator: char| {
        let pairs: Option<Vec<_>> = text.split(separator).map(str::trim).filter(|part| !part.is_empty()).map(pair).collect();
        pairs.is_some_and(|pairs| {
            pairs.len() > 1 && pairs.iter().any(|(name, value)| classify(name) == NameClass::Secret && is_secret(NameClass::Secret, value))
        })
    };
    text.contains('=') && !text.contains(['\n', '<', '{']) && (is_of(';') || is_of(' '))
}

/// Returns whether a text is a form body with a secret: `grant_type=password&password=x1y2z3a4`.
fn is_form(text: &str) -> bool {
    let mut parts = text.trim().split('&').map(form_pair);
    let begins_so = parts.next().flatten();
    let pairs: Vec<(&str, &str)> = begins_so.into_iter().chain(parts.by_ref().flatten()).collect();
    let is_form = begins_so.is_some() && pairs.len() > 1 && !text.contains(['<', '\n']);
    is_form && pairs.iter().any(|(name, value)| is_secret_pair(name, value))
}

/// Splits a parameter of a form into name and value: `client_secret=a`, `data[password]=a`.
fn form_pair(part: &str) -> Option<(&str, &str)> {
    let (name, value) = part.split_once('=')?;
    let is_name = name.starts_with(char::is_alphabetic) && name.chars().all(|sign| sign.is_alphanumeric() || "_-.[]%".contains(sign));
    let name = name.trim_end_matches(']').rsplit('[').next().unwrap_or(name);
    (is_name && !value.contains(['(', '"', '\''])).then_some((name, value))
}

/// Returns whether a text is JSON, or becomes JSON when its templates are filled in, and contains a secret.
fn is_json(text: &str) -> bool {
    let text = text.trim();
    if !(text.starts_with('{') && text.ends_with('}') || text.starts_with('[') && text.ends_with(']')) {
        return false;
    }
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        return contains_secret("", &value);
    }
    let parts: Vec<&str> = text.split('"').collect();
    let is_between = |text: &str| text.trim().trim_end_matches('[').trim_end() == ":";
    parts.windows(3).any(|part| is_between(part[1]) && is_secret_pair(part[0], part[2]))
}

fn contains_secret(name: &str, value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            let named = NAMES.iter().filter_map(|field| fields.get(*field)?.as_str());
            let mut of_pair = named.flat_map(|name| VALUES.iter().filter_map(move |field| Some((name, fields.get(*field)?))));
            let is_private_key = fields.contains_key("kty") && PRIVATE_MEMBERS.iter().any(|member| fields.contains_key(*member));
            let is_any = fields.iter().any(|(own, value)| contains_secret(if VALUES.contains(&own.as_str()) { name } else { own }, value));
            is_private_key || is_any || of_pair.any(|(name, value)| contains_secret(name, value))
        }
        Value::Array(list) => list.iter().any(|value| contains_secret(name, value)),
        Value::String(text) => is_secret_pair(name, text) || matches_secret_pattern(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Returns whether a name inside a text is that of a secret, and the value is not a label for people: `{"password": "Your password"}`.
fn is_secret_pair(name: &str, value: &str) -> bool {
    let is_label = value.starts_with(char::is_uppercase) || value.trim().contains(char::is_whitespace);
    is_secret(classify(name).min(NameClass::Prompt), value) && !(is_label && is_words(value))
}

/// Splits `name=value`, unless it is code.
fn pair(part: &str) -> Option<(&str, &str)> {
    let (name, value) = part.split_once('=')?;
    let is_name = name.starts_with(char::is_alphabetic) && name.chars().all(|sign| sign.is_alphanumeric() || " _-.".contains(sign));
    (is_name && !value.contains(['(', '"', '\''])).then_some((name, value))
}

fn is_url_end(sign: char) -> bool {
    sign.is_whitespace() || "\"'<>`\\".contains(sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: &[&str] = &[
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
        "x -----BEGIN RSA PRIVATE KEY-----",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t",
        "Bearer a1b2c3d4",
        "bearer canary-header",
        "Basic dXNlcjpwYXNz",
        "Authorization: Bearer a1b2c3d4",
        "Accept: json\nX-Api-Key: 8f14e45fceea167a",
        "postgres://app:s3cret@db.example/app",
        "redis://:s3cret@db.example",
        "see https://a:b@c.example",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl;",
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..aXZpdml2aXY.Y2lwaGVy.dGFndGFn",
        "eyJhbGciOiJSU0EtT0FFUCJ9.a2V5a2V5.aXZpdml2aXY.Y2lwaGVy.dGFndGFn",
        "https://a.example/x?api_key=8f14e45fceea",
        "https://a.blob.example/x?sv=2020-08-04&sig=a%2Bb12345%3D",
        "<a href=\"https://a.example/?x=1&amp;access_token=8f14e45fceea\">",
        "https://a.example/#access_token=8f14e45fceea",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=b64==",
        "Server=db;User Id=app;Password=s3cret;",
        "host=db user=app password=s3cret",
        "Endpoint=sb://a.example/;SharedAccessKeyName=all;SharedAccessKey=b64=",
        "grant_type=client_credentials&client_id=a&client_secret=x1y2z3a4",
        "{\"user\": \"app\", \"password\": \"x1y2z3a4\"}",
        " [{\"auth\": {\"api_key\": [\"8f14e45fceea167a\"]}}]\n",
        "{\"headers\": {\"x\": \"Bearer a1b2c3d4\"}}",
        "grant_type=client_credentials&audience=https://api.acme.example/&client_secret=x1y2z3a4",
        "client_secret=x1y2z3a4&scope=read write&",
        "flow=1&x&data[password]=x1y2z3a4&user={{ fields.user }}",
        "{\"name\": \"api_key\", \"value\": \"8f14e45fceea167a\"}",
        "{\"apiKey\": {\"value\": \"8f14e45fceea167a\"}}",
        "{\"kty\": \"oct\", \"k\": \"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ\"}",
        "{\"db\": \"Server=db;User Id=app;Password=s3cret;\"}",
        "{\"u\": {{x}}, \"api_key\": [\"8f14e45fceea167a\"]}",
        "{\"user\": {{fields.user}}, \"client_secret\" : \"x1y2z3a4\"}",
    ];

    #[test]
    fn a_secret_is_recognised_by_its_pattern_whatever_its_name() {
        for text in SECRETS {
            assert!(matches_secret_pattern(text), "{text}");
        }
    }

    const NOT_SECRETS: &[&str] = &[
        "Basic information",
        "Basic WebApp",
        "Basic OAuth2-Tier",
        "Bearer authentication",
        "Basic plan for 2 users",
        "Password: required",
        "  accessToken: config(x1y2z3a4b5),",
        "class=\"sk-fading-circle12-of-many\"",
        "**",
        "Password: at least 8 signs",
        "password: {{fields.password}}",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----",
        "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
        "https://a.example:8080/@b",
        "https://{{user}}:{{password}}@a.example",
        "https://user@a.example/x:y",
        "https://a.example/reset?token={{token}}&auth=saml2",
        "https://a.example/?response_type=code%20id_token&token_type=8f14e45fceea",
        "https://hooks.slack.com/services/{{vars.hook_1_of_slack}}",
        "eyJ.a.b",
        "Bearer {{vars.token}}",
        "sk-learn-something-long-and-plain",
        "sk_live_{{vars.key}}",
        "pk_live_51H8f14e45fceea167a5a36dedd4bea",
        "a=1;b=2",
        "scope=openid token_type=x1y2z3a4b5",
        "var password = \"x1y2z3a4\"; send(password);",
        "password=x1y2z3a4",
        "grant_type=client_credentials&client_secret={{vars.secret}}",
        "response_type=token&prompt=none",
        "{\"password\": \"Enter your new password\", \"token_endpoint_auth_method\": \"client_secret_post\"}",
        "{\"password\": \"{{fields.password}}\", \"user\": {{fields.user}}}",
        "{\"email\": \"Email\", \"password\": \"Password\", \"code\": {\"token\": \"Your code\"}}",
        "{\"name\": \"password\", \"value\": \"{{fields.password}}\"}",
        "https://a.example/x?a=b&state=x1y2z3a4",
        "Terms & conditions = a & password=x1y2z3a4",
        ".password { content: \"x1y2z3a4\" }",
        "{{vars.api_key}}",
        "a.b.c.example.com",
    ];

    #[test]
    fn a_text_that_only_resembles_a_secret_is_not_one() {
        for text in NOT_SECRETS {
            assert!(!matches_secret_pattern(text), "{text}");
        }
    }

    #[test]
    fn issued_secrets_are_recognised_by_their_prefixes() {
        for (prefix, least) in ISSUED_PREFIXES {
            let issued = format!("{prefix}{}", "a1B2c3D4".repeat(8));
            for text in [issued.clone(), format!("use {issued}."), format!("{{{{x}}}}{issued}"), format!("KEY={issued};")] {
                assert!(matches_secret_pattern(&text), "{text}");
            }
            let short = &issued[..prefix.len() + least.saturating_sub(1)];
            assert!(!is_issued(short) && !is_issued(&format!("x{issued}")), "{short}");
        }
        for hook in WEBHOOK_URLS {
            assert!(matches_secret_pattern(&format!("https://{hook}T0/B0/a1b2c3d4e5f6a7b8")), "{hook}");
        }
    }
}
