//! Signing in with a private key instead of a client secret.

use insta::assert_snapshot;
use num_bigint::{BigInt, BigUint, Sign};
use pem::Pem;
use simple_asn1::ASN1Block;

use crate::support::fixture::Fixture;

/// An RSA key in the format of common tools: PKCS#1, in PEM.
struct Key {
    private: String,
    public: String,
}

impl Key {
    /// Generates a key of 2048 bits from the system's random numbers.
    fn make() -> Self {
        let exponent = BigUint::from(65_537_u32);
        let (one, p, q) = (BigUint::from(1_u32), prime(), prime());
        let (below_p, below_q) = (&p - &one, &q - &one);
        let modulus = &p * &q;
        let secret = exponent.modinv(&(&below_p * &below_q)).expect("the exponent is a prime that does not divide it");
        let of_q = q.modinv(&p).expect("two different primes");
        let private = [&BigUint::ZERO, &modulus, &exponent, &secret, &p, &q, &(&secret % below_p), &(&secret % below_q), &of_q];
        Self { private: written("RSA PRIVATE KEY", &private), public: written("RSA PUBLIC KEY", &[&modulus, &exponent]) }
    }
}

/// Returns a prime of 1024 bits, half of a modulus of 2048.
fn prime() -> BigUint {
    loop {
        let mut bytes = [0; 128];
        rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).expect("random numbers");
        bytes[0] |= 0b1100_0000;
        bytes[127] |= 1;
        let candidate = BigUint::from_bytes_be(&bytes);
        let has_small_factor = (3..2_000_u32).step_by(2).any(|small| &candidate % small == BigUint::ZERO);
        if !has_small_factor && [2_u32, 3, 5, 7].into_iter().all(|base| is_likely_prime(&candidate, base)) {
            return candidate;
        }
    }
}

/// Runs the Miller-Rabin test: a random composite number hardly ever passes one base, let alone four.
fn is_likely_prime(candidate: &BigUint, base: u32) -> bool {
    let one = BigUint::from(1_u32);
    let below = candidate - &one;
    let halvings = below.trailing_zeros().expect("more than zero");
    let mut power = BigUint::from(base).modpow(&(&below >> halvings), candidate);
    if power == one || power == below {
        return true;
    }
    (1..halvings).any(|_| {
        power = &power * &power % candidate;
        power == below
    })
}

fn written(label: &str, numbers: &[&BigUint]) -> String {
    let numbers = numbers.iter().map(|number| ASN1Block::Integer(0, BigInt::from_biguint(Sign::Plus, (*number).clone())));
    let whole = simple_asn1::to_der(&ASN1Block::Sequence(0, numbers.collect())).expect("numbers are written");
    pem::encode(&Pem::new(label, whole))
}

/// A fixture in which prod knows one public key, and migrate signs with the same key or another one.
fn fixture(known: &Key, held: &Key) -> Fixture {
    let mut fixture = Fixture::small();
    fixture.prod_knows_the_key(&known.public);
    fixture.write("keys/prod.pem", &held.private);
    fixture.set("MIGRATE_PROD_CLIENT_SECRET", "");
    fixture.set("MIGRATE_PROD_CLIENT_SIGNING_KEY_PATH", "keys/prod.pem");
    fixture
}

#[test]
fn a_known_key_signs_in_and_another_does_not() {
    let (known, other) = (Key::make(), Key::make());
    let signed_in = fixture(&known, &known);
    let said = signed_in.run("import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet");
    assert_eq!((said.code, signed_in.writes().len()), (0, 2), "{}", said.whole());
    for path in signed_in.files().iter().filter(|path| !path.ends_with("prod.pem")) {
        let content = std::fs::read_to_string(path).expect("text");
        assert!(!content.contains("PRIVATE KEY"), "{}", path.display());
    }
    let stranger = fixture(&known, &other);
    let said = stranger.run("import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet");
    assert_snapshot!(said.refused(), @r#"
    exit 77
    error: cannot sign in to "prod"
    cause: the tenant did not accept the credentials: Unauthorized
    hint:  check the values of MIGRATE_PROD_*, and that the application is authorized for the Management API
    state: nothing was written
    "#);
    assert_eq!(stranger.requests(), []);
}

#[test]
fn an_invalid_or_missing_key_is_reported_without_showing_it() {
    let mut fixture = Fixture::small();
    fixture.set("MIGRATE_PROD_CLIENT_SECRET", "");
    fixture.set("MIGRATE_PROD_CLIENT_SIGNING_KEY_PATH", "keys/prod.pem");
    assert_snapshot!(fixture.run("import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet").refused(), @r#"
    exit 64
    error: cannot read "keys/prod.pem"
    cause: No such file or directory (os error 2)
    state: nothing was written
    "#);
    fixture.write("keys/prod.pem", "-----BEGIN RSA PRIVATE KEY-----\nCANARY\n-----END RSA PRIVATE KEY-----\n");
    assert_snapshot!(fixture.run("import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet").refused(), @"
    exit 64
    error: cannot use the client's private key: expected an RSA key in PEM format
    cause: InvalidKeyFormat
    state: nothing was written
    ");
    assert_eq!(fixture.requests(), []);
}
