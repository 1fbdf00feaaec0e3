//! The sandbox of a situation, and the requests it received.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use auth0_migrate::sandbox::{Options, RequestLog, Sandbox, State};
use serde::Deserialize;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::Unfit;
use crate::support::summary_notes;

/// The client that migrate signs in with.
pub(super) const OWN: (&str, &str) = ("situation-client", "situation-secret");

/// A request that a tenant received.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    body: Value,
    pub(super) status: u16,
}

impl Asked {
    pub(super) fn is_write(&self) -> bool {
        self.method != "GET"
    }

    /// Returns the sent body as on the wire.
    pub(super) fn sent(&self) -> String {
        if self.body.is_null() { String::new() } else { self.body.to_string() }
    }
}

/// A running tenant, and the file with its requests.
pub(super) struct TenantSandbox {
    runtime: Runtime,
    sandbox: Option<Sandbox>,
    record: PathBuf,
    /// The number of lines already read from the log.
    read: usize,
    live: Vec<String>,
}

impl TenantSandbox {
    pub(super) fn start(state: Value, live: &[String], record: &Path) -> Result<Self, Unfit> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let mut tenant = Self { runtime, sandbox: None, record: record.to_owned(), read: 0, live: live.to_vec() };
        tenant.load(state)?;
        Ok(tenant)
    }

    /// Loads another state; the tenant has a new address from then on.
    pub(super) fn load(&mut self, state: Value) -> Result<(), Unfit> {
        let mut state = State::from_json(state).map_err(|error| Unfit(error.to_string()))?;
        for rule in &self.live {
            state = match rule.as_str() {
                "late-client" => state.eventually_consistent(),
                other => return Err(Unfit(format!("a sandbox does not know \"{other}\""))),
            };
        }
        let record = RequestLog::open(&self.record).expect("a record");
        let options = Options::new(state).credentials(OWN.0, OWN.1).request_log(Arc::new(record));
        if let Some(old) = self.sandbox.take() {
            self.runtime.block_on(old.stop());
        }
        self.sandbox = Some(self.runtime.block_on(Sandbox::start(options)).expect("a sandbox"));
        Ok(())
    }

    fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().expect("it answers")
    }

    /// Returns its section of a configuration.
    pub(super) fn settings(&self, name: &str) -> String {
        let sandbox = self.sandbox();
        format!("[tenants.{name}]\ndomain = \"{}\"\nurl = \"{}\"\n", sandbox.state().domain(), sandbox.url())
    }

    /// Returns its state by path, with the clients of each connection where an older API returned them, and its theme
    /// where one is created.
    pub(super) fn held(&self) -> Value {
        let mut held = self.sandbox().state().to_json()["data"].take();
        let clients = |held: &Value, id: &str| -> Value {
            let list = held[format!("/connections/{id}/clients")].as_array().cloned().unwrap_or_default();
            list.into_iter().map(|mut one| one["client_id"].take()).collect()
        };
        for at in 0..held["/connections"].as_array().map_or(0, Vec::len) {
            let id = held["/connections"][at]["id"].as_str().unwrap_or_default().to_owned();
            held["/connections"][at]["enabled_clients"] = clients(&held, &id);
        }
        if let Some(theme) = held.get("/branding/themes/default").cloned() {
            held["/branding/themes"] = Value::Array(vec![theme]);
        }
        held
    }

    /// Returns the requests since the last call, and counts them among those of the tests.
    pub(super) fn asked(&mut self) -> Vec<Asked> {
        let text = std::fs::read_to_string(&self.record).unwrap_or_default();
        let new: Vec<&str> = text.lines().skip(self.read).collect();
        self.read += new.len();
        for line in &new {
            summary_notes::add("requests", line);
        }
        new.into_iter().map(|line| serde_json::from_str(line).expect("a line of a record is a request")).collect()
    }
}
