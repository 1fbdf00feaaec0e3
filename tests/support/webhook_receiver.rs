//! A webhook on loopback that records what it receives.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

/// A webhook that answers everything with 204.
pub(crate) struct WebhookReceiver {
    pub(crate) url: String,
    received: Receiver<String>,
}

impl WebhookReceiver {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/CANARY-hook", listener.local_addr().expect("an address"));
        let (tell, received) = channel();
        std::thread::spawn(move || {
            // Until the test is over and no longer receives.
            while answer(listener.accept().expect("a connection").0, &tell) {}
        });
        Self { url, received }
    }

    /// Returns the messages since the last call.
    pub(crate) fn received(&self) -> Vec<String> {
        self.received.try_iter().collect()
    }
}

/// Reads one request, passes on its method and body, and answers it; returns whether the test still receives.
///
/// A program waits for the answer, so every request has been passed on when the program ends.
fn answer(stream: TcpStream, receiver: &Sender<String>) -> bool {
    let mut stream = BufReader::new(stream);
    let head: Vec<String> = stream.by_ref().lines().map(|line| line.expect("a line")).take_while(|line| !line.is_empty()).collect();
    let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).expect("a body");
    let method = head[0].split(' ').next().unwrap_or_default();
    let request = format!("{method} {}", String::from_utf8(body).expect("text")).trim_end().to_owned();
    let is_heard = receiver.send(request).is_ok();
    stream.get_mut().write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").expect("answered");
    is_heard
}
