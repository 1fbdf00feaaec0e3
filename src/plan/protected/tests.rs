//! For every kind and every reference of the catalog: references to protected resources stay as in the target.

use serde_json::json;

use super::*;
use crate::catalog::Catalog;
use crate::plan::builder::plan_after;
use crate::plan::inputs::PlanContext;
use crate::plan::merge::OnDrift;
use crate::plan::model::Plan;
use crate::plan::reason::DesiredState;
use crate::snapshot::{Desired, Snapshot, Status};
use crate::state::baseline::Baseline;
use crate::state::fingerprints::SentSecrets;
use crate::state::links::Links;

/// A reference of a kind, and the names of a protected and of another resource that it can refer to.
struct Case {
    kind: &'static Kind,
    reference: &'static Reference,
    protected: Key,
    other: Key,
}

impl Case {
    fn all() -> Vec<Self> {
        let of_kind = |kind: &'static Kind| kind.references.iter().map(move |reference| (kind, reference));
        let case = |(kind, reference): (&'static Kind, &'static Reference)| {
            let key = |name: &str| Key::new(reference.kind(), name);
            Self { kind, reference, protected: key("Protected"), other: key("Other") }
        };
        Catalog::standard().kinds().flat_map(of_kind).map(case).collect()
    }

    fn is_identity(&self) -> bool {
        is_identity(self.kind, self.reference)
    }

    fn told(&self) -> String {
        format!("{}: {}", self.kind.name, self.reference.path)
    }

    /// Returns a body in which the reference names these resources, one per list element.
    fn body(&self, named: &[&Key]) -> Body {
        let mut body = Body::new();
        for (at, key) in named.iter().enumerate() {
            let text = format!("⟦{key}⟧");
            let text = if self.reference.by == ReferencedBy::Within { format!("client_id:{text}") } else { text };
            let value = Value::String(text);
            match self.reference.path.split_once("[]") {
                Some((list, rest)) => {
                    let mut elements = body.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
                    elements.push(nested(rest.trim_start_matches('.'), value));
                    body.set(list, Value::Array(elements));
                }
                None => body.set(self.reference.path, if at == 0 { value } else { continue }),
            }
        }
        body
    }

    /// Returns a resource of the kind that names these, or only the first if it can name only one.
    fn resource(&self, named: &[&Key]) -> Resource {
        let name = if self.kind.shape == Shape::Singleton { "" } else { "One" };
        Resource::new(Key::new(self.kind, name), Id::new("one"), self.body(named))
    }

    /// Returns a tenant with the named resources, the parent, and the resource itself if it names any.
    fn tenant(&self, named: Option<&[&Key]>, is_protected: bool) -> Snapshot {
        let plain = |key: Key| Resource::new(key.clone(), Id::new(key.name()), Body::new());
        let mut resources = vec![plain(self.protected.clone()), plain(self.other.clone())];
        if let (Shape::Child { .. }, Some(parent)) = (self.kind.shape, self.kind.parent()) {
            resources.push(Resource { id: Id::new("one"), ..plain(Key::new(parent, "One")) });
        }
        // If the source has no resources of a kind, none of that kind is pruned.
        if self.kind.has_own_ids() {
            resources.push(Resource { id: Id::new("two"), ..plain(Key::new(self.kind, "Two")) });
        }
        resources.extend(named.map(|named| self.resource(named)));
        let kinds = Catalog::standard().kinds().map(|kind| (kind.name.to_owned(), Status::Complete)).collect();
        let (tenant, domain) = ("t".to_owned(), "t.auth0.com".to_owned());
        let mut snapshot = Snapshot { tenant, domain, taken: String::new(), kinds, resources, twice: Vec::new(), selection: None };
        if is_protected {
            snapshot.protect(&[glob::Pattern::new(&self.protected.to_string()).expect("a pattern")]);
        }
        snapshot.sort(Catalog::standard());
        snapshot
    }

    /// Plans with everything linked; the resource names `source` on one side and `target` on the other.
    fn planned(&self, source: Option<&[&Key]>, target: Option<&[&Key]>) -> Plan {
        self.planned_where(source, target, true)
    }

    fn planned_where(&self, source: Option<&[&Key]>, target: Option<&[&Key]>, is_protected: bool) -> Plan {
        let (source, target) = (self.tenant(source, false), self.tenant(target, is_protected));
        let links = Links::within(&target.resources);
        let mut base = Baseline::default();
        target.resources.iter().for_each(|one| base.record_applied(&one.key, &one.id, one.body.clone()));
        let sent = SentSecrets::default();
        let past = PlanContext {
            links: &links,
            base: &base,
            sent: &sent,
            on_drift: OnDrift::Keep,
            prune: true,
            desired_state: DesiredState::Source,
        };
        plan_after(Catalog::standard(), &Desired::unmapped(source), &target, past)
    }

    /// Returns the elements of a value that name the protected resource, or the value itself.
    fn naming(&self, value: &Value) -> Vec<Value> {
        let names = |value: &Value| id_substitution::mentioned(value).contains(&self.protected);
        match value {
            Value::Object(fields) => fields.values().flat_map(|value| self.naming(value)).collect(),
            Value::Array(list) => list.iter().filter(|element| names(element)).cloned().collect(),
            value => names(value).then(|| value.clone()).into_iter().collect(),
        }
    }

    /// Checks that a plan writes no reference to a protected resource except those that the target has.
    fn check(&self, plan: &Plan, held: &[&Key], what: &str) {
        let told = || format!("{}, {what}: {:?}", self.told(), plan.stages);
        let held = self.naming(&self.body(held).into_value());
        for change in plan.changes() {
            match &change.action {
                Action::Create { body, .. } | Action::Delete { body, .. } => {
                    assert_eq!(self.naming(&body.clone().into_value()), [json!(null); 0], "{}", told());
                }
                Action::Update { body, edits, .. } => {
                    for edit in edits {
                        let side = |value: &Option<Value>| value.as_ref().map(|value| self.naming(value)).unwrap_or_default();
                        assert_eq!(side(&edit.old), side(&edit.new), "{}", told());
                    }
                    let written = self.naming(&body.clone().into_value());
                    assert!(written.is_empty() || written == held, "{}", told());
                }
                Action::Elements { added, removed, .. } => {
                    assert_eq!(self.naming(&json!([added, removed])), [json!(null); 0], "{}", told());
                }
            }
            assert_ne!(change.key, self.protected, "{}", told());
        }
    }

    fn is_left_alone(&self, plan: &Plan) -> bool {
        plan.excluded.iter().any(|left| left.key.kind() == self.kind)
    }
}

/// Returns a value nested below the rest of a path; a wildcard for any depth is one level.
fn nested(rest: &str, value: Value) -> Value {
    match rest.split_once('.') {
        _ if rest.is_empty() => value,
        Some(("**", rest)) => json!({"deep": nested(rest, value)}),
        Some((name, rest)) => nested_in(name, nested(rest, value)),
        None => nested_in(rest, value),
    }
}

fn nested_in(name: &str, value: Value) -> Value {
    let value = if name.ends_with("[]") { json!([value]) } else { value };
    json!({name.trim_end_matches("[]"): value})
}

#[test]
fn references_to_protected_resources_stay_as_in_the_target_for_every_kind() {
    for case in Case::all().iter().filter(|case| !case.is_identity()) {
        let (protected, other) = (&case.protected, &case.other);
        let sides: [(&[&Key], &[&Key], &str); 4] = [
            (&[other], &[protected], "it would be put in the place of another"),
            (&[protected], &[other], "another would be put in its place"),
            (&[], &[protected], "it would be taken away"),
            (&[protected], &[], "it would be added"),
        ];
        for (source, target, what) in sides {
            let plan = case.planned(Some(source), Some(target));
            case.check(&plan, target, what);
            assert!(case.is_left_alone(&plan), "{}, {what}: nobody is told: {:?}", case.told(), plan.excluded);
        }
    }
}

#[test]
fn other_elements_of_a_list_with_a_protected_reference_are_still_updated() {
    let is_set = |case: &&Case| matches!(part_of(case.kind, case.reference), ProtectedPart::Elements(_));
    for case in Case::all().iter().filter(is_set) {
        let plan = case.planned(Some(&[&case.other]), Some(&[&case.protected]));
        case.check(&plan, &[&case.protected], "another is added");
        assert_eq!(plan.changes().count(), 1, "{}: {:?}", case.told(), plan.stages);
    }
}

#[test]
fn a_protected_resource_is_not_reset_by_a_write_of_another_kind() {
    for kind in Catalog::standard().kinds().filter(|kind| !kind.quirks.resets.is_empty()) {
        let tenant = |value: &str, is_protected: bool| {
            let one = |name: &str, value: Value| {
                let kind = Kind::named(name).expect("a kind");
                let field = kind.fields.writable().iter().next().expect("a field").name;
                Resource::new(Key::new(kind, ""), Id::new(name), Body::from_iter([(field.to_owned(), value)]))
            };
            let mut resources = vec![one(kind.name, json!(value))];
            resources.extend(kind.quirks.resets.iter().map(|name| one(name, json!(1))));
            let kinds = resources.iter().map(|one| (one.key.kind().name.to_owned(), Status::Complete)).collect();
            let (tenant, domain) = ("t".to_owned(), "t.auth0.com".to_owned());
            let mut snapshot = Snapshot { tenant, domain, taken: String::new(), kinds, resources, twice: Vec::new(), selection: None };
            if is_protected {
                snapshot.protect(&kind.quirks.resets.iter().map(|name| glob::Pattern::new(name).expect("a pattern")).collect::<Vec<_>>());
            }
            snapshot
        };
        let planned = |is_protected| {
            let desired = Desired::unmapped(tenant("new", false));
            crate::plan::plan(Catalog::standard(), &desired, &tenant("old", is_protected), &Links::default())
        };
        assert!(!planned(false).is_empty() && planned(true).is_empty(), "{}: {:?}", kind.name, planned(true).stages);
    }
}

#[test]
fn no_resource_that_refers_to_a_protected_one_is_created_or_deleted() {
    for case in Case::all() {
        let plan = case.planned(Some(&[&case.protected, &case.other]), None);
        case.check(&plan, &[], "a new one names it");
        let plan = case.planned(None, Some(&[&case.protected, &case.other]));
        case.check(&plan, &[&case.protected], "one that is gone names it");
        let removes = |plan: &Plan| plan.changes().any(|change| change.key.kind() == case.kind);
        assert!(!removes(&plan), "{}: {:?}", case.told(), plan.stages);
        let unprotected = case.planned_where(None, Some(&[&case.protected, &case.other]), false);
        let is_pruned = case.kind.has_own_ids() && case.kind.can_be_deleted();
        assert!(!is_pruned || removes(&unprotected), "{}: {:?}", case.told(), unprotected.skipped);
    }
}

#[test]
fn belongings_of_a_protected_resource_are_not_changed() {
    for case in Case::all().iter().filter(|case| case.is_identity()) {
        let mut source = case.tenant(Some(&[&case.protected]), false);
        let field = case.kind.fields.writable().iter().find(|field| !case.kind.identity.key.contains(&field.name) && !field.in_path);
        let Some(field) = field else { continue };
        let of_kind = |one: &&mut Resource| one.key.kind() == case.kind && one.id.as_str() == "one";
        source.resources.iter_mut().filter(of_kind).for_each(|one| one.body.change(|body| body.set(field.name, json!("changed"))));
        let live = case.tenant(Some(&[&case.protected]), true);
        let plan = crate::plan::plan(Catalog::standard(), &Desired::unmapped(source), &live, &Links::default());
        assert!(plan.is_empty() && case.is_left_alone(&plan), "{}: {:?}", case.told(), plan.stages);
    }
}

#[test]
fn a_single_edit_that_affects_a_protected_resource_is_found_by_ids_too() {
    for case in Case::all() {
        let raw = |named: &[&Key]| {
            let text = serde_json::to_string(&case.body(named)).expect("JSON");
            let text = named.iter().fold(text, |text, key| text.replace(&format!("⟦{key}⟧"), key.name()));
            serde_json::from_str::<Body>(&text).expect("a body")
        };
        let live = case.tenant(None, true);
        let held = |body: Body| Resource { key: Key::new(case.kind, "One"), ..Resource::new(case.protected.clone(), Id::new("one"), body) };
        let side = crate::plan::PlannedTenant::new("t", "t.auth0.com", "");
        let touched = |before: &[&Key], after: &[&Key]| {
            let (before, mut after) = (held(raw(before)), held(raw(after)));
            if case.is_identity() {
                let field =
                    case.kind.fields.writable().iter().find(|field| !case.kind.identity.key.contains(&field.name) && !field.in_path)?;
                after.body.change(|body| body.set(field.name, json!("changed")));
            }
            let plan = crate::plan::plan_single_resource(Catalog::standard(), &side, "One", &before, &after);
            let is_read = crate::plan::related_kinds(&plan).contains(case.reference.to);
            assert!(plan.is_empty() || is_read, "{}: what it names is not looked at", case.told());
            (!plan.is_empty()).then(|| crate::plan::protected_touched_by(&plan, &before, &live))
        };
        let (protected, other): (&[&Key], &[&Key]) = (&[&case.protected], &[&case.other]);
        let sides = if case.is_identity() { [(protected, protected); 2] } else { [(other, protected), (protected, other)] };
        for (before, after) in sides {
            if let Some(touched) = touched(before, after) {
                assert_eq!(touched.as_ref(), Some(&case.protected), "{}: {before:?} -> {after:?}", case.told());
            }
        }
    }
}
