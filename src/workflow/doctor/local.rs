//! Checks of this machine: the configuration, `.env` and the folders.

use std::path::Path;

use crate::config::{Settings, TenantSettings};
use crate::files;
use crate::model::checkup::{Check, CheckSubject};
use crate::workflow::environment::Environment;
use crate::workflow::lock::folder_of_locks;

/// The folders that only their owner should read: migrate creates them so.
const PRIVATE: [&str; 2] = ["runs", "snapshots"];

/// Checks this machine.
pub(super) fn checks(environment: &Environment) -> Vec<Check> {
    let settings = environment.settings();
    [vec![configuration(settings)], namesakes(settings), vec![dotenv(settings)], folders(settings)].concat()
}

fn configuration(settings: &Settings) -> Check {
    let count = settings.tenants.len();
    let tenants = if count == 1 { "1 tenant".to_owned() } else { format!("{count} tenants") };
    match &settings.config {
        _ if count == 0 => {
            Check::failure(CheckSubject::Configuration, "no tenant is configured", "run `migrate init`, which writes a configuration")
        }
        Some(path) => Check::ok(CheckSubject::Configuration, format!("{}: {tenants}", path.display())),
        None => Check::ok(CheckSubject::Configuration, "1 tenant, from the environment: there is no migrate.toml"),
    }
}

fn namesakes(settings: &Settings) -> Vec<Check> {
    let one_tenant = |names: Vec<&TenantSettings>| {
        let quoted: Vec<String> = names.iter().map(|tenant| format!("\"{}\"", tenant.name)).collect();
        let domain = names.first().map_or("", |tenant| &tenant.domain);
        let fact = format!("{} are the same tenant, {domain}", quoted.join(" and "));
        Check::warning(CheckSubject::Configuration, fact, "keep one of these names: their runs share a lock, but not their state")
    };
    settings.namesakes().into_iter().map(one_tenant).collect()
}

fn dotenv(settings: &Settings) -> Check {
    let path = settings.dotenv();
    let shown = path.display();
    match &settings.open_to_others {
        Some(_) => Check::warning(
            CheckSubject::Dotenv,
            format!("{shown} can be read by other users of this machine"),
            format!("run `chmod 600 {shown}`"),
        ),
        None if path.exists() => Check::ok(CheckSubject::Dotenv, format!("{shown} cannot be read by other users")),
        None => Check::ok(CheckSubject::Dotenv, format!("there is no {shown}; credentials come from the environment")),
    }
}

fn folders(settings: &Settings) -> Vec<Check> {
    let mut checks = Vec::new();
    let locks = folder_of_locks(settings);
    let places = [Some(settings.dir.clone()), locks.as_ref().ok().cloned()];
    for place in places.iter().flatten() {
        if !files::may_write_in(place) {
            let advice = "make it writable, or name another folder with --dir (for locks: with XDG_STATE_HOME)";
            checks.push(Check::failure(CheckSubject::Folders, format!("nothing can be written in {}", place.display()), advice));
        }
    }
    if let Err(error) = &locks {
        checks.push(Check::failure(CheckSubject::Folders, error.to_string(), "set XDG_STATE_HOME to a folder that this user can write to"));
    }
    for path in PRIVATE.map(|name| settings.dir.join(name)).iter().filter(|path| files::is_open_to_others(path)) {
        let shown = path.display();
        checks.push(Check::warning(
            CheckSubject::Folders,
            format!("{shown} can be read by other users of this machine"),
            format!("run `chmod 700 {shown}`"),
        ));
    }
    if checks.is_empty() {
        checks
            .push(Check::ok(CheckSubject::Folders, format!("snapshots, state and runs can be written in {}", shown_folder(&settings.dir))));
    }
    checks
}

fn shown_folder(path: &Path) -> String {
    if path == Path::new(".") { "this folder".to_owned() } else { path.display().to_string() }
}
