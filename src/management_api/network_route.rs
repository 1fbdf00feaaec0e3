//! How requests to a tenant leave this machine: through which proxy, and trusting which certificates.

use std::path::PathBuf;

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use secrecy::ExposeSecret;

use super::address::Address;
use super::error::Error;
use crate::model::network::NetworkOptions;

/// The variables with a file or folders of certificates that replace those of the system, except on macOS and Windows.
const CERTIFICATES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// How requests to a tenant leave this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRoute {
    /// The proxy as scheme, host and port, without credentials.
    pub proxy: Option<String>,
    /// The variables with certificates that replace those of the system, and their values.
    pub certificates: Vec<(&'static str, PathBuf)>,
    /// Whether requests stay on this machine.
    pub is_loopback: bool,
    /// Whether requests are sent without TLS.
    pub is_plain: bool,
}

impl NetworkRoute {
    /// Returns the route to a tenant, without sending anything: the HTTP client decides by the same options, variables and settings of the
    /// system.
    ///
    /// # Errors
    ///
    /// If the address is not allowed.
    pub fn new(domain: &str, url: Option<&str>, network: &NetworkOptions) -> Result<Self, Error> {
        let address = Address::new(domain, url)?;
        let (is_loopback, is_plain) = (address.is_loopback(), address.is_plain());
        let uri = address.root().as_str().parse::<Uri>().ok().filter(|_| !is_loopback);
        let own = network.proxy.as_ref().and_then(|proxy| proxy.expose_secret().parse::<Uri>().ok()).filter(|_| !is_loopback);
        let of_system = || uri.and_then(|uri| Matcher::from_system().intercept(&uri)).map(|proxy| shown(proxy.uri()));
        let proxy = own.as_ref().map(shown).or_else(of_system);
        let set = |name: &'static str| Some((name, PathBuf::from(std::env::var_os(name).filter(|value| !value.is_empty())?)));
        let certificates = if is_plain { Vec::new() } else { CERTIFICATES.into_iter().filter_map(set).collect() };
        Ok(Self { proxy, certificates, is_loopback, is_plain })
    }
}

/// Returns the address of a proxy without credentials.
fn shown(uri: &Uri) -> String {
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", uri.scheme_str().unwrap_or("http"), uri.host().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_shown_without_credentials() {
        let uri: Uri = "http://ada:CANARY@proxy.acme.example:3128/".parse().expect("an address");
        assert_eq!(shown(&uri), "http://proxy.acme.example:3128");
    }

    #[test]
    fn loopback_needs_neither_a_proxy_nor_certificates() {
        let route = NetworkRoute::new("acme.eu.auth0.com", Some("http://127.0.0.1:4010"), &NetworkOptions::default()).expect("allowed");
        assert_eq!(route, NetworkRoute { proxy: None, certificates: Vec::new(), is_loopback: true, is_plain: true });
    }
}
