//! Snapshot tests of whole units.

use super::*;

fn nightly() -> Nightly {
    Nightly {
        source: "dev".to_owned(),
        target: "acme_prod".to_owned(),
        domain: "acme-prod.eu.auth0.com".to_owned(),
        at: (2, 5),
        program: "/usr/local/bin/migrate".to_owned(),
        config: "/srv/auth 100%/migrate.toml".to_owned(),
        folder: "/srv/auth 100%".to_owned(),
        state_home: "/srv/state 100%".to_owned(),
        locks: "/srv/state 100%".to_owned(),
        besides: None,
        mapping: Some("/srv/auth 100%/mappings/dev-to-prod.toml".to_owned()),
        tables: vec!["/srv/auth 100%/mappings/hosts.csv".to_owned()],
        flags: ["--until", "05:00", "--lock-timeout", "10m", "--notify", "env:CHAT_URL"].map(str::to_owned).into(),
        variables: ["MIGRATE_DEV_CLIENT_ID", "MIGRATE_DEV_CLIENT_SECRET", "CHAT_URL"].map(str::to_owned).into(),
        certificates: Vec::new(),
        everywhere: Vec::new(),
        log: None,
        owner: 1001,
        image: "registry.example/migrate:1".to_owned(),
    }
}

fn texts<const N: usize>(scheduler: Scheduler, nightly: &Nightly) -> [String; N] {
    units(scheduler, nightly).into_iter().map(|unit| unit.text).collect::<Vec<_>>().try_into().expect("as many files")
}

#[test]
fn a_service_writes_only_to_its_folder_and_is_started_by_a_timer() {
    let [service, timer] = texts(Scheduler::Systemd, &nightly());
    insta::assert_snapshot!(service, @r#"
    # Copies dev to acme_prod once. Copy this file and the timer to /etc/systemd/system, then run:
    #     systemctl daemon-reload && systemctl enable --now migrate-dev-acme--prod.timer
    # To see the result: journalctl -u migrate-dev-acme--prod.service, or /srv/auth 100%/state/dev/acme_prod/last-sync.json
    [Unit]
    Description=Copy Auth0 settings from dev to acme_prod
    Wants=network-online.target
    After=network-online.target

    [Service]
    Type=oneshot
    ExecStart=/usr/local/bin/migrate --config "/srv/auth 100%%/migrate.toml" --dir "/srv/auth 100%%" sync --from dev --to acme_prod --mapping "/srv/auth 100%%/mappings/dev-to-prod.toml" --until 05:00 --lock-timeout 10m --notify env:CHAT_URL
    User=1001
    WorkingDirectory=/srv/auth 100%%
    ReadWritePaths="/srv/auth 100%%" "/srv/state 100%%"
    # Contains the lock on the target, which all runs of this user on this machine share.
    Environment="XDG_STATE_HOME=/srv/state 100%%"
    # Set these variables in the next file or in /srv/auth 100%/.env:
    #     MIGRATE_DEV_CLIENT_ID MIGRATE_DEV_CLIENT_SECRET CHAT_URL
    EnvironmentFile=-/etc/migrate/migrate-dev-acme--prod.env
    # 75: --until or --max-requests was reached; the next run applies the rest.
    SuccessExitStatus=75
    # On SIGTERM, migrate waits for requests in flight and records their outcome.
    KillSignal=SIGTERM
    TimeoutStopSec=2min

    UMask=0077
    NoNewPrivileges=yes
    CapabilityBoundingSet=
    ProtectSystem=strict
    ProtectHome=read-only
    ProtectProc=invisible
    ProtectClock=yes
    ProtectControlGroups=yes
    ProtectHostname=yes
    ProtectKernelLogs=yes
    ProtectKernelModules=yes
    ProtectKernelTunables=yes
    PrivateDevices=yes
    PrivateTmp=yes
    RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
    RestrictNamespaces=yes
    RestrictRealtime=yes
    RestrictSUIDSGID=yes
    LockPersonality=yes
    MemoryDenyWriteExecute=yes
    SystemCallArchitectures=native
    SystemCallFilter=@system-service
    "#);
    insta::assert_snapshot!(timer, @"
    [Unit]
    Description=Copy Auth0 settings from dev to acme_prod every night

    [Timer]
    OnCalendar=*-*-* 02:05:00
    # Runs a missed job as soon as possible. If --until has passed by then, the job stops without changes.
    Persistent=true
    RandomizedDelaySec=5min

    [Install]
    WantedBy=timers.target
    ");
}

#[test]
fn a_service_writes_new_secrets_beside_its_folder() {
    let [service, _] = texts(Scheduler::Systemd, &Nightly { besides: Some("/var/lib/new $secrets".to_owned()), ..nightly() });
    assert!(service.contains("\nReadWritePaths=\"/srv/auth 100%%\" \"/srv/state 100%%\" \"/var/lib/new $secrets\"\n"), "{service}");
}

#[test]
fn a_crontab_is_one_line_with_every_word_quoted() {
    let [crontab] = texts(Scheduler::Cron, &nightly());
    insta::assert_snapshot!(crontab, @r"
    # Copies dev to acme_prod every night. Add this to the crontab of the user that owns the folder: crontab -e
    # cron mails the output: one line if there is something to report. A lock prevents two runs at the same time.
    # Set these variables in /srv/auth 100%/.env:
    #     MIGRATE_DEV_CLIENT_ID MIGRATE_DEV_CLIENT_SECRET CHAT_URL
    PATH=/usr/local/bin:/usr/bin:/bin
    XDG_STATE_HOME=/srv/state 100%
    5 2 * * * /usr/local/bin/migrate --config '/srv/auth 100\%/migrate.toml' --dir '/srv/auth 100\%' sync --from dev --to acme_prod --mapping '/srv/auth 100\%/mappings/dev-to-prod.toml' --until 05:00 --lock-timeout 10m --notify env:CHAT_URL
    ");
}

#[test]
#[expect(clippy::too_many_lines, reason = "the manifest stands in it whole")]
fn a_cron_job_stores_its_state_on_a_volume_without_privileges() {
    let [manifest] = texts(Scheduler::Kubernetes, &nightly());
    insta::assert_snapshot!(manifest, @r#"
    # Copies dev to acme_prod every night. Run these commands once before you apply this file:
    #     kubectl create configmap migrate-dev-acme--prod --from-file=migrate.toml='/srv/auth 100%/migrate.toml'
    #     kubectl create configmap migrate-dev-acme--prod-mappings --from-file='/srv/auth 100%/mappings/dev-to-prod.toml' --from-file='/srv/auth 100%/mappings/hosts.csv'
    #     kubectl create secret generic migrate-dev-acme--prod --from-env-file=FILE
    # FILE must set these variables:
    #     MIGRATE_DEV_CLIENT_ID MIGRATE_DEV_CLIENT_SECRET CHAT_URL
    # The volume keeps the folders state and runs between runs. All jobs for acme_prod share it, because it also contains the lock.
    apiVersion: v1
    kind: PersistentVolumeClaim
    metadata:
      name: migrate-to-acme-prod
    spec:
      accessModes: [ReadWriteOnce]
      resources:
        requests:
          storage: 1Gi
    ---
    apiVersion: batch/v1
    kind: CronJob
    metadata:
      name: migrate-dev-acme--prod
    spec:
      schedule: "5 2 * * *"
      timeZone: Etc/UTC
      concurrencyPolicy: Forbid
      startingDeadlineSeconds: 3600
      successfulJobsHistoryLimit: 3
      failedJobsHistoryLimit: 7
      jobTemplate:
        spec:
          # Do not retry: a second run would fail for the same reason. Exit code 75 (time limit) is shown as failed; the next run applies the rest.
          backoffLimit: 0
          template:
            spec:
              restartPolicy: Never
              # On SIGTERM, migrate waits for requests in flight and records their outcome.
              terminationGracePeriodSeconds: 120
              automountServiceAccountToken: false
              securityContext:
                runAsNonRoot: true
                runAsUser: 65532
                runAsGroup: 65532
                fsGroup: 65532
                seccompProfile:
                  type: RuntimeDefault
              containers:
                - name: migrate
                  image: "registry.example/migrate:1"
                  command: [migrate]
                  args:
                    - "--config"
                    - "/etc/migrate/migrate.toml"
                    - "--dir"
                    - "/var/lib/migrate"
                    - "sync"
                    - "--from"
                    - "dev"
                    - "--to"
                    - "acme_prod"
                    - "--mapping"
                    - "/etc/migrate-mappings/dev-to-prod.toml"
                    - "--until"
                    - "05:00"
                    - "--lock-timeout"
                    - "10m"
                    - "--notify"
                    - "env:CHAT_URL"
                  env:
                    - name: XDG_STATE_HOME
                      value: /var/lib/migrate
                  envFrom:
                    - secretRef:
                        name: migrate-dev-acme--prod
                  securityContext:
                    allowPrivilegeEscalation: false
                    readOnlyRootFilesystem: true
                    capabilities:
                      drop: [ALL]
                  resources:
                    requests:
                      cpu: 100m
                      memory: 128Mi
                    limits:
                      memory: 512Mi
                  volumeMounts:
                    - name: configuration
                      mountPath: /etc/migrate
                      readOnly: true
                    - name: mappings
                      mountPath: /etc/migrate-mappings
                      readOnly: true
                    - name: state
                      mountPath: /var/lib/migrate
              volumes:
                - name: configuration
                  configMap:
                    name: migrate-dev-acme--prod
                - name: mappings
                  configMap:
                    name: migrate-dev-acme--prod-mappings
                - name: state
                  persistentVolumeClaim:
                    claimName: migrate-to-acme-prod
    "#);
}

#[test]
fn a_workflow_keeps_its_state_between_nights() {
    let of_repository = Nightly {
        program: "migrate".to_owned(),
        config: "migrate.toml".to_owned(),
        folder: ".".to_owned(),
        mapping: Some("mappings/dev-to-prod.toml".to_owned()),
        ..nightly()
    };
    let [workflow] = texts(Scheduler::Github, &of_repository);
    insta::assert_snapshot!(workflow, @r#"
    # Copies dev to acme_prod every night. Add this file to .github/workflows of the private repository that contains the configuration.
    # A cache keeps the folders state and runs between runs. GitHub deletes a cache after a week without use, so also commit links and baselines.
    # Everybody who can read the repository can read these settings of both tenants. The fingerprints of secrets are not cached, because they
    # are stored with their key. Every run therefore sends all secrets of the mapping again.
    name: "Copy dev to acme_prod"

    on:
      schedule:
        - cron: "5 2 * * *"
      workflow_dispatch:

    permissions:
      contents: read

    # One run at a time for each target. The lock does not work across runners, and this setting does not work across repositories.
    concurrency:
      group: migrate-to-acme-prod.eu.auth0.com
      cancel-in-progress: false

    jobs:
      sync:
        runs-on: ubuntu-latest
        container: "registry.example/migrate:1"
        timeout-minutes: 350
        steps:
          - uses: actions/checkout@v4
          - uses: actions/cache/restore@v4
            with:
              path: |
                state
                !state/*/*/fingerprints.json
                runs
              key: migrate-dev-acme--prod.${{ github.run_id }}.${{ github.run_attempt }}
              restore-keys: migrate-dev-acme--prod.
          - name: Sync
            env:
              MIGRATE_DEV_CLIENT_ID: ${{ secrets.MIGRATE_DEV_CLIENT_ID }}
              MIGRATE_DEV_CLIENT_SECRET: ${{ secrets.MIGRATE_DEV_CLIENT_SECRET }}
              CHAT_URL: ${{ secrets.CHAT_URL }}
            # 75: --until or --max-requests was reached; the next run applies the rest.
            run: |
              migrate --config migrate.toml --dir . sync --from dev --to acme_prod --mapping mappings/dev-to-prod.toml --until 05:00 --lock-timeout 10m --notify env:CHAT_URL || [ $? -eq 75 ]
          - uses: actions/cache/save@v4
            if: always()
            with:
              path: |
                state
                !state/*/*/fingerprints.json
                runs
              key: migrate-dev-acme--prod.${{ github.run_id }}.${{ github.run_attempt }}
    "#);
}

#[test]
fn a_pod_without_a_mapping_mounts_none() {
    let [manifest] = texts(Scheduler::Kubernetes, &Nightly { mapping: None, ..nightly() });
    assert!(!manifest.contains("mapping"), "{manifest}");
}

#[test]
fn every_file_is_named_after_both_tenants_as_kubernetes_allows() {
    let names = |nightly: &Nightly| units(Scheduler::Systemd, nightly).into_iter().map(|unit| unit.name).collect::<Vec<_>>();
    assert_eq!(names(&nightly()), ["migrate-dev-acme--prod.service", "migrate-dev-acme--prod.timer"]);
    let long = Nightly { source: "d".repeat(43), target: "Prod".to_owned(), ..nightly() };
    assert_eq!(long.name(), format!("migrate-{}", "d".repeat(43)));
}

#[test]
fn words_are_quoted_for_each_reader() {
    for (word, systemd, shell) in [
        ("plain-1.0", "plain-1.0", "plain-1.0"),
        ("two words", "\"two words\"", "'two words'"),
        ("a'b", "\"a'b\"", "'a'\\''b'"),
        ("50%$X\\\"", "\"50%%$$X\\\\\\\"\"", "'50%$X\\\"'"),
        ("", "\"\"", "''"),
    ] {
        assert_eq!((systemd_command_word(word).as_str(), shell_word(word).as_str()), (systemd, shell));
    }
}

#[test]
fn pairs_of_names_with_hyphens_have_unique_job_names() {
    let name = |source: &str, target: &str| Nightly { source: source.to_owned(), target: target.to_owned(), ..nightly() }.name();
    assert_eq!([name("dev", "eu-prod"), name("dev-eu", "prod")], ["migrate-dev-eu--prod", "migrate-dev--eu-prod"]);
}
