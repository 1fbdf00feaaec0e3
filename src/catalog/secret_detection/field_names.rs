//! Classifies field names: a secret, possibly a secret, or an attribute of a secret.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Fields that contain the value of the object around them.
pub(super) const VALUES: &[&str] = &["value", "values", "val", "default_value", "header_value", "current", "previous", "plaintext", "raw"];
/// Fields that contain the name of the object around them: `{"name": "authorization", "value": ".."}`.
pub(super) const NAMES: &[&str] = &["name", "key", "header", "header_name", "header_key", "param"];
/// Fields that may contain such a value, but equally often contain text for people.
pub(super) const CONTENTS: &[&str] = &["content", "contents", "text", "data"];
/// Fields that may contain such a name, but equally often contain a caption on a page.
pub(super) const LABELS: &[&str] = &["label", "id", "title", "field", "field_name"];
/// The private members of a JSON Web Key, which has a `kty`.
pub(super) const PRIVATE_MEMBERS: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "k", "oth"];

/// A set of known words.
type Words = LazyLock<HashSet<&'static str>>;

/// Parts of a word, or of two consecutive words, that indicate a secret.
static SECRET_PARTS: Words = LazyLock::new(|| {
    word_set(
        "secret passw passphrase passcode token credential connectionstring apikey accesskey privatekey masterkey signingkey
    sharedkey encryptionkey accountkey storagekey servicekey serverkey sessionkey subscriptionkey licensekey writekey authkey saskey hmackey
    sshkey",
    )
});
/// Words that indicate a secret anywhere in a name.
static SECRET_WORDS: Words = LazyLock::new(|| word_set("pwd pwds creds psk skey"));
/// Words that indicate a secret at the end of a name.
static SECRET_SUFFIXES: Words = LazyLock::new(|| word_set("authorization bearer cookie cookies dsn mnemonic pass"));
/// Words that may indicate a secret at the end of a name; equally often, the field contains a way to sign in.
static POSSIBLE_SUFFIXES: Words = LazyLock::new(|| word_set("auth jwt hmac seed"));
/// Every word of these lists, and of the objects of secrets, contains one of these.
const STEMS: [&str; 16] = [
    "secret",
    "pass",
    "token",
    "cred",
    "key",
    "auth",
    "connectionstring",
    "pwd",
    "psk",
    "bearer",
    "cookie",
    "dsn",
    "mnemonic",
    "jwt",
    "hmac",
    "seed",
];
/// Words that contain one of the parts but have nothing to do with secrets.
static FALSE_POSITIVES: Words = LazyLock::new(|| word_set("passwordless secretary tokenizer tokenization"));
/// Words before `key` that indicate a public key or a lookup key; the key of an OAuth 1 consumer is its id.
static PUBLIC_KEY_PREFIXES: Words = LazyLock::new(|| {
    word_set("public site header consumer publishable sort primary foreign partition cache routing translation idempotency group")
});
/// Words at the beginning of a name that prompt for something or report a result: the field usually contains a text or a choice.
static PROMPT_PREFIXES: Words = LazyLock::new(|| {
    word_set(
        "allow change choose confirm create disable enable enforce enter expired forgot has hide incorrect invalid is missing new no
    repeat require requires reset show update use weak wrong your",
    )
});
/// Words at the end of a name that indicate an attribute of a secret, and not the secret itself.
static ATTRIBUTE_SUFFIXES: Words = LazyLock::new(|| {
    let words = [
        // Its name, issuer and owner.
        "id ids kid name names issuer iss sub audience provider username user arn cert certificate subject pkcs7 thumbprint fingerprint label labels title description",
        // Where it is obtained or sent.
        "endpoint endpoints url urls uri uris host port domain region location path prefix param claim mapping mappings",
        // How it is generated and used.
        "alg algs algorithm algorithms format formats encoding encoded method methods mode modes type types dialect grant grants use usage ops
         version",
        // Its requirements.
        "policy policies length size strength complexity pattern regex lifetime expiration expiry ttl timeout age days hours minutes seconds
         limit max min count quota at enabled required supported behavior scope scopes status state",
        // Texts about it.
        "text texts message messages placeholder hint help error errors page prompt screen template button heading icon",
    ];
    words.into_iter().flat_map(word_set).collect()
});
/// Names of objects in which every field is a secret.
static SECRET_CONTAINERS: Words =
    LazyLock::new(|| word_set("secret secrets credential credentials creds tokens passwords passphrases passcodes"));

/// What the name of a field implies about its value, least suspicious first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NameClass {
    /// Not a secret.
    #[default]
    Unrelated,
    /// Possibly a secret: not if the value is plain words.
    Possible,
    /// A prompt for a secret, or a report about one: a secret unless the value is a choice or a sentence.
    Prompt,
    /// A secret.
    Secret,
}

impl NameClass {
    /// Returns the class of the `value` in the object of this name, which is a setting and not a text for people: `key: {value: a}`.
    pub(super) fn for_value(self) -> Self {
        if self == Self::Possible { Self::Secret } else { self }
    }
}

/// Returns the class of a name.
pub(super) fn classify(name: &str) -> NameClass {
    if !has_stem(name) {
        return NameClass::Unrelated;
    }
    let words = words(name);
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return NameClass::Unrelated };
    if ATTRIBUTE_SUFFIXES.contains(last.as_str()) {
        return NameClass::Unrelated;
    }
    let is_secret =
        SECRET_SUFFIXES.contains(last.as_str()) || words.iter().any(|word| SECRET_WORDS.contains(word.as_str())) || any_secret_part(&words);
    let may_be = is_secret || POSSIBLE_SUFFIXES.contains(last.as_str()) || any_private_key(&words);
    let asks = words.len() > 1 && PROMPT_PREFIXES.contains(first.as_str());
    match (may_be, is_secret && !asks) {
        (true, true) => NameClass::Secret,
        (true, false) if is_secret => NameClass::Prompt,
        (true, false) => NameClass::Possible,
        (false, _) => NameClass::Unrelated,
    }
}

/// Returns the class of a text that labels a value; a question or a sentence is written for people and implies nothing.
pub(super) fn classify_label(text: &str) -> NameClass {
    let is_sentence = text.ends_with(['?', '.', '!', '…']) || text.split_whitespace().count() > 4;
    if is_sentence { NameClass::Unrelated } else { classify(text) }
}

/// Returns whether an object or list of this name contains only secrets: `credentials`, `api_keys`.
pub(super) fn holds_secrets(name: &str) -> bool {
    if !has_stem(name) {
        return false;
    }
    let words = words(name);
    let Some(last) = words.last() else { return false };
    let are_keys = matches!(last.as_str(), "keys" | "apikeys") && classify(name) == NameClass::Secret;
    are_keys || SECRET_CONTAINERS.contains(last.as_str())
}

/// Returns whether a name is that of an attribute of a secret: `key_id`, `token_lifetime`.
pub(super) fn is_attribute_name(name: &str) -> bool {
    words(name).last().is_some_and(|last| ATTRIBUTE_SUFFIXES.contains(last.as_str()))
}

/// Returns whether the last word of a name indicates a secret: in `token`, but not in `token_lifetime_for_web`.
pub(super) fn ends_with_secret(name: &str) -> bool {
    words(name).last().is_some_and(|last| has_secret_part_in(last))
}

/// Returns whether a field of this name contains lines of headers: `headers`, `extra_headers`.
pub(super) fn is_header_list(name: &str) -> bool {
    let has_header = name.as_bytes().windows("header".len()).any(|part| part.eq_ignore_ascii_case(b"header"));
    has_header && words(name).last().is_some_and(|last| matches!(last.as_str(), "header" | "headers"))
}

/// Returns whether two texts consist of the same words: `API key` and `api_key`.
pub(super) fn are_same_words(one: &str, other: &str) -> bool {
    words(one) == words(other)
}

/// Returns whether a word, or two consecutive words, contain a part that indicates a secret.
fn any_secret_part(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !FALSE_POSITIVES.contains(word)).collect();
    words.iter().any(|word| has_secret_part_in(word)) || words.windows(2).any(|pair| has_secret_part_in(&pair.concat()))
}

fn any_private_key(words: &[String]) -> bool {
    let before = |at: usize| at.checked_sub(1).and_then(|at| words.get(at)).map_or("", String::as_str);
    words.iter().enumerate().any(|(at, word)| matches!(word.as_str(), "key" | "keys") && !PUBLIC_KEY_PREFIXES.contains(before(at)))
}

fn has_secret_part_in(word: &str) -> bool {
    // The shortest part has five letters.
    word.len() >= 5 && SECRET_PARTS.iter().any(|part| word.contains(part)) && !FALSE_POSITIVES.contains(word)
}

/// Returns whether the letters of a name contain a stem. Few names do, and only these need to be split into words: every
/// name in every response is examined.
fn has_stem(name: &str) -> bool {
    /// The most letters of a name that is examined without an allocation.
    const MOST: usize = 64;
    if !name.is_ascii() || name.len() > MOST {
        let letters: String = name.chars().filter(|sign| sign.is_alphabetic()).flat_map(char::to_lowercase).collect();
        return contains_stem(letters.as_bytes());
    }
    let (mut letters, mut length) = ([0; MOST], 0);
    for letter in name.bytes().filter(u8::is_ascii_alphabetic) {
        letters[length] = letter.to_ascii_lowercase();
        length += 1;
    }
    contains_stem(&letters[..length])
}

fn contains_stem(letters: &[u8]) -> bool {
    let begins_here = |at: usize| STEMS.iter().any(|stem| letters[at] == stem.as_bytes()[0] && letters[at..].starts_with(stem.as_bytes()));
    (0..letters.len()).any(begins_here)
}

fn word_set(text: &'static str) -> HashSet<&'static str> {
    text.split_whitespace().collect()
}

/// Returns the words of a name in lower case: the same two for `Api-Key`, `api_key` and `apiKey`.
fn words(name: &str) -> Vec<String> {
    let signs: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, sign) in signs.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| signs[at]);
        let is_inside = |before: char| before.is_lowercase() || signs.get(at + 1).is_some_and(|next| next.is_lowercase());
        let begins = sign.is_uppercase() && before.is_some_and(is_inside);
        if begins || !sign.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| sign.is_alphanumeric()) {
            word.extend(sign.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty() && !word.chars().all(|sign| sign.is_ascii_digit()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_name_is_recognised_in_every_spelling() {
        for name in "password, Password1, dbPassword, client_secret, agentSecret, brand_new_secret, SECRET_KEY, token, refreshTokens,
             token_password, api_key, apiKey, APIKey, API key, api.key, X-Api-Key, x-apikey, private_key, privateKey,
             access_key_value, sasKey, authorization, httpAuthorization, Proxy-Authorization, set-cookie, cookies, credentials,
             passphrase, pass_phrase, passcode, smtp_pass, connectionString, auth_token, pwd_old, db_pwd, signingkey, signing_key,
             sharedkey, SharedAccessKey, Ocp-Apim-Subscription-Key, creds"
            .split(',')
            .map(str::trim)
        {
            assert_eq!(classify(name), NameClass::Secret, "{name}");
        }
    }

    #[test]
    fn prompts_and_plain_key_names_only_may_indicate_a_secret() {
        for name in "key, auth, basic_auth, jwt, tracking_key, keys".split(',').map(str::trim) {
            assert_eq!(classify(name), NameClass::Possible, "{name}");
        }
        for name in "reset_token_secret2, invalidPassword, forgot-password, change_password, new_password".split(',').map(str::trim) {
            assert_eq!(classify(name), NameClass::Prompt, "{name}");
        }
    }

    #[test]
    fn every_word_that_suggests_a_secret_has_a_stem() {
        let lists = [&SECRET_PARTS, &SECRET_WORDS, &SECRET_SUFFIXES, &POSSIBLE_SUFFIXES, &SECRET_CONTAINERS];
        for word in lists.into_iter().flat_map(|list| list.iter()).chain(&["key", "keys", "apikeys"]) {
            assert!(has_stem(word), "{word}");
            let (first, rest) = word.split_at(2);
            assert!(has_stem(&format!("x1{}_2-{}", first.to_uppercase(), rest)), "{word}");
        }
    }

    #[test]
    fn an_attribute_of_a_secret_is_not_a_secret() {
        for name in "token_lifetime, token_endpoint, tokenEndpointUrl, token_endpoint_auth_method, token_endpoint_auth_signing_alg,
             password_policy, token_dialect, passwordPolicy, credential_type, key_id, signing_key_id, secret_id, connection_id,
             public_key, site_key, consumer_key, sort_key, keyboard, monkey, name, authorization_endpoint, author, compass,
             requestTokenURL, header_key, forgotPasswordText, passwordPlaceholder, passwordless_connection, password_strength,
             oauth, tokenizer, "
            .split(',')
            .map(str::trim)
        {
            assert_eq!(classify(name), NameClass::Unrelated, "{name}");
        }
    }

    #[test]
    fn a_plural_secret_name_means_that_an_object_contains_only_secrets() {
        for name in
            "secrets, secret, credentials, serverCredentials, tokens, api_keys, apiKeys, encryption_keys, apikeys".split(',').map(str::trim)
        {
            assert!(holds_secrets(name), "{name}");
        }
        for name in "keys, refresh_token, password, public_keys, auth, token_quota, password_options, secret_names, keywords"
            .split(',')
            .map(str::trim)
        {
            assert!(!holds_secrets(name), "{name}");
        }
    }
}
