//! Facts that are true for every entry of the catalog.

use std::collections::BTreeMap;

use super::risk::{RiskClass, Risks};
use super::*;

#[test]
fn every_reference_has_an_existing_kind_and_a_writable_path() {
    let catalog = Catalog::standard();
    for kind in catalog.kinds() {
        for reference in kind.references {
            assert!(catalog.kind(reference.to).is_some(), "{} -> {}", kind.name, reference.to);
            assert!(kind.fields.writable().has(reference.path), "{}: {} is not writable", kind.name, reference.path);
        }
    }
}

#[test]
fn every_path_in_an_entry_is_a_known_field() {
    for kind in Catalog::standard().kinds() {
        let paths = kind
            .lists
            .unordered
            .iter()
            .chain(kind.fields.read_modify_write)
            .chain(kind.fields.replaced)
            .chain(kind.fields.merge_only)
            .chain(kind.fields.always_sent)
            .chain(kind.fields.required)
            .chain(kind.identity.key)
            .chain(kind.defaults.server_filled);
        let mirrors = kind.quirks.defaults_to_field.iter().flat_map(|(path, other)| [*path, *other]);
        let fields_of =
            |made: &GeneratedSecretField| [Some(made.path), made.when.map(|(field, _)| field), made.unused_when.map(|(field, _)| field)];
        let made = kind.secrets.generated.iter().flat_map(fields_of).flatten();
        let together = kind.fields.written_together.iter().copied().flatten().copied();
        let paths = paths.copied().chain(together);
        let conditional = kind.quirks.required_when.iter().flat_map(|(field, _, path)| [*field, *path]);
        for path in paths.chain(kind.defaults.values.iter().map(|(path, _)| *path)).chain(mirrors).chain(made).chain(conditional) {
            assert!(kind.fields.writable().has(path), "{}: {path}", kind.name);
        }
        for (set, field) in kind.lists.element_key {
            let is_known = kind.lists.unordered.contains(set) && kind.fields.writable().has(&format!("{set}[].{field}"));
            assert!(is_known, "{}: {set}, {field}", kind.name);
        }
    }
}

#[test]
fn every_default_is_json() {
    for kind in Catalog::standard().kinds() {
        for (path, text) in kind.defaults.values {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{}: {path} = {text}", kind.name);
        }
    }
}

#[test]
fn an_object_with_a_secret_two_levels_down_is_merged_into_the_targets_own() {
    let merged = |kind: &str| -> Vec<&str> {
        let kind = Catalog::standard().kind(kind).expect("a kind");
        kind.fields.writable().iter().map(|field| field.name).filter(|name| kind.is_read_modify_write(name)).collect()
    };
    assert_eq!(merged("clients"), ["addons"]);
    assert_eq!(merged("connections"), ["options"]);
}

#[test]
fn kinds_come_after_those_they_refer_to() {
    let order: Vec<_> = Catalog::standard().kinds().map(|kind| kind.name).collect();
    let place = |name| order.iter().position(|kind| *kind == name).expect("a kind");
    assert!(place("resource-servers") < place("clients"));
    assert!(place("clients") < place("client-grants"));
    assert!(place("roles") < place("role-permissions"));
    assert!(place("connections") < place("tenant-settings"));
}

#[test]
fn the_nearest_kind_is_found_for_a_misspelt_one() {
    assert_eq!(Catalog::standard().nearest("cleints"), Some("clients"));
    assert_eq!(Catalog::standard().nearest("tenant"), None);
    assert_eq!(Catalog::standard().nearest("zzzzzzzzzzzzzzz"), None);
}

#[test]
fn every_exclusion_declares_whether_the_resource_is_foreign() {
    let marks = Catalog::standard()
        .kinds()
        .flat_map(|kind| kind.lifecycle.excluded.iter().map(move |alone| (kind.name, alone.field, alone.is_foreign)));
    let (foreign, own): (Vec<_>, Vec<_>) = marks.partition(|(.., is_foreign)| *is_foreign);
    let fields = |marks: Vec<(&'static str, &'static str, bool)>| -> Vec<String> {
        marks.into_iter().map(|(kind, field, _)| format!("{kind}: {field}")).collect()
    };
    let of_others = [
        "roles: type",
        "actions: integration",
        "actions: installed_integration_id",
        "clients: is_first_party",
        "clients: external_metadata_type",
        "clients: external_metadata_type",
    ];
    let of_the_tenant = [
        "resource-servers: is_system",
        "clients: global",
        "client-grants: is_system",
        "experimentation-feature-flags: type",
        "experimentation-segments: type",
    ];
    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    let expected = |list: &[&str]| sorted(list.iter().map(|text| (*text).to_owned()).collect());
    assert_eq!(sorted(fields(foreign)), expected(&of_others));
    assert_eq!(sorted(fields(own)), expected(&of_the_tenant));
}

#[test]
fn kinds_that_a_write_resets_come_after_it() {
    let catalog = Catalog::standard();
    for kind in catalog.kinds() {
        for reset in kind.quirks.resets {
            assert!(catalog.position(catalog.kind(reset).expect("a kind")) > catalog.position(kind), "{}: {reset}", kind.name);
        }
    }
}

#[test]
fn unique_fields_and_those_of_built_in_resources_exist() {
    for kind in Catalog::standard().kinds() {
        for path in kind.identity.unique.iter().chain(kind.quirks.built_in.iter().flat_map(|given| given.fields)) {
            assert!(kind.fields.writable().has(path), "{}: {path}", kind.name);
        }
    }
}

#[test]
fn a_kind_without_own_ids_can_be_deleted_or_emptied_or_is_a_known_exception() {
    let kinds = || Catalog::standard().kinds().filter(|kind| !kind.has_own_ids() && !matches!(kind.shape, Shape::Child { .. }));
    let is_there_for_good = |kind: &&Kind| kind.shape == Shape::Singleton && kind.creation().is_none() && !kind.identity.is_optional;
    let sorted = |mut names: Vec<&'static str>| {
        names.sort_unstable();
        names
    };
    assert_eq!(
        sorted(kinds().filter(|kind| kind.empty_body().is_some()).map(|kind| kind.name).collect()),
        ["action-trigger-bindings", "connection-synchronized-groups", "prompt-custom-text", "prompt-partials", "self-service-custom-text"]
    );
    // Every tenant has the login page and the factors; for the others the API has no DELETE.
    assert_eq!(
        sorted(kinds().filter(|kind| !kind.can_be_deleted() && !is_there_for_good(kind)).map(|kind| kind.name).collect()),
        ["client-login-page", "email-templates", "guardian-factors", "prompt-rendering"]
    );
}

/// Returns every path that an edit may have; lists are compared as a whole.
fn paths(fields: &Fields, above: &str) -> Vec<String> {
    let below = |field: &Field| {
        let path = crate::json::join(above, field.name);
        match &field.below {
            Some(below) if !(field.is_list || below.is_open() && below.iter().next().is_none()) => paths(below, &path),
            _ => vec![path],
        }
    };
    let open = fields.is_open().then(|| crate::json::join(above, "anything"));
    fields.iter().flat_map(below).chain(open).collect()
}

fn all_risks() -> impl Iterator<Item = (&'static Kind, &'static Risks)> {
    Catalog::standard().kinds().map(|kind| (kind, &kind.risk))
}

#[test]
fn every_writable_field_of_every_kind_has_a_rule() {
    let without: Vec<String> = all_risks()
        .flat_map(|(kind, risks)| paths(kind.fields.writable(), "").into_iter().map(move |path| (kind, risks, path)))
        .filter(|(_, risks, path)| risks.rule(path).is_none())
        .map(|(kind, _, path)| format!("{}: {path}", kind.name))
        .collect();
    assert_eq!(without, [""; 0], "they need a rule");
}

#[test]
fn every_path_with_a_rule_is_writable_and_has_only_one_rule() {
    for (kind, risks) in all_risks() {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for path in risks.fields.iter().flat_map(|(_, paths)| paths.split_whitespace()) {
            *seen.entry(path).or_default() += 1;
            assert!(path == "*" || kind.fields.writable().has(path), "{} has no {path}", kind.name);
        }
        let twice: Vec<&str> = seen.into_iter().filter(|(_, times)| *times > 1).map(|(path, _)| path).collect();
        assert_eq!(twice, [""; 0], "{}", kind.name);
    }
}

#[test]
fn deleting_a_resource_of_a_collection_is_data_loss() {
    let locks_out =
        |(kind, risks): &(&'static Kind, &'static Risks)| risks.deleted == RiskClass::Lockout && kind.shape == Shape::Collection;
    assert_eq!(all_risks().filter(locks_out).map(|(kind, _)| kind.name).collect::<Vec<_>>(), [""; 0]);
}

/// The methods of the builder, in the order of their definition.
fn words() -> Vec<&'static str> {
    let methods = include_str!("builder.rs").split("pub const fn ").skip(1).filter(|method| method.contains("mut self"));
    methods.filter_map(|method| method.split('(').next()).collect()
}

#[test]
fn every_entry_calls_the_builder_methods_in_order() {
    let words = words();
    let sources = [
        include_str!("kinds/access.rs"),
        include_str!("kinds/actions.rs"),
        include_str!("kinds/applications.rs"),
        include_str!("kinds/branding.rs"),
        include_str!("kinds/connections.rs"),
        include_str!("kinds/experiments.rs"),
        include_str!("kinds/flows.rs"),
        include_str!("kinds/guardian.rs"),
        include_str!("kinds/organizations.rs"),
        include_str!("kinds/profiles.rs"),
        include_str!("kinds/protection.rs"),
        include_str!("kinds/streams.rs"),
        include_str!("kinds/tenant.rs"),
    ];
    let entries: Vec<&str> = sources.iter().flat_map(|source| source.split(": Kind =").skip(1)).collect();
    assert_eq!(entries.len(), Catalog::standard().kinds().count());
    for entry in entries {
        let stated = entry.lines().filter_map(|line| line.trim_start().strip_prefix('.')?.split('(').next());
        let places: Vec<usize> = stated.filter_map(|word| words.iter().position(|known| *known == word)).collect();
        assert!(places.is_sorted_by(|one, next| one < next), "out of order: {entry}");
        assert!(places.contains(&(words.len() - 1)), "no risk: {entry}");
    }
}
