//! What an export found, and what it could not or would not take.

use std::collections::BTreeMap;
use std::path::Path;

use super::format::{count, enumeration, names, number, printable};
use super::sections::section;
use super::style::{QUIET, TITLE, painted};
use super::table::Table;
use crate::catalog::Catalog;
use crate::model::resource::Key;
use crate::snapshot::{Snapshot, Status};

/// Names shown of each kind.
const FEW: usize = 5;

/// Returns what an export found, as styled text.
///
/// `is_same` says that it equals the version that stands at `path` already, so that none was written.
pub fn exported(snapshot: &Snapshot, path: &Path, is_same: bool) -> String {
    let mut blocks = vec![heading(snapshot, path, is_same)];
    blocks.extend(counts(snapshot));
    blocks.extend(section("Not here", absent(snapshot)));
    blocks.extend(section("Names that stand twice, and what they are called here", twice(snapshot)));
    let unknown = snapshot.unknown_fields().into_iter().map(|(kind, paths)| format!("{kind}: {}", printable(&paths.join(", "))));
    blocks.extend(section("Fields nobody knows yet, carried and never sent", unknown.collect()));
    blocks.extend(secrets_left_out(snapshot));
    let mut text = blocks.join("\n\n");
    text.push('\n');
    text
}

fn heading(snapshot: &Snapshot, path: &Path, is_same: bool) -> String {
    let (tenant, found) = (&snapshot.tenant, count(snapshot.resources.len(), "resource"));
    let path = path.display();
    let line = if is_same {
        format!("{tenant} has not changed: its {found} are equal to {path}, so no new version was written.")
    } else {
        format!("Exported {found} of {tenant} ({}) to {path}", snapshot.domain)
    };
    painted(TITLE, line)
}

fn counts(snapshot: &Snapshot) -> Option<String> {
    let mut table = Table::new(&["", "", ""]);
    for kind in Catalog::standard().kinds() {
        let reason = match snapshot.kinds.get(kind.name) {
            Some(Status::Complete | Status::InPart(_)) => "",
            Some(Status::Selected(_)) => "only what was asked for",
            Some(Status::Absent(_) | Status::Refused(_) | Status::Forbidden(_)) | None => continue,
        };
        table.row([kind.name.to_owned(), number(snapshot.of_kind(kind.name).count()), reason.to_owned()]);
    }
    let text = table.body();
    (!text.is_empty()).then(|| text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))
}

fn absent(snapshot: &Snapshot) -> Vec<String> {
    let line = |(kind, status): (&String, &Status)| match status {
        Status::Absent(reason) => Some(format!("{kind}: the tenant does not serve them ({})", printable(reason))),
        Status::Refused(reason) => Some(format!("{kind}: the tenant does not show them ({})", printable(reason))),
        Status::Forbidden(reason) => Some(format!("{kind}: the token may not read them ({})", printable(reason))),
        Status::InPart(unseen) | Status::Selected(unseen) => {
            let refused: Vec<&str> = unseen.iter().filter(|one| one.is_refused).map(|one| one.name.as_str()).collect();
            (!refused.is_empty()).then(|| format!("{kind} of {}: the tenant does not show them", printable(&refused.join(", "))))
        }
        Status::Complete => None,
    };
    let unseen = snapshot.resources.iter().filter(|resource| resource.is_unseen);
    let unseen = unseen.map(|resource| {
        let reason = resource.excluded.as_deref().unwrap_or_default();
        format!("{}: the tenant does not show it ({})", printable(&resource.key.to_string()), printable(reason))
    });
    snapshot.kinds.iter().filter_map(line).chain(unseen).collect()
}

fn twice(snapshot: &Snapshot) -> Vec<String> {
    let mut kinds: BTreeMap<&str, Vec<&Key>> = BTreeMap::new();
    for key in &snapshot.twice {
        kinds.entry(key.kind()).or_default().push(key);
    }
    kinds.into_iter().map(|(kind, keys)| format!("{kind} ({}): {}", number(keys.len()), names(keys.into_iter(), FEW))).collect()
}

/// Returns how many secrets were taken out, by kind.
pub(super) fn secrets(snapshot: &Snapshot) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for resource in snapshot.resources.iter().filter(|resource| !resource.secrets.is_empty()) {
        *counts.entry(resource.key.kind()).or_default() += resource.secrets.len();
    }
    counts
}

fn secrets_left_out(snapshot: &Snapshot) -> Option<String> {
    let counts = secrets(snapshot);
    let parts: Vec<String> = counts.iter().map(|(kind, count)| format!("{} of {kind}", number(*count))).collect();
    let total: usize = counts.values().sum();
    (total > 0).then(|| painted(QUIET, format!("{} left out: {}.", count(total, "secret"), enumeration(&parts))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Body, PackedBody};
    use crate::model::resource::{Id, Resource};
    use crate::report::sample::key;
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
        let unseen = Resource::of(key("role-permissions/Clerk"), Id::new("two"), PackedBody::default());
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
        }
    }

    #[test]
    fn an_export_says_what_it_found_and_what_it_did_not_take() {
        insta::assert_snapshot!(plain(&exported(&snapshot(), Path::new("snapshots/dev/2026-03-01T10-00-00Z"), false)), @"
        Exported 3 resources of dev (acme-dev.eu.auth0.com) to snapshots/dev/2026-03-01T10-00-00Z

          roles                     0  only what was asked for
          clients                   2
          organization-connections  0

        Not here
          email-templates: the token may not read them (read:email_templates)
          organization-connections of alpha: the tenant does not show them
          rules: the tenant does not serve them (they were switched off)
          role-permissions/Clerk: the tenant does not show it (the tenant answered 400: No)

        Names that stand twice, and what they are called here
          clients (1): Web#2

        Fields nobody knows yet, carried and never sent
          clients: brand_new

        2 secrets left out: 2 of clients.
        ");
    }

    #[test]
    fn an_export_that_found_nothing_new_says_so_first() {
        let text = plain(&exported(&snapshot(), Path::new("snapshots/dev/x"), true));
        let first = "dev has not changed: its 3 resources are equal to snapshots/dev/x, so no new version was written.";
        assert_eq!(text.lines().next(), Some(first));
    }
}
