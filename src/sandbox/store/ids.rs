//! Ids, secrets and keys that look like the server's own, and are the same each time for the same seed.

use sha2::{Digest, Sha256};

const SIGNS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Letters and digits of which none looks like another.
const PLAIN_SIGNS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// How an id is written.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// Letters and digits behind a prefix.
    Signs(&'static str, usize),
    /// The same of those that do not look alike.
    Plain(&'static str, usize),
    /// Hexadecimal digits behind a prefix.
    Hex(&'static str, usize),
    /// A UUID.
    Uuid,
}

/// The forms of ids by kind: those of every recorded create; of what was not recorded, those of the description's patterns, and that of
/// agents as Auth0's page "Register an Agent" has it.
const FORMS: &[(&str, Form)] = &[
    ("action-modules", Form::Uuid),
    ("actions", Form::Uuid),
    ("agents", Form::Signs("agt_", 22)),
    ("branding-theme", Form::Signs("", 32)),
    ("client-grants", Form::Signs("cgr_", 16)),
    ("clients", Form::Signs("", 32)),
    ("connection-profiles", Form::Plain("cop_", 22)),
    ("connections", Form::Signs("con_", 16)),
    ("custom-domains", Form::Signs("cd_", 16)),
    ("event-streams", Form::Plain("est_", 22)),
    ("experimentation-experiments", Form::Plain("exp_", 22)),
    ("experimentation-feature-flags", Form::Plain("flg_", 22)),
    ("experimentation-segments", Form::Plain("seg_", 22)),
    ("experimentation-variations", Form::Plain("var_", 22)),
    ("flow-vault-connections", Form::Plain("ac_", 22)),
    ("flows", Form::Plain("af_", 22)),
    ("forms", Form::Plain("ap_", 22)),
    ("hooks", Form::Signs("", 26)),
    ("log-streams", Form::Hex("lst_", 16)),
    ("network-acls", Form::Plain("acl_", 22)),
    ("organization-discovery-domains", Form::Plain("ord_", 22)),
    ("organizations", Form::Signs("org_", 16)),
    ("phone-providers", Form::Plain("pro_", 22)),
    ("phone-templates", Form::Plain("tem_", 22)),
    ("rate-limit-policies", Form::Plain("rlp_", 21)),
    ("roles", Form::Signs("rol_", 16)),
    ("rules", Form::Signs("rul_", 16)),
    ("self-service-profiles", Form::Plain("ssp_", 22)),
    ("token-exchange-profiles", Form::Signs("tep_", 16)),
    ("user-attribute-profiles", Form::Plain("uap_", 22)),
];

/// Makes ids, secrets and keys; two with different seeds never make the same.
#[derive(Debug, Clone)]
pub(crate) struct Mint {
    seed: String,
    made: u64,
}

impl Mint {
    pub(crate) fn new(seed: &str) -> Self {
        Self { seed: seed.to_owned(), made: 0 }
    }

    /// Returns an id of the form the kind's ids have.
    pub(crate) fn id(&mut self, kind: &str) -> String {
        match FORMS.iter().find(|(of, _)| *of == kind).map(|(_, form)| form) {
            Some(Form::Signs(prefix, length)) => format!("{prefix}{}", self.signs(*length)),
            Some(Form::Plain(prefix, length)) => format!("{prefix}{}", self.written(PLAIN_SIGNS, *length)),
            Some(Form::Hex(prefix, length)) => format!("{prefix}{}", self.hex(*length)),
            Some(Form::Uuid) => self.uuid(),
            None => self.hex(24),
        }
    }

    /// Returns letters and digits.
    pub(crate) fn signs(&mut self, length: usize) -> String {
        self.written(SIGNS, length)
    }

    fn written(&mut self, signs: &[u8], length: usize) -> String {
        let bytes = self.bytes(length);
        bytes.iter().map(|byte| char::from(signs[usize::from(*byte) % signs.len()])).collect()
    }

    /// Returns hexadecimal digits.
    pub(crate) fn hex(&mut self, length: usize) -> String {
        let bytes = self.bytes(length);
        bytes.iter().map(|byte| char::from(b"0123456789abcdef"[usize::from(*byte) % 16])).collect()
    }

    /// Returns a random id in the form of a UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let hex = self.hex(32);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// Returns text in the shape of a PEM block; it holds no key.
    pub(crate) fn pem(&mut self, label: &str, length: usize) -> String {
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
