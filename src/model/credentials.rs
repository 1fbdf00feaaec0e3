//! As whom the program signs in to a tenant.

use super::resource::Secret;

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A client and its secret.
    Secret {
        /// The client.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
    },
    /// A client that signs with its private key (`private_key_jwt`, RS256).
    Key {
        /// The client.
        client_id: String,
        /// Its RSA key, as PEM.
        pem: Secret,
    },
    /// A token that was obtained elsewhere; it cannot be renewed.
    Token(Secret),
}
