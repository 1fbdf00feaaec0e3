//! Applies the rules of a tenant's state file.

use hyper::Method;

use crate::json::Body;
use crate::sandbox::http::request::ApiRequest;
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::store::state::State;
use crate::sandbox::store::tenant_rule::{FollowUpRequest, TenantRule};

impl State {
    /// Refuses a request that a rule of this tenant refuses.
    ///
    /// # Errors
    ///
    /// The response of the rule.
    pub(crate) fn check_rules(&self, request: &ApiRequest) -> Result<(), ApiResponse> {
        let refused = self.rules.iter().filter(|rule| rule.is_about(request)).find_map(|rule| Some((rule.status?, &rule.body)));
        refused.map_or(Ok(()), |(status, body)| Err(ApiResponse::new(status, body.clone())))
    }

    /// Returns the request that a rule of this tenant executes instead, if there is one.
    pub(crate) fn rewritten(&self, request: &ApiRequest) -> Option<ApiRequest> {
        let is_about = |rule: &&TenantRule| !rule.makes.is_empty() && request.is_write() && rule.is_about(request);
        let mut body = Body::from_value(request.body.clone()).ok()?;
        let made: Vec<&TenantRule> = self.rules.iter().filter(is_about).collect();
        for (path, value) in made.iter().flat_map(|rule| &rule.makes) {
            body.put(path, Some(value.clone()).filter(|value| !value.is_null()));
        }
        (!made.is_empty()).then(|| ApiRequest { body: body.into_value(), ..request.clone() })
    }

    /// Returns the requests that the rules of this tenant execute after this one.
    pub(crate) fn follow_up_requests(&self, request: &ApiRequest) -> Vec<ApiRequest> {
        let then = self.rules.iter().filter(|rule| rule.is_about(request)).filter_map(|rule| rule.then.as_ref());
        let to_call = |FollowUpRequest { method, path, body }: &FollowUpRequest| {
            let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET);
            ApiRequest::new(method, path.strip_prefix("/api/v2").unwrap_or(path), body.clone())
        };
        then.map(to_call).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn tenant() -> State {
        let refuse = json!([
            {"method": "PATCH", "path": "/tenants/settings$", "has": "flags.revoke_refresh_token_grant", "status": 400,
             "body": {"message": "no such flag"}},
            {"method": "GET", "path": "^/roles$", "status": 501},
            {"method": "PATCH", "path": "/branding$", "lacks": "logo_url",
             "then": {"method": "PATCH", "path": "/api/v2/prompts", "body": {"identifier_first": true}}},
        ]);
        let data = json!({"/tenants/settings": {}, "/branding": {}, "/prompts": {"identifier_first": false}, "/roles": []});
        State::from_json(json!({"domain": "acme.eu.auth0.com", "data": data, "refuse": refuse})).expect("a state")
    }

    #[test]
    fn a_rule_refuses_only_what_it_matches() {
        let mut tenant = tenant();
        let mut settings = |sent: Value| tenant.ask("PATCH", "/tenants/settings", sent);
        let refused = settings(json!({"flags": {"revoke_refresh_token_grant": true}, "friendly_name": "Acme"}));
        assert_eq!((refused.status, refused.body), (400, json!({"message": "no such flag"})));
        assert_eq!(settings(json!({"friendly_name": "Acme"})).status, 200);
        assert_eq!(tenant.ask("GET", "/roles", Value::Null).status, 501);
    }

    #[test]
    fn a_rule_executes_a_follow_up_request() {
        let identifier_first = |sent: Value| {
            let mut tenant = tenant();
            assert_eq!(tenant.ask("PATCH", "/branding", sent).status, 200);
            tenant.ask("GET", "/prompts", Value::Null).body["identifier_first"].clone()
        };
        let colors = json!({"primary": "#000000"});
        assert_eq!(identifier_first(json!({"colors": colors})), true);
        assert_eq!(identifier_first(json!({"colors": colors, "logo_url": "https://a.example/logo.png"})), false);
    }

    #[test]
    fn a_rule_replaces_sent_values() {
        let makes =
            json!([{"method": "PATCH", "path": "/branding$", "has": "font", "makes": {"colors.primary": "#ffffff", "favicon_url": null}}]);
        let state = json!({"domain": "acme.eu.auth0.com", "data": {"/branding": {}}, "refuse": makes});
        let mut tenant = State::from_json(state).expect("a state");
        let sent = json!({"colors": {"primary": "#000000"}, "favicon_url": "https://a.example/a.ico", "font": {"url": "https://a.example/a.woff"}});
        let answered = tenant.ask("PATCH", "/branding", sent).body;
        assert_eq!((&answered["colors"]["primary"], answered.get("favicon_url")), (&json!("#ffffff"), None));
        assert_eq!(tenant.ask("PATCH", "/branding", json!({"colors": {"primary": "#000000"}})).body["colors"]["primary"], "#000000");
    }

    #[test]
    fn rules_are_saved_and_unknown_ones_are_refused() {
        let written = tenant().to_json()["refuse"].clone();
        assert_eq!(written[1], json!({"method": "GET", "path": "^/roles$", "status": 501}));
        for wrong in [json!([{"method": "GET", "path": "("}]), json!([{"method": "GET", "path": "/", "when": 1}]), json!({})] {
            assert!(State::from_json(json!({"domain": "a", "data": {}, "refuse": wrong})).is_err(), "{wrong}");
        }
    }
}
