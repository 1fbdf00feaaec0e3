//! Secrets that no catalog entry declares: none gets through, and nothing else is withheld.

use std::collections::{BTreeMap, BTreeSet};

use auth0_migrate::catalog::{Catalog, Fields, Kind, Shape};
use auth0_migrate::json::{Body, covers, join};
use auth0_migrate::model::resource::{Id, Resource};
use auth0_migrate::plan::{Action, Change, plan};
use auth0_migrate::snapshot::{Desired, Snapshot, Status, id_substitution};
use auth0_migrate::state::links::Links;
use serde_json::{Map, Value, json};

use crate::recordings::replay::{rows, text};

/// Returns every leaf field of a table.
fn leaves(fields: &Fields, above: &str) -> Vec<String> {
    let of_field = |field: &auth0_migrate::catalog::Field| {
        let path = join(above, field.name);
        match &field.below {
            Some(below) => leaves(below, &if field.is_list { format!("{path}[]") } else { path }),
            None => vec![path],
        }
    };
    fields.iter().flat_map(of_field).collect()
}

/// Returns every field in an entry, except read-only ones.
fn known(kind: &Kind) -> BTreeSet<String> {
    let named = kind
        .identity
        .key
        .iter()
        .chain(kind.fields.required)
        .chain([&kind.identity.id, &kind.quirks.alias_id, &kind.identity.tenant_host])
        .copied();
    let referring = kind.references.iter().map(|reference| reference.path);
    let settings = kind
        .defaults
        .values
        .iter()
        .chain(kind.quirks.defaults_to_field)
        .chain(kind.quirks.blocked_by)
        .chain(kind.lists.element_key)
        .map(|(path, _)| *path);
    let others = [
        kind.lists.unordered,
        kind.quirks.ordered_merge,
        kind.defaults.server_filled,
        kind.quirks.presence_is_setting,
        kind.fields.replaced,
        kind.fields.merge_only,
        kind.fields.always_sent,
        kind.entitlements,
    ];
    let paths = named.chain(referring).chain(settings).chain(others.concat()).filter(|path| !path.is_empty()).map(str::to_owned);
    leaves(kind.fields.writable(), "").into_iter().chain(paths).collect()
}

#[test]
fn every_field_that_sounds_like_a_secret_is_declared_or_exempt() {
    let is_secret = |kind: &Kind, path: &str| kind.secrets.paths.iter().any(|secret| covers(secret, path) || covers(path, secret));
    let mut open = Vec::new();
    for kind in Catalog::standard().kinds() {
        let sounding = known(kind).into_iter().filter(|path| kind.withheld_reason(path).is_some() && !is_secret(kind, path));
        open.extend(sounding.map(|path| format!("{}: {path}", kind.name)));
    }
    assert!(open.is_empty(), "neither in `secrets` nor in `plain`:\n{}", open.join("\n"));
}

#[test]
fn every_exemption_is_needed_and_has_a_reason() {
    for kind in Catalog::standard().kinds() {
        for (path, reason) in kind.secrets.exempt {
            assert!(reason.len() > 10, "{}: {path}: {reason}", kind.name);
            assert!(!kind.secrets.paths.contains(path), "{}: {path} is listed as a secret", kind.name);
            assert!(kind.fields.writable().has(path), "{}: {path} is no field", kind.name);
        }
        for path in kind.fields.code {
            assert!(kind.fields.writable().has(path), "{}: {path} is no field", kind.name);
        }
    }
}

/// Typical names of secrets.
pub(crate) const NAMES: [&str; 28] = [
    "password",
    "API key",
    "api.key",
    "passcode",
    "pwd_old",
    "signingkey",
    "sharedKey",
    "pass_phrase",
    "Ocp-Apim-Subscription-Key",
    "client_secret",
    "apiKey",
    "access_token",
    "private_key",
    "X-Api-Key",
    "authorization",
    "set-cookie",
    "passphrase",
    "credentials",
    "refreshToken",
    "secretAccessKey",
    "smtp_pass",
    "db_pwd",
    "bearer",
    "connectionString",
    "webhook_secret",
    "sasKey",
    "agentSecret",
    "token_password",
];

/// The number of forms in which a secret can occur in an object: by its name at one of three depths, among other
/// secrets, and by its format.
pub(crate) const FORMS: usize = 5;

/// Returns fields with a secret in one of the forms; the surrounding fields are the same in each.
///
/// A list element that is withheld as a whole, such as a header, has a different mark.
pub(crate) fn canary(name: &str, form: usize, mark: &str) -> Map<String, Value> {
    const ELEMENT: &str = "CANARY-0f-an-element";
    let mut fields = Map::new();
    let mut object = json!({"plain": "text", "headers": [{"name": "accept", "value": "json"}]});
    let mut list = json!([{"id": "first", "then": [{"id": "second", "more": {"plain": "text"}}]}]);
    match form % FORMS {
        0 => drop(fields.insert(name.to_owned(), json!(mark))),
        1 => {
            object[name] = json!({"value": mark});
            object["headers"].as_array_mut().into_iter().for_each(|list| list.push(json!({"name": name, "value": ELEMENT})));
            object["fields"] = json!([{"label": name, "value": ELEMENT}, {"id": name, "content": ELEMENT}]);
        }
        2 => {
            list[0]["then"][0][name] = json!(mark);
            list[0]["then"][0]["more"][name] = json!([mark]);
        }
        3 => {
            object["secrets"] = json!({"stripe": mark, "own": {"mail": mark}});
            object["apiKeys"] = json!({"stripe": mark});
            object["credentials"] = json!([{"stripe": ELEMENT}]);
            object["signs"] = json!({"kty": "RSA", "n": "open", "d": mark, "dp": mark});
        }
        _ => {
            object["lines"] = json!(["Accept: json", format!("Authorization: Bearer {mark}")]);
            object["hook"] = json!(format!("https://hook.example/?api_key={mark}"));
            object["database"] = json!(format!("AccountName=a;AccountKey={mark}"));
            object["mail"] = json!(format!("smtp://user:{mark}@mail.example"));
            list[0]["then"][0]["more"]["note"] = json!(format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\n{mark}"));
        }
    }
    fields.extend([("a_made_up_object".to_owned(), object), ("a_made_up_list".to_owned(), list)]);
    fields
}

/// Returns whether an entry declares that the object at a path contains only texts, whatever their names.
pub(crate) fn holds_texts(kind: &Kind, path: &str) -> bool {
    kind.secrets.exempt.iter().any(|(plain, _)| plain.ends_with('*') && covers(plain, &join(path, "any")))
}

/// Adds such a secret to every object of a table, except objects that contain only texts.
fn plant(kind: &Kind, path: &str, fields: &Fields, object: &mut Map<String, Value>, secret: &Map<String, Value>) {
    for field in fields.iter() {
        let Some(below) = &field.below else { continue };
        let mut inside = Map::new();
        plant(kind, &join(path, field.name), below, &mut inside, secret);
        let inside = Value::Object(inside);
        object.insert(field.name.to_owned(), if field.is_list { json!([inside]) } else { inside });
    }
    for (name, value) in secret.iter().filter(|_| !holds_texts(kind, path)) {
        object.entry(name.clone()).or_insert_with(|| value.clone());
    }
}

#[test]
fn a_secret_with_any_name_beside_any_field_never_becomes_part_of_a_resource() {
    let mut planted = 0;
    for (place, kind) in Catalog::standard().kinds().enumerate() {
        // Each name occurs in each form beside the fields of many kinds.
        let forms = |at: usize| [at % FORMS, (at + 1 + place % (FORMS - 1)) % FORMS];
        for (name, form) in NAMES.into_iter().enumerate().flat_map(|(at, name)| forms(at).map(|form| (name, form))) {
            let mut body = Map::new();
            for path in kind.identity.key.iter().chain([&kind.identity.id]).filter(|path| !path.contains('.')) {
                body.insert((*path).to_owned(), json!("a name"));
            }
            plant(kind, "", kind.fields.writable(), &mut body, &canary(name, form, "CANARY-1a2b3c"));
            planted += Value::Object(body.clone()).to_string().matches("CANARY").count();
            let read = match kind.shape {
                Shape::Child { .. } => Resource::read_child(kind, &Id::new("parent"), vec![Value::Object(body)]),
                _ => Resource::read(kind, Body(body)).expect("readable"),
            };
            let written = serde_json::to_string(&read).expect("JSON");
            assert!(!written.contains("CANARY"), "{} {name} {form}: {written}", kind.name);
        }
    }
    assert!(planted > 30_000, "{planted}");
}

/// Returns the snapshot of a tenant with this client and this flow.
fn tenant(domain: &str, metadata: &Value, headers: &Value) -> Snapshot {
    let id = |kind: &str| format!("{}{kind}00000000000000000000a1b2", &domain[..4]);
    let action = json!({"id": "one", "params": {"url": "https://hook.example", "headers": headers, "from": domain[..4]}});
    let own = [
        ("clients", json!({"client_id": id("client"), "name": "Shop", "client_metadata": metadata, "brand_new_secret": domain})),
        ("flows", json!({"id": id("flow"), "name": "Notify", "actions": [action]})),
    ];
    let read = |(kind, answer): &(&str, Value)| {
        let kind = Catalog::standard().kind(kind).expect("a kind");
        Resource::read(kind, Body::from_value(answer.clone()).expect("an object")).expect("readable")
    };
    let mut resources: Vec<Resource> = own.iter().map(read).collect();
    let twice = id_substitution::to_portable(Catalog::standard(), domain, &mut resources);
    let kinds = Catalog::standard().kinds().map(|kind| (kind.name.to_owned(), Status::Complete)).collect();
    Snapshot { tenant: domain.to_owned(), domain: domain.to_owned(), taken: String::new(), kinds, resources, twice, selection: None }
}

/// Plans the first of these tenants into the second; returns what is sent, what is reported as skipped, and the manual
/// steps.
fn planned(source: Snapshot, target: &Snapshot) -> (Vec<String>, Vec<String>, Vec<String>) {
    let plan = plan(Catalog::standard(), &Desired::unmapped(source), target, &Links::default());
    let sent = |change: &Change| match &change.action {
        Action::Create { body, .. } | Action::Update { body, .. } => {
            format!("{}: {}", change.key, serde_json::to_string(body).expect("JSON"))
        }
        other => format!("{}: {other:?}", change.key),
    };
    let skipped = plan.skipped.iter().map(|left| format!("{} {}: {}", left.key, left.path.as_deref().unwrap_or_default(), left.reason));
    (plan.changes().map(sent).collect(), skipped.collect(), plan.manual_steps.iter().map(|manual| manual.step.clone()).collect())
}

#[test]
fn a_value_withheld_on_one_side_is_neither_cleared_nor_overwritten() {
    let headers = json!({"accept": "json"});
    let source = tenant("dev1.eu.auth0.com", &json!({"api_key": "secret", "token": "{{vars.token}}", "colour": "red"}), &headers);
    let target = tenant("prd1.eu.auth0.com", &json!({"api_key": "{{vars.key}}", "token": "own secret", "colour": "blue"}), &headers);
    let (sent, skipped, manual) = planned(source, &target);
    let client = |sent: &&String| sent.starts_with("clients");
    assert_eq!(
        sent.iter().find(client).map(String::as_str),
        Some(r#"clients/Shop: {"client_metadata":{"api_key":"{{vars.key}}","colour":"red"}}"#)
    );
    assert_eq!(skipped, ["clients/Shop client_metadata.token: it is a secret in the target, so it is not changed"]);
    assert_eq!(manual, ["client_metadata.api_key is not copied; set it in the target, or supply it with a `secret` rule in the mapping"]);
}

#[test]
fn a_secret_of_the_target_is_kept_whatever_characters_its_name_has() {
    let source = tenant("dev1.eu.auth0.com", &json!({"api.key": "{{vars.key}}", "a.token": "a secret"}), &json!({}));
    let target = tenant("prd1.eu.auth0.com", &json!({"api.key": "own secret", "a.token": "{{vars.token}}"}), &json!({}));
    let (sent, skipped, manual) = planned(source, &target);
    assert!(!sent.iter().any(|sent| sent.starts_with("clients")), "{sent:?}");
    assert_eq!(skipped, ["clients/Shop client_metadata.api.key: it is a secret in the target, so it is not changed"]);
    assert_eq!(manual, ["client_metadata.a.token is not copied; set it in the target"]);
}

#[test]
fn values_withheld_in_both_tenants_are_reported_unless_declared() {
    let of = |domain| tenant(domain, &json!({"api_key": "secret"}), &json!({"authorization": "Bearer a"}));
    let plan = plan(Catalog::standard(), &Desired::unmapped(of("dev1.eu.auth0.com")), &of("prd1.eu.auth0.com"), &Links::default());
    let excluded: Vec<_> = plan.excluded.iter().map(|left| (left.key.to_string(), left.path.as_deref().unwrap_or_default())).collect();
    let named = [
        ("clients/Shop", "client_metadata.api_key"),
        ("clients/Shop", "brand_new_secret"),
        ("flows/Notify", "actions[0].params.headers.authorization"),
    ];
    for (key, path) in named {
        assert!(excluded.contains(&(key.to_owned(), path)), "{key} {path}: {excluded:?}");
    }
}

#[test]
fn a_list_with_a_secret_is_written_if_the_target_has_one_and_skipped_otherwise() {
    let with = |secret: &str| json!({"accept": "json", "authorization": secret});
    let of = |headers: [Value; 2]| {
        let [source, target] = headers;
        planned(tenant("dev1.eu.auth0.com", &json!({}), &source), &tenant("prd1.eu.auth0.com", &json!({}), &target))
    };
    let (sent, skipped, _) = of([with("Bearer a"), with("Bearer b")]);
    assert!(sent.iter().any(|sent| sent.starts_with("flows/Notify: ") && !sent.contains("Bearer")), "{sent:?}");
    assert_eq!(skipped, Vec::<String>::new());
    let (sent, skipped, _) = of([with("Bearer a"), json!({"accept": "json"})]);
    assert_eq!(sent, Vec::<String>::new());
    assert_eq!(skipped.len(), 1, "{skipped:?}");
}

#[test]
fn missing_secrets_of_a_new_resource_are_steps_but_unknown_fields_cannot_be_supplied() {
    let source = tenant("dev1.eu.auth0.com", &json!({"api_key": "secret"}), &json!({"authorization": "Bearer a"}));
    let empty = Snapshot { resources: Vec::new(), ..tenant("prd1.eu.auth0.com", &json!({}), &json!({})) };
    let (sent, _, manual) = planned(source, &empty);
    assert!(!sent.concat().contains("secret\"") && !sent.concat().contains("Bearer"), "{sent:?}");
    for step in [
        "client_metadata.api_key is not copied; set it in the target, or supply it with a `secret` rule in the mapping",
        "brand_new_secret is not copied; set it in the target",
        "actions[0].params.headers.authorization is not copied; set it in the target",
    ] {
        assert!(manual.iter().any(|said| said == step), "{step}: {manual:#?}");
    }
}

/// Returns the kind of a recorded or described path.
pub(crate) fn kind_of(path: &str) -> Option<&'static Kind> {
    let own = Catalog::standard().kinds().filter(|kind| kind.quirks.same_endpoint_as.is_none());
    own.filter_map(|kind| Some((kind.match_path(path)?.len(), kind))).min_by_key(|(places, _)| *places).map(|(_, kind)| kind)
}

/// Returns the objects in a response of a kind: the response itself, or the elements of its list.
pub(crate) fn bodies(kind: &Kind, answer: &Value) -> Vec<Body> {
    let is_list_of = |value: &&Value| value.as_array().is_some_and(|list| list.iter().any(Value::is_object));
    let is_one = || kind.identity.key.iter().chain([&kind.identity.id]).any(|field| answer.get(field).is_some());
    let is_listed = matches!(kind.shape, Shape::Collection | Shape::Nested { .. }) && !is_one();
    let list = if is_listed { answer.as_object().and_then(|fields| fields.values().find(is_list_of)) } else { None };
    match list.unwrap_or(answer) {
        Value::Array(list) => list.iter().filter_map(|one| Body::from_value(one.clone()).ok()).collect(),
        one => Body::from_value(one.clone()).into_iter().collect(),
    }
}

/// Returns a path with `[]` in place of list indexes.
pub(crate) fn without_indexes(path: &str) -> String {
    path.split(['[', ']']).enumerate().map(|(at, part)| if at % 2 == 0 { part } else { "[]" }).collect()
}

/// Returns every recorded object with its kind, from responses and from tenants.
fn recorded() -> Option<Vec<(&'static Kind, Body)>> {
    let mut all = Vec::new();
    let mut add = |path: &str, value: &Value| {
        if let Some(kind) = kind_of(path.split('?').next().unwrap_or_default()) {
            all.extend(bodies(kind, value).into_iter().map(|body| (kind, body)));
        }
    };
    for row in ["updates.jsonl.gz", "creates.jsonl.gz", "traffic.jsonl.gz"].into_iter().map(rows).collect::<Option<Vec<_>>>()?.concat() {
        let values = ["before", "after", "response"].iter().filter_map(|field| row.get(*field));
        values.for_each(|value| add(text(&row, "path"), value));
    }
    for (_, tenant) in crate::support::recorded_tenants::recorded() {
        for (path, value) in tenant.to_json()["data"].as_object().expect("an object") {
            add(path, value);
        }
    }
    for row in rows("objects.jsonl.gz")? {
        let kind = Catalog::standard().kind(text(&row, "kind"));
        all.extend(kind.zip(Body::from_value(row["object"].clone()).ok()));
    }
    Some(all)
}

#[test]
fn only_secrets_of_recorded_tenants_are_withheld() {
    let Some(recorded) = recorded() else { return };
    assert!(recorded.len() > 5_000, "{}", recorded.len());
    let mut found: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for (kind, mut body) in recorded {
        kind.take_listed_secrets(&mut body);
        for (path, value) in kind.take_unlisted_secrets(&mut body) {
            found.entry((kind.name.to_owned(), without_indexes(&path))).or_default().insert(value.to_string());
        }
    }
    assert!(found.is_empty(), "secrets, or exceptions that are missing: {found:#?}");
}
