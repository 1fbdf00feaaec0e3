//! Runs the steps of a situation: a folder, two tenants, and one command after another.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use auth0_migrate::json::lay_over;
use serde_json::Value;
use tempfile::TempDir;

use super::tenant::{Asked, OWN, TenantSandbox};
use super::{ImportOptions, Load, ONE, Part, StepTemplate, Touch, Unfit, paths};
use crate::recordings::tenant_double::project::program;
use crate::support::auth0_reference;
use crate::support::program::STATE_HOME;

/// The exit code of a refusal.
const REFUSED: i32 = 4;
/// The guards that a job may approve only for a saved plan.
const SEEN: [&str; 2] = ["lockout-risk", "weaker-protection"];
const IMPORT: [&str; 6] = ["import", "--tenant", "prod", "--yes", "--secrets-to", "file:secrets.jsonl"];
const PLAN: [&str; 3] = ["plan", "--tenant", "prod"];

/// The result of a step.
#[derive(Debug, Default)]
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) said: String,
    /// The requests that the target received.
    pub(super) asked: Vec<Asked>,
    /// Whether a guard refused it, so that it was executed as a saved plan.
    pub(super) is_guarded: bool,
}

/// A running situation.
pub(super) struct Execution<'part> {
    given: &'part Path,
    folder: TempDir,
    source: TenantSandbox,
    target: TenantSandbox,
    allow: &'part [String],
    include: &'part [String],
    /// The results of the steps, by name.
    pub(super) ran: BTreeMap<String, Ran>,
    /// The target's state after each step by name, and `before` all of them; the state of the `source`.
    pub(super) held: BTreeMap<String, Value>,
    /// The target's state after the last step.
    pub(super) last: Value,
}

impl<'part> Execution<'part> {
    /// Sets up a situation.
    pub(super) fn new(given: &'part Path, part: &'part Part) -> Result<Self, Unfit> {
        let folder = tempfile::tempdir().expect("a folder");
        let files = if part.swap { ["target.json", "source.json"] } else { ["source.json", "target.json"] };
        let start = |file: &str, touch: &Touch, name: &str| {
            TenantSandbox::start(state(given, file, touch)?, &part.live, &folder.path().join(format!(".{name}.jsonl")))
        };
        let (mut source, mut target) = (start(files[0], &part.source, "source")?, start(files[1], &part.target, "target")?);
        source.asked();
        target.asked();
        let last = target.held();
        let held = BTreeMap::from([("before".to_owned(), last.clone()), ("source".to_owned(), source.held())]);
        let execution =
            Self { given, folder, source, target, allow: &part.allow, include: &part.include, ran: BTreeMap::new(), held, last };
        execution.lay_out(part)?;
        Ok(execution)
    }

    fn lay_out(&self, part: &Part) -> Result<(), Unfit> {
        for entry in std::fs::read_dir(self.given).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "toml" || extension == "csv") {
                std::fs::copy(&path, self.folder.path().join(path.file_name().expect("a name"))).expect("copied");
            }
        }
        for (name, text) in &part.files {
            let text = text.as_str().ok_or_else(|| Unfit(format!("{name} is no text")))?;
            std::fs::write(self.folder.path().join(name), text).expect("written");
        }
        self.configure();
        Ok(())
    }

    fn configure(&self) {
        let mapping = if self.folder.path().join("mapping.toml").exists() { "mapping = \"mapping.toml\"\n" } else { "" };
        let text = self.source.settings("dev") + &self.target.settings("prod") + "source = \"dev\"\n" + mapping;
        std::fs::write(self.folder.path().join("migrate.toml"), text).expect("written");
    }

    /// Runs every step; returns the shortfalls.
    pub(super) fn run(mut self, part: &Part) -> Result<Vec<String>, Unfit> {
        for step in part.steps.clone().unwrap_or_else(|| self.usual_steps()) {
            self.take(&step)?;
        }
        let checked = part.checks.iter().map(|check| check.shortfall(&self));
        Ok(checked.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    fn usual_steps(&self) -> Vec<StepTemplate> {
        let word = |word: &str| StepTemplate::Word(word.to_owned());
        let mut steps = ["export", "plan", "import", "again"].map(word).to_vec();
        let next = "source-next.json";
        if self.given.join(next).exists() {
            steps.push(StepTemplate::Load(Load { tenant: "source".to_owned(), file: next.to_owned(), touch: Touch::default() }));
            steps.extend(["next", "next-again"].map(word));
        }
        steps
    }

    fn take(&mut self, step: &StepTemplate) -> Result<(), Unfit> {
        match step {
            StepTemplate::Word(word) if word == "plan" => {
                let words = [&PLAN[..], &self.included()].concat();
                self.call(word, &words);
            }
            StepTemplate::Word(word) if word.split(' ').next() == Some("export") => {
                let tenant = word.split(' ').nth(1).unwrap_or("dev");
                self.call(word, &["export", "--tenant", tenant]);
            }
            StepTemplate::Word(word) => self.import(word, &ImportOptions::default()),
            StepTemplate::Import(import) => self.import(&import.name, &import.import),
            StepTemplate::Sync(sync) => {
                let unattended: Vec<&str> =
                    self.allowed(sync.allow.as_ref()).iter().map(String::as_str).filter(|guard| !SEEN.contains(guard)).collect();
                let allow = unattended.join(",");
                let words = [&["sync", "--from", "dev", "--to", "prod"][..], &self.included(), &allowing(&allow)].concat();
                self.call(&sync.name, &words);
            }
            StepTemplate::Undo(undo) => {
                let run = self.last_run()?;
                let words = ["undo", run.as_str(), "--yes"];
                self.write(&undo.name, &words, &words[..2], (undo.allow.as_ref(), false));
            }
            StepTemplate::Run(words) => {
                let before = &self.held["before"];
                let filled: Vec<String> = words.run.iter().map(|word| paths::filled(word, before)).collect::<Result<_, _>>()?;
                self.call(&words.name, &filled.iter().map(String::as_str).collect::<Vec<_>>());
            }
            StepTemplate::Load(load) => self.load(load)?,
        }
        Ok(())
    }

    fn load(&mut self, load: &Load) -> Result<(), Unfit> {
        let state = state(self.given, &load.file, &load.touch)?;
        match load.tenant.as_str() {
            "source" => self.source.load(state)?,
            "target" => self.target.load(state)?,
            other => return Err(Unfit(format!("there is no tenant \"{other}\""))),
        }
        self.held.insert("source".to_owned(), self.source.held());
        self.configure();
        Ok(())
    }

    fn import(&mut self, name: &str, manner: &ImportOptions) {
        let prune: &[&str] = if manner.prune { &["--prune"] } else { &[] };
        let more = [prune, &self.included()].concat();
        self.write(name, &[&IMPORT[..], &more].concat(), &[&PLAN[..], &more].concat(), (manner.allow.as_ref(), manner.saved));
    }

    /// Imports directly, or as a saved plan if that is requested or a guard requires a review.
    fn write(&mut self, name: &str, words: &[&str], planning: &[&str], (allow, is_saved): (Option<&Vec<String>>, bool)) {
        let allow = self.allowed(allow).join(",");
        let at_once = [words, &allowing(&allow)].concat();
        let is_guarded = !is_saved && self.call(name, &at_once) == REFUSED && SEEN.iter().any(|guard| allow.contains(guard));
        if is_saved || is_guarded {
            let file = format!("{name}.plan");
            if self.call(name, &[planning, &["--out", &file]].concat()) == 0 {
                self.call(name, &[&IMPORT[..], &["--plan", &file], &allowing(&allow)].concat());
            }
        }
        self.ran.entry(name.to_owned()).or_default().is_guarded = is_guarded;
    }

    fn allowed<'own>(&'own self, own: Option<&'own Vec<String>>) -> &'own [String] {
        own.map_or(self.allow, Vec::as_slice)
    }

    fn included(&self) -> Vec<&'part str> {
        self.include.iter().flat_map(|what| ["--include", what.as_str()]).collect()
    }

    fn last_run(&self) -> Result<String, Unfit> {
        let entries = std::fs::read_dir(self.folder.path().join("runs")).into_iter().flatten().filter_map(Result::ok);
        let runs = entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().to_string_lossy().into_owned());
        runs.max().ok_or_else(|| Unfit("there is no run to take back".to_owned()))
    }

    /// Runs a command line as a job does; a step with several commands accumulates output and requests.
    fn call(&mut self, name: &str, words: &[&str]) -> i32 {
        let mut command = Command::new(program());
        command
            .args(words)
            .current_dir(self.folder.path())
            .env_clear()
            .env("NO_COLOR", "1")
            .env("XDG_STATE_HOME", self.folder.path().join(STATE_HOME))
            .stdin(Stdio::null());
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        for tenant in ["DEV", "PROD"] {
            command.env(format!("MIGRATE_{tenant}_CLIENT_ID"), OWN.0).env(format!("MIGRATE_{tenant}_CLIENT_SECRET"), OWN.1);
        }
        let ended = command.output().expect("it ran");
        let code = ended.status.code().unwrap_or(-1);
        self.source.asked();
        let ran = self.ran.entry(name.to_owned()).or_default();
        ran.code = code;
        ran.said += &(String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr));
        ran.asked.extend(self.target.asked());
        self.last = self.target.held();
        self.held.insert(name.to_owned(), self.last.clone());
        if std::env::var_os(ONE).is_some() {
            self.show(name, words, &ended);
        }
        code
    }

    /// Prints a command if a single situation is investigated.
    #[expect(clippy::print_stdout, reason = "somebody looks into it")]
    fn show(&self, name: &str, words: &[&str], ended: &std::process::Output) {
        println!("$ migrate {}\n{}{}", words.join(" "), String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        for asked in self.ran[name].asked.iter().filter(|asked| asked.is_write()) {
            println!("  {} {} {} {}", asked.method, asked.target, asked.status, asked.sent());
        }
        println!("  exit code {}", self.ran[name].code);
    }

    /// Returns the name of a file that contains a text.
    pub(super) fn file_with(&self, text: &str) -> Option<String> {
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
                let is_ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
                if path.is_dir() {
                    folders.push(path);
                } else if !is_ours && std::fs::read(&path).is_ok_and(|held| String::from_utf8_lossy(&held).contains(text)) {
                    return Some(path.display().to_string());
                }
            }
        }
        None
    }
}

fn allowing(guards: &str) -> Vec<&str> {
    if guards.is_empty() { Vec::new() } else { vec!["--allow", guards] }
}

/// Loads and modifies a state of a situation.
fn state(given: &Path, file: &str, touch: &Touch) -> Result<Value, Unfit> {
    let text = std::fs::read_to_string(given.join(file)).map_err(|error| Unfit(format!("{file}: {error}")))?;
    let mut state: Value = serde_json::from_str(&text).map_err(|error| Unfit(format!("{file}: {error}")))?;
    // The special behaviour of the API applies to the target only, since nothing is written to the source.
    if let Ok(text) = std::fs::read_to_string(given.join("refuse.json")) {
        state["refuse"] = serde_json::from_str(&text).map_err(|error| Unfit(format!("refuse.json: {error}")))?;
    }
    complete_themes(&mut state)?;
    paths::touch(&mut state, touch)?;
    Ok(state)
}

/// Fills in the fields that every theme of a tenant has and a hand-written one lacks: the API refuses a theme without
/// them.
fn complete_themes(state: &mut Value) -> Result<(), Unfit> {
    let Some(themes) = state["data"].get_mut("/branding/themes").and_then(Value::as_array_mut) else { return Ok(()) };
    let path = auth0_reference::path("recorded/tenants/union.json").ok_or_else(|| Unfit("no tenant is recorded".to_owned()))?;
    let text = std::fs::read_to_string(path).map_err(|error| Unfit(format!("union.json: {error}")))?;
    let recorded: Value = serde_json::from_str(&text).map_err(|error| Unfit(format!("union.json: {error}")))?;
    for theme in themes {
        let mut whole = recorded["data"]["/branding/themes/default"].clone();
        lay_over(&mut whole, theme.take());
        *theme = whole;
    }
    Ok(())
}
