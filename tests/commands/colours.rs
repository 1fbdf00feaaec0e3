//! `--color`: text has colours where they are wanted; what programs read never has.

use std::process::Command;

use insta::assert_snapshot;

use crate::support::fixture::Fixture;
use crate::support::program::Terminal;

const PLAN: &str = "plan --tenant prod --only clients/Shop --quiet";

/// Returns a text with the escape sequences of colours made visible: `{32}` for green.
fn visible(text: &str) -> String {
    let mut out = String::new();
    for part in text.split('\u{1b}') {
        match part.strip_prefix('[').and_then(|rest| rest.split_once('m')) {
            Some((colour, rest)) if !out.is_empty() || text.starts_with('\u{1b}') => out.extend(["{", colour, "}", rest]),
            _ => out += part,
        }
    }
    out
}

fn has_colours(text: &str) -> bool {
    text.contains('\u{1b}')
}

#[test]
fn always_shows_a_plan_in_colours_though_nobody_watches() {
    let fixture = Fixture::small();
    let said = fixture.run(&format!("{PLAN} --color always"));
    assert_snapshot!(visible(&said.whole()), @r#"
    exit 4
    {1}Plan  dev → prod{0}
      source    acme-dev.eu.auth0.com   read just now
      target    acme-prod.eu.auth0.com  read just now
      selected  only clients/Shop

      edits by risk: {31}1 lockout{0}
      resources: 0 to create, 1 to update, 0 unchanged
      about 1 request to apply

    {1}Review first{0}
      {2}LOCKOUT may lock someone out{0}
      {31}LOCKOUT{0}  client "Shop"  callbacks  {31}- https://shop.acme.example/old{0}  {2}… 1 more{0}

    {1}Applications (clients){0}   1 to update
      {33}~{0} "Shop"  {31}callbacks{0}  {31}- https://shop.acme.example/old{0}  {32}+ https://shop.acme.example/back{0}

    {31}Refused until approved:{0}
      lockout-risk: 1 resource

    To approve what you have reviewed:
      migrate import --tenant prod --from dev --only clients/Shop --allow lockout-risk:clients/Shop
    "#);
    let plain = fixture.run(PLAN);
    assert_eq!(anstream::adapter::strip_str(&said.whole()).to_string(), plain.whole());
}

#[test]
fn a_flag_overrides_the_environment_and_auto_respects_it() {
    for (variable, flag, expected) in [
        ("", "auto", false),
        ("CLICOLOR_FORCE", "auto", true),
        ("CLICOLOR_FORCE", "never", false),
        ("NO_COLOR", "always", true),
        ("NO_COLOR", "auto", false),
    ] {
        let mut fixture = Fixture::small();
        if !variable.is_empty() {
            fixture.set(variable, "1");
        }
        let said = fixture.run(&format!("{PLAN} --color {flag}"));
        assert_eq!(has_colours(&said.out), expected, "{variable} {flag}: {}", said.whole());
    }
}

#[test]
fn at_a_terminal_colours_are_used_unless_they_are_refused() {
    for (flag, variable, expected) in [("auto", "", true), ("never", "", false), ("auto", "NO_COLOR", false)] {
        let mut fixture = Fixture::small();
        if !variable.is_empty() {
            fixture.set(variable, "1");
        }
        let terminal = Terminal::open().of_columns(100);
        let mut started = fixture.start_at(&terminal, &format!("{PLAN} --color {flag}"));
        let shown = terminal.shown();
        started.wait().expect("it ended");
        assert_eq!(has_colours(&shown), expected, "{flag} {variable}: {shown}");
    }
}

#[test]
fn what_programs_read_never_has_colours() {
    let fixture = Fixture::small();
    for line in [&format!("{PLAN} --output json"), "kinds --output markdown", "validate --output json --config none"] {
        let said = fixture.run(&format!("{line} --color always"));
        assert!(!said.out.is_empty() && !has_colours(&said.out), "{line}: {}", said.whole());
    }
    let said = fixture.run(&format!("{PLAN} --color always --report plan.md --report plan.csv --report plan.html"));
    for name in ["plan.md", "plan.csv", "plan.html"] {
        assert!(!has_colours(&fixture.read(name)), "{name}: {}", said.whole());
    }
}

#[test]
fn help_and_usage_errors_have_colours_as_chosen_too() {
    for (line, expected) in [("--help --color always", true), ("--help --color never", false), ("--color=always plan --nonsense", true)] {
        let said = Command::new(env!("CARGO_BIN_EXE_migrate")).args(line.split(' ')).env_clear().output().expect("it ran");
        let shown = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
        assert_eq!(has_colours(&shown), expected, "{line}: {shown}");
    }
}
