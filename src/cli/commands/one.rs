//! Finds one resource of a tenant by name or id.

use crate::catalog::{KeyNames, Kind, Shape};
use crate::cli::context::Context;
use crate::cli::error::{FAILED, Failure, REFUSED, USAGE};
use crate::cli::options::kind;
use crate::config::TenantSettings;
use crate::export::{Scope, export};
use crate::json::Body;
use crate::management_api::{Listing, Tenant};
use crate::model::event::NoObserver;
use crate::model::resource::{Id, Resource, Unreadable, name_of, take_secrets};
use crate::plan::{Plan, protected_touched_by, related_kinds};
use crate::snapshot::{Snapshot, Status};
use crate::workflow::{self, now};

/// A resource as the tenant returned it, and as migrate parses it.
pub(super) struct FetchedResource {
    /// The name for display.
    pub(super) name: String,
    /// Its id; a child has its parent's.
    pub(super) id: Id,
    /// The response without secrets.
    pub(super) answer: Body,
    /// The parsed resource: writable fields only.
    pub(super) resource: Resource,
}

impl FetchedResource {
    /// Refuses resources that a run would exclude: system and protected ones, and migrate's own client.
    pub(super) fn refuse_reserved(&self, of: &Kind, tenant: &Tenant, settings: &TenantSettings) -> Result<(), Failure> {
        let keys = [&self.name, &name_of(of, &self.answer)].map(|name| format!("{}/{name}", of.name));
        let mut protected = settings.protected.iter().filter_map(|text| glob::Pattern::new(text).ok());
        let reason = match &self.resource.excluded {
            Some(reason) => reason.as_str(),
            None if protected.any(|pattern| keys.iter().any(|key| pattern.matches(key))) => "it is protected in migrate.toml",
            None if of.name == "clients" && tenant.client_id().as_deref() == Some(self.id.as_str()) => "migrate itself signs in with it",
            None => return Ok(()),
        };
        Err(Failure::new(REFUSED, format!("{} \"{}\" is not changed: {reason}", of.singular, self.name)))
    }
}

/// Refuses a plan for one resource that would affect an excluded one, which the resource belongs to or which the change
/// refers to.
pub(super) async fn refuse_beside(
    context: &Context,
    tenant: &Tenant,
    settings: &TenantSettings,
    (found, plan): (&FetchedResource, &Plan),
) -> Result<(), Failure> {
    let kinds = related_kinds(plan);
    let is_protected = |name: &str| settings.protected.iter().any(|pattern| may_match(pattern, name));
    let protected: Vec<&str> = kinds.iter().map(String::as_str).filter(|name| is_protected(name)).collect();
    if protected.is_empty() && !kinds.contains("clients") {
        return Ok(());
    }
    let scope = Scope::lookup(context.catalog, kinds.clone());
    let mut live = export(context.catalog, tenant, &scope, &now(), &NoObserver).await?;
    live.protect(&workflow::protected(settings));
    if let Some(key) = protected_touched_by(plan, &found.resource, &live) {
        return Err(Failure::new(REFUSED, format!("{key} is protected, and this would change something that belongs or refers to it")));
    }
    let unread = protected.iter().find_map(|name| match live.kinds.get(*name)? {
        Status::Forbidden(reason) | Status::Refused(reason) => Some((*name, reason)),
        _ => None,
    });
    unread.map_or(Ok(()), |(name, reason)| {
        let error = format!("cannot check whether this affects protected {name}: {reason}");
        Err(Failure::new(REFUSED, error))
    })
}

/// Returns whether a pattern may match keys of a kind.
fn may_match(pattern: &str, kind: &str) -> bool {
    let of_kinds = pattern.split_once('/').map_or("*", |(of_kinds, _)| of_kinds);
    glob::Pattern::new(of_kinds).is_ok_and(|of_kinds| of_kinds.matches(kind))
}

/// Reads every resource of a kind.
pub(super) async fn list(context: &Context, tenant: &Tenant, of: &'static Kind) -> Result<Snapshot, Failure> {
    let scope = Scope::lookup(context.catalog, [of.name.to_owned()].into());
    let snapshot = export(context.catalog, tenant, &scope, &now(), &NoObserver).await?;
    let Some(Status::Absent(reason) | Status::Refused(reason) | Status::Forbidden(reason)) = snapshot.kinds.get(of.name) else {
        return Ok(snapshot);
    };
    Err(Failure::new(FAILED, format!("cannot read {} of \"{}\": {reason}", of.name, tenant.name())))
}

/// Finds the resource of a kind with this id, under the name in its tenant.
pub(super) async fn find_by_id(tenant: &Tenant, of: &'static Kind, id: &str) -> Result<Option<FetchedResource>, Failure> {
    let answer = tenant.read(of, &Id::new(id)).await.map_err(|error| Failure::of_tenant(&error, tenant.name()))?;
    answer.map(|answer| found(of, name_of(of, &answer), answer)).transpose()
}

/// Finds the resource of a kind with this name or id.
pub(super) async fn find(context: &Context, tenant: &Tenant, of: &'static Kind, name: Option<&str>) -> Result<FetchedResource, Failure> {
    match (of.shape, name) {
        (Shape::Singleton, _) => {
            let answer = read(tenant, of, &Id::new(of.name)).await?.ok_or_else(|| missing(of, of.name, tenant))?;
            found(of, of.name.to_owned(), answer)
        }
        (_, None) => Err(Failure::new(USAGE, format!("the name of the {} is missing", of.singular))
            .hint(format!("add its name or id after {}", of.name))),
        (Shape::Child { parent, .. }, Some(name)) => {
            let above = Box::pin(find(context, tenant, kind(context, parent)?, Some(name))).await?;
            let elements = tenant.list_elements(of, &above.id).await.map_err(|error| Failure::of_tenant(&error, tenant.name()))?;
            let mut answer = Body::new();
            answer.set(of.elements(), serde_json::Value::Array(elements.clone()));
            Ok(FetchedResource { name: above.name, id: above.id.clone(), answer, resource: Resource::read_child(of, &above.id, elements) })
        }
        (Shape::Nested { .. } | Shape::Part { .. } | Shape::Keyed { names: KeyNames::PerElement { .. } }, Some(name)) => {
            find_below(context, tenant, of, name).await
        }
        (Shape::Collection | Shape::Keyed { .. }, Some(name)) => find_listed(tenant, of, name).await,
    }
}

/// Finds a resource by its id, otherwise by its name in the list.
async fn find_listed(tenant: &Tenant, of: &'static Kind, name: &str) -> Result<FetchedResource, Failure> {
    let by_id = if name.contains(' ') { Ok(None) } else { tenant.read(of, &Id::new(name)).await };
    // The argument may be a name, in which case a refusal of it as an id means nothing.
    let refused = match by_id {
        Ok(Some(answer)) => return found(of, name_of(of, &answer), answer),
        Ok(None) => None,
        Err(error) if error.is_refusal() => Some(error),
        Err(error) => return Err(Failure::of_tenant(&error, tenant.name())),
    };
    let listing = tenant.list(of).await.map_err(|error| Failure::of_tenant(&error, tenant.name()))?;
    let answers = match listing {
        Listing::Complete(answers) => answers,
        Listing::Absent { reason, .. } => {
            let error = format!("cannot read {} of \"{}\": {reason}", of.name, tenant.name());
            return Err(Failure::new(FAILED, error));
        }
    };
    let mut named: Vec<Body> = answers.into_iter().filter(|answer| name_of(of, answer) == name).collect();
    match named.len() {
        0 => Err(refused.map_or_else(|| missing(of, name, tenant), |error| Failure::of_tenant(&error, tenant.name()))),
        1 => found(of, name.to_owned(), named.remove(0)),
        count => {
            let ids: Vec<String> = named.iter().filter_map(|answer| of.id_of(answer)).collect();
            let error = format!("{count} {} are called \"{name}\"", of.name);
            Err(Failure::new(USAGE, error).hint(format!("name one by its id: {}", ids.join(", "))))
        }
    }
}

/// Finds a nested resource by its name in a snapshot, or by its id.
async fn find_below(context: &Context, tenant: &Tenant, of: &'static Kind, name: &str) -> Result<FetchedResource, Failure> {
    let snapshot = list(context, tenant, of).await?;
    let is_meant = |resource: &&Resource| resource.key.name() == name || resource.id.as_str() == name;
    let id = snapshot.of_kind(of.name).find(is_meant).map(|resource| resource.id.clone()).ok_or_else(|| missing(of, name, tenant))?;
    let answer = read(tenant, of, &id).await?.ok_or_else(|| missing(of, name, tenant))?;
    found(of, name.to_owned(), answer)
}

async fn read(tenant: &Tenant, of: &'static Kind, id: &Id) -> Result<Option<Body>, Failure> {
    tenant.read(of, id).await.map_err(|error| Failure::of_tenant(&error, tenant.name()))
}

fn missing(of: &Kind, name: &str, tenant: &Tenant) -> Failure {
    Failure::new(FAILED, format!("\"{}\" has no {} \"{name}\"", tenant.name(), of.singular))
        .hint("names are case-sensitive; an id works too")
}

fn found(of: &'static Kind, name: String, mut answer: Body) -> Result<FetchedResource, Failure> {
    let unreadable = |error: Unreadable| Failure::new(FAILED, "cannot read the response").caused_by(&error);
    let resource = Resource::read(of, answer.clone()).map_err(unreadable)?;
    take_secrets(of, &mut answer);
    Ok(FetchedResource { name, id: resource.id.clone(), answer, resource })
}
