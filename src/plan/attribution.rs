//! Attribution: which mapping rules produced the values in a plan's changes.

use std::collections::BTreeMap;

use super::model::{Action, Change, Plan};
use crate::json::is_in;
use crate::model::resource::Key;

/// The rules that produced values, by field path; the whole resource has an empty path.
pub(crate) type Places = BTreeMap<String, String>;

/// Records in a plan which rules produced the values of its changes; `places` returns the rules for a resource.
pub fn attribute(plan: &mut Plan, places: &dyn Fn(&Key) -> Places) {
    let mut mapped: BTreeMap<Key, Places> = BTreeMap::new();
    for change in plan.changes() {
        let made = places(&change.key);
        if !made.is_empty() {
            let of_change = made_by_change(change, &made);
            mapped.entry(change.key.clone()).or_default().extend(of_change);
        }
    }
    mapped.retain(|_, places| !places.is_empty());
    plan.mapped = mapped;
}

/// Returns the rules at or below the paths that a change contains.
fn made_by_change(change: &Change, made: &Places) -> Places {
    let whole = made.get_key_value("").into_iter();
    let secrets = change.secrets.iter().filter_map(|secret| Some((&secret.path, maker(made, &secret.path)?)));
    let named = whole.chain(secrets).map(|(path, place)| (path.clone(), place.clone()));
    match &change.action {
        Action::Create { body, .. } => {
            let is_sent = |(path, _): &(&String, &String)| !path.is_empty() && body.at(path).is_some();
            named.chain(made.iter().filter(is_sent).map(|(path, place)| (path.clone(), place.clone()))).collect()
        }
        Action::Update { edits, .. } => {
            let edited = edits.iter().filter_map(|edit| Some((edit.path.clone(), maker(made, &edit.path)?.clone())));
            named.chain(edited).collect()
        }
        Action::Elements { .. } => {
            let list = change.key.kind().elements().to_owned();
            let place = |list: String| Some((list.clone(), maker(made, &list)?.clone()));
            named.chain(place(list)).collect()
        }
        Action::Delete { .. } => Places::new(),
    }
}

/// Returns the rule that produced a value: the nearest one above its path, otherwise the first one below.
pub(crate) fn maker<'made>(made: &'made Places, path: &str) -> Option<&'made String> {
    let named = || made.iter().filter(|(made, _)| !made.is_empty());
    let above = named().filter(|(made, _)| is_in(made, path)).max_by_key(|(made, _)| made.len());
    above.or_else(|| named().find(|(made, _)| is_in(path, made))).map(|(_, place)| place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::json::Body;
    use crate::model::resource::Id;
    use crate::model::resource::key;
    use crate::plan::{Edit, PlannedTenant, SecretField, Stage};
    use serde_json::{Value, json};

    fn change(key: &str, action: Action) -> Change {
        let key = key.parse().expect("a key");
        Change { key, source_id: Id::new("id"), action, needs: Vec::new(), secrets: Vec::new() }
    }

    fn body(value: Value) -> Body {
        Body::from_value(value).expect("an object")
    }

    fn edit(path: &str) -> Edit {
        Edit { path: path.to_owned(), old: None, new: Some(json!("new")) }
    }

    fn places(made: &[(&str, &str)]) -> Places {
        made.iter().map(|(path, place)| ((*path).to_owned(), (*place).to_owned())).collect()
    }

    fn mapped(change: Change, made: &[(&str, &str)]) -> Places {
        let tenant = PlannedTenant::new("dev", "dev.example", "");
        let mut plan = Plan::between(tenant.clone(), tenant);
        plan.stages.push(Stage { title: String::new(), changes: vec![change] });
        attribute(&mut plan, &|_| places(made));
        plan.mapped.into_values().next().unwrap_or_default()
    }

    #[test]
    fn an_edit_has_the_rule_of_its_value_or_of_one_around_or_inside_it() {
        let edits = vec![edit("callbacks"), edit("options.domain"), edit("mobile.ios"), edit("name")];
        let update = change("clients/Web", Action::Update { id: None, body: Body::new(), edits });
        let made = [("", "m:1"), ("callbacks", "m:2"), ("options", "m:3"), ("mobile.ios.app", "m:4"), ("nam", "m:5"), ("logo_uri", "m:6")];
        let expected = [("", "m:1"), ("callbacks", "m:2"), ("mobile.ios", "m:4"), ("options.domain", "m:3")];
        assert_eq!(mapped(update, &made), places(&expected));
    }

    #[test]
    fn a_create_has_the_rules_of_its_values_and_secrets() {
        let sent = body(json!({"name": "Web", "client_metadata": {"api.key": "a"}}));
        let mut create = change("clients/Web", Action::Create { body: sent, twins: Vec::new() });
        create.secrets.push(SecretField { path: "client_secret".to_owned(), from: "env:A".to_owned(), is_changed: false });
        let made = [("client_metadata.api.key", "m:1"), ("callbacks", "m:2"), ("client_secret", "m:3")];
        assert_eq!(mapped(create, &made), places(&[("client_metadata.api.key", "m:1"), ("client_secret", "m:3")]));
    }

    #[test]
    fn a_list_below_a_parent_has_the_rule_that_produced_it() {
        let parent = key("roles/Auditor");
        let elements = Action::Elements { parent, added: vec![json!({"permission_name": "read"})], removed: Vec::new() };
        let kind = Catalog::standard().kind("role-permissions").expect("a kind");
        let change = change("role-permissions/Auditor", elements);
        assert_eq!(mapped(change, &[(kind.elements(), "m:1"), ("other", "m:2")]), places(&[(kind.elements(), "m:1")]));
    }
}
