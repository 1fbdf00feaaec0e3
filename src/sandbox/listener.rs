//! A running sandbox: it listens on loopback and says what it was asked.

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
use super::http::request_stats::{RequestStats, SeenRequest};
use super::options::Options;
use super::server::TenantServer;
use super::store::state::State;

/// A tenant that answers on loopback until it is stopped or dropped.
///
/// It runs as tasks of the caller's runtime and takes its time from there, so that paused time holds for it too.
pub struct Sandbox {
    tenant: Arc<TenantServer>,
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Sandbox {
    /// Starts answering.
    ///
    /// # Errors
    ///
    /// When the port cannot be had.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let tenant = Arc::new(TenantServer::new(options));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&tenant)));
        Ok(Self { tenant, address, accepting })
    }

    /// Returns where it answers: `http://127.0.0.1:4010`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the port it answers on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns what the tenant holds now.
    #[must_use]
    pub fn state(&self) -> State {
        self.tenant.locked().state.clone()
    }

    /// Writes what the tenant holds now as a state file; returns it.
    ///
    /// # Errors
    ///
    /// When the file cannot be to_http.
    pub fn save_to(&self, path: &Path) -> io::Result<Value> {
        let state = self.state().to_json();
        std::fs::write(path, format!("{state:#}\n"))?;
        Ok(state)
    }

    /// Returns every request to the Management API so far, in the order of their numbers.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.tenant.locked().seen.clone()
    }

    /// Waits until the Management API was asked that often; the last of these requests may not be answered yet.
    pub async fn wait_for_requests(&self, times: usize) {
        self.tenant.wait_for_requests(times).await;
    }

    /// Returns what it was asked so far, in numbers; `GET /seen` answers the same.
    #[must_use]
    pub fn stats(&self) -> RequestStats {
        self.tenant.stats()
    }

    /// Returns each fault as it was to_http, and how often it struck so far; `GET /seen` answers the same.
    #[must_use]
    pub fn fault_counts(&self) -> Vec<(String, usize)> {
        self.tenant.fault_counts()
    }

    /// Returns a token of these scopes; of every scope where none is named.
    #[must_use]
    pub fn token(&self, scopes: &[&str]) -> String {
        let scopes = match scopes {
            [] => Scopes::All,
            named => Scopes::Named(named.iter().map(|scope| (*scope).to_owned()).collect()),
        };
        let locked = &mut *self.tenant.locked();
        let issued = locked.tokens.issue(&locked.state, "sandbox", scopes);
        issued["access_token"].as_str().unwrap_or_default().to_owned()
    }

    /// Stops answering: the port is free and every connection closed when this returns.
    pub async fn stop(mut self) {
        self.accepting.abort();
        // Aborted is how it ends.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Takes connections; they end with it.
async fn accept(listener: TcpListener, tenant: Arc<TenantServer>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        // A small answer leaves at once; where it cannot, it leaves later.
        let _ = stream.set_nodelay(true);
        let tenant = Arc::clone(&tenant);
        connections.spawn(async move {
            let service = service_fn(move |request| Arc::clone(&tenant).serve(request));
            // A connection that broke is the caller's to notice.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}
