//! Shows a certificate by its fingerprint, as people compare them, and by its end.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use x509_parser::parse_x509_certificate;

use super::value_pair::Pair;
use super::values::NONE;

/// A certificate for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ShownCertificate {
    /// The SHA-256 fingerprint, by byte.
    fingerprint: Vec<String>,
    /// The day on which it expires, in UTC; `None` if it cannot be read.
    expires: Option<String>,
}

/// A certificate before and after an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CertificateEdit {
    old: Option<ShownCertificate>,
    new: Option<ShownCertificate>,
}

impl ShownCertificate {
    /// Reads a certificate in PEM or as bare base64.
    fn read(text: &str) -> Option<Self> {
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
        let fingerprint = || Sha256::digest(&der).iter().map(|byte| format!("{byte:02X}")).collect();
        (is_sequence && !is_key).then(|| Self { fingerprint: fingerprint(), expires: expiry(&der) })
    }

    /// Returns the ends of the fingerprint: `3F:A1…9C`.
    fn ends(&self) -> String {
        let [first, second, .., last] = &self.fingerprint[..] else { return String::new() };
        format!("{first}:{second}…{last}")
    }

    /// Returns the whole fingerprint with this between its halves, and the day of expiry.
    fn whole(&self, between: &str) -> String {
        let (first, second) = self.fingerprint.split_at(self.fingerprint.len() / 2);
        let expires = self.expires.as_ref().map(|day| format!(", expires {day}")).unwrap_or_default();
        format!("SHA-256 {}{between}{}{expires}", first.join(":"), second.join(":"))
    }
}

impl CertificateEdit {
    /// Returns the edit if there is a certificate on each side that there is, and they differ.
    pub(super) fn read(old: Option<&str>, new: Option<&str>) -> Option<Self> {
        let read = |text: Option<&str>| text.map_or(Some(None), |text| ShownCertificate::read(text).map(Some));
        let edit = Self { old: read(old)?, new: read(new)? };
        (edit.old != edit.new).then_some(edit)
    }

    /// Returns the whole of both, on one line each.
    pub(super) fn whole(&self) -> Pair {
        self.pair(|certificate| certificate.whole(":"))
    }

    /// Returns the whole of both, on two lines each as people compare fingerprints.
    pub(super) fn in_halves(&self) -> Pair {
        self.pair(|certificate| certificate.whole(" "))
    }

    /// Returns the ends of both fingerprints, if that tells them apart.
    pub(super) fn ends(&self) -> Option<Pair> {
        Some(self.pair(ShownCertificate::ends)).filter(|ends| ends.old != ends.new)
    }

    /// Returns the day on which the new one expires.
    pub(super) fn expires(&self) -> Option<&str> {
        self.new.as_ref()?.expires.as_deref()
    }

    fn pair(&self, shown: impl Fn(&ShownCertificate) -> String) -> Pair {
        let text = |side: &Option<ShownCertificate>| side.as_ref().map_or_else(|| NONE.to_owned(), &shown);
        Pair { old: text(&self.old), new: text(&self.new) }
    }
}

/// Returns the day on which a certificate expires: `2027-03-01`.
fn expiry(der: &[u8]) -> Option<String> {
    let (_, certificate) = parse_x509_certificate(der).ok()?;
    let seconds = u64::try_from(certificate.validity().not_after.timestamp()).ok()?;
    let time = humantime::format_rfc3339_seconds(UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?).to_string();
    Some(time.split('T').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_recognised_as_pem_and_as_bare_base64() {
        let der: Vec<u8> = [0x30, 0x82, 0x01, 0x00].into_iter().chain((0..256).map(|at| u8::try_from(at % 251).expect("a byte"))).collect();
        let bare = STANDARD.encode(der);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n{}\n-----END CERTIFICATE-----\n", &bare[..64], &bare[64..]);
        let certificate = ShownCertificate::read(&bare).expect("a certificate");
        assert_eq!(Some(&certificate), ShownCertificate::read(&pem).as_ref());
        assert_eq!((certificate.whole(":").len(), certificate.ends().chars().count()), (103, 8));
        for other in ["https://acme.example/login".repeat(20), bare.replace('A', "-"), "TWVycnkgQ2hyaXN0bWFz".repeat(20)] {
            assert_eq!(ShownCertificate::read(&other), None);
        }
    }

    #[test]
    fn the_day_on_which_the_new_certificate_expires_is_shown() {
        let until = |year: i32| {
            let mut of = rcgen::CertificateParams::new(vec!["login.acme.example".to_owned()]).expect("a name");
            of.not_after = rcgen::date_time_ymd(year, 3, 1);
            of.self_signed(&rcgen::KeyPair::generate().expect("a key")).expect("a certificate").pem()
        };
        let (old, new) = (until(2027), until(2107));
        let edit = CertificateEdit::read(Some(&old), Some(&new)).expect("an edit");
        assert_eq!(edit.expires(), Some("2107-03-01"));
        assert!(edit.whole().old.ends_with(", expires 2027-03-01"), "{edit:?}");
        assert_eq!(CertificateEdit::read(Some(&old), None).expect("an edit").expires(), None);
        assert_eq!(CertificateEdit::read(Some(&old), Some(&old)), None);
        assert_eq!(CertificateEdit::read(Some(&old), Some("no certificate")), None);
    }
}
