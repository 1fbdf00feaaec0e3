//! The request log of a sandbox: one line of JSON per request.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::files;
use crate::platform;

/// A file with a line for each request to the Management API, written once the request is answered or cut. A new file
/// is readable by its owner only.
///
/// A line contains `method`, `target` (the path under `/api/v2` with its query), `body` as it was sent (null if there
/// is none, text if it is not JSON) and `status` (0 without a response). Each line is appended with a single write, so
/// that several processes can share a file. It may contain secrets that were sent.
#[derive(Debug)]
pub struct RequestLog {
    state: Mutex<OpenLog>,
    is_distinct: bool,
}

#[derive(Debug)]
struct OpenLog {
    file: File,
    path: PathBuf,
    known: HashSet<u64>,
    failed: Option<files::Error>,
}

/// One request.
#[derive(Serialize)]
pub(crate) struct LogEntry<'asked> {
    pub(crate) method: &'asked str,
    pub(crate) target: &'asked str,
    pub(crate) body: &'asked Value,
    pub(crate) status: u16,
}

impl RequestLog {
    /// Opens a file for appending, creating it if it is missing.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, files::Error> {
        let mut options = OpenOptions::new();
        let file = platform::private_file(options.append(true).create(true)).open(path).map_err(files::Error::writing(path))?;
        Ok(Self { state: Mutex::new(OpenLog { file, path: path.to_owned(), known: HashSet::new(), failed: None }), is_distinct: false })
    }

    /// Writes an empty line for a request that is already logged, so that repeated requests cost little and still count.
    #[must_use]
    pub fn distinct(mut self) -> Self {
        self.is_distinct = true;
        self
    }

    /// Checks that every line so far was written.
    ///
    /// # Errors
    ///
    /// The first write error; the sandbox continued to respond.
    pub fn check(&self) -> Result<(), files::Error> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).failed.take().map_or(Ok(()), Err)
    }

    pub(crate) fn append(&self, line: &LogEntry<'_>) {
        let mut log = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let text = if self.is_distinct && !log.known.insert(line.fingerprint()) {
            "\n".to_owned()
        } else {
            serde_json::to_string(line).expect("JSON of a request") + "\n"
        };
        if let Err(error) = log.file.write_all(text.as_bytes()) {
            let error = files::Error::writing(&log.path)(error);
            log.failed.get_or_insert(error);
        }
    }
}

impl LogEntry<'_> {
    /// Returns a hash that identical requests share.
    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.method, self.target, self.body).hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::fs::PermissionsExt;

    fn line<'asked>(target: &'asked str, body: &'asked Value) -> LogEntry<'asked> {
        LogEntry { method: "POST", target, body, status: 201 }
    }

    #[test]
    fn a_request_log_is_appended_to_and_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("asked.jsonl");
        for target in ["/clients", "/roles?a=b"] {
            RequestLog::open(&path).expect("opened").append(&line(target, &json!({"name": "A"})));
        }
        let text = std::fs::read_to_string(&path).expect("text");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let expected = |target| json!({"method": "POST", "target": target, "body": {"name": "A"}, "status": 201});
        assert_eq!(lines, [expected("/clients"), expected("/roles?a=b")]);
        assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn an_already_logged_request_leaves_an_empty_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("asked.jsonl");
        let record = RequestLog::open(&path).expect("opened").distinct();
        for name in ["A", "B", "A"] {
            record.append(&line("/clients", &json!({"name": name})));
        }
        let text = std::fs::read_to_string(&path).expect("text");
        assert_eq!(text.lines().map(str::is_empty).collect::<Vec<_>>(), [false, false, true]);
        record.check().expect("all was written");
    }
}
