//! Safety limits for a tenant's responses.
//!
//! Auth0's own limits are far below each of these. They stop a run that talks to something else, such as a broken proxy
//! or an attacker, before it costs much memory or the whole night.

use std::fmt;
use std::time::Duration;

/// Bytes of one response body. A page of a hundred actions with the longest permitted code (100 kB, stored twice) has
/// 20 MB.
pub const BODY: usize = 32 << 20;
/// Pages of one list. The API returns 50 or 100 resources per page.
pub const PAGES: usize = 2_000;
/// Elements of one list: as many as that number of pages contain.
pub const ELEMENTS: usize = 100 * PAGES;
/// Bytes of all pages of one list.
pub const LIST: usize = 512 << 20;
/// Bytes of everything that is read of a tenant at once.
pub const TENANT: i64 = 1 << 30;
/// Nesting levels of JSON: the limit of serde_json; the deepest recorded response has 12.
pub const NESTING: usize = 127;
/// Characters of a tenant's message that are repeated in an error.
pub(crate) const MESSAGE_LENGTH: usize = 2_000;
/// How long a request waits for a bucket to refill. The slowest published bucket allows five per minute, so this
/// suffices for at least one.
pub(crate) const LONGEST_RESET: Duration = Duration::from_secs(60);
/// How long a request is retried if the tenant demands it.
pub(crate) const LONGEST_RETRY: Duration = Duration::from_secs(10 * 60);
/// How long reading a whole tenant may take. Ten thousand clients at the rate of a free subscription take a quarter of
/// it.
pub const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// A limit that a response exceeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Excess {
    /// Bytes of the body.
    Body,
    /// Bytes or lines of the headers; the HTTP library stops at 100 lines and 400 KiB.
    Headers,
    /// The response is compressed, although that was not requested: its content could be of any size.
    Compressed,
    /// Pages of a list.
    Pages,
    /// Bytes of all pages of a list.
    List,
    /// Bytes of everything that is read of the tenant.
    Tenant,
    /// Elements of a list, received or counted by the tenant.
    Elements(usize),
    /// A `next` checkpoint that occurred before.
    CheckpointLoop,
    /// The wait that it demands.
    Wait(Duration),
}

impl fmt::Display for Excess {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => write!(out, "its body is larger than {} MiB", BODY >> 20),
            Self::Headers => write!(out, "its headers exceed the limit"),
            Self::Compressed => write!(out, "its body is compressed, which was not requested"),
            Self::Pages => write!(out, "the list does not end after {PAGES} pages"),
            Self::List => write!(out, "the pages of the list are larger than {} MiB", LIST >> 20),
            Self::Tenant => write!(out, "more than {} MiB were read from the tenant in total", TENANT >> 20),
            Self::Elements(counted) => write!(out, "the list has {counted} elements, and at most {ELEMENTS} are read"),
            Self::CheckpointLoop => write!(out, "\"next\" leads to a page that was read before"),
            Self::Wait(asked) => {
                let [asked, most] = [*asked, LONGEST_RETRY].map(humantime::format_duration);
                write!(out, "it asks to wait {asked}; the longest wait is {most}")
            }
        }
    }
}

impl std::error::Error for Excess {}
