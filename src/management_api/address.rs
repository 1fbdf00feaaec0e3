//! The address of a tenant: TLS, or loopback.

use std::net::IpAddr;

use reqwest::Url;

use super::error::Error;

/// The address of one tenant.
#[derive(Debug, Clone)]
pub struct Address {
    /// The tenant's own domain, even if requests go to another address.
    pub(super) domain: String,
    base: Url,
}

impl Address {
    /// Checks a domain and, if given, the URL to use instead.
    ///
    /// # Errors
    ///
    /// If the domain is invalid, or the URL is neither https nor loopback, or has more than a host.
    pub fn new(domain: &str, url: Option<&str>) -> Result<Self, Error> {
        let wrong = |address: &str, reason| Error::Address { address: address.to_owned(), reason };
        let home = Url::parse(&format!("https://{domain}/")).map_err(|_| wrong(domain, "is not a domain"))?;
        if home.host_str() != Some(domain.to_ascii_lowercase().as_str()) {
            return Err(wrong(domain, "is not a domain: use a bare name such as acme.eu.auth0.com"));
        }
        let base = match url {
            Some(url) => Url::parse(url).map_err(|_| wrong(url, "is not a URL"))?,
            None => home,
        };
        let given = url.unwrap_or(domain);
        match base.scheme() {
            "https" => {}
            "http" if is_loopback(&base) => {}
            "http" => return Err(wrong(given, "is not on loopback, so it needs https")),
            _ => return Err(wrong(given, "is neither https nor http")),
        }
        if !matches!(base.path(), "" | "/") || base.query().is_some() || !base.username().is_empty() || base.password().is_some() {
            return Err(wrong(given, "has more than a scheme, a host and a port"));
        }
        Ok(Self { domain: domain.to_owned(), base })
    }

    /// Returns the URL of a Management API path, including its query.
    ///
    /// # Errors
    ///
    /// If the path would leave the Management API.
    pub fn api(&self, path: &str) -> Result<Url, Error> {
        let path = path.trim_start_matches('/');
        if path.split(['?', '#']).next().is_some_and(|path| path.split('/').any(is_empty_or_relative)) {
            return Err(Error::Address { address: path.to_owned(), reason: "is not a path of the Management API" });
        }
        let url = Url::parse(&format!("{}api/v2/{path}", self.base)).ok();
        let inside = url.filter(|url| url.path().starts_with("/api/v2/") && url.path().len() > "/api/v2/".len());
        inside.ok_or_else(|| Error::Address { address: path.to_owned(), reason: "is not a path of the Management API" })
    }

    /// Returns the URL of the root of the tenant.
    pub(super) fn root(&self) -> Url {
        self.base.clone()
    }

    /// Returns the URL of the token endpoint.
    pub(super) fn token(&self) -> Url {
        let mut url = self.base.clone();
        url.set_path("/oauth/token");
        url
    }

    /// Returns the host that requests go to, for messages.
    pub(super) fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or(&self.domain);
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Returns the audience of the Management API.
    pub(super) fn audience(&self) -> String {
        format!("https://{}/api/v2/", self.domain)
    }

    /// Returns whether requests stay on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.base)
    }

    /// Returns whether requests are sent without TLS.
    pub(super) fn is_plain(&self) -> bool {
        self.base.scheme() == "http"
    }
}

/// Returns whether a path segment cannot name a resource: URLs resolve `..`, also percent-encoded, to the parent
/// folder.
fn is_empty_or_relative(part: &str) -> bool {
    let part = percent_encoding::percent_decode_str(part).decode_utf8_lossy();
    matches!(part.as_ref(), "" | "." | "..")
}

/// Returns whether a URL points to this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(domain: &str, url: Option<&str>) -> String {
        Address::new(domain, url).map(|_| ()).expect_err("a wrong address").to_string()
    }

    #[test]
    fn plain_http_is_allowed_on_loopback_only() {
        for url in ["http://127.0.0.1:4010", "http://localhost:4010/", "http://[::1]:4010", "https://acme.example"] {
            assert!(Address::new("acme.auth0.com", Some(url)).is_ok(), "{url}");
        }
        assert_eq!(
            refused("acme.auth0.com", Some("http://acme.auth0.com")),
            "\"http://acme.auth0.com\" is not on loopback, so it needs https"
        );
        assert_eq!(
            refused("acme.auth0.com", Some("http://localhost.evil.example")),
            "\"http://localhost.evil.example\" is not on loopback, so it needs https"
        );
        assert_eq!(refused("acme.auth0.com", Some("ftp://127.0.0.1")), "\"ftp://127.0.0.1\" is neither https nor http");
    }

    #[test]
    fn a_domain_is_a_bare_host_name() {
        for domain in ["https://acme.auth0.com", "acme.auth0.com/x", "user@acme.auth0.com", "acme.auth0.com:8080", ""] {
            assert!(Address::new(domain, None).is_err(), "{domain}");
        }
    }

    #[test]
    fn the_audience_is_the_tenants_own_whatever_the_address() {
        let address = Address::new("acme.auth0.com", Some("http://127.0.0.1:4010")).expect("an address");
        assert_eq!(address.audience(), "https://acme.auth0.com/api/v2/");
        assert_eq!(address.token().as_str(), "http://127.0.0.1:4010/oauth/token");
    }

    #[test]
    fn no_path_leads_out_of_the_management_api() {
        let address = Address::new("acme.auth0.com", None).expect("an address");
        let url = |path| address.api(path).map(|url| url.to_string()).ok();
        assert_eq!(url("clients?page=0").as_deref(), Some("https://acme.auth0.com/api/v2/clients?page=0"));
        assert_eq!(url("//evil.example/x").as_deref(), Some("https://acme.auth0.com/api/v2/evil.example/x"));
        assert_eq!(url("../../oauth/token"), None);
        for path in ["clients/..", "clients/%2e%2E", "clients/.", "clients/", "clients//x", "clients/../roles?a=b"] {
            assert_eq!(url(path), None, "{path}");
        }
        assert_eq!(url(""), None);
    }
}
