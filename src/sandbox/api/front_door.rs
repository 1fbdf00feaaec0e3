//! The front door: `/authorize`, the login page that it leads to, and the well-known documents, without a token.
//!
//! What Auth0 documents or users report is in `docs/probe.md`, with the sources; so is what is only assumed. Nobody can sign in here: the
//! login page is the end.

use serde_json::{Value, json};

use crate::json::Body;
use crate::sandbox::http::request::parse_form;
use crate::sandbox::store::state::State;

/// A response of the front door.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DoorResponse {
    /// A redirect to this URL.
    Redirect(String),
    /// A page with this status and text.
    Page(u16, String),
    /// A document.
    Document(Value),
}

/// The parameters of a request to `/authorize`.
struct Authorization<'request> {
    query: &'request [(String, String)],
}

/// An error of `/authorize`: its code and its description.
struct AuthorizationError {
    code: &'static str,
    description: String,
}

impl Authorization<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Returns the grant type that the response type belongs to; nothing for an unknown one.
    fn grant_type(&self) -> Option<&'static str> {
        let mut words: Vec<&str> = self.parameter("response_type")?.split(' ').collect();
        words.sort_unstable();
        match words[..] {
            ["code"] => Some("authorization_code"),
            ["token" | "id_token"] | ["id_token", "token"] => Some("implicit"),
            _ => None,
        }
    }
}

impl AuthorizationError {
    fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self { code, description: description.into() }
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        vec![("error", self.code.to_owned()), ("error_description", self.description.clone())]
    }
}

impl State {
    /// Answers a request to the front door; `None` if the path does not belong to it.
    pub(crate) fn respond_at_front_door(&self, host: &str, target: &str) -> Option<DoorResponse> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = parse_form(query);
        let respond: &dyn Fn() -> DoorResponse = match path {
            "/authorize" => &|| self.authorize(&Authorization { query: &query }),
            "/u/login" | "/login" => &|| DoorResponse::Page(200, "Log in".to_owned()),
            "/.well-known/openid-configuration" => &|| DoorResponse::Document(self.discovery(host)),
            "/.well-known/jwks.json" => &|| DoorResponse::Document(json!({"keys": [self.signing_key()]})),
            _ => return None,
        };
        Some(if self.is_own_host(host) { respond() } else { DoorResponse::Page(404, "Not Found".to_owned()) })
    }

    /// Returns whether the tenant answers at a host: its own domain, loopback in its place, or a verified custom domain.
    fn is_own_host(&self, host: &str) -> bool {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let is_verified = |body: &Body| body.text("domain") == Some(name) && body.text("status") == Some("ready");
        [self.domain.as_str(), "127.0.0.1", "localhost"].contains(&name)
            || self.tables.get("custom-domains").is_some_and(|table| !table.ids_where(is_verified).is_empty())
    }

    fn discovery(&self, host: &str) -> Value {
        let issuer = if host.starts_with("127.0.0.1") || host.starts_with("localhost") { self.domain.as_str() } else { host };
        json!({
            "issuer": format!("https://{issuer}/"),
            "authorization_endpoint": format!("https://{issuer}/authorize"),
            "token_endpoint": format!("https://{issuer}/oauth/token"),
            "jwks_uri": format!("https://{issuer}/.well-known/jwks.json"),
            "response_types_supported": ["code", "token", "id_token"],
        })
    }

    /// Returns the public key that tokens would be signed with: none is ever signed.
    fn signing_key(&self) -> Value {
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.tenant, "n": "AQAB", "e": "AQAB"})
    }

    fn authorize(&self, asked: &Authorization<'_>) -> DoorResponse {
        let Some(id) = asked.parameter("client_id") else {
            return self.error_page(asked, &AuthorizationError::new("invalid_request", "Missing required parameter: client_id"));
        };
        let Some(client) = self.tables.get("clients").and_then(|table| table.get(id)) else {
            return self.error_page(asked, &AuthorizationError::new("invalid_request", format!("Unknown client: {id}")));
        };
        let callback = asked.parameter("redirect_uri").unwrap_or_default();
        if !texts(client, "callbacks").iter().any(|allowed| is_allowed(allowed, callback)) {
            let description = format!("Callback URL mismatch. {callback} is not in the list of allowed callback URLs");
            return self.error_page(asked, &AuthorizationError::new("unauthorized_client", description));
        }
        match self.refusal(asked, id, client) {
            Some(error) if shows_errors_itself(client) => self.error_page(asked, &error),
            Some(error) => at_callback(asked, callback, &error),
            None => DoorResponse::Redirect(self.login_page(id, asked)),
        }
    }

    /// Returns why a client with a valid callback cannot start a login.
    fn refusal(&self, asked: &Authorization<'_>, id: &str, client: &Body) -> Option<AuthorizationError> {
        let error = |code, description: &str| Some(AuthorizationError::new(code, description));
        let Some(grant) = asked.grant_type() else {
            return error("unsupported_response_type", "Unsupported response type");
        };
        let is_granted = client.get("grant_types").is_none_or(Value::is_null) || texts(client, "grant_types").contains(&grant);
        let is_set = |field: &str| client.get(field) == Some(&Value::Bool(true));
        let requires_organization = client.text("organization_usage") == Some("require")
            && client.text("organization_require_behavior").is_none_or(|behavior| behavior == "no_prompt");
        if !is_granted {
            return error("unauthorized_client", &format!("Grant type '{grant}' not allowed for the client."));
        }
        if is_set("require_pushed_authorization_requests") {
            return error("invalid_request", "Pushed Authorization Requests are required for this client");
        }
        if requires_organization && asked.parameter("organization").is_none() {
            return error("invalid_request", "parameter organization is required for this client");
        }
        if !self.has_connection(id) {
            return error("invalid_request", "no connections enabled for the client");
        }
        if asked.parameter("prompt") == Some("none") { error("login_required", "Login required") } else { None }
    }

    /// Returns whether a client may use a connection.
    fn has_connection(&self, client: &str) -> bool {
        let lists = self.children.get("connection-clients").into_iter().flatten();
        lists.into_iter().any(|(_, clients)| clients.iter().any(|one| one["client_id"] == client))
    }

    /// Returns the login page of the experience that the tenant has chosen.
    fn login_page(&self, client: &str, asked: &Authorization<'_>) -> String {
        let prompts = self.tables.get("prompts").and_then(|table| table.in_order(None, true).next());
        let is_classic = prompts.is_some_and(|(_, prompts)| prompts.text("universal_login_experience") == Some("classic"));
        let state = encoded(asked.parameter("state").unwrap_or_default());
        if is_classic {
            format!("/login?state={state}&client={}&protocol=oauth2", encoded(client))
        } else {
            format!("/u/login?state={state}")
        }
    }

    /// Returns the error page: the tenant's own, if it has one, with the error in its URL.
    fn error_page(&self, asked: &Authorization<'_>, error: &AuthorizationError) -> DoorResponse {
        let settings = self.tables.get("tenant-settings").and_then(|table| table.in_order(None, true).next());
        let own = settings.and_then(|(_, settings)| settings.text("error_page.url")).filter(|url| !url.is_empty());
        let Some(own) = own else { return DoorResponse::Page(403, format!("{}: {}", error.code, error.description)) };
        let client = asked.parameter("client_id").map(|id| ("client_id", id.to_owned()));
        DoorResponse::Redirect(with_parameters(own, '?', client.into_iter().chain(error.parameters())))
    }
}

/// Returns the error at the application's callback: in the fragment for tokens, otherwise in the query.
fn at_callback(asked: &Authorization<'_>, callback: &str, error: &AuthorizationError) -> DoorResponse {
    let separator = if asked.grant_type() == Some("implicit") { '#' } else { '?' };
    let state = asked.parameter("state").map(|state| ("state", state.to_owned()));
    DoorResponse::Redirect(with_parameters(callback, separator, error.parameters().into_iter().chain(state)))
}

fn with_parameters<'name>(url: &str, separator: char, parameters: impl Iterator<Item = (&'name str, String)>) -> String {
    let parameters: Vec<String> = parameters.map(|(name, value)| format!("{name}={}", encoded(&value))).collect();
    let separator = if separator == '?' && url.contains('?') { '&' } else { separator };
    format!("{url}{separator}{}", parameters.join("&"))
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn texts<'body>(body: &'body Body, path: &str) -> Vec<&'body str> {
    body.get(path).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Returns whether errors are shown on a page of the tenant rather than sent to the callback (`redirection_policy` in Auth0's description).
fn shows_errors_itself(client: &Body) -> bool {
    client.get("is_first_party") == Some(&Value::Bool(false))
        && client.text("third_party_security_mode") == Some("strict")
        && client.text("redirection_policy") != Some("allow_always")
}

/// Returns whether an allowed callback covers a URL: they are equal, or a wildcard stands for a part of the first label of the host.
fn is_allowed(allowed: &str, url: &str) -> bool {
    if allowed == url {
        return !url.is_empty();
    }
    let Some((before, after)) = allowed.split_once('*').filter(|(before, after)| is_wildcard(before, after)) else { return false };
    let inside = url.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    inside.is_some_and(|label| !label.is_empty() && label.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '-'))
}

/// Returns whether a wildcard between two texts is one that Auth0 documents to work.
fn is_wildcard(before: &str, after: &str) -> bool {
    let label = ["https://", "http://"].iter().find_map(|scheme| before.strip_prefix(scheme));
    let rest = after.split(['/', '?', '#']).next().unwrap_or_default();
    let domain = rest.split_once('.').map(|(_, domain)| domain).unwrap_or_default();
    label.is_some_and(|label| !label.contains(['.', '/'])) && domain.contains('.') && !after.contains('*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_auth0_documents_them() {
        for (allowed, url, is_matched) in [
            ("https://app.acme.example/cb", "https://app.acme.example/cb", true),
            ("https://app.acme.example/cb", "https://app.acme.example/cb/", false),
            ("https://*.acme.example/cb", "https://a.acme.example/cb", true),
            ("https://*.acme.example/cb", "https://a.b.acme.example/cb", false),
            ("https://*.acme.example/cb", "http://a.acme.example/cb", false),
            ("https://pre-*-post.acme.example", "https://pre-a-post.acme.example", true),
            ("https://sub.*.acme.example", "https://sub.a.acme.example", false),
            ("https://*.*.acme.example", "https://a.b.acme.example", false),
            ("https://*.example", "https://acme.example", false),
            ("com.acme.app://*.acme.example/cb", "com.acme.app://a.acme.example/cb", false),
        ] {
            assert_eq!(is_allowed(allowed, url), is_matched, "{allowed} {url}");
        }
    }

    #[test]
    fn an_error_reaches_the_callback_only_if_the_callback_is_allowed() {
        let state = State::from_json(json!({"tenant": "acme", "domain": "acme.eu.auth0.com", "data": {
            "/clients": [{"client_id": "c1", "name": "Web", "callbacks": ["https://a.example/cb"], "grant_types": ["authorization_code"]}],
            "/connections": [{"id": "con_1", "name": "users", "strategy": "auth0"}],
        }}))
        .expect("a state");
        let ask = |query: &str| state.respond_at_front_door("127.0.0.1:4010", &format!("/authorize?{query}")).expect("an answer");
        let redirect = |url: &str| DoorResponse::Redirect(url.to_owned());
        let callback = "redirect_uri=https%3A%2F%2Fa.example%2Fcb";
        assert_eq!(
            ask(&format!("client_id=c1&{callback}&response_type=code&state=s")),
            redirect(
                "https://a.example/cb?error=invalid%5Frequest&error_description=no%20connections%20enabled%20for%20the%20client&state=s"
            )
        );
        assert_eq!(
            ask(&format!("client_id=c1&{callback}&response_type=token")),
            redirect(
                "https://a.example/cb#error=unauthorized%5Fclient&\
                 error_description=Grant%20type%20%27implicit%27%20not%20allowed%20for%20the%20client%2E"
            )
        );
        let mismatch = "unauthorized_client: Callback URL mismatch. https://b.example is not in the list of allowed callback URLs";
        assert_eq!(
            ask("client_id=c1&redirect_uri=https%3A%2F%2Fb.example&response_type=code"),
            DoorResponse::Page(403, mismatch.to_owned())
        );
        assert_eq!(ask("client_id=c2&response_type=code"), DoorResponse::Page(403, "invalid_request: Unknown client: c2".to_owned()));
        assert_eq!(state.respond_at_front_door("127.0.0.1:4010", "/clients"), None);
        let elsewhere = state.respond_at_front_door("login.acme.example", "/.well-known/jwks.json");
        assert_eq!(elsewhere, Some(DoorResponse::Page(404, "Not Found".to_owned())));
    }
}
