//! `migrate api`

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::{Failure, USAGE};
use crate::cli::lock::LockOptions;
use crate::cli::options::read_json;
use crate::cli::terminal;
use crate::workflow::lock;

/// Call any Management API endpoint and print the response
///
/// Uses the tenant's credentials, rate limiter and retries. Prints the response unchanged, including secrets.
///
/// Asks before it sends anything but GET. Guards, plans, the journal and undo do not apply: a DELETE deletes without an approval, and no run
/// records it.
#[derive(Debug, Args)]
pub(in crate::cli) struct ApiArgs {
    /// The method [default: get], then the path below /api/v2
    #[arg(value_name = "[METHOD] PATH", num_args = 1..=2, required = true)]
    method_and_path: Vec<String>,
    /// The file with the JSON body to send; `-` reads standard input
    #[arg(long, value_name = "FILE|-")]
    data: Option<PathBuf>,
    /// The tenant to call [default: the only one configured]
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    lock_timeout: LockOptions,
}

const METHODS: [&str; 5] = ["GET", "POST", "PATCH", "PUT", "DELETE"];

impl ApiArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let (method, path) = match &self.method_and_path[..] {
            [method, path] => (method.to_uppercase(), path.as_str()),
            [path] => ("GET".to_owned(), path.as_str()),
            _ => unreachable!("clap takes one or two"),
        };
        if !METHODS.contains(&method.as_str()) {
            let failure = Failure::new(USAGE, format!("unknown method \"{method}\""));
            return Err(failure.hint(crate::diagnostic::did_you_mean(&method, &METHODS)));
        }
        let path = path.trim_start_matches('/');
        let path = format!("/{}", path.strip_prefix("api/v2/").unwrap_or(path));
        let data = self.data.as_deref().map(read_json).transpose()?;
        let settings = context.tenant_settings(self.tenant.as_deref())?;
        let _lock =
            if method == "GET" { None } else { Some(lock(context.environment()?, settings, self.lock_timeout.lock_timeout).await?) };
        let tenant = context.environment()?.connect(settings)?;
        if method != "GET" {
            context.confirm(&format!("{method} {path} of \"{}\" ({})?", settings.name, settings.domain), self.yes).await?;
            context.terminal.set_closing(format!("{method} {path} may or may not have been carried out"), None);
        }
        let answer = tenant.call(&method, &path, data.as_ref()).await.map_err(|error| {
            let failure = Failure::of_tenant(&error, &settings.name);
            match method.as_str() {
                "GET" => failure,
                // The tenant may have applied the request without being able to respond.
                _ if error.is_outcome_unknown() || error.is_unreachable() || error.may_have_been_applied() => {
                    failure.with_state(format!("{method} {path} may or may not have been carried out"))
                }
                _ => failure.with_state(format!("{method} {path} was not carried out")),
            }
        })?;
        context.terminal.progress.clear();
        if !answer.body.is_null() {
            terminal::print_json(&answer.body);
        }
        Ok(0)
    }
}
