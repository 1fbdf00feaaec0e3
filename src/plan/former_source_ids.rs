//! Replaces ids of deleted resources that texts of the source still contain by the ids of their counterparts in the target.
//!
//! After a client is deleted, code, lists and fields may still contain its id. Its link identifies the counterpart in
//! the target, so the source's id never reaches the target, and a target text with the counterpart's id counts as
//! equal.

use std::collections::{HashMap, HashSet};

use super::matching::matched;
use crate::catalog::{Catalog, Kind};
use crate::model::resource::{Id, Key};
use crate::snapshot::{Desired, FormerIds, Snapshot};
use crate::state::links::{Link, Links};
use crate::state::source_ids::SourceIds;

/// Replaces ids of resources that were deleted from the source by their counterparts in the target.
///
/// A resource that never had a counterpart is recorded as deleted: texts that name it cannot be copied.
pub fn mark_former_ids(catalog: &Catalog, desired: &mut Desired, live: &Snapshot, links: &Links, source_ids: &SourceIds) {
    let departed = links_of_deleted(&desired.snapshot, links);
    let lacking = unlinked_source_ids(desired, links, source_ids);
    if departed.is_empty() && lacking.is_empty() {
        return;
    }
    let names = matched(catalog, &desired.snapshot, live, links).names;
    let held: HashMap<(&Kind, &Id), &Key> = live.resources.iter().map(|held| ((held.key.kind(), &held.id), &held.key)).collect();
    let (mut gone, mut is_named) = (FormerIds::default(), HashSet::new());
    for (key, id) in lacking {
        gone.learn_as(&key, id, id);
        is_named.insert(key);
    }
    for (kind, link) in departed {
        let key = if let Some(key) = held.get(&(kind, &link.target_id)) {
            let key = names.get(*key).unwrap_or(key).clone();
            is_named.insert(key.clone());
            key
        } else {
            // If the target lacks it too, its key may be taken by another resource, so the id is used instead.
            Key::new(kind, link.target_id.as_str())
        };
        gone.learn_as(&key, &link.source_id, &link.target_id);
    }
    for wanted in &mut desired.snapshot.resources {
        let kind = wanted.key.kind();
        wanted.body.change(|body| {
            gone.mark(kind, body);
            gone.unmark(kind, body, &|key| is_named.contains(key));
        });
    }
}

/// Returns deleted resources of the source without a link, each under an unused key.
fn unlinked_source_ids<'ids>(desired: &Desired, links: &Links, source_ids: &'ids SourceIds) -> Vec<(Key, &'ids Id)> {
    let source = &desired.snapshot;
    let held: HashSet<(&Kind, &Id)> = source.resources.iter().map(|one| (one.key.kind(), &one.id)).collect();
    let is_skipped = |kind: &str, id: &Id| desired.skipped.contains(&(kind.to_owned(), id.clone()));
    let is_gone =
        |kind: &Kind, id: &Id| !held.contains(&(kind, id)) && !is_skipped(kind.name, id) && links.of_source(kind.name, id).is_none();
    let known = source_ids.iter().filter_map(|(kind, id, name)| Some((Kind::named(kind)?, id, name)));
    let gone = known.filter(|(kind, id, _)| source.is_complete(kind.name) && is_gone(kind, id));
    gone.map(|(kind, id, name)| (Key::new(kind, &format!("{name} (gone from {})", source.tenant)), id)).collect()
}

/// Returns the links of resources deleted from the source, for kinds that were listed completely.
fn links_of_deleted<'links>(source: &Snapshot, links: &'links Links) -> Vec<(&'static Kind, &'links Link)> {
    let held: HashSet<(&Kind, &Id)> = source.resources.iter().map(|one| (one.key.kind(), &one.id)).collect();
    let of_kind = |link: &'links Link| Some((Kind::named(&link.kind).filter(|kind| source.is_complete(kind.name))?, link));
    links.iter().filter_map(of_kind).filter(|(kind, link)| !held.contains(&(kind, &link.source_id))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::json::Body;
    use crate::model::resource::Resource;
    use crate::model::resource::key;
    use crate::snapshot::Status;

    const OF_SOURCE: &str = "devPortal000000000000000000000000";
    const NEVER_COPIED: &str = "devSecret00000000000000000000000";
    const OF_TARGET: &str = "prodPortal00000000000000000000000";

    fn action(code: &str) -> Resource {
        let body = Body::from_value(json!({"name": "gate", "code": code})).expect("an object");
        Resource::new(key("actions/gate"), Id::new("a1"), body)
    }

    fn client(id: &str, name: &str) -> Resource {
        Resource::new(key(&format!("clients/{name}")), Id::new(id), Body::from_value(json!({ "name": name })).expect("an object"))
    }

    fn holding(resources: Vec<Resource>) -> Snapshot {
        let (tenant, domain, taken) = (String::new(), String::new(), String::new());
        let kinds = ["actions", "clients"].into_iter().map(|kind| (kind.to_owned(), Status::Complete)).collect::<BTreeMap<_, _>>();
        Snapshot { tenant, domain, taken, kinds, resources, twice: Vec::new(), selection: None }
    }

    /// Returns the desired code if the source's code names a client that the source deleted.
    fn code(source: Vec<Resource>, live: Vec<Resource>) -> String {
        code_naming(OF_SOURCE, source, live)
    }

    fn code_naming(id: &str, source: Vec<Resource>, live: Vec<Resource>) -> String {
        let mut links = Links::default();
        links.link(&Id::new(OF_SOURCE), &Id::new(OF_TARGET), &key("clients/Portal"));
        let code = action(&format!("allow('{id}', '⟦clients/Web⟧')"));
        let mut desired = Desired::unmapped(holding([vec![code], source].concat()));
        let mut ids = SourceIds::default();
        ids.learn(&key("clients/Secret"), &Id::new(NEVER_COPIED));
        mark_former_ids(Catalog::standard(), &mut desired, &holding(live), &links, &ids);
        desired.snapshot.resources[0].body.open().get("code").and_then(|code| code.as_str()).expect("a text").to_owned()
    }

    #[test]
    fn a_deleted_resource_that_the_target_still_has_becomes_a_reference() {
        assert_eq!(code(Vec::new(), vec![client(OF_TARGET, "Portal")]), "allow('⟦clients/Portal⟧', '⟦clients/Web⟧')");
    }

    #[test]
    fn a_resource_deleted_in_both_is_named_by_its_target_id_never_by_its_source_id() {
        assert_eq!(code(Vec::new(), Vec::new()), format!("allow('{OF_TARGET}', '⟦clients/Web⟧')"));
    }

    #[test]
    fn a_newer_resource_of_the_same_name_is_a_different_one() {
        let namesake = client("devPortal111111111111111111111111", "Portal");
        assert_eq!(code(vec![namesake], Vec::new()), format!("allow('{OF_TARGET}', '⟦clients/Web⟧')"));
    }

    #[test]
    fn an_existing_resource_keeps_its_own_key() {
        let untouched = format!("allow('{OF_SOURCE}', '⟦clients/Web⟧')");
        assert_eq!(code(vec![client(OF_SOURCE, "Portal")], vec![client(OF_TARGET, "Portal")]), untouched);
    }

    #[test]
    fn a_resource_without_a_counterpart_is_reported_as_deleted() {
        let named = "allow('⟦clients/Secret (gone from )⟧', '⟦clients/Web⟧')";
        assert_eq!(code_naming(NEVER_COPIED, Vec::new(), Vec::new()), named);
    }
}
