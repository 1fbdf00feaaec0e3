//! Generates ids, secrets and keys in the server's format, deterministically for a seed.

use sha2::{Digest, Sha256};

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Letters and digits without lookalikes.
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The format of an id.
#[derive(Debug, Clone, Copy)]
enum IdFormat {
    /// Letters and digits after a prefix.
    Alphanumeric(&'static str, usize),
    /// The same without lookalikes.
    Base58(&'static str, usize),
    /// Hexadecimal digits after a prefix.
    Hex(&'static str, usize),
    /// A UUID.
    Uuid,
}

/// The formats of ids by kind: those of every recorded create; for kinds without a recording, those of the
/// description's patterns, and for agents that of Auth0's page "Register an Agent".
const ID_FORMATS: &[(&str, IdFormat)] = &[
    ("action-modules", IdFormat::Uuid),
    ("actions", IdFormat::Uuid),
    ("agents", IdFormat::Alphanumeric("agt_", 22)),
    ("branding-theme", IdFormat::Alphanumeric("", 32)),
    ("client-grants", IdFormat::Alphanumeric("cgr_", 16)),
    ("clients", IdFormat::Alphanumeric("", 32)),
    ("connection-profiles", IdFormat::Base58("cop_", 22)),
    ("connections", IdFormat::Alphanumeric("con_", 16)),
    ("custom-domains", IdFormat::Alphanumeric("cd_", 16)),
    ("event-streams", IdFormat::Base58("est_", 22)),
    ("experimentation-experiments", IdFormat::Base58("exp_", 22)),
    ("experimentation-feature-flags", IdFormat::Base58("flg_", 22)),
    ("experimentation-segments", IdFormat::Base58("seg_", 22)),
    ("experimentation-variations", IdFormat::Base58("var_", 22)),
    ("flow-vault-connections", IdFormat::Base58("ac_", 22)),
    ("flows", IdFormat::Base58("af_", 22)),
    ("forms", IdFormat::Base58("ap_", 22)),
    ("hooks", IdFormat::Alphanumeric("", 26)),
    ("log-streams", IdFormat::Hex("lst_", 16)),
    ("network-acls", IdFormat::Base58("acl_", 22)),
    ("organization-discovery-domains", IdFormat::Base58("ord_", 22)),
    ("organizations", IdFormat::Alphanumeric("org_", 16)),
    ("phone-providers", IdFormat::Base58("pro_", 22)),
    ("phone-templates", IdFormat::Base58("tem_", 22)),
    ("rate-limit-policies", IdFormat::Base58("rlp_", 21)),
    ("roles", IdFormat::Alphanumeric("rol_", 16)),
    ("rules", IdFormat::Alphanumeric("rul_", 16)),
    ("self-service-profiles", IdFormat::Base58("ssp_", 22)),
    ("token-exchange-profiles", IdFormat::Alphanumeric("tep_", 16)),
    ("user-attribute-profiles", IdFormat::Base58("uap_", 22)),
];

/// Generates ids, secrets and keys; generators with different seeds never return the same ones.
#[derive(Debug, Clone)]
pub(crate) struct IdGenerator {
    seed: String,
    count: u64,
}

impl IdGenerator {
    pub(crate) fn new(seed: &str) -> Self {
        Self { seed: seed.to_owned(), count: 0 }
    }

    /// Returns an id in the format of the kind.
    pub(crate) fn id(&mut self, kind: &str) -> String {
        match ID_FORMATS.iter().find(|(of, _)| *of == kind).map(|(_, format)| format) {
            Some(IdFormat::Alphanumeric(prefix, length)) => format!("{prefix}{}", self.alphanumeric(*length)),
            Some(IdFormat::Base58(prefix, length)) => format!("{prefix}{}", self.characters(BASE58, *length)),
            Some(IdFormat::Hex(prefix, length)) => format!("{prefix}{}", self.hex(*length)),
            Some(IdFormat::Uuid) => self.uuid(),
            None => self.hex(24),
        }
    }

    /// Returns letters and digits.
    pub(crate) fn alphanumeric(&mut self, length: usize) -> String {
        self.characters(ALPHANUMERIC, length)
    }

    fn characters(&mut self, alphabet: &[u8], length: usize) -> String {
        let bytes = self.bytes(length);
        bytes.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect()
    }

    /// Returns hexadecimal digits.
    pub(crate) fn hex(&mut self, length: usize) -> String {
        let bytes = self.bytes(length);
        bytes.iter().map(|byte| char::from(b"0123456789abcdef"[usize::from(*byte) % 16])).collect()
    }

    /// Returns a random id in the format of a UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let hex = self.hex(32);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// Returns text in the format of a PEM block, without a key in it.
    pub(crate) fn pem(&mut self, label: &str, length: usize) -> String {
        let body = self.alphanumeric(length);
        let lines: Vec<&str> = (0..body.len()).step_by(64).map(|at| &body[at..(at + 64).min(body.len())]).collect();
        format!("-----BEGIN {label}-----\r\nMII{}\r\n-----END {label}-----\r\n", lines.join("\r\n"))
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        self.count += 1;
        let block = |part: u64| Sha256::digest(format!("{}\n{}\n{part}", self.seed, self.count));
        (0..).flat_map(|part| block(part).to_vec()).take(length).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_format_of_their_kind_and_differ_between_tenants() {
        let (mut one, mut other) = (IdGenerator::new("a"), IdGenerator::new("b"));
        let (id, again, elsewhere) = (one.id("clients"), one.id("clients"), other.id("clients"));
        assert_eq!(id.len(), 32);
        assert!(id != again && id != elsewhere);
        assert!(one.id("roles").starts_with("rol_"));
        assert_eq!(one.id("resource-servers").len(), 24);
        assert_eq!(IdGenerator::new("a").id("clients"), id);
    }
}
