//! The output of `migrate schedule`, checked by the tools that read it.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::fixture::{Fixture, dev, prod};
use crate::support::linters::{check_with_actionlint, checks};

/// Every scheduler, with its additional options.
const SCHEDULERS: [&str; 4] =
    ["systemd", "cron", "kubernetes --image registry.example/migrate:1", "github --image registry.example/migrate:1"];

/// The options for every unit in these tests.
const NIGHT: &str = "--from dev --to prod --at 02:30 --until 05:00 --lock-timeout 10m --prune --allow deletes --notify env:CHAT_URL";

/// Returns a fixture and the paths of the generated files; the state folder has the worst possible name.
fn written<const N: usize>(scheduler: &str, names: [&str; N]) -> (Fixture, [String; N]) {
    let mut fixture = Fixture::small();
    fixture.set("CHAT_URL", "https://chat.example/CANARY");
    let line = format!("schedule {scheduler} {NIGHT}");
    let said = fixture.run_words(&line.split(' ').chain(["--dir", "of 100% \"dev\"", "--out", "units"]).collect::<Vec<_>>());
    assert_eq!(said.code, 0, "{}", said.whole());
    let paths = names.map(|name| fixture.path(&format!("units/{name}")).display().to_string());
    (fixture, paths)
}

/// Two tenants on other machines, of which the second has a command for its secret.
const CONFIGURATION_ELSEWHERE: &str = "[tenants.dev]\ndomain = \"acme-dev.eu.auth0.com\"\nproxy = \"env:ACME_PROXY\"\n\n[tenants.prod]\ndomain = \"acme-prod.eu.auth0.com\"\nCOMMAND\nsource = \"dev\"\n";

#[test]
fn systemd_accepts_the_service_and_its_timer() {
    let (_stage, files) = written(SCHEDULERS[0], ["migrate-dev-prod.service", "migrate-dev-prod.timer"]);
    checks("systemd-analyze", &["verify"], &files, "ProtectSystem=strict", "ProtectSystem=stict");
}

#[test]
fn a_cron_job_conforms_to_the_kubernetes_schema() {
    let (_stage, files) = written(SCHEDULERS[2], ["migrate-dev-prod.yaml"]);
    checks("kubernetes-validate", &["--strict"], &files, "backoffLimit: 0", "backofLimit: 0");
}

#[test]
fn a_workflow_conforms_to_the_github_schema() {
    let (_stage, files) = written(SCHEDULERS[3], ["migrate-dev-prod.yml"]);
    checks("check-jsonschema", &["--builtin-schema", "vendor.github-workflows"], &files, "runs-on:", "run-on:");
}

#[test]
fn actionlint_finds_nothing_in_a_workflow() {
    let (_stage, files) = written(SCHEDULERS[3], ["migrate-dev-prod.yml"]);
    check_with_actionlint(&files, "github.run_id", "github.run_name");
}

#[test]
fn the_crontab_line_is_a_sync_that_a_shell_starts() {
    let mut follower = prod();
    follower["data"]["/clients"][0]["callbacks"] = json!(["https://shop.acme.example/back"]);
    let fixture = Fixture::new(dev(), follower, "");
    assert_eq!(fixture.run("schedule cron --from dev --to prod --out units").code, 0);
    let crontab = fixture.read("units/migrate-dev-prod.cron");
    let line = crontab.lines().last().and_then(|line| line.strip_prefix("30 2 * * * ")).expect("a line, at half past two");
    let said = fixture.run_in_shell(line);
    assert_eq!(said.code, 0, "{}", said.whole());
    assert!(fixture.path("state/dev/prod/last-sync.json").exists());
}

#[test]
fn every_flag_of_sync_is_accepted_and_in_the_line() {
    let mut fixture = Fixture::small();
    fixture.set("CHAT_URL", "https://chat.example/CANARY");
    fixture.write("m.toml", "");
    let given = "--from dev --to prod --mapping m.toml --include third-party --drift fail --prune --strict --kinds clients,roles \
                 --only clients --exclude clients/Test* --with-dependencies --allow deletes,source-leak --until 05:00Z --max-requests 900 \
                 --probe --incremental --lock-timeout 90m --secrets-to file:new/secrets.jsonl --notify env:CHAT_URL --heartbeat env:CHAT_URL \
                 --report night.html";
    let said = fixture.run(&format!("schedule cron {given}"));
    assert_snapshot!(said.out.lines().last().and_then(|line| line.split_once(" sync ")).expect("a sync").1, @"--from dev --to prod --mapping DIR/m.toml --include third-party --drift fail --prune --strict --kinds clients,roles --only clients --exclude 'clients/Test*' --with-dependencies --allow deletes,source-leak --probe --incremental --until 05:00Z --max-requests 900 --lock-timeout 1h30m --secrets-to file:DIR/new/secrets.jsonl --notify env:CHAT_URL --heartbeat env:CHAT_URL --report DIR/night.html");
    let help = fixture.run("sync --help").out;
    let everywhere =
        ["--config", "--dir", "--output", "--quiet", "--verbose", "--no-pager", "--color", "--log-file", "--log-format", "--help"];
    let flags =
        help.lines().filter_map(|line| line.split([' ', ',']).find(|word| word.starts_with("--") && line.trim_start().starts_with('-')));
    // The opposite of --incremental.
    let full = fixture.run("schedule cron --from dev --to prod --full");
    assert!(full.out.ends_with(" sync --from dev --to prod --full\n"), "{}", full.whole());
    let missing: Vec<&str> = flags
        .filter(|flag| *flag != "--full" && !everywhere.contains(flag) && !given.split_whitespace().any(|word| word == *flag))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn no_unit_contains_a_secret() {
    let mut fixture = Fixture::small();
    fixture.set("CHAT_URL", "https://chat.example/CANARY");
    for scheduler in SCHEDULERS {
        let said = fixture.run(&format!("schedule {scheduler} {NIGHT} --output json"));
        assert_eq!(said.code, 0, "{}", said.whole());
        assert!(!said.whole().contains("CANARY"), "{}", said.whole());
        for name in ["MIGRATE_DEV_CLIENT_ID", "MIGRATE_PROD_CLIENT_SECRET", "CHAT_URL"] {
            assert!(said.out.contains(name), "{name} in {}", said.out);
        }
    }
}

#[test]
fn a_job_needs_the_variable_of_a_proxy_and_no_secret_that_a_command_prints() {
    let fixture = Fixture::small();
    let command = "client_secret_command = [\"vault\", \"read\"]\n";
    let configuration = CONFIGURATION_ELSEWHERE.replace("COMMAND\n", command);
    fixture.write("migrate.toml", &configuration);
    let said = fixture.run_in_shell(&format!("unset MIGRATE_PROD_CLIENT_SECRET; exec \"$MIGRATE\" schedule systemd {NIGHT} --output json"));
    for (name, is_needed) in [("MIGRATE_PROD_CLIENT_ID", true), ("ACME_PROXY", true), ("MIGRATE_PROD_CLIENT_SECRET", false)] {
        assert_eq!(said.out.contains(name), is_needed, "{name}: {}", said.whole());
    }
}

/// Two tenants behind proxies, whose certificates are below the configuration and elsewhere.
const CONFIGURATION_BEHIND_PROXIES: &str = "[tenants.dev]\ndomain = \"acme-dev.eu.auth0.com\"\nca_file = \"certs/ca.pem\"\nproxy = \"http://proxy.acme.example:3128\"\n\n[tenants.prod]\ndomain = \"acme-prod.eu.auth0.com\"\nca_file = \"/etc/ssl/acme/ca.pem\"\nproxy = \"env:ACME_PROXY\"\nsource = \"dev\"\n";

#[test]
fn a_pod_has_the_certificates_of_its_tenants_where_the_configuration_says() {
    let fixture = Fixture::small();
    fixture.write("migrate.toml", CONFIGURATION_BEHIND_PROXIES);
    let said = fixture.run(&format!("schedule {} --from dev --to prod --out units", SCHEDULERS[2]));
    assert_eq!(said.code, 0, "{}", said.whole());
    let unit = fixture.without_places(&fixture.read("units/migrate-dev-prod.yaml"));
    let step =
        "--from-file=migrate.toml=DIR/migrate.toml --from-file=ca-1.pem=DIR/certs/ca.pem --from-file=ca-2.pem=/etc/ssl/acme/ca.pem\n";
    assert!(unit.contains(step), "{unit}");
    assert!(unit.lines().take(8).any(|line| line.contains("ACME_PROXY")), "the variable of the proxy is named: {unit}");
    let part = |from: &str, to: &str| unit.split_once(from).and_then(|(_, rest)| rest.split_once(to)).expect("a part").0.to_owned();
    assert_snapshot!(part("volumeMounts:", "- name: state"), @r#"
    - name: configuration
      mountPath: /etc/migrate
      readOnly: true
    - name: configuration
      mountPath: "/etc/ssl/acme/ca.pem"
      subPath: ca-2.pem
      readOnly: true
    "#);
    assert_snapshot!(part("volumes:", "- name: state"), @r#"
    - name: configuration
      configMap:
        name: migrate-dev-prod
        items:
          - key: migrate.toml
            path: migrate.toml
          - key: ca-1.pem
            path: "certs/ca.pem"
          - key: ca-2.pem
            path: "ca-2.pem"
    "#);
    let files = [fixture.path("units/migrate-dev-prod.yaml").display().to_string()];
    checks("kubernetes-validate", &["--strict"], &files, "subPath: ca-2.pem", "subPaht: ca-2.pem");
}

#[test]
fn a_workflow_reads_certificates_of_its_repository_only() {
    let fixture = Fixture::small();
    fixture.write("migrate.toml", CONFIGURATION_BEHIND_PROXIES);
    let github = format!("schedule {} --from dev --to prod", SCHEDULERS[3]);
    assert_snapshot!(fixture.run(&github).whole(), @r#"
    exit 64
    error: the ca_file of prod, "/etc/ssl/acme/ca.pem", is not below the folder of the configuration
    hint:  a workflow can only read its own repository; name a file in it by its path from migrate.toml
    "#);
    fixture.write("migrate.toml", &CONFIGURATION_BEHIND_PROXIES.replace("/etc/ssl/acme/", "certs/"));
    let said = fixture.run(&github);
    assert!(said.code == 0 && said.out.contains("# Commit the certificates too, which are no secrets: certs/ca.pem\n"), "{}", said.whole());
    // On this machine, the files are where they are.
    for scheduler in &SCHEDULERS[..2] {
        assert_eq!(fixture.run(&format!("schedule {scheduler} --from dev --to prod")).code, 0);
    }
}

#[test]
fn a_job_has_the_global_options_of_the_command_line() {
    let fixture = Fixture::small();
    fixture.write("logs/kept", "");
    let everywhere = "--from dev --to prod --dir kept --log-file logs/night.log --log-format json --verbose";
    let command = |scheduler: &str, options: &str| {
        let said = fixture.run(&format!("schedule {scheduler} {options}"));
        assert_eq!(said.code, 0, "{}", said.whole());
        fixture.without_places(&said.out)
    };
    let options = "--dir DIR/kept --verbose --log-file DIR/logs/night.log --log-format json sync --from dev --to prod\n";
    assert!(command("cron", everywhere).contains(options), "{}", command("cron", everywhere));
    let service = command("systemd", everywhere);
    assert!(service.contains(options) && service.contains("\nReadWritePaths=DIR/kept DIR DIR/logs\n"), "{service}");
    // A log on another machine ends with the job, unless it is on a volume or part of the job's output.
    for scheduler in &SCHEDULERS[2..] {
        let said = fixture.run(&format!("schedule {scheduler} {everywhere}"));
        let hint = "error: the log would be lost when the job ends\nhint:  use --log-file /dev/stderr";
        assert!(said.code == 64 && said.whole().contains(hint), "{}", said.whole());
    }
    let to_stderr = everywhere.replace("logs/night.log", "/dev/stderr");
    let pod = command(SCHEDULERS[2], &to_stderr);
    let words =
        ["--verbose", "--log-file", "/dev/stderr", "--log-format", "json", "sync"].map(|word| format!("                - \"{word}\"\n"));
    assert!(pod.contains(&words.concat()), "{pod}");
    let workflow = command(SCHEDULERS[3], &to_stderr);
    assert!(workflow.contains("--dir kept --verbose --log-file /dev/stderr --log-format json sync --from dev --to prod"), "{workflow}");
    assert!(
        workflow.contains("            kept/state\n            !kept/state/*/*/fingerprints.json\n            kept/runs\n"),
        "{workflow}"
    );
}

#[test]
fn options_unsuitable_for_a_nightly_job_are_refused() {
    let fixture = Fixture::small();
    let refused = |line: &str| fixture.run(&format!("schedule {line}")).whole();
    assert_snapshot!(refused("cron --to prod --notify https://chat.example/CANARY"), @"
    exit 64
    error: the URL of --notify is a secret, and would be part of the unit
    hint:  put it into a variable and use --notify env:NAME
    ");
    assert_snapshot!(refused("kubernetes --to prod"), @"
    exit 64
    error: --image is missing
    hint:  name an image with migrate in it, for example --image registry.example/migrate:1
    ");
    assert_snapshot!(refused("cron --to prod --allow lockout-risk,weaker-protection"), @r#"
    exit 64
    error: lockout-risk cannot be approved for unattended runs with a flag
    hint:  approve single resources in migrate.toml, under the tenant: plan.approve = ["lockout-risk:clients/Billing*"]; or review the plan with `migrate plan --out FILE`, then `migrate import --plan FILE --allow lockout-risk`
    "#);
    assert_snapshot!(refused("github --image i:1 --to prod --mapping ../m.toml"), @r#"
    exit 64
    error: "DIR/../m.toml" is not below the folder of the configuration
    hint:  a workflow can only read its own repository; name a path in it
    "#);
    for (line, hint) in [
        ("github --image i:1 --secrets-to file:new.jsonl", ""),
        ("kubernetes --image i:1 --secrets-to file:/srv/new.jsonl", ", or a file below /var/lib/migrate"),
        ("kubernetes --image i:1 --secrets-to file:/var/lib/migrate/../new.jsonl", ", or a file below /var/lib/migrate"),
    ] {
        let lost = "exit 64\nerror: the file would be lost when the job ends\nhint:  use --secrets-to exec:CMD";
        assert_eq!(refused(&format!("{line} --to prod")), format!("{lost}{hint}\n"), "{line}");
    }
    let on_the_volume = refused("kubernetes --image i:1 --to prod --secrets-to file:/var/lib/migrate/new.jsonl");
    assert!(on_the_volume.contains("- \"file:/var/lib/migrate/new.jsonl\""), "{on_the_volume}");
    assert_snapshot!(refused("cron --to prod --from prd"), @r#"
    exit 64
    error: unknown tenant "prd"; did you mean "prod"? Configured: dev, prod
    hint:  define tenants in migrate.toml as [tenants.NAME] with a domain
    "#);
}

#[test]
fn a_pod_gets_the_files_of_a_mapping_and_nothing_beside_them() {
    let fixture = Fixture::small();
    fixture.write("rules/token", "CANARY");
    fixture.write("rules/hosts.csv", "from,to\na,b\n");
    let replace = "[[rule]]\nmatch = \"clients\"\nreplace = { table = \"hosts.csv\" }\n";
    fixture.write("rules/m.toml", replace);
    let job = "--image i:1 --to prod --mapping rules/m.toml";
    let said = fixture.run(&format!("schedule kubernetes {job}")).whole();
    let step = "create configmap migrate-dev-prod-mappings --from-file=DIR/rules/m.toml --from-file=DIR/rules/hosts.csv\n";
    assert!(said.contains(step), "{said}");
    let secret = "[[rule]]\nmatch = \"clients/Shop\"\nfield = \"client_secret\"\nsecret = \"file:token\"\n";
    fixture.write("rules/m.toml", secret);
    let refused = fixture.run(&format!("schedule kubernetes {job}")).whole();
    assert_snapshot!(refused, @r#"
    exit 64
    error: the rule at rules/m.toml:1 takes a secret from "file:rules/token", which the job cannot read
    hint:  take it from a variable: secret = "env:NAME"
    "#);
    assert_eq!(fixture.run(&format!("schedule github {job}")).whole(), refused);
    fixture.write("rules/m.toml", &replace.replace("hosts.csv", "../hosts.csv"));
    fixture.write("hosts.csv", "from,to\na,b\n");
    assert_snapshot!(fixture.run(&format!("schedule kubernetes {job}")).whole(), @r#"
    exit 64
    error: "rules/../hosts.csv" is not in the folder of the mapping
    hint:  a ConfigMap has no folders; move the table next to the mapping
    "#);
}

#[test]
fn a_job_of_another_user_is_printed_only_if_its_lock_is_on_another_machine() {
    let fixture = Fixture::small();
    // Only root can change the owner of a file; for other users the command is refused in the same way.
    if std::os::unix::fs::chown(fixture.path("migrate.toml"), Some(54321), None).is_err() {
        return;
    }
    for scheduler in SCHEDULERS {
        let said = fixture.run(&format!("schedule {scheduler} --from dev --to prod"));
        if scheduler.contains("--image") {
            assert_eq!(said.code, 0, "{}", said.whole());
            continue;
        }
        let hint = "run this as that user, with HOME or XDG_STATE_HOME set, as `sudo -H -u '#54321'` does";
        assert!(said.code == 64 && said.err.contains(hint), "{}", said.whole());
    }
}
