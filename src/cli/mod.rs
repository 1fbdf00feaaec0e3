//! The command line: its arguments, and how each command answers.
//!
//! ```text
//! context.rs         the context of every command: the environment of its use case, and the terminal
//! terminal.rs        shows events and results, and receives interrupts
//! colour.rs          whether text has colours
//! logging.rs         the log for machines
//! options.rs         options that several commands share; limits.rs, lock.rs, notify.rs, secrets_to.rs, rehearsal.rs have one each
//! dry_run.rs         where a dry run stops
//! ceremony.rs        from plan to run: show, check, confirm, execute, report
//! execute.rs         executes a run: reports, summary, exit code
//! review.rs          approvals of a command line, and messages about refusals
//! past_run.rs        past runs and the commands that resume them
//! init_answers.rs    what a new configuration needs to know
//! probe.rs           the commands that follow a probe
//! error.rs           errors -> state, cause, hint, exit code; workflow_error.rs those of the use cases
//! help/              examples, completions and man pages
//! commands/          one file per command; its doc comment is its help text
//! ```

mod ceremony;
mod colour;
mod commands;
mod context;
mod dry_run;
mod error;
mod execute;
mod help;
mod init_answers;
mod limits;
mod lock;
mod logging;
mod notify;
mod options;
mod pager;
mod past_run;
mod probe;
mod recording;
mod rehearsal;
mod reports;
mod review;
mod secrets_to;

mod terminal;
mod unparsed;
mod workflow_error;
mod write_options;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use context::Context;
use error::Failure;

/// Copies the settings of one Auth0 tenant to another
///
/// Shows every change before it is applied, can resume interrupted runs, and stays within the tenants' rate limits.
#[derive(Debug, Parser)]
#[command(name = "migrate", version, max_term_width = 120, subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    everywhere: Everywhere,
    #[command(subcommand)]
    command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Everywhere {
    /// The configuration file [default: migrate.toml in the working folder, or in the nearest folder above it]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder for snapshots, state and runs [default: the folder of the configuration]
    #[arg(long, global = true, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Output format
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", value_enum)]
    output: Output,
    /// Use colours; auto: at a terminal unless NO_COLOR is set; always if CLICOLOR_FORCE is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_enum)]
    color: ColorChoice,
    /// Do not open long output in a pager
    #[arg(long, global = true)]
    no_pager: bool,
    /// Print only the result
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print more: every kind that is read, every change and every retry
    #[arg(long, short, global = true)]
    verbose: bool,
    #[command(flatten)]
    log: logging::LogOptions,
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    Text,
    /// For programs
    Json,
    /// For documentation (`kinds` only)
    Markdown,
    /// For spreadsheets (`ids` only)
    Csv,
    /// Variables for a shell or a `.env` file (`ids` only)
    Env,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(commands::init::InitArgs),
    Doctor(commands::doctor::DoctorArgs),
    Export(commands::export::ExportArgs),
    Snapshots(commands::snapshots::SnapshotsArgs),
    Diff(commands::diff::DiffArgs),
    Validate(commands::validate::ValidateArgs),
    Map(commands::map::MapArgs),
    Mapping(commands::mapping::MappingArgs),
    Plan(commands::plan::PlanArgs),
    Approve(commands::approve::ApproveArgs),
    Explain(commands::explain::ExplainArgs),
    Import(commands::import::ImportArgs),
    Sync(commands::sync::SyncArgs),
    Get(commands::get::GetArgs),
    Update(commands::update::UpdateArgs),
    Api(commands::api::ApiArgs),
    Runs(commands::runs::RunsArgs),
    Show(commands::show::ShowArgs),
    Probe(commands::probe::ProbeArgs),
    Undo(commands::undo::UndoArgs),
    Restore(commands::restore::RestoreArgs),
    Drift(commands::drift::DriftArgs),
    Ids(commands::ids::IdsArgs),
    Link(commands::link::LinkArgs),
    Unlink(commands::link::UnlinkArgs),
    Schedule(commands::schedule::ScheduleArgs),
    Kinds(commands::kinds::KindsArgs),
    Schema(commands::schema::SchemaArgs),
    Completions(commands::completions::CompletionsArgs),
    Man(commands::man::ManArgs),
    Scopes(commands::scopes::ScopesArgs),
    Sandbox(commands::sandbox::SandboxArgs),
    Demo(commands::demo::DemoArgs),
}

impl Command {
    /// Returns whether the command may write to a tenant, so that a failure states what was written.
    const fn writes(&self) -> bool {
        matches!(self, Self::Import(_) | Self::Sync(_) | Self::Update(_) | Self::Undo(_) | Self::Restore(_) | Self::Api(_))
    }

    /// Returns where the command writes reports; `None` if it has nothing to report.
    fn reports(&self) -> Option<&reports::ReportOptions> {
        match self {
            Self::Plan(command) => Some(&command.reports),
            Self::Import(command) => Some(&command.reports),
            Self::Sync(command) => Some(&command.reports),
            Self::Undo(command) => Some(&command.reports),
            Self::Restore(command) => Some(&command.reports),
            Self::Drift(command) => Some(&command.reports),
            Self::Diff(command) => Some(&command.reports),
            Self::Show(command) => Some(&command.reports),
            _ => None,
        }
    }

    /// Returns whether an interrupt ends it in a way of its own from its first moment.
    const fn ends_by_itself(&self) -> bool {
        matches!(self, Self::Sync(_) | Self::Sandbox(_) | Self::Demo(_))
    }
}

/// Returns the command line with examples and completers.
fn command_line() -> clap::Command {
    help::with_completers(help::with_examples(Arguments::command()))
}

/// Runs one command line; returns the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let (arguments, name) = match parse(arguments.into_iter().collect()) {
        Ok(parsed) => parsed,
        Err(code) => return code,
    };
    colour::set(arguments.everywhere.color);
    let is_json = arguments.everywhere.output == Output::Json;
    let log = match arguments.everywhere.log.start(&name) {
        Ok(log) => log,
        Err(failure) => return failure.print(is_json),
    };
    let writes = arguments.command.writes();
    let outcome = run_to_its_end(arguments);
    let code = outcome.unwrap_or_else(|failure| if writes { failure.of_a_writer() } else { failure }.print(is_json));
    if let Some(warning) = log.end(code) {
        terminal::print_error(&warning);
    }
    code
}

/// Parses a command line; returns it with the name of its command, or the exit code after completions, help or a usage error.
fn parse(words: Vec<OsString>) -> Result<(Arguments, String), u8> {
    match help::complete(command_line, &words) {
        Ok(true) => return Err(0),
        Ok(false) => {}
        Err(refused) => {
            let _ = refused.print();
            return Err(error::USAGE);
        }
    }
    let command = command_line().color(colour::written(&words));
    let parsed = command.try_get_matches_from(words).and_then(|matches| {
        let name = matches.subcommand_name().unwrap_or_default().to_owned();
        Ok((Arguments::from_arg_matches(&matches)?, name))
    });
    parsed.map_err(|asked| {
        let is_help = !asked.use_stderr();
        // Nothing can be done if the terminal is gone.
        let _ = asked.print();
        if is_help { 0 } else { error::USAGE }
    })
}

fn run_to_its_end(arguments: Arguments) -> Result<u8, Failure> {
    // One thread suffices: there is little work to share, and more threads would take a tenth more memory.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Failure::new(error::FAILED, "cannot set up timers and sockets").caused_by(&source))?;
    let answered = runtime.block_on(answer(arguments));
    // A name that is still being looked up is not waited for.
    runtime.shutdown_background();
    answered
}

async fn answer(mut arguments: Arguments) -> Result<u8, Failure> {
    // Without a terminal, cron mails any output, so sync is quiet by default.
    let is_nightly = matches!(arguments.command, Command::Sync(_)) && !std::io::stderr().is_terminal();
    arguments.everywhere.quiet |= is_nightly && !arguments.everywhere.verbose;
    let context = Context::new(&arguments.everywhere).with_reports(arguments.command.reports().cloned());
    refuse_output(context.output(), &arguments.command)?;
    let ends_by_itself = arguments.command.ends_by_itself();
    if !ends_by_itself {
        // Before the command prints anything: whoever reads that it waits may press Ctrl-C at once.
        context.terminal.listen().await;
    }
    tokio::select! {
        biased;
        answered = Box::pin(run_command(&context, arguments.command)) => answered,
        failure = context.ended_by_interrupt(), if !ends_by_itself => Err(failure),
        never = context.terminal.keep_moving() => never,
    }
}

/// Refuses an output format that the command does not have.
fn refuse_output(output: Output, command: &Command) -> Result<(), Failure> {
    let only = match (output, command) {
        (Output::Text | Output::Json, _) | (Output::Markdown, Command::Kinds(_)) | (Output::Csv | Output::Env, Command::Ids(_)) => {
            return Ok(());
        }
        (Output::Markdown, _) => "only `migrate kinds` supports Markdown output",
        (Output::Csv, _) => "only `migrate ids` supports CSV output",
        (Output::Env, _) => "only `migrate ids` prints variables",
    };
    let takes = match command {
        Command::Kinds(_) => "text, json or markdown",
        Command::Ids(_) => "text, json, csv or env",
        _ => "text or json",
    };
    Err(Failure::new(error::USAGE, only).hint(format!("here --output takes {takes}")))
}

async fn run_command(context: &Context, command: Command) -> Result<u8, Failure> {
    match command {
        Command::Init(command) => Box::pin(command.run(context)).await,
        Command::Doctor(command) => command.run(context).await,
        Command::Export(command) => command.run(context).await,
        Command::Validate(command) => command.run(context),
        Command::Map(command) => command.run(context).await,
        Command::Mapping(command) => command.run(context).await,
        Command::Plan(command) => command.run(context).await,
        Command::Approve(command) => command.run(context).await,
        Command::Explain(command) => command.run(context).await,
        Command::Import(command) => command.run(context).await,
        Command::Sync(command) => Box::pin(command.run(context)).await,
        Command::Get(command) => command.run(context).await,
        Command::Update(command) => command.run(context).await,
        Command::Api(command) => command.run(context).await,
        Command::Kinds(commands::kinds::KindsArgs {}) => Ok(commands::kinds::KindsArgs::run(context)),
        Command::Runs(command) => command.run(context),
        Command::Show(command) => command.run(context).await,
        Command::Probe(command) => command.run(context).await,
        Command::Undo(command) => Box::pin(command.run(context)).await,
        Command::Snapshots(command) => command.run(context).await,
        Command::Diff(command) => command.run(context).await,
        Command::Restore(command) => Box::pin(command.run(context)).await,
        Command::Drift(command) => command.run(context).await,
        Command::Ids(command) => command.run(context),
        Command::Link(command) => command.run(context).await,
        Command::Unlink(command) => command.run(context).await,
        Command::Schedule(command) => command.run(context),
        Command::Schema(command) => command.run(),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(context),
        Command::Scopes(command) => command.run(context),
        Command::Sandbox(command) => command.run(context).await,
        Command::Demo(command) => command.run(context).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command_line().debug_assert();
    }
}
