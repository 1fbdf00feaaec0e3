//! The working folder of the program between two doubles, and the results of its runs.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use auth0_migrate::apply::journal::Record;
use auth0_migrate::model::resource::Key;
use auth0_migrate::plan::{Action, Edit, Plan, file};
use tempfile::TempDir;

use crate::support::program::STATE_HOME;

use super::comparison::Cleared;
use super::process::{CLIENT_ID, CLIENT_SECRET, Double};

/// The maximum time of one run of the program on a slow machine.
const LIMIT: Duration = Duration::from_secs(1_800);
/// The exit code of a refusal.
const REFUSED: i32 = 4;

/// A folder with a configuration of both tenants, in which dev is the source of prod.
pub(super) struct Project {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// The exit code and the output of a run.
pub(super) struct Ended {
    pub(super) code: i32,
    pub(super) text: String,
}

impl Project {
    /// Adds settings of prod to the configuration.
    pub(super) fn say_of_prod(&self, more: &str) {
        let path = self.path("migrate.toml");
        let text = fs::read_to_string(&path).expect("a configuration");
        fs::write(path, text + more).expect("written");
    }

    /// Creates a folder for two loaded doubles; `more` are additional settings of prod.
    pub(super) fn between(dev: &Double, prod: &Double, more: &str) -> Self {
        let tenant = |name: &str, double: &Double| {
            let domain = double.ask("health", &serde_json::json!({}))["domain"].as_str().expect("a domain").to_owned();
            format!("[tenants.{name}]\ndomain = \"{domain}\"\nurl = \"{}\"\n", double.url())
        };
        let folder = tempfile::tempdir().expect("a folder");
        let configuration = format!("{}{}source = \"dev\"\n{more}", tenant("dev", dev), tenant("prod", prod));
        fs::write(folder.path().join("migrate.toml"), configuration).expect("written");
        let mut project = Self { folder, variables: Vec::new() };
        for name in ["DEV", "PROD"] {
            project.set(&format!("MIGRATE_{name}_CLIENT_ID"), CLIENT_ID);
            project.set(&format!("MIGRATE_{name}_CLIENT_SECRET"), CLIENT_SECRET);
        }
        project
    }

    /// Sets an environment variable for all following runs.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command line, with words separated by single spaces, as a job without a terminal does.
    pub(super) fn run(&self, line: &str) -> Ended {
        let mut program = self.start(line);
        let until = Instant::now() + LIMIT;
        loop {
            if let Some(status) = program.try_wait().expect("a process") {
                let text = fs::read_to_string(self.path("output.txt")).unwrap_or_default();
                return Ended { code: status.code().unwrap_or(-1), text };
            }
            if Instant::now() > until {
                program.kill().expect("killed");
                program.wait().expect("it ended");
                return Ended { code: -1, text: format!("`migrate {line}` was not done after {} s", LIMIT.as_secs()) };
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Starts a command line without waiting for it.
    pub(super) fn start(&self, line: &str) -> Child {
        let said = File::create(self.path("output.txt")).expect("a file");
        let mut command = Command::new(program());
        command.args(line.split(' ')).current_dir(self.folder.path()).env_clear().envs(self.variables.iter().cloned());
        command.env("XDG_STATE_HOME", self.path(STATE_HOME));
        command.stdin(Stdio::null()).stdout(said.try_clone().expect("a file")).stderr(said).spawn().expect("the program starts")
    }

    /// Exports the source.
    pub(super) fn export(&self) -> Ended {
        self.run("export --tenant dev --quiet")
    }

    /// Plans the import of the last export.
    pub(super) fn plan(&self) -> Ended {
        self.run("plan --tenant prod --quiet")
    }

    /// Imports directly, or as a saved plan if a guard requires a review.
    pub(super) fn import(&self) -> Ended {
        let at_once = self.run("import --tenant prod --yes --quiet --secrets-to file:secrets.jsonl --allow many-changes,source-leak");
        if at_once.code != REFUSED {
            return at_once;
        }
        // An existing plan file is not overwritten.
        let _ = fs::remove_file(self.path("looked-at.plan"));
        let planned = self.run("plan --tenant prod --quiet --out looked-at.plan");
        if [0, REFUSED].contains(&planned.code) { self.run(IMPORT_SAVED) } else { planned }
    }

    /// Returns the fields that the plans of all runs showed to be cleared.
    pub(super) fn cleared(&self) -> BTreeSet<Cleared> {
        let mut cleared = BTreeSet::new();
        for change in self.plans().iter().flat_map(|(_, plan)| plan.changes()) {
            let Action::Update { edits, .. } = &change.action else { continue };
            let kind = change.key.kind();
            let place = |edit: &Edit| (kind.paths.list.to_owned(), change.key.name().to_owned(), edit.path.clone());
            cleared.extend(edits.iter().filter(|edit| edit.new.is_none()).map(place));
        }
        cleared
    }

    /// Returns the folders of all runs, each with its plan.
    fn plans(&self) -> Vec<(PathBuf, Plan)> {
        let runs = fs::read_dir(self.path("runs")).into_iter().flatten().map(|entry| entry.expect("an entry").path());
        let plan = |folder: PathBuf| (folder.clone(), file::load(&folder.join("plan.json")).expect("a plan").0);
        runs.filter(|path| path.join("journal.jsonl").exists()).map(plan).collect()
    }

    /// Returns the values that the journals of all runs record as returned differently: the kind, the path, and both
    /// values.
    pub(super) fn altered(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (folder, plan) in self.plans() {
            let changes: Vec<&Key> = plan.changes().map(|change| &change.key).collect();
            let record = Record::load(&folder.join("journal.jsonl")).expect("a journal");
            for (at, one) in record.altered.iter().flat_map(|(at, all)| all.iter().map(move |one| (*at, one))) {
                let values = format!("{:?} -> {:?}", one.sent, one.answered);
                found.push((format!("{} {}", changes[at].kind().name, one.path), values));
            }
        }
        found
    }

    /// Resumes the interrupted run.
    pub(super) fn resume(&self) -> Ended {
        self.run("import --tenant prod --resume --yes --quiet --secrets-to file:secrets.jsonl")
    }
}

/// Imports the saved plan.
pub(super) const IMPORT_SAVED: &str = "import --tenant prod --yes --quiet --secrets-to file:secrets.jsonl --plan looked-at.plan --allow many-changes,source-leak,lockout-risk,weaker-protection";

/// Returns the program under test: a release build where CI names one.
pub(crate) fn program() -> PathBuf {
    let named = std::env::var_os("PROGRAM_UNDER_TEST").map(PathBuf::from);
    let named = named.map(|path| Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
    named.unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_migrate")))
}
