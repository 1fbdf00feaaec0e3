//! Tests of the pages, read by a parser as a browser reads them.

use std::path::Path;
use std::time::Duration;

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{SCRIPT, STYLE};
use crate::apply::Summary;
use crate::model::resource::{Id, key};
use crate::plan::{Action, Change, Drift, DriftReport, Edit, Plan, Stage};
use crate::report::document::Document;
use crate::report::shown_edit_tests::value;
use crate::report::{PlanView, RunCost, RunReport, plan_sample, sample};

/// Names and values that would do harm if they were no text.
const HOSTILE: [&str; 8] = [
    "<script>window.pwned = 1</script>",
    "\"><img src=x onerror=\"window.pwned = 1\">",
    "' onload='window.pwned = 1",
    "</style></script></title><svg onload=alert(1)>",
    "\u{202e}gnp.exe\u{2066}",
    "\u{1b}[2J\u{1b}]0;pwned\u{7}",
    "&lt;b&gt; &#x27; ]]> <!-- --",
    "javascript:alert(1) https://evil.example/",
];

/// An element of a page: its name, its attributes, and the text below it.
#[derive(Debug)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Element {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Returns the elements of a page, in order; the page has no parse error.
fn elements(html: &str) -> Vec<Element> {
    let dom = parse_document(RcDom::default(), ParseOpts::default()).one(html);
    assert_eq!(dom.errors.take(), [""; 0], "{html}");
    let mut elements = Vec::new();
    collect(&dom.document, &mut elements);
    elements
}

fn collect(node: &Handle, elements: &mut Vec<Element>) {
    if let NodeData::Element { name, attrs, .. } = &node.data {
        let attributes = attrs.borrow().iter().map(|one| (one.name.local.to_string(), one.value.to_string())).collect();
        elements.push(Element { name: name.local.to_string(), attributes, text: text(node) });
    }
    for child in node.children.borrow().iter() {
        collect(child, elements);
    }
}

fn text(node: &Handle) -> String {
    match &node.data {
        NodeData::Text { contents } => contents.borrow().to_string(),
        _ => node.children.borrow().iter().map(text).collect(),
    }
}

/// Asserts that a page contains only our script and style, loads nothing and cannot be left.
fn assert_inert(html: &str) {
    let elements = elements(html);
    let of = |name: &str| elements.iter().filter(|element| element.name == name).map(|element| element.text.as_str()).collect::<Vec<_>>();
    assert_eq!((of("script"), of("style")), (vec![SCRIPT], vec![STYLE]));
    for element in &elements {
        let name = element.name.as_str();
        assert!(!["img", "iframe", "object", "embed", "link", "form", "base", "audio", "video", "frame"].contains(&name), "{element:?}");
        for (attribute, value) in &element.attributes {
            assert!(
                !attribute.starts_with("on") && !["style", "src", "srcset", "action", "background"].contains(&attribute.as_str()),
                "{element:?}"
            );
            assert!(attribute != "href" || value.starts_with('#'), "{element:?}");
        }
        assert!(!element.text.chars().any(|sign| sign.is_control() && sign != '\n') && !element.text.contains('\u{202e}'), "{element:?}");
    }
    let policy = elements.iter().find(|element| element.attribute("http-equiv").is_some()).and_then(|element| element.attribute("content"));
    let policy = policy.expect("a policy");
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
}

fn of_plan(plan: &Plan) -> String {
    Document::of_plan(&PlanView { now: std::time::SystemTime::UNIX_EPOCH, ..PlanView::new(plan, &[]) }).to_html()
}

fn of_run(plan: &Plan, summary: &Summary) -> String {
    let cost = RunCost { took: Duration::from_secs(31), requests: 240, waited: Duration::from_secs(4) };
    let run = RunReport { plan, summary, cost, folder: Path::new("runs/r"), resume: "migrate import --resume", probe: None };
    Document::of_run(&run, None).to_html()
}

fn update(name: &str, edits: Vec<Edit>) -> Change {
    let action =
        Action::Update { id: Some(Id::new("t")), body: edits.iter().map(|edit| (edit.path.clone(), Value::Null)).collect(), edits };
    Change { key: key(&format!("clients/{name}")), source_id: Id::new("s"), action, needs: Vec::new(), secrets: Vec::new() }
}

/// Returns a plan in which every text of a tenant is one of these.
fn with_texts(texts: &[String]) -> Plan {
    let changes = texts.iter().flat_map(|text| {
        let edit = |path: &str, old: Value, new: Value| Edit { path: path.into(), old: Some(old), new: Some(new) };
        let edits = vec![
            edit("description", json!("x"), json!(text)),
            edit("callbacks", json!([text]), json!(["x"])),
            edit("custom_login_page", json!(format!("a\n{text}")), json!("a\nb")),
            edit(text, json!(1), json!(2)),
        ];
        let create = json!({"name": text, "description": text, "client_metadata": {text: text}});
        let create = Action::Create { body: crate::json::Body::from_value(create).expect("an object"), twins: Vec::new() };
        let key = key(&format!("clients/new {text}"));
        [update(text, edits), Change { key, source_id: Id::new("s"), action: create, needs: Vec::new(), secrets: Vec::new() }]
    });
    let mut plan = sample::plan();
    plan.stages = vec![Stage { title: "Applications".into(), changes: changes.collect() }];
    plan.notes = texts.to_vec();
    plan
}

#[test]
fn every_page_is_valid_and_can_do_nothing_but_our_script() {
    assert_inert(&of_plan(&plan_sample::with_dangers()));
    assert_inert(&of_plan(&sample::plan()));
    assert_inert(&of_plan(&sample::empty()));
    assert_inert(&of_run(&sample::plan(), &sample::summary()));
    assert_inert(&of_run(&sample::plan(), &sample::whole()));
    let drift =
        Drift { key: key("clients/Web"), path: "callbacks".into(), base: Some(json!(["a"])), live: Some(json!(["b"])), changed_by: None };
    assert_inert(&Document::of_drift("prod", &DriftReport { drift: vec![drift], ..DriftReport::default() }).to_html());
}

#[test]
fn hostile_names_and_values_are_text_and_change_no_element() {
    let texts = |text: &dyn Fn(usize) -> String| (0..HOSTILE.len()).map(text).collect::<Vec<String>>();
    let hostile = with_texts(&texts(&|at| HOSTILE[at].to_owned()));
    let harmless = with_texts(&texts(&|at| format!("harmless {at}")));
    let (hostile, harmless) = (of_plan(&hostile), of_plan(&harmless));
    assert_inert(&hostile);
    let shape = |html: &str| {
        let of = |element: &Element| (element.name.clone(), element.attributes.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
        elements(html).iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(shape(&hostile), shape(&harmless));
    let long = of_plan(&with_texts(&["long ".repeat(2_000)]));
    assert_inert(&long);
}

#[test]
fn a_page_has_every_entry_of_its_document() {
    let plan = plan_sample::with_dangers();
    let view = PlanView::new(&plan, &[]);
    let document = Document::of_plan(&view);
    let of_document =
        document.sections.iter().filter_map(|section| section.content.kinds()).flatten().flat_map(|kind| &kind.entries).count();
    let elements = elements(&document.to_html());
    let is_entry = |element: &&Element| element.attribute("class") == Some("entry");
    assert_eq!(elements.iter().filter(is_entry).count(), of_document);
    let keys = plan.changes().filter(|change| !matches!(change.action, Action::Update { id: None, .. })).map(|change| change.key.name());
    let body = &elements.iter().find(|element| element.name == "main").expect("a main part").text;
    let missing: Vec<&str> = keys.filter(|name| !body.contains(name)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn headings_are_in_order() {
    for html in [of_plan(&plan_sample::with_dangers()), of_run(&sample::plan(), &sample::summary())] {
        let levels: Vec<u8> = elements(&html).iter().filter_map(|element| element.name.strip_prefix('h')?.parse().ok()).collect();
        assert_eq!(levels.first(), Some(&1));
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    }
}

/// Returns the main part of a page as text: the elements that contain no other text than their own, by class.
fn outline(html: &str) -> String {
    let dom = parse_document(RcDom::default(), ParseOpts::default()).one(html);
    let mut lines = Vec::new();
    lines_of(&dom.document, 0, &mut lines);
    lines.join("\n")
}

fn lines_of(node: &Handle, depth: usize, lines: &mut Vec<String>) {
    let mut depth = depth;
    match &node.data {
        NodeData::Element { name, .. } if ["head", "script"].contains(&&*name.local) => return,
        NodeData::Element { name, attrs, .. } => {
            let class =
                attrs.borrow().iter().find(|one| &*one.name.local == "class").map(|one| format!(".{}", one.value)).unwrap_or_default();
            lines.push(format!("{}{}{class}", "  ".repeat(depth), name.local));
            depth += 1;
        }
        NodeData::Text { contents } if !contents.borrow().trim().is_empty() => {
            let last = lines.last_mut().expect("text is in an element");
            last.extend(["  ", contents.borrow().trim()]);
        }
        _ => {}
    }
    for child in node.children.borrow().iter() {
        lines_of(child, depth, lines);
    }
}

#[test]
fn a_run_is_a_page_in_html() {
    insta::assert_snapshot!(outline(&of_run(&sample::plan(), &sample::summary())));
}

/// Returns the removed and the added lines of Markdown.
fn signed(markdown: &str) -> [Vec<String>; 2] {
    ["-       ", "+       "].map(|sign| markdown.lines().filter_map(|line| line.strip_prefix(sign)).map(str::to_owned).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn files_never_show_both_sides_of_an_edit_as_the_same(old in prop::option::of(value()), new in prop::option::of(value())) {
        prop_assume!(old != new);
        let mut plan = sample::empty();
        let edits = vec![Edit { path: "description".into(), old, new }];
        plan.stages = vec![Stage { title: "Applications".into(), changes: vec![update("Web", edits)] }];
        let view = PlanView::new(&plan, &[]);
        let document = Document::of_plan(&view);
        let elements = elements(&document.to_html());
        let of = |name: &str| elements.iter().filter(|element| element.name == name).map(|element| element.text.clone()).collect::<Vec<_>>();
        prop_assert_ne!(of("del"), of("ins"));
        let [removed, added] = signed(&document.to_markdown());
        prop_assert_ne!(removed, added);
    }
}
