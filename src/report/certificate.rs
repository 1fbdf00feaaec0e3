//! Shows a certificate by its fingerprint, as people compare them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Returns the SHA-256 fingerprint of a certificate in PEM or as bare base64: `3F:A1:..:9C`.
pub(super) fn fingerprint(text: &str) -> Option<String> {
    const SHORTEST: usize = 200;
    if text.len() < SHORTEST {
        return None;
    }
    let base64: String =
        text.lines().filter(|line| !line.starts_with("-----")).flat_map(str::chars).filter(|sign| !sign.is_whitespace()).collect();
    let der = STANDARD.decode(base64).ok()?;
    // A certificate is a DER sequence with a two-byte length.
    let is_sequence = der.starts_with(&[0x30, 0x82]) && usize::from(der[2]) * 256 + usize::from(der[3]) + 4 == der.len();
    let is_key = text.contains("PUBLIC KEY") || text.contains("PRIVATE KEY");
    (is_sequence && !is_key).then(|| Sha256::digest(&der).iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":"))
}

/// Returns an abbreviated fingerprint for display: `3F:A1…9C`.
pub(super) fn ends(fingerprint: &str) -> String {
    format!("{}…{}", &fingerprint[..5], &fingerprint[fingerprint.len() - 2..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_recognised_as_pem_and_as_bare_base64() {
        let der: Vec<u8> = [0x30, 0x82, 0x01, 0x00].into_iter().chain((0..256).map(|at| u8::try_from(at % 251).expect("a byte"))).collect();
        let bare = STANDARD.encode(der);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n{}\n-----END CERTIFICATE-----\n", &bare[..64], &bare[64..]);
        let fingerprint = fingerprint(&bare).expect("a certificate");
        assert_eq!(Some(&fingerprint), super::fingerprint(&pem).as_ref());
        assert_eq!((fingerprint.len(), ends(&fingerprint).chars().count()), (95, 8));
        for other in ["https://acme.example/login".repeat(20), bare.replace('A', "-"), "TWVycnkgQ2hyaXN0bWFz".repeat(20)] {
            assert_eq!(super::fingerprint(&other), None);
        }
    }
}
