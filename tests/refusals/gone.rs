//! A target that goes away.

use insta::assert_snapshot;

use super::{IMPORT, RESUME, refused};
use crate::stage::Stage;

#[test]
fn a_target_that_does_not_answer_is_named() {
    let mut stage = Stage::small();
    stage.prod_goes();
    assert_snapshot!(refused(&stage, IMPORT), @r#"
    exit 1
    error: nothing was written
    cause: cannot read resource-servers of "prod"
    cause: no answer from 127.0.0.1:PORT to POST /oauth/token
    cause: Connection refused (os error 111)
    hint:  check the domain and the network, then run the same command again
    "#);
}

const ACME: &str = "import --tenant prod --allow many-changes --yes --quiet";

/// How many requests prod sees before the first write of an import.
fn reads() -> usize {
    let stage = Stage::acme("");
    let said = stage.run("import --tenant prod --allow many-changes --dry-run --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    stage.requests().len()
}

#[test]
fn a_target_gone_in_the_middle_of_a_run_is_finished_when_it_is_back() {
    // APIs and clients take 14 writes; what is gone with the first grant is gone for all of them.
    let mut stage = Stage::acme(&format!("cut-before@{}x*", reads() + 15));
    let said = stage.run(ACME);
    let (_, told) = said.out.split_once("\nApplied").expect("how it ended");
    assert_snapshot!(format!("exit {}\nApplied{told}{}", said.code, said.err), @r#"
    exit 3
    Applied 14 of 45 changes to prod in TIME; 9 are in doubt and 22 were not sent.

    In doubt: sent, and no answer came
      create 7 client-grants: no answer from 127.0.0.1:PORT to POST /client-grants: connection closed before message completed; nor can it be looked up
        Shipment Events · https://api.acme.example/shipments · client, Freightmatch · https://partner.acme.example/api · client, Billing · urn:acme:billing · client, Freightmatch · https://api.acme.example/shipments · user, Invoice Worker · https://api.acme.example/shipments · client and 2 more
      update grant "Carrier Gateway · https://api.acme.example/shipments · client": no answer from 127.0.0.1:PORT to PATCH /client-grants/cgr_MT0RNs6lCrFUqSjp: connection closed before message completed
      update grant "Invoice Worker · urn:acme:billing · client": no answer from 127.0.0.1:PORT to PATCH /client-grants/cgr_57X4wd4mVKsj5tcf: connection closed before message completed

    By hand
      1. client "Acme Driver Android": the target makes a new client_secret; hand it to whoever uses this client
      2. client "Shipment Events": the target makes a new client_secret; hand it to whoever uses this client
      3. client "Tableau": the target makes a new client_secret; hand it to whoever uses this client
      4. client "Freightmatch": the target makes a new client_secret; hand it to whoever uses this client
      5. client "acmectl": the target makes a new client_secret; hand it to whoever uses this client

    prod stopped answering. When it does again:  migrate import --tenant prod --resume

    The run's files are in ./runs/TIME-prod
    "#);
    let held = stage.prod_goes();
    stage.prod_returns(held);
    let said = stage.run(RESUME);
    assert_snapshot!(said.whole(), @r#"
    exit 0
    Applied 45 changes to prod in TIME.

    By hand
      1. client "Acme Driver Android": the target makes a new client_secret; hand it to whoever uses this client
      2. client "Shipment Events": the target makes a new client_secret; hand it to whoever uses this client
      3. client "Tableau": the target makes a new client_secret; hand it to whoever uses this client
      4. client "Freightmatch": the target makes a new client_secret; hand it to whoever uses this client
      5. client "acmectl": the target makes a new client_secret; hand it to whoever uses this client

    The run's files are in ./runs/TIME-prod
    "#);
    let again = stage.run(ACME);
    assert!(again.code == 0 && again.out.contains("Nothing to do."), "{}", again.whole());
}
