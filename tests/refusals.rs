//! Bad input through the real binary: what is said, the exit code, and that nothing was written.

use std::path::Path;
use std::process::{Command, Output};

use migrate::sandbox::{Options, Sandbox, State, seed};

const CONFIGURATION: &str = "[tenants.dev]\ndomain = \"acme-dev.eu.auth0.com\"\nurl = \"DEV\"\n\n[tenants.prod]\ndomain = \"acme-prod.eu.auth0.com\"\nurl = \"PROD\"\nsource = \"dev\"\n";

async fn start(text: &str) -> Sandbox {
    let state = State::from_json(serde_json::from_str(text).expect("JSON")).expect("a state");
    Sandbox::start(Options::new(state).credentials("id", "CANARY-credential")).await.expect("a sandbox")
}

/// Two tenants and a folder with their configuration.
struct House {
    folder: tempfile::TempDir,
    prod: Sandbox,
    _dev: Sandbox,
}

async fn house() -> House {
    let (dev, prod) = (start(seed::ACME_DEV).await, start(seed::ACME_PROD).await);
    let folder = tempfile::tempdir().expect("a folder");
    let configuration = CONFIGURATION.replace("DEV", &dev.url()).replace("PROD", &prod.url());
    std::fs::write(folder.path().join("migrate.toml"), configuration).expect("written");
    House { folder, prod, _dev: dev }
}

impl House {
    /// Runs a command line with credentials for both tenants.
    fn run(&self, line: &str) -> Output {
        self.run_with(line, "CANARY-credential")
    }

    fn run_with(&self, line: &str, secret: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
        command.args(line.split(' ')).current_dir(self.folder.path()).env_clear();
        for tenant in ["DEV", "PROD"] {
            command.env(format!("MIGRATE_{tenant}_CLIENT_ID"), "id").env(format!("MIGRATE_{tenant}_CLIENT_SECRET"), secret);
        }
        command.output().expect("it ran")
    }

    /// Asserts what is said, the exit code, and that the target was not written to.
    fn refuses(&self, ended: &Output, code: i32, said: &str) {
        assert_eq!((ended.status.code(), told(ended).contains(said)), (Some(code), true), "{}", told(ended));
        assert!(!self.prod.requests().iter().any(|seen| seen.is_write), "the target was written to");
    }
}

fn told(ended: &Output) -> String {
    String::from_utf8_lossy(&ended.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_ends_with_77_and_says_what_to_check() {
    let house = house().await;
    house.refuses(&house.run_with("import --tenant prod --yes", "wrong"), 77, "hint:  check MIGRATE_");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_names_end_with_64_and_name_the_nearest() {
    let house = house().await;
    house.refuses(&house.run("import --tenant prd --yes"), 64, "did you mean \"prod\"?");
    house.refuses(&house.run("export --tenant dev --kinds cleints"), 64, "did you mean \"clients\"?");
    house.refuses(&house.run("import --tenant prod --allow many-change"), 64, "did you mean \"many-changes\"?");
    house.refuses(&house.run("import --tenant prod --dry-rn"), 64, "--dry-run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn source_equal_to_target_ends_with_4() {
    let house = house().await;
    house.refuses(&house.run("import --tenant prod --from prod --yes"), 4, "are the same tenant, acme-prod.eu.auth0.com");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_changes_end_with_4_and_name_the_acknowledgement() {
    let house = house().await;
    house.refuses(&house.run("import --tenant prod --yes"), 4, "add --allow many-changes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writing_without_a_terminal_needs_a_yes() {
    let house = house().await;
    house.refuses(&house.run("import --tenant prod --allow many-changes,leak"), 64, "add --yes to write without being asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_reaches_a_stream_or_a_file_of_a_full_run() {
    let house = house().await;
    let ended = house.run("import --tenant prod --allow many-changes,leak --yes --verbose");
    assert!(matches!(ended.status.code(), Some(0 | 3)), "{}", told(&ended));
    assert!(house.prod.requests().iter().any(|seen| seen.is_write), "nothing was written");
    let streams = [ended.stdout, ended.stderr].concat();
    assert!(!String::from_utf8_lossy(&streams).contains("CANARY"), "a secret in a stream");
    let mut files = 0;
    each_file(house.folder.path(), &mut |path| {
        files += 1;
        let content = std::fs::read(path).expect("read");
        assert!(!String::from_utf8_lossy(&content).contains("CANARY"), "a secret in {}", path.display());
    });
    assert!(files > 15, "{files} files");
}

fn each_file(folder: &Path, see: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).expect("a folder").filter_map(Result::ok) {
        if entry.path().is_dir() { each_file(&entry.path(), see) } else { see(&entry.path()) }
    }
}
