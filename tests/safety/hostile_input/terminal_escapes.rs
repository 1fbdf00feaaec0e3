//! Names and texts of a tenant with control sequences: none reaches a terminal unescaped, in any command and however it ends.

use serde_json::{Value, json};

use super::server::Server;
use crate::support::fixture::Fixture;
use crate::support::program::Terminal;

/// Clears the screen, sets its title, reverses the writing direction, imitates the program; with seven-bit and
/// eight-bit controls.
const EVIL: &str = "Shop\u{1b}[2J\u{1b}[31m\u{1b}]0;owned\u{7}\u{9b}2J\u{85}\u{202e}\u{2066}\u{2028}\u{7f}\u{8}\r\nerror: all is lost\n";

/// Returns the first character of a text that affects a terminal, except line breaks, tabs and the program's colours.
fn raw(text: &str) -> Option<char> {
    // The sequences for line breaks, for colours, and for redrawing live lines.
    let own = ["\r\n", "\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[K", "\u{1b}[2K", "\u{1b}[1A", "\r"];
    let text = own.iter().fold(text.to_owned(), |text, own| text.replace(own, "\n"));
    let does_something =
        |sign: &char| sign.is_control() || matches!(sign, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|sign| !['\n', '\t'].contains(sign)).find(does_something)
}

fn assert_harmless(what: &str, text: &str) {
    assert_eq!(raw(text), None, "{what}: {text:?}");
    assert!(!text.lines().any(|line| line.starts_with("error: all is lost")), "{what}: {text}");
}

fn tenant(name: &str, clients: &Value) -> Value {
    json!({"tenant": name, "domain": format!("{name}.eu.auth0.com"), "data": {
        "/clients": clients,
        "/roles": [{"id": "rol_AAAAAAAAAAAAAAAA", "name": EVIL, "description": EVIL}],
        "/hooks": [{"id": "hook1", "name": EVIL, "triggerId": "post-user-registration", "script": EVIL, "enabled": true}],
    }})
}

/// Two tenants whose every name is hostile.
fn fixture() -> Fixture {
    let shop = |description: &str| json!({"client_id": format!("Shop{}", "A".repeat(28)), "name": EVIL, "description": description, "app_type": "spa", "callbacks": [format!("https://a.example/{EVIL}")]});
    let dev = tenant("acme-dev", &json!([shop(EVIL)]));
    Fixture::new(dev, tenant("acme-prod", &json!([shop("other")])), "")
}

#[test]
fn no_command_prints_a_name_unescaped() {
    let fixture = fixture();
    let lines = [
        "export --tenant dev --verbose",
        "plan --tenant prod --verbose",
        "plan --tenant prod --output json",
        "import --tenant prod --dry-run",
        "import --tenant prod --yes --verbose --allow many-changes,lockout-risk,weaker-protection,source-leak",
        "runs",
        "drift --tenant prod",
        "get clients --tenant dev ShopAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "api --tenant dev GET clients",
        "get clients --tenant dev Shopp",
        "sync --from dev --to prod --verbose",
        "undo RUN --dry-run",
    ];
    for line in lines {
        let line = &line.replace("RUN", fixture.in_folder("runs").first().map_or("", String::as_str));
        let said = fixture.run(line);
        assert!([0, 2, 3, 4].contains(&said.code) || line.contains("Shopp") && said.code == 1, "{line}: {}", said.whole());
        assert_harmless(line, &said.out);
        assert_harmless(line, &said.err);
    }
    for file in fixture.files().iter().filter(|path| {
        path.extension().is_some_and(|kind| ["md", "html", "csv", "json", "jsonl"].contains(&kind.to_str().unwrap_or_default()))
    }) {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        if name.starts_with("report.") || name == "last-sync.json" {
            assert_harmless(&name, &std::fs::read_to_string(file).expect("text"));
        }
    }
}

#[test]
fn no_name_draws_on_a_terminal() {
    let fixture = fixture();
    for line in ["export --tenant dev", "plan --tenant prod --quiet", "import --tenant prod --yes --quiet"] {
        let terminal = Terminal::open().of_columns(80);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_migrate"));
        command.args(line.split(' ')).stdout(terminal.end()).stderr(terminal.end());
        let mut started = fixture.with_environment(&mut command).spawn().expect("it started");
        drop(command);
        let shown = terminal.shown();
        started.wait().expect("it ended");
        assert!(!shown.contains("\u{1b}[2J") && !shown.contains("\u{1b}]0") && !shown.contains("\u{1b}[31m\u{1b}]"), "{shown:?}");
        assert_harmless(line, &shown.replace("\u{1b}[31m", ""));
    }
}

#[test]
fn no_refusal_is_printed_unescaped() {
    let words = json!({"statusCode": 400, "error": EVIL, "message": EVIL, "errorCode": EVIL}).to_string();
    for status in ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found"] {
        let words = words.clone();
        let server = Server::start(move |_, writer| {
            writer.head(status, &[])?;
            writer.raw(words.as_bytes())
        });
        for line in
            ["export --tenant evil --kinds roles --verbose", "api --tenant evil POST roles --data {}", "get roles --tenant evil admin"]
        {
            let said = server.run(line);
            assert!(said.err.contains("all is lost") || said.code == 0 || said.err.contains("nothing was"), "{line}: {}", said.whole());
            assert_harmless(line, &said.out);
            assert_harmless(line, &said.err);
        }
    }
}
