//! Examples of every command, at the end of its help and of its man page.

/// The examples of each command, by its name.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "init",
        &[
            "migrate init",
            "migrate init --source-domain acme-dev.eu.auth0.com --target-domain acme-prod.eu.auth0.com",
            "migrate init --source-domain acme-dev.eu.auth0.com --source-client-id ID --source-client-secret-file dev.secret --target-domain \
             acme-prod.eu.auth0.com --output json",
        ],
    ),
    ("doctor", &["migrate doctor", "migrate doctor --tenant prod --kinds clients,client-grants", "migrate doctor --output json"]),
    (
        "mapping",
        &[
            "migrate mapping suggest --tenant prod",
            "migrate mapping suggest --tenant prod --from dev@latest",
            "migrate mapping suggest --tenant prod --out mappings/dev-to-prod.toml",
        ],
    ),
    (
        "export",
        &[
            "migrate export --tenant dev",
            "migrate export --tenant dev --kinds clients,connections",
            "migrate export --tenant dev --out review/dev --one-file-per-resource",
        ],
    ),
    ("snapshots", &["migrate snapshots --tenant dev", "migrate snapshots prune --keep 10"]),
    (
        "diff",
        &[
            "migrate diff dev@2026-11-22 dev",
            "migrate diff dev prod --kinds clients",
            "migrate diff dev@latest snapshots/dev/2026-11-22T21-00-00Z --report diff.html",
        ],
    ),
    ("validate", &["migrate validate", "migrate validate --mapping mappings/dev-to-prod.toml --strict"]),
    ("map", &["migrate map 'clients/Web*' --tenant prod", "migrate map clients/Web --tenant prod --from dev@latest"]),
    (
        "plan",
        &[
            "migrate plan --tenant prod",
            "migrate plan --tenant prod --only 'clients/Web*' --with-dependencies",
            "migrate plan --tenant prod --out plan.json --report plan.html",
            "migrate plan --tenant prod --check --report plan.md",
        ],
    ),
    (
        "approve",
        &[
            "migrate approve plan.json --by 'Ada Lovelace'",
            "migrate approve plan.json --by Ada --only 'clients/*' --only connections/globex",
        ],
    ),
    ("explain", &["migrate explain clients/Web --tenant prod", "migrate explain 'roles/*' --tenant prod --from dev@latest"]),
    (
        "import",
        &[
            "migrate import --tenant prod --dry-run",
            "migrate import --tenant prod --allow 'lockout-risk:clients/Web'",
            "migrate import --tenant prod --plan plan.json --yes --report run.html",
            "migrate import --tenant prod --resume",
        ],
    ),
    (
        "sync",
        &[
            "migrate sync --from dev --to prod",
            "migrate sync --from dev --to prod --until 05:30 --notify https://hooks.example/migrate",
            "migrate sync --from dev --to prod --prune --allow 'deletes:clients/*'",
        ],
    ),
    ("get", &["migrate get clients --tenant prod", "migrate get clients Web --tenant prod", "migrate get tenant-settings --tenant prod"]),
    (
        "update",
        &["migrate update clients Web web.json --tenant prod --dry-run", "migrate update tenant-settings settings.json --tenant prod"],
    ),
    (
        "api",
        &[
            "migrate api get 'clients?fields=client_id,name' --tenant prod",
            "migrate api get 'users-by-email?email=ada@example.com' --tenant prod",
            "migrate api patch tenants/settings --data settings.json --tenant prod",
        ],
    ),
    ("runs", &["migrate runs --tenant prod"]),
    ("show", &["migrate show last", "migrate show 2026-11-22T21-00-00Z-prod --verify", "migrate show plan.json --report plan.html"]),
    (
        "probe",
        &[
            "migrate probe --tenant prod",
            "migrate probe --tenant prod --only 'clients/Web*'",
            "migrate probe --run 2026-11-22T21-00-00Z-prod",
        ],
    ),
    ("undo", &["migrate undo 2026-11-22T21-00-00Z-prod --dry-run", "migrate undo 2026-11-22T21-00-00Z-prod --only clients/Web"]),
    (
        "restore",
        &[
            "migrate restore --tenant prod --from prod@2026-11-22T21-00-00Z-prod --dry-run",
            "migrate restore --tenant prod --from prod@2026-11-22 --kinds clients",
        ],
    ),
    ("drift", &["migrate drift --tenant prod", "migrate drift --tenant prod --check --report drift.xml"]),
    (
        "ids",
        &[
            "migrate ids --tenant prod --kinds clients --output env > prod.env",
            "migrate ids --tenant prod --only 'clients/Web*' --output csv",
            "migrate ids --run 2026-11-22T21-00-00Z-prod --output json",
        ],
    ),
    ("link", &["migrate link clients dev-client-id prod-client-id --tenant prod --from dev"]),
    ("unlink", &["migrate unlink clients dev-client-id --tenant prod --from dev"]),
    (
        "schedule",
        &[
            "migrate schedule github --to prod --at 02:30 --out .",
            "migrate schedule systemd --to prod --at 02:30",
            "migrate schedule kubernetes --to prod --at 02:30 --image registry.example/migrate:0.1.0",
        ],
    ),
    ("kinds", &["migrate kinds", "migrate kinds --output json"]),
    ("completions", &["source <(migrate completions bash)", "migrate completions fish > ~/.config/fish/completions/migrate.fish"]),
    ("man", &["migrate man ~/.local/share/man/man1"]),
    ("schema", &["migrate schema plan > plan.schema.json", "migrate schema config"]),
    ("scopes", &["migrate scopes", "migrate scopes --for export --kinds clients"]),
    ("sandbox", &["migrate sandbox --port 4010 --credentials id:secret", "migrate sandbox --state dev.json --tier enterprise --port 4010"]),
    ("demo", &["migrate demo"]),
];

/// Returns a command line with the examples of its commands.
pub(in crate::cli) fn with_examples(mut command: clap::Command) -> clap::Command {
    for (name, lines) in EXAMPLES {
        let text = format!("Examples:\n  {}", lines.join("\n  "));
        command = command.mut_subcommand(name, |command| command.after_help(text));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::cli::command_line;

    /// Returns the parsed arguments of a command and its subcommands, with their values.
    fn given<'a>(command: &'a clap::Command, matches: &clap::ArgMatches) -> Vec<(&'a clap::Arg, String)> {
        let values = |argument: &'a clap::Arg| {
            let is_given = matches.value_source(argument.get_id().as_str()).is_some();
            let raw = is_given.then(|| matches.get_raw(argument.get_id().as_str())).flatten();
            raw.into_iter().flatten().map(move |value| (argument, value.to_string_lossy().into_owned())).collect::<Vec<_>>()
        };
        let below = matches.subcommand().and_then(|(name, matches)| Some(given(command.find_subcommand(name)?, matches)));
        command.get_arguments().flat_map(values).chain(below.into_iter().flatten()).collect()
    }

    /// Returns the kinds that the value of an argument names.
    fn kinds_of(argument: &clap::Arg, value: &str) -> Vec<String> {
        let before_slash = |pattern: &str| pattern.split('/').next().unwrap_or_default().to_owned();
        match argument.get_value_names().and_then(<[_]>::first).map(clap::builder::Str::as_str) {
            Some("KIND" | "KIND,..") => value.split(',').map(str::to_owned).collect(),
            Some("GLOB" | "KEY|GLOB") => vec![before_slash(value)],
            Some("GUARD,..") => value.split(',').filter_map(|approval| approval.split_once(':')).map(|(_, of)| before_slash(of)).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_kind_in_an_example_exists() {
        let (command, catalog) = (command_line(), Catalog::standard());
        let mut checked = 0;
        for line in EXAMPLES.iter().flat_map(|(_, lines)| *lines) {
            let matches = command.clone().try_get_matches_from(words(line)).expect("tested below");
            for kind in given(&command, &matches).iter().flat_map(|(argument, value)| kinds_of(argument, value)) {
                assert!(catalog.kind(&kind).is_some(), "{line}: there is no kind \"{kind}\"");
                checked += 1;
            }
        }
        assert!(checked > 20, "{checked}");
    }

    #[test]
    fn the_page_of_commands_names_every_command() {
        let page = include_str!("../../../docs/commands.md");
        let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("migrate ")).collect();
        let is_there = |name: &&str| lines.iter().any(|line| line.split(' ').nth(1) == Some(name));
        assert_eq!(EXAMPLES.iter().map(|(name, _)| *name).filter(|name| !is_there(name)).collect::<Vec<_>>(), Vec::<&str>::new());
    }

    #[test]
    fn only_options_of_the_selection_stand_under_its_heading() {
        fn check(command: &clap::Command, found: &mut usize) {
            const SELECTION: [&str; 5] = ["kinds", "only", "exclude", "include", "with_dependencies"];
            for argument in command.get_arguments().filter(|argument| argument.get_help_heading() == Some("Selection")) {
                assert!(SELECTION.contains(&argument.get_id().as_str()), "{}: --{}", command.get_name(), argument.get_id());
                *found += 1;
            }
            command.get_subcommands().for_each(|command| check(command, found));
        }
        let mut found = 0;
        check(&command_line(), &mut found);
        assert!(found > 20, "{found}");
    }

    /// Splits an example as a shell does, without redirections.
    fn words(line: &str) -> Vec<String> {
        let words = line.trim_start_matches("source <(").split(&['>', ')']).next().unwrap_or_default().trim();
        shlex::split(words).expect("words")
    }

    #[test]
    fn every_command_has_examples_that_it_accepts() {
        let command = command_line();
        for (name, lines) in EXAMPLES {
            for line in *lines {
                let words = words(line);
                assert_eq!(words[1], *name, "{line}");
                command.clone().try_get_matches_from(words).unwrap_or_else(|refused| panic!("{line}: {refused}"));
            }
        }
        for command in command.get_subcommands() {
            assert!(EXAMPLES.iter().any(|(name, _)| *name == command.get_name()), "{} has no examples", command.get_name());
        }
    }
}
