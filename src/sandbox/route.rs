//! Which kind of the catalog a path belongs to, and what of it the path names.

use super::state::State;
use crate::catalog::address::{matched, places};
use crate::catalog::{Kind, Shape};

/// What a path names of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// The list of a kind, or the one object of a singleton.
    Whole,
    /// The list of a nested kind under this parent.
    Under(String),
    /// The resource of this id, or the list or part under it.
    One(String),
    /// The follow-up of the resource of this id.
    FollowUp(String),
}

impl State {
    /// Returns the kind that covers a path, and what of it the path names; the form with the fewest places wins.
    pub(super) fn kind_at(&self, path: &str) -> Option<(&'static Kind, Target)> {
        let own = self.catalog.kinds().filter(|kind| kind.view_of.is_none());
        let found = own.flat_map(|kind| forms(kind).into_iter().map(move |form| (kind, form)));
        let covering = found.filter_map(|(kind, (form, what))| Some((places(&form).count(), kind, what(kind, values(&form, path)?))));
        covering.min_by_key(|(places, ..)| *places).map(|(_, kind, target)| (kind, target))
    }
}

type Names = fn(&'static Kind, Vec<String>) -> Target;

/// Returns the forms that the paths of a kind have, and what each names.
fn forms(kind: &'static Kind) -> Vec<(String, Names)> {
    let one: Names = |_, values| Target::One(values.join("/"));
    let whole: Names = |_, _| Target::Whole;
    let under: Names = |_, values| Target::Under(values.join("/"));
    let follow_up: Names = |_, values| Target::FollowUp(values.join("/"));
    let mut forms = match kind.shape {
        Shape::Child { .. } | Shape::Part { .. } => vec![(kind.path.to_owned(), one)],
        Shape::Nested { .. } => vec![(kind.path.to_owned(), under)],
        Shape::Singleton | Shape::Collection | Shape::Keyed { .. } => vec![(kind.path.to_owned(), whole)],
    };
    if kind.item() != kind.path {
        forms.push((kind.item(), if kind.shape == Shape::Singleton { whole } else { one }));
    }
    if let Some(path) = kind.creation().filter(|path| *path != kind.path) {
        forms.push((path.to_owned(), whole));
    }
    if let Some(follow) = kind.follow_up {
        forms.push((follow.path.to_owned(), follow_up));
    }
    // A keyed kind that is listed nowhere has the form of one named object at its own path.
    forms.retain(|(form, _)| {
        !(matches!(kind.shape, Shape::Keyed { .. }) && *form == kind.path && form.contains('{') && kind.item() != *form)
    });
    forms
}

fn values(form: &str, path: &str) -> Option<Vec<String>> {
    Some(matched(form, path)?.into_iter().map(|(_, value)| value).collect())
}
