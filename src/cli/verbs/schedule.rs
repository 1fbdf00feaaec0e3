//! `migrate schedule`

use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf, absolute};

use clap::{Args, ValueEnum};
use jiff::civil::Time;
use serde_json::json;

use super::sync::Sync;
use crate::cli::context::Context;
use crate::cli::failure::{FAILED, Failure, ROOM, USAGE};
use crate::cli::prepare::source_name;
use crate::cli::settings::Settings;
use crate::disk;
use crate::mapping::{Effect, Mapping};
use crate::report::{Nightly, Scheduler, Unit, units};

/// Print what starts a sync every night: a unit of systemd, a crontab, a CronJob of Kubernetes or a workflow of GitHub
///
/// Everything behind the time is what `migrate sync` takes. No secret stands in it: each names the variables that hold them.
#[derive(Debug, Args)]
pub(in crate::cli) struct Schedule {
    /// What is to start it
    #[arg(value_enum)]
    by: By,
    /// When it starts, on the clock of this machine; for Kubernetes and GitHub in UTC
    #[arg(long, value_name = "HH:MM", default_value = "02:30", value_parser = time_of_day)]
    at: Time,
    /// The container image that holds migrate, for Kubernetes and GitHub
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// Write the files into this folder instead of printing them
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    sync: Sync,
}

/// What starts the nightly job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// A service and its timer.
    Systemd,
    /// A line of a crontab.
    Cron,
    /// A CronJob and its volume.
    Kubernetes,
    /// A workflow of GitHub Actions.
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

    /// Returns whether the job runs on another machine, out of an image.
    fn needs_an_image(self) -> bool {
        matches!(self, Self::Kubernetes | Self::Github)
    }
}

fn time_of_day(text: &str) -> Result<Time, String> {
    Time::strptime("%H:%M", text).map_err(|_| "a time of day is HH:MM, as in 02:30".to_owned())
}

impl Schedule {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<u8, Failure> {
        let units = units(self.by.scheduler(), &self.nightly(context)?);
        if let Some(folder) = &self.out {
            write(folder, &units)?;
        }
        let text = || units.iter().map(|unit| self.shown(unit, units.len())).collect::<Vec<_>>().join("\n") + "\n";
        let json = || {
            let files: Vec<_> = units.iter().map(|unit| json!({"name": unit.name, "text": unit.text})).collect();
            json!({"files": files, "exit": 0})
        };
        context.answer(text, json);
        Ok(0)
    }

    /// Returns a unit as it is printed: where it was written, or what it holds, under its name where there are several.
    fn shown(&self, unit: &Unit, of: usize) -> String {
        match &self.out {
            Some(folder) => format!("Wrote {}", folder.join(&unit.name).display()),
            None if of > 1 => format!("# --- {}\n{}", unit.name, unit.text),
            None => unit.text.trim_end().to_owned(),
        }
    }

    /// Returns a flag as the job gives it: a file of this machine is named whole.
    fn placed(&self, flag: String) -> Result<String, Failure> {
        match flag.strip_prefix("file:") {
            Some(path) if !self.by.needs_an_image() => Ok(format!("file:{}", whole(Path::new(path))?)),
            _ => Ok(flag),
        }
    }

    fn nightly(&self, context: &Context) -> Result<Nightly, Failure> {
        let route = self.sync.route();
        let flags: Vec<String> = self.sync.flags()?.into_iter().map(|flag| self.placed(flag)).collect::<Result<_, _>>()?;
        let target = context.tenant_settings(route.tenant.as_deref())?;
        let source = source_name(context, &route, target)?;
        let settings = context.settings()?;
        settings.tenant(&source)?;
        let Some(config) = &settings.config else {
            let state = "nothing was printed: a nightly job needs a migrate.toml, and there is none";
            return Err(Failure::new(USAGE, state).hint("name both tenants in one, or name the file with --config"));
        };
        let mapping = route.manner.mapping.as_ref().or(target.mapping.as_ref());
        let image = match (&self.image, self.by.needs_an_image()) {
            (None, true) => {
                let state = "nothing was printed: the image that holds migrate is not named";
                return Err(Failure::new(USAGE, state).hint("add --image, as in --image registry.example/migrate:1"));
            }
            (image, _) => image.clone().unwrap_or_default(),
        };
        let place = |path: &Path| if self.by == By::Github { within(path, config) } else { whole(path) };
        let mapping_place = mapping.map(|path| place(path)).transpose()?;
        Ok(Nightly {
            at: (self.at.hour().unsigned_abs(), self.at.minute().unsigned_abs()),
            program: if self.by.needs_an_image() { "migrate".to_owned() } else { program()? },
            config: place(config)?,
            folder: if self.by == By::Github { ".".to_owned() } else { place(&settings.dir)? },
            besides: flags.iter().find_map(|flag| Some(Path::new(flag.strip_prefix("file:")?).parent()?.display().to_string())),
            mapping: mapping_place,
            variables: variables(context, settings, &[&source, &target.name], mapping, &flags)?,
            source,
            target: target.name.clone(),
            flags,
            owner: std::fs::metadata(config).map_or(0, |config| config.uid()),
            image,
        })
    }
}

/// Returns the variables that the job reads: credentials, what the mapping supplies, and addresses of hooks.
fn variables(
    context: &Context,
    settings: &Settings,
    tenants: &[&str],
    mapping: Option<&PathBuf>,
    flags: &[String],
) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for tenant in tenants {
        names.extend(settings.variables_of(tenant)?);
    }
    if let Some(path) = mapping {
        let rules = Mapping::load(context.catalog, path)?.rules;
        names.extend(rules.into_iter().filter_map(|rule| match rule.effect {
            Effect::Secret(from) => from.strip_prefix("env:").map(str::to_owned),
            _ => None,
        }));
    }
    names.extend(flags.iter().filter_map(|flag| flag.strip_prefix("env:")).map(str::to_owned));
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    Ok(names)
}

fn program() -> Result<String, Failure> {
    let unknown = |source| Failure::new(FAILED, "nothing was printed: the system does not say where migrate stands").caused_by(&source);
    whole(&std::env::current_exe().map_err(unknown)?)
}

/// Returns a path that means the same from every folder, as a unit can hold it.
fn whole(path: &Path) -> Result<String, Failure> {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    match path.to_str() {
        Some(text) if !text.contains(char::is_control) => Ok(text.to_owned()),
        _ => Err(Failure::new(USAGE, format!("nothing was printed: no unit can hold the name of {}", path.display()))),
    }
}

/// Returns a path as a repository knows it that holds the configuration at its top.
fn within(path: &Path, config: &Path) -> Result<String, Failure> {
    let (path, top) = (PathBuf::from(whole(path)?), PathBuf::from(whole(config)?));
    let top = top.parent().unwrap_or(Path::new("/"));
    let leads_out = path.components().any(|part| part == Component::ParentDir);
    match path.strip_prefix(top) {
        Ok(path) if !leads_out => Ok(path.display().to_string()),
        _ => {
            let state = format!("nothing was printed: \"{}\" does not stand below the configuration", path.display());
            Err(Failure::new(USAGE, state).hint("a workflow sees one repository; put the mapping into it"))
        }
    }
}

fn write(folder: &Path, units: &[Unit]) -> Result<(), Failure> {
    for unit in units {
        let path = folder.join(&unit.name);
        let failed = |source| Failure::new(FAILED, format!("\"{}\" was not written", path.display())).caused_by(&source).hint(ROOM);
        disk::write_whole(&path, unit.text.as_bytes()).map_err(failed)?;
    }
    Ok(())
}
