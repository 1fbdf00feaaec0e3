//! `migrate demo`

use std::path::{Path, PathBuf};

use clap::{Args, FromArgMatches, Parser, Subcommand};

use crate::cli::context::Context;
use crate::cli::error::{FAILED, Failure};
use crate::cli::recording::recorded;
use crate::files;
use crate::report::shell_word;
use crate::sandbox::{Options, Sandbox, State, seed};

const MAPPING: &str = include_str!("../../../mappings/dev-to-prod.toml");
const HOSTS: &str = include_str!("../../../mappings/hosts.csv");
/// The client of each tenant that migrate signs in with.
const OWN: &str = "migrate";

/// Run a demo import between two local sandbox tenants
///
/// Exports a company's dev tenant, saves a plan for its outdated prod tenant, and imports exactly that plan. A second import then finds
/// nothing to do. Needs no network and no credentials.
#[derive(Debug, Args)]
pub(in crate::cli) struct DemoArgs {
    /// The folder for the files [default: a new temporary folder]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

impl DemoArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let folder = self.folder()?;
        let dev = start(seed::ACME_DEV).await?;
        let prod = start(seed::ACME_PROD).await?;
        write_files(&folder, &dev, &prod).map_err(|error| failed(&error))?;
        context.tell("Acme has two tenants, dev and prod. Both are simulated in this process, and no data leaves this machine.");
        let plan = folder.join("plan.json").display().to_string();
        for words in [
            &["export", "--tenant", "dev"][..],
            &["validate"],
            &["plan", "--tenant", "prod", "--from", "dev", "--out", &plan],
            &["import", "--tenant", "prod", "--plan", &plan, "--allow", "many-changes,lockout-risk,weaker-protection", "--yes"],
            &["import", "--tenant", "prod", "--from", "dev", "--yes"],
        ] {
            if words.contains(&"--allow") {
                context.tell(
                    "\nThe demo approves everything that was refused. Approve only what you have reviewed, as the command above does.",
                );
            }
            let code = Box::pin(step(context, &folder, words)).await?;
            if code != 0 {
                return Ok(code);
            }
        }
        dev.stop().await;
        prod.stop().await;
        context.tell(&format!("\nThe files of the demo (snapshots, state, plan, journal, reports) are in {}", folder.display()));
        Ok(0)
    }

    fn folder(&self) -> Result<PathBuf, Failure> {
        let folder = match &self.into {
            Some(folder) => folder.clone(),
            None => tempfile::Builder::new().prefix("migrate-demo-").tempdir().map_err(|error| failed(&error))?.keep(),
        };
        files::make_folder(&folder)?;
        Ok(folder)
    }
}

fn failed(error: &dyn std::error::Error) -> Failure {
    Failure::new(FAILED, "the demo did not start").caused_by(error)
}

async fn start(state: &str) -> Result<Sandbox, Failure> {
    let json = serde_json::from_str(state).map_err(|error| failed(&error))?;
    let state = State::from_json(json).map_err(|error| failed(&error))?;
    Sandbox::start(recorded(Options::new(state))?).await.map_err(|error| failed(&error))
}

fn write_files(folder: &Path, dev: &Sandbox, prod: &Sandbox) -> Result<(), files::Error> {
    let configuration = format!(
        "[tenants.dev]\ndomain = \"{}\"\nurl = \"{}\"\n\n[tenants.prod]\ndomain = \"{}\"\nurl = \"{}\"\nsource = \"dev\"\nmapping = \"mappings/dev-to-prod.toml\"\n",
        dev.state().domain(),
        dev.url(),
        prod.state().domain(),
        prod.url(),
    );
    let credentials = |name: &str, tenant: &Sandbox| {
        let (id, secret) = own_client(&tenant.state().to_json());
        format!("MIGRATE_{name}_CLIENT_ID='{id}'\nMIGRATE_{name}_CLIENT_SECRET='{secret}'\n")
    };
    files::write_whole(&folder.join("migrate.toml"), configuration.as_bytes())?;
    let secrets = format!("{}{}PROD_GOOGLE_SECRET=not-a-real-secret\n", credentials("DEV", dev), credentials("PROD", prod));
    files::write_whole(&folder.join(".env"), secrets.as_bytes())?;
    files::write_whole(&folder.join("mappings/dev-to-prod.toml"), MAPPING.as_bytes())?;
    files::write_whole(&folder.join("mappings/hosts.csv"), HOSTS.as_bytes())
}

/// Returns id and secret of migrate's own client in a seeded tenant.
fn own_client(state: &serde_json::Value) -> (String, String) {
    let clients = state["data"]["/clients"].as_array().map(Vec::as_slice).unwrap_or_default();
    let own = clients.iter().find(|client| client["name"] == OWN);
    let text = |field: &str| own.and_then(|client| client[field].as_str()).unwrap_or_default().to_owned();
    (text("client_id"), text("client_secret"))
}

/// One command of the demo, run as if it had been typed.
#[derive(Debug, Parser)]
#[command(name = "migrate", no_binary_name = true)]
struct DemoLine {
    #[command(subcommand)]
    command: Typed,
}

#[derive(Debug, Subcommand)]
enum Typed {
    Export(super::export::ExportArgs),
    Validate(super::validate::ValidateArgs),
    Plan(super::plan::PlanArgs),
    Import(super::import::ImportArgs),
}

async fn step(context: &Context, folder: &Path, words: &[&str]) -> Result<u8, Failure> {
    let shown: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
    context.tell(&format!("\n$ migrate {}", shown.join(" ")));
    let parsed = <DemoLine as clap::CommandFactory>::command().try_get_matches_from(words);
    let line = parsed.and_then(|matches| DemoLine::from_arg_matches(&matches)).expect("a demo's line is a command line");
    let context = context.in_folder(folder);
    match line.command {
        Typed::Export(command) => command.run(&context).await,
        Typed::Validate(command) => command.run(&context),
        Typed::Plan(command) => command.run(&context).await,
        Typed::Import(command) => command.run(&context).await,
    }
}
