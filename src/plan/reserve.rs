//! What no plan touches in a tenant: the tool's own client, and what the configuration protects.

use crate::resource::{Id, Key, Resource};
use crate::snapshot::{Snapshot, refs};

/// Leaves the tool's own client and its grants alone, and whatever the configuration protects.
///
/// `client` is the id of the client whose token reads this snapshot.
pub fn reserve(snapshot: &mut Snapshot, client: Option<&Id>, protected: &[glob::Pattern]) {
    let own = snapshot.resources.iter().find(|resource| resource.key.kind() == "clients" && Some(&resource.id) == client);
    let own = own.map(|resource| resource.key.clone());
    for resource in &mut snapshot.resources {
        let is_own = own.as_ref().is_some_and(|own| resource.key == *own || is_grant_of(resource, own));
        if is_own {
            resource.left_alone = Some("it is what migrate itself signs in with".to_owned());
        } else if protected.iter().any(|pattern| pattern.matches(&resource.key.to_string())) {
            resource.left_alone = Some("the configuration protects it".to_owned());
        }
    }
}

fn is_grant_of(resource: &Resource, client: &Key) -> bool {
    let owner = || resource.body.pick(&["client_id"]).get("client_id").and_then(refs::as_reference);
    resource.key.kind() == "client-grants" && owner().as_ref() == Some(client)
}
