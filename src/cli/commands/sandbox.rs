//! `migrate sandbox`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::catalog::limits::{TIERS, Tier};
use crate::cli::context::Context;
use crate::cli::error::{FAILED, Failure, USAGE};
use crate::cli::recording;
use crate::platform::EndSignals;
use crate::report;
use crate::sandbox::{Fault, Options, Sandbox, State, seed};

/// Run a sandbox tenant on loopback
///
/// Behaves like the real tenants in recorded traffic: tokens and scopes, pagination, request validation, defaults and rate limits. Can also
/// inject faults.
#[derive(Debug, Args)]
pub(in crate::cli) struct SandboxArgs {
    /// A file with the tenant's settings and the requests that it refuses [default: a new tenant]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Start as a tenant of the example company, as `migrate demo` has them
    #[arg(long, value_name = "TENANT", value_parser = ["dev", "prod"], conflicts_with = "state")]
    example: Option<String>,
    /// The domain of a new tenant
    #[arg(long, value_name = "DOMAIN", default_value = "sandbox.eu.auth0.com", conflicts_with_all = ["state", "example"])]
    domain: String,
    /// The port on 127.0.0.1; 0 picks a free one
    #[arg(long, value_name = "N", default_value_t = 4010)]
    port: u16,
    /// The credentials of a client with every scope
    #[arg(long, value_name = "ID:SECRET")]
    credentials: Option<String>,
    /// The rate limit, in requests per second
    #[arg(long, value_name = "R", requires = "burst")]
    rate: Option<f64>,
    /// The number of requests allowed at once
    #[arg(long, value_name = "B", requires = "rate")]
    burst: Option<u32>,
    #[arg(long, value_name = "NAME", help = help_of_tier())]
    tier: Option<String>,
    /// Delay of each response, for example 150ms
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    latency: Option<Duration>,
    /// How far the tenant's clock is ahead of that of this machine, for example 10m, to try what `migrate doctor` says of a wrong clock
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    clock_ahead: Option<Duration>,
    /// Answer 404 to the first request that refers to a new client (client grants, connection clients), as Auth0 sometimes does
    #[arg(long)]
    late_clients: bool,
    /// Reject only requests that real tenants rejected in recorded traffic, not those known from the API description or public reports
    #[arg(long)]
    lenient: bool,
    /// Faults to inject, for example cut-after@3 (the connection breaks after the third request) or 429@w5x3 (three times 429 from the fifth write)
    #[arg(long, value_name = "SPEC")]
    fault: Vec<String>,
    /// Append each request and its body to this file, as a line of JSON, including secrets. The variable MIGRATE_SANDBOX_RECORD does the
    /// same, also for the demo and for rehearsals
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Save the tenant's state to this file on exit
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

/// The address of the sandbox; it is printed at the start, so it has no exit code.
#[derive(Serialize)]
struct SandboxAnswer<'a> {
    format: u32,
    domain: &'a str,
    url: &'a str,
}

impl SandboxArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let failed = |what: &str, source: &dyn std::error::Error| Failure::new(FAILED, what).caused_by(source);
        let record = recording::open(self.record.as_deref())?;
        let options = record.iter().fold(self.options()?, |options, record| options.request_log(Arc::clone(record)));
        let sandbox = Sandbox::start(options).await.map_err(|error| {
            failed("the sandbox did not start", &error).hint("another program may use the port; name another with --port")
        })?;
        let domain = sandbox.state().domain().to_owned();
        let text = format!("{domain} answers at {}\n", sandbox.url());
        context
            .answer(|| text.clone(), || report::to_json(&SandboxAnswer { format: report::FORMAT, domain: &domain, url: &sandbox.url() }));
        context.tell(&format!(
            "In migrate.toml:  domain = \"{domain}\"\n                  url = \"{}\"\nPress Ctrl-C to stop it.",
            sandbox.url()
        ));
        wait_for_the_end().await;
        if let Some(path) = &self.save {
            sandbox.save_to(path)?;
        }
        sandbox.stop().await;
        if let Some(record) = record {
            record.check()?;
        }
        Ok(0)
    }

    fn options(&self) -> Result<Options, Failure> {
        let wrong = |error: &dyn std::error::Error| Failure::new(USAGE, "the sandbox did not start").caused_by(error);
        let state = match (&self.state, self.example.as_deref()) {
            (Some(path), _) => State::load(path).map_err(|error| wrong(&error))?,
            (None, Some("prod")) => example(seed::ACME_PROD),
            (None, Some(_)) => example(seed::ACME_DEV),
            (None, None) => State::empty(&self.domain),
        };
        let state = if self.late_clients { state.eventually_consistent() } else { state };
        let state = if self.lenient { state.lenient() } else { state };
        let mut options = Options::new(state).port(self.port);
        if let Some(credentials) = &self.credentials {
            let (id, secret) = credentials
                .split_once(':')
                .ok_or_else(|| Failure::new(USAGE, "the sandbox did not start: --credentials takes ID:SECRET"))?;
            options = options.credentials(id, secret);
        }
        if let (Some(rate), Some(burst)) = (self.rate, self.burst) {
            options = options.rate_limit(rate, burst);
        }
        if let Some(name) = &self.tier {
            let names: Vec<&str> = TIERS.iter().map(|tier| tier.name).collect();
            let unknown = || {
                Failure::new(USAGE, format!("the sandbox did not start: unknown tier \"{name}\""))
                    .hint(crate::diagnostic::did_you_mean(name, &names))
            };
            options = options.tier(Tier::named(name).ok_or_else(unknown)?);
        }
        if let Some(latency) = self.latency {
            options = options.latency(latency);
        }
        if let Some(ahead) = self.clock_ahead {
            options = options.clock_ahead(ahead);
        }
        for spec in &self.fault {
            options = options.faults(Fault::list(spec).map_err(|error| wrong(&error))?);
        }
        Ok(options)
    }
}

/// Returns the state of a tenant of the example company.
fn example(seed: &str) -> State {
    let json = serde_json::from_str(seed).expect("a test reads it");
    State::from_json(json).expect("a test reads it")
}

fn help_of_tier() -> String {
    let names: Vec<&str> = TIERS.iter().map(|tier| tier.name).collect();
    format!("The published rate limits of a subscription: {}", names.join(", "))
}

async fn wait_for_the_end() {
    match EndSignals::listen() {
        Ok(mut signals) => drop(signals.next().await),
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}
