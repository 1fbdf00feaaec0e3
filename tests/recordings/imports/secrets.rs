//! The secrets of a tenant, which only this test can read: an import does not change those of the target.

use std::collections::BTreeMap;

use auth0_migrate::catalog::{Catalog, Shape};
use auth0_migrate::management_api::{Listing, Tenant};
use serde_json::Value;

use crate::support::imports::SUPPLIED;

/// Secrets by path.
pub(crate) type Secrets = BTreeMap<String, Value>;

/// Returns every secret that a tenant returns.
pub(crate) async fn held(tenant: &Tenant) -> Secrets {
    let mut held = Secrets::new();
    for kind in Catalog::standard().kinds().filter(|kind| kind.shape == Shape::Collection && !kind.secrets.paths.is_empty()) {
        let Listing::Complete(answers) = tenant.list(kind).await.expect("listed") else { continue };
        for answer in answers {
            let id = answer.text(kind.identity.id).expect("an id").to_owned();
            let found = kind.secrets.paths.iter().flat_map(|path| answer.find(path));
            held.extend(found.map(|(path, value)| (format!("{}/{id}: {path}", kind.name), value.clone())));
        }
    }
    held
}

/// Returns the secrets of a tenant that changed, other than those that the mapping supplied.
pub(crate) fn lost(before: &Secrets, after: &Secrets) -> Vec<String> {
    let is_lost = |(place, value): &(&String, &Value)| after.get(*place).is_none_or(|now| now != *value && now != SUPPLIED);
    before.iter().filter(is_lost).map(|(place, _)| format!("{place} was lost")).collect()
}
