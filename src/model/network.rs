//! How requests reach a tenant, where the system's settings do not suffice.

use secrecy::SecretString;

/// The certificates and the proxy for requests to one tenant.
#[derive(Debug, Clone, Default)]
pub struct NetworkOptions {
    /// Certificates of authorities to trust besides those of the system, in DER.
    pub authorities: Vec<Vec<u8>>,
    /// The URL of the proxy to use instead of the system's; it may contain a password.
    pub proxy: Option<SecretString>,
}
