//! The scope of an export: what was selected, and what else must be read to resolve its references.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use crate::catalog::{Catalog, Kind, Shape};
use crate::json::PackedBody;
use crate::model::resource::{BETWEEN_PARTS, Key};
use crate::model::selection::Selection;
use crate::snapshot::{Snapshot, Status, Unseen, id_substitution, may_be_id};

/// The part of a tenant to export. The default is all of it, for a snapshot.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The selected resources.
    pub selection: Selection,
    /// The `--include` words of resources that are excluded by default: `third-party`.
    pub include: BTreeSet<String>,
    /// The purpose of the export.
    pub purpose: Purpose,
    /// Whether to read everything that a text may name by its id.
    pub names_everything: bool,
}

/// The purpose of an export, which decides what is read and kept in addition to the selection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Purpose {
    /// A stored snapshot: only the selection is kept, and every id in it is resolved.
    #[default]
    Snapshot,
    /// A lookup: only the selection is kept, and only reference fields are resolved.
    Lookup,
    /// A plan: resources that the selection refers to are kept too, so that their counterparts are known.
    Plan {
        /// Whether resources may be deleted, so that references to them matter.
        prune: bool,
        /// Whether dependencies of the selection are planned with it.
        with_dependencies: bool,
    },
}

impl Purpose {
    /// A comparison with the baseline: references are read as for a plan that deletes nothing.
    pub const COMPARE: Self = Self::Plan { prune: false, with_dependencies: false };
}

impl Scope {
    /// Returns a scope with everything of these kinds, for a lookup.
    pub fn lookup(catalog: &Catalog, kinds: BTreeSet<String>) -> Self {
        Self { selection: Selection::exactly(catalog, kinds), purpose: Purpose::Lookup, ..Self::default() }
    }

    /// Returns this scope, extended by everything that a text may name.
    #[must_use]
    pub fn with_names(self) -> Self {
        Self { names_everything: true, ..self }
    }

    /// Returns the kinds to read, in the order of the catalog.
    #[must_use]
    pub fn kinds(&self, catalog: &Catalog) -> Vec<&'static Kind> {
        let is_selected = |kind: &Kind| self.selection.may_have(kind);
        let mut wanted: BTreeSet<&str> = catalog.kinds().filter(|kind| is_selected(kind)).map(|kind| kind.name).collect();
        if self.selection.is_everything() {
            return catalog.kinds().collect();
        }
        let names_others = |kind: &&&Kind| kind.shape == Shape::Collection && kind.has_own_ids();
        let of_texts = catalog.kinds().filter(|_| self.names_everything).filter(|kind| names_others(&kind)).map(|kind| kind.name);
        let mut more: BTreeSet<&str> = of_texts.collect();
        let mut follows_order = false;
        if let Purpose::Plan { prune, with_dependencies } = self.purpose {
            follows_order = with_dependencies;
            for kind in catalog.kinds() {
                if wanted.contains(kind.name) {
                    more.extend(kind.quirks.resets);
                    more.extend(kind.depends_on);
                } else if !kind.identity.tenant_host.is_empty() || (prune && named(kind).any(|name| wanted.contains(name))) {
                    more.insert(kind.name);
                }
            }
        }
        wanted.extend(more);
        loop {
            let before = wanted.len();
            for kind in catalog.kinds() {
                if wanted.contains(kind.name) {
                    wanted.extend(named(kind));
                    wanted.extend(kind.depends_on.iter().filter(|_| follows_order));
                }
            }
            if wanted.len() == before {
                return catalog.kinds().filter(|kind| wanted.contains(kind.name)).collect();
            }
        }
    }

    /// Returns whether a text of the selection may contain the id of a resource that is not among these.
    pub(super) fn may_name_others<'read>(
        &self,
        read: impl Iterator<Item = (&'static Kind, &'read PackedBody)>,
        known: &HashSet<&str>,
    ) -> bool {
        if self.names_everything || self.selection.is_everything() || self.purpose == Purpose::Lookup {
            return false;
        }
        let mut of_selected = read.filter(|(kind, _)| self.selection.may_have(kind));
        of_selected.any(|(_, body)| {
            let mut is_any = false;
            body.open().each_text(&mut |_, text| is_any = is_any || may_be_id(text, &|word| known.contains(word)));
            is_any
        })
    }

    /// Returns whether a text of the selection names a resource of a kind that is not read.
    pub fn names_others_in<'held>(&self, catalog: &Catalog, held: impl Iterator<Item = (&'held Key, &'held PackedBody)>) -> bool {
        if self.selection.is_everything() {
            return false;
        }
        let read: BTreeSet<&str> = self.kinds(catalog).into_iter().map(|kind| kind.name).collect();
        let mut is_any = false;
        for (_, body) in held.filter(|(key, _)| self.selection.has(key)) {
            let names = |text: &str| id_substitution::keys_in(text).any(|key| !read.contains(key.kind().name));
            body.open().each_text(&mut |_, text| is_any = is_any || names(text));
        }
        is_any
    }

    /// Returns a snapshot without the kinds that are not read.
    #[must_use]
    pub fn restrict(&self, catalog: &Catalog, snapshot: Snapshot) -> Snapshot {
        let read: BTreeSet<&str> = self.kinds(catalog).into_iter().map(|kind| kind.name).collect();
        let Snapshot { mut kinds, mut resources, .. } = snapshot;
        kinds.retain(|kind, _| read.contains(kind.as_str()));
        resources.retain(|one| read.contains(one.key.kind().name));
        Snapshot { kinds, resources, selection: Some(self.selection.clone()), ..snapshot }
    }

    /// Returns whether a resource that was read is kept.
    pub(super) fn keeps(&self, key: &Key) -> bool {
        matches!(self.purpose, Purpose::Plan { .. }) || self.selection.has(key)
    }

    /// Returns the status of a kind that was read, if the kind is kept.
    pub(super) fn status(&self, kind: &'static Kind, status: Status) -> Option<Status> {
        if matches!(self.purpose, Purpose::Plan { .. }) {
            return Some(status);
        }
        self.selection.may_have(kind).then(|| match status {
            _ if self.selection.has_all(kind) => status,
            Status::Complete => Status::Selected(Vec::new()),
            Status::InPart(mut unseen) => {
                unseen.retain(|one| self.may_have(kind, one));
                Status::Selected(unseen)
            }
            other => other,
        })
    }

    /// Returns whether a resource that was not returned may be selected: a child's name begins with its parent's name.
    fn may_have(&self, kind: &'static Kind, unseen: &Unseen) -> bool {
        let key = Key::new(kind, &unseen.name);
        let of_parent = |pattern: &str| pattern.split(BETWEEN_PARTS).next().is_some_and(|of| matches(of, &key));
        self.selection.has(&key) || self.selection.only.iter().any(|pattern| of_parent(pattern.as_str()))
    }
}

fn matches(glob: &str, key: &Key) -> bool {
    glob::Pattern::new(glob).is_ok_and(|pattern| pattern.matches(&key.to_string()))
}

/// Returns a snapshot that was read for any purpose as an export of the same selection would keep it.
#[must_use]
pub fn as_kept(snapshot: &Snapshot) -> Cow<'_, Snapshot> {
    let Some(selection) = &snapshot.selection else { return Cow::Borrowed(snapshot) };
    let scope = Scope { selection: selection.clone(), ..Scope::default() };
    let mut kept = snapshot.clone();
    let status = |(name, status): (String, Status)| Some((scope.status(Kind::named(&name)?, status)?, name));
    kept.kinds = std::mem::take(&mut kept.kinds).into_iter().filter_map(status).map(|(status, name)| (name, status)).collect();
    kept.resources.retain(|resource| scope.keeps(&resource.key));
    kept.twice.retain(|key| scope.keeps(key));
    Cow::Owned(kept)
}

/// Returns the kinds that resources of a kind name: what they refer to, and what they belong to.
fn named(kind: &Kind) -> impl Iterator<Item = &'static str> {
    kind.read_after().into_iter().chain(kind.quirks.same_endpoint_as).chain(kind.references.iter().map(|reference| reference.to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(scope: &Scope) -> Vec<&'static str> {
        scope.kinds(Catalog::standard()).into_iter().map(|kind| kind.name).collect()
    }

    fn of(name: &str) -> Selection {
        Selection::read(Catalog::standard(), &[name.to_owned()], &[], &[]).expect("a kind")
    }

    #[test]
    fn a_kind_is_read_with_its_references_and_belongings() {
        let scope = Scope { selection: of("roles"), ..Scope::default() };
        assert_eq!(kinds(&scope), ["resource-servers", "roles", "role-permissions"]);
        assert_eq!(kinds(&Scope::lookup(Catalog::standard(), BTreeSet::from(["roles".to_owned()]))), ["roles"]);
    }

    #[test]
    fn a_plan_also_reads_what_a_write_resets_or_a_delete_takes_along() {
        let purpose = |prune| Purpose::Plan { prune, with_dependencies: false };
        let scope = |prune| Scope { selection: of("resource-servers"), purpose: purpose(prune), ..Scope::default() };
        assert_eq!(kinds(&scope(false)), ["resource-servers", "custom-domains", "custom-domains-default"]);
        let deleting = kinds(&scope(true));
        assert!(["client-grants", "clients", "role-permissions", "roles"].iter().all(|kind| deleting.contains(kind)), "{deleting:?}");
        let branding = Scope { selection: of("branding"), purpose: purpose(false), ..Scope::default() };
        assert!(kinds(&branding).contains(&"prompts"), "{:?}", kinds(&branding));
    }

    #[test]
    fn texts_may_name_every_kind_with_ids() {
        let scope = Scope { selection: of("roles"), ..Scope::default() };
        let role = |text: &str| PackedBody::from(crate::json::Body::from_iter([("description".to_owned(), text.into())]));
        let kind = Catalog::standard().kind("roles").expect("a kind");
        let names = |text: &str, known: &[&str]| {
            let body = role(text);
            scope.may_name_others(std::iter::once((kind, &body)), &known.iter().copied().collect())
        };
        assert!(names("used by aB3dEfGhIjKlMnOpQrStUvWxYz012345", &[]));
        assert!(!names("used by aB3dEfGhIjKlMnOpQrStUvWxYz012345", &["aB3dEfGhIjKlMnOpQrStUvWxYz012345"]));
        assert!(!names("what client_credentials and administrators may do", &[]));
    }
}
