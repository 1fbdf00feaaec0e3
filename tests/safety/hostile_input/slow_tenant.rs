//! How long reading a tenant may take, in simulated time.

use std::time::Duration;

use auth0_migrate::catalog::Catalog;
use auth0_migrate::export::{Error, Scope, export};
use auth0_migrate::management_api::safety_limits::SNAPSHOT_TIMEOUT;
use auth0_migrate::management_api::{ApiConfig, Credentials, Tenant};
use auth0_migrate::model::event::NoObserver;
use auth0_migrate::model::network::NetworkOptions;
use auth0_migrate::sandbox::{Options, Sandbox, State};
use secrecy::SecretString;
use tokio::time::Instant;

use crate::support::imports::NOW;

/// Reads a tenant that handles one request at a time with this latency; returns the result and the duration.
async fn read(latency: Duration) -> (Result<(), Error>, Duration) {
    let domain = "slow.eu.auth0.com";
    let sandbox = Sandbox::start(Options::new(State::empty(domain)).credentials("id", "secret").latency(latency)).await.expect("a sandbox");
    let config = ApiConfig {
        name: "slow".to_owned(),
        domain: domain.to_owned(),
        url: Some(sandbox.url()),
        credentials: Credentials::Secret { client_id: "id".into(), client_secret: SecretString::from("secret") },
        network: NetworkOptions::default(),
        tier: None,
        rate: None,
        share: 1.0,
        run: "test".into(),
        timeout: latency * 2,
        concurrency: 1,
    };
    let tenant = Tenant::new(config, std::sync::Arc::new(NoObserver)).expect("a tenant");
    let began = Instant::now();
    let read = export(Catalog::standard(), &tenant, &Scope::default(), NOW, &NoObserver).await;
    (read.map(drop), began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn reading_a_slow_tenant_ends_after_an_hour() {
    let (read_in_time, took) = read(Duration::from_secs(1)).await;
    assert!(read_in_time.is_ok(), "{read_in_time:?}");
    let requests = took.as_secs();
    assert!(requests > 60, "{took:?}");
    // At this rate it would take twice the permitted time.
    let latency = SNAPSHOT_TIMEOUT * 2 / u32::try_from(requests).expect("a few hundred");
    let (error, took) = read(latency).await;
    let error = error.expect_err("overdue");
    assert_eq!(error.to_string(), "reading \"slow\" took longer than 1h");
    assert!((SNAPSHOT_TIMEOUT..SNAPSHOT_TIMEOUT + Duration::from_secs(1)).contains(&took), "{took:?}");
}
