//! Who made the changes that a plan, drift or an undo meets in the target: found in the entries of the tenant's log.

use std::time::SystemTime;

use crate::catalog::{Kind, Shape, WriteReach, WrittenResource};
use crate::model::changed_by::{Author, ChangedBy};
use crate::model::logged_write::LoggedWrite;
use crate::model::resource::Id;

/// What was changed of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangedPart {
    /// The field at this path.
    Field(String),
    /// Anything of it: it was created, or it is not known which field changed.
    Any,
    /// It was deleted.
    Deletion,
}

/// What a correlation id in the log stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorrelationOrigin {
    /// Something other than migrate.
    Foreign,
    /// A run of migrate.
    Run,
    /// The run that wrote the value which has changed since: whoever changed it did so later.
    Baseline,
}

/// A change whose author is wanted.
#[derive(Debug)]
struct WantedAuthor {
    kind: &'static Kind,
    id: Id,
    part: ChangedPart,
    since: Option<SystemTime>,
    answer: LoggedAnswer,
}

/// What the log says about a change, as far as it was read.
#[derive(Debug)]
enum LoggedAnswer {
    Open,
    Known(ChangedBy),
    /// The newest entry is the write before the change.
    NotLogged,
}

/// Changes and their authors, as far as the log was read.
///
/// A change is attributed to the newest write that may have made it. An entry contains no values, so a write that sent
/// the field unchanged cannot be told from one that changed it.
pub struct Authorship<'a> {
    wanted: Vec<WantedAuthor>,
    origin: &'a (dyn Fn(&str) -> CorrelationOrigin + Send + Sync),
    client_name: &'a (dyn Fn(&str) -> Option<String> + Send + Sync),
}

impl<'a> Authorship<'a> {
    /// Creates an empty list; `origin` tells runs of migrate by their correlation ids, and `client_name` returns the name
    /// of a client of the tenant by its id.
    #[must_use]
    pub fn new(
        origin: &'a (dyn Fn(&str) -> CorrelationOrigin + Send + Sync),
        client_name: &'a (dyn Fn(&str) -> Option<String> + Send + Sync),
    ) -> Self {
        Self { wanted: Vec::new(), origin, client_name }
    }

    /// Adds a change of a resource that was made after a time, if that is known; returns its index.
    pub fn want(&mut self, (kind, id): (&'static Kind, &Id), part: ChangedPart, since: Option<SystemTime>) -> usize {
        self.wanted.push(WantedAuthor { kind, id: id.clone(), part, since, answer: LoggedAnswer::Open });
        self.wanted.len() - 1
    }

    /// Returns the number of changes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.wanted.len()
    }

    /// Returns whether there are no changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Returns the time since when any of the changes may have been made; `None` if that is not known of one.
    #[must_use]
    pub fn since(&self) -> Option<SystemTime> {
        let times: Option<Vec<SystemTime>> = self.wanted.iter().map(|wanted| wanted.since).collect();
        times?.into_iter().min()
    }

    /// Learns from an entry; they must come newest first. Returns whether nothing is left to be learned.
    pub fn learn(&mut self, write: &LoggedWrite) -> bool {
        let origin = write.correlation.as_deref().map_or(CorrelationOrigin::Foreign, self.origin);
        let mut is_settled = true;
        for wanted in self.wanted.iter_mut().filter(|wanted| matches!(wanted.answer, LoggedAnswer::Open)) {
            if wanted.since.is_some_and(|since| write.at < since) || !wanted.may_be(write) {
                // What is older than the change was not made by anyone who is still to come.
                is_settled &= wanted.since.is_some_and(|since| write.at < since);
                continue;
            }
            wanted.answer = match (origin, &write.correlation) {
                (CorrelationOrigin::Baseline, _) => LoggedAnswer::NotLogged,
                (CorrelationOrigin::Run, Some(run)) => {
                    LoggedAnswer::Known(ChangedBy { who: Author::Run { name: run.clone() }, ..write.by.clone() })
                }
                _ => LoggedAnswer::Known(named(write.by.clone(), self.client_name)),
            };
        }
        is_settled
    }

    /// Returns who made a change, by its index.
    #[must_use]
    pub fn author(&self, index: usize) -> Option<&ChangedBy> {
        match &self.wanted.get(index)?.answer {
            LoggedAnswer::Known(by) => Some(by),
            LoggedAnswer::Open | LoggedAnswer::NotLogged => None,
        }
    }

    /// Returns the number of changes without an author.
    #[must_use]
    pub fn unknown(&self) -> usize {
        self.wanted.iter().filter(|wanted| !matches!(wanted.answer, LoggedAnswer::Known(_))).count()
    }
}

impl WantedAuthor {
    /// Returns whether a write may have made the change.
    fn may_be(&self, write: &LoggedWrite) -> bool {
        let is_it = |written: &&WrittenResource| written.kind == self.kind && written.id.as_deref() == Some(self.id.as_str());
        match &self.part {
            ChangedPart::Field(path) => write.resources.iter().filter(is_it).any(|written| write.may_have_changed(written, path)),
            ChangedPart::Any => write.resources.iter().filter(is_it).any(|written| written.reach != WriteReach::Below),
            ChangedPart::Deletion => {
                let is_parent = |written: &&WrittenResource| {
                    self.parent().is_some_and(|(kind, id)| written.kind == kind && written.id.as_deref() == Some(id))
                };
                let is_whole =
                    |written: &WrittenResource| written.reach == WriteReach::Whole && !matches!(written.kind.shape, Shape::Child { .. });
                write.method == "DELETE" && write.resources.iter().filter(|one| is_it(one) || is_parent(one)).any(is_whole)
            }
        }
    }

    /// Returns the resource above it, whose deletion deletes it too.
    fn parent(&self) -> Option<(&'static Kind, &str)> {
        let id = self.id.as_str();
        Some((self.kind.parent()?, id.split_once('/').map_or(id, |(parent, _)| parent)))
    }
}

/// Adds the name of a client that the entry does not name.
fn named(by: ChangedBy, name_of: &dyn Fn(&str) -> Option<String>) -> ChangedBy {
    let known = |id: &str| name_of(id).unwrap_or_default();
    let who = match by.who {
        Author::Client { name, id } if name.is_empty() => Author::Client { name: known(&id), id },
        Author::Person { name, id, through } => {
            let through = name_of(&through).unwrap_or(through);
            Author::Person { name, id, through }
        }
        other => other,
    };
    ChangedBy { who, ..by }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::{Value, json};

    const JANE: &str = "jane@acme.example (dashboard) on 2026-11-28 14:03 UTC";

    #[expect(clippy::needless_pass_by_value, reason = "a body is written where it is passed")]
    fn write(time: &str, method: &str, path: &str, body: Value) -> LoggedWrite {
        let event = json!({
            "type": "sapi", "date": format!("2026-11-28T{time}:00.000Z"), "client_id": "tf", "client_name": "",
            "details": {"request": {"method": method, "path": format!("/api/v2{path}"), "body": body}},
        });
        LoggedWrite::from_event(Catalog::standard(), &event).expect("a write")
    }

    fn by_jane(mut write: LoggedWrite) -> LoggedWrite {
        let who = Author::Person { name: "jane@acme.example".into(), id: "auth0|1".into(), through: "dashboard".into() };
        write.by.who = who;
        write
    }

    fn of_run(name: &str, mut write: LoggedWrite) -> LoggedWrite {
        write.correlation = Some(name.to_owned());
        write
    }

    #[expect(clippy::unnecessary_wraps, reason = "a change is known to be after a time, or after none")]
    fn at(time: &str) -> Option<SystemTime> {
        Some(humantime::parse_rfc3339(&format!("2026-11-28T{time}:00Z")).expect("a time"))
    }

    /// Returns the author of one change according to these writes.
    fn author(kind: &str, id: &str, (part, since): (ChangedPart, Option<SystemTime>), writes: &[LoggedWrite]) -> Option<String> {
        let origin = |correlation: &str| match correlation {
            "own" => CorrelationOrigin::Baseline,
            "other-run" => CorrelationOrigin::Run,
            _ => CorrelationOrigin::Foreign,
        };
        let name = |id: &str| (id == "tf").then(|| "Terraform".to_owned());
        let mut authorship = Authorship::new(&origin, &name);
        let kind = Catalog::standard().kind(kind).expect("a kind");
        let index = authorship.want((kind, &Id::new(id)), part, since);
        for write in writes {
            if authorship.learn(write) {
                break;
            }
        }
        authorship.author(index).map(ToString::to_string)
    }

    fn field(path: &str) -> (ChangedPart, Option<SystemTime>) {
        (ChangedPart::Field(path.to_owned()), None)
    }

    #[test]
    fn a_field_is_attributed_to_the_newest_write_that_contains_it() {
        let writes = [
            write("14:05", "patch", "/clients/b", json!({"callbacks": []})),
            write("14:04", "patch", "/clients/a", json!({"description": ""})),
            by_jane(write("14:03", "patch", "/clients/a", json!({"callbacks": []}))),
            write("14:02", "patch", "/clients/a", json!({"callbacks": []})),
        ];
        assert_eq!(author("clients", "a", field("callbacks"), &writes).as_deref(), Some(JANE));
        let terraform = "client \"Terraform\" on 2026-11-28 14:04 UTC";
        assert_eq!(author("clients", "a", field("description"), &writes).as_deref(), Some(terraform));
        assert_eq!(author("clients", "a", field("sso"), &writes), None);
        assert_eq!(author("clients", "a", (ChangedPart::Any, None), &writes).as_deref(), Some(terraform));
    }

    #[test]
    fn runs_are_named_and_the_run_that_wrote_the_value_is_no_author() {
        let by_run = of_run("other-run", write("14:05", "patch", "/clients/a", json!({"callbacks": []})));
        let own = of_run("own", write("14:04", "patch", "/clients/a", json!({"callbacks": []})));
        let before = by_jane(write("14:03", "patch", "/clients/a", json!({"callbacks": []})));
        let run = Some("run other-run on 2026-11-28 14:05 UTC".to_owned());
        assert_eq!(author("clients", "a", field("callbacks"), &[by_run, own.clone(), before.clone()]), run);
        assert_eq!(author("clients", "a", field("callbacks"), &[own, before]), None, "she changed it before the run");
    }

    #[test]
    fn a_write_before_the_change_is_no_author() {
        let writes = [by_jane(write("14:03", "patch", "/clients/a", json!({"callbacks": []})))];
        let since = |time| (ChangedPart::Field("callbacks".into()), at(time));
        assert_eq!(author("clients", "a", since("14:04"), &writes), None);
        assert_eq!(author("clients", "a", since("14:02"), &writes).as_deref(), Some(JANE));
    }

    #[test]
    fn children_settings_and_deletions_are_attributed_by_their_paths() {
        let one = |method, path, body| [by_jane(write("14:03", method, path, body))];
        let members = one("delete", "/roles/r/permissions", json!({"permissions": []}));
        assert_eq!(author("role-permissions", "r", field("permissions"), &members).as_deref(), Some(JANE));
        assert_eq!(author("roles", "r", (ChangedPart::Deletion, None), &members), None);
        let settings = one("patch", "/tenants/settings", json!({"flags": {}}));
        assert_eq!(author("tenant-settings", "tenant-settings", field("flags.enable_sso"), &settings).as_deref(), Some(JANE));
        let deleted = one("delete", "/organizations/o", Value::Null);
        assert_eq!(author("organizations", "o", (ChangedPart::Deletion, None), &deleted).as_deref(), Some(JANE));
        let domain = author("organization-discovery-domains", "o/d", (ChangedPart::Deletion, None), &deleted);
        assert_eq!(domain.as_deref(), Some(JANE), "it was deleted with its organization");
        let rotated = one("post", "/clients/a/rotate-secret", Value::Null);
        assert_eq!(author("clients", "a", field("callbacks"), &rotated), None);
    }
}
