//! The `source-leak` guard: finds hosts and ids of the source, and template placeholders that were never filled in.
//!
//! A snapshot replaces those in plain text. This last check also searches property names, escapes and base64.

use std::collections::HashSet;

use serde_json::Value;

use super::encodings::{in_base64, unescaped};
use super::model::{Action, Change, Plan};
use super::refusal::Refusal;
use crate::catalog::Kind;
use crate::json::{Body, join};
use crate::model::guard::Guard;
use crate::model::resource::Resource;
use crate::snapshot::text_search::{HostMatch, hosts, ids};
use crate::snapshot::{Desired, Snapshot, plain};

/// The depth to which nested encodings are decoded: base64 inside base64 inside a URL.
const DEEPEST: usize = 3;

/// Refuses a plan that would send hosts or ids of the source tenant, or unfilled template placeholders.
pub(super) fn leak(plan: &Plan, desired: &Desired, live: &Snapshot) -> Option<Refusal> {
    let traces = SourceIdentifiers::new(plan, desired, live);
    let mut leaks = Vec::new();
    for change in plan.changes() {
        let kind = change.key.kind();
        each_outgoing(change, &mut |path, part| {
            let what = match part {
                SentText::Name(name) => traces.find(name).map(|what| format!("a name in {path} contains {what}")),
                SentText::Text(text) => traces
                    .find(text)
                    .or_else(|| placeholder(kind, path, text).map(|placeholder| format!("the placeholder {placeholder}")))
                    .map(|what| format!("{path} contains {what}")),
            };
            leaks.extend(what.map(|what| format!("{}: {what}", change.key)));
        });
    }
    let (first, more) = (leaks.first()?.clone(), leaks.len() - 1);
    let message = if more == 0 { first } else { format!("{first}, and {more} more like it") };
    Some(Refusal::whole(Guard::SourceLeak, message))
}

/// Identifiers that reveal the source.
struct SourceIdentifiers<'plan> {
    /// The source's domain, which has no subdomains of other parties.
    domain: Option<&'plan str>,
    /// The source's custom domains.
    hosts: Vec<&'plan str>,
    /// Hosts of the target, which may resemble those of the source.
    own: Vec<String>,
    ids: HashSet<&'plan str>,
}

impl<'plan> SourceIdentifiers<'plan> {
    fn new(plan: &'plan Plan, desired: &'plan Desired, live: &'plan Snapshot) -> Self {
        let mut own: Vec<String> = live.hosts().into_iter().collect();
        own.push(plan.target.domain.to_ascii_lowercase());
        let is_own = |host: &str| own.iter().any(|own| own.eq_ignore_ascii_case(host));
        let (source, is_one_tenant) = (plan.source.domain.as_str(), is_own(&plan.source.domain));
        let hosts =
            if is_one_tenant { Vec::new() } else { desired.hosts.iter().map(String::as_str).filter(|host| !is_own(host)).collect() };
        let mut ids: HashSet<&str> = desired.snapshot.resources.iter().flat_map(ids_of).collect();
        let skipped = desired.skipped.iter().filter_map(|(name, id)| Some(id.own(Kind::named(name).filter(|kind| kind.has_own_ids())?)));
        ids.extend(skipped);
        for resource in &live.resources {
            for id in ids_of(resource) {
                ids.remove(id);
            }
        }
        Self { domain: (!is_one_tenant).then_some(source), hosts, own, ids }
    }

    /// Returns an identifier of the source in a text.
    fn find(&self, text: &str) -> Option<String> {
        let text = plain(text);
        self.find_plain(&text).or_else(|| self.find_encoded(&text, DEEPEST).map(|what| format!("{what}, encoded")))
    }

    fn find_plain(&self, text: &str) -> Option<String> {
        let domain = self.domain.filter(|domain| hosts(text, domain).any(|(at, host)| !self.is_own(&text[..at.end], host)));
        let is_custom = |custom: &&&str| {
            hosts(text, custom).any(|(at, host)| !self.is_own(&text[..at.end], host) && is_served(&text[..at.start], host))
        };
        let id = || ids(text, &|word| self.ids.contains(word)).first().map(|(_, id)| format!("the source's id {id}"));
        domain
            .map(|domain| format!("the source's domain {}", domain.to_ascii_lowercase()))
            .or_else(|| self.hosts.iter().find(is_custom).map(|custom| format!("the source's custom domain {custom}")))
            .or_else(id)
    }

    /// Returns whether the host at the end of a text belongs to the target; it may be a subdomain of one of the
    /// source's hosts.
    fn is_own(&self, text: &str, host: HostMatch) -> bool {
        host == HostMatch::Below && self.own.iter().any(|own| hosts(text, own).any(|(at, _)| at.end == text.len()))
    }

    fn find_encoded(&self, text: &str, depth: usize) -> Option<String> {
        if depth == 0 {
            return None;
        }
        let look = |inside: &str| self.find_plain(inside).or_else(|| self.find_encoded(inside, depth - 1));
        let mut found = unescaped(text).and_then(|inside| look(&inside));
        if found.is_none() {
            in_base64(text, &mut |inside| found = found.take().or_else(|| look(inside)));
        }
        found
    }
}

/// Returns whether a custom domain serves the host that ends here: the domain itself or its alias for mutual TLS (page
/// "Set Up mTLS Endpoint Aliases"). Other subdomains may be unrelated.
fn is_served(before: &str, host: HostMatch) -> bool {
    host == HostMatch::Same || before.to_ascii_lowercase().ends_with("mtls.")
}

fn ids_of(resource: &Resource) -> impl Iterator<Item = &str> {
    let kind = Some(resource.key.kind()).filter(|kind| kind.has_own_ids());
    kind.map(|kind| resource.id.own(kind)).into_iter().chain(resource.alias.as_deref())
}

/// Returns an unfilled template placeholder: `##HOST##` or `@@HOST@@`, as other tools spell it.
fn placeholder<'text>(kind: &Kind, path: &str, text: &'text str) -> Option<&'text str> {
    ["##", "@@"].into_iter().find_map(|mark| {
        let begins: Vec<usize> = text.match_indices(mark).map(|(at, _)| at).collect();
        let between = begins.windows(2).map(|pair| (pair[0], &text[pair[0] + mark.len()..pair[1].max(pair[0] + mark.len())]));
        let is_open = |name: &str| is_name(name) && !(mark == "@@" && kind.is_template_variable(path, name));
        let mut named = between.filter(|(_, name)| is_open(name)).map(|(at, name)| &text[at..at + name.len() + 2 * mark.len()]);
        named.next()
    })
}

fn is_name(text: &str) -> bool {
    text.starts_with(|sign: char| sign.is_ascii_uppercase())
        && text.chars().all(|sign| sign.is_ascii_uppercase() || sign.is_ascii_digit() || sign == '_')
}

/// A text in a request.
pub(super) enum SentText<'body> {
    /// A property name in the object at the path.
    Name(&'body str),
    /// The text at the path.
    Text(&'body str),
}

/// Calls `see` with every text that a change sends and its path, with `[]` for lists.
pub(super) fn each_outgoing(change: &Change, see: &mut dyn FnMut(&str, SentText<'_>)) {
    match &change.action {
        Action::Create { body, .. } | Action::Update { body, .. } => each_field(body, see),
        Action::Delete { .. } => {}
        Action::Elements { added, .. } => added.iter().for_each(|element| each_part("", element, see)),
    }
}

fn each_field(body: &Body, see: &mut dyn FnMut(&str, SentText<'_>)) {
    // Top-level names come from the catalog.
    body.0.iter().for_each(|(name, value)| each_part(name, value, see));
}

fn each_part(path: &str, value: &Value, see: &mut dyn FnMut(&str, SentText<'_>)) {
    match value {
        Value::String(text) => see(path, SentText::Text(text)),
        Value::Array(list) => list.iter().for_each(|element| each_part(&format!("{path}[]"), element, see)),
        Value::Object(fields) => {
            for (name, value) in fields {
                see(path, SentText::Name(name));
                each_part(&join(path, name), value, see);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
