//! What the name of a field says of the value: that it is a secret, that it may be one, or that it is about one.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Words that the rule knows, as a text with blanks between them.
type Words = LazyLock<HashSet<&'static str>>;

/// Parts of a word, or of two words that follow each other, that say that it is about a secret.
static SECRET: Words = LazyLock::new(|| {
    words_of(
        "secret passw passphrase passcode token credential connectionstring apikey accesskey privatekey masterkey signingkey
    sharedkey encryptionkey accountkey storagekey servicekey serverkey sessionkey subscriptionkey licensekey writekey authkey saskey hmackey
    sshkey",
    )
});
/// Whole words that say so wherever they stand.
static SECRET_WORDS: Words = LazyLock::new(|| words_of("pwd pwds creds psk skey"));
/// Words that say so where a name ends with them.
static SECRET_AT_THE_END: Words = LazyLock::new(|| words_of("authorization bearer cookie cookies dsn mnemonic pass"));
/// Words that may say so where a name ends with them: as often as not a way to sign in stands there.
static PERHAPS_AT_THE_END: Words = LazyLock::new(|| words_of("auth jwt hmac seed"));
/// Words that hold one of the parts and are about something else.
static INNOCENT: Words = LazyLock::new(|| words_of("passwordless secretary tokenizer tokenization"));
/// Words before `key` that say that everybody may know it, or that it finds something; an OAuth 1 consumer's key is its id.
static PUBLIC_KEY: Words = LazyLock::new(|| {
    words_of("public site header consumer publishable sort primary foreign partition cache routing translation idempotency group")
});
/// Words at the beginning of a name that ask for something, or say what became of it: such a name mostly stands for a text or a choice.
static ASKING: Words = LazyLock::new(|| {
    words_of(
        "allow change choose confirm create disable enable enforce enter expired forgot has hide incorrect invalid is missing new no
    repeat require requires reset show update use weak wrong your",
    )
});
/// Words at the end of a name that say that it is about a secret and holds none.
static ABOUT: Words = LazyLock::new(|| {
    let words = [
        // What it is called, by whom it was given, and to whom it belongs.
        "id ids kid name names issuer iss sub audience provider username user arn cert certificate subject pkcs7 thumbprint fingerprint label labels title description",
        // Where it is had or sent.
        "endpoint endpoints url urls uri uris host port domain region location path prefix param claim mapping mappings",
        // How it is made and proves anything.
        "alg algs algorithm algorithms format formats encoding encoded method methods mode modes type types dialect grant grants use usage ops
         version",
        // What it has to be like.
        "policy policies length size strength complexity pattern regex lifetime expiration expiry ttl timeout age days hours minutes seconds
         limit max min count quota at enabled required supported behavior scope scopes status state",
        // What people read of it.
        "text texts message messages placeholder hint help error errors page prompt screen template button heading icon",
    ];
    words.into_iter().flat_map(words_of).collect()
});
/// Names of which each field, whatever it is called, is a secret.
static HOLDING: Words = LazyLock::new(|| words_of("secret secrets credential credentials creds tokens passwords passphrases passcodes"));

/// What a name says of what it names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Says {
    /// Nothing of a secret.
    #[default]
    Nothing,
    /// It may be one, and is none where a person reads the value as words.
    Perhaps,
    /// It asks for one, or says what became of it: it is one, unless a person reads the value as a choice or a sentence.
    Asks,
    /// It is one.
    Secret,
}

impl Says {
    /// Returns what a name says of the `value` in the object that it names: that is a setting, and no text for people. `key: {value: a}`.
    pub(super) fn around_a_value(self) -> Self {
        if self == Self::Perhaps { Self::Secret } else { self }
    }
}

/// Returns what a name says of what it names.
pub(super) fn says(name: &str) -> Says {
    let words = words(name);
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return Says::Nothing };
    if ABOUT.contains(last.as_str()) {
        return Says::Nothing;
    }
    let is_secret =
        SECRET_AT_THE_END.contains(last.as_str()) || words.iter().any(|word| SECRET_WORDS.contains(word.as_str())) || has_part(&words);
    let may_be = is_secret || PERHAPS_AT_THE_END.contains(last.as_str()) || has_key(&words);
    let asks = words.len() > 1 && ASKING.contains(first.as_str());
    match (may_be, is_secret && !asks) {
        (true, true) => Says::Secret,
        (true, false) if is_secret => Says::Asks,
        (true, false) => Says::Perhaps,
        (false, _) => Says::Nothing,
    }
}

/// Returns what a text says that stands beside a value as its name; a question and a sentence are read by people, and say nothing.
pub(super) fn says_of_label(text: &str) -> Says {
    let is_sentence = text.ends_with(['?', '.', '!', '…']) || text.split_whitespace().count() > 4;
    if is_sentence { Says::Nothing } else { says(text) }
}

/// Returns whether what it names, an object or a list of such, has nothing but secrets in it: `credentials`, `api_keys`.
pub(super) fn holds_secrets(name: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last() else { return false };
    let are_keys = matches!(last.as_str(), "keys" | "apikeys") && says(name) == Says::Secret;
    are_keys || HOLDING.contains(last.as_str())
}

/// Returns whether a name, in an object of nothing but secrets, says that what it names is none.
pub(super) fn is_about(name: &str) -> bool {
    words(name).last().is_some_and(|last| ABOUT.contains(last.as_str()))
}

/// Returns whether a name ends with what it is: `token`, but not `token_lifetime_for_web`.
pub(super) fn ends_with_secret(name: &str) -> bool {
    words(name).last().is_some_and(|last| is_about_secret(last))
}

/// Returns whether it names lines of headers: `headers`, `extra_headers`.
pub(super) fn names_headers(name: &str) -> bool {
    words(name).last().is_some_and(|last| matches!(last.as_str(), "header" | "headers"))
}

/// Returns whether two texts are the same words: `API key` and `api_key`.
pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    words(one) == words(other)
}

/// Returns whether a word, or two that follow each other, have a part that says secret.
fn has_part(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !INNOCENT.contains(word)).collect();
    words.iter().any(|word| is_about_secret(word)) || words.windows(2).any(|pair| is_about_secret(&pair.concat()))
}

fn has_key(words: &[String]) -> bool {
    let before = |at: usize| at.checked_sub(1).and_then(|at| words.get(at)).map_or("", String::as_str);
    words.iter().enumerate().any(|(at, word)| matches!(word.as_str(), "key" | "keys") && !PUBLIC_KEY.contains(before(at)))
}

fn is_about_secret(word: &str) -> bool {
    // No part has fewer letters.
    word.len() >= 5 && SECRET.iter().any(|part| word.contains(part)) && !INNOCENT.contains(word)
}

fn words_of(text: &'static str) -> HashSet<&'static str> {
    text.split_whitespace().collect()
}

/// Returns the words of a name in small letters: of `X-Api-Key`, `api_key` and `apiKey` the same two.
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
    fn a_name_says_secret_however_it_is_written() {
        for name in "password, Password1, dbPassword, client_secret, agentSecret, brand_new_secret, SECRET_KEY, token, refreshTokens,
             token_password, api_key, apiKey, APIKey, API key, api.key, X-Api-Key, x-apikey, private_key, privateKey,
             access_key_value, sasKey, authorization, httpAuthorization, Proxy-Authorization, set-cookie, cookies, credentials,
             passphrase, pass_phrase, passcode, smtp_pass, connectionString, auth_token, pwd_old, db_pwd, signingkey, signing_key,
             sharedkey, SharedAccessKey, Ocp-Apim-Subscription-Key, creds"
            .split(',')
            .map(str::trim)
        {
            assert_eq!(says(name), Says::Secret, "{name}");
        }
    }

    #[test]
    fn a_name_that_asks_or_names_a_key_only_may_say_secret() {
        for name in "key, auth, basic_auth, jwt, tracking_key, keys".split(',').map(str::trim) {
            assert_eq!(says(name), Says::Perhaps, "{name}");
        }
        for name in "reset_token_secret2, invalidPassword, forgot-password, change_password, new_password".split(',').map(str::trim) {
            assert_eq!(says(name), Says::Asks, "{name}");
        }
    }

    #[test]
    fn a_name_about_a_secret_says_nothing_of_one() {
        for name in "token_lifetime, token_endpoint, tokenEndpointUrl, token_endpoint_auth_method, token_endpoint_auth_signing_alg,
             password_policy, token_dialect, passwordPolicy, credential_type, key_id, signing_key_id, secret_id, connection_id,
             public_key, site_key, consumer_key, sort_key, keyboard, monkey, name, authorization_endpoint, author, compass,
             requestTokenURL, header_key, forgotPasswordText, passwordPlaceholder, passwordless_connection, password_strength,
             oauth, tokenizer, "
            .split(',')
            .map(str::trim)
        {
            assert_eq!(says(name), Says::Nothing, "{name}");
        }
    }

    #[test]
    fn an_object_holds_nothing_but_secrets_where_it_is_called_after_many() {
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
