//! The `source-leak` guard finds values of the source in every notation and every field, and nothing else.

use std::collections::BTreeMap;

use auth0_migrate::catalog::{Catalog, Kind, Shape};
use auth0_migrate::json::Body;
use auth0_migrate::model::guard::Guard;
use auth0_migrate::model::limits::ChangeLimits;
use auth0_migrate::model::resource::{Key, Resource};
use auth0_migrate::plan::guards::{self, PlanOrigin};
use auth0_migrate::plan::refusal::Refusal;
use auth0_migrate::plan::{Action, Change, Plan, plan};
use auth0_migrate::snapshot::{Desired, Snapshot, Status, id_substitution};
use auth0_migrate::state::links::Links;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

const SOURCE: &str = "acme-dev.eu.auth0.com";
const TARGET: &str = "acme-prod.eu.auth0.com";
const SOURCE_CUSTOM: &str = "login.dev.acme.example";
const TARGET_CUSTOM: &str = "login.acme.example";
const SOURCE_ID: &str = "dEvShop0000000000000000000000a1b";
const TARGET_ID: &str = "pRdShop0000000000000000000000a1b";

/// Returns the snapshot of a tenant with a client, a custom domain, and these resources.
fn tenant(domain: &str, custom: &str, id: &str, more: &[(&str, Value)]) -> Snapshot {
    let own = [
        ("clients", json!({"client_id": id, "name": "Shop"})),
        ("custom-domains", json!({"custom_domain_id": format!("cd_{}", &id[..16]), "domain": custom, "type": "auth0_managed_certs"})),
    ];
    let read = |(kind, answer): &(&str, Value)| {
        let kind = Catalog::standard().kind(kind).expect("a kind");
        Resource::read(kind, Body::from_value(answer.clone()).expect("an object")).expect("readable")
    };
    let mut resources: Vec<Resource> = own.iter().chain(more).map(read).collect();
    let twice = id_substitution::to_portable(Catalog::standard(), domain, &mut resources);
    let kinds: BTreeMap<String, Status> = Catalog::standard().kinds().map(|kind| (kind.name.to_owned(), Status::Complete)).collect();
    Snapshot { tenant: domain.to_owned(), domain: domain.to_owned(), taken: String::new(), kinds, resources, twice, selection: None }
}

/// Returns every reason to refuse an import, however much it changes.
fn refusals(plan: &Plan, desired: &Desired, live: &Snapshot) -> Vec<Refusal> {
    let origin = PlanOrigin::Pair { desired, live, refuses_drift: false, lacks_baseline: false };
    guards::refusals(plan, origin, ChangeLimits { of_all: Some(1.0), of_a_kind: Some(1.0) }, &|_| None)
}

/// Plans an import of these resources; returns the plan and the guard's finding.
fn planned(more: &[(&str, Value)]) -> (Plan, Option<String>) {
    let catalog = Catalog::standard();
    let source = tenant(SOURCE, SOURCE_CUSTOM, SOURCE_ID, more);
    let target = tenant(TARGET, TARGET_CUSTOM, TARGET_ID, &[]);
    let desired = Desired { hosts: source.hosts(), ..Desired::unmapped(source) };
    let plan = plan(catalog, &desired, &target, &Links::default());
    let leak = |refusal: Refusal| (refusal.guard == Guard::SourceLeak).then_some(refusal.message);
    let found = refusals(&plan, &desired, &target).into_iter().find_map(leak);
    (plan, found)
}

/// Returns the finding for a client with this metadata.
fn of_metadata(metadata: &Value) -> Option<String> {
    planned(&[("clients", json!({"client_id": "dEvTill0000000000000000000000a1b", "name": "Till", "client_metadata": metadata}))]).1
}

/// A notation that hides a text.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Notation {
    Open,
    Capitals,
    /// Only dots, hyphens and underscores.
    Url,
    WholeUrl,
    Html,
    HexHtml,
    Script,
    Base64,
    UrlBase64,
}

use Notation::{Base64, Capitals, HexHtml, Html, Open, Script, Url, UrlBase64, WholeUrl};

const NOTATIONS: [Notation; 9] = [Open, Capitals, Url, WholeUrl, Html, HexHtml, Script, Base64, UrlBase64];

impl Notation {
    fn write(self, text: &str) -> String {
        let each = |write: fn(char) -> String| text.chars().map(write).collect::<String>();
        match self {
            Open => text.to_owned(),
            Capitals => text.to_ascii_uppercase(),
            Url => each(|sign| if sign.is_ascii_alphanumeric() { sign.to_string() } else { format!("%{:02X}", u32::from(sign)) }),
            WholeUrl => each(|sign| format!("%{:02x}", u32::from(sign))),
            Html => each(|sign| format!("&#{};", u32::from(sign))),
            HexHtml => each(|sign| format!("&#x{:X};", u32::from(sign))),
            Script => each(|sign| format!("\\u{:04x}", u32::from(sign))),
            Base64 => base64(text, "+/"),
            UrlBase64 => base64(text, "-_"),
        }
    }

    /// Returns whether a notation preserves a text: ids are case-sensitive.
    fn keeps(self, text: &str) -> bool {
        self != Capitals || text.contains('.')
    }
}

fn base64(text: &str, last: &str) -> String {
    let signs: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(last.chars()).collect();
    let sign = |bits: u32| signs[usize::try_from(bits & 63).expect("six bits")];
    let group = |bytes: &[u8]| {
        let bits = bytes.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - bytes.len()));
        [18, 12, 6, 0].iter().take(bytes.len() + 1).map(|shift| sign(bits >> shift)).collect::<String>()
    };
    text.as_bytes().chunks(3).map(group).collect()
}

/// Returns the change of a resource.
fn change<'plan>(plan: &'plan Plan, key: &Key) -> Option<&'plan Change> {
    plan.changes().find(|change| change.key == *key)
}

fn is_sent(change: Option<&Change>, text: &str) -> bool {
    let sent = match change.map(|change| &change.action) {
        Some(Action::Create { body, .. }) => serde_json::to_string(body),
        _ => return false,
    };
    let text = serde_json::to_string(text).expect("JSON");
    sent.expect("JSON").contains(&text[1..text.len() - 1])
}

/// Returns the kinds that an import creates, with a minimal body.
fn creatable() -> Vec<(&'static Kind, Body)> {
    let is_created = |kind: &&Kind| {
        kind.shape == Shape::Collection
            && kind.lifecycle.not_creatable.is_none()
            && kind.lifecycle.manual_setup.is_none()
            && kind.quirks.same_endpoint_as.is_none()
    };
    let with_body = |kind: &'static Kind| {
        let mut body = Body::new();
        body.set(kind.identity.id, "sRcOther00000000000000000000a1b2".into());
        let is_plain = |path: &&str| !path.contains(['[', '*']) && kind.references.iter().all(|reference| reference.path != *path);
        for field in kind.identity.key.iter().chain(kind.fields.required).copied().filter(is_plain) {
            body.set(field, format!("a {field}").into());
        }
        (kind, body)
    };
    Catalog::standard().kinds().filter(is_created).map(with_body).collect()
}

#[test]
fn source_values_are_found_or_replaced_in_every_notation_and_field_of_every_kind() {
    let (mut found, mut kinds) = (0, 0);
    for (kind, body) in creatable() {
        let names: Vec<&str> = kind.fields.writable().iter().map(|field| field.name).filter(|name| !body.0.contains_key(*name)).collect();
        let mut is_any = false;
        for (number, name) in names.into_iter().enumerate() {
            let notation = NOTATIONS[number % NOTATIONS.len()];
            let wanted = [SOURCE, SOURCE_CUSTOM, SOURCE_ID][number % 3];
            let wanted = if notation.keeps(wanted) { wanted } else { SOURCE };
            let written = notation.write(&format!("see {wanted} there"));
            for value in [json!(written), json!([written]), json!({"a": written}), json!({&written: "a"}), json!([{"a": [{"b": written}]}])]
            {
                let mut body = body.clone();
                body.set(name, value.clone());
                let (plan, leak) = planned(&[(kind.name, body.into_value())]);
                let change = plan.changes().find(|change| change.key.kind() == kind && change.key.name() != "Shop");
                if is_sent(change, &written) {
                    assert!(leak.is_some(), "{}: {name} is sent as {value}", kind.name);
                    (found, is_any) = (found + 1, true);
                } else if notation == Open {
                    assert_eq!(leak, None, "{}: {name} is marked in {value}", kind.name);
                }
            }
        }
        kinds += usize::from(is_any);
    }
    assert!(found > 300 && kinds > 15, "only {found} fields of {kinds} kinds were looked at");
}

#[test]
fn a_finding_shows_the_place_and_the_value() {
    let said = |metadata: Value| of_metadata(&metadata).unwrap_or_default();
    assert_eq!(
        said(json!({"a": WholeUrl.write(SOURCE)})),
        "clients/Till: client_metadata.a contains the source's domain acme-dev.eu.auth0.com, encoded"
    );
    assert_eq!(said(json!({SOURCE: "a"})), "clients/Till: a name in client_metadata contains the source's domain acme-dev.eu.auth0.com");
    assert_eq!(
        said(json!({"a": SOURCE_CUSTOM})),
        "clients/Till: client_metadata.a contains the source's custom domain login.dev.acme.example"
    );
    assert_eq!(said(json!({SOURCE_ID: "a"})), format!("clients/Till: a name in client_metadata contains the source's id {SOURCE_ID}"));
    assert_eq!(
        said(json!({"a": "https://##HOST##", "b": "##HOST##"})),
        "clients/Till: client_metadata.a contains the placeholder ##HOST##, and 1 more like it"
    );
}

#[test]
fn a_similar_host_is_not_a_source_host() {
    let others = [
        "https://my-acme-dev.eu.auth0.com",
        "acme-dev.eu.auth0.com.evil.example",
        "acme-dev.eu.auth0.company",
        "my.login.dev.acme.example",
        "login.dev.acme.example.org",
        "xdEvShop0000000000000000000000a1b",
    ];
    for other in others {
        for notation in NOTATIONS {
            assert_eq!(of_metadata(&json!({"a": notation.write(other)})), None, "{other} as {notation:?}");
        }
    }
    for below in ["https://mtls.acme-dev.eu.auth0.com/oauth/token", "mtls.login.dev.acme.example"] {
        assert!(of_metadata(&json!({"a": below})).is_some(), "{below}");
    }
}

#[test]
fn a_target_host_may_be_a_subdomain_of_a_source_host() {
    let catalog = Catalog::standard();
    let tell = |text: &str| {
        let till = json!({"client_id": "dEvTill0000000000000000000000a1b", "name": "Till", "description": text});
        let (source, target) =
            (tenant(SOURCE, "acme.example", SOURCE_ID, &[("clients", till)]), tenant(TARGET, "mtls.acme.example", TARGET_ID, &[]));
        let desired = Desired { hosts: source.hosts(), ..Desired::unmapped(source) };
        let plan = plan(catalog, &desired, &target, &Links::default());
        refusals(&plan, &desired, &target).iter().any(|refusal| refusal.guard == Guard::SourceLeak)
    };
    assert!(!tell("https://mtls.acme.example/login"));
    assert!(tell("https://acme.example/login"));
}

#[test]
fn plain_source_values_are_replaced_by_the_targets_own() {
    let texts = [
        ("https%3A%2F%2Facme-dev.eu.auth0.com%2Fapi", "https%3A%2F%2F⟨tenant⟩%2Fapi"),
        ("HTTPS://ACME-DEV.EU.AUTH0.COM/", "HTTPS://⟨tenant⟩/"),
        ("redirect=client_id%3DdEvShop0000000000000000000000a1b%26x", "redirect=client_id%3D⟦clients/Shop⟧%26x"),
        ("client_dEvShop0000000000000000000000a1b", "client_⟦clients/Shop⟧"),
    ];
    for (text, marked) in texts {
        let till = json!({"client_id": "dEvTill0000000000000000000000a1b", "name": "Till", "description": text});
        let (plan, leak) = planned(&[("clients", till)]);
        let change = change(&plan, &"clients/Till".parse().expect("a key"));
        assert!(is_sent(change, marked), "{text}: {change:?}");
        assert_eq!(leak, None);
    }
}

const DEFAULT_TEMPLATE: &str = r#"<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"
@@AssertServiceURLAndDestination@@
    ID="@@ID@@"
    IssueInstant="@@IssueInstant@@"
    ProtocolBinding="@@ProtocolBinding@@" Version="2.0">
    <saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">@@Issuer@@</saml:Issuer>
</samlp:AuthnRequest>"#;

fn of_saml(options: &Value) -> Option<String> {
    planned(&[("connections", json!({"id": "con_dEvSaml000000001", "name": "saml", "strategy": "samlp", "options": options}))]).1
}

/// Templates of public repositories that cover their differences.
#[test]
fn saml_variables_are_not_placeholders_in_a_request_template() {
    let templates = [
        DEFAULT_TEMPLATE.to_owned(),
        DEFAULT_TEMPLATE.replace(
            "@@AssertServiceURLAndDestination@@",
            r#"AssertionConsumerServiceURL="@@AssertionConsumerServiceURL@@" Destination="@@Destination@@""#,
        ),
        DEFAULT_TEMPLATE.replace("@@Issuer@@", "urn:auth0:acme-dev:saml"),
        DEFAULT_TEMPLATE.replace(r#"Version="2.0""#, r#"Version="2.0" ProviderName="@@ProviderName@@" ForceAuthn="@@ForceAuthn@@""#),
        DEFAULT_TEMPLATE.replace(
            "</saml:Issuer>",
            "</saml:Issuer>@@AuthnContext@@<saml:Subject><saml:NameID>@@LoginHint@@</saml:NameID></saml:Subject>",
        ),
        r#"<samlp:AuthnRequest ID="@@ID@@@@IssueInstant@@"/>"#.to_owned(),
    ];
    for template in templates {
        assert_eq!(of_saml(&json!({"requestTemplate": template})), None, "{template}");
    }
    assert_eq!(of_saml(&json!({"template": "@@password@@"})), None);
}

#[test]
fn an_unknown_variable_is_a_placeholder_in_a_request_template_too() {
    let told = |mark: &str| format!("connections/saml: options.requestTemplate contains the placeholder {mark}");
    for mark in ["@@HOST@@", "##HOST##", "##ID##"] {
        let template = DEFAULT_TEMPLATE.replace("urn:oasis:names:tc:SAML:2.0:protocol", mark);
        assert_eq!(of_saml(&json!({"requestTemplate": template})), Some(told(mark)));
    }
    assert_eq!(
        of_saml(&json!({"signInEndpoint": "https://@@ID@@"})),
        Some("connections/saml: options.signInEndpoint contains the placeholder @@ID@@".into())
    );
}

/// Returns a deterministic generator of texts.
fn runner() -> TestRunner {
    let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Text before and after something, so that a host or an id ends there.
fn around() -> impl Strategy<Value = (String, String)> {
    let before = prop_oneof![Just(String::new()), "[a-z]{0,9}[ /:=(\"']", "é?https://", "[A-Za-z0-9]{1,5}@", "\\?x=[a-z]{1,3}&y="];
    let behind = prop_oneof![Just(String::new()), "[ /:)\"'&?;,][a-zA-Z0-9/]{0,9}", Just(". Then".to_owned())];
    (before, behind)
}

fn notations() -> impl Strategy<Value = Vec<Notation>> {
    proptest::collection::vec(proptest::sample::select(&NOTATIONS[..]), 0..3)
}

fn written(notations: &[Notation], text: &str, around: &[(String, String)]) -> String {
    let dressed = |text: String, (before, behind): &(String, String)| format!("{before}{text}{behind}");
    let mut text = dressed(text.to_owned(), &around[0]);
    for (notation, around) in notations.iter().zip(&around[1..]) {
        text = dressed(notation.write(&text), around);
    }
    text
}

#[test]
fn source_values_are_found_through_nested_notations_or_replaced() {
    let wanted = proptest::sample::select(vec![SOURCE, SOURCE_CUSTOM, SOURCE_ID]);
    let strategy = (wanted, notations(), proptest::collection::vec(around(), 3), any::<bool>());
    let tested = runner().run(&strategy, |(wanted, mut notations, around, is_name)| {
        // Lower-case letters cannot be restored from capitals inside another notation.
        notations.retain(|notation| *notation != Capitals);
        let text = written(&notations, wanted, &around);
        let field = if is_name { json!({&text: "a"}) } else { json!({"a": [text]}) };
        let till = json!({"client_id": "dEvTill0000000000000000000000a1b", "name": "Till", "client_metadata": field});
        let (plan, leak) = planned(&[("clients", till)]);
        let change = change(&plan, &"clients/Till".parse().expect("a key"));
        prop_assert!(leak.is_some() || !is_sent(change, &text), "{text}");
        Ok(())
    });
    tested.expect("all is found");
}

#[test]
fn nothing_is_found_in_texts_with_target_values_only() {
    let own = vec![
        TARGET,
        TARGET_CUSTOM,
        TARGET_ID,
        "my-acme-dev.eu.auth0.com",
        "xdEvShop0000000000000000000000a1b",
        "acme-dev.eu.auth0.com.org",
        "",
    ];
    let strategy = (proptest::sample::select(own), notations(), proptest::collection::vec(around(), 3), "\\PC{0,40}");
    let tested = runner().run(&strategy, |(own, notations, around, noise)| {
        let text = written(&notations, own, &around);
        prop_assert_eq!(of_metadata(&json!({"a": text, "b": noise})), None);
        Ok(())
    });
    tested.expect("nothing is found");
}
