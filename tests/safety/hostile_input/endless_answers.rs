//! Responses that do not end, are too large, or redirect.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use auth0_migrate::management_api::safety_limits;
use auth0_migrate::management_api::{ApiConfig, Credentials, Error, Tenant};
use auth0_migrate::model::network::NetworkOptions;
use serde_json::json;

use super::server::{AnswerWriter, Server};
use crate::support::fixture::CommandOutput;

/// The maximum number of bytes that sockets and buffers may contain of a response that is no longer read.
const ON_THE_WAY: usize = 32 << 20;

/// A chunk of an endless body.
static BLANKS: [u8; 8192] = [b' '; 8192];

fn export(server: &Server, kind: &str) -> CommandOutput {
    let said = server.run(&format!("export --tenant evil --kinds {kind}"));
    assert_eq!(said.code, 1, "{}", said.whole());
    said
}

/// Exports APIs from a tenant with these responses; returns the output, and checks the number of requests.
fn refused(times: usize, play: impl Fn(&str, &mut AnswerWriter) -> std::io::Result<()> + Send + Sync + 'static) -> (Server, String) {
    let server = Server::start(play);
    let said = export(&server, "resource-servers");
    let asked = server.asked();
    assert_eq!(asked.iter().filter(|path| path.starts_with("/resource-servers")).count(), times, "{}", said.whole());
    (server, said.refused())
}

#[test]
fn an_endless_body_is_read_up_to_a_limit_and_requested_once() {
    let (server, said) = refused(1, |_, writer| {
        writer.head("200 OK", &[])?;
        loop {
            writer.raw(&BLANKS)?;
        }
    });
    insta::assert_snapshot!(said, @r#"
    exit 1
    error: cannot read resource-servers of "evil"
    cause: the response to GET /resource-servers exceeds a limit
    cause: its body is larger than 32 MiB
    hint:  Auth0 does not respond like this: check `domain` and `url` in migrate.toml, and any proxy in between
    "#);
    assert!(server.sent() < safety_limits::BODY + ON_THE_WAY, "{}", server.sent());
}

#[test]
fn a_body_with_an_excessive_length_is_not_read() {
    let (server, said) = refused(1, |_, writer| {
        writer.head("200 OK", &["content-length: 99999999999"])?;
        loop {
            writer.raw(&BLANKS)?;
        }
    });
    assert!(said.contains("its body is larger than 32 MiB"), "{said}");
    assert!(server.sent() < ON_THE_WAY, "{}", server.sent());
}

#[test]
fn an_endless_error_body_is_limited_too() {
    let (server, said) = refused(1, |_, writer| {
        writer.head("500 Internal Server Error", &[])?;
        loop {
            writer.raw(&BLANKS)?;
        }
    });
    assert!(said.contains("its body is larger than 32 MiB"), "{said}");
    assert!(server.sent() < safety_limits::BODY + ON_THE_WAY, "{}", server.sent());
}

#[test]
fn a_compressed_body_is_not_unpacked() {
    let (_, said) = refused(1, |_, writer| {
        writer.head("200 OK", &["content-encoding: gzip"])?;
        writer.raw(b"\x1f\x8b\x08")
    });
    assert!(said.contains("its body is compressed, which was not requested"), "{said}");
}

#[test]
fn endless_headers_are_read_up_to_a_limit() {
    let (server, said) = refused(1, |_, writer| {
        writer.raw(b"HTTP/1.1 200 OK\r\n")?;
        loop {
            writer.raw(b"x-more: and more and more and more and more and more\r\n")?;
        }
    });
    assert!(said.contains("its headers exceed the limit"), "{said}");
    assert!(server.sent() < ON_THE_WAY, "{}", server.sent());
}

#[test]
fn endless_nesting_is_refused() {
    for deep in ["[{\"a\":".to_owned() + &"[".repeat(1_000_000), format!("{{\"resource_servers\": [{}", "{\"a\":".repeat(1_000_000))] {
        let (_, said) = refused(1, move |_, writer| writer.json(&deep));
        assert!(said.contains("it is nested deeper than 127 levels"), "{said}");
    }
}

#[test]
fn a_list_with_an_excessive_total_is_requested_once() {
    let (_, said) = refused(1, |_, writer| {
        writer.json(r#"{"start": 0, "limit": 1, "total": 1000000000000, "resource_servers": [{"id": "a", "identifier": "a"}]}"#)
    });
    assert!(said.contains("the list has 1000000000000 elements, and at most 200000 are read"), "{said}");
}

#[test]
fn a_page_with_too_many_elements_is_refused() {
    let many = format!("{{\"resource_servers\": [{}{{}}]}}", "{},".repeat(safety_limits::ELEMENTS));
    let (_, said) = refused(1, move |_, writer| writer.json(&many));
    assert!(said.contains("more than 200000 elements on one page"), "{said}");
}

#[test]
fn a_page_size_of_zero_is_ignored() {
    let server = Server::start(|_, writer| {
        writer.json(r#"{"start": 0, "limit": 0, "total": 2, "resource_servers": [{"id": "a", "identifier": "a"}]}"#)
    });
    let said = server.run("export --tenant evil --kinds resource-servers");
    assert_eq!(said.code, 0, "{}", said.whole());
    assert!(server.asked().len() < 10, "{:?}", server.asked());
}

#[test]
fn endless_pages_are_read_up_to_a_limit() {
    let pages = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |_, writer| {
        let page = pages.fetch_add(1, Ordering::Relaxed);
        writer.json(
            &json!({"organizations": [{"id": format!("org_{page}"), "name": page.to_string()}], "next": page.to_string()}).to_string(),
        )
    });
    let said = export(&server, "organizations --exclude organization-*");
    assert!(said.err.contains("the list does not end after 2000 pages"), "{}", said.whole());
    assert_eq!(server.asked().len(), safety_limits::PAGES);
}

#[test]
fn a_cycle_of_checkpoints_is_detected() {
    let server = Server::start(|path, writer| {
        let next = if path.contains("from=a") { "b" } else { "a" };
        writer.json(&json!({"organizations": [{"id": "org_1", "name": "one"}], "next": next}).to_string())
    });
    let said = export(&server, "organizations --exclude organization-*");
    assert!(said.err.contains("\"next\" leads to a page that was read before"), "{}", said.whole());
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_demanded_wait_of_an_hour_is_refused() {
    for wait in ["retry-after: 3600", "x-ratelimit-reset: 99999999999"] {
        let (_, said) = refused(1, move |_, writer| writer.head("429 Too Many Requests", &[wait]));
        assert!(said.contains("it asks to wait 1h; the longest wait is 10m"), "{said}");
    }
}

#[test]
fn wrong_clocks_do_no_harm() {
    for date in ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "yesterday"] {
        let date = format!("date: {date}");
        let server = Server::start(move |_, writer| {
            let headers = [&date, "x-ratelimit-limit: 50", "x-ratelimit-remaining: 49", "x-ratelimit-reset: 18446744073709551615"];
            writer.head("200 OK", &headers)?;
            writer.raw(br#"{"start": 0, "limit": 100, "total": 0, "resource_servers": []}"#)
        });
        let said = server.run("export --tenant evil --kinds resource-servers");
        assert_eq!(said.code, 0, "{}", said.whole());
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(|_, writer| writer.json("[]"));
    let location = format!("location: {}/api/v2/clients", elsewhere.url);
    let (_, said) = refused(1, move |_, writer| writer.head("302 Found", &[&location]));
    assert!(said.contains("302: it is a redirect, and redirects are not followed"), "{said}");
    assert_eq!(elsewhere.asked(), [""; 0]);
}

#[test]
fn a_trickling_body_ends_with_the_timeout_of_its_request() {
    let server = Server::start(|_, writer| {
        writer.head("200 OK", &[])?;
        loop {
            writer.raw(b" ")?;
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    let config = ApiConfig {
        name: "evil".to_owned(),
        domain: "evil.eu.auth0.com".to_owned(),
        url: Some(server.url.clone()),
        credentials: Credentials::Token(secrecy::SecretString::from("CANARY-token")),
        network: NetworkOptions::default(),
        tier: None,
        rate: None,
        share: 1.0,
        run: String::new(),
        timeout: Duration::from_secs(3),
        concurrency: 1,
    };
    let tenant = Tenant::new(config, Arc::new(auth0_migrate::model::event::NoObserver)).expect("a configuration");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // A create is never retried, so one attempt suffices.
    let error = runtime.block_on(tenant.call("POST", "clients", Some(&json!({"name": "a"})))).expect_err("no end");
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
    assert_eq!(server.asked().len(), 1);
}
