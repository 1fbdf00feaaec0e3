//! The risk of a plan: the class of every edit, and the refusals that follow.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::model::{Action, Change, Edit, Plan};
use super::refusal::{Item, Refusal};
use crate::catalog::Kind;
use crate::catalog::risk::{RiskClass, RiskRule};
use crate::json::{Body, is_blank};
use crate::model::guard::Guard;
use crate::model::resource::Key;

/// The risk of one edit, or of a whole change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditRisk {
    /// Its class.
    pub class: RiskClass,
    /// The path of the field; `None` for the whole resource.
    pub path: Option<String>,
}

/// Returns the risks of a change, field by field.
///
/// Updates that complete a resource created by the same plan have no risk of their own: they belong to the create.
pub fn edit_risks(change: &Change) -> Vec<EditRisk> {
    let kind = change.key.kind();
    let risks = kind.risk;
    let whole = |class| EditRisk { class, path: None };
    match &change.action {
        Action::Create { .. } => vec![whole(risks.raised(risks.created, change.key.name()))],
        Action::Update { id: None, .. } => Vec::new(),
        Action::Update { edits, .. } => {
            let replaced = change.secrets.iter().filter(|secret| secret.is_changed);
            let of_secrets = replaced.map(|secret| of_secret(kind, &secret.path));
            edits.iter().flat_map(|edit| of_edit(kind, &change.key, edit)).chain(of_secrets).collect()
        }
        Action::Elements { added, removed, .. } => {
            let (old, new) = (Value::Array(removed.clone()), Value::Array(added.clone()));
            of_edit(kind, &change.key, &Edit { path: kind.elements().to_owned(), old: Some(old), new: Some(new) })
        }
        Action::Delete { .. } => vec![whole(RiskClass::DataLoss), whole(risks.deleted)],
    }
}

fn of_edit(kind: &Kind, key: &Key, edit: &Edit) -> Vec<EditRisk> {
    let what = format!("{key} {}", edit.new.as_ref().map(Value::to_string).unwrap_or_default());
    let classes = classes(kind, &edit.path, [edit.old.as_ref(), edit.new.as_ref()]);
    classes.into_iter().map(|class| EditRisk { class: kind.risk.raised(class, &what), path: Some(edit.path.clone()) }).collect()
}

/// Returns the classes of an edit; for an object, including those of every field in it that has its own rule.
fn classes(kind: &Kind, path: &str, sides: [Option<&Value>; 2]) -> BTreeSet<RiskClass> {
    let default = kind.default_within(path);
    let mut sides = sides.map(|side| side.or(default.as_ref()).map(|value| held_at(path, value)));
    let risks = &kind.risk;
    let mut found = BTreeSet::new();
    // If the whole object is added or removed, its own rule applies.
    let comes_or_goes = sides.iter().any(Option::is_none) && risks.rule(path) == Some(RiskRule::Presence);
    for below in risks.below(path).into_iter().filter(|_| !comes_or_goes) {
        let values = sides.each_mut().map(|side| side.as_mut().and_then(|body| taken(body, below)));
        if values[0] != values[1] {
            found.extend(by_rule(kind, below, values));
        }
    }
    let rest = sides.map(|side| side.and_then(|body| body.get(path).cloned()));
    // An object that is empty after fields with their own rules were removed is not a change.
    let is_hollow = |side: &Option<Value>| side.as_ref().is_none_or(is_blank_inside);
    if rest[0] != rest[1] && (found.is_empty() || !rest.iter().all(is_hollow)) {
        found.extend(by_rule(kind, path, rest));
    }
    if found.is_empty() { BTreeSet::from([RiskClass::Routine]) } else { found }
}

fn held_at(path: &str, value: &Value) -> Body {
    let mut body = Body::new();
    body.set(path, value.clone());
    body
}

fn by_rule(kind: &Kind, path: &str, [old, new]: [Option<Value>; 2]) -> Vec<RiskClass> {
    // An unknown field was never assessed.
    let rule = kind.risk.rule(path).unwrap_or(RiskRule::AnyChange);
    let default = kind.default_within(path);
    let [old, new] = [old, new].map(|side| side.or_else(|| default.clone()).map(|value| named(kind, rule, path, &value)));
    if old == new { Vec::new() } else { rule.classes(old.as_ref(), new.as_ref()) }
}

/// Removes the value at a path from one side of an edit, or all values if the path leads through lists.
fn taken(body: &mut Body, path: &str) -> Option<Value> {
    let mut values: Vec<Value> = body.take(path).into_iter().map(|(_, value)| value).collect();
    if path.contains(['[', '*']) { (!values.is_empty()).then_some(Value::Array(values)) } else { values.pop() }
}

fn is_blank_inside(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().all(is_blank_inside),
        Value::Array(list) => list.iter().all(is_blank_inside),
        value => is_blank(value),
    }
}

/// Returns a list reduced to the keys of its elements, if access depends only on these.
fn named(kind: &Kind, rule: RiskRule, path: &str, value: &Value) -> Value {
    let field = kind.element_key_of(path).filter(|_| rule == RiskRule::Access);
    match (value, field) {
        (Value::Array(list), Some(field)) if list.iter().all(|one| one.get(field).is_some()) => {
            list.iter().map(|one| one[field].clone()).collect()
        }
        _ => value.clone(),
    }
}

/// Returns the risk of replacing a secret that was sent before.
fn of_secret(kind: &Kind, path: &str) -> EditRisk {
    let rule = kind.risk.rule(path).unwrap_or(RiskRule::AnyChange);
    EditRisk { class: rule.class_of_another(), path: Some(path.to_owned()) }
}

/// Refuses unapproved lockout risks.
pub fn lockout(plan: &Plan) -> Option<Refusal> {
    Refusal::about(Guard::LockoutRisk, items(plan, RiskClass::Lockout))
}

/// Refuses unapproved weakening of protections.
pub fn weaker(plan: &Plan) -> Option<Refusal> {
    Refusal::about(Guard::WeakerProtection, items(plan, RiskClass::Weakened))
}

fn items(plan: &Plan, class: RiskClass) -> Vec<Item> {
    let mut found: BTreeMap<&Key, Vec<String>> = BTreeMap::new();
    for change in plan.changes() {
        for cost in edit_risks(change).into_iter().filter(|cost| cost.class == class) {
            let what = cost.path.unwrap_or_else(|| change.operation().to_string());
            found.entry(&change.key).or_default().push(what);
        }
    }
    found.into_iter().map(|(key, what)| Item { key: key.clone(), what }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::json;

    /// Returns an object that contains a value at a path below the field above it.
    fn around(path: &str, value: Value) -> Value {
        path.rsplit('.').fold(value, |held, name| json!({ name: held }))
    }

    #[test]
    fn a_field_removed_with_its_object_has_the_risk_of_its_own_removal() {
        let mut looked_at = 0;
        for kind in Catalog::standard().kinds() {
            for path in kind.risk.fields.iter().flat_map(|(_, paths)| paths.split_whitespace()).filter(|path| !path.contains(['[', '*'])) {
                let Some((field, inside)) = path.split_once('.') else { continue };
                if kind.risk.rule(field) == Some(RiskRule::Presence) {
                    continue;
                }
                for value in [json!(true), json!(false), json!(["a"]), json!("a")] {
                    let (alone, whole) = (classes(kind, path, [Some(&value), None]), [Some(around(inside, value.clone())), None]);
                    assert_eq!(classes(kind, field, whole.each_ref().map(Option::as_ref)), alone, "{} {path} {value}", kind.name);
                    let (alone, whole) = (classes(kind, path, [None, Some(&value)]), [None, Some(around(inside, value.clone()))]);
                    assert_eq!(classes(kind, field, whole.each_ref().map(Option::as_ref)), alone, "{} {path} {value}", kind.name);
                }
                looked_at += 1;
            }
        }
        assert!(looked_at > 20, "{looked_at}");
    }

    #[test]
    fn replacing_a_secret_is_never_routine() {
        let edit_risks = |kind: &'static Kind| kind.secrets.paths.iter().map(move |path| (kind.name, *path, of_secret(kind, path).class));
        let routine: Vec<_> = Catalog::standard().kinds().flat_map(edit_risks).filter(|(.., class)| *class < RiskClass::Weakened).collect();
        assert_eq!(routine, []);
        let of = |name: &str, path: &str| of_secret(Catalog::standard().kind(name).expect("a kind"), path).class;
        assert_eq!(of("connections", "options.client_secret"), RiskClass::Lockout);
        assert_eq!(of("email-provider", "credentials.api_key"), RiskClass::Lockout);
        assert_eq!(of("log-streams", "sink.datadogApiKey"), RiskClass::Weakened);
    }

    #[test]
    fn changing_an_addon_may_lock_out_and_a_new_one_widens_access() {
        let kind = Catalog::standard().kind("clients").expect("a kind");
        let of = |path: &str, old: Option<&Value>, new: Option<&Value>| classes(kind, path, [old, new]);
        let (saml, sap) = (json!({"audience": "urn:a", "destination": "https://a.example"}), json!({"clientid": "a"}));
        for addon in [&saml, &sap] {
            assert_eq!(of("addons.samlp", None, Some(addon)), BTreeSet::from([RiskClass::Widened]));
            assert_eq!(of("addons", Some(&json!({"samlp": addon})), None), BTreeSet::from([RiskClass::Lockout]));
        }
        let changed = |path: &str| of(path, Some(&json!("urn:a")), Some(&json!("urn:b")));
        assert_eq!(changed("addons.samlp.recipient"), BTreeSet::from([RiskClass::Lockout]));
        assert_eq!(changed("addons.samlp.audience"), BTreeSet::from([RiskClass::Routine]));
        assert_eq!(of("addons.samlp.audience", Some(&json!("urn:a")), None), BTreeSet::from([RiskClass::Lockout]));
        for field in ["audience", "destination", "mappings.email"] {
            let path = format!("addons.samlp.{field}");
            assert_eq!(of(&path, None, Some(&json!("https://a.example"))), BTreeSet::from([RiskClass::Widened]), "{path}");
        }
    }

    #[test]
    fn removing_an_object_has_the_highest_risk_of_anything_in_it() {
        let kind = Catalog::standard().kind("tenant-settings").expect("a kind");
        let quota = json!({"clients": {"client_credentials": {"enforce": true, "per_day": 9}}});
        assert_eq!(classes(kind, "default_token_quota", [Some(&quota), None]), BTreeSet::from([RiskClass::Weakened]));
        let flags = json!({"enable_dynamic_client_registration": false, "enable_apis_section": true});
        assert_eq!(classes(kind, "flags", [None, Some(&flags)]), BTreeSet::from([RiskClass::Routine, RiskClass::Lockout]));
        assert_eq!(classes(kind, "flags", [Some(&json!({"enable_sso": true})), None]), BTreeSet::from([RiskClass::Lockout]));
    }
}
