//! A request to the Management API as a value.

use hyper::Method;
use serde_json::Value;

/// Whether a token may read the keys and secrets of clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyAccess {
    /// The scopes include `read:client_keys`.
    Visible,
    /// The scopes do not include it.
    Hidden,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct ApiRequest {
    /// `GET`, `POST`, ..
    pub(crate) method: Method,
    /// The path under `/api/v2`, as it was sent.
    pub(crate) path: String,
    /// The query, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// The JSON body; null if there is none.
    pub(crate) body: Value,
    /// Whether the response may contain keys.
    pub(crate) key_access: KeyAccess,
}

impl ApiRequest {
    /// Creates a request from a method, a path with its query, and a JSON body.
    pub(crate) fn new(method: Method, target: &str, body: Value) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self { method, path: path.to_owned(), query: parse_form(query), body, key_access: KeyAccess::Visible }
    }

    /// Returns whether the method may change something.
    pub(crate) fn is_write(&self) -> bool {
        self.method != Method::GET && self.method != Method::HEAD
    }

    /// Returns a query parameter.
    pub(crate) fn query_parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns a query parameter as a number.
    pub(crate) fn numeric_parameter(&self, name: &str) -> Option<usize> {
        self.query_parameter(name).and_then(|value| value.parse().ok())
    }
}

/// Parses `a=1&b=two+words`.
pub(crate) fn parse_form(text: &str) -> Vec<(String, String)> {
    let decode = |part: &str| percent_encoding::percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(name, value)| (decode(name), decode(value))).collect()
}
