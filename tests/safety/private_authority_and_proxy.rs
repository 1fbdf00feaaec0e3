//! `ca_file` and `proxy` of a tenant: a certificate of a company's own authority, and a company's own way out.

use std::io::{Read, Write};
use std::net::TcpStream;

use insta::assert_snapshot;
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedKey, DnType, IsCa, Issuer, KeyPair};

use super::network_and_file_access::{Stranger, certified, not_found, prod_at};
use crate::support::fixture::Fixture;
use crate::support::refusals::refused_offline;

/// Returns the certificate of a new authority, and one that it issued for this host.
fn authority(host: &str) -> (Certificate, CertifiedKey<KeyPair>) {
    let new = || KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(DnType::CommonName, "Acme's own authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = new();
    let own = params.self_signed(&key).expect("a certificate");
    let issuer = Issuer::new(params, key);
    let signing_key = new();
    let params = CertificateParams::new(vec![host.to_owned()]).expect("a name");
    let cert = params.signed_by(&signing_key, &issuer).expect("a certificate");
    (own, CertifiedKey { cert, signing_key })
}

/// Returns a fixture whose prod is on another machine, with these settings.
fn elsewhere(more: &str) -> Fixture {
    let fixture = Fixture::small();
    fixture.configure(more);
    let text = fixture.read("migrate.toml");
    let at = text.rfind("url = ").expect("the address of prod");
    let end = at + text[at..].find('\n').expect("a line") + 1;
    fixture.write("migrate.toml", &format!("{}{}", &text[..at], &text[end..]));
    fixture
}

/// Reads the head of a request byte by byte, so that nothing behind it is consumed.
fn head(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut next = [0];
    while !read.ends_with(b"\r\n\r\n") && stream.read(&mut next).is_ok_and(|count| count == 1) {
        read.extend(next);
    }
    String::from_utf8(read).expect("text")
}

#[test]
fn a_private_authority_is_trusted_for_the_tenant_that_names_it_and_for_no_other() {
    let (own, key) = authority("127.0.0.1");
    let server = Stranger::certified(&key);
    let fixture = Fixture::small();
    fixture.write("certs/acme.pem", &format!("# Acme's own authority\n{}", own.pem()));
    let address = format!("https://127.0.0.1:{}", server.port);
    prod_at(&fixture, &address);
    let refused = fixture.run("export --tenant prod --quiet");
    assert!(refused.err.contains("invalid peer certificate: UnknownIssuer"), "{}", refused.whole());
    assert!(server.asked().iter().all(String::is_empty), "no credentials were sent");
    fixture.edit("migrate.toml", "source = \"dev\"\n", "source = \"dev\"\nca_file = \"certs/acme.pem\"\n");
    let said = fixture.run_in_shell("mkdir below && cd below && exec \"$MIGRATE\" export --tenant prod --quiet");
    assert!(server.asked().contains(&"POST /oauth/token HTTP/1.1".to_owned()), "{}", said.whole());
    // The same server is still a stranger to dev.
    let text = fixture.read("migrate.toml");
    let at = text.find("url = ").expect("the address of dev");
    let end = at + text[at..].find('\n').expect("a line");
    fixture.write("migrate.toml", &format!("{}url = \"{address}\"{}", &text[..at], &text[end..]));
    let refused = fixture.run("export --tenant dev --quiet");
    assert!(refused.err.contains("invalid peer certificate: UnknownIssuer"), "{}", refused.whole());
    assert!(server.asked().iter().all(String::is_empty), "no credentials were sent");
}

#[test]
fn a_tenant_is_reached_through_its_own_proxy_whose_password_is_shown_nowhere() {
    let (own, key) = authority("acme-prod.eu.auth0.com");
    let config = certified(&key);
    let proxy = Stranger::answering(move |mut stream| {
        let asked = head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        asked + &not_found(&config, stream)
    });
    let mut fixture = elsewhere("ca_file = \"acme.pem\"\nproxy = \"env:ACME_PROXY\"\n");
    fixture.write("acme.pem", &own.pem());
    fixture.set("ACME_PROXY", &format!("http://ada:CANARY-word@127.0.0.1:{}", proxy.port));
    let said = fixture.run("export --tenant prod --verbose");
    let asked = proxy.asked().join("\n");
    assert!(asked.starts_with("CONNECT acme-prod.eu.auth0.com:443 HTTP/1.1\r\n"), "{asked}\n{}", said.whole());
    // ada:CANARY-word
    assert!(asked.to_lowercase().contains("proxy-authorization: basic ywrhoknbtkfsws13b3jk"), "{asked}");
    assert!(asked.contains("POST /oauth/token HTTP/1.1"), "{asked}\n{}", said.whole());
    assert!(said.code != 0 && !said.whole().contains("CANARY") && !said.whole().contains("YWRh"), "{}", said.whole());
}

#[test]
fn a_proxy_that_refuses_is_reported_without_its_password() {
    let refusing = |status: &'static str| {
        Stranger::answering(move |mut stream| {
            let asked = head(&mut stream);
            let _ = stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes());
            asked
        })
    };
    for status in ["407 Proxy Authentication Required", "502 Bad Gateway"] {
        let proxy = refusing(status);
        let mut fixture = elsewhere("proxy = \"env:ACME_PROXY\"\n");
        fixture.set("ACME_PROXY", &format!("http://ada:CANARY-word@127.0.0.1:{}/", proxy.port));
        let said = fixture.run("export --tenant prod --verbose");
        assert_eq!(said.code, 1, "{}", said.whole());
        assert!(said.err.contains("no response from acme-prod.eu.auth0.com") && !said.whole().contains("CANARY"), "{}", said.whole());
    }
}

#[test]
fn certificates_that_cannot_be_used_are_reported_with_file_line_and_field() {
    let fixture = Fixture::small();
    fixture.configure("ca_file = \"certs/acme.pem\"\n");
    assert_snapshot!(refused_offline(&fixture, "export --tenant prod"), @r#"
    exit 64
    error: the ca_file of tenant "prod" cannot be used (migrate.toml:9)
    cause: cannot read "certs/acme.pem"
    cause: No such file or directory (os error 2)
    "#);
    for (content, told) in [
        ("", "has no certificate"),
        ("-----BEGIN CERTIFICATE-----\n", "is not PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "has an invalid certificate"),
    ] {
        fixture.write("certs/acme.pem", content);
        let said = refused_offline(&fixture, "validate");
        assert!(said.contains(&format!("the ca_file of tenant \"prod\" {told}: \"certs/acme.pem\"")), "{said}");
        assert!(said.starts_with("exit 64\n") && said.contains("(migrate.toml:9)"), "{said}");
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_reported_with_file_line_and_field() {
    let refused = |proxy: &str| refused_offline(&elsewhere(&format!("proxy = \"{proxy}\"\n")), "validate");
    assert_snapshot!(refused("http://ada:CANARY-word@proxy.acme.example:3128"), @r#"
    exit 64
    error: credentials of the proxy of tenant "prod" do not belong in this file
            --> migrate.toml:8:9
             |
           8 | proxy = "http://***************@proxy.acme.example:3128"
             |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ write env:NAME, and set NAME to this URL in the environment or in .env
    "#);
    assert_snapshot!(refused("socks5://proxy.acme.example"), @r#"
    exit 64
    error: the proxy of tenant "prod" is not valid
            --> migrate.toml:8:9
             |
           8 | proxy = "socks5://proxy.acme.example"
             |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ only http and https proxies, such as http://proxy.acme.example:3128
    "#);
    assert_snapshot!(refused("env:ACME_PROXY"), @r#"
    exit 64
    error: the proxy of tenant "prod" is not set: set ACME_PROXY in the environment or in .env (migrate.toml:8)
    "#);
    let mut fixture = elsewhere("proxy = \"env:ACME_PROXY\"\n");
    fixture.set("ACME_PROXY", "ada:CANARY-word@proxy.acme.example");
    assert_snapshot!(refused_offline(&fixture, "validate"), @r#"
    exit 64
    error: the proxy of tenant "prod" in ACME_PROXY is not valid: only http and https proxies, such as http://proxy.acme.example:3128 (migrate.toml:8)
    "#);
    let fixture = Fixture::small();
    fixture.configure("proxy = \"http://proxy.acme.example:3128\"\n");
    assert_snapshot!(refused_offline(&fixture, "validate").replace(char::is_numeric, "N"), @r#"
    exit NN
    error: tenant "prod" cannot have both "url" and "proxy"
            --> migrate.toml:N:N
             |
           N | proxy = "http://proxy.acme.example:NNNN"
             |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a url is on this machine, and needs no proxy
    "#);
}
