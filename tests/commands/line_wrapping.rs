//! Output on a terminal of eighty columns is wrapped; output to a file is not.

use std::process::Command;

use insta::assert_snapshot;

use crate::support::fixture::Fixture;
use crate::support::program::Terminal;

/// Runs a command line at a terminal of eighty columns; returns the output without colours.
fn on_a_terminal(fixture: &Fixture, line: &str) -> String {
    let terminal = Terminal::open().of_columns(80);
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
    command.args(line.split(' ')).stdout(terminal.end()).stderr(terminal.end());
    let mut started = fixture.with_environment(&mut command).spawn().expect("it started");
    // The command holds the terminal open as well.
    drop(command);
    let shown = terminal.shown();
    started.wait().expect("it ended");
    anstream::adapter::strip_str(&fixture.without_places(&shown)).to_string()
}

#[test]
fn causes_hints_and_steps_are_wrapped_between_words_but_commands_are_not() {
    let fixture = Fixture::small();
    assert_snapshot!(on_a_terminal(&fixture, "plan --tenant prod --quiet"), @r#"
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout · 1 widened
      resources: 1 to create, 1 to update, 2 unchanged
      about 2 requests to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/old  … 1 more

    Applications (clients)   1 to create, 1 to update
      ~ "Shop"  callbacks
                  - https://shop.acme.example/old
                  + https://shop.acme.example/back
      + "Till"  regular_web   callbacks  https://till.acme.example/back

    Manual steps (1)
      1. client "Till": the target generates a new client_secret; give it to the
         services that use this client

    Refused until approved:
      lockout-risk: 1 resource

    To approve what you have reviewed:
      migrate import --tenant prod --from dev --allow lockout-risk:clients/Shop
    "#);
    let fixture = without_credentials();
    assert_snapshot!(on_a_terminal(&fixture, "export --tenant prod"), @r#"
    error: no credentials for tenant "prod": set MIGRATE_PROD_CLIENT_ID and
           MIGRATE_PROD_CLIENT_SECRET in the environment or in ".env"
    hint:  create a machine-to-machine application in that tenant and authorize it
           for the Auth0 Management API
    "#);
}

#[test]
fn no_line_of_a_plan_is_wider_than_the_terminal_except_single_words_and_the_command_to_copy() {
    let plan = on_a_terminal(&Fixture::acme(""), "plan --tenant prod --no-pager");
    let width = |line: &str| line.chars().count();
    let may_be_wide = |line: &str| line.trim_start().starts_with("migrate ") || line.split_whitespace().count() == 1;
    let wide: Vec<&str> = plan.lines().filter(|line| width(line) > 80 && !may_be_wide(line)).collect();
    assert_eq!(wide, [""; 0]);
}

#[test]
fn output_to_a_file_is_not_wrapped() {
    assert_snapshot!(without_credentials().run("export --tenant prod").refused(), @r#"
    exit 77
    error: no credentials for tenant "prod": set MIGRATE_PROD_CLIENT_ID and MIGRATE_PROD_CLIENT_SECRET in the environment or in ".env"
    hint:  create a machine-to-machine application in that tenant and authorize it for the Auth0 Management API
    "#);
}

fn without_credentials() -> Fixture {
    let mut fixture = Fixture::small();
    fixture.set("MIGRATE_PROD_CLIENT_ID", "");
    fixture.set("MIGRATE_PROD_CLIENT_SECRET", "");
    fixture
}
