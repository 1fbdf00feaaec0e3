//! Other people at the tenants of a fixture: their requests, and how the tenants' logs record them.

use auth0_migrate::sandbox::{Caller, LogLimits};
use serde_json::Value;

use crate::support::fixture::Fixture;

impl Fixture {
    /// Sends a request to prod as another client, or as an administrator in the dashboard; returns the response.
    pub(crate) fn ask_prod_as(&self, caller: Caller, method: &str, path: &str, body: &Value) -> Value {
        self.ask_as(caller, ("prod", method, path), body)
    }

    /// Sends a request to a tenant as another client, or as an administrator in the dashboard; returns the response.
    pub(crate) fn ask_as(&self, caller: Caller, (tenant, method, path): (&str, &str, &str), body: &Value) -> Value {
        // In a second test it is already installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (sandbox, runtime) = self.sandbox(tenant);
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let request = http.request(method.parse().expect("a method"), format!("{}/api/v2{path}", sandbox.url()));
        let request = request.bearer_auth(sandbox.token_of(caller, &[])).header("content-type", "application/json");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = runtime.block_on(request.body(body).send()).expect("an answer");
        assert!(answer.status().is_success(), "{method} {path}: {}", answer.status());
        serde_json::from_str(&runtime.block_on(answer.text()).expect("a text")).unwrap_or_default()
    }

    /// Sets how late entries of prod's log can be read, and for how long.
    pub(crate) fn limit_log_of_prod(&self, limits: LogLimits) {
        self.sandbox("prod").0.limit_log(limits);
    }

    /// Drops prod's log so far, as if its retention had passed.
    pub(crate) fn forget_log_of_prod(&self) {
        self.sandbox("prod").0.forget_log();
    }
}
