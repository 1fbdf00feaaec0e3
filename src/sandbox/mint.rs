//! Ids, secrets and keys that look like the server's own, and are the same each time for the same seed.

use sha2::{Digest, Sha256};

const SIGNS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Makes ids, secrets and keys; two with different seeds never make the same.
#[derive(Debug, Clone)]
pub(super) struct Mint {
    seed: String,
    made: u64,
}

impl Mint {
    pub(super) fn new(seed: &str) -> Self {
        Self { seed: seed.to_owned(), made: 0 }
    }

    /// Returns an id of the form the kind's ids have.
    pub(super) fn id(&mut self, kind: &str) -> String {
        let prefix = match kind {
            "clients" => return self.signs(32),
            "connections" => "con_",
            "roles" => "rol_",
            "client-grants" => "cgr_",
            "rules" => "rul_",
            "organizations" => "org_",
            "custom-domains" => "cd_",
            "network-acls" => return format!("acl_{}", self.signs(22)),
            "phone-providers" => return format!("pro_{}", self.signs(22)),
            "phone-templates" => return format!("tem_{}", self.signs(22)),
            "rate-limit-policies" => return format!("rlp_{}", self.signs(21)),
            _ => return self.hex(24),
        };
        format!("{prefix}{}", self.signs(16))
    }

    /// Returns letters and digits.
    pub(super) fn signs(&mut self, length: usize) -> String {
        let bytes = self.bytes(length);
        bytes.iter().map(|byte| char::from(SIGNS[usize::from(*byte) % SIGNS.len()])).collect()
    }

    /// Returns hexadecimal digits.
    pub(super) fn hex(&mut self, length: usize) -> String {
        let bytes = self.bytes(length);
        bytes.iter().map(|byte| char::from(b"0123456789abcdef"[usize::from(*byte) % 16])).collect()
    }

    /// Returns a random id in the form of a UUID.
    pub(super) fn uuid(&mut self) -> String {
        let hex = self.hex(32);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// Returns text in the shape of a PEM block; it holds no key.
    pub(super) fn pem(&mut self, label: &str, length: usize) -> String {
        let body = self.signs(length);
        let lines: Vec<&str> = (0..body.len()).step_by(64).map(|at| &body[at..(at + 64).min(body.len())]).collect();
        format!("-----BEGIN {label}-----\r\nMII{}\r\n-----END {label}-----\r\n", lines.join("\r\n"))
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        self.made += 1;
        let block = |part: u64| Sha256::digest(format!("{}\n{}\n{part}", self.seed, self.made));
        (0..).flat_map(|part| block(part).to_vec()).take(length).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_form_of_their_kind_and_differ_between_tenants() {
        let (mut one, mut other) = (Mint::new("a"), Mint::new("b"));
        let (id, again, elsewhere) = (one.id("clients"), one.id("clients"), other.id("clients"));
        assert_eq!(id.len(), 32);
        assert!(id != again && id != elsewhere);
        assert!(one.id("roles").starts_with("rol_"));
        assert_eq!(one.id("resource-servers").len(), 24);
        assert_eq!(Mint::new("a").id("clients"), id);
    }
}
