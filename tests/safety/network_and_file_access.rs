//! The program connects only to its tenants, over verified connections, and writes files that only their owner can read.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Once};

use insta::assert_snapshot;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::fixture::{Fixture, dev, prod};
use crate::support::skip::skip;

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet";

/// A server on loopback that should not receive requests; it reports the first line of each.
pub(super) struct Stranger {
    pub(super) port: u16,
    asked: Receiver<String>,
}

impl Stranger {
    /// Handles every connection with this function.
    pub(super) fn answering(answer: impl Fn(TcpStream) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (tell, asked) = channel();
        std::thread::spawn(move || {
            let mut answered = listener.incoming().map(|stream| answer(stream.expect("a connection")));
            // Until the test is over and no longer receives.
            let _ = answered.try_for_each(|request| tell.send(request));
        });
        Self { port, asked }
    }

    /// Answers every request over plain HTTP with this status line and these headers.
    pub(super) fn saying(head: String) -> Self {
        Self::answering(move |stream| {
            let mut stream = BufReader::new(stream);
            let first = first_line(&mut stream);
            // The client may have gone away.
            let _ = stream.get_mut().write_all(format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes());
            first
        })
    }

    /// Answers over TLS with this certificate and status 404.
    pub(super) fn certified(key: &CertifiedKey<rcgen::KeyPair>) -> Self {
        let config = certified(key);
        Self::answering(move |stream| not_found(&config, stream))
    }

    /// Returns the requests so far; the program must have ended.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.try_iter().collect()
    }
}

/// Returns the configuration of a TLS server with this certificate.
pub(super) fn certified(key: &CertifiedKey<rcgen::KeyPair>) -> Arc<ServerConfig> {
    static PROVIDER: Once = Once::new();
    // This fails only if a provider is already installed.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![key.cert.der().clone()], private);
    Arc::new(config.expect("a certificate and its key"))
}

/// Answers a request over TLS with status 404; returns its first line, or an empty text if there was none.
pub(super) fn not_found(config: &Arc<ServerConfig>, stream: TcpStream) -> String {
    let tls = ServerConnection::new(Arc::clone(config)).expect("a connection");
    let mut stream = BufReader::new(StreamOwned::new(tls, stream));
    let first = first_line(&mut stream);
    let _ = stream.get_mut().write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    first
}

/// Reads the head of a request; returns its first line, or an empty text.
pub(super) fn first_line(stream: &mut impl BufRead) -> String {
    let lines = stream.lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().into_iter().next().unwrap_or_default()
}

/// Configures this address for prod.
pub(super) fn prod_at(fixture: &Fixture, url: &str) {
    let text = fixture.read("migrate.toml");
    let at = text.rfind("url = ").expect("the address of prod");
    let end = at + text[at..].find('\n').expect("a line");
    fixture.write("migrate.toml", &format!("{}url = \"{url}\"{}", &text[..at], &text[end..]));
}

#[test]
fn plain_http_to_another_machine_is_refused_and_nothing_is_sent() {
    let mut fixture = Fixture::small();
    let proxy = Stranger::saying("502 Bad Gateway".to_owned());
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        fixture.set(name, &format!("http://127.0.0.1:{}", proxy.port));
    }
    prod_at(&fixture, "http://192.0.2.1");
    assert_snapshot!(fixture.run("export --tenant prod --quiet").refused(), @r#"
    exit 64
    error: "http://192.0.2.1" cannot be the url of tenant "prod"
            --> migrate.toml:7:7
             |
           7 | url = "http://192.0.2.1"
             |       ^^^^^^^^^^^^^^^^^^ only http or https to 127.0.0.1, [::1] or localhost; a tenant elsewhere is reached by its domain
    "#);
    assert_eq!(proxy.asked(), [""; 0]);
}

#[test]
fn an_untrusted_certificate_is_refused_before_anything_is_sent() {
    let mut fixture = Fixture::small();
    let key = generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    fixture.write("own.pem", &key.cert.pem());
    let server = Stranger::certified(&key);
    prod_at(&fixture, &format!("https://127.0.0.1:{}", server.port));
    let said = fixture.run("export --tenant prod --quiet").refused().replace(&server.port.to_string(), "PORT");
    assert_snapshot!(said, @r#"
    exit 1
    error: cannot sign in to "prod"
    cause: no response from 127.0.0.1:PORT to POST /oauth/token
    cause: invalid peer certificate: UnknownIssuer
    hint:  check `domain` (and `url`, if set) in migrate.toml and the network, then run the same command again; `migrate doctor` tells which
    "#);
    assert!(server.asked().iter().all(String::is_empty), "no credentials were sent");
    // The same server is accepted if the machine trusts its certificate, so only the certificate was the reason.
    fixture.set("SSL_CERT_FILE", "own.pem");
    let said = fixture.run("export --tenant prod --quiet");
    assert!(server.asked().contains(&"POST /oauth/token HTTP/1.1".to_owned()), "{}", said.whole());
}

#[test]
fn a_certificate_for_another_name_is_refused_before_anything_is_sent() {
    let mut fixture = Fixture::small();
    let key = generate_simple_self_signed(["other.example".to_owned()]).expect("a certificate");
    fixture.write("own.pem", &key.cert.pem());
    fixture.set("SSL_CERT_FILE", "own.pem");
    let server = Stranger::certified(&key);
    prod_at(&fixture, &format!("https://127.0.0.1:{}", server.port));
    let said = fixture.run("export --tenant prod --quiet").refused().replace(&server.port.to_string(), "PORT");
    assert_snapshot!(said, @r#"
    exit 1
    error: cannot sign in to "prod"
    cause: no response from 127.0.0.1:PORT to POST /oauth/token
    cause: invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("other.example")
    hint:  check `domain` (and `url`, if set) in migrate.toml and the network, then run the same command again; `migrate doctor` tells which
    "#);
    assert!(server.asked().iter().all(String::is_empty), "no credentials were sent");
}

/// A wrong domain, whose server has no token endpoint, must not look like a tenant without any settings.
#[test]
fn an_address_that_is_no_tenant_is_not_taken_for_an_empty_one() {
    let fixture = Fixture::small();
    let server = Stranger::saying("404 Not Found".to_owned());
    prod_at(&fixture, &format!("http://127.0.0.1:{}", server.port));
    let said = fixture.run("export --tenant prod --quiet").refused().replace(&server.port.to_string(), "PORT");
    assert_snapshot!(said, @r#"
    exit 1
    error: cannot sign in to "prod"
    cause: the tenant answered 404
    hint:  check `domain` (and `url`, if set) in migrate.toml: no tenant answers there
    "#);
    assert_eq!(server.asked(), ["POST /oauth/token HTTP/1.1"]);
    assert_eq!(fixture.in_folder("snapshots"), [""; 0]);
}

#[test]
fn a_redirect_is_not_followed() {
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let fixture = Fixture::small();
        let elsewhere = Stranger::saying("204 No Content".to_owned());
        let server = Stranger::saying(format!("{status}\r\nlocation: http://127.0.0.1:{}/oauth/token", elsewhere.port));
        prod_at(&fixture, &format!("http://127.0.0.1:{}", server.port));
        let said = fixture.run("export --tenant prod --quiet");
        assert!(said.code != 0 && said.err.contains(&status[..3]), "{}", said.whole());
        assert!(!server.asked().is_empty());
        assert_eq!(elsewhere.asked(), [""; 0], "{status}");
    }
}

/// A whole sync between two tenants on loopback. Any other connection would have to pass the proxy, or be seen by the
/// system.
#[test]
fn only_the_two_tenants_receive_requests() {
    let mut fixture = Fixture::new(dev(), prod(), "");
    let proxy = Stranger::saying("502 Bad Gateway".to_owned());
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        fixture.set(name, &format!("http://127.0.0.1:{}", proxy.port));
    }
    let commands = [
        "validate",
        "kinds",
        "scopes",
        "export --tenant dev --quiet",
        "plan --tenant prod --out plan.json --quiet",
        "import --tenant prod --plan plan.json --allow lockout-risk,weaker-protection --yes --quiet",
        "sync --from dev --to prod",
        "drift --tenant prod",
        "runs",
    ];
    let traced = fixture.run_in_shell("command -v strace >/dev/null && strace -o /dev/null true || exit 9").code == 0;
    if !traced {
        skip("there is no strace, by which what passes no proxy is seen");
    }
    for line in commands {
        let said = if traced {
            fixture.run_in_shell(&format!("exec strace -f -qq -e trace=connect,sendto -o trace.txt \"$MIGRATE\" {line}"))
        } else {
            fixture.run(line)
        };
        assert_eq!(said.code, 0, "{line}: {}", said.whole());
        if traced {
            let trace = fixture.read("trace.txt");
            let asked = trace.lines().filter(|call| call.contains("sin_addr") || call.contains("sin6_addr"));
            let others: Vec<&str> = asked.filter(|call| !fixture.is_of_a_tenant(call)).collect();
            assert_eq!(others, [""; 0], "{line}");
        }
    }
    assert_eq!(proxy.asked(), [""; 0]);
}

/// A tenant on another machine is reached through the proxy, by its own name and port.
#[test]
fn a_tenant_on_another_machine_is_requested_by_its_own_name_only() {
    let mut fixture = Fixture::small();
    let proxy = Stranger::saying("502 Bad Gateway".to_owned());
    fixture.set("HTTPS_PROXY", &format!("http://127.0.0.1:{}", proxy.port));
    let text = fixture.read("migrate.toml");
    let without = text.lines().filter(|line| !line.starts_with("url = ")).map(|line| format!("{line}\n"));
    fixture.write("migrate.toml", &without.collect::<String>());
    let said = fixture.run("export --tenant prod --quiet");
    assert_ne!(said.code, 0, "{}", said.whole());
    let asked = proxy.asked();
    assert!(!asked.is_empty() && asked.iter().all(|line| line == "CONNECT acme-prod.eu.auth0.com:443 HTTP/1.1"), "{asked:?}");
}

/// Every command that writes a file, run by a user whose files are readable for everybody by default.
#[test]
fn every_written_file_is_private() {
    let fixture = Fixture::small();
    let written: Vec<_> = fixture.files();
    let run = |line: &str| fixture.run_in_shell(&format!("umask 000; exec \"$MIGRATE\" {line}"));
    let lines = [
        "export --tenant dev --quiet",
        "export --tenant dev --out taken/here --quiet",
        "plan --tenant prod --out plans/plan.json --quiet",
        &format!("{IMPORT} --secrets-to file:secrets.jsonl"),
        "sync --from dev --to prod",
    ];
    for line in lines {
        let said = run(line);
        assert_eq!(said.code, 0, "{line}: {}", said.whole());
    }
    let newest = fixture.in_folder("runs").into_iter().filter(|name| name.ends_with("-prod")).max().expect("a run");
    let undone = run(&format!("undo {newest} --allow lockout-risk,weaker-protection,deletes --yes --quiet"));
    assert_eq!(undone.code, 0, "{}", undone.whole());
    let ours: Vec<_> = fixture.files().into_iter().filter(|path| !written.contains(path)).collect();
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    for part in [
        "snapshots/",
        "taken/here/",
        "plans/plan.json",
        "runs/",
        "state/dev/prod/links.csv",
        "state/dev/prod/pair.json",
        "secrets.jsonl",
        ".lock",
        "journal.jsonl",
        "report.html",
    ] {
        assert!(ours.iter().any(|path| path.display().to_string().contains(part)), "nothing was left in {part}");
    }
    let root = fixture.path("");
    for file in &ours {
        assert_eq!(mode(file), 0o600, "{}", file.display());
        for folder in file.ancestors().skip(1).take_while(|folder| folder.starts_with(&root) && folder.components().ne(root.components())) {
            assert_eq!(mode(folder), 0o700, "{}", folder.display());
        }
    }
}
