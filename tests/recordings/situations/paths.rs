//! Paths into the state of a tenant.
//!
//! `/clients[name=Shop].addons` is a field of one list element, and `{/roles[name=A].id}` inside a text is replaced by
//! its value.

use serde_json::{Map, Value, json};

use super::{Touch, Unfit};

/// A path: the API path, the condition for list elements, and the field names below.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    root: String,
    wanted: Vec<(String, String)>,
    names: Vec<String>,
}

impl Place {
    fn read(text: &str) -> Result<Self, Unfit> {
        let unfit = || Unfit(format!("{text} is no place"));
        let (root, rest) = if let Some(at) = text.find('[') {
            text.split_at(at)
        } else {
            // A path may contain dots, except in its last segment.
            let last = text.rfind('/').ok_or_else(unfit)?;
            text.split_at(text[last..].find('.').map_or(text.len(), |dot| last + dot))
        };
        let (mut wanted, mut rest) = (Vec::new(), rest);
        while let Some(inside) = rest.strip_prefix('[') {
            let (pairs, behind) = inside.split_once(']').ok_or_else(unfit)?;
            for pair in pairs.split(',') {
                let (field, value) = pair.split_once('=').ok_or_else(unfit)?;
                wanted.push((field.to_owned(), value.to_owned()));
            }
            rest = behind;
        }
        let names = rest.split('.').skip(1).map(str::to_owned).collect();
        Ok(Self { root: root.to_owned(), wanted, names })
    }

    fn is_meant(&self, element: &Value) -> bool {
        self.wanted.iter().all(|(field, wanted)| {
            let names: Vec<String> = field.split('.').map(str::to_owned).collect();
            let written = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            below(element, &names).map(written).as_ref() == Some(wanted)
        })
    }
}

fn below<'value>(value: &'value Value, names: &[String]) -> Option<&'value Value> {
    names.iter().try_fold(value, |value, name| match value {
        Value::Array(list) => list.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    })
}

/// Returns every value at a path in a tenant's state.
pub(super) fn find(place: &str, held: &Value) -> Result<Vec<Value>, Unfit> {
    let place = Place::read(&filled(place, held)?)?;
    let Some(root) = held.get(&place.root) else { return Ok(Vec::new()) };
    let holders: Vec<&Value> = match root {
        Value::Array(list) if !place.wanted.is_empty() => list.iter().filter(|element| place.is_meant(element)).collect(),
        root => vec![root],
    };
    Ok(holders.into_iter().filter_map(|holder| below(holder, &place.names).cloned()).collect())
}

/// Returns a text with each path in braces replaced by its value.
pub(super) fn filled(text: &str, held: &Value) -> Result<String, Unfit> {
    let mut text = text.to_owned();
    while let Some(begin) = text.rfind("{/") {
        let Some(end) = text[begin..].find('}').map(|length| begin + length) else { break };
        let found = find(&text[begin + 1..end], held)?;
        let Some(value) = found.first() else { return Ok("/nothing".to_owned()) };
        text.replace_range(begin..=end, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    Ok(text)
}

/// Returns a value with the paths in its texts replaced.
pub(super) fn filled_value(value: &Value, held: &Value) -> Result<Value, Unfit> {
    Ok(match value {
        Value::String(text) => filled(text, held)?.into(),
        Value::Array(list) => Value::Array(list.iter().map(|element| filled_value(element, held)).collect::<Result<_, _>>()?),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| Ok((name.clone(), filled_value(value, held)?)));
            Value::Object(fields.collect::<Result<Map<_, _>, Unfit>>()?)
        }
        other => other.clone(),
    })
}

/// Modifies a state as a situation requires.
pub(super) fn touch(state: &mut Value, touch: &Touch) -> Result<(), Unfit> {
    for (path, answer) in &touch.absent {
        if answer.is_null() {
            state["absent"].as_object_mut().map(|absent| absent.remove(path));
        } else {
            state["absent"][path] = answer.clone();
        }
    }
    let set = touch.set.iter().map(|(place, value)| (place, Some(value)));
    for (place, value) in set.chain(touch.drop.iter().map(|place| (place, None))) {
        put(&mut state["data"], place, value)?;
    }
    for path in &touch.reverse {
        state["data"][path].as_array_mut().ok_or_else(|| Unfit(format!("{path} is no list")))?.reverse();
    }
    Ok(())
}

/// Sets the value at a path, or removes it.
fn put(held: &mut Value, place: &str, value: Option<&Value>) -> Result<(), Unfit> {
    let unfit = || Unfit(format!("{place} does not stand for one place"));
    let at = Place::read(&filled(place, held)?)?;
    let (Some((last, above)), false) = (at.names.split_last(), at.wanted.is_empty() && at.names.is_empty()) else {
        let held = held.as_object_mut().ok_or_else(unfit)?;
        if at.wanted.is_empty() {
            change(held, &at.root, value);
            return Ok(());
        }
        let list = held.get_mut(&at.root).and_then(Value::as_array_mut).ok_or_else(unfit)?;
        list.retain(|element| !at.is_meant(element));
        list.extend(value.cloned());
        return Ok(());
    };
    let root = held.get_mut(&at.root).ok_or_else(unfit)?;
    let holder = if at.wanted.is_empty() {
        root
    } else {
        root.as_array_mut().and_then(|list| list.iter_mut().find(|element| at.is_meant(element))).ok_or_else(unfit)?
    };
    let holder = above.iter().try_fold(holder, |holder, name| holder.get_mut(name)).and_then(Value::as_object_mut).ok_or_else(unfit)?;
    change(holder, last, value);
    Ok(())
}

fn change(fields: &mut Map<String, Value>, name: &str, value: Option<&Value>) {
    match value {
        Some(value) => fields.insert(name.to_owned(), value.clone()),
        None => fields.remove(name),
    };
}

#[test]
fn a_path_finds_its_values() {
    let held = json!({
        "/clients": [{"name": "Shop", "client_id": "c1", "first": true}, {"name": "Shop", "client_id": "c2", "first": false, "addons": {"a": [1]}}],
        "/grants": [{"client_id": "c2", "scope": ["x"]}],
        "/prompts/login/custom-text/en": {"login": {"title": "Hello"}},
    });
    let found = |place: &str| find(place, &held).expect("a place");
    assert_eq!(found("/clients[name=Shop,first=false].addons.a.0"), [json!(1)]);
    assert_eq!(found("/grants[client_id={/clients[name=Shop,first=false].client_id}].scope"), [json!(["x"])]);
    assert_eq!(found("/prompts/login/custom-text/en.login.title"), [json!("Hello")]);
    assert_eq!(found("/clients[name=Shop]").len(), 2);
    assert_eq!(found("/roles[name=A].id"), Vec::<Value>::new());
    assert_eq!(filled("clients/{/clients[first=true].client_id}", &held).expect("filled"), "clients/c1");
}

#[test]
fn a_state_is_changed_at_a_path() {
    let mut state = json!({"data": {"/clients": [{"name": "A"}, {"name": "B", "x": 1}], "/roles": [1]}, "absent": {"/a": {"status": 404}}});
    let wanted = json!({"set": {"/clients[name=A].x": 2, "/prompts": {}}, "drop": ["/clients[name=B].x", "/roles"],
        "absent": {"/a": null, "/b": {"status": 400}}, "reverse": ["/clients"]});
    touch(&mut state, &serde_json::from_value(wanted).expect("a change")).expect("changed");
    let changed = json!({"data": {"/clients": [{"name": "B"}, {"name": "A", "x": 2}], "/prompts": {}}, "absent": {"/b": {"status": 400}}});
    assert_eq!(state, changed);
}
