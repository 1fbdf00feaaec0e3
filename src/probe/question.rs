//! One request to the front door.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::resource::{Id, Key};

/// One request to the front door of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeQuestion {
    /// The custom domain that is asked; `None` for the tenant's own domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// What is asked.
    #[serde(flatten)]
    pub ask: Ask,
}

/// What the front door is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Ask {
    /// The discovery document.
    Discovery,
    /// The keys that tokens are verified with.
    SigningKeys,
    /// To start a login.
    Login {
        /// The client.
        key: Key,
        /// Its id in the tenant.
        client_id: Id,
        /// The callback.
        callback: String,
        /// The response type.
        response_type: ResponseType,
    },
}

/// What a login returns to the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseType {
    /// A code that the application exchanges for tokens.
    Code,
    /// An ID token.
    IdToken,
    /// An access token.
    Token,
}

impl ResponseType {
    /// Returns the value of the parameter `response_type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::IdToken => "id_token",
            Self::Token => "token",
        }
    }
}

impl ProbeQuestion {
    /// Returns the path.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        match self.ask {
            Ask::Discovery => "/.well-known/openid-configuration",
            Ask::SigningKeys => "/.well-known/jwks.json",
            Ask::Login { .. } => "/authorize",
        }
    }

    /// Returns the query. `random` is a text of 43 letters and digits: the state, the nonce and the code challenge, which all clients may
    /// send and third-party clients must. Nobody knows its code verifier, so no code could ever be exchanged.
    #[must_use]
    pub fn query(&self, random: &str) -> Vec<(&'static str, String)> {
        let Ask::Login { client_id, callback, response_type, .. } = &self.ask else { return Vec::new() };
        let mut query = vec![
            ("response_type", response_type.as_str().to_owned()),
            ("client_id", client_id.as_str().to_owned()),
            ("redirect_uri", callback.clone()),
            ("scope", "openid".to_owned()),
            ("state", random.to_owned()),
            ("nonce", random.to_owned()),
        ];
        if *response_type == ResponseType::Code {
            query.extend([("code_challenge", random.to_owned()), ("code_challenge_method", "S256".to_owned())]);
        }
        query
    }

    /// Returns the client that the question is about, if it is about one.
    #[must_use]
    pub const fn client(&self) -> Option<&Key> {
        match &self.ask {
            Ask::Login { key, .. } => Some(key),
            Ask::Discovery | Ask::SigningKeys => None,
        }
    }
}
