//! Options that several commands share: source and target, how to import, and the selection.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::context::Context;
use super::error::{Failure, USAGE};
use crate::catalog::Kind;
use crate::diagnostic::Text;
use crate::files;
use crate::model::selection::{self, Selection};
use crate::plan::{OnDrift, Plan};
use crate::report::shell_word;
use crate::workflow;

/// Where settings come from and where they go.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Source, target and mapping")]
pub(super) struct RouteOptions {
    /// The target tenant [default: the only one configured]
    #[arg(long, visible_alias = "to", value_name = "TENANT")]
    pub(super) tenant: Option<String>,
    /// The source: a tenant (read now), a snapshot (dev@latest, dev@2026-11-22, dev@RUN), or the folder of a snapshot [default: `source` of
    /// the target]
    #[arg(long, value_name = "TENANT|SNAPSHOT")]
    pub(super) from: Option<String>,
    #[command(flatten)]
    pub(super) options: ImportOptions,
}

/// How settings go from the one to the other.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Source, target and mapping")]
pub(super) struct ImportOptions {
    /// The mapping: a file with rules for values that differ between the tenants [default: `mapping` of the target]
    #[arg(long, value_name = "FILE")]
    pub(super) mapping: Option<PathBuf>,
    /// What to do if a field was changed directly in the target since the last run
    #[arg(long, value_name = "ACTION", default_value = "keep", value_enum)]
    pub(super) drift: DriftChoice,
    /// Plan to delete resources that an earlier run created or linked and the source no longer has; without an approval of deletes
    /// (--allow deletes, or `migrate approve`), the whole plan is refused
    #[arg(long)]
    pub(super) prune: bool,
    /// Fail if a rule of the mapping matches nothing
    #[arg(long)]
    pub(super) strict: bool,
    #[command(flatten)]
    pub(super) part: SelectionOptions,
    /// Also include third-party clients: `--include third-party`
    #[arg(long, value_name = "WORD,..", value_delimiter = ',', help_heading = "Selection")]
    pub(super) include: Vec<String>,
    /// Also import resources that the selected resources need and the target lacks
    #[arg(long, help_heading = "Selection")]
    pub(super) with_dependencies: bool,
}

/// What to do about fields that the target changed by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DriftChoice {
    /// Keep the target's value and report it
    Keep,
    /// Overwrite the target's value with the source's value
    Overwrite,
    /// Fail and write nothing
    Fail,
}

impl From<DriftChoice> for OnDrift {
    fn from(choice: DriftChoice) -> Self {
        match choice {
            DriftChoice::Keep => Self::Keep,
            DriftChoice::Overwrite => Self::Overwrite,
            DriftChoice::Fail => Self::Fail,
        }
    }
}

/// Which resources are meant.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Selection")]
pub(super) struct SelectionOptions {
    /// Only these kinds, including the parts of their resources (see --only)
    #[arg(long, value_name = "KIND,..", value_delimiter = ',')]
    pub(super) kinds: Vec<String>,
    /// Only resources whose key matches, for example 'clients/Web*' or 'roles', with their parts: the permissions of a role, the enabled
    /// clients of a connection. Resources that refer to them, such as the grants of a client, are not selected
    #[arg(long, value_name = "GLOB")]
    pub(super) only: Vec<String>,
    /// Exclude resources whose key matches, with their parts
    #[arg(long, value_name = "GLOB")]
    pub(super) exclude: Vec<String>,
}

impl ImportOptions {
    /// Returns the options other than the mapping as arguments for another command.
    pub(super) fn to_args(&self) -> Vec<String> {
        let mut words = Vec::new();
        if !self.include.is_empty() {
            words.extend(["--include".to_owned(), self.include.join(",")]);
        }
        if let Some(drift) = self.drift.to_possible_value().filter(|_| self.drift != DriftChoice::Keep) {
            words.extend(["--drift".to_owned(), drift.get_name().to_owned()]);
        }
        if self.prune {
            words.push("--prune".to_owned());
        }
        if self.strict {
            words.push("--strict".to_owned());
        }
        words.extend(self.part.to_args());
        if self.with_dependencies {
            words.push("--with-dependencies".to_owned());
        }
        words
    }
}

impl RouteOptions {
    /// Returns the route to a target according to these options.
    ///
    /// # Errors
    ///
    /// If the selection is invalid.
    pub(super) fn route(&self, context: &Context, target: &str) -> Result<workflow::Route, Failure> {
        let ImportOptions { mapping, include, drift, prune, strict, part, with_dependencies } = self.options.clone();
        let selection = part.selection(context)?;
        let (target, source) = (target.to_owned(), self.from.clone());
        Ok(workflow::Route {
            target,
            source,
            mapping,
            include,
            on_drift: drift.into(),
            prune,
            strict,
            selection,
            with_dependencies,
            ..workflow::Route::default()
        })
    }

    /// Returns the command and the options that import a plan made with these options.
    pub(super) fn import(&self, plan: &Plan) -> String {
        // What was planned is what is imported, also when there is a newer snapshot by then.
        let pinned = plan.source.snapshot.as_deref().filter(|name| name.starts_with(&format!("{}@", plan.source.tenant)));
        let from = pinned.or(self.from.as_deref()).unwrap_or(&plan.source.tenant);
        let mut words = vec![format!("migrate import --tenant {} --from {}", plan.target.tenant, shell_word(from))];
        words.extend(self.options.mapping.iter().map(|path| format!("--mapping {}", shell_word(&path.display().to_string()))));
        words.extend(self.options.to_args().iter().map(|word| shell_word(word)));
        words.join(" ")
    }
}

impl SelectionOptions {
    /// Returns the options as arguments for another command.
    pub(super) fn to_args(&self) -> Vec<String> {
        let Self { kinds, only, exclude } = self;
        let kinds = Some(kinds.join(",")).filter(|kinds| !kinds.is_empty()).map(|kinds| ["--kinds".to_owned(), kinds]);
        let patterns = |flag: &str, texts: &[String]| texts.iter().map(|text| [flag.to_owned(), text.clone()]).collect::<Vec<_>>();
        kinds.into_iter().chain(patterns("--only", only)).chain(patterns("--exclude", exclude)).flatten().collect()
    }

    /// Returns the options quoted for a shell.
    pub(super) fn to_shell(&self) -> Vec<String> {
        self.to_args().iter().map(|word| shell_word(word)).collect()
    }

    /// Parses the selection.
    ///
    /// # Errors
    ///
    /// If a kind is unknown or a pattern is malformed.
    pub(super) fn selection(&self, context: &Context) -> Result<Selection, Failure> {
        Selection::read(context.catalog, &self.kinds, &self.only, &self.exclude).map_err(|error| Failure::of_selection(&error))
    }
}

impl Failure {
    /// Converts an invalid selection, suggesting the most similar kind.
    pub(super) fn of_selection(error: &selection::Error) -> Self {
        let failure = Self::new(USAGE, error.to_string());
        match error {
            selection::Error::UnknownKind { nearest: Some(nearest), .. } => {
                failure.hint(format!("did you mean \"{nearest}\"? `migrate kinds` lists all kinds"))
            }
            selection::Error::UnknownKind { nearest: None, .. } => failure.hint("`migrate kinds` lists all kinds"),
            selection::Error::Pattern { .. } => failure.hint("a pattern is a key with * and ?, for example 'clients/Web*'"),
            selection::Error::Combined { .. } => failure.hint("restrict it once"),
        }
    }
}

/// Returns the kind with this name, or an error that suggests the most similar one.
pub(super) fn kind(context: &Context, name: &str) -> Result<&'static Kind, Failure> {
    context.catalog.kind(name).ok_or_else(|| {
        let failure = Failure::new(USAGE, format!("unknown kind \"{name}\""));
        match context.catalog.nearest(name) {
            Some(nearest) => failure.hint(format!("did you mean \"{nearest}\"? `migrate kinds` lists all kinds")),
            None => failure.hint("`migrate kinds` lists all kinds"),
        }
    })
}

/// Parses the JSON in a file, or on standard input if the path is `-`.
pub(super) fn read_json(path: &Path) -> Result<serde_json::Value, Failure> {
    let is_input = path == Path::new("-");
    let shown = if is_input { Path::new("standard input") } else { path };
    let text =
        if is_input { std::io::read_to_string(std::io::stdin()).map_err(files::Error::reading(shown)) } else { files::read_text(path) }?;
    let wrong = |error| Failure::from_error(USAGE, &Text { path: shown, text: &text }.not_json("this is not JSON", &error));
    serde_json::from_str(&text).map_err(wrong)
}
