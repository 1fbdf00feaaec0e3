//! A target that cannot be reached, or no longer.

use insta::assert_snapshot;

use crate::support::fixture::Fixture;
use crate::support::refusals::{IMPORT, RESUME, refused};

#[test]
fn a_target_that_does_not_respond_is_reported() {
    let mut fixture = Fixture::small();
    fixture.stop_prod();
    assert_snapshot!(refused(&fixture, IMPORT), @r#"
    exit 1
    error: cannot sign in to "prod"
    cause: no response from 127.0.0.1:PORT to POST /oauth/token
    cause: Connection refused (os error 111)
    hint:  check `domain` (and `url`, if set) in migrate.toml and the network, then run the same command again; `migrate doctor` tells which
    state: nothing was written
    "#);
}

const ACME: &str = "import --tenant prod --allow many-changes,lockout-risk,weaker-protection --yes --quiet";

/// Returns the number of requests to prod before the first write of an import.
fn reads() -> usize {
    let fixture = Fixture::acme("");
    let said = fixture.run("import --tenant prod --allow many-changes,lockout-risk,weaker-protection --dry-run --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    fixture.requests().len()
}

#[test]
fn a_run_whose_target_disappeared_is_completed_when_it_is_back() {
    // One or two requests among them list again the kinds that are to be created.
    let mut fixture = Fixture::acme(&format!("cut-before@{}x*", reads() + 16));
    let said = fixture.run(ACME);
    // Which requests were in flight together varies; that they are reported and can be resumed does not.
    let (_, told) = said.out.split_once("\nApplied ").expect("how it ended");
    assert_eq!(said.code, 3, "{told}");
    assert!(["13 of 41 changes", "14 of 41 changes"].iter().any(|done| told.starts_with(done)), "{told}");
    let unknown = told.split("Outcome unknown (no response)\n").nth(1).expect("unknown outcomes");
    let first = unknown.lines().next().unwrap_or_default();
    assert!(first.contains("no response from 127.0.0.1:PORT to") && first.contains("connection closed before message completed"), "{told}");
    assert!(told.contains("prod stopped responding. Once it responds again:  migrate import --tenant prod --resume"), "{told}");
    let held = fixture.stop_prod();
    fixture.restart_prod(held);
    let said = fixture.run(RESUME);
    // Which client was created before the cut, so that no journal records its secret, varies too.
    let told = said.whole().replace(", and the journal does not say whether it was stored", "; give it to the services that need it");
    assert_snapshot!(told, @r#"
    exit 0
    Applied 41 changes to prod in TIME.

    Manual steps
      1. client "Shipment Events": the target generated a new client_secret; give it to the services that need it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)
      2. client "Tableau": the target generated a new client_secret; give it to the services that need it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)
      3. connection "globex-saml": configure the identity provider with the callback https://acme-prod.eu.auth0.com/login/callback and the entity id urn:auth0:acme-prod:globex-saml

    The run's files are in ./runs/TIME-prod
    "#);
    let again = fixture.run(ACME);
    assert!(again.code == 0 && again.out.contains("Nothing to do."), "{}", again.whole());
}
