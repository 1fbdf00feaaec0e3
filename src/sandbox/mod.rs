//! A tenant on loopback, that behaves as recordings say the real server does.
//!
//! Routes, paging, keys, closed bodies and scopes are derived from the catalog, so that a new kind is served without a line here. The
//! sandbox judges the rest of the house, so it shares nothing with it but the catalog and JSON paths: it must not import what it tests.
//!
//! ```text
//! state.rs        what the tenant holds: read from a state file, written back; table.rs one kind of it
//! replica.rs      a tenant made of what another one answered
//! new_tenant.rs   what Auth0 makes itself
//! server.rs       HTTP; request.rs and response.rs what goes over it, record.rs what was asked, as a file
//! token.rs        /oauth/token
//! route.rs        which kind a path belongs to
//! lists.rs        pages and filters
//! writes.rs       what a request does to the state; children.rs lists under a parent
//! schema/         what a request may hold by Auth0's OpenAPI description; validate.rs closed bodies
//! live.rs         what the live API does beyond its description, as people report it
//! behaviour.rs    what the server does with one kind beyond the catalog: clients.rs, connections.rs, settings.rs, code.rs,
//!                 organizations.rs, streams.rs, pages.rs
//! api_history.rs  since when the server answers what
//! refusals.rs     what one tenant refuses, by its state file
//! bucket.rs       rate limits
//! fault.rs        what goes wrong, and when
//! ids.rs          ids and secrets
//! options.rs      how it is set up
//! ```

mod api_history;
mod behaviour;
mod bucket;
mod children;
mod clients;
mod code;
mod connections;
mod fault;
mod ids;
mod lists;
mod live;
mod new_tenant;
mod options;
mod organizations;
mod pages;
mod record;
mod refusals;
mod replica;
mod request;
mod response;
mod route;
mod schema;
pub mod seed;
mod server;
mod settings;
mod state;
mod streams;
mod table;
#[cfg(test)]
mod tests;
mod token;
mod validate;
mod writes;

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

pub use bucket::Allowance;
pub use fault::{Fault, NoFault};
pub use options::Options;
pub use record::Record;
pub use replica::Replica;
pub use response::Answer;
pub use schema::{Break, breaks};
pub use server::{Demand, Seen};
pub use state::{NoState, State};

use server::Tenant;

/// A tenant that answers on loopback until it is stopped or dropped.
///
/// It runs as tasks of the caller's runtime and takes its time from there, so that paused time holds for it too.
pub struct Sandbox {
    tenant: Arc<Tenant>,
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
        let tenant = Arc::new(Tenant::new(options));
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
        self.tenant.inside().state.clone()
    }

    /// Writes what the tenant holds now as a state file; returns it.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn save_to(&self, path: &Path) -> io::Result<Value> {
        let state = self.state().to_json();
        std::fs::write(path, format!("{state:#}\n"))?;
        Ok(state)
    }

    /// Returns every request to the Management API so far, in the order of their numbers.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        self.tenant.inside().seen.clone()
    }

    /// Waits until the Management API was asked that often; the last of these requests may not be answered yet.
    pub async fn asked(&self, times: usize) {
        self.tenant.asked(times).await;
    }

    /// Returns what it was asked so far, in numbers; `GET /seen` answers the same.
    #[must_use]
    pub fn demand(&self) -> Demand {
        self.tenant.demand()
    }

    /// Returns each fault as it was written, and how often it struck so far; `GET /seen` answers the same.
    #[must_use]
    pub fn struck(&self) -> Vec<(String, usize)> {
        self.tenant.struck()
    }

    /// Returns a token of these scopes; of every scope where none is named.
    #[must_use]
    pub fn token(&self, scopes: &[&str]) -> String {
        let scopes = match scopes {
            [] => token::Scopes::All,
            named => token::Scopes::Named(named.iter().map(|scope| (*scope).to_owned()).collect()),
        };
        let inside = &mut *self.tenant.inside();
        let issued = inside.tokens.issue(&inside.state, "sandbox", scopes);
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
async fn accept(listener: TcpListener, tenant: Arc<Tenant>) {
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
