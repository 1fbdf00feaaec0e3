//! `migrate schedule`

use std::path::{Component, Path, PathBuf, absolute};

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Serialize;

use super::sync::SyncArgs;
use crate::cli::context::Context;
use crate::cli::error::{FAILED, Failure, USAGE};
use crate::config::Settings;
use crate::files;
use crate::mapping::{Effect, Mapping, MappingRule};
use crate::platform;
use crate::report::{self, CertificateFile, Nightly, Scheduler, Unit, VOLUME, units};
use crate::workflow::limits::TimeOfDay;
use crate::workflow::source_side;

/// Print a scheduled job that runs `migrate sync`, for systemd, cron, Kubernetes or GitHub Actions
///
/// All options of `migrate sync` are passed on to the job, and so are --dir, --log-file, --log-format and --verbose. The job contains no
/// secrets. It names the variables that you have to set, and mounts the certificates of `ca_file`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ScheduleArgs {
    /// The scheduler
    #[arg(value_enum, value_name = "SCHEDULER")]
    by: By,
    /// Start time: local time, or UTC for Kubernetes and GitHub
    #[arg(long, value_name = "HH:MM", default_value = "02:30", value_parser = TimeOfDay::of_any_clock)]
    at: TimeOfDay,
    /// The container image of migrate, for Kubernetes and GitHub
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// Write the files to this folder instead of printing them
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    sync: SyncArgs,
}

/// What starts the nightly job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// A service and its timer.
    Systemd,
    /// A line for a crontab.
    Cron,
    /// A CronJob and its volume.
    Kubernetes,
    /// A GitHub Actions workflow.
    Github,
}

impl By {
    fn scheduler(self) -> Scheduler {
        match self {
            Self::Systemd => Scheduler::Systemd,
            Self::Cron => Scheduler::Cron,
            Self::Kubernetes => Scheduler::Kubernetes,
            Self::Github => Scheduler::Github,
        }
    }

    /// Returns whether the job runs on another machine, from a container image.
    fn needs_an_image(self) -> bool {
        matches!(self, Self::Kubernetes | Self::Github)
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct ScheduleAnswer<'a> {
    files: Vec<UnitFields<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct UnitFields<'a> {
    name: &'a str,
    text: &'a str,
}

impl ScheduleArgs {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<u8, Failure> {
        let units = units(self.by.scheduler(), &self.nightly(context)?);
        if let Some(folder) = &self.out {
            write(folder, &units)?;
        }
        let text = || units.iter().map(|unit| self.shown(unit, units.len())).collect::<Vec<_>>().join("\n") + "\n";
        let json = || {
            let files = units.iter().map(|Unit { name, text }| UnitFields { name, text }).collect();
            report::answer(&ScheduleAnswer { files }, 0)
        };
        context.answer_as_it_is(text, json);
        Ok(0)
    }

    /// Formats a unit for printing: its path if it was written, otherwise its content, under its name if there are
    /// several.
    fn shown(&self, unit: &Unit, of: usize) -> String {
        match &self.out {
            Some(folder) => format!("Wrote {}", folder.join(&unit.name).display()),
            None if of > 1 => format!("# --- {}\n{}", unit.name, unit.text),
            None => unit.text.trim_end().to_owned(),
        }
    }

    /// Returns an option as the job passes it: local files as absolute paths; other machines only get paths that
    /// persist.
    fn placed(&self, flag: String) -> Result<String, Failure> {
        let Some(path) = flag.strip_prefix("file:").map(Path::new) else { return Ok(flag) };
        let lasts = self.by == By::Kubernetes && path.starts_with(VOLUME) && !leads_out(path);
        if !self.by.needs_an_image() {
            return Ok(format!("file:{}", whole(path)?));
        }
        if lasts {
            return Ok(flag);
        }
        let or = if self.by == By::Kubernetes { format!(", or a file below {VOLUME}") } else { String::new() };
        let failure = Failure::new(USAGE, "the file would be lost when the job ends");
        Err(failure.hint(format!("use --secrets-to exec:CMD{or}")))
    }

    /// Refuses files that a job on another machine would not find.
    fn refuse_what_is_not_there(&self, mapping: &MappingFiles) -> Result<(), Failure> {
        if !self.by.needs_an_image() {
            return Ok(());
        }
        if let Some((rule, place)) = mapping.secrets().find(|(_, place)| place.starts_with("file:")) {
            let error = format!("the rule at {} takes a secret from \"{place}\", which the job cannot read", rule.place);
            return Err(Failure::new(USAGE, error).hint("take it from a variable: secret = \"env:NAME\""));
        }
        match mapping.tables.iter().find(|table| table.parent() != mapping.path.parent()) {
            Some(table) if self.by == By::Kubernetes => {
                let error = format!("\"{}\" is not in the folder of the mapping", table.display());
                Err(Failure::new(USAGE, error).hint("a ConfigMap has no folders; move the table next to the mapping"))
            }
            _ => Ok(()),
        }
    }

    /// Returns the global options that the job takes over from this command line, besides the configuration and the folder.
    fn everywhere(&self, context: &Context) -> Result<Vec<String>, Failure> {
        let is_verbose = context.is_verbose().then(|| "--verbose".to_owned());
        let Some(path) = context.log().file() else { return Ok(is_verbose.into_iter().collect()) };
        let lasts = self.by == By::Kubernetes && path.starts_with(VOLUME) && !leads_out(path);
        if self.by.needs_an_image() && !lasts && !path.starts_with("/dev") {
            let or = if self.by == By::Kubernetes { format!(", or a file below {VOLUME}") } else { String::new() };
            let failure = Failure::new(USAGE, "the log would be lost when the job ends");
            return Err(failure.hint(format!("use --log-file /dev/stderr{or}")));
        }
        let log = ["--log-file".to_owned(), whole(path)?].into_iter().chain(context.log().format_to_args());
        Ok(is_verbose.into_iter().chain(log).collect())
    }

    /// Returns the files with certificates of authorities that the job reads for a tenant, where it is on another machine.
    fn certificates(&self, settings: &Settings, tenants: &[&str]) -> Result<Vec<CertificateFile>, Failure> {
        let mut files: Vec<CertificateFile> = Vec::new();
        for tenant in tenants {
            let Some(file) = settings.tenant(tenant)?.ca_file.as_ref().filter(|_| self.by.needs_an_image()) else { continue };
            let is_in_repository = !file.written.is_absolute() && !leads_out(&file.written);
            if self.by == By::Github && !is_in_repository {
                let error =
                    format!("the ca_file of {tenant}, \"{}\", is not below the folder of the configuration", file.written.display());
                let hint = "a workflow can only read its own repository; name a file in it by its path from migrate.toml";
                return Err(Failure::new(USAGE, error).hint(hint));
            }
            let file = CertificateFile { local: whole(&file.path)?, written: whole_text(&file.written)? };
            if !files.contains(&file) {
                files.push(file);
            }
        }
        Ok(files)
    }

    fn nightly(&self, context: &Context) -> Result<Nightly, Failure> {
        let route = self.sync.route();
        let flags: Vec<String> = self.sync.flags()?.into_iter().map(|flag| self.placed(flag)).collect::<Result<_, _>>()?;
        let target = context.tenant_settings_by("--to", route.tenant.as_deref())?;
        let source = source_side(context.environment()?, route.from.as_deref(), target)?.tenant;
        let settings = context.settings()?;
        settings.tenant(&source)?;
        let Some(config) = &settings.config else {
            let error = "a scheduled job needs a migrate.toml, and there is none";
            return Err(Failure::new(USAGE, error).hint("define both tenants in one, or name the file with --config"));
        };
        let mapping = route.options.mapping.as_ref().or(target.mapping.as_ref());
        let image = match (&self.image, self.by.needs_an_image()) {
            (None, true) => {
                let error = "--image is missing";
                return Err(
                    Failure::new(USAGE, error).hint("name an image with migrate in it, for example --image registry.example/migrate:1")
                );
            }
            (image, _) => image.clone().unwrap_or_default(),
        };
        let owner = owner(config)?;
        // A pod or a workflow uses no locks of this machine.
        let (state_home, locks) = if self.by.needs_an_image() { (String::new(), String::new()) } else { places_of_locks(settings, owner)? };
        let place = |path: &Path| if self.by == By::Github { within(path, config) } else { whole(path) };
        let mapping_place = mapping.map(|path| place(path)).transpose()?;
        let mapping = mapping.map(|path| MappingFiles::load(context, path)).transpose()?;
        mapping.iter().try_for_each(|mapping| self.refuse_what_is_not_there(mapping))?;
        Ok(Nightly {
            at: self.at.hour_and_minute(),
            program: if self.by.needs_an_image() { "migrate".to_owned() } else { program()? },
            config: place(config)?,
            folder: match (place(&settings.dir)?, self.by) {
                (folder, By::Github) if folder.is_empty() => ".".to_owned(),
                (folder, _) => folder,
            },
            besides: flags.iter().find_map(|flag| Some(Path::new(flag.strip_prefix("file:")?).parent()?.display().to_string())),
            mapping: mapping_place,
            tables: mapping.iter().flat_map(|mapping| &mapping.tables).map(|table| place(table)).collect::<Result<_, _>>()?,
            variables: variables(settings, &[&source, &target.name], mapping.as_ref(), &flags)?,
            certificates: self.certificates(settings, &[&source, &target.name])?,
            everywhere: self.everywhere(context)?,
            log: context.log().file().filter(|_| !self.by.needs_an_image()).and_then(folder_of_log).map(|path| whole(&path)).transpose()?,
            source,
            target: target.name.clone(),
            flags,
            owner,
            state_home,
            locks,
            domain: target.domain.clone(),
            image,
        })
    }
}

/// The mapping of a job and its files.
struct MappingFiles {
    path: PathBuf,
    tables: Vec<PathBuf>,
    rules: Vec<MappingRule>,
}

impl MappingFiles {
    fn load(context: &Context, path: &Path) -> Result<Self, Failure> {
        let (mapping, mut tables) = Mapping::load_with_tables(context.catalog, path)?;
        tables.sort();
        tables.dedup();
        Ok(Self { path: path.to_owned(), tables, rules: mapping.rules })
    }

    /// Returns the rules that supply a secret, each with the secret's source.
    fn secrets(&self) -> impl Iterator<Item = (&MappingRule, &str)> {
        self.rules.iter().filter_map(|rule| match &rule.effect {
            Effect::Secret(place) => Some((rule, place.as_str())),
            _ => None,
        })
    }
}

/// Returns the user who owns the configuration, as whom the job runs.
fn owner(config: &Path) -> Result<u32, Failure> {
    let error = || format!("cannot determine the owner of \"{}\"", config.display());
    let metadata = std::fs::metadata(config).map_err(|source| Failure::new(FAILED, error()).caused_by(&source))?;
    platform::owner(&metadata).ok_or_else(|| Failure::new(USAGE, error()).hint("schedule it on the system that the job runs on"))
}

/// Returns the state folder of the user as whom the job runs, and the nearest existing parent of its lock folder.
///
/// That must be the current user: another user's state folder is known only in that user's own session.
fn places_of_locks(settings: &Settings, owner: u32) -> Result<(String, String), Failure> {
    let is_me = platform::user() == Some(owner);
    let state_home = settings.state_home.as_ref().filter(|_| is_me).ok_or_else(|| {
        let error = format!("the lock folder of user {owner}, who owns the configuration, is unknown");
        Failure::new(USAGE, error).hint(format!("run this as that user, with HOME or XDG_STATE_HOME set, as `sudo -H -u '#{owner}'` does"))
    })?;
    Ok((whole(state_home)?, whole(nearest(&state_home.join("migrate/locks")))?))
}

/// Returns a folder, or its nearest existing parent: the sandbox of a systemd unit cannot contain missing ones.
fn nearest(folder: &Path) -> &Path {
    folder.ancestors().find(|above| above.is_dir()).unwrap_or(folder)
}

/// Returns the variables that the job reads: credentials, supplied secrets and webhook URLs.
fn variables(settings: &Settings, tenants: &[&str], mapping: Option<&MappingFiles>, flags: &[String]) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for tenant in tenants {
        names.extend(settings.variables_of(tenant)?);
        names.extend(settings.tenant(tenant)?.proxy.as_ref().and_then(|proxy| proxy.variable()).map(str::to_owned));
    }
    let supplied = mapping.into_iter().flat_map(MappingFiles::secrets);
    names.extend(supplied.filter_map(|(_, place)| place.strip_prefix("env:")).map(str::to_owned));
    names.extend(flags.iter().filter_map(|flag| flag.strip_prefix("env:")).map(str::to_owned));
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    Ok(names)
}

fn program() -> Result<String, Failure> {
    let unknown = |source| Failure::new(FAILED, "cannot determine the path of this program").caused_by(&source);
    whole(&std::env::current_exe().map_err(unknown)?)
}

/// Returns the folder that a log is created in; a device has none.
fn folder_of_log(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    (!path.starts_with("/dev")).then(|| folder.to_owned())
}

/// Returns an absolute path in the form that a unit accepts.
fn whole(path: &Path) -> Result<String, Failure> {
    let error = || format!("cannot resolve \"{}\"", path.display());
    whole_text(&absolute(path).map_err(|source| Failure::new(FAILED, error()).caused_by(&source))?)
}

/// Returns a path in the form that a unit accepts.
fn whole_text(path: &Path) -> Result<String, Failure> {
    match path.to_str() {
        Some(text) if !text.contains(char::is_control) => Ok(text.to_owned()),
        _ => Err(Failure::new(USAGE, format!("a unit cannot contain the path {}", path.display()))),
    }
}

/// Returns a path relative to the folder of the configuration, which is the root of the repository.
fn within(path: &Path, config: &Path) -> Result<String, Failure> {
    let (path, top) = (PathBuf::from(whole(path)?), PathBuf::from(whole(config)?));
    let top = top.parent().unwrap_or(Path::new("/"));
    match path.strip_prefix(top) {
        Ok(inside) if !leads_out(&path) => Ok(inside.display().to_string()),
        _ => {
            let error = format!("\"{}\" is not below the folder of the configuration", path.display());
            Err(Failure::new(USAGE, error).hint("a workflow can only read its own repository; name a path in it"))
        }
    }
}

fn leads_out(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

fn write(folder: &Path, units: &[Unit]) -> Result<(), Failure> {
    for unit in units {
        let path = folder.join(&unit.name);
        files::write_whole(&path, unit.text.as_bytes())?;
    }
    Ok(())
}
