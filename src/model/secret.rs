//! Generates random secrets.

use ring::rand::{self, SystemRandom};
use secrecy::SecretString;

/// Returns a random secret of 64 hexadecimal digits.
///
/// # Panics
///
/// If the system provides no random numbers.
#[must_use]
pub fn random_secret() -> SecretString {
    let system = SystemRandom::new();
    let half = || u128::from_be_bytes(rand::generate(&system).expect("the system has random numbers").expose());
    format!("{:032x}{:032x}", half(), half()).into()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn two_random_secrets_differ() {
        let (one, other) = (random_secret(), random_secret());
        assert_ne!(one.expose_secret(), other.expose_secret());
        assert!([one, other].iter().all(|secret| secret.expose_secret().len() == 64));
    }
}
