//! A tenant double: a process that acts as one tenant, and its control endpoints.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use auth0_migrate::sandbox::State;
use reqwest::{Certificate, Client, Method};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

use crate::support::auth0_reference;

/// The client that the double accepts in every loaded tenant.
pub(super) const CLIENT_ID: &str = "judge-client-id";
/// Its secret.
pub(super) const CLIENT_SECRET: &str = "judge-client-secret";
/// The maximum time for the double to start on a slow machine.
const COMES_UP: Duration = Duration::from_secs(600);
/// The maximum time for a control request.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(600);
/// How often another port is tried if a different process took the free one.
const PORTS_TRIED: usize = 5;

/// One tenant in a separate process, which is stopped when this is dropped.
pub(super) struct Double {
    process: Child,
    url: String,
    client: Client,
    runtime: Runtime,
}

/// A request that the double received, with its response.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    /// The path and query after `/api/v2`.
    pub(super) path: String,
    pub(super) status: u64,
    pub(super) body: Option<String>,
}

impl Request {
    /// Parses a request to the Management API; `None` for others, such as token requests.
    fn from_json(value: &Value) -> Option<Self> {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        let path = text("url")?.strip_prefix("/api/v2")?.to_owned();
        Some(Self { method: text("method")?, path, status: value["status"].as_u64()?, body: text("body") })
    }

    pub(super) fn is_write(&self) -> bool {
        self.method != "GET"
    }
}

impl Double {
    /// Starts a double that validates every request against the description and the reports.
    pub(super) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Like `start`, with additional options; `None` if the double cannot be run, and the test is then skipped.
    pub(super) fn start_with(options: &[&str]) -> Option<Self> {
        let home = installed()?;
        let description = auth0_reference::path("management-api-oas.json.gz")?.canonicalize().expect("a path");
        (0..PORTS_TRIED).find_map(|_| Self::on_a_free_port(home, &description, options)).or_else(|| panic!("no judge came up"))
    }

    fn on_a_free_port(home: &Path, description: &Path, options: &[&str]) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let mut command = Command::new("node");
        command.args(["judge.mjs", "--port", &port.to_string(), "--validate", "--live", "--record", "--quiet", "--until-eof"]);
        command.args(options).current_dir(home).env("JUDGE_OAS", description);
        let process = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("node starts");
        let by_tls = options.contains(&"--tls") || options.contains(&"--http2");
        let url = if by_tls { format!("https://localhost:{port}") } else { format!("http://127.0.0.1:{port}") };
        let runtime = Runtime::new().expect("a runtime");
        let client = Client::builder().no_proxy().tls_certs_only([]);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut double = Self { process, url, client: client.build().expect("a client"), runtime };
        let came_up = if by_tls { double.trusts(&authority(home)) } else { true };
        (came_up && double.is_up()).then_some(double)
    }

    /// Trusts the certificate authority that the double creates at its first start.
    fn trusts(&mut self, authority: &Path) -> bool {
        let until = Instant::now() + COMES_UP;
        while Instant::now() < until && self.process.try_wait().expect("a process").is_none() {
            if let Some(certificate) = fs::read(authority).ok().and_then(|pem| Certificate::from_pem(&pem).ok()) {
                self.client = Client::builder().no_proxy().tls_certs_only([certificate]).build().expect("a client");
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Waits until this process responds.
    fn is_up(&mut self) -> bool {
        let until = Instant::now() + COMES_UP;
        while Instant::now() < until && self.process.try_wait().expect("a process").is_none() {
            if self.answer(Method::POST, "/__judge/health", None).is_some_and(|(_, health)| health["pid"] == self.process.id()) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Loads the tenant of a state file.
    pub(super) fn load(&self, state: &Value) {
        let loaded = self.ask("load", &json!({ "state": state }));
        assert!(loaded.get("error").is_none(), "{loaded}");
        self.ask("faults", &json!({ "spec": "" }));
        self.requests();
    }

    /// Restores a state that the double returned earlier.
    pub(super) fn restore(&self, state: &Value) {
        let config = &state["config"];
        let absent = state.get("absent").cloned().unwrap_or_else(|| json!({}));
        self.load(&json!({"tenant": config["tenant"], "domain": config["domain"], "data": state["data"], "absent": absent}));
    }

    /// Returns its state: `{config, data, absent}`.
    pub(super) fn state(&self) -> Value {
        self.ask("state", &json!({}))
    }

    /// Returns its state with singletons as the API returns them, including those that were never set.
    pub(super) fn answered(&self, paths: &BTreeSet<String>) -> Value {
        let token = self.token();
        let mut state = self.state();
        for path in paths {
            let asked = Request { method: "GET".to_owned(), path: path.clone(), status: 0, body: None };
            if let (200, answer) = self.replay(&asked, &token) {
                state["data"][path] = answer;
            }
        }
        self.add_factors(&mut state, &token);
        self.requests();
        state
    }

    /// Adds the MFA factors, which are written one by one and returned together.
    fn add_factors(&self, state: &mut Value, token: &str) {
        let asked = Request { method: "GET".to_owned(), path: "/guardian/factors".to_owned(), status: 0, body: None };
        let (_, factors) = self.replay(&asked, token);
        for factor in factors.as_array().into_iter().flatten() {
            let path = format!("/guardian/factors/{}", factor["name"].as_str().expect("a name"));
            state["data"][path] = json!({ "enabled": factor["enabled"] });
        }
    }

    /// Returns the paths of its singletons; a screen that is not in the list of configured ones is not included.
    pub(super) fn single(&self) -> BTreeSet<String> {
        let state = self.state();
        let held = state["data"].as_object().expect("the data of a state").iter();
        held.filter(|(path, value)| value.is_object() && !path.ends_with("/rendering")).map(|(path, _)| path.clone()).collect()
    }

    /// Returns the requests to the Management API since the last call.
    pub(super) fn requests(&self) -> Vec<Request> {
        let all = self.ask("requests", &json!({}));
        all.as_array().expect("a list").iter().filter_map(Request::from_json).collect()
    }

    /// Calls a control endpoint.
    pub(super) fn ask(&self, what: &str, body: &Value) -> Value {
        let answer = self.answer(Method::POST, &format!("/__judge/{what}"), Some(body.to_string()));
        answer.unwrap_or_else(|| panic!("the judge does not answer {what}")).1
    }

    /// Repeats a request of the program, and returns the status and the response.
    pub(super) fn replay(&self, request: &Request, token: &str) -> (u16, Value) {
        let method = Method::from_bytes(request.method.as_bytes()).expect("a method");
        let url = format!("{}/api/v2{}", self.url, request.path);
        let mut sent = self.client.request(method, url).header("authorization", format!("Bearer {token}"));
        if let Some(body) = &request.body {
            sent = sent.header("content-type", "application/json").body(body.clone());
        }
        self.sent(sent).expect("the judge answers")
    }

    /// Returns a token for the whole Management API.
    pub(super) fn token(&self) -> String {
        let domain = self.ask("health", &json!({}))["domain"].as_str().expect("a domain").to_owned();
        let audience = format!("https://{domain}/api/v2/");
        let body =
            json!({"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "audience": audience});
        let (_, answer) = self.answer(Method::POST, "/oauth/token", Some(body.to_string())).expect("the judge answers");
        answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }

    fn answer(&self, method: Method, path: &str, body: Option<String>) -> Option<(u16, Value)> {
        let request = self.client.request(method, format!("{}{path}", self.url)).header("content-type", "application/json");
        self.sent(request.body(body.unwrap_or_default()))
    }

    fn sent(&self, request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
        self.runtime.block_on(async {
            let response = request.timeout(ANSWER_TIMEOUT).send().await.ok()?;
            let status = response.status().as_u16();
            let text = response.bytes().await.ok()?;
            Some((status, serde_json::from_slice(&text).unwrap_or(Value::Null)))
        })
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        // Both fail only if it has already ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the certificate of the authority that the doubles of these tests use.
pub(super) fn authority(home: &Path) -> PathBuf {
    home.join("certs").join("ca.pem")
}

/// Returns a tenant with only what every tenant has.
pub(super) fn empty(domain: &str) -> Value {
    let mut empty = State::empty(domain).to_json();
    empty["data"] = json!({});
    empty
}

/// Returns the installed double; if it cannot be installed, the running test is skipped.
pub(crate) fn installed() -> Option<&'static Path> {
    static INSTALLED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let given = auth0_reference::beside("judge")?;
    match INSTALLED.get_or_init(|| install(&given)) {
        Ok(home) => Some(home),
        Err(reason) => {
            crate::support::skip::skip(reason);
            None
        }
    }
}

/// Copies the double to a folder named after its content, so that a changed one is installed anew.
fn install(given: &Path) -> Result<PathBuf, String> {
    let files = files_of(given);
    let targets = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let home = targets.join(format!("judge-{}", fingerprint(&files)));
    if home.exists() {
        return Ok(home);
    }
    // Installed in a temporary folder and then renamed: another process that does the same sees all of it or nothing.
    let aside = tempfile::tempdir_in(targets).expect("a folder");
    for (name, text) in &files {
        let path = aside.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    let npm = Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]).current_dir(&aside).output();
    let ended = npm.map_err(|error| format!("npm does not run: {error}"))?;
    if !ended.status.success() {
        return Err(format!("the packages of the judge cannot be installed: {}", String::from_utf8_lossy(&ended.stderr)));
    }
    Command::new("node").arg("--version").output().map_err(|error| format!("node does not run: {error}"))?;
    match fs::rename(aside.path(), &home) {
        Err(error) if !home.exists() => Err(format!("the judge cannot be put in place: {error}")),
        _ => Ok(home),
    }
}

/// Reads every file of the double by its relative path, without packages and output of runs.
fn files_of(given: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut folders, mut files) = (vec![given.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if !path.is_dir() {
                let text = fs::read(&path).expect("readable");
                files.push((path.strip_prefix(given).expect("below it").to_owned(), text));
            } else if !["node_modules", "certs", "run"].contains(&name.as_str()) {
                folders.push(path);
            }
        }
    }
    files.sort();
    files
}

fn fingerprint(files: &[(PathBuf, Vec<u8>)]) -> String {
    let mut hash = Sha256::new();
    for (name, text) in files {
        hash.update(name.as_os_str().as_encoded_bytes());
        hash.update(text);
    }
    hash.finalize().iter().take(8).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}
