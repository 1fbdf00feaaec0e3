//! The credentials that the program signs in to a tenant with.

use secrecy::SecretString;

/// Credentials for one tenant.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A client id and its secret.
    Secret {
        /// The client id.
        client_id: String,
        /// The client's secret.
        client_secret: SecretString,
    },
    /// A client that signs with its private key (`private_key_jwt`, RS256).
    Key {
        /// The client id.
        client_id: String,
        /// Its RSA key, as PEM.
        pem: SecretString,
    },
    /// An access token obtained elsewhere; it cannot be renewed.
    Token(SecretString),
}
