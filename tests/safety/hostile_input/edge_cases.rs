//! Permissions of `.env`, an emptied baseline, a clock that jumped back, domains in capitals, unknown variables, and mentions in chat messages.

use std::os::unix::fs::PermissionsExt;

use crate::support::fixture::Stage;
use crate::support::webhook_receiver::WebhookReceiver;

#[test]
fn an_env_file_that_others_can_read_is_told_of() {
    let stage = Stage::small();
    stage.write(".env", "SOME_SECRET=1\n");
    for (mode, is_told) in [(0o600, false), (0o640, false), (0o644, true), (0o602, true)] {
        std::fs::set_permissions(stage.path(".env"), std::fs::Permissions::from_mode(mode)).expect("set");
        let said = stage.run("validate");
        assert_eq!(said.err.contains("warning: others can read"), is_told, "{mode:o}: {}", said.whole());
    }
}

#[test]
fn a_base_that_was_emptied_is_as_one_that_is_missing() {
    let mut stage = Stage::small();
    assert_eq!(
        stage.run("import --tenant prod --yes --secrets-to file:kept.jsonl --allow lockout-risk,weaker-protection,many-changes").code,
        0
    );
    stage.change_prod(|held| held["/clients"][0]["description"] = "changed in prod".into());
    stage.write("state/dev/prod/baseline.json", r#"{"format": 1, "resources": {}}"#);
    let writes = stage.writes().len();
    let said = stage.run("import --tenant prod --yes");
    assert_eq!(said.code, 4, "{}", said.whole());
    assert!(said.err.contains("no-baseline"), "{}", said.whole());
    assert_eq!(stage.writes().len(), writes, "{}", said.whole());
}

#[test]
fn equal_exports_after_the_clock_jumped_back_are_one_snapshot() {
    let stage = Stage::small();
    assert_eq!(stage.run("export --tenant prod").code, 0);
    let first = stage.only_in("snapshots/prod");
    std::fs::rename(stage.path(&first), stage.path("snapshots/prod/2031-01-01T00-00-00Z")).expect("renamed");
    let mut stage = stage;
    stage.change_prod(|held| held["/clients"][0]["description"] = "later".into());
    for _ in 0..3 {
        assert_eq!(stage.run("export --tenant prod").code, 0);
    }
    let mut names = stage.in_folder("snapshots/prod");
    names.sort();
    assert_eq!(names, ["2031-01-01T00-00-00Z", "2031-01-01T00-00-00Z.2"]);
}

#[test]
fn a_domain_is_the_same_in_capitals() {
    let stage = Stage::small();
    stage.edit("migrate.toml", "acme-prod.eu.auth0.com", "ACME-Prod.eu.Auth0.com");
    assert_eq!(stage.run("export --tenant prod").code, 0);
}

#[test]
fn a_variable_that_is_like_none_of_ours_is_somebody_elses() {
    let mut stage = Stage::small();
    stage.set("MIGRATE_UNRELATED_THING", "1");
    assert_eq!(stage.run("validate").code, 0);
    stage.set("MIGRATE_PROD_CLIENT_SECRETT", "1");
    assert_eq!(stage.run("validate").code, 64);
}

#[test]
fn a_name_in_a_night_mentions_nobody() {
    let dev = serde_json::json!({"tenant": "acme-dev", "domain": "acme-dev.eu.auth0.com", "data": {
        "/hooks": [{"id": "hook1", "name": "<!channel> @here", "triggerId": "post-user-registration", "script": "x", "enabled": true}],
    }});
    let prod = serde_json::json!({"tenant": "acme-prod", "domain": "acme-prod.eu.auth0.com", "data": {}});
    let stage = Stage::of(dev, prod, "");
    let chat = WebhookReceiver::new();
    stage.run(&format!("sync --from dev --to prod --notify {}", chat.url));
    let received = chat.received().concat();
    assert!(received.contains("&lt;!channel>") && !received.contains("<!channel>") && !received.contains("@here"), "{received}");
}
