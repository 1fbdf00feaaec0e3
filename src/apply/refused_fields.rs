//! Finds the fields of a refused body that an error message names.
//!
//! Auth0 answers in sentences, so this parses sentences, and looks only for names that occur in the body. Messages that
//! were recorded or reported:
//!
//! ```text
//! 'Additional properties not allowed: second_setting,first_setting' on property settings (Specific provider setting).
//! 'Array items are not unique (indexes 0 and 1)' on property rule.match.auth0_managed.
//! Array is too short (0), minimum 1 on refresh_token.policies
//! You are not allowed to set flag 'trust_azure_adfs_email_verified_connection_property' for this tenant.
//! Invalid key "invalid-email-format" in screen "login".
//! Cannot set both options.attributes and options.validation
//! Invalid curated list name(s): auth0.totally_made_up.
//! ```

use serde_json::{Map, Value};

use crate::catalog::Kind;
use crate::json::{Body, join};

/// A part of a body that can be omitted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BodyPart {
    /// The path of the field.
    pub(super) path: String,
    /// The list element with this text, if only one element is meant.
    pub(super) element: Option<String>,
}

impl BodyPart {
    /// Creates the part of a whole field.
    pub(super) fn field(path: impl Into<String>) -> Self {
        Self { path: path.into(), element: None }
    }

    /// Returns whether this part is strictly inside the other one.
    fn is_inside(&self, other: &Self) -> bool {
        let is_below = self.path.strip_prefix(&other.path).is_some_and(|rest| rest.starts_with('.'));
        is_below || (self.path == other.path && self.element.is_some() && other.element.is_none())
    }
}

/// A part and the names that a message may use for it.
struct NamedPart {
    part: BodyPart,
    name: String,
}

/// Words that a name follows, even if the name is an ordinary word.
const CUES: [&str; 22] = [
    "property",
    "properties",
    "field",
    "fields",
    "flag",
    "flags",
    "key",
    "keys",
    "option",
    "options",
    "attribute",
    "attributes",
    "parameter",
    "parameters",
    "setting",
    "settings",
    "screen",
    "on",
    "the",
    "set",
    "both",
    "allowed:",
];

/// Returns the parts of a body that a message names, in the order of the sentence and grouped by list. If it names both
/// an object and a part of it, only the part is returned.
pub(super) fn mentioned(kind: &Kind, body: &Body, message: &str) -> Vec<Vec<BodyPart>> {
    let mut called = Vec::new();
    fields(kind, "", None, &body.0, &mut called);
    let groups: Vec<Vec<BodyPart>> = groups(message).iter().map(|group| meant(&called, group)).collect();
    let all: Vec<BodyPart> = groups.iter().flatten().cloned().collect();
    let mut seen: Vec<BodyPart> = Vec::new();
    let innermost = |group: Vec<BodyPart>| -> Vec<BodyPart> {
        let is_new = |part: &BodyPart| !all.iter().any(|other| other.is_inside(part)) && !seen.contains(part);
        let group: Vec<BodyPart> = within_what_is_named(group, &all).into_iter().filter(is_new).collect();
        seen.extend(group.iter().cloned());
        group
    };
    groups.into_iter().map(innermost).filter(|group| !group.is_empty()).collect()
}

/// If one word may mean several parts, returns those inside a part that the message also names.
fn within_what_is_named(group: Vec<BodyPart>, all: &[BodyPart]) -> Vec<BodyPart> {
    let is_within = |part: &BodyPart| all.iter().any(|other| part.is_inside(other));
    if group.iter().any(is_within) { group.into_iter().filter(is_within).collect() } else { group }
}

/// Collects every part of an object. Parts inside list elements stand for the whole list.
fn fields(kind: &Kind, above: &str, list: Option<&str>, object: &Map<String, Value>, called: &mut Vec<NamedPart>) {
    for (name, value) in object {
        let path = join(above, name);
        let part = BodyPart::field(list.unwrap_or(&path));
        called.push(NamedPart { part, name: path.clone() });
        match value {
            Value::Object(below) => fields(kind, &path, list, below, called),
            Value::Array(elements) => {
                let whole = list.unwrap_or(&path);
                for element in elements {
                    match element {
                        Value::Object(below) => fields(kind, &path, Some(whole), below, called),
                        // An ordered list is indivisible: with an element missing, the rest means something else.
                        Value::String(text) if kind.lists.unordered.contains(&path.as_str()) => {
                            let part = BodyPart { path: path.clone(), element: Some(text.clone()) };
                            called.push(NamedPart { part, name: text.clone() });
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// Returns the parts that one group of names means: a name is the end of a path, or a path with a prefix.
fn meant(called: &[NamedPart], group: &[String]) -> Vec<BodyPart> {
    let ends_with = |whole: &str, end: &str| whole == end || whole.strip_suffix(end).is_some_and(|before| before.ends_with('.'));
    let mut parts = Vec::new();
    for name in group {
        let is_meant = |one: &&NamedPart| match one.part.element {
            Some(_) => one.name == *name,
            None => ends_with(&one.name, name) || ends_with(name, &one.name),
        };
        let of_that_name: Vec<&NamedPart> = called.iter().filter(is_meant).collect();
        // An exact path takes precedence over paths that only end with the name.
        let exact: Vec<&NamedPart> = of_that_name.iter().copied().filter(|one| one.name == *name).collect();
        let fields: Vec<&NamedPart> = exact.iter().copied().filter(|one| one.part.element.is_none()).collect();
        // A field takes precedence over a list element of the same name: `refresh_token` the field before
        // `refresh_token` the grant type.
        let found = [fields, exact, of_that_name].into_iter().find(|found| !found.is_empty()).unwrap_or_default();
        for one in found {
            if !parts.contains(&one.part) {
                parts.push(one.part.clone());
            }
        }
    }
    parts
}

/// Returns the names in a sentence; those of one list (`a,b`) form a group.
fn groups(message: &str) -> Vec<Vec<String>> {
    let is_quote = |sign: char| matches!(sign, '\'' | '"' | '`' | '“' | '”' | '‘' | '’');
    let mut groups: Vec<Vec<String>> = Vec::new();
    let (mut is_cued, mut is_list) = (false, false);
    for word in message.split_whitespace() {
        let is_quoted = word.trim_end_matches(['.', ',', ';', ':', ')']).chars().last().is_some_and(is_quote) && word.starts_with(is_quote);
        let names: Vec<String> = word.split(',').map(plain).filter(|name| !name.is_empty()).collect();
        let is_name = |name: &String| is_quoted || is_cued || is_list || looks_like_a_name(name);
        let names: Vec<String> = names.into_iter().filter(is_name).collect();
        let goes_on = word.trim_end_matches(is_quote).ends_with(',');
        if !names.is_empty() {
            match groups.last_mut().filter(|_| is_list) {
                Some(group) => group.extend(names),
                None => groups.push(names),
            }
        }
        is_list = goes_on && (is_list || is_cued || is_quoted);
        let cue = word.trim_matches(|sign: char| is_quote(sign) || sign == '(').to_lowercase();
        is_cued = CUES.contains(&cue.as_str()) || cue.ends_with("allowed:");
    }
    groups
}

/// Returns a word without punctuation, indexes and slashes. Auth0 writes `scopes[0].value`, other validators
/// `/data/scopes/0`.
fn plain(word: &str) -> String {
    let word = word.trim_matches(|sign: char| !sign.is_alphanumeric() && !matches!(sign, '_' | '$' | '/' | ']'));
    let mut name = String::with_capacity(word.len());
    let mut is_index = false;
    for sign in word.chars() {
        match sign {
            '[' => is_index = true,
            ']' => is_index = false,
            sign if !is_index => name.push(sign),
            _ => {}
        }
    }
    name
}

/// Returns whether a word cannot be an ordinary one: it contains an underscore, dot, hyphen, colon, digit or inner
/// capital.
fn looks_like_a_name(word: &str) -> bool {
    let mut signs = word.chars();
    signs.next();
    signs.any(|sign| matches!(sign, '_' | '.' | '-' | ':' | '/') || sign.is_ascii_digit() || sign.is_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::json;

    fn named(kind: &str, body: Value, message: &str) -> Vec<Vec<String>> {
        let kind = Catalog::standard().kind(kind).expect("a kind");
        let shown = |part: BodyPart| part.element.map_or(part.path.clone(), |element| format!("{}[{element}]", part.path));
        let groups = mentioned(kind, &Body::from_value(body).expect("an object"), message);
        groups.into_iter().map(|group| group.into_iter().map(shown).collect()).collect()
    }

    #[test]
    fn fields_are_found_in_every_known_form_of_refusal() {
        let flags = json!({"flags": {"trust_x": true, "other": true}, "friendly_name": "A"});
        let texts = json!({"login": {"title": "A", "invalid-email-format": "B"}, "signup": {"title": "A"}});
        let provider = json!({"name": "smtp", "settings": {"first_setting": 1, "second_setting": 2, "third": 3}});
        let client = json!({"name": "A", "refresh_token": {"policies": [], "leeway": 0}, "description": "B"});
        let acl = json!({"description": "A", "rule": {"match": {"auth0_managed": ["a"]}, "scope": "tenant"}});
        let connection = json!({"name": "A", "options": {"attributes": {"email": {}}, "validation": {"username": {}}}});
        let api = json!({"name": "A", "scopes": [{"value": "a", "description": "b"}]});
        let table = [
            ("tenant-settings", flags.clone(), "You are not allowed to set flag 'trust_x' for this tenant.", json!([["flags.trust_x"]])),
            ("tenant-settings", flags.clone(), "Updating the trust_x flag is not allowed. Please contact us.", json!([["flags.trust_x"]])),
            ("tenant-settings", flags.clone(), "The other flag cannot be set", json!([["flags.other"]])),
            ("tenant-settings", flags, "Something is wrong with other things", json!([])),
            (
                "prompt-custom-text",
                texts,
                "Invalid key \"invalid-email-format\" in screen \"login\".",
                json!([["login.invalid-email-format"]]),
            ),
            (
                "email-provider",
                provider,
                "Payload validation error: 'Additional properties not allowed: second_setting,first_setting' on property settings (Specific \
                 provider setting).",
                json!([["settings.second_setting", "settings.first_setting"]]),
            ),
            (
                "clients",
                client.clone(),
                "Payload validation error: 'Array is too short (0), minimum 1' on property refresh_token.policies.",
                json!([["refresh_token.policies"]]),
            ),
            ("clients", client.clone(), "Cannot set 'description' while 'name' is set", json!([["description"], ["name"]])),
            ("clients", client, "Payload validation error: 'Expected type object but found type null'.", json!([])),
            (
                "network-acls",
                acl,
                "Payload validation error: 'Array items are not unique (indexes 0 and 1)' on property rule.match.auth0_managed.",
                json!([["rule.match.auth0_managed"]]),
            ),
            (
                "connections",
                connection,
                "Cannot set both options.attributes and options.validation",
                json!([["options.attributes"], ["options.validation"]]),
            ),
            ("resource-servers", api, "'String is too long' on property scopes[0].description (About it).", json!([["scopes"]])),
        ];
        for (kind, body, message, names) in table {
            assert_eq!(json!(named(kind, body, message)), names, "{message}");
        }
    }

    #[test]
    fn a_set_element_is_reported_separately() {
        let grant = json!({"client_id": "c", "scope": ["read:orders", "write:orders"]});
        assert_eq!(named("client-grants", grant, "The scope 'write:orders' is not defined in the API"), [["scope[write:orders]"]]);
    }
}
