//! The real program killed in the middle of an import, and started again: the target must not show it.

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use migrate::body::Body;
use migrate::resource::Secret;
use migrate::sandbox::{Options, Sandbox, seed};
use migrate::tenant::Credentials;

use crate::flows::{connect, held, state};
use crate::program::{command, configure};

/// Moments at which the program is killed, spread over all its requests.
const MOMENTS: usize = 12;

async fn start(text: &str) -> Sandbox {
    // As slow as a near tenant, so that a kill meets requests under way.
    let options = Options::new(state(text)).credentials("id", "secret").latency(Duration::from_millis(2));
    Sandbox::start(options).await.expect("a sandbox")
}

/// What the target holds without its ids, and the creates it was sent.
struct Left {
    held: Vec<(String, Body)>,
    creates: usize,
    requests: usize,
}

/// Imports, kills the program once the target was asked that often, and lets it go on.
async fn killed_and_resumed(dev: &Sandbox, at: usize) -> Left {
    let prod = start(seed::ACME_PROD).await;
    let folder = tempfile::tempdir().expect("a folder");
    configure(folder.path(), dev, &prod);
    let import = "import --tenant prod --allow many-changes,critical,leak --yes";
    let first = command(folder.path(), import).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it started");
    if kill_at(first, &prod, at).await {
        let resumed = ended(command(folder.path(), "import --tenant prod --resume --yes")).await;
        let nothing_begun = String::from_utf8_lossy(&resumed.stderr).contains("no run of \"prod\" was cut off");
        let last = if nothing_begun { ended(command(folder.path(), import)).await } else { resumed };
        assert!(matches!(last.status.code(), Some(0 | 3)), "killed at {at}: {}", String::from_utf8_lossy(&last.stderr));
    }
    let seen = prod.requests();
    let creates = seen.iter().filter(|seen| seen.method == "POST" && seen.path.matches('/').count() == 1).count();
    let secret = Credentials::Secret { client_id: "id".into(), client_secret: Secret::new("secret") };
    let tenant = connect(&prod, "acme-prod.eu.auth0.com", secret);
    Left { held: held(&tenant).await, creates, requests: seen.len() }
}

/// Waits for that many requests and kills; returns whether the program was still at work.
async fn kill_at(mut program: Child, prod: &Sandbox, at: usize) -> bool {
    loop {
        if program.try_wait().expect("a process").is_some() {
            return false;
        }
        if prod.requests().len() >= at {
            program.kill().expect("killed");
            program.wait().expect("it ended");
            return true;
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

async fn ended(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().expect("it ran")).await.expect("it ended")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_killed_at_any_moment_and_resumed_leaves_what_an_undisturbed_one_leaves() {
    let dev = start(seed::ACME_DEV).await;
    let undisturbed = killed_and_resumed(&dev, usize::MAX).await;
    assert!(undisturbed.creates >= 10, "{}", undisturbed.creates);
    for moment in 1..=MOMENTS {
        let at = undisturbed.requests * moment / (MOMENTS + 1);
        let left = killed_and_resumed(&dev, at).await;
        assert!(left.held == undisturbed.held, "killed at {at}: the target shows it");
        // Sixteen requests are under way at most, and each that did not land is sent again.
        assert!(left.creates <= undisturbed.creates + 16, "killed at {at}: {} of {}", left.creates, undisturbed.creates);
    }
}
