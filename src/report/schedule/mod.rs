//! Files that make systemd, cron, Kubernetes or GitHub Actions start `migrate sync` every night.
//!
//! Each scheduler has a template beside this file, whose `{words}` are filled in from one [`Nightly`].

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::shell::{is_plain, shell_word};

#[cfg(test)]
mod tests;

/// The folder of a pod's state.
pub(crate) const VOLUME: &str = "/var/lib/migrate";

/// The folder of a pod's configuration.
const CONFIGURATION: &str = "/etc/migrate";

/// The longest name that Kubernetes accepts for a CronJob.
const LONGEST_NAME: usize = 52;

/// A scheduler that starts the nightly job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheduler {
    /// A service and its timer.
    Systemd,
    /// A line in a crontab.
    Cron,
    /// A CronJob and the volume for its state.
    Kubernetes,
    /// A workflow of GitHub Actions.
    Github,
}

/// The description of a nightly job, as every scheduler needs it.
#[derive(Debug, Clone)]
pub(crate) struct Nightly {
    /// The source tenant.
    pub(crate) source: String,
    /// The target tenant.
    pub(crate) target: String,
    /// The domain of the target.
    pub(crate) domain: String,
    /// The hour and the minute of the start.
    pub(crate) at: (u8, u8),
    /// The path of the program.
    pub(crate) program: String,
    /// The configuration file: an absolute path, or a path in the repository of a workflow.
    pub(crate) config: String,
    /// The folder of snapshots, runs and state.
    pub(crate) folder: String,
    /// The state folder of the user that the job runs as; it contains the locks.
    pub(crate) state_home: String,
    /// The nearest existing parent folder of the locks.
    pub(crate) locks: String,
    /// Another folder that the job writes to: that of new secrets.
    pub(crate) besides: Option<String>,
    /// The path of the mapping.
    pub(crate) mapping: Option<String>,
    /// The tables of the mapping, all in the same folder.
    pub(crate) tables: Vec<String>,
    /// Further arguments of the command: `--until`, `05:00`.
    pub(crate) flags: Vec<String>,
    /// The environment variables that it reads.
    pub(crate) variables: Vec<String>,
    /// The files with certificates of authorities that it reads, for Kubernetes and GitHub.
    pub(crate) certificates: Vec<CertificateFile>,
    /// Further global options: `--log-file`, `/var/log/migrate.log`.
    pub(crate) everywhere: Vec<String>,
    /// The folder of its log.
    pub(crate) log: Option<String>,
    /// The id of the user who owns the folder.
    pub(crate) owner: u32,
    /// The container image with the program, for Kubernetes and GitHub.
    pub(crate) image: String,
}

/// A file with certificates of authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateFile {
    /// Its absolute path on this machine.
    pub(crate) local: String,
    /// Its path as it is configured: absolute, or from the folder of the configuration.
    pub(crate) written: String,
}

/// A file that a scheduler reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Its file name.
    pub(crate) name: String,
    /// Its content.
    pub(crate) text: String,
}

/// Returns the files that make a scheduler start a job every night.
#[must_use]
pub(crate) fn units(scheduler: Scheduler, nightly: &Nightly) -> Vec<Unit> {
    let mut values = nightly.template_values();
    let templates: &[(&str, &str)] = match scheduler {
        Scheduler::Systemd => {
            values.extend([
                ("command", joined(&nightly.command(), systemd_command_word)),
                ("folder_line", nightly.folder.replace('%', "%%")),
                ("folders", joined(&nightly.written(), systemd_path)),
                ("state_home", systemd_path(&format!("XDG_STATE_HOME={}", nightly.state_home))),
            ]);
            &[("service", include_str!("systemd.service")), ("timer", include_str!("systemd.timer"))]
        }
        Scheduler::Cron => {
            // An unescaped `%` ends the command in a crontab.
            values.push(("command", joined(&nightly.command(), shell_word).replace('%', "\\%")));
            values.push(("state_home", nightly.state_home.clone()));
            &[("cron", include_str!("crontab"))]
        }
        Scheduler::Kubernetes => {
            values.extend(nightly.in_a_pod());
            &[("yaml", include_str!("kubernetes.yaml"))]
        }
        Scheduler::Github => {
            let variable = |name: &String| format!("          {name}: ${{{{ secrets.{name} }}}}");
            let variables: Vec<String> = nightly.variables.iter().map(variable).collect();
            let kept = if nightly.folder == "." { String::new() } else { format!("{}/", nightly.folder) };
            values.extend([
                ("command", joined(&nightly.command(), shell_word)),
                ("environment", variables.join("\n")),
                ("kept", kept),
                ("certificates", nightly.certificates_in_a_repository()),
            ]);
            &[("yml", include_str!("github.yml"))]
        }
    };
    let unit = |(ending, template): &(&str, &str)| Unit { name: format!("{}.{ending}", nightly.name()), text: filled(template, &values) };
    templates.iter().map(unit).collect()
}

impl Nightly {
    /// Returns the values that every template uses.
    fn template_values(&self) -> Vec<(&'static str, String)> {
        let (hour, minute) = self.at;
        vec![
            ("source", self.source.clone()),
            ("target", self.target.clone()),
            ("name", self.name()),
            ("to", as_name(&format!("migrate-to-{}", self.target))),
            ("group", format!("migrate-to-{}", self.domain.to_lowercase())),
            ("hour", hour.to_string()),
            ("minute", minute.to_string()),
            ("at", format!("{hour:02}:{minute:02}")),
            ("dotenv", self.beside_config(".env")),
            ("last_sync", self.last_sync()),
            ("owner", self.owner.to_string()),
            ("config", shell_word(&self.config)),
            ("image", yaml_word(&self.image)),
            ("variables", self.variables.join(" ")),
        ]
    }

    /// Returns the name of the job: `migrate-dev-prod`. Hyphens inside a name are doubled, so that every pair has a
    /// unique name.
    fn name(&self) -> String {
        let [source, target] = [&self.source, &self.target].map(|name| name.replace(['-', '_'], "--"));
        as_name(&format!("migrate-{source}-{target}"))
    }

    /// Returns the command as a list of words.
    fn command(&self) -> Vec<String> {
        let mut words = vec![self.program.clone(), "--config".to_owned(), self.config.clone()];
        words.extend(["--dir".to_owned(), self.folder.clone()]);
        words.extend(self.everywhere.clone());
        words.extend(self.sync(self.mapping.as_deref()));
        words
    }

    fn sync(&self, mapping: Option<&str>) -> impl Iterator<Item = String> {
        let route = ["sync", "--from", &self.source, "--to", &self.target].map(str::to_owned);
        let mapping = mapping.into_iter().flat_map(|mapping| ["--mapping".to_owned(), mapping.to_owned()]);
        route.into_iter().chain(mapping.collect::<Vec<_>>()).chain(self.flags.clone())
    }

    /// Returns the path of the file about the last sync.
    fn last_sync(&self) -> String {
        format!("{}/state/{}/{}/last-sync.json", self.folder.trim_end_matches('/'), self.source, self.target)
    }

    /// Returns the folders that it writes to.
    fn written(&self) -> Vec<String> {
        let mut folders: Vec<String> = [&self.folder, &self.locks].into_iter().chain(&self.besides).chain(&self.log).cloned().collect();
        let mut seen = BTreeSet::new();
        folders.retain(|folder| seen.insert(folder.clone()));
        folders
    }

    fn beside_config(&self, name: &str) -> String {
        self.config.rsplit_once('/').map_or(name.to_owned(), |(folder, _)| format!("{folder}/{name}"))
    }

    /// Returns the line about the certificates that have to be in the repository.
    fn certificates_in_a_repository(&self) -> String {
        let names: Vec<&str> = self.certificates.iter().map(|file| file.written.as_str()).collect();
        if names.is_empty() { String::new() } else { format!("# Commit the certificates too, which are no secrets: {}\n", names.join(" ")) }
    }

    /// Returns the values for a pod, whose configuration is in `/etc/migrate` and whose state is on its [`VOLUME`].
    fn in_a_pod(&self) -> Vec<(&'static str, String)> {
        let name = self.name();
        let mapping = self.mapping.as_deref();
        let inside = mapping.map(|path| format!("/etc/migrate-mappings/{}", path.rsplit('/').next().unwrap_or(path)));
        let fixed = ["--config", "/etc/migrate/migrate.toml", "--dir", VOLUME].map(str::to_owned);
        let mut arguments = String::new();
        for word in fixed.into_iter().chain(self.everywhere.clone()).chain(self.sync(inside.as_deref())) {
            let _ = writeln!(arguments, "                - {}", yaml_word(&word));
        }
        // Never include the folder: it may contain the file of a secret.
        let step = |mapping: &str| {
            let files = [mapping].into_iter().chain(self.tables.iter().map(String::as_str));
            let words: Vec<String> = files.map(|file| format!("--from-file={}", shell_word(file))).collect();
            format!("#     kubectl create configmap {name}-mappings {}\n", words.join(" "))
        };
        let mount =
            "                - name: mappings\n                  mountPath: /etc/migrate-mappings\n                  readOnly: true\n";
        let volume = format!("            - name: mappings\n              configMap:\n                name: {name}-mappings\n");
        let Certificates { files, items, mounts } = self.certificates_in_a_pod();
        vec![
            ("certificate_files", files),
            ("certificate_items", items),
            ("certificate_mounts", mounts),
            ("arguments", arguments.trim_end().to_owned()),
            ("mapping_step", mapping.map(step).unwrap_or_default()),
            ("mapping_mount", mapping.map(|_| mount.to_owned()).unwrap_or_default()),
            ("mapping_volume", mapping.map(|_| volume).unwrap_or_default()),
        ]
    }
}

/// The parts of a pod that are about certificates of authorities.
#[derive(Debug, Default)]
struct Certificates {
    /// Options of the command that creates the ConfigMap.
    files: String,
    /// What the volume of the configuration has of the ConfigMap, and where.
    items: String,
    /// Mounts of those that are not below the folder of the configuration.
    mounts: String,
}

impl Nightly {
    /// Returns the parts of a pod by which the files are where its configuration says.
    fn certificates_in_a_pod(&self) -> Certificates {
        let mut parts = Certificates::default();
        if self.certificates.is_empty() {
            return parts;
        }
        parts.items.push_str("                items:\n                  - key: migrate.toml\n                    path: migrate.toml\n");
        for (nth, CertificateFile { local, written }) in (1..).zip(&self.certificates) {
            let key = format!("ca-{nth}.pem");
            let _ = write!(parts.files, " --from-file={key}={}", shell_word(local));
            let place = normal(&format!("{CONFIGURATION}/"), written);
            let below = place.strip_prefix(&format!("{CONFIGURATION}/")).map(str::to_owned);
            let path = yaml_word(below.as_deref().unwrap_or(&key));
            let _ = write!(parts.items, "                  - key: {key}\n                    path: {path}\n");
            if below.is_none() {
                let mount = yaml_word(&place);
                let _ = write!(
                    parts.mounts,
                    "                - name: configuration\n                  mountPath: {mount}\n                  subPath: {key}\n                  readOnly: true\n"
                );
            }
        }
        parts
    }
}

/// Returns a path from a folder without `.` and `..`; an absolute path stays what it is.
fn normal(folder: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Fills in a template: `{word}` is replaced by its value; other braces are kept.
fn filled(template: &str, values: &[(&str, String)]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let found = values.iter().find(|(word, _)| rest[1..].strip_prefix(word).is_some_and(|behind| behind.starts_with('}')));
        let Some((word, value)) = found else {
            text.push('{');
            rest = &rest[1..];
            continue;
        };
        text.push_str(value);
        rest = &rest[word.len() + 2..];
    }
    text + rest
}

/// Returns a name that every scheduler accepts: lower-case letters, digits and hyphens.
fn as_name(text: &str) -> String {
    let name = text.to_lowercase().replace('_', "-");
    name.chars().take(LONGEST_NAME).collect::<String>().trim_end_matches('-').to_owned()
}

fn joined(words: &[String], quoted: fn(&str) -> String) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// Quotes a word of `ExecStart=`, where a `$` starts a variable.
fn systemd_command_word(word: &str) -> String {
    systemd_path(word).replace('$', "$$")
}

/// Quotes a path in a list of paths.
fn systemd_path(word: &str) -> String {
    if is_plain(word) {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%"))
}

/// Quotes a word for YAML, in which JSON strings are valid.
fn yaml_word(word: &str) -> String {
    serde_json::Value::from(word).to_string()
}
