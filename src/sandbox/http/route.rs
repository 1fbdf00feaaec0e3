//! Routing: the kind of the catalog that a path belongs to, and what it addresses.

use crate::catalog::address::{matched, places};
use crate::catalog::{Catalog, ElementChanges, KeyNames, Kind, Shape};

/// What a path addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// The list of a kind, or the object of a singleton.
    Root,
    /// The list of a nested kind below this parent.
    ListUnder(String),
    /// The resource with this id, or the list or part below it.
    Resource(String),
    /// The element with this name in the list below this parent.
    Element(String, String),
    /// The follow-up of the resource with this id.
    FollowUp(String),
}

/// Returns the kind that serves a path and what the path addresses; the template with the fewest placeholders wins.
pub(crate) fn route(catalog: &'static Catalog, path: &str) -> Option<(&'static Kind, Target)> {
    let own = catalog.kinds().filter(|kind| kind.quirks.same_endpoint_as.is_none());
    let found = own.flat_map(|kind| forms(kind).into_iter().map(move |form| (kind, form)));
    let covering = found.filter_map(|(kind, (form, what))| Some((places(&form).count(), kind, what(kind, values(&form, path)?))));
    covering.min_by_key(|(places, ..)| *places).map(|(_, kind, target)| (kind, target))
}

type ToTarget = fn(&'static Kind, Vec<String>) -> Target;

/// Returns the path templates of a kind and what each addresses.
fn forms(kind: &'static Kind) -> Vec<(String, ToTarget)> {
    let one: ToTarget = |_, values| Target::Resource(values.join("/"));
    let whole: ToTarget = |_, _| Target::Root;
    let under: ToTarget = |_, values| Target::ListUnder(values.join("/"));
    let element: ToTarget =
        |_, values| Target::Element(values.first().cloned().unwrap_or_default(), values.last().cloned().unwrap_or_default());
    let follow_up: ToTarget = |_, values| Target::FollowUp(values.join("/"));
    let mut forms = match kind.shape {
        Shape::Child { element_changes: ElementChanges::AddUpdateRemove { by, .. }, .. } => {
            vec![(kind.paths.list.to_owned(), one), (format!("{}/{{{by}}}", kind.paths.list), element)]
        }
        Shape::Child { .. } | Shape::Part { .. } => vec![(kind.paths.list.to_owned(), one)],
        Shape::Nested { .. } => vec![(kind.paths.list.to_owned(), under), (kind.item(), one)],
        Shape::Singleton => vec![(kind.paths.list.to_owned(), whole), (kind.item(), whole)],
        Shape::Collection | Shape::Keyed { names: KeyNames::Listed } => vec![(kind.paths.list.to_owned(), whole), (kind.item(), one)],
        // Objects known by name only have no list.
        Shape::Keyed { .. } => vec![(kind.item(), one)],
    };
    if let Some(path) = kind.creation().filter(|path| forms.iter().all(|(form, _)| form != path)) {
        forms.push((path.to_owned(), whole));
    }
    forms.extend(kind.paths.aliases.iter().map(|path| ((*path).to_owned(), forms[0].1)).collect::<Vec<_>>());
    if let Some(follow) = kind.lifecycle.follow_up {
        forms.push((follow.path.to_owned(), follow_up));
    }
    forms
}

fn values(form: &str, path: &str) -> Option<Vec<String>> {
    Some(matched(form, path)?.into_iter().map(|(_, value)| value).collect())
}
