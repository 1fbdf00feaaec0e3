//! As whom the program signs in to a tenant.

use secrecy::SecretString;

/// Who is asking.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A client and its secret.
    Secret {
        /// The client.
        client_id: String,
        /// Its secret.
        client_secret: SecretString,
    },
    /// A client that signs with its private key (`private_key_jwt`, RS256).
    Key {
        /// The client.
        client_id: String,
        /// Its RSA key, as PEM.
        pem: SecretString,
    },
    /// A token that was obtained elsewhere; it cannot be renewed.
    Token(SecretString),
}
