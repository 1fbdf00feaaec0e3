//! A running sandbox: listens on loopback and records the requests that it receives.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::api::token::Scopes;
use super::http::caller::Caller;
use super::http::request_stats::{RequestStats, SeenRequest};
use super::options::Options;
use super::server::TenantServer;
use super::store::state::State;
use super::store::tenant_log::LogLimits;
use crate::files;

/// A tenant served on loopback until it is stopped or dropped.
///
/// It runs as tasks of the caller's runtime and uses its clock, so that paused time applies to it too.
pub struct Sandbox {
    tenant: Arc<TenantServer>,
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Sandbox {
    /// Starts listening.
    ///
    /// # Errors
    ///
    /// If the port cannot be bound.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let tenant = Arc::new(TenantServer::new(options));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&tenant)));
        Ok(Self { tenant, address, accepting })
    }

    /// Returns the base URL: `http://127.0.0.1:4010`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the current state of the tenant.
    #[must_use]
    pub fn state(&self) -> State {
        self.tenant.lock().state.clone()
    }

    /// Writes the current state of the tenant to a state file and returns it.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save_to(&self, path: &Path) -> Result<Value, files::Error> {
        let state = self.state().to_json();
        // Its clients have secrets, which only its owner may read.
        files::write_whole(path, format!("{state:#}\n").as_bytes())?;
        Ok(state)
    }

    /// Returns every request to the Management API so far, in the order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.tenant.lock().seen.clone()
    }

    /// Waits until the Management API has received this many requests; the last of them may still be in flight.
    pub async fn wait_for_requests(&self, times: usize) {
        self.tenant.wait_for_requests(times).await;
    }

    /// Returns statistics of the requests so far, as `GET /seen` does.
    #[must_use]
    pub fn stats(&self) -> RequestStats {
        self.tenant.stats()
    }

    /// Returns each fault as it was given and how often it has taken effect, as `GET /seen` does.
    #[must_use]
    pub fn fault_counts(&self) -> Vec<(String, usize)> {
        self.tenant.fault_counts()
    }

    /// Issues a token with these scopes, or with every scope if none is named.
    #[must_use]
    pub fn token(&self, scopes: &[&str]) -> String {
        self.token_of(Caller::client("sandbox"), scopes)
    }

    /// Issues a token of this caller, whom the log names for what is written with it.
    #[must_use]
    pub fn token_of(&self, caller: Caller, scopes: &[&str]) -> String {
        let scopes = match scopes {
            [] => Scopes::All,
            named => Scopes::Named(named.iter().map(|scope| (*scope).to_owned()).collect()),
        };
        let server = &mut *self.tenant.lock();
        let issued = server.tokens.issue(&server.state, caller, scopes);
        issued["access_token"].as_str().unwrap_or_default().to_owned()
    }

    /// Sets how late entries of the tenant's log can be read, and for how long.
    pub fn limit_log(&self, limits: LogLimits) {
        self.tenant.lock().log.set_limits(limits);
    }

    /// Drops the tenant's log so far, as if its retention had passed.
    pub fn forget_log(&self) {
        self.tenant.lock().log.forget();
    }

    /// Stops the sandbox; when this returns, the port is free and every connection is closed.
    pub async fn stop(mut self) {
        self.accepting.abort();
        // The task always ends as aborted.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Accepts connections, which are closed when this task ends.
async fn accept(listener: TcpListener, tenant: Arc<TenantServer>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        // Sends small responses without delay; if the option cannot be set, they are only slower.
        let _ = stream.set_nodelay(true);
        let tenant = Arc::clone(&tenant);
        connections.spawn(async move {
            let service = service_fn(move |request| Arc::clone(&tenant).serve(request));
            // The caller notices a broken connection.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}
