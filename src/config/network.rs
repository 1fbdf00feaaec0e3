//! The certificates and the proxy for requests to one tenant.

use std::path::PathBuf;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};

use super::error::{Error, LateSetting};
use crate::diagnostic::FileLine;
use crate::files;

/// A file with certificates of authorities, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaFile {
    /// The file.
    pub path: PathBuf,
    /// The same as it is configured: from the folder of the configuration.
    pub written: PathBuf,
    /// Where it is configured.
    pub(super) place: FileLine,
}

impl CaFile {
    /// Reads the certificates, in DER.
    pub(super) fn read(&self, tenant: &str) -> Result<Vec<Vec<u8>>, Error> {
        let at = (tenant, &self.place);
        let wrong = |what: String| LateSetting::CaFile.wrong(at, what, None);
        let pem = files::read(&self.path).map_err(|error| LateSetting::CaFile.wrong(at, "cannot be used", Some(error.into())))?;
        let shown = self.path.display();
        let certificates: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(format!("is not PEM: \"{shown}\": {error}")))?;
        let mut usable = RootCertStore::empty();
        for certificate in &certificates {
            usable.add(certificate.clone()).map_err(|error| wrong(format!("has an invalid certificate: \"{shown}\": {error}")))?;
        }
        if certificates.is_empty() {
            return Err(wrong(format!("has no certificate: \"{shown}\" has no BEGIN CERTIFICATE")));
        }
        Ok(certificates.iter().map(|certificate| certificate.to_vec()).collect())
    }
}

/// The proxy for requests to a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxySetting {
    pub(super) place: FileLine,
    pub(super) url: ProxyUrl,
}

/// Where the URL of a proxy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ProxyUrl {
    /// In the configuration: it has no password.
    Plain(String),
    /// In this variable: it may have a password.
    Variable(String),
}

impl ProxySetting {
    /// Returns the URL of the proxy.
    pub(super) fn url(&self, tenant: &str, variable: &dyn Fn(&str) -> Option<SecretString>) -> Result<SecretString, Error> {
        let wrong = |what: String| LateSetting::Proxy.wrong((tenant, &self.place), what, None);
        match &self.url {
            ProxyUrl::Plain(url) => Ok(SecretString::from(url.as_str())),
            ProxyUrl::Variable(name) => {
                let url = variable(name).ok_or_else(|| wrong(format!("is not set: set {name} in the environment or in .env")))?;
                check_proxy(url.expose_secret()).map_err(|what| wrong(format!("in {name} is not valid: {what}")))?;
                Ok(url)
            }
        }
    }

    /// Returns the variable that contains the URL, if one does.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        match &self.url {
            ProxyUrl::Plain(_) => None,
            ProxyUrl::Variable(name) => Some(name),
        }
    }
}

/// Checks the URL of a proxy; returns what is expected.
pub(super) fn check_proxy(url: &str) -> Result<reqwest::Url, &'static str> {
    let parsed = reqwest::Url::parse(url).map_err(|_| "such as http://proxy.acme.example:3128")?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
        return Err("only http and https proxies, such as http://proxy.acme.example:3128");
    }
    if parsed.path() != "/" || parsed.query().is_some() || parsed.fragment().is_some() {
        return Err("only scheme, host and port");
    }
    Ok(parsed)
}
