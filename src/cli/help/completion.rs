//! Completes values on the command line from what is there: tenants, kinds, snapshots, runs, guards and resources.
//!
//! The completer of an argument follows from the name of its value, so that a new command has it without doing anything.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::builder::ValueHint;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};

use crate::catalog::Catalog;
use crate::cli::commands::schema::published;
use crate::cli::unparsed::values_of;
use crate::config::{self, Settings};
use crate::model::guard::Guard;
use crate::snapshot::{store, versions};
use crate::workflow::run_name;

/// The shells that have completions.
pub(in crate::cli) const SHELLS: [&str; 4] = ["bash", "zsh", "fish", "powershell"];
/// The variable by which a shell asks for completions.
const VARIABLE: &str = "COMPLETE";

/// Answers a shell that asks for completions; returns whether it did.
pub(in crate::cli) fn complete(command: impl Fn() -> clap::Command, words: &[OsString]) -> clap::error::Result<bool> {
    CompleteEnv::with_factory(command).var(VARIABLE).try_complete(words.iter().cloned(), std::env::current_dir().ok().as_deref())
}

/// Writes the lines with which a shell learns to ask this program for completions.
pub(in crate::cli) fn registration(shell: &str, out: &mut dyn Write) -> io::Result<()> {
    let called = std::env::args_os().next().map_or_else(|| "migrate".into(), PathBuf::from);
    // A bare name is looked up by the shell each time, so that it finds an update elsewhere.
    let program = if called.components().count() > 1 { std::path::absolute(&called).unwrap_or(called) } else { called };
    let shells = Shells::builtins();
    let shell = shells.completer(shell).ok_or(io::ErrorKind::Unsupported)?;
    shell.write_registration(VARIABLE, "migrate", "migrate", &program.to_string_lossy(), out)
}

/// Returns a command line whose arguments complete their values.
pub(in crate::cli) fn with_completers(command: clap::Command) -> clap::Command {
    command.mut_args(with_completer).mut_subcommands(with_completers)
}

fn with_completer(argument: clap::Arg) -> clap::Arg {
    let name = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string).unwrap_or_default();
    let values: fn(&str) -> Vec<String> = match name.as_str() {
        "TENANT" => |_| tenants(),
        "TENANT|SNAPSHOT" | "SNAPSHOT" | "A" | "B" => |_| [tenants(), snapshots()].concat(),
        "RUN" => |_| runs(),
        "RUN|last|FILE" => |_| [runs(), vec!["last".to_owned()]].concat(),
        "KIND" | "KIND,.." => |_| kinds(),
        "GUARD,.." => guards,
        "GLOB" | "KEY|GLOB" => keys,
        "SCHEMA" => |_| published().iter().map(|(name, _)| (*name).to_owned()).collect(),
        "FILE" | "FILE|-" | "PLAN" => return argument.value_hint(ValueHint::FilePath),
        "DIR" => return argument.value_hint(ValueHint::DirPath),
        _ => return argument,
    };
    argument.add(ArgValueCompleter::new(move |typed: &OsStr| beginning_with(&typed.to_string_lossy(), &values)))
}

fn beginning_with(typed: &str, values: &impl Fn(&str) -> Vec<String>) -> Vec<CompletionCandidate> {
    values(typed).into_iter().filter(|value| value.starts_with(typed)).map(CompletionCandidate::new).collect()
}

/// Returns the configuration that the command line so far names.
fn settings() -> Option<Settings> {
    // A shell hands the command line over after two dashes.
    let words: Vec<OsString> = std::env::args_os().skip_while(|word| word != "--").skip(1).collect();
    let path = |flag: &'static str| values_of(flag, &words).next().map(Path::new);
    Settings::load(path("--config"), path("--dir"), &config::environment()).ok()
}

fn tenants() -> Vec<String> {
    settings().map(|settings| settings.tenants.into_keys().collect()).unwrap_or_default()
}

fn snapshots() -> Vec<String> {
    let Some(settings) = settings() else { return Vec::new() };
    let all = versions::all(&settings.dir.join("snapshots")).unwrap_or_default();
    let whole: Vec<_> = all.iter().filter(|snapshot| !snapshot.is_partial).collect();
    let newest: BTreeSet<String> = whole.iter().map(|snapshot| format!("{}@latest", snapshot.tenant)).collect();
    newest.into_iter().chain(whole.iter().map(|snapshot| snapshot.reference())).collect()
}

fn runs() -> Vec<String> {
    settings().map(|settings| run_name::names(&settings.dir.join("runs"))).unwrap_or_default()
}

fn kinds() -> Vec<String> {
    Catalog::standard().kinds().map(|kind| kind.name.to_owned()).collect()
}

/// Returns the guards, or after a colon the resources that one may be approved for.
fn guards(typed: &str) -> Vec<String> {
    let Some((guard, pattern)) = typed.split_once(':') else {
        return Guard::APPROVABLE.iter().map(|guard| guard.as_str().to_owned()).collect();
    };
    keys(pattern).into_iter().map(|key| format!("{guard}:{key}")).collect()
}

/// Returns patterns of resources: one for each kind, or after a slash the keys of a kind in the newest snapshots.
fn keys(typed: &str) -> Vec<String> {
    let Some((kind, _)) = typed.split_once('/') else {
        return kinds().into_iter().map(|kind| format!("{kind}/*")).collect();
    };
    let Some(settings) = settings() else { return Vec::new() };
    let root = settings.dir.join("snapshots");
    let newest = settings.tenants.keys().filter_map(|tenant| versions::newest(&root, tenant).ok());
    let snapshots = newest.filter_map(|path| store::load(Catalog::standard(), &path).ok());
    let keys: BTreeSet<String> =
        snapshots.flat_map(|snapshot| snapshot.of_kind(kind).map(|resource| resource.key.to_string()).collect::<Vec<_>>()).collect();
    keys.into_iter().collect()
}
