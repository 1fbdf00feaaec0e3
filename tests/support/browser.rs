//! Chromium without a window, driven over the DevTools protocol: what it shows, logs and requests.
//!
//! The protocol runs over two pipes, so that no port is open and no library is needed.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The names of Chromium on the systems that have it.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// Nothing of a browser but the page: no window, no updates, no accounts.
const FLAGS: [&str; 11] = [
    "--headless",
    "--hide-scrollbars",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
];
/// The time after which a browser is ended, in seconds: a test must not wait for one forever.
const MOST: &str = "180";

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    requests: File,
    answers: BufReader<File>,
    session: Option<String>,
    last_id: u64,
    /// Every event so far, in order.
    events: Vec<Value>,
    _folder: TempDir,
}

impl Browser {
    /// Starts a browser with an empty profile; `None` if this machine has none.
    pub(crate) fn start() -> Option<Self> {
        let is_there = |name: &&&str| Command::new(**name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
        let name = NAMES.iter().find(is_there)?;
        let folder = tempfile::tempdir().expect("a folder");
        let made = Command::new("mkfifo").args(["requests", "answers"]).current_dir(folder.path()).status();
        assert!(made.expect("mkfifo").success());
        let child = Command::new("timeout")
            .args([MOST, "sh", "-c", "exec \"$@\" 3<requests 4>answers", "sh", name])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("timeout");
        let requests = File::options().write(true).open(folder.path().join("requests")).expect("a pipe");
        let answers = BufReader::new(File::open(folder.path().join("answers")).expect("a pipe"));
        let mut browser = Self { child, requests, answers, session: None, last_id: 0, events: Vec::new(), _folder: folder };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}))["targetId"].clone();
        let session = browser.call("Target.attachToTarget", &json!({"targetId": target, "flatten": true}))["sessionId"].clone();
        browser.session = session.as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        Some(browser)
    }

    /// Calls a method of the protocol, and returns its result.
    pub(crate) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.last_id += 1;
        let mut request = json!({"id": self.last_id, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            request["sessionId"] = json!(session);
        }
        self.requests.write_all(format!("{request}\0").as_bytes()).expect("the browser runs");
        loop {
            let message = self.message();
            if message["id"] == self.last_id {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn message(&mut self) -> Value {
        let mut text = Vec::new();
        self.answers.read_until(0, &mut text).expect("the browser runs");
        assert_eq!(text.pop(), Some(0), "the browser ended, or took more than {MOST} s");
        serde_json::from_slice(&text).expect("JSON")
    }

    /// Opens a file, waits until it is loaded, and forgets earlier events.
    pub(crate) fn open(&mut self, page: &Path) {
        self.events.clear();
        self.call("Page.navigate", &json!({"url": format!("file://{}", page.display())}));
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let message = self.message();
            self.events.push(message);
        }
    }

    /// Shows the page in a window of this width, in a colour scheme, on a screen or on paper.
    pub(crate) fn show(&mut self, width: u32, scheme: &str, medium: &str) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &size);
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", &json!({"media": medium, "features": features}));
    }

    /// Evaluates an expression on the page.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let result = self.call("Runtime.evaluate", &json!({"expression": expression, "returnByValue": true, "awaitPromise": true}));
        assert!(result["exceptionDetails"].is_null(), "{expression}: {}", result["exceptionDetails"]);
        result["result"]["value"].clone()
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: &str) {
        let text = if key.chars().count() == 1 { key } else { "" };
        self.call("Input.dispatchKeyEvent", &json!({"type": "keyDown", "key": key, "text": text}));
        self.call("Input.dispatchKeyEvent", &json!({"type": "keyUp", "key": key}));
    }

    /// Types a text.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// Returns what the page logged, threw or was refused, and what it requested besides itself.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        // A frame that is drawn after all earlier events, also without a script.
        let dot = json!({"x": 0, "y": 0, "width": 1, "height": 1, "scale": 1});
        self.call("Page.captureScreenshot", &json!({"clip": dot}));
        let page = self.evaluate("location.href");
        let is_complaint = |event: &&Value| match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded" => true,
            "Network.requestWillBeSent" => event["params"]["request"]["url"] != page,
            _ => false,
        };
        self.events.iter().filter(is_complaint).map(Value::to_string).collect()
    }

    /// Writes a picture of the whole page.
    pub(crate) fn picture(&mut self, path: &Path) {
        use base64::Engine;
        let size = self.call("Page.getLayoutMetrics", &json!({}))["cssContentSize"].clone();
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let shot = self.call("Page.captureScreenshot", &json!({"captureBeyondViewport": true, "clip": clip}));
        let picture = base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("base64");
        File::create(path).expect("a folder").write_all_at(&picture, 0).expect("written");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let close = json!({"id": self.last_id + 1, "method": "Browser.close"});
        let is_asked = self.requests.write_all(format!("{close}\0").as_bytes()).is_ok();
        if !is_asked {
            self.child.kill().ok();
        }
        self.child.wait().ok();
    }
}
