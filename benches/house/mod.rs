//! Runs the built binary between two tenants in separate processes and measures each command.
//!
//! Costs come from the kernel (`wait4`) after a process has ended: this needs no sampling, so a short peak is not
//! missed, and works on Linux and macOS alike.

use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use wait4::Wait4;

use crate::company;

const MIGRATE: &str = env!("CARGO_BIN_EXE_migrate");

/// The domains of source and target.
const DOMAINS: [&str; 2] = ["acme-dev.eu.auth0.com", "acme-prod.eu.auth0.com"];

/// Two tenants, the first with a company in it and the second empty, and a working folder.
pub(crate) struct House {
    folder: tempfile::TempDir,
    dev: Sandbox,
    prod: Sandbox,
}

/// A tenant in a separate process, which is stopped when this is dropped.
struct Sandbox {
    process: Child,
    url: String,
}

/// The requests that a tenant has received.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct RequestStats {
    pub(crate) reads: usize,
    pub(crate) writes: usize,
    pub(crate) refused: usize,
}

/// The cost of a command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
    /// In bytes.
    pub(crate) peak: u64,
    /// The requests to both tenants.
    pub(crate) asked: RequestStats,
}

impl House {
    /// Starts both tenants, with a grant for every two clients; `target` are additional arguments for the second one.
    pub(crate) fn new(clients: usize, target: &[&str]) -> Self {
        Self::with_grants((clients, clients / 2), target)
    }

    /// Starts both tenants with this many clients and grants in the first.
    pub(crate) fn with_grants(size: (usize, usize), target: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("dev.json");
        company::write(&state, size).expect("a state file");
        let dev = Sandbox::start(&["--state", &state.to_string_lossy()]);
        let prod = Sandbox::start(&[&["--domain", DOMAINS[1]], target].concat());
        configure(folder.path(), &dev.url, &prod.url);
        Self { folder, dev, prod }
    }

    /// Runs a command, which must succeed, and returns its cost.
    pub(crate) fn run(&self, line: &str) -> Cost {
        let (before, began) = (self.asked(), Instant::now());
        let ended = command(self.folder.path(), line).spawn().expect("the binary").wait4().expect("it ended");
        let wall = began.elapsed();
        assert!(ended.status.success(), "`migrate {line}` ended with {}", ended.status);
        Cost { wall, cpu: ended.rusage.utime + ended.rusage.stime, peak: ended.rusage.maxrss, asked: self.asked() - before }
    }

    /// Returns the requests that the target has received.
    pub(crate) fn asked_of_target(&self) -> RequestStats {
        self.prod.asked()
    }

    fn asked(&self) -> RequestStats {
        self.dev.asked() + self.prod.asked()
    }
}

/// Writes a configuration with the domains and addresses of both tenants.
pub(crate) fn configure(folder: &Path, dev: &str, prod: &str) {
    let tenant = |name: &str, domain: &str, url: &str| format!("[tenants.{name}]\ndomain = \"{domain}\"\nurl = \"{url}\"\n");
    let configuration =
        tenant("dev", DOMAINS[0], dev) + &tenant("prod", DOMAINS[1], prod) + "plan.approve = [\"lockout-risk\", \"weaker-protection\"]\n";
    std::fs::write(folder.join("migrate.toml"), configuration).expect("a configuration");
}

/// Returns a command that prints only errors.
pub(crate) fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(MIGRATE);
    command
        .args(line.split(' '))
        .arg("--quiet")
        .current_dir(folder)
        .env_clear()
        .env("XDG_STATE_HOME", folder.join(".state"))
        .stdout(Stdio::null());
    for tenant in ["DEV", "PROD"] {
        command.env(format!("MIGRATE_{tenant}_CLIENT_ID"), "id").env(format!("MIGRATE_{tenant}_CLIENT_SECRET"), "secret");
    }
    command
}

impl Sandbox {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(MIGRATE);
        command.args(["sandbox", "--port", "0", "--credentials", "id:secret", "--output", "json", "--quiet"]).args(arguments);
        let mut process = command.env_clear().stdout(Stdio::piped()).spawn().expect("the binary");
        let stdout = process.stdout.take().expect("it is piped");
        // The process continues after this output, so the stream has no end to wait for.
        let answer: Value = serde_json::Deserializer::from_reader(stdout).into_iter().next().expect("an answer").expect("JSON");
        Self { process, url: answer["url"].as_str().expect("where it answers").to_owned() }
    }

    fn asked(&self) -> RequestStats {
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("the sandbox answers");
        write!(stream, "GET /seen HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").expect("it listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).expect("a body")).expect("what it was asked")
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may already have ended by itself.
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

impl std::ops::Add for RequestStats {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { reads: self.reads + other.reads, writes: self.writes + other.writes, refused: self.refused + other.refused }
    }
}

impl std::ops::Sub for RequestStats {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { reads: self.reads - other.reads, writes: self.writes - other.writes, refused: self.refused - other.refused }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wall, cpu, mebibytes) = (self.wall.as_secs_f64(), self.cpu.as_secs_f64(), self.peak.div_ceil(1 << 20));
        let RequestStats { reads, writes, .. } = self.asked;
        write!(out, "{wall:>7.2} s wall  {cpu:>6.2} s cpu  {mebibytes:>4} MiB peak  {reads:>5} reads  {writes:>6} writes")
    }
}
