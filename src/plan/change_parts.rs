//! Parts of a change: how they are named and removed, so that a change can be applied without the parts a target refused.
//!
//! A part is named by its path (`flags.enable_sso`), a list element by the path and its value (`scope["read:orders"]`),
//! and an element of a child's list by its index in the change (`added[2]`, `removed[0]`).

use serde_json::Value;

use super::model::{Action, Change};
use crate::json::{Body, is_in};

/// Returns the path and the element, if the part is a list element.
#[must_use]
pub fn parse_element_part(part: &str) -> Option<(&str, Value)> {
    let at = part.find('[')?;
    let elements: Vec<Value> = serde_json::from_str(&part[at..]).ok()?;
    elements.into_iter().next().map(|element| (&part[..at], element))
}

/// Returns the part name of a list element.
#[must_use]
pub fn element(path: &str, element: &str) -> String {
    format!("{path}{}", Value::Array(vec![element.into()]))
}

impl Change {
    /// Returns the change without these parts.
    #[must_use]
    pub fn without(&self, parts: &[String]) -> Self {
        let mut change = self.clone();
        change.secrets.retain(|secret| !parts.iter().any(|part| is_in(part, &secret.path)));
        match &mut change.action {
            Action::Create { body, .. } => parts.iter().for_each(|part| remove_part(body, part)),
            Action::Update { body, edits, .. } => {
                for part in parts {
                    remove_part(body, part);
                    let Some((path, element)) = parse_element_part(part) else { continue };
                    for edit in edits.iter_mut().filter(|edit| edit.path == path) {
                        if let Some(Value::Array(list)) = &mut edit.new {
                            list.retain(|one| *one != element);
                        }
                    }
                }
                edits.retain(|edit| !parts.iter().any(|part| is_in(part, &edit.path)) && edit.old != edit.new);
            }
            Action::Elements { added, removed, .. } => {
                for (name, list) in [("added", added), ("removed", removed)] {
                    let mut place = 0..;
                    list.retain(|_| place.next().is_none_or(|place| !parts.contains(&format!("{name}[{place}]"))));
                }
            }
            Action::Delete { .. } => {}
        }
        change
    }

    /// Returns the target's value of a part before the change, as far as the plan knows it.
    #[must_use]
    pub fn before(&self, part: &str) -> Option<&Value> {
        let Action::Update { edits, .. } = &self.action else { return None };
        edits.iter().find(|edit| edit.path == part).and_then(|edit| edit.old.as_ref())
    }
}

/// Removes a part from a body.
pub(crate) fn remove_part(body: &mut Body, part: &str) {
    match parse_element_part(part) {
        Some((path, element)) => drop(body.change(path, &mut |list| {
            if let Value::Array(list) = list {
                list.retain(|one| *one != element);
            }
        })),
        None => drop(body.take(part)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::Id;
    use crate::model::resource::key;
    use crate::plan::model::Edit;
    use serde_json::json;

    fn change(action: Action) -> Change {
        Change { key: key("clients/Web"), source_id: Id::new("s"), action, needs: Vec::new(), secrets: Vec::new() }
    }

    fn parts(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn refused_parts_are_removed_from_a_change() {
        let body = Body::from_value(json!({"name": "Web", "jwt": {"alg": "x", "life": 1}, "scope": ["a", "b"]})).expect("an object");
        let edit = |path: &str, old: Option<Value>, new: Value| Edit { path: path.into(), old, new: Some(new) };
        let edits = vec![edit("jwt.alg", None, json!("x")), edit("scope", Some(json!(["a"])), json!(["a", "b"]))];
        let arrived =
            change(Action::Create { body: body.clone(), twins: Vec::new() }).without(&parts(&["jwt.alg", &element("scope", "b")]));
        let Action::Create { body: arrived, .. } = arrived.action else { panic!("a create") };
        assert_eq!(arrived.into_value(), json!({"name": "Web", "jwt": {"life": 1}, "scope": ["a"]}));
        let update = change(Action::Update { id: None, body, edits: edits.clone() });
        let edits_of = |parts: &[String]| match update.without(parts).action {
            Action::Update { edits, .. } => edits,
            _ => panic!("an update"),
        };
        assert_eq!(edits_of(&parts(&["jwt"])), edits[1..]);
        assert_eq!(edits_of(&[element("scope", "b")]), edits[..1]);
    }

    #[test]
    fn a_refused_element_is_identified_by_its_index() {
        let action = Action::Elements { parent: key("roles/A"), added: vec![json!("a"), json!("b")], removed: vec![json!("c")] };
        let Action::Elements { added, removed, .. } = change(action).without(&parts(&["added[0]", "removed[0]"])).action else { panic!() };
        assert_eq!((added, removed), (vec![json!("b")], Vec::new()));
    }
}
