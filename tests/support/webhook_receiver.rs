//! Whoever hears of a night: a hook on loopback that remembers what it was told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A hook that answers everything with 204.
pub(crate) struct Hearer {
    pub(crate) url: String,
    heard: Receiver<String>,
}

impl Hearer {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/CANARY-hook", listener.local_addr().expect("an address"));
        let (tell, heard) = channel();
        std::thread::spawn(move || {
            let mut answered = listener.incoming().map(|stream| answer(stream.expect("a connection")));
            // Until the test is over and nobody listens any more.
            let _ = answered.try_for_each(|request| tell.send(request));
        });
        Self { url, heard }
    }

    /// Returns what was heard since it was last asked.
    pub(crate) fn heard(&self) -> Vec<String> {
        // Who calls waits for the answer, so all of it is here once the program ended, or in a moment.
        let mut heard = Vec::new();
        while let Ok(one) = self.heard.recv_timeout(Duration::from_millis(50)) {
            heard.push(one);
        }
        heard
    }
}

/// Reads one request and answers it; returns its method and body.
fn answer(stream: TcpStream) -> String {
    let mut stream = BufReader::new(stream);
    let head: Vec<String> = stream.by_ref().lines().map(|line| line.expect("a line")).take_while(|line| !line.is_empty()).collect();
    let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).expect("a body");
    stream.get_mut().write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").expect("answered");
    let method = head[0].split(' ').next().unwrap_or_default();
    format!("{method} {}", String::from_utf8(body).expect("text")).trim_end().to_owned()
}
