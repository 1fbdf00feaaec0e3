//! What a command printed, and how it is compared: without times, durations and ids that differ from run to run.

use serde_json::Value;

/// The result of a command.
#[derive(Debug)]
pub(crate) struct CommandOutput {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl CommandOutput {
    /// Returns the exit code and the text on stderr.
    pub(crate) fn refused(&self) -> String {
        format!("exit {}\n{}", self.code, self.err)
    }

    /// Returns the exit code and the complete output.
    pub(crate) fn whole(&self) -> String {
        format!("exit {}\n{}{}", self.code, self.out, self.err)
    }

    /// Returns the JSON output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.whole()))
    }
}

/// Replaces times like `2026-11-25T06:32:27Z`, also in names of folders and with fractions.
pub(super) fn without_times(text: &str) -> String {
    let shape = b"dddd-dd-ddTdd-dd-dd";
    let is_time = |window: &[u8]| {
        window.iter().zip(shape).all(|(sign, shape)| match shape {
            b'd' => sign.is_ascii_digit(),
            b'-' => *sign == b'-' || *sign == b':',
            _ => sign == shape,
        })
    };
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if bytes.len() - at >= shape.len() && is_time(&bytes[at..at + shape.len()]) {
            out.extend(b"TIME");
            at += shape.len();
            at += bytes[at..].iter().take_while(|sign| sign.is_ascii_digit() || **sign == b'.').count();
            at += usize::from(bytes.get(at) == Some(&b'Z'));
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).expect("text without times is text")
}

/// Replaces times like `2026-11-25 06:32 UTC`.
pub(super) fn without_minutes(text: &str) -> String {
    const SHAPE: &str = "2026-11-25 06:32 UTC";
    let is_time = |text: &str| {
        let signs = text.bytes().zip(SHAPE.bytes());
        signs.clone().count() == SHAPE.len()
            && signs.into_iter().all(|(sign, shape)| sign == shape || (sign.is_ascii_digit() && shape.is_ascii_digit()))
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(found) = rest.find(" UTC") {
        let end = found + " UTC".len();
        let start = end.checked_sub(SHAPE.len()).filter(|start| rest.get(*start..end).is_some_and(is_time));
        match start {
            Some(start) => out.extend([&rest[..start], "MINUTE"]),
            None => out.push_str(&rest[..end]),
        }
        rest = &rest[end..];
    }
    out + rest
}

/// Replaces ` in 0.3 s (45 requests)`, which differs between runs.
pub(super) fn without_costs(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let cost = line.find(" s (").and_then(|at| Some((line[..at].rfind(" in ")?, at + line[at..].find(')')? + 1)));
        cost.map_or(line.to_owned(), |(begins, ends)| format!("{} in TIME{}", &line[..begins], &line[ends..]))
    });
    lines.collect()
}

/// Replaces the id in `clients/..?fields=`: the order in which clients are created, and so their ids, varies.
pub(super) fn without_made_ids(text: &str) -> String {
    let parts = text.split("api get 'clients/").enumerate().map(|(at, part)| match part.find("?fields=") {
        Some(ends) if at > 0 => format!("api get 'clients/ID{}", &part[ends..]),
        _ => part.to_owned(),
    });
    parts.collect()
}
