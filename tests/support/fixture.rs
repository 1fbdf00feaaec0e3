//! The fixture of most tests: two sandbox tenants, a working folder, and the real binary.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use auth0_migrate::sandbox::{Fault, Options, Sandbox, SeenRequest, State, seed};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) use crate::support::command_output::CommandOutput;
use crate::support::command_output::{without_costs, without_made_ids, without_minutes, without_times};
use crate::support::program::{NO_PAGER, STATE_HOME, Terminal, keyboard};
use crate::support::request_recording::{recorded, recording};
use crate::support::schemas;

const CONFIGURATION: &str = "[tenants.dev]\ndomain = \"acme-dev.eu.auth0.com\"\nurl = \"DEV\"\n\n[tenants.prod]\ndomain = \"acme-prod.eu.auth0.com\"\nurl = \"PROD\"\nsource = \"dev\"\n";

/// The client that migrate signs in with; its secrets must never appear.
const OWN: &str = "tool";

/// Two tenants, and a folder with a configuration of both.
pub(crate) struct Fixture {
    folder: TempDir,
    runtime: Runtime,
    dev: Sandbox,
    prod: Option<Sandbox>,
    /// The address of prod, even after it was stopped.
    prod_url: String,
    variables: Vec<(String, String)>,
}

impl Fixture {
    /// Creates a small dev tenant that is ahead of its prod: one client is new, one changed.
    pub(crate) fn small() -> Self {
        Self::new(dev(), prod(), "")
    }

    /// Creates the example company's two tenants with their mapping, and with faults of requests to prod.
    pub(crate) fn acme(faults: &str) -> Self {
        let state = |text| serde_json::from_str(text).expect("JSON");
        Self::acme_of(state(seed::ACME_DEV), state(seed::ACME_PROD), faults)
    }

    /// Like [`Self::acme`], with these tenants.
    pub(crate) fn acme_of(dev: Value, prod: Value, faults: &str) -> Self {
        let mut fixture = Self::new(dev, prod, faults);
        let mappings = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
        for name in ["dev-to-prod.toml", "hosts.csv"] {
            fixture.write(&format!("mappings/{name}"), &std::fs::read_to_string(mappings.join(name)).expect("a mapping"));
        }
        fixture.configure("mapping = \"mappings/dev-to-prod.toml\"\n");
        fixture.set("PROD_GOOGLE_SECRET", "CANARY-of-google");
        fixture
    }

    /// Creates a fixture with these two tenants, and with faults of requests to prod.
    pub(crate) fn new(dev: Value, prod: Value, faults: &str) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let start = |state: Value, secret: &str, faults: &str| {
            let options = Options::new(State::from_json(state).expect("a state")).credentials(OWN, secret);
            runtime.block_on(Sandbox::start(recorded(options.faults(Fault::list(faults).expect("faults"))))).expect("a sandbox")
        };
        let (dev, prod) = (start(dev, "CANARY-dev", ""), start(prod, "CANARY-prod", faults));
        let folder = tempfile::tempdir().expect("a folder");
        let prod_url = prod.url();
        let mut fixture = Self { folder, runtime, dev, prod: Some(prod), prod_url, variables: Vec::new() };
        for (name, secret) in [("DEV", "CANARY-dev"), ("PROD", "CANARY-prod")] {
            fixture.set(&format!("MIGRATE_{name}_CLIENT_ID"), OWN);
            fixture.set(&format!("MIGRATE_{name}_CLIENT_SECRET"), secret);
        }
        fixture.configure("");
        fixture
    }

    /// Writes `migrate.toml`; `more` are additional settings of prod.
    pub(crate) fn configure(&self, more: &str) {
        let text = CONFIGURATION.replace("DEV", &self.dev.url()).replace("PROD", &self.prod_url);
        self.write("migrate.toml", &format!("{text}{more}"));
    }

    /// Sets an environment variable; an empty value removes it.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(set, _)| set != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Returns the value of an environment variable.
    pub(crate) fn variable(&self, name: &str) -> String {
        self.variables.iter().find(|(set, _)| set == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// Signs in to prod with a token that has only these scopes.
    pub(crate) fn sign_in_to_prod_with(&mut self, scopes: &[&str]) {
        let token = self.prod_sandbox().token(scopes);
        self.sign_in_with("PROD", &token);
    }

    /// Signs in to dev with a token that has only these scopes.
    pub(crate) fn sign_in_to_dev_with(&mut self, scopes: &[&str]) {
        let token = self.dev.token(scopes);
        self.sign_in_with("DEV", &token);
    }

    fn sign_in_with(&mut self, tenant: &str, token: &str) {
        self.set(&format!("MIGRATE_{tenant}_CLIENT_ID"), "");
        self.set(&format!("MIGRATE_{tenant}_CLIENT_SECRET"), "");
        self.set(&format!("MIGRATE_{tenant}_ACCESS_TOKEN"), token);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Edits a file as a person would.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{text}");
        self.write(name, &text.replacen(from, to, 1));
    }

    /// Returns the only entry in a folder of the fixture, relative to the fixture.
    pub(crate) fn only_in(&self, name: &str) -> String {
        let names = self.in_folder(name);
        assert_eq!(names.len(), 1, "{names:?}");
        format!("{name}/{}", names[0])
    }

    /// Returns the names in a folder of the fixture, without hidden ones; empty if it does not exist.
    pub(crate) fn in_folder(&self, name: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(name)).into_iter().flatten();
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        names.filter(|name| !name.starts_with('.')).collect()
    }

    /// Returns every file of the fixture.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found
    }

    /// Runs a command line, with words separated by single spaces.
    pub(crate) fn run(&self, line: &str) -> CommandOutput {
        self.run_words(&line.split(' ').collect::<Vec<_>>())
    }

    /// Runs a command line with these words.
    pub(crate) fn run_words(&self, words: &[&str]) -> CommandOutput {
        let ended = self.ended(Command::new(env!("CARGO_BIN_EXE_migrate")).args(words));
        schemas::check(words, &ended, self.folder.path());
        ended
    }

    /// Runs a shell script in which `$MIGRATE` is the binary.
    pub(crate) fn run_in_shell(&self, script: &str) -> CommandOutput {
        self.ended(Command::new("sh").args(["-c", script]).env("MIGRATE", env!("CARGO_BIN_EXE_migrate")))
    }

    /// Runs a command line without a terminal, as a job does.
    pub(crate) fn run_unattended(&self, line: &str) -> CommandOutput {
        let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
        self.said(&self.with_environment(command.args(line.split(' '))).stdin(Stdio::null()).output().expect("it ran"))
    }

    /// Starts a command line without waiting; its output can be read while it runs.
    pub(crate) fn start(&self, line: &str) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
        command.args(line.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.with_environment(&mut command).spawn().expect("it started")
    }

    /// Starts a command line in the foreground of a terminal: it receives typed input, and Ctrl-C interrupts it.
    pub(crate) fn start_at(&self, terminal: &Terminal, line: &str) -> Child {
        let mut command = Command::new("setsid");
        command.args(["--ctty", env!("CARGO_BIN_EXE_migrate")]).args(line.split(' ')).env("TERM", "xterm");
        self.with_environment(&mut command).stdin(terminal.end()).stdout(terminal.end()).stderr(terminal.end());
        command.spawn().expect("setsid, of util-linux")
    }

    /// Waits for a started command; output that was already read is not included.
    pub(crate) fn end(&self, started: Child) -> CommandOutput {
        self.said(&started.wait_with_output().expect("it ran"))
    }

    fn ended(&self, command: &mut Command) -> CommandOutput {
        self.said(&self.with_environment(command).output().expect("it ran"))
    }

    /// Sets the folder, the variables of the fixture and a terminal as input for a command.
    pub(crate) fn with_environment<'command>(&self, command: &'command mut Command) -> &'command mut Command {
        let kept = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect::<Vec<_>>();
        let variables = self.variables.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, value));
        let path = std::env::var_os("PATH").map(|path| ("PATH", path));
        recording(command.env_clear())
            .env("XDG_STATE_HOME", self.state_home())
            .env("PAGER", NO_PAGER)
            .envs(path)
            .envs(kept)
            .envs(variables)
            .current_dir(self.folder.path())
            .stdin(keyboard())
    }

    /// Returns the state folder of the user.
    pub(crate) fn state_home(&self) -> PathBuf {
        self.path(STATE_HOME)
    }

    fn said(&self, ended: &Output) -> CommandOutput {
        let text = |bytes: &[u8]| self.without_places(&String::from_utf8_lossy(bytes));
        CommandOutput { code: ended.status.code().expect("an exit code"), out: text(&ended.stdout), err: text(&ended.stderr) }
    }

    /// Replaces everything that differs between runs: folder, ports, times.
    pub(crate) fn without_places(&self, text: &str) -> String {
        let port = |url: &str| url.rsplit(':').next().expect("a port").to_owned();
        let folder = self.folder.path().display().to_string();
        let text = text.replace(&folder, "DIR").replace(&port(&self.dev.url()), "PORT").replace(&port(&self.prod_url), "PORT");
        without_made_ids(&without_costs(&without_minutes(&without_times(&text))))
    }

    /// Restarts prod with this public key instead of a secret.
    pub(crate) fn prod_knows_the_key(&mut self, pem: &str) {
        let held = self.stop_prod();
        self.start_prod(&Options::new(held).public_key(OWN, pem));
    }

    fn prod_sandbox(&self) -> &Sandbox {
        self.prod.as_ref().expect("prod is there")
    }

    /// Returns the sandbox of a tenant, and what runs requests to it.
    pub(super) fn sandbox(&self, tenant: &str) -> (&Sandbox, &Runtime) {
        (if tenant == "dev" { &self.dev } else { self.prod_sandbox() }, &self.runtime)
    }

    /// Returns every request to the Management API of prod.
    pub(crate) fn requests(&self) -> Vec<SeenRequest> {
        self.prod.iter().flat_map(Sandbox::requests).collect()
    }

    /// Returns every request to the Management API of dev.
    pub(crate) fn requests_of_dev(&self) -> Vec<SeenRequest> {
        self.dev.requests()
    }

    /// Returns whether a system call connects to one of the tenants.
    pub(crate) fn is_of_a_tenant(&self, call: &str) -> bool {
        let ports = [self.dev.url(), self.prod_url.clone()].map(|url| url.rsplit(':').next().expect("a port").to_owned());
        call.contains("inet_addr(\"127.0.0.1\")") && ports.iter().any(|port| call.contains(&format!("htons({port})")))
    }

    /// Returns the writes to either tenant.
    pub(crate) fn writes(&self) -> Vec<SeenRequest> {
        self.dev.requests().into_iter().chain(self.requests()).filter(|seen| seen.is_write).collect()
    }

    /// Returns the state of prod, by path.
    pub(crate) fn all_of_prod(&self) -> Value {
        self.prod_sandbox().state().to_json()["data"].clone()
    }

    /// Changes the state of prod as in the dashboard.
    pub(crate) fn change_prod(&mut self, change: impl FnOnce(&mut Value)) {
        let mut held = self.stop_prod().to_json();
        change(&mut held["data"]);
        self.restart_prod(State::from_json(held).expect("a state"));
    }

    /// Returns the state of prod at a path.
    pub(crate) fn prod(&self, path: &str) -> Value {
        self.prod_sandbox().state().to_json()["data"][path].clone()
    }

    /// Stops prod and closes its port. Returns its state.
    pub(crate) fn stop_prod(&mut self) -> State {
        let prod = self.prod.take().expect("prod is there");
        let held = prod.state();
        self.runtime.block_on(prod.stop());
        held
    }

    /// Restarts prod at the same address with this state and without faults.
    pub(crate) fn restart_prod(&mut self, held: State) {
        self.start_prod(&Options::new(held).credentials(OWN, "CANARY-prod"));
    }

    /// Restarts prod at the same address with this state and these faults.
    pub(crate) fn restart_prod_with(&mut self, held: State, faults: &str) {
        let faults = Fault::list(faults).expect("faults");
        self.start_prod(&Options::new(held).credentials(OWN, "CANARY-prod").faults(faults));
    }

    /// Restarts prod at the same address with its state and these options.
    pub(crate) fn restart_prod_by(&mut self, options: impl FnOnce(Options) -> Options) {
        let held = self.stop_prod();
        self.start_prod(&options(Options::new(held)));
    }

    /// Gives prod the latency of a distant tenant, so that a signal hits requests in flight.
    pub(crate) fn slow_down_prod(&mut self) {
        let held = self.stop_prod();
        self.start_prod(&Options::new(held).credentials(OWN, "CANARY-prod").latency(Duration::from_millis(20)));
    }

    /// Waits until a started command has begun to write to prod.
    pub(crate) fn until_prod_is_written_to(&self, by: &mut Child) {
        while !self.requests().iter().any(|seen| seen.is_write) {
            assert!(by.try_wait().expect("a process").is_none(), "it ended without a write");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Sends SIGTERM to a started command.
    pub(crate) fn terminate(started: &Child) {
        let sent = Command::new("kill").args(["-TERM", &started.id().to_string()]).status().expect("it ran");
        assert!(sent.success());
    }

    /// Returns the addresses of dev and prod.
    pub(crate) fn urls(&self) -> [String; 2] {
        [self.dev.url(), self.prod_url.clone()]
    }

    /// Returns the port of prod.
    pub(crate) fn port_of_prod(&self) -> u16 {
        self.prod_url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
    }

    /// Starts prod on its port; a connection opened by another process may hold that port for a moment.
    fn start_prod(&mut self, options: &Options) {
        let port = self.port_of_prod();
        let start = || self.runtime.block_on(Sandbox::start(recorded(options.clone().port(port))));
        let retried = (0..1_000).find_map(|_| start().map_err(|_| std::thread::sleep(Duration::from_millis(50))).ok());
        self.prod = Some(retried.expect("the port is free again"));
    }
}

/// A tenant that is ahead.
pub(crate) fn dev() -> Value {
    json!({
        "tenant": "acme-dev", "domain": "acme-dev.eu.auth0.com",
        "data": {
            "/clients": [
                client("devShop000000000000000000000000a", "Shop", "https://shop.acme.example/back"),
                client("devTill000000000000000000000000a", "Till", "https://till.acme.example/back"),
            ],
            "/rules": [rule("rul_devGreeting00001")],
        },
    })
}

/// A tenant that is behind.
pub(crate) fn prod() -> Value {
    json!({
        "tenant": "acme-prod", "domain": "acme-prod.eu.auth0.com",
        "data": {
            "/clients": [client("prodShop00000000000000000000000a", "Shop", "https://shop.acme.example/old")],
            "/rules": [rule("rul_prodGreeting0001")],
        },
    })
}

/// A client with a secret that must never appear.
pub(crate) fn client(id: &str, name: &str, callback: &str) -> Value {
    let secret = format!("CANARY-{id}");
    json!({"client_id": id, "name": name, "client_secret": secret, "app_type": "regular_web", "callbacks": [callback], "is_first_party": true})
}

fn rule(id: &str) -> Value {
    let script = "function (user, context, callback) { callback(null, user, context); }";
    json!({"id": id, "name": "Greeting", "enabled": true, "order": 1, "stage": "login_success", "script": script})
}
