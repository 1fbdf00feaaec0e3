//! Permissions of `.env`, an emptied baseline, a clock that was set back, unknown variables, and mentions in chat messages.

use std::os::unix::fs::PermissionsExt;

use crate::support::fixture::Fixture;
use crate::support::webhook_receiver::WebhookReceiver;

#[test]
fn an_env_file_readable_by_others_is_reported() {
    let fixture = Fixture::small();
    fixture.write(".env", "SOME_SECRET=1\n");
    for (mode, is_told) in [(0o600, false), (0o640, false), (0o644, true), (0o602, true)] {
        std::fs::set_permissions(fixture.path(".env"), std::fs::Permissions::from_mode(mode)).expect("set");
        let said = fixture.run("validate");
        assert_eq!(said.err.contains("can be read by other users"), is_told, "{mode:o}: {}", said.whole());
    }
}

#[test]
fn an_emptied_baseline_counts_as_missing() {
    let mut fixture = Fixture::small();
    assert_eq!(
        fixture.run("import --tenant prod --yes --secrets-to file:kept.jsonl --allow lockout-risk,weaker-protection,many-changes").code,
        0
    );
    fixture.change_prod(|held| held["/clients"][0]["description"] = "changed in prod".into());
    fixture.write("state/dev/prod/baseline.json", r#"{"format": 1, "resources": {}}"#);
    let writes = fixture.writes().len();
    let said = fixture.run("import --tenant prod --yes");
    assert_eq!(said.code, 4, "{}", said.whole());
    assert!(said.err.contains("no-baseline"), "{}", said.whole());
    assert_eq!(fixture.writes().len(), writes, "{}", said.whole());
}

#[test]
fn equal_exports_after_the_clock_was_set_back_are_one_snapshot() {
    let fixture = Fixture::small();
    assert_eq!(fixture.run("export --tenant prod").code, 0);
    let first = fixture.only_in("snapshots/prod");
    std::fs::rename(fixture.path(&first), fixture.path("snapshots/prod/2031-01-01T00-00-00Z")).expect("renamed");
    let mut fixture = fixture;
    fixture.change_prod(|held| held["/clients"][0]["description"] = "later".into());
    for _ in 0..3 {
        assert_eq!(fixture.run("export --tenant prod").code, 0);
    }
    let mut names = fixture.in_folder("snapshots/prod");
    names.sort();
    assert_eq!(names, ["2031-01-01T00-00-00Z", "2031-01-01T00-00-00Z.2"]);
}

#[test]
fn domains_ignore_case() {
    let fixture = Fixture::small();
    fixture.edit("migrate.toml", "acme-prod.eu.auth0.com", "ACME-Prod.eu.Auth0.com");
    assert_eq!(fixture.run("export --tenant prod").code, 0);
}

#[test]
fn a_dissimilar_variable_is_ignored() {
    let mut fixture = Fixture::small();
    fixture.set("MIGRATE_UNRELATED_THING", "1");
    assert_eq!(fixture.run("validate").code, 0);
    fixture.set("MIGRATE_PROD_CLIENT_SECRETT", "1");
    assert_eq!(fixture.run("validate").code, 64);
}

#[test]
fn names_in_a_sync_message_mention_nobody() {
    let dev = serde_json::json!({"tenant": "acme-dev", "domain": "acme-dev.eu.auth0.com", "data": {
        "/hooks": [{"id": "hook1", "name": "<!channel> @here", "triggerId": "post-user-registration", "script": "x", "enabled": true}],
    }});
    let prod = serde_json::json!({"tenant": "acme-prod", "domain": "acme-prod.eu.auth0.com", "data": {}});
    let fixture = Fixture::new(dev, prod, "");
    let chat = WebhookReceiver::new();
    fixture.run(&format!("sync --from dev --to prod --notify {}", chat.url));
    let received = chat.received().concat();
    assert!(received.contains("&lt;!channel>") && !received.contains("<!channel>") && !received.contains("@here"), "{received}");
}
