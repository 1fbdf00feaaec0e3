//! Faults placed at chosen requests.
//!
//! A fault is written `WHAT@WHEN`, several are separated by commas:
//!
//! ```text
//! cut-before@3       the connection is cut before the request is applied
//! cut-after@w2       .. after it was applied, and before it is answered
//! 500-before@3       a server error (500 to 599), nothing applied
//! 502-after@3        a server error though it was applied
//! slow:2s@4          applied at once, answered two seconds later
//! 429@5              refused as too many, nothing applied
//! echo@w2            refused in words that repeat all that was sent, token and secrets included; nothing applied
//! expired@7          the token of this request ends before it
//! short@7            a list is answered without its last element, which it counts
//!
//! 3                  the third request to the Management API
//! w3                 the third of those that write
//! 3x5                five of them, from the third on
//! 3x*                all of them, from the third on
//! ```

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The connection is cut.
    Cut(FaultTiming),
    /// A server error of this status.
    Error(u16, FaultTiming),
    /// The answer comes late.
    Slow(Duration),
    /// Refused as too many.
    TooMany,
    /// Refused in words that repeat what was sent.
    Echo,
    /// The token has ended.
    Expired,
    /// A list lacks an element that it counts.
    Short,
}

/// Whether something happens before or after the request is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultTiming {
    /// Nothing was applied.
    Before,
    /// Everything was applied.
    After,
}

/// Something that goes wrong at chosen requests; read from text as the module describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    written: String,
    kind: FaultKind,
    first: u64,
    times: u64,
    writes_only: bool,
}

/// A text that is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// There is no `@`, or no number behind it.
    #[error("\"{0}\" does not say when: write WHAT@3, WHAT@w3 or WHAT@3x2")]
    When(String),
    /// The word before the `@` is none of the known ones.
    #[error("\"{0}\" is no fault: known are cut-before, cut-after, 500-before, 500-after, slow:2s, 429, echo, expired and short")]
    What(String),
}

impl Fault {
    /// Reads faults separated by commas.
    ///
    /// # Errors
    ///
    /// When one of them cannot be read.
    pub fn list(text: &str) -> Result<Vec<Self>, FaultError> {
        text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::parse).collect()
    }

    /// Returns what goes wrong with the request of these numbers; `write` is its number among those that write.
    pub(crate) fn strikes(&self, request: u64, write: Option<u64>) -> Option<FaultKind> {
        let number = if self.writes_only { write? } else { request };
        let strikes = number >= self.first && number - self.first < self.times;
        strikes.then_some(self.kind)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.written)
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let no_fault = || FaultError::When(text.to_owned());
        let (what, when) = text.trim().split_once('@').ok_or_else(no_fault)?;
        let kind = read_kind(what).ok_or_else(|| FaultError::What(what.to_owned()))?;
        let (writes_only, when) = when.strip_prefix('w').map_or((false, when), |when| (true, when));
        let (first, times) = when.split_once('x').unwrap_or((when, "1"));
        let times = if times == "*" { Ok(u64::MAX) } else { times.parse() };
        let (first, times) = (first.parse().map_err(|_| no_fault())?, times.map_err(|_| no_fault())?);
        if first == 0 || times == 0 {
            return Err(no_fault());
        }
        Ok(Self { written: text.trim().to_owned(), kind, first, times, writes_only })
    }
}

fn read_kind(what: &str) -> Option<FaultKind> {
    match what {
        "429" => return Some(FaultKind::TooMany),
        "echo" => return Some(FaultKind::Echo),
        "expired" => return Some(FaultKind::Expired),
        "short" => return Some(FaultKind::Short),
        _ => {}
    }
    if let Some(late) = what.strip_prefix("slow:") {
        return humantime::parse_duration(late).ok().map(FaultKind::Slow);
    }
    let (what, timing) = match what.split_once('-')? {
        (what, "before") => (what, FaultTiming::Before),
        (what, "after") => (what, FaultTiming::After),
        _ => return None,
    };
    match what {
        "cut" => Some(FaultKind::Cut(timing)),
        status => status.parse().ok().filter(|status| (500..600).contains(status)).map(|status| FaultKind::Error(status, timing)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        text.parse().expect("a fault")
    }

    #[test]
    fn a_fault_strikes_the_requests_it_names() {
        let storm = fault("429@5x3");
        let struck: Vec<u64> = (1..10).filter(|request| storm.strikes(*request, None).is_some()).collect();
        assert_eq!(struck, [5, 6, 7]);
        assert_eq!(fault("slow:2s@4").strikes(4, None), Some(FaultKind::Slow(Duration::from_secs(2))));
        assert_eq!(fault("echo@2").strikes(2, None), Some(FaultKind::Echo));
        assert_eq!(fault("short@2").strikes(2, None), Some(FaultKind::Short));
        assert_eq!(fault("502-after@2x*").strikes(900, None), Some(FaultKind::Error(502, FaultTiming::After)));
    }

    #[test]
    fn a_fault_of_writes_counts_writes_only() {
        let cut = fault("cut-before@w2");
        assert_eq!(cut.strikes(2, None), None);
        assert_eq!(cut.strikes(9, Some(2)), Some(FaultKind::Cut(FaultTiming::Before)));
    }

    #[test]
    fn an_unclear_fault_is_refused_with_what_is_known() {
        assert_eq!("cut-before".parse::<Fault>(), Err(FaultError::When("cut-before".into())));
        assert_eq!("429@0".parse::<Fault>(), Err(FaultError::When("429@0".into())));
        assert_eq!("burn@3".parse::<Fault>(), Err(FaultError::What("burn".into())));
        assert_eq!("200-after@3".parse::<Fault>(), Err(FaultError::What("200-after".into())));
        assert_eq!(Fault::list("cut-before@1, expired@2").expect("two").len(), 2);
    }
}
