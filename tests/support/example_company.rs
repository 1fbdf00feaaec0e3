//! The two tenants of the example company, signed in to with the client `migrate` that each of them has.

use auth0_migrate::sandbox::seed;
use serde_json::Value;

use crate::support::fixture::Fixture;

/// The two tenants, before their sandboxes start.
pub(crate) struct Company {
    pub(crate) dev: Value,
    pub(crate) prod: Value,
}

impl Default for Company {
    fn default() -> Self {
        let state = |text| serde_json::from_str(text).expect("JSON");
        Self { dev: state(seed::ACME_DEV), prod: state(seed::ACME_PROD) }
    }
}

impl Company {
    /// Takes scopes from the client `migrate` of prod.
    pub(crate) fn without_scopes_in_prod(mut self, scopes: &[&str]) -> Self {
        granted(&mut self.prod).retain(|scope| !scopes.iter().any(|missing| scope == missing));
        self
    }

    /// Grants the client `migrate` of prod these scopes only.
    pub(crate) fn with_scopes_in_prod(mut self, scopes: &[&str]) -> Self {
        *granted(&mut self.prod) = scopes.iter().map(|scope| (*scope).into()).collect();
        self
    }

    /// Takes scopes from the client `migrate` of dev.
    pub(crate) fn without_scopes_in_dev(mut self, scopes: &[&str]) -> Self {
        granted(&mut self.dev).retain(|scope| !scopes.iter().any(|missing| scope == missing));
        self
    }

    /// Starts both tenants, with the example's mapping and the credentials of the two clients in variables.
    pub(crate) fn fixture(self) -> Fixture {
        self.fixture_with("")
    }

    /// Like [`Self::fixture`], with faults of requests to prod.
    pub(crate) fn fixture_with(mut self, faults: &str) -> Fixture {
        let mut variables = Vec::new();
        for (name, state) in [("DEV", &mut self.dev), ("PROD", &mut self.prod)] {
            let client = own_client(state);
            let text = |field: &str| client[field].as_str().expect("a text").to_owned();
            variables.push((format!("MIGRATE_{name}_CLIENT_ID"), text("client_id")));
            variables.push((format!("MIGRATE_{name}_CLIENT_SECRET"), text("client_secret")));
        }
        let mut fixture = Fixture::acme_of(self.dev, self.prod, faults);
        for (name, value) in variables {
            fixture.set(&name, &value);
        }
        fixture
    }
}

/// Returns the client `migrate` of a tenant.
pub(crate) fn own_client(state: &mut Value) -> &mut Value {
    let clients = state["data"]["/clients"].as_array_mut().expect("clients");
    clients.iter_mut().find(|client| client["name"] == "migrate").expect("it is among them")
}

/// Returns the scopes of that client's grant on the Management API.
fn granted(state: &mut Value) -> &mut Vec<Value> {
    let id = own_client(state)["client_id"].clone();
    let grants = state["data"]["/client-grants"].as_array_mut().expect("grants");
    let is_own = |grant: &&mut Value| grant["client_id"] == id && grant["audience"].as_str().is_some_and(|api| api.ends_with("/api/v2/"));
    grants.iter_mut().find(is_own).expect("it has one")["scope"].as_array_mut().expect("scopes")
}
