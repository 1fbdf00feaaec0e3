//! Tests of requests to a scripted server.

use std::error::Error as _;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Value, json};

use super::safety_limits::Excess;
use super::test_server::{CLIENT_SECRET, RecordedEvents, ScriptedResponse, Server};
use super::{Absence, Credentials, Error, Listing, Reply, Tenant};
use crate::catalog::{Catalog, Kind};
use crate::json::Body;
use crate::model::event::Event;
use crate::model::resource::Id;

use ScriptedResponse::{Answer as Says, AnswerWithHeaders, Disconnect, Truncated};

fn kind(name: &str) -> &'static Kind {
    Catalog::standard().kind(name).expect("a kind")
}

fn body(value: Value) -> Body {
    Body::from_value(value).expect("an object")
}

fn numbers(listing: Listing) -> Vec<u64> {
    let Listing::Complete(bodies) = listing else { panic!("{listing:?}") };
    bodies.iter().map(|body| body.get("n").and_then(Value::as_u64).expect("a number")).collect()
}

/// Returns everything that an error shows, as text and in its debug form.
fn shown(error: &Error) -> String {
    let chain = std::iter::successors(error.source(), |below| (**below).source()).map(ToString::to_string);
    [error.to_string(), format!("{error:?}")].into_iter().chain(chain).collect::<Vec<_>>().join(" ")
}

fn page(numbers: std::ops::Range<u64>, limit: u64, total: u64) -> Value {
    let clients: Vec<_> = numbers.map(|n| json!({"n": n})).collect();
    json!({"start": 0, "limit": limit, "total": total, "clients": clients})
}

#[tokio::test]
async fn pages_are_read_in_order_with_the_size_the_tenant_returns() {
    let server = Server::start(|seen, _| {
        let number: u64 = seen.line.split("&page=").nth(1).and_then(|rest| rest.split('&').next()?.parse().ok()).expect("a page");
        Says(200, page(number * 2..(number * 2 + 2).min(7), 2, 7))
    })
    .await;
    let events = Arc::new(RecordedEvents::default());
    let tenant = Tenant::new(server.config(), events.clone()).expect("a configuration");
    assert_eq!(numbers(tenant.list(kind("clients")).await.expect("a list")), [0, 1, 2, 3, 4, 5, 6]);
    let mut lines = server.lines();
    lines.sort();
    let query = |page, size| format!("GET /clients?is_global=false&page={page}&per_page={size}&include_totals=true");
    assert_eq!(lines, [query(0, 100), query(1, 2), query(2, 2), query(3, 2)]);
    let last = events.0.lock().expect("no panic").iter().rfind(|event| matches!(event, Event::Listing { .. })).cloned();
    assert!(matches!(last, Some(Event::Listing { read: 7, total: Some(7), .. })), "{last:?}");
}

#[tokio::test]
async fn a_list_that_stays_incomplete_is_an_error() {
    let server = Server::start(|_, _| Says(200, page(0..2, 100, 3))).await;
    let error = server.tenant().list(kind("clients")).await.expect_err("a short list");
    assert_eq!(error.to_string(), "the tenant lists 2 of 3 clients");
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn an_impossible_total_is_refused() {
    let server = Server::start(|seen, _| Says(200, page(if seen.line.contains("page=0&") { 0..2 } else { 0..0 }, 2, u64::MAX))).await;
    let error = server.tenant().list(kind("clients")).await.expect_err("too long a list");
    assert!(shown(&error).contains("the list has 18446744073709551615 elements, and at most 200000 are read"), "{error:?}");
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_list_that_changed_while_it_was_read_is_read_again() {
    let server = Server::start(|_, before| Says(200, if before == 0 { page(0..2, 100, 3) } else { page(0..3, 100, 3) })).await;
    assert_eq!(numbers(server.tenant().list(kind("clients")).await.expect("a list")), [0, 1, 2]);
}

/// Returns the requested page of a list of these numbers.
fn asked_of(list: &[u64], line: &str) -> Value {
    let asked = |name: &str| -> usize {
        let value = line.split(['?', '&']).find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        value.and_then(|value| value.parse().ok()).expect("a number")
    };
    let (size, number) = (asked("per_page").min(50), asked("page"));
    let clients: Vec<_> = list.iter().skip(size * number).take(size).map(|n| json!({"client_id": format!("c{n}"), "n": n})).collect();
    json!({"start": size * number, "limit": size, "total": list.len(), "clients": clients})
}

#[tokio::test]
async fn a_list_with_an_element_added_and_one_removed_between_pages_is_read_again() {
    let before: Vec<u64> = (0..120).collect();
    for gone in [0, 20, 49, 98] {
        // An element is added at the end, so that the count stays the same, or at the front, so that others occur
        // twice.
        let after: Vec<u64> = before.iter().copied().filter(|n| *n != gone).chain([120]).collect();
        let shifted: Vec<u64> = [120].into_iter().chain(before.iter().copied().filter(|n| *n != 119)).collect();
        for after in [after, shifted] {
            let (before, now) = (before.clone(), after.clone());
            let server = Server::start(move |seen, asked| Says(200, asked_of(if asked == 0 { &before } else { &now }, &seen.line))).await;
            assert_eq!(numbers(server.tenant().list(kind("clients")).await.expect("a list")), after, "{gone} went");
        }
    }
}

#[tokio::test]
async fn a_list_that_never_stops_changing_is_an_error() {
    let server = Server::start(|seen, asked| {
        let moving: Vec<u64> = (asked as u64..asked as u64 + 120).collect();
        Says(200, asked_of(&moving, &seen.line))
    })
    .await;
    let error = server.tenant().list(kind("clients")).await.expect_err("it moves");
    assert_eq!(error.to_string(), "clients changed while they were listed: none of 4 attempts was complete");
}

#[tokio::test]
async fn an_id_listed_twice_is_one_resource() {
    let twice = json!({"organizations": [{"id": "o1", "n": 1}, {"id": "o2", "n": 2}, {"id": "o1", "n": 1}]});
    let server = Server::start(move |_, _| Says(200, twice.clone())).await;
    assert_eq!(numbers(server.tenant().list(kind("organizations")).await.expect("a list")), [1, 2]);
}

#[tokio::test]
async fn a_list_whose_deep_pages_are_refused_is_read_by_checkpoint() {
    let server = Server::start(|seen, _| match seen.line.trim_start_matches("GET /api/v2/clients?is_global=false&") {
        "page=0&per_page=100&include_totals=true" => Says(200, page(0..2, 2, 4)),
        "take=100" => Says(200, json!({"clients": [{"n": 0}, {"n": 1}], "next": "Fe26.2*a+b/c="})),
        "from=Fe26%2E2%2Aa%2Bb%2Fc%3D&take=100" => Says(200, json!({"clients": [{"n": 2}, {"n": 3}]})),
        _ => Says(400, json!({"statusCode": 400, "message": "You can only page through the first 1000", "errorCode": "invalid_paging"})),
    })
    .await;
    assert_eq!(numbers(server.tenant().list(kind("clients")).await.expect("a list")), [0, 1, 2, 3]);
}

#[tokio::test]
async fn a_checkpoint_that_leads_to_itself_is_refused() {
    let server = Server::start(|_, _| Says(200, json!({"connections": [], "next": "a"}))).await;
    let error = server.tenant().list(kind("connections")).await.expect_err("no end");
    assert!(matches!(error, Error::Excess { source: Excess::CheckpointLoop, .. }), "{error:?}");
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn a_bare_array_is_read_until_it_repeats() {
    let server = Server::start(|_, _| Says(200, json!([{"n": 0}, {"n": 1}]))).await;
    assert_eq!(numbers(server.tenant().list(kind("rules")).await.expect("a list")), [0, 1]);
}

#[tokio::test]
async fn a_response_without_the_list_is_not_an_empty_list() {
    let server = Server::start(|_, _| Says(200, json!({"total": 3, "others": []}))).await;
    assert!(matches!(server.tenant().list(kind("clients")).await, Err(Error::Unreadable { .. })));
}

#[tokio::test]
async fn named_objects_that_were_never_written_are_left_out() {
    let server = Server::start(|seen, _| {
        if seen.line.ends_with("/welcome_email") {
            Says(200, json!({"n": 1}))
        } else {
            Says(404, json!({"statusCode": 404, "message": "The template does not exist.", "errorCode": "inexistent_email_template"}))
        }
    })
    .await;
    assert_eq!(numbers(server.tenant().list(kind("email-templates")).await.expect("a list")), [1]);
    assert_eq!(server.lines().len(), 14);
}

#[tokio::test]
async fn an_unserved_kind_is_an_absence_and_not_an_error() {
    let scope = json!({"message": "Insufficient scope, expected any of: read:clients", "errorCode": "insufficient_scope"});
    let plan = json!({"message": "Please upgrade your subscription", "errorCode": "insufficient_scope"});
    let gone = json!({"message": "Not Found"});
    for (name, status, answer, expected) in [
        ("clients", 403, scope, Absence::Scope("the token lacks the scope read:clients".to_owned())),
        ("clients", 403, plan, Absence::Entitlement("Please upgrade your subscription".to_owned())),
        ("rules", 404, gone.clone(), Absence::Gone("Not Found".to_owned())),
        ("tenant-settings", 404, gone, Absence::NotConfigured),
    ] {
        let server = Server::start(move |_, _| Says(status, answer.clone())).await;
        let listing = server.tenant().list(kind(name)).await.expect("no error");
        let Listing::Absent { reason, .. } = listing else { panic!("{listing:?}") };
        assert_eq!(reason, expected);
    }
}

#[tokio::test]
async fn a_create_that_may_have_succeeded_has_an_unknown_outcome_and_is_not_retried() {
    let failed = json!({"statusCode": 500, "error": "Internal Server Error", "message": "Oops"});
    for response in [Disconnect, Truncated, Says(500, failed), Says(201, json!("no object"))] {
        let scripted = response.clone();
        let server = Server::start(move |_, _| scripted.clone()).await;
        let error = server.tenant().create(kind("roles"), &body(json!({"name": "Editor"}))).await.expect_err("in doubt");
        assert!(error.is_outcome_unknown(), "{response:?}: {error:?}");
        assert_eq!(error.to_string(), "it is unknown whether the tenant carried out POST /roles");
        assert_eq!(server.lines(), ["POST /roles"], "{response:?}");
    }
}

#[tokio::test]
async fn a_rate_limited_create_is_retried() {
    let limited = json!({"statusCode": 429, "error": "Too Many Requests", "message": "Global limit has been reached"});
    let server = Server::start(move |seen, before| match before {
        0 => AnswerWithHeaders(429, vec![("retry-after", "0".to_owned())], limited.clone()),
        _ => Says(201, seen.body.clone()),
    })
    .await;
    let tenant = server.tenant();
    let role = body(json!({"name": "Editor"}));
    assert_eq!(tenant.create(kind("roles"), &role).await.expect("created"), role);
    assert_eq!((server.lines().len(), tenant.requests().writes, tenant.requests().retries), (2, 2, 1));
}

#[tokio::test]
async fn no_request_waits_beyond_the_end_of_a_run() {
    let server = Server::start(|_, _| AnswerWithHeaders(429, vec![("retry-after", "90".to_owned())], json!({"message": "later"}))).await;
    let tenant = server.tenant();
    tenant.retry_until(tokio::time::Instant::now() + std::time::Duration::from_secs(30));
    let error = tenant.create(kind("roles"), &body(json!({"name": "Auditor"}))).await.expect_err("no time is left for it");
    assert!(!error.is_outcome_unknown() && server.lines().len() == 1, "{error} {:?}", server.lines());
}

#[tokio::test]
async fn the_bytes_read_of_a_tenant_are_limited_over_all_lists() {
    let server = Server::start(|_, _| Says(200, json!({"logo_url": "https://cdn.acme.example/of-some-length.png"}))).await;
    let tenant = server.tenant();
    tenant.transport.bounds.set_byte_limit(100);
    tenant.list(kind("branding")).await.expect("there is room for one");
    let error = tenant.list(kind("prompts")).await.expect_err("there is none for another");
    assert!(matches!(error, Error::Excess { source: Excess::Tenant, .. }), "{error}");
    tenant.within_limits(async { tenant.list(kind("prompts")).await.expect("a reading has all of it") }).await;
}

#[tokio::test]
async fn an_update_whose_connection_broke_is_retried() {
    let server = Server::start(|_, before| if before == 0 { Disconnect } else { Says(204, Value::Null) }).await;
    let changed = server.tenant().update(kind("roles"), &Id::new("rol_1"), &body(json!({"name": "Editor"}))).await;
    assert_eq!(changed.expect("changed"), Body::new());
    assert_eq!(server.lines(), ["PATCH /roles/rol_1", "PATCH /roles/rol_1"]);
}

#[tokio::test]
async fn a_truncated_response_is_requested_again() {
    let server = Server::start(|_, before| if before == 0 { Truncated } else { Says(200, json!({"n": 1})) }).await;
    assert_eq!(server.tenant().read(kind("roles"), &Id::new("rol_1")).await.expect("read"), Some(body(json!({"n": 1}))));
}

#[tokio::test]
async fn a_404_after_a_retried_delete_means_success() {
    let gone = json!({"statusCode": 404, "message": "The role does not exist."});
    let server = Server::start(move |_, before| if before == 0 { Disconnect } else { Says(404, gone.clone()) }).await;
    let tenant = server.tenant();
    tenant.delete(kind("roles"), &Id::new("rol_1")).await.expect("removed");
    assert!(tenant.delete(kind("roles"), &Id::new("rol_1")).await.expect_err("never there").is_not_found());
}

#[tokio::test]
async fn a_redirect_is_refused_and_not_followed() {
    let server = Server::start(|_, _| AnswerWithHeaders(302, vec![("location", "/api/v2/elsewhere".to_owned())], Value::Null)).await;
    let error = server.tenant().read(kind("roles"), &Id::new("rol_1")).await.expect_err("a redirect");
    assert_eq!(error.to_string(), "the tenant answered 302: it is a redirect, and redirects are not followed");
    assert_eq!(server.lines(), ["GET /roles/rol_1"]);
}

#[tokio::test]
async fn a_rejected_token_is_renewed_once() {
    let late = json!({"statusCode": 401, "error": "Unauthorized", "message": "Expired token received"});
    let ended = late.clone();
    let server = Server::start(move |seen, _| match seen.bearer.as_str() {
        "Bearer token-1" => Says(401, ended.clone()),
        _ => Says(200, json!({"n": 1})),
    })
    .await;
    assert!(server.tenant().read(kind("roles"), &Id::new("rol_1")).await.expect("read").is_some());
    assert_eq!((server.lines().len(), server.tokens()), (2, 2));

    let server = Server::start(move |_, _| Says(401, late.clone())).await;
    let error = server.tenant().read(kind("roles"), &Id::new("rol_1")).await.expect_err("refused");
    assert_eq!(error.to_string(), "the tenant did not accept the credentials: Expired token received");
    assert!(error.is_denied());
    assert_eq!((server.lines().len(), server.tokens()), (2, 2));
}

#[tokio::test]
async fn concurrent_requests_share_one_token_request() {
    let server = Server::start(|_, _| Says(200, json!({"n": 1}))).await;
    let tenant = server.tenant();
    let id = Id::new("rol_1");
    let read = || tenant.read(kind("roles"), &id);
    let (first, second, third) = tokio::join!(read(), read(), read());
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    assert_eq!(server.tokens(), 1);
    let scopes = tenant.scopes().await.expect("a token").expect("known");
    assert_eq!(scopes.into_iter().collect::<Vec<_>>(), ["read:clients", "read:roles"]);
}

#[tokio::test]
async fn an_expiring_token_is_renewed_before_it_is_sent() {
    let server = Server::start_all(|seen, _| match seen.line.as_str() {
        "POST /oauth/token" => Says(200, json!({"access_token": "short", "expires_in": 1})),
        _ => Says(200, json!({"n": 1})),
    })
    .await;
    let tenant = server.tenant();
    tenant.scopes().await.expect("a token");
    assert_eq!(server.tokens(), 1);
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_millis(950)).await;
    tokio::time::resume();
    tenant.scopes().await.expect("a token");
    assert_eq!(server.tokens(), 2);
}

#[test]
fn an_invalid_key_is_refused_before_anything_is_sent() {
    let credentials = Credentials::Key { client_id: "own".to_owned(), pem: SecretString::from("canary-key") };
    let error = super::auth::TokenProvider::new(credentials).err().expect("no key");
    assert_eq!(error.to_string(), "cannot use the client's private key: expected an RSA key in PEM format");
    assert!(error.is_misconfigured() && !shown(&error).contains("canary"));
}

#[tokio::test]
async fn every_request_future_is_send() {
    fn is_send<T: Send>(_: &T) {}
    let server = Server::start(|_, _| Says(200, json!([]))).await;
    let (tenant, id) = (server.tenant(), Id::new("rol_1"));
    is_send(&tenant.list(kind("email-templates")));
    is_send(&tenant.list_elements(kind("role-permissions"), &id));
    is_send(&tenant.read(kind("roles"), &id));
    is_send(&tenant.create(kind("roles"), &Body::new()));
    is_send(&tenant.update_elements(kind("role-permissions"), &id, &[], &[]));
}

#[tokio::test]
async fn wrong_credentials_are_distinguished_from_other_refusals() {
    let server = Server::start_all(|seen, _| {
        let secret = seen.body["client_secret"].as_str().unwrap_or_default();
        Says(401, json!({"error": "access_denied", "error_description": format!("{secret} is Unauthorized")}))
    })
    .await;
    let error = server.tenant().list(kind("clients")).await.expect_err("refused");
    assert_eq!(error.to_string(), "the tenant did not accept the credentials: (redacted) is Unauthorized");
    assert!(error.is_denied());
}

#[tokio::test]
async fn an_address_without_a_token_endpoint_is_no_tenant_without_clients() {
    for status in [404, 410] {
        let server = Server::start_all(move |_, _| Says(status, json!({"message": "Unknown host"}))).await;
        let tenant = server.tenant();
        for error in [
            tenant.list(kind("clients")).await.expect_err("refused"),
            tenant.read(kind("tenant-settings"), &Id::new("")).await.expect_err("refused"),
        ] {
            assert!(error.is_about_sign_in() && !error.is_not_served() && !error.is_not_found(), "{error}");
        }
        assert!(server.lines().is_empty());
    }
}

#[tokio::test]
async fn a_given_token_reveals_its_client_and_scopes_and_is_not_sent_after_it_expired() {
    let server = Server::start(|_, _| Says(200, json!({"n": 1}))).await;
    let token = |claims: Value| {
        let key = jsonwebtoken::EncodingKey::from_secret(b"anybody");
        Credentials::Token(SecretString::from(jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).expect("a token")))
    };
    let tenant = |credentials| {
        let config = super::ApiConfig { credentials, ..server.config() };
        Tenant::new(config, Arc::new(RecordedEvents::default())).expect("a configuration")
    };
    let good = tenant(token(json!({"sub": "own@clients", "scope": "read:roles", "exp": 9_999_999_999_u64})));
    assert_eq!(good.client_id().as_deref(), Some("own"));
    assert_eq!(good.scopes().await.expect("a token"), Some(["read:roles".to_owned()].into()));
    let opaque = tenant(Credentials::Token(SecretString::from("opaque")));
    assert_eq!((opaque.client_id(), opaque.scopes().await.expect("a token")), (None, None));
    let ended = tenant(token(json!({"azp": "own", "exp": 1}))).list(kind("clients")).await.expect_err("ended");
    assert_eq!(ended.to_string(), "the tenant did not accept the credentials: the access token has expired");
    assert!(server.lines().is_empty());
}

#[tokio::test]
async fn no_secret_in_a_tenants_message_is_shown() {
    let server = Server::start(|seen, _| {
        let message = format!("no: {} {} {CLIENT_SECRET}", seen.bearer, seen.body);
        Says(if seen.line.starts_with("POST") { 500 } else { 400 }, json!({"message": message, "errorCode": CLIENT_SECRET}))
    })
    .await;
    let tenant = server.tenant();
    let created = json!({"name": "Web", "addons": {"wams": {"masterkey": "canary-\"2\""}}});
    let client = json!({"name": "Web", "client_secret": "canary-1", "addons": {"wams": {"masterkey": "canary-\"2\""}}});
    let errors = [
        tenant.create(kind("clients"), &body(created)).await.expect_err("in doubt"),
        tenant.update(kind("clients"), &Id::new("c1"), &body(client.clone())).await.expect_err("refused"),
        tenant.call("patch", "clients/c1", Some(&client)).await.expect_err("refused"),
        tenant.read(kind("clients"), &Id::new("c1")).await.expect_err("refused"),
    ];
    for error in errors {
        let text = shown(&error);
        assert!(!text.contains("canary") && !text.contains("token-1"), "{text}");
        assert!(text.contains("(redacted)"), "{text}");
    }
}

#[tokio::test]
async fn every_write_contains_the_name_of_its_run() {
    let server = Server::start(|_, _| Says(200, json!({}))).await;
    let tenant = server.tenant();
    tenant.read(kind("roles"), &Id::new("rol_1")).await.expect("read");
    tenant.update(kind("roles"), &Id::new("rol_1"), &Body::new()).await.expect("changed");
    let runs: Vec<_> = server.seen().into_iter().map(|seen| seen.correlation).collect();
    assert_eq!(runs, [None, Some("run-1".to_owned())]);
}

#[tokio::test]
async fn elements_are_added_and_removed_as_the_kind_requires() {
    let server = Server::start(|_, _| Says(204, Value::Null)).await;
    let tenant = server.tenant();
    let permission = |name: &str| json!({"resource_server_identifier": "https://api", "permission_name": name});
    let (added, removed) = ([permission("read")], [permission("write")]);
    tenant.update_elements(kind("role-permissions"), &Id::new("rol_1"), &added, &removed).await.expect("changed");
    tenant.update_elements(kind("role-permissions"), &Id::new("rol_1"), &[], &[]).await.expect("nothing to do");
    let clients: Vec<_> = (0..51).map(|n| json!({"client_id": format!("c{n}")})).collect();
    tenant.update_elements(kind("connection-clients"), &Id::new("con_1"), &clients[..50], &clients[50..]).await.expect("changed");
    let seen = server.seen();
    let (post, delete, switches) = (&seen[0], &seen[1], &seen[2..]);
    assert_eq!((post.line.as_str(), &post.body), ("POST /api/v2/roles/rol_1/permissions", &json!({"permissions": added})));
    assert_eq!((delete.line.as_str(), &delete.body), ("DELETE /api/v2/roles/rol_1/permissions", &json!({"permissions": removed})));
    assert_eq!(switches.iter().map(|seen| seen.body.as_array().map_or(0, Vec::len)).collect::<Vec<_>>(), [50, 1]);
    assert_eq!(switches[1].body, json!([{"client_id": "c50", "status": false}]));
}

#[tokio::test]
async fn any_path_of_the_api_can_be_called() {
    let server = Server::start(|_, _| Says(200, json!([1]))).await;
    let tenant = server.tenant();
    let answer = tenant.call("get", "users-by-email?email=ada%40example.com", None).await.expect("an answer");
    assert_eq!(answer, Reply { status: 200, body: json!([1]) });
    tenant.call("GET", "/api/v2/stats/daily", None).await.expect("an answer");
    assert_eq!(server.lines(), ["GET /users-by-email?email=ada%40example.com", "GET /stats/daily"]);
    let wrong = tenant.call("TRACE", "clients", None).await.expect_err("no method");
    assert_eq!(wrong.to_string(), "\"TRACE\" is not a method: expected GET, POST, PATCH, PUT or DELETE");
}
