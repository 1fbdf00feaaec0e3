//! One judge: a process that is one tenant, and the questions it answers about itself.

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

/// The client that a judge knows in every tenant that is loaded.
pub(super) const CLIENT_ID: &str = "judge-client-id";
/// Its secret.
pub(super) const CLIENT_SECRET: &str = "judge-client-secret";
/// How long a judge may take to come up on a slow machine.
const COMES_UP: Duration = Duration::from_secs(600);
/// How long it may take to answer a question about itself.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(600);
/// How often another port is tried, where somebody else took the free one first.
const PORTS_TRIED: usize = 5;

/// One tenant in a process of its own, which ends with this value.
pub(super) struct Double {
    process: Child,
    url: String,
    client: Client,
    runtime: Runtime,
}

/// A request that a judge had, and what it was answered.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    /// The path and query behind `/api/v2`.
    pub(super) path: String,
    pub(super) status: u64,
    pub(super) body: Option<String>,
}

impl Request {
    /// Returns a request of the Management API; others, as for a token, are none.
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
    /// Starts a judge that holds every request against the description and the reports.
    pub(super) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// The same with more options; nothing where there is no judge or nothing to run it, and then the test is skipped.
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

    /// Trusts the authority that the judge makes when it starts first.
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

    /// Waits until this very process answers.
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

    /// Makes it the tenant of a state file.
    pub(super) fn load(&self, state: &Value) {
        let loaded = self.ask("load", &json!({ "state": state }));
        assert!(loaded.get("error").is_none(), "{loaded}");
        self.ask("faults", &json!({ "spec": "" }));
        self.requests();
    }

    /// Makes it the tenant again that it was when it answered this about its state.
    pub(super) fn restore(&self, state: &Value) {
        let config = &state["config"];
        let absent = state.get("absent").cloned().unwrap_or_else(|| json!({}));
        self.load(&json!({"tenant": config["tenant"], "domain": config["domain"], "data": state["data"], "absent": absent}));
    }

    /// Returns all that it holds: `{config, data, absent}`.
    pub(super) fn state(&self) -> Value {
        self.ask("state", &json!({}))
    }

    /// Returns its state, in which what there is once stands as the API answers it: also what was never set, and no request made it.
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

    /// Adds the factors of a second sign-in, which are written one by one and answered together.
    fn add_factors(&self, state: &mut Value, token: &str) {
        let asked = Request { method: "GET".to_owned(), path: "/guardian/factors".to_owned(), status: 0, body: None };
        let (_, factors) = self.replay(&asked, token);
        for factor in factors.as_array().into_iter().flatten() {
            let path = format!("/guardian/factors/{}", factor["name"].as_str().expect("a name"));
            state["data"][path] = json!({ "enabled": factor["enabled"] });
        }
    }

    /// Returns the paths of what it holds once; which screens were ever set is listed, and one that was not is none.
    pub(super) fn single(&self) -> BTreeSet<String> {
        let state = self.state();
        let held = state["data"].as_object().expect("the data of a state").iter();
        held.filter(|(path, value)| value.is_object() && !path.ends_with("/rendering")).map(|(path, _)| path.clone()).collect()
    }

    /// Returns the requests to the Management API since this was asked last.
    pub(super) fn requests(&self) -> Vec<Request> {
        let all = self.ask("requests", &json!({}));
        all.as_array().expect("a list").iter().filter_map(Request::from_json).collect()
    }

    /// Asks one of the control endpoints.
    pub(super) fn ask(&self, what: &str, body: &Value) -> Value {
        let answer = self.answer(Method::POST, &format!("/__judge/{what}"), Some(body.to_string()));
        answer.unwrap_or_else(|| panic!("the judge does not answer {what}")).1
    }

    /// Sends a request of the program once more, and returns the status and what is said.
    pub(super) fn replay(&self, request: &Request, token: &str) -> (u16, Value) {
        let method = Method::from_bytes(request.method.as_bytes()).expect("a method");
        let url = format!("{}/api/v2{}", self.url, request.path);
        let mut sent = self.client.request(method, url).header("authorization", format!("Bearer {token}"));
        if let Some(body) = &request.body {
            sent = sent.header("content-type", "application/json").body(body.clone());
        }
        self.sent(sent).expect("the judge answers")
    }

    /// Returns a token for all of the Management API.
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
        // Both fail only where it has ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the certificate of the authority that the judges of these tests have.
pub(super) fn authority(home: &Path) -> PathBuf {
    home.join("certs").join("ca.pem")
}

/// Returns a tenant that holds nothing but what every tenant has.
pub(super) fn empty(domain: &str) -> Value {
    let mut empty = State::empty(domain).to_json();
    empty["data"] = json!({});
    empty
}

/// Returns where the judge is with its packages; where that cannot be, the running test is skipped.
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

/// Copies the judge under a name made of its text, so that one that changed is installed anew.
fn install(given: &Path) -> Result<PathBuf, String> {
    let files = files_of(given);
    let targets = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let home = targets.join(format!("judge-{}", fingerprint(&files)));
    if home.exists() {
        return Ok(home);
    }
    // Installed aside and renamed whole: another process that does the same at this moment finds all of it or nothing.
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

/// Reads every file of the judge, by its name below the folder; packages and what a run leaves are none of it.
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
