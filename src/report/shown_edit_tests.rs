//! Tests that no format shows both sides of an edit as the same text.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::field_text::{edit_lines, full_edit, short_edit};
use super::layout::Layout;
use super::shown_edit::{ShownEdit, Sign};
use super::style::{ADDED, REMOVED};
use super::value_pair::Pair;
use crate::catalog::Kind;
use crate::plan::Edit;

/// Returns what is shown of the old and of the new side, by its colour on a terminal.
fn sides(lines: &[String]) -> (Vec<String>, Vec<String>) {
    let of = |style: anstyle::Style| {
        let parts = lines.iter().flat_map(|line| line.split(&style.to_string()).skip(1).map(str::to_owned).collect::<Vec<_>>());
        parts.map(|part| part.split('\u{1b}').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    (of(REMOVED), of(ADDED))
}

/// Returns the renderings of an edit in which both sides are the same.
fn indistinct(kind: &Kind, edit: &Edit) -> Vec<String> {
    let shown = ShownEdit::new(Some(kind), &edit.path, (edit.old.as_ref(), edit.new.as_ref()));
    let mut wrong = Vec::new();
    let mut check = |renderer: String, (old, new): (Vec<String>, Vec<String>)| {
        if old == new {
            wrong.push(format!("{renderer}: {old:?}"));
        }
    };
    for columns in [0, 12, 20, 40, 80, 400] {
        check(format!("short, {columns}"), sides(&[short_edit(&shown, columns)]));
        check(format!("full, {columns}"), sides(&full_edit(&shown, columns)));
        let lines = shown.lines(3, columns);
        let of = |sign: Sign| lines.iter().filter(|line| line.sign == sign).map(|line| line.text.clone()).collect::<Vec<_>>();
        check(format!("lines, {columns}"), (of(Sign::Removed), of(Sign::Added)));
    }
    check("edit_lines".to_owned(), sides(&edit_lines(kind, edit, Layout::default())));
    let Pair { old, new } = Pair::quoted(edit.old.as_ref(), edit.new.as_ref()).shortened(60);
    check("quoted".to_owned(), (vec![old], vec![new]));
    wrong
}

fn kind() -> &'static Kind {
    Kind::named("resource-servers").expect("a kind")
}

fn edit(path: &str, old: Option<Value>, new: Option<Value>) -> Edit {
    Edit { path: path.into(), old, new }
}

#[test]
fn values_that_used_to_look_the_same_are_told_apart() {
    let long = "https://a-rather-long-host-name.of-some-department.acme.example/".repeat(5);
    let minified = "function(){".repeat(200);
    let cases = [
        (json!([format!("{long}a")]), json!([format!("{long}b")])),
        (json!([long, "a"]), json!(["a", long])),
        (json!({"a": "x\ny"}), json!({"a": "x\nz"})),
        (json!(["x\ny"]), json!(["x\nz"])),
        (json!([{"a": 1}]), json!([{"b": 1}])),
        (json!("a, b"), json!(["a", "b"])),
        (json!("(none)"), json!(null)),
        (json!("line\r\nline"), json!("line\nline")),
        (json!(format!("a\n{minified}1\nb")), json!(format!("a\n{minified}2\nb"))),
        (json!("a\u{200b}"), json!("a\\u{200b}")),
        (json!([]), json!({})),
        (json!("1"), json!(1)),
    ];
    for (old, new) in cases {
        for (old, new) in [(Some(old.clone()), Some(new.clone())), (Some(new), Some(old))] {
            let edit = edit("scopes", old, new);
            assert_eq!(indistinct(kind(), &edit), [""; 0], "{edit:?}");
        }
    }
    for value in [json!([]), json!("(none)"), json!(""), json!("\n"), json!(86400), json!(null)] {
        for edit in [edit("token_lifetime", None, Some(value.clone())), edit("token_lifetime", Some(value), None)] {
            assert_eq!(indistinct(kind(), &edit), [""; 0], "{edit:?}");
        }
    }
}

#[test]
fn an_absent_value_is_shown_as_the_servers_default() {
    let shown = ShownEdit::new(Some(kind()), "token_lifetime", (None, Some(&json!(60))));
    assert_eq!(shown, ShownEdit::Value(Pair { old: "86400".into(), new: "60".into() }));
}

#[test]
fn an_element_of_a_list_begins_with_what_identifies_it() {
    let scope = |name: &str| json!([{"description": "Reads them", "value": name}]);
    let shown = ShownEdit::new(Some(kind()), "scopes", (Some(&scope("read:a")), Some(&scope("read:b"))));
    let lines = |text: &str| vec![text.to_owned()];
    let expected = ShownEdit::List { removed: lines("read:a · Reads them"), added: lines("read:b · Reads them"), unchanged: 0 };
    assert_eq!(shown, expected);
}

fn text() -> impl Strategy<Value = String> {
    let start = prop_oneof![Just(String::new()), Just("https://acme.example/".repeat(8)), Just("a line\n".repeat(6))];
    (start, "[ab\\n ,·(\u{200b}]{0,5}", "(\n[ab]{1,3}){0,2}").prop_map(|(start, middle, end)| start + &middle + &end)
}

/// Returns values that are easily taken for each other.
pub(super) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::String),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => (0..3).prop_map(|number: i32| json!(number)),
        1 => Just(Value::Null),
        1 => Just(json!("(none)")),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let fields = prop::collection::btree_map("[ab]", inner.clone(), 0..3);
        let object = fields.prop_map(|fields| Value::Object(fields.into_iter().collect()));
        prop_oneof![prop::collection::vec(inner, 0..3).prop_map(Value::Array), object]
    })
}

proptest! {
    #[test]
    fn the_sides_of_an_edit_never_look_the_same(old in prop::option::of(value()), new in prop::option::of(value())) {
        prop_assume!(old != new);
        let edit = edit("token_lifetime", old, new);
        prop_assert_eq!(indistinct(kind(), &edit), [""; 0]);
    }
}
