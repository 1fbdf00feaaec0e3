//! Faults that are injected at chosen requests.
//!
//! A fault is written `WHAT@WHEN`, several are separated by commas:
//!
//! ```text
//! cut-before@3       the connection is cut before the request is applied
//! cut-after@w2       the connection is cut after it was applied
//! 500-before@3       a server error (500 to 599), nothing applied
//! 502-after@3        a server error although it was applied
//! slow:2s@4          applied at once, with the response two seconds later
//! 429@5              refused with 429, nothing applied
//! echo@w2            refused with a message that repeats the request, token and secrets included; nothing applied
//! expired@7          the token of this request has expired
//! short@7            a list lacks its last element, which its total includes
//!
//! 3                  the third request to the Management API
//! w3                 the third write
//! l3                 the third request to the front door, where people log in: cut-before, 429 and 500-before
//! 3x5                five of them, from the third on
//! 3x*                all of them, from the third on
//! ```

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The kind of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The connection is cut.
    Cut(FaultTiming),
    /// A server error of this status.
    Error(u16, FaultTiming),
    /// The response is late.
    Slow(Duration),
    /// Refused with 429.
    TooMany,
    /// Refused with a message that repeats the request.
    Echo,
    /// The token has expired.
    Expired,
    /// A list lacks an element that its total includes.
    Short,
}

/// Whether a fault takes effect before or after the request is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultTiming {
    /// Nothing was applied.
    Before,
    /// Everything was applied.
    After,
}

/// A fault at chosen requests, in the notation described in the module documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    written: String,
    kind: FaultKind,
    first: u64,
    times: u64,
    counted: CountedRequests,
}

/// The requests that a fault counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CountedRequests {
    /// Those to the Management API.
    Api,
    /// The writes among them.
    Writes,
    /// Those to the front door.
    Logins,
}

/// Why a text is not a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// There is no `@`, or no number after it.
    #[error("\"{0}\" does not say when: write WHAT@3, WHAT@w3 or WHAT@3x2")]
    When(String),
    /// The word before the `@` is unknown.
    #[error("\"{0}\" is not a fault: expected one of cut-before, cut-after, 500-before, 500-after, slow:2s, 429, echo, expired and short")]
    What(String),
}

impl Fault {
    /// Parses faults separated by commas.
    ///
    /// # Errors
    ///
    /// If one of them cannot be parsed.
    pub fn list(text: &str) -> Result<Vec<Self>, FaultError> {
        text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::parse).collect()
    }

    /// Returns the kind of fault for a request; `request` is its number, `write` its number among writes.
    pub(crate) fn kind_at(&self, request: u64, write: Option<u64>) -> Option<FaultKind> {
        let number = match self.counted {
            CountedRequests::Api => request,
            CountedRequests::Writes => write?,
            CountedRequests::Logins => return None,
        };
        self.kind_at_number(number)
    }

    /// Returns the kind of a fault for this request to the front door.
    pub(crate) fn kind_at_login(&self, login: u64) -> Option<FaultKind> {
        self.kind_at_number(login).filter(|_| self.counted == CountedRequests::Logins)
    }

    fn kind_at_number(&self, number: u64) -> Option<FaultKind> {
        let is_due = number >= self.first && number - self.first < self.times;
        is_due.then_some(self.kind)
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
        let (counted, when) = match when.chars().next() {
            Some('w') => (CountedRequests::Writes, &when[1..]),
            Some('l') => (CountedRequests::Logins, &when[1..]),
            _ => (CountedRequests::Api, when),
        };
        let (first, times) = when.split_once('x').unwrap_or((when, "1"));
        let times = if times == "*" { Ok(u64::MAX) } else { times.parse() };
        let (first, times) = (first.parse().map_err(|_| no_fault())?, times.map_err(|_| no_fault())?);
        if first == 0 || times == 0 {
            return Err(no_fault());
        }
        Ok(Self { written: text.trim().to_owned(), kind, first, times, counted })
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
    fn a_fault_is_injected_at_the_requests_it_names() {
        let storm = fault("429@5x3");
        let injected: Vec<u64> = (1..10).filter(|request| storm.kind_at(*request, None).is_some()).collect();
        assert_eq!(injected, [5, 6, 7]);
        assert_eq!(fault("slow:2s@4").kind_at(4, None), Some(FaultKind::Slow(Duration::from_secs(2))));
        assert_eq!(fault("echo@2").kind_at(2, None), Some(FaultKind::Echo));
        assert_eq!(fault("short@2").kind_at(2, None), Some(FaultKind::Short));
        assert_eq!(fault("502-after@2x*").kind_at(900, None), Some(FaultKind::Error(502, FaultTiming::After)));
    }

    #[test]
    fn a_fault_of_writes_counts_writes_only() {
        let cut = fault("cut-before@w2");
        assert_eq!(cut.kind_at(2, None), None);
        assert_eq!(cut.kind_at(9, Some(2)), Some(FaultKind::Cut(FaultTiming::Before)));
    }

    #[test]
    fn a_fault_of_logins_affects_no_request_to_the_api() {
        let cut = fault("cut-before@l2x*");
        assert_eq!((cut.kind_at(2, None), cut.kind_at(9, Some(2)), cut.kind_at_login(1)), (None, None, None));
        assert_eq!(cut.kind_at_login(2), Some(FaultKind::Cut(FaultTiming::Before)));
    }

    #[test]
    fn an_invalid_fault_is_refused_with_the_known_ones() {
        assert_eq!("cut-before".parse::<Fault>(), Err(FaultError::When("cut-before".into())));
        assert_eq!("429@0".parse::<Fault>(), Err(FaultError::When("429@0".into())));
        assert_eq!("burn@3".parse::<Fault>(), Err(FaultError::What("burn".into())));
        assert_eq!("200-after@3".parse::<Fault>(), Err(FaultError::What("200-after".into())));
        assert_eq!(Fault::list("cut-before@1, expired@2").expect("two").len(), 2);
    }
}
