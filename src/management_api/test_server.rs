//! A scripted server on loopback that records the requests it receives.

use std::convert::Infallible;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_LENGTH;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::config::ApiConfig;
use super::tenant::Tenant;
use crate::model::credentials::Credentials;
use crate::model::event::{Event, Observer};
use crate::model::network::NetworkOptions;

/// The secret of the client that sends the requests.
pub(super) const CLIENT_SECRET: &str = "canary-client-secret";

/// The server's reaction to one request.
#[derive(Debug, Clone)]
pub(super) enum ScriptedResponse {
    /// A response.
    Answer(u16, Value),
    /// A response with headers.
    AnswerWithHeaders(u16, Vec<(&'static str, String)>, Value),
    /// Closes the connection without a response.
    Disconnect,
    /// Starts a 200 response and closes the connection.
    Truncated,
}

/// A received request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ReceivedRequest {
    /// `GET /api/v2/clients?page=0`
    pub(super) line: String,
    pub(super) bearer: String,
    pub(super) correlation: Option<String>,
    pub(super) body: Value,
}

/// A server that runs until it is dropped.
pub(super) struct Server {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<ReceivedRequest>>>,
    task: JoinHandle<()>,
}

type Script = dyn Fn(&ReceivedRequest, usize) -> ScriptedResponse + Send + Sync;

impl Server {
    /// Starts a server; `script` receives each request and the number of requests before it, not counting token
    /// requests.
    ///
    /// `/oauth/token` returns `token-1`, `token-2`, ... unless the server is started by `start_all`.
    pub(super) async fn start(script: impl Fn(&ReceivedRequest, usize) -> ScriptedResponse + Send + Sync + 'static) -> Self {
        let tokens = Mutex::new(0);
        Self::start_all(move |seen, before| {
            if seen.line != "POST /oauth/token" {
                return script(seen, before);
            }
            let mut given = tokens.lock().expect("no panic");
            *given += 1;
            ScriptedResponse::Answer(
                200,
                json!({"access_token": format!("token-{given}"), "expires_in": 86400, "scope": "read:clients read:roles"}),
            )
        })
        .await
    }

    /// Starts a server whose script also answers token requests.
    pub(super) async fn start_all(script: impl Fn(&ReceivedRequest, usize) -> ScriptedResponse + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(serve(listener, seen.clone(), Arc::new(script)));
        Self { url, seen, task }
    }

    /// Returns the requests so far, without token requests.
    pub(super) fn seen(&self) -> Vec<ReceivedRequest> {
        let seen = self.seen.lock().expect("no panic");
        seen.iter().filter(|seen| seen.line != "POST /oauth/token").cloned().collect()
    }

    /// Returns the request lines so far, without the root of the API and token requests.
    pub(super) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(|seen| seen.line.replace("/api/v2", "")).collect()
    }

    /// Returns the number of token requests.
    pub(super) fn tokens(&self) -> usize {
        self.seen.lock().expect("no panic").iter().filter(|seen| seen.line == "POST /oauth/token").count()
    }

    /// Returns a configuration that points to this server.
    pub(super) fn config(&self) -> ApiConfig {
        ApiConfig {
            name: "dev".to_owned(),
            domain: "acme.auth0.com".to_owned(),
            url: Some(self.url.clone()),
            credentials: Credentials::Secret { client_id: "own".to_owned(), client_secret: SecretString::from(CLIENT_SECRET) },
            network: NetworkOptions::default(),
            tier: None,
            rate: None,
            share: 0.8,
            run: "run-1".to_owned(),
            timeout: Duration::from_secs(20),
            concurrency: 4,
        }
    }

    /// Returns a connection to this server.
    pub(super) fn tenant(&self) -> Tenant {
        Tenant::new(self.config(), Arc::new(RecordedEvents::default())).expect("a usable configuration")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Records the events it is notified of.
#[derive(Default)]
pub(super) struct RecordedEvents(pub(super) Mutex<Vec<Event>>);

impl Observer for RecordedEvents {
    fn notify(&self, event: &Event) {
        self.0.lock().expect("no panic").push(event.clone());
    }
}

async fn serve(listener: TcpListener, seen: Arc<Mutex<Vec<ReceivedRequest>>>, script: Arc<Script>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (seen, script) = (seen.clone(), script.clone());
        let service = service_fn(move |request| answer(request, seen.clone(), script.clone()));
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// Saves a Management API request for the last test target, which validates it against Auth0's OpenAPI description,
/// like those of `tests/support/request_recording.rs`.
fn record(asked: &ReceivedRequest) -> io::Result<()> {
    let Some((method, target)) = asked.line.split_once(" /api/v2") else { return Ok(()) };
    // A unit test does not know the target folder; its binary is two levels below it.
    let binary = std::env::current_exe()?;
    let Some(folder) = binary.ancestors().nth(3).map(|target| target.join("tmp")).filter(|folder| folder.is_dir()) else { return Ok(()) };
    let session = std::env::var("TEST_SESSION").unwrap_or_else(|_| std::os::unix::process::parent_id().to_string());
    let path = folder.join(format!("requests-{session}"));
    let line = json!({"method": method, "target": target, "body": asked.body, "status": 0});
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())
}

async fn answer(
    request: hyper::Request<Incoming>,
    seen: Arc<Mutex<Vec<ReceivedRequest>>>,
    script: Arc<Script>,
) -> io::Result<hyper::Response<Full<Bytes>>> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().expect("plain text").to_owned());
    let line = format!("{} {}", request.method(), request.uri());
    let (bearer, correlation) = (header("authorization").unwrap_or_default(), header("x-correlation-id"));
    let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    let asked = ReceivedRequest { line, bearer, correlation, body: serde_json::from_slice(&body).unwrap_or(Value::Null) };
    record(&asked)?;
    let before = {
        let mut seen = seen.lock().expect("no panic");
        seen.push(asked.clone());
        seen.iter().filter(|seen| seen.line != "POST /oauth/token").count().saturating_sub(1)
    };
    let (status, headers, body) = match script(&asked, before) {
        ScriptedResponse::Answer(status, body) => (status, Vec::new(), body),
        ScriptedResponse::AnswerWithHeaders(status, headers, body) => (status, headers, body),
        ScriptedResponse::Disconnect => return Err(io::ErrorKind::ConnectionAborted.into()),
        ScriptedResponse::Truncated => (200, vec![(CONTENT_LENGTH.as_str(), "1000".to_owned())], json!({"cut": "short"})),
    };
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let mut answer = hyper::Response::builder().status(status);
    for (name, value) in headers {
        answer = answer.header(name, value);
    }
    Ok::<_, Infallible>(answer.body(Full::from(text)).expect("headers of a test")).map_err(|never| match never {})
}
