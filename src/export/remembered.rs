//! Reads a tenant in part: what an earlier reading returned stands for the kinds that were not written to since.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Begun, Error, Read, Reading};
use crate::catalog::Catalog;
use crate::model::resource::Resource;
use crate::snapshot::{Snapshot, Status};

/// The length from which a name counts as named if a text merely contains it.
const DISTINCTIVE: usize = 8;

/// What an earlier reading of everything returned, before ids became keys, and which kinds must be read again.
#[derive(Debug)]
pub struct Remembered {
    known: Vec<Read>,
    again: BTreeSet<&'static str>,
}

impl Remembered {
    /// Divides an earlier reading into kinds that are kept and kinds that are read again: these, and those of which not
    /// everything was known.
    #[must_use]
    pub fn new(catalog: &Catalog, earlier: Snapshot, mut again: BTreeSet<&'static str>) -> Self {
        let Snapshot { mut kinds, resources, .. } = earlier;
        let mut by_kind: HashMap<&'static str, Vec<Resource>> = HashMap::new();
        for resource in resources {
            by_kind.entry(resource.key.kind().name).or_default().push(resource);
        }
        let mut known = Vec::new();
        for kind in catalog.kinds() {
            let status = kinds.remove(kind.name);
            if !status.as_ref().is_some_and(is_lasting) {
                again.insert(kind.name);
            }
            let resources = by_kind.remove(kind.name).unwrap_or_default();
            known.extend(status.map(|status| Read { kind, status, resources }));
        }
        Self { known, again: catalog.with_affected(again) }
    }
}

impl<'reading> Reading<'reading> {
    /// Reads only what must be read again; everything else is as it was remembered.
    ///
    /// Kinds that name something which is gone are read again too, since the tenant may have changed them with it.
    /// Returns what was read and the kinds that it read.
    ///
    /// # Errors
    ///
    /// If the tenant cannot be read, or a response cannot be understood.
    pub async fn begin_from<'catalog>(
        self,
        catalog: &'catalog Catalog,
        remembered: Remembered,
    ) -> Result<(Begun<'reading, 'catalog>, BTreeSet<&'static str>), Error> {
        let Remembered { known: mut read, mut again } = remembered;
        let mut asked = BTreeSet::new();
        let mut known: HashMap<&'static str, Vec<String>> = HashMap::new();
        loop {
            let (stale, kept): (Vec<_>, Vec<_>) = read.into_iter().partition(|of_kind| again.contains(of_kind.kind.name));
            known.extend(stale.into_iter().map(|of_kind| (of_kind.kind.name, of_kind.resources.iter().flat_map(names_of).collect())));
            let kinds: Vec<_> = catalog.kinds().filter(|kind| again.contains(kind.name)).collect();
            asked.append(&mut again);
            read = self.timely(self.read(kinds, kept)).await?;
            again = catalog.with_affected(naming(&read, &asked, &gone(&known, &read)));
            again.retain(|kind| !asked.contains(kind));
            if again.is_empty() {
                break;
            }
        }
        Ok((Begun { reading: self, catalog, read }, asked))
    }
}

/// Returns whether a kind stays as it was read as long as nobody writes to it: what was refused may be shown now, while a name that the
/// tenant does not know stays unknown.
fn is_lasting(status: &Status) -> bool {
    match status {
        Status::Complete | Status::Absent(_) | Status::Forbidden(_) => true,
        Status::InPart(unseen) => unseen.iter().all(|one| !one.is_refused),
        Status::Selected(_) | Status::Refused(_) => false,
    }
}

/// Returns what other resources may name a resource by: its ids and its name.
fn names_of(resource: &Resource) -> impl Iterator<Item = String> + use<> {
    let own = resource.id.own(resource.key.kind()).to_owned();
    [own, resource.key.name().to_owned()].into_iter().chain(resource.alias.clone())
}

/// Returns the ids and names that resources of the kinds that were read again had, and have no longer.
fn gone(known: &HashMap<&'static str, Vec<String>>, read: &[Read]) -> HashSet<String> {
    let of_kind = |kind: &'static str| read.iter().filter(move |of_kind| of_kind.kind.name == kind).flat_map(|of_kind| &of_kind.resources);
    let gone = |(kind, names): (&&'static str, &Vec<String>)| {
        let still: HashSet<String> = of_kind(kind).flat_map(names_of).collect();
        names.iter().filter(|name| !still.contains(*name)).cloned().collect::<Vec<_>>()
    };
    known.iter().flat_map(gone).collect()
}

/// Returns the kinds that were not read again and have a resource that names something which is gone.
fn naming(read: &[Read], asked: &BTreeSet<&'static str>, gone: &HashSet<String>) -> BTreeSet<&'static str> {
    let within: Vec<&str> = gone.iter().map(String::as_str).filter(|name| name.len() >= DISTINCTIVE).collect();
    let names = |text: &str| gone.contains(text) || within.iter().any(|name| text.contains(name));
    let names_any = |resource: &Resource| {
        let mut is_any = resource.id.as_str().split('/').any(|part| gone.contains(part));
        resource.body.open().each_text(&mut |_, text| is_any = is_any || names(text));
        is_any
    };
    let kept = read.iter().filter(|of_kind| !gone.is_empty() && !asked.contains(of_kind.kind.name));
    kept.filter(|of_kind| of_kind.resources.iter().any(names_any)).map(|of_kind| of_kind.kind.name).collect()
}
