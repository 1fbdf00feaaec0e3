//! Which clients a plan may lock out, and the questions that follow.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::comparison::{ProbeReport, ProbeResult};
use super::login::{NotProbed, logins};
use super::question::{Ask, ProbeQuestion};
use crate::catalog::Shape;
use crate::catalog::risk::RiskClass;
use crate::json::Body;
use crate::model::resource::{Key, Resource};
use crate::plan::findings::{Finding, Subject, of_change};
use crate::plan::{Action, Change, Plan};
use crate::snapshot::id_substitution::{TenantNames, mentioned};
use crate::snapshot::{Snapshot, belongs_to};

/// The kind that `/authorize` is about.
const CLIENTS: &str = "clients";
/// The kind of the domains at which a tenant answers besides its own.
pub(crate) const CUSTOM_DOMAINS: &str = "custom-domains";
/// The fields of a client on which the questions depend.
const FIELDS: &[&str] = &[
    "callbacks",
    "grant_types",
    "organization_usage",
    "organization_require_behavior",
    "require_pushed_authorization_requests",
    "signed_request_object",
];

/// The maximum number of logins to ask for: these are the login endpoints of production.
const MOST: usize = 200;
/// The number up to which clients are added that only a change of the whole tenant affects.
const MOST_OF_ALL: usize = 50;

/// The questions that prove that logins still work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProbeDemand {
    /// The questions.
    pub asked: Vec<Asked>,
    /// What is not asked for, with the reason.
    pub not_probed: Vec<NotProbed>,
    /// The number of logins that are not asked for because there are too many.
    pub over: usize,
}

/// A question, and when it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The question.
    pub question: ProbeQuestion,
    /// The changed resources because of which it is asked.
    pub because: Vec<Key>,
    /// When it is asked.
    pub when: When,
}

/// When a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before and after the run.
    Both,
    /// After the run only: it is about something that the run adds.
    After,
}

/// The changes because of which logins are asked for.
#[derive(Default)]
struct Causes {
    by_client: BTreeMap<Key, BTreeSet<Key>>,
    /// Changes that affect the tenant as a whole.
    of_all: BTreeSet<Key>,
}

impl ProbeDemand {
    /// Returns the questions that a plan demands: those of every client that an edit with a lockout risk concerns, directly or by what
    /// the client depends on.
    #[must_use]
    pub fn of_plan(plan: &Plan, live: &Snapshot) -> Self {
        let causes = Causes::new(plan, live);
        let names = names(live);
        let mut demand = Self::default();
        for client in live.of_kind(CLIENTS) {
            let Some(because) = causes.by_client.get(&client.key) else { continue };
            let change = plan.changes().find(|change| change.key == client.key);
            demand.add_client(client, (&names, change), because);
        }
        demand.truncate();
        let others = live.of_kind(CLIENTS).filter(|client| !causes.by_client.contains_key(&client.key));
        for client in others.filter(|_| !causes.of_all.is_empty()) {
            let (questions, _) = questions(client, &names, None);
            let Some(question) = questions.into_iter().next() else { continue };
            if demand.asked.len() < MOST_OF_ALL {
                demand.asked.push(Asked { question, because: causes.of_all.iter().cloned().collect(), when: When::Both });
            } else {
                demand.over += 1;
            }
        }
        let all: BTreeSet<&Key> = causes.by_client.values().flatten().chain(&causes.of_all).collect();
        if !all.is_empty() {
            let all: Vec<Key> = all.into_iter().cloned().collect();
            demand.add_documents(None, &all);
            demand.add_custom_domains(live);
        }
        demand
    }

    /// Returns the questions about all clients that are meant.
    #[must_use]
    pub fn of_clients(live: &Snapshot, is_meant: impl Fn(&Key) -> bool) -> Self {
        let names = names(live);
        let mut demand = Self::default();
        for client in live.of_kind(CLIENTS).filter(|client| is_meant(&client.key)) {
            demand.add_client(client, (&names, None), &BTreeSet::new());
        }
        demand.truncate();
        demand.add_documents(None, &[]);
        demand.add_custom_domains(live);
        demand
    }

    /// Returns a report without answers yet.
    #[must_use]
    pub fn to_report(&self) -> ProbeReport {
        let result =
            |asked: &Asked| ProbeResult { question: asked.question.clone(), because: asked.because.clone(), before: None, after: None };
        ProbeReport::new(self.asked.iter().map(result).collect(), self.not_probed.clone(), self.over)
    }

    fn add_client(&mut self, client: &Resource, (names, change): (&TenantNames, Option<&Change>), because: &BTreeSet<Key>) {
        let (now, left) = questions(client, names, None);
        let added = change.map(|change| questions(client, names, Some(change)).0).unwrap_or_default();
        let added: Vec<ProbeQuestion> = added.into_iter().filter(|question| !now.contains(question)).collect();
        let asked = |question, when| Asked { question, because: because.iter().cloned().collect(), when };
        self.asked.extend(now.into_iter().map(|question| asked(question, When::Both)));
        self.asked.extend(added.into_iter().map(|question| asked(question, When::After)));
        self.not_probed.extend(left);
    }

    fn truncate(&mut self) {
        self.over += self.asked.len().saturating_sub(MOST);
        self.asked.truncate(MOST);
    }

    /// Adds the documents of each custom domain, and one login there.
    pub(crate) fn add_custom_domains(&mut self, live: &Snapshot) {
        let is_login = |asked: &&Asked| asked.when == When::Both && asked.question.client().is_some();
        let login = self.asked.iter().find(is_login).cloned();
        let because: BTreeSet<Key> = self.asked.iter().flat_map(|asked| asked.because.iter().cloned()).collect();
        let because: Vec<Key> = because.into_iter().collect();
        for domain in live.of_kind(CUSTOM_DOMAINS).map(|domain| domain.key.name().to_owned()) {
            self.add_documents(Some(&domain), &because);
            self.asked.extend(login.clone().map(|mut login| {
                login.question.domain = Some(domain);
                login
            }));
        }
    }

    /// Adds the documents of a domain.
    fn add_documents(&mut self, domain: Option<&str>, because: &[Key]) {
        for ask in [Ask::Discovery, Ask::SigningKeys] {
            let question = ProbeQuestion { domain: domain.map(str::to_owned), ask };
            self.asked.push(Asked { question, because: because.to_vec(), when: When::Both });
        }
    }
}

impl Causes {
    fn new(plan: &Plan, live: &Snapshot) -> Self {
        let related = related_clients(live);
        let is_there: BTreeSet<&Key> = live.of_kind(CLIENTS).map(|client| &client.key).collect();
        let mut causes = Self::default();
        for change in plan.changes() {
            let risky: Vec<Finding<'_>> = of_change(change).into_iter().filter(|finding| finding.class == RiskClass::Lockout).collect();
            if risky.is_empty() {
                continue;
            }
            let mut reached: BTreeSet<Key> = if change.key.kind().name == CLIENTS {
                BTreeSet::from([change.key.clone()])
            } else {
                let named: BTreeSet<Key> = risky.iter().flat_map(named).filter(|key| key.kind().name == CLIENTS).collect();
                // An edit that names clients concerns these; any other concerns all that depend on the resource.
                if named.is_empty() { related.get(&change.key).into_iter().flatten().cloned().collect() } else { named }
            };
            reached.retain(|key| is_there.contains(key));
            if reached.is_empty() && change.key.kind().shape == Shape::Singleton {
                causes.of_all.insert(change.key.clone());
            }
            for client in reached {
                causes.by_client.entry(client).or_default().insert(change.key.clone());
            }
        }
        causes
    }
}

/// Returns the resources that an edit names, before or after.
fn named(finding: &Finding<'_>) -> Vec<Key> {
    match &finding.subject {
        Subject::Field(edit) => edit.old.iter().chain(&edit.new).flat_map(mentioned).collect(),
        Subject::Resource | Subject::Secret(_) => match &finding.change.action {
            Action::Delete { body, .. } => body.0.values().flat_map(mentioned).collect(),
            _ => Vec::new(),
        },
    }
}

/// Returns the clients that depend on each resource: those that name it, and those that something of it names, such as the enabled clients
/// of a connection.
fn related_clients(live: &Snapshot) -> HashMap<Key, Vec<Key>> {
    let mut related: HashMap<Key, Vec<Key>> = HashMap::new();
    for resource in &live.resources {
        let named: Vec<Key> =
            if resource.body.has('⟦') { resource.body.open().0.values().flat_map(mentioned).collect() } else { Vec::new() };
        if resource.key.kind().name == CLIENTS {
            for key in named {
                related.entry(key).or_default().push(resource.key.clone());
            }
            continue;
        }
        let clients: Vec<Key> = named.into_iter().filter(|key| key.kind().name == CLIENTS).collect();
        for owner in belongs_to(resource).into_iter().filter(|_| !clients.is_empty()) {
            related.entry(owner).or_default().extend(clients.iter().cloned());
        }
        related.entry(resource.key.clone()).or_default().extend(clients);
    }
    related
}

/// Returns the names of a tenant, to read its bodies as the tenant itself has them.
fn names(live: &Snapshot) -> TenantNames {
    let mut names = TenantNames::new(&live.domain);
    live.resources.iter().for_each(|resource| names.learn(resource.key.clone(), resource.id.clone()));
    names
}

/// Returns the questions about a client as it is, or as a change leaves it.
fn questions(client: &Resource, names: &TenantNames, change: Option<&Change>) -> (Vec<ProbeQuestion>, Vec<NotProbed>) {
    let mut body: Body = client.body.pick(FIELDS);
    if let Some(Action::Update { body: sent, .. }) = change.map(|change| &change.action) {
        FIELDS.iter().filter(|field| sent.0.contains_key(**field)).for_each(|field| body.take_over(field, sent));
    }
    // A text that names a resource which does not exist is no callback; it stays as it is and is not asked for.
    let body = names.resolve(client.key.kind(), &body).unwrap_or(body);
    logins(&client.key, &client.id, &body)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::resource::{Id, key};
    use crate::plan::{Edit, PlannedTenant, Stage};

    fn resource(of: &str, id: &str, body: Value) -> Resource {
        Resource::new(key(of), Id::new(id), Body::from_value(body).expect("an object"))
    }

    fn client(name: &str, callback: &str) -> Resource {
        resource(&format!("clients/{name}"), name, json!({"name": name, "callbacks": [callback], "grant_types": ["authorization_code"]}))
    }

    /// A tenant in which Web may use a connection, and Portal may not.
    fn live() -> Snapshot {
        let mut live = Snapshot::empty("prod", "acme-prod.eu.auth0.com");
        live.resources = vec![
            client("Web", "https://⟨tenant⟩/callback"),
            client("Portal", "https://portal.example/cb"),
            resource("connections/users", "con_1", json!({"name": "users", "strategy": "auth0"})),
            resource("connection-clients/users", "con_1", json!({"clients": [{"client_id": "⟦clients/Web⟧"}]})),
        ];
        live
    }

    /// Returns the clients that are asked for because of one edit, each with the cause.
    fn asked(of: &str, path: &str, values: [Value; 2]) -> Vec<(String, Vec<Key>)> {
        let side = |name: &str| PlannedTenant::new(name, &format!("{name}.example"), "");
        let mut plan = Plan::between(side("dev"), side("prod"));
        let [old, new] = values;
        let body = Body::from_iter([(crate::json::top(path).to_owned(), new.clone())]);
        let edits = vec![Edit { path: path.to_owned(), old: Some(old), new: Some(new) }];
        let action = Action::Update { id: Some(Id::new("x")), body, edits };
        let change = Change { key: key(of), source_id: Id::new("s"), action, needs: Vec::new(), secrets: Vec::new() };
        plan.stages.push(Stage { title: String::new(), changes: vec![change] });
        let login = |asked: Asked| match asked.question.ask {
            Ask::Login { callback, .. } => Some((callback, asked.because)),
            Ask::Discovery | Ask::SigningKeys => None,
        };
        ProbeDemand::of_plan(&plan, &live()).asked.into_iter().filter_map(login).collect()
    }

    #[test]
    fn an_edit_of_a_connection_concerns_the_clients_that_may_use_it() {
        let requires = asked("connections/users", "options.requires_username", [json!(false), json!(true)]);
        assert_eq!(requires, [("https://acme-prod.eu.auth0.com/callback".to_owned(), vec![key("connections/users")])]);
        assert_eq!(asked("connections/users", "display_name", [json!("a"), json!("b")]), []);
    }

    #[test]
    fn an_edit_of_a_client_concerns_only_that_client() {
        let removed = asked("clients/Portal", "callbacks", [json!(["https://portal.example/cb"]), json!(["https://new.example/cb"])]);
        let because = vec![key("clients/Portal")];
        assert_eq!(removed, [("https://portal.example/cb".to_owned(), because.clone()), ("https://new.example/cb".to_owned(), because)]);
    }

    #[test]
    fn an_edit_of_the_whole_tenant_concerns_every_client_once() {
        let of_all = asked("tenant-settings", "session_cookie.mode", [json!("persistent"), json!("non-persistent")]);
        let because = vec![key("tenant-settings")];
        assert_eq!(
            of_all,
            [("https://acme-prod.eu.auth0.com/callback".to_owned(), because.clone()), ("https://portal.example/cb".to_owned(), because)]
        );
    }
}
