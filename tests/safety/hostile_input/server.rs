//! A tenant that responds byte by byte as a test wants, and counts its requests and the bytes that were read.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::fixture::{CommandOutput, Fixture};

/// Handles the request for a path with its query.
type Play = dyn Fn(&str, &mut AnswerWriter) -> io::Result<()> + Send + Sync;

pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicUsize>,
}

/// A response in progress.
pub(crate) struct AnswerWriter {
    stream: TcpStream,
    sent: Arc<AtomicUsize>,
}

impl AnswerWriter {
    /// Sends bytes unchanged.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.sent.fetch_add(bytes.len(), Ordering::Relaxed);
        Ok(())
    }

    /// Sends a status line, headers, and the start of a body that ends with the connection.
    pub(crate) fn head(&mut self, status: &str, headers: &[&str]) -> io::Result<()> {
        let headers = headers.iter().fold(String::new(), |head, header| head + header + "\r\n");
        self.raw(format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n{headers}\r\n").as_bytes())
    }

    /// Sends a 200 response with this JSON.
    pub(crate) fn json(&mut self, json: &str) -> io::Result<()> {
        self.head("200 OK", &[])?;
        self.raw(json.as_bytes())
    }
}

impl Server {
    pub(crate) fn start(play: impl Fn(&str, &mut AnswerWriter) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (asked, sent) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicUsize>::default());
        let server = Self { url, asked: asked.clone(), sent: sent.clone() };
        let play: Arc<Play> = Arc::new(play);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (play, asked, sent) = (play.clone(), asked.clone(), sent.clone());
                std::thread::spawn(move || {
                    // A client that has read enough closes the connection, and then writing fails.
                    let _ = answer(stream, &*play, &asked, sent);
                });
            }
        });
        server
    }

    /// Returns the requested paths below `/api/v2`, with queries.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }

    /// Returns how many bytes of responses were accepted, by the program or by the buffers on the way to it.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// Runs a command line in a fixture in which this server is the tenant `evil`.
    pub(crate) fn run(&self, line: &str) -> CommandOutput {
        let mut fixture = Fixture::small();
        self.joins(&mut fixture);
        fixture.run_unattended(line)
    }

    /// Makes this server the tenant `evil` of a fixture.
    pub(crate) fn joins(&self, fixture: &mut Fixture) {
        let entry = format!("\n[tenants.evil]\ndomain = \"evil.eu.auth0.com\"\nurl = \"{}\"\n", self.url);
        fixture.write("migrate.toml", &(fixture.read("migrate.toml") + &entry));
        fixture.set("MIGRATE_EVIL_CLIENT_ID", "tool");
        fixture.set("MIGRATE_EVIL_CLIENT_SECRET", "CANARY-evil");
    }
}

fn answer(stream: TcpStream, play: &Play, asked: &Mutex<Vec<String>>, sent: Arc<AtomicUsize>) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let head: Vec<String> = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    reader.read_exact(&mut vec![0; length.unwrap_or(0)])?;
    let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let mut writer = AnswerWriter { stream, sent };
    if path == "/oauth/token" {
        writer.json(r#"{"access_token": "CANARY-token", "expires_in": 86400}"#)?;
        writer.sent.store(0, Ordering::Relaxed);
        return Ok(());
    }
    let path = path.trim_start_matches("/api/v2").to_owned();
    asked.lock().expect("no panic").push(path.clone());
    play(&path, &mut writer)
}
