//! Invalid mapping files and tables.

use insta::assert_snapshot;

use crate::support::fixture::Fixture;
use crate::support::refusals::{IMPORT, refused, refused_offline};

/// Returns the error of an import with these rules and this table.
fn refused_with(rules: &str, table: &str) -> String {
    let fixture = Fixture::small();
    fixture.configure("mapping = \"mapping.toml\"\n");
    fixture.write("mapping.toml", rules);
    fixture.write("hosts.csv", table);
    let said = refused_offline(&fixture, IMPORT);
    // `validate` reports the same, without any tenant, and never writes to one.
    let validated = refused_offline(&fixture, "validate");
    assert_eq!(said.strip_suffix("state: nothing was written\n"), Some(validated.as_str()), "{said}");
    said
}

const HOSTS: &str = "[[rule]]\nmatch = \"clients/*\"\nreplace = { table = \"hosts.csv\" }\n";

#[test]
fn a_table_row_without_its_second_column_is_shown_in_its_line() {
    assert_snapshot!(refused_with(HOSTS, "from,to\na.example,b.example\nc.example\n"), @"
    exit 64
    error: a row has 1 column
            --> hosts.csv:3:1
             |
           3 | c.example
             | ^^^^^^^^^ two are needed: from,to
    hint:  correct the mapping, then run `migrate validate`
    state: nothing was written
    ");
}

#[test]
fn a_table_with_other_columns_is_shown_in_its_line() {
    assert_snapshot!(refused_with(HOSTS, "old,new\na.example,b.example\n"), @"
    exit 64
    error: the table has other columns
            --> hosts.csv:1:1
             |
           1 | old,new
             | ^^^^^^^ its first line must be from,to
    hint:  correct the mapping, then run `migrate validate`
    state: nothing was written
    ");
}

#[test]
fn a_table_with_an_unclosed_quote_is_shown_in_its_line() {
    assert_snapshot!(refused_with(HOSTS, "from,to\n\"a.example,b.example\n"), @r#"
    exit 64
    error: a quote is never closed
            --> hosts.csv:2:1
             |
           2 | "a.example,b.example
             | ^^^^^^^^^^^^^^^^^^^^ the row begins here
    hint:  correct the mapping, then run `migrate validate`
    state: nothing was written
    "#);
}

#[test]
fn a_missing_table_is_shown_in_its_rule() {
    assert_snapshot!(refused_with(&HOSTS.replace("hosts", "host"), ""), @r#"
    exit 64
    error: there is no table "host.csv"
            --> mapping.toml:3:21
             |
           3 | replace = { table = "host.csv" }
             |                     ^^^^^^^^^^ the path starts at the mapping's folder
    hint:  correct the mapping, then run `migrate validate`
    state: nothing was written
    "#);
}

#[test]
fn a_rule_for_an_unknown_field_is_shown_with_the_nearest() {
    let rule = "[[rule]]\nmatch = \"clients/*\"\nfield = \"calbacks[]\"\nremove = \"https://shop.acme.example/old\"\n";
    assert_snapshot!(refused_with(rule, ""), @r#"
    exit 64
    error: there is no field "calbacks[]" in clients
            --> mapping.toml:3:9
             |
           3 | field = "calbacks[]"
             |         ^^^^^^^^^^^^ did you mean "callbacks"?
    hint:  correct the mapping, then run `migrate validate`
    state: nothing was written
    "#);
}

#[test]
fn a_rule_for_an_unknown_kind_is_shown_with_the_nearest() {
    assert_snapshot!(refused_with("[[rule]]\nmatch = \"cleints/*\"\nskip = true\n", ""), @r#"
    exit 64
    error: unknown kind "cleints"
            --> mapping.toml:2:9
             |
           2 | match = "cleints/*"
             |         ^^^^^^^^^^^ did you mean "clients"?
    hint:  correct the mapping, then run `migrate validate`
    state: nothing was written
    "#);
}

#[test]
fn a_rule_with_an_unknown_key_is_shown_with_the_nearest() {
    assert_snapshot!(refused_with("[[rule]]\nmatch = \"clients/*\"\nskp = true\n", ""), @r#"
    exit 64
    error: a rule has no "skp"
            --> mapping.toml:3:1
             |
           3 | skp = true
             | ^^^ did you mean "skip"?
    hint:  correct the mapping, then run `migrate validate`
    state: nothing was written
    "#);
}

#[test]
fn invalid_toml_is_shown_in_its_line() {
    assert_snapshot!(refused_with("[[rule]]\nmatch = clients\n", ""), @"
    exit 64
    error: this is not TOML
            --> mapping.toml:2:9
             |
           2 | match = clients
             |         ^^^^^^^ string values must be quoted, expected literal string
    hint:  correct the mapping, then run `migrate validate`
    state: nothing was written
    ");
}

#[test]
fn two_resources_that_would_get_the_same_name_are_both_reported() {
    let fixture = Fixture::small();
    fixture.configure("mapping = \"mapping.toml\"\n");
    fixture.write("mapping.toml", "[[rule]]\nmatch = \"clients/*\"\nrename = \"One\"\n");
    assert_snapshot!(refused(&fixture, IMPORT), @r#"
    exit 64
    error: the mapping gives "clients/Shop" and "clients/Till" the same name, "clients/One"
    hint:  rename one of them, or skip it
    state: nothing was written
    "#);
}
