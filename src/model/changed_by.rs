//! Who changed a resource of a tenant, and when.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who made a change, when and from where, as the tenant's log says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ChangedBy {
    /// Who made it.
    #[serde(flatten)]
    pub who: Author,
    /// When: RFC 3339, UTC.
    pub at: String,
    /// The address that the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
}

/// Who changed something in a tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "author", rename_all = "snake_case")]
pub enum Author {
    /// A person.
    Person {
        /// The address of the person, or the name; the id if the log has neither.
        name: String,
        /// The id of the user.
        id: String,
        /// The dashboard, or the client through which the person acted.
        through: String,
    },
    /// A machine.
    Client {
        /// Its name; empty if neither the log nor the tenant knows it.
        name: String,
        /// Its client id.
        id: String,
    },
    /// A run of migrate.
    Run {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Author {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person { name, through, .. } => write!(out, "{name} ({through})"),
            Self::Client { name, id } if name.is_empty() => write!(out, "client {id}"),
            Self::Client { name, .. } => write!(out, "client \"{name}\""),
            Self::Run { name } => write!(out, "run {name}"),
        }
    }
}

/// Reads `jane@acme.example (dashboard) on 2026-11-28 14:03 UTC from 203.0.113.7`. The text may contain anything that
/// a tenant holds, and must be escaped before it is shown.
impl fmt::Display for ChangedBy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} on {}", self.who, minute(&self.at))?;
        self.ip.iter().try_for_each(|ip| write!(out, " from {ip}"))
    }
}

/// Shortens a time to its minute: `2026-11-28 14:03 UTC`.
#[must_use]
pub fn minute(time: &str) -> String {
    match time.get(..16).and_then(|start| start.split_once('T')) {
        Some((day, minute)) if time.ends_with('Z') => format!("{day} {minute} UTC"),
        _ => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_attributed_in_one_phrase() {
        let by =
            |who, ip: Option<&str>| ChangedBy { who, at: "2026-11-28T14:03:59.120Z".to_owned(), ip: ip.map(str::to_owned) }.to_string();
        let jane = Author::Person { name: "jane@acme.example".into(), id: "auth0|1".into(), through: "dashboard".into() };
        assert_eq!(by(jane, Some("203.0.113.7")), "jane@acme.example (dashboard) on 2026-11-28 14:03 UTC from 203.0.113.7");
        let client = |name: &str| Author::Client { name: name.into(), id: "abc".into() };
        assert_eq!(by(client("Terraform"), None), "client \"Terraform\" on 2026-11-28 14:03 UTC");
        assert_eq!(by(client(""), None), "client abc on 2026-11-28 14:03 UTC");
        assert_eq!(by(Author::Run { name: "R".into() }, None), "run R on 2026-11-28 14:03 UTC");
    }
}
