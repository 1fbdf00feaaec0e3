//! Renders the result of an export: what was read, and what was left out.

use std::collections::BTreeMap;
use std::path::Path;

use super::document::{Closing, Content, Document, Lead, Sections, Tone, Topic, fields};
use super::format::{count, enumeration, number, printable};
use super::layout::Layout;
use super::table::Table;
use crate::catalog::Catalog;
use crate::model::resource::Key;
use crate::snapshot::versions::StoredSnapshot;
use crate::snapshot::{Snapshot, Status};

/// An export, and what is known around it when it is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExportView<'export> {
    /// What was found.
    pub(crate) snapshot: &'export Snapshot,
    /// Where it is.
    pub(crate) path: &'export Path,
    /// Whether it equals the version there, so that none was written.
    pub(crate) is_same: bool,
    /// The command that uses it.
    pub(crate) next: &'export str,
    /// The older snapshots that were deleted.
    pub(crate) deleted: &'export [StoredSnapshot],
}

/// Returns what an export found, as styled text.
pub(crate) fn exported(view: &ExportView<'_>) -> String {
    Document::of_export(view).to_text(Layout::default())
}

impl<'a> Document<'a> {
    fn of_export(view: &ExportView<'a>) -> Self {
        let ExportView { snapshot, path, is_same, next, deleted } = *view;
        let mut sections = Sections::new(&snapshot.tenant);
        sections.add(Topic::Counts, Content::Rows(counts(snapshot)));
        sections.add(Topic::NotExported, Content::Lines(absent(snapshot)));
        sections.add(Topic::DuplicateNames, Content::Keys(duplicates(snapshot)));
        sections.add(Topic::UnknownFields, fields(&snapshot.unknown_fields()));
        sections.add(Topic::Remainder, Content::Line(secrets_not_exported(snapshot)));
        if !deleted.is_empty() {
            sections.add(Topic::Notes, Content::Lines(vec![format!("Deleted {}", count(deleted.len(), "older snapshot"))]));
        }
        let lead = Lead::new(Tone::Neutral, heading(snapshot, path, is_same));
        let closing = (!next.is_empty()).then(|| Closing::Next(next.to_owned())).into_iter().collect();
        Self { title: snapshot.tenant.clone(), lead: Some(lead), sections: sections.in_order(), closing, ..Self::default() }
    }
}

fn heading(snapshot: &Snapshot, path: &Path, is_same: bool) -> String {
    let (tenant, found) = (&snapshot.tenant, count(snapshot.resources.len(), "resource"));
    let path = path.display();
    if is_same {
        format!("{tenant} has not changed since {path} ({found}), so no new snapshot was written.")
    } else {
        format!("Exported {found} of {tenant} ({}) to {path}", snapshot.domain)
    }
}

fn counts(snapshot: &Snapshot) -> Table {
    let mut table = Table::new(&["kind", "count", "note"]);
    let mut blank = 0;
    for kind in Catalog::standard().kinds() {
        let reason = match snapshot.kinds.get(kind.name) {
            Some(Status::Complete | Status::InPart(_)) => "",
            Some(Status::Selected(_)) => "only the selected ones",
            Some(Status::Absent(_) | Status::Refused(_) | Status::Forbidden(_)) | None => continue,
        };
        match snapshot.of_kind(kind.name).count() {
            0 => blank += 1,
            count => table.row([kind.name.to_owned(), number(count), reason.to_owned()]),
        }
    }
    if blank > 0 {
        table.row([count(blank, "other kind"), "0".to_owned(), String::new()]);
    }
    table
}

fn absent(snapshot: &Snapshot) -> Vec<String> {
    let line = |(kind, status): (&String, &Status)| match status {
        Status::Absent(reason) => Some(format!("{kind}: the tenant does not support them ({})", printable(reason))),
        Status::Refused(reason) => Some(format!("{kind}: the tenant does not return them ({})", printable(reason))),
        Status::Forbidden(reason) => Some(format!("{kind}: the token may not read them ({})", printable(reason))),
        Status::InPart(unseen) | Status::Selected(unseen) => {
            let refused: Vec<&str> = unseen.iter().filter(|one| one.is_refused).map(|one| one.name.as_str()).collect();
            (!refused.is_empty()).then(|| format!("{kind} of {}: the tenant does not return them", printable(&refused.join(", "))))
        }
        Status::Complete => None,
    };
    let unseen = snapshot.resources.iter().filter(|resource| resource.is_unseen);
    let unseen = unseen.map(|resource| {
        let reason = resource.excluded.as_deref().unwrap_or_default();
        format!("{}: the tenant does not return it ({})", printable(&resource.key.to_string()), printable(reason))
    });
    snapshot.kinds.iter().filter_map(line).chain(unseen).collect()
}

fn duplicates(snapshot: &Snapshot) -> Vec<(&str, Vec<&Key>)> {
    let mut kinds: BTreeMap<&str, Vec<&Key>> = BTreeMap::new();
    for key in &snapshot.twice {
        kinds.entry(key.kind().name).or_default().push(key);
    }
    kinds.into_iter().collect()
}

/// Returns the number of secrets left out, by kind.
pub(super) fn secrets(snapshot: &Snapshot) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for resource in snapshot.resources.iter().filter(|resource| !resource.secrets.is_empty()) {
        *counts.entry(resource.key.kind().name).or_default() += resource.secrets.len();
    }
    counts
}

fn secrets_not_exported(snapshot: &Snapshot) -> String {
    let counts = secrets(snapshot);
    let parts: Vec<String> = counts.iter().map(|(kind, count)| format!("{} of {kind}", number(*count))).collect();
    let total: usize = counts.values().sum();
    if total > 0 { format!("{} not exported: {}.", count(total, "secret"), enumeration(&parts)) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Body, PackedBody};
    use crate::model::resource::key;
    use crate::model::resource::{Id, Resource};
    use crate::report::style::plain;
    use crate::snapshot::Unseen;
    use serde_json::json;

    fn snapshot() -> Snapshot {
        let client = |name: &str| Resource {
            key: key(name),
            id: Id::new("one"),
            body: PackedBody::default(),
            alias: None,
            carried: Body::from_value(json!({"brand_new": 1})).expect("an object"),
            secrets: vec!["client_secret".into()],
            excluded: None,
            is_unseen: false,
            reserved: None,
            is_foreign: false,
            is_given: false,
        };
        let unseen = Resource::new(key("role-permissions/Clerk"), Id::new("two"), PackedBody::default());
        let unseen = Resource { excluded: Some("the tenant answered 400: No".into()), is_unseen: true, ..unseen };
        let of_alpha = Unseen { id: Id::new("org"), name: "alpha".into(), reason: "the tenant answered 400: No".into(), is_refused: true };
        let kinds = [
            ("clients", Status::Complete),
            ("organization-connections", Status::InPart(vec![of_alpha])),
            ("roles", Status::Selected(Vec::new())),
            ("rules", Status::Absent("they were switched off".into())),
            ("email-templates", Status::Forbidden("read:email_templates".into())),
        ];
        Snapshot {
            tenant: "dev".into(),
            domain: "acme-dev.eu.auth0.com".into(),
            taken: "2026-03-01T10:00:00Z".into(),
            kinds: kinds.into_iter().map(|(kind, status)| (kind.to_owned(), status)).collect(),
            resources: vec![client("clients/Web"), client("clients/Web#2"), unseen],
            twice: vec![key("clients/Web#2")],
            selection: None,
        }
    }

    #[test]
    fn an_export_reports_what_it_read_and_what_it_left_out() {
        let (snapshot, path) = (snapshot(), Path::new("snapshots/dev/2026-03-01T10-00-00Z"));
        let next = "migrate plan --tenant prod --from dev@2026-03-01T10-00-00Z";
        let view = ExportView { snapshot: &snapshot, path, is_same: false, next, deleted: &[] };
        insta::assert_snapshot!(plain(&exported(&view)), @r"
        Exported 3 resources of dev (acme-dev.eu.auth0.com) to snapshots/dev/2026-03-01T10-00-00Z

          clients        2
          2 other kinds  0

        Not exported
          email-templates: the token may not read them (read:email_templates)
          organization-connections of alpha: the tenant does not return them
          rules: the tenant does not support them (they were switched off)
          role-permissions/Clerk: the tenant does not return it (the tenant answered 400: No)

        Duplicate names, and the keys used here
          clients (1): Web#2

        Unknown fields (exported, not applied)
          clients: brand_new

        2 secrets not exported: 2 of clients.

        migrate plan --tenant prod --from dev@2026-03-01T10-00-00Z
        ");
    }

    #[test]
    fn an_export_without_changes_reports_that_first() {
        let (snapshot, path) = (snapshot(), Path::new("snapshots/dev/x"));
        let text = plain(&exported(&ExportView { snapshot: &snapshot, path, is_same: true, next: "", deleted: &[] }));
        let first = "dev has not changed since snapshots/dev/x (3 resources), so no new snapshot was written.";
        assert_eq!(text.lines().next(), Some(first));
    }
}
