//! The part of the desired state that the target has already, and the baseline expected after a plan is applied.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value};

use crate::json::{Body, PackedBody, is_blank};
use crate::model::resource::{Key, Resource};
use crate::plan::{Plan, Skipped};
use crate::snapshot::{Desired, Snapshot, id_substitution};
use crate::state::baseline::{AppliedResource, Baseline};

/// The desired resources that the target has or will have.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ExpectedBaseline {
    /// Resources that the target already has as desired.
    pub(super) held: Vec<(Key, AppliedResource)>,
    /// Resources that the target will have as desired after the plan is applied. Resources to create are listed under
    /// their source ids.
    pub(super) expected: Baseline,
}

impl ExpectedBaseline {
    /// Compares the desired state with the target; `partners` are the indexes of the matches.
    pub(super) fn new(desired: Desired, live: &Snapshot, partners: Vec<Option<usize>>, plan: &Plan) -> Self {
        let open = Disagreements { reserved: reserved(&desired, live, &partners), ..Disagreements::new(plan) };
        let mut kept: HashMap<Key, Vec<String>> = HashMap::new();
        for (key, path) in desired.kept {
            kept.entry(key).or_default().push(path);
        }
        let mut agreement = Self::default();
        let wanted = desired.snapshot.resources.into_iter().zip(partners);
        for (wanted, at) in wanted.filter(|(wanted, _)| !open.skipped.contains(&wanted.key)) {
            let held = at.map(|at| &live.resources[at]);
            let kept = kept.remove(&wanted.key).unwrap_or_default();
            agreement.add(wanted, held, kept, &open);
        }
        agreement
    }

    fn add(&mut self, wanted: Resource, held: Option<&Resource>, kept: Vec<String>, open: &Disagreements<'_>) {
        let (key, source_id) = (wanted.key, wanted.id);
        let body = open.agreed(&key, wanted.body, held, &kept);
        match held {
            _ if open.changed.contains(&key) => {
                self.expected.record_applied(&key, held.map_or(&source_id, |held| &held.id), body);
                self.expected.record_kept(&key, kept);
            }
            Some(held) => {
                let own = Some(only_of(&held.body, &body));
                self.held.push((key, AppliedResource { own, kept, ..AppliedResource::whole(held.id.clone(), body) }));
            }
            None => {}
        }
    }
}

/// The differences that a plan does not remove.
struct Disagreements<'plan> {
    changed: HashSet<&'plan Key>,
    skipped: HashSet<&'plan Key>,
    /// Skipped parts of resources.
    parts: PathsByKey<'plan>,
    /// Parts of resources that are excluded.
    excluded: PathsByKey<'plan>,
    /// Protected resources.
    reserved: HashSet<Key>,
}

/// Paths, by resource.
type PathsByKey<'plan> = HashMap<&'plan Key, BTreeSet<&'plan str>>;

impl<'plan> Disagreements<'plan> {
    fn new(plan: &'plan Plan) -> Self {
        let changed = plan.changes().map(|change| &change.key).collect();
        let mut open =
            Self { changed, skipped: HashSet::new(), parts: PathsByKey::new(), excluded: PathsByKey::new(), reserved: HashSet::new() };
        open.parts = open.parts_of(&plan.skipped);
        open.excluded = open.parts_of(&plan.excluded);
        open
    }

    /// Returns the skipped or excluded parts of resources, and records the resources that are skipped or excluded as a
    /// whole.
    fn parts_of(&mut self, all: &'plan [Skipped]) -> PathsByKey<'plan> {
        let mut parts = PathsByKey::new();
        for left in all {
            match &left.path {
                None => drop(self.skipped.insert(&left.key)),
                Some(path) => drop(parts.entry(&left.key).or_default().insert(path)),
            }
        }
        parts
    }

    /// Returns the part of a desired body that will be in the target, with skipped and excluded fields as they are in
    /// the target.
    ///
    /// A list that lacks an element is not agreed on; a list that keeps protected elements is, without these. Values
    /// that only the target has are left out: a source that never had them cannot remove them.
    fn agreed(&self, key: &Key, mut wanted: PackedBody, held: Option<&Resource>, kept: &[String]) -> PackedBody {
        let of = |parts: &PathsByKey<'plan>| parts.get(key).cloned().unwrap_or_default();
        let left_to_the_target = kept.iter().filter(|_| held.is_some()).map(String::as_str);
        let not_agreed: Vec<&str> = of(&self.parts).into_iter().chain(left_to_the_target).collect();
        let excluded = of(&self.excluded);
        if !not_agreed.is_empty() || !excluded.is_empty() {
            let held = held.map(|held| held.body.open()).unwrap_or_default();
            wanted.change(|body| {
                // A blank equals an absent field. With the target's value in its place, the source would seem to have
                // removed it later.
                let is_wanted = |path: &&str| body.find(path).iter().any(|(_, value)| !is_blank(value));
                let excluded: Vec<&str> = excluded.into_iter().filter(is_wanted).collect();
                let (elements, whole): (Vec<_>, Vec<_>) = excluded.into_iter().partition(|path| self.is_of_reserved(path, body, &held));
                for path in elements {
                    self.take_reserved(path, body);
                }
                not_agreed.into_iter().chain(whole).for_each(|path| body.take_over(path, &held));
            });
        }
        wanted
    }
}

impl Disagreements<'_> {
    fn is_reserved(&self, element: &Value) -> bool {
        id_substitution::mentioned(element).iter().any(|key| self.reserved.contains(key))
    }

    /// Returns whether a path is that of a list element that refers to a protected resource.
    fn is_of_reserved(&self, path: &str, wanted: &Body, held: &Body) -> bool {
        let Some((list, _)) = path.split_once('[') else { return false };
        [wanted, held].iter().filter_map(|body| body.get(list)?.as_array()).flatten().any(|element| self.is_reserved(element))
    }

    /// Removes from a list the elements that refer to protected resources.
    fn take_reserved(&self, path: &str, body: &mut Body) {
        let list = path.split('[').next().unwrap_or(path);
        body.change(list, &mut |value| {
            if let Value::Array(elements) = value {
                elements.retain(|element| !self.is_reserved(element));
            }
        });
    }
}

/// Returns the protected keys of both sides.
fn reserved(desired: &Desired, live: &Snapshot, partners: &[Option<usize>]) -> HashSet<Key> {
    let held = |at: &Option<usize>| at.is_some_and(|at| live.resources[at].reserved.is_some());
    let wanted = desired.snapshot.resources.iter().zip(partners);
    let wanted = wanted.filter(|(one, at)| one.reserved.is_some() || held(at)).map(|(one, _)| one.key.clone());
    wanted.chain(live.resources.iter().filter(|one| one.reserved.is_some()).map(|one| one.key.clone())).collect()
}

/// Returns the values of a resource that only the target has.
fn only_of(held: &PackedBody, wanted: &PackedBody) -> PackedBody {
    fn objects(held: &Map<String, Value>, wanted: &Map<String, Value>) -> Body {
        let own = held.iter().filter_map(|(name, value)| match (value, wanted.get(name)) {
            (Value::Object(held), Some(Value::Object(wanted))) => {
                let own = objects(held, wanted);
                (!own.is_empty()).then(|| (name.clone(), own.into_value()))
            }
            (_, wanted) => wanted.is_none_or(is_blank).then(|| (name.clone(), value.clone())),
        });
        own.collect()
    }
    if held == wanted { PackedBody::default() } else { objects(&held.open().0, &wanted.open().0).into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::Id;
    use crate::model::resource::key;
    use crate::plan::{Action, Change, PlannedTenant, Skipped, Stage};
    use serde_json::json;
    use std::collections::BTreeMap;

    fn body(value: Value) -> Body {
        Body::from_value(value).expect("an object")
    }

    fn client(id: &str, name: &str, held: Value) -> Resource {
        Resource::new(key(&format!("clients/{name}")), Id::new(id), body(held))
    }

    fn holding(resources: Vec<Resource>) -> Snapshot {
        let (tenant, domain, taken) = (String::new(), String::new(), String::new());
        Snapshot { tenant, domain, taken, kinds: BTreeMap::new(), resources, twice: Vec::new(), selection: None }
    }

    /// A plan that creates these clients and skips these fields.
    fn plan(creates: &[&str], skipped: &[(&str, Option<&str>)]) -> Plan {
        let side = |name: &str| PlannedTenant::new(name, &format!("{name}.example"), "");
        let mut plan = Plan::between(side("dev"), side("prod"));
        let change = |name: &&str| Change {
            key: key(&format!("clients/{name}")),
            source_id: Id::new("s"),
            action: Action::Create { body: Body::new(), twins: Vec::new() },
            needs: Vec::new(),
            secrets: Vec::new(),
        };
        plan.stages.push(Stage { title: String::new(), changes: creates.iter().map(change).collect() });
        let left = |(name, path): &(&str, Option<&str>)| Skipped::new(key(&format!("clients/{name}")), path.map(str::to_owned), "");
        plan.skipped = skipped.iter().map(left).collect();
        plan
    }

    fn applied(id: &str, wanted: Value, own: Option<Value>) -> AppliedResource {
        AppliedResource { own: own.map(|own| body(own).into()), ..AppliedResource::whole(Id::new(id), body(wanted).into()) }
    }

    #[test]
    fn existing_resources_are_agreed_on_and_planned_creates_are_expected() {
        let wanted = vec![client("s1", "Web", json!({"a": 1, "deep": {"b": 2}})), client("s2", "New", json!({"a": 1}))];
        let live = holding(vec![client("t1", "Web", json!({"a": 1, "deep": {"b": 2, "c": 3}, "own": true}))]);
        let agreement = ExpectedBaseline::new(Desired::unmapped(holding(wanted)), &live, vec![Some(0), None], &plan(&["New"], &[]));
        let web = applied("t1", json!({"a": 1, "deep": {"b": 2}}), Some(json!({"deep": {"c": 3}, "own": true})));
        assert_eq!(agreement.held, [(key("clients/Web"), web)]);
        let expected: Vec<(&Key, &AppliedResource)> = agreement.expected.iter().collect();
        assert_eq!(expected, [(&key("clients/New"), &applied("s2", json!({"a": 1}), None))]);
    }

    #[test]
    fn skipped_fields_and_those_left_to_the_target_are_not_agreed_on() {
        let wanted = ["Web", "Shop", "Out"].map(|name| client("s", name, json!({"a": "new"})));
        let live = holding(["Web", "Shop", "Out"].map(|name| client(name, name, json!({"a": "old"}))).to_vec());
        let desired = Desired { kept: vec![(key("clients/Shop"), "a".into())], ..Desired::unmapped(holding(wanted.to_vec())) };
        let plan = plan(&[], &[("Web", Some("a")), ("Out", None)]);
        let agreement = ExpectedBaseline::new(desired, &live, vec![Some(0), Some(1), Some(2)], &plan);
        let old = |name: &str, kept: Vec<String>| {
            (key(&format!("clients/{name}")), AppliedResource { kept, ..applied(name, json!({"a": "old"}), Some(json!({}))) })
        };
        assert_eq!(
            agreement,
            ExpectedBaseline { held: vec![old("Web", Vec::new()), old("Shop", vec!["a".into()])], expected: Baseline::default() }
        );
    }

    #[test]
    fn values_that_only_the_target_has_stay_its_own_even_if_the_plan_keeps_them() {
        let (wanted, held) = (client("s1", "Web", json!({"a": 1})), client("t1", "Web", json!({"a": 1, "grant_types": ["implicit"]})));
        let mut plan = plan(&[], &[("Web", Some("grant_types"))]);
        plan.excluded = std::mem::take(&mut plan.skipped);
        let agreement = ExpectedBaseline::new(Desired::unmapped(holding(vec![wanted])), &holding(vec![held]), vec![Some(0)], &plan);
        let web = applied("t1", json!({"a": 1}), Some(json!({"grant_types": ["implicit"]})));
        assert_eq!(agreement.held, [(key("clients/Web"), web)]);
    }
}
