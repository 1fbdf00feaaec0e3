//! How much is accepted from a tenant before its answers are considered wrong.
//!
//! Auth0's own limits are far below each of these. They stop a run that talks to something else, to a proxy that went wrong or to somebody
//! hostile, before it has cost much memory or a whole night.

use std::fmt;
use std::time::Duration;

/// Bytes of the body of one answer. A page of a hundred actions with the longest code that is allowed (100 kB, stored twice) has 20 MB.
pub const BODY: usize = 32 << 20;
/// Pages of one list. The API serves 50 or 100 resources a page.
pub const PAGES: usize = 2_000;
/// Elements of one list: what that many pages hold.
pub const ELEMENTS: usize = 100 * PAGES;
/// Bytes of all the pages of one list.
pub const LIST: usize = 512 << 20;
/// Bytes of all that is read of a tenant at once.
pub const TENANT: i64 = 1 << 30;
/// Levels of JSON inside each other, which is as deep as serde_json reads; the deepest recorded answer has 12.
pub const NESTING: usize = 127;
/// Characters of a tenant's own words that are repeated in an error.
pub(crate) const MESSAGE_LENGTH: usize = 2_000;
/// How long a request waits for a bucket to fill. The slowest published one gives five a minute, so something comes back within it.
pub(crate) const LONGEST_RESET: Duration = Duration::from_secs(60);
/// How long one request is sent again where the tenant asks for it.
pub(crate) const LONGEST_RETRY: Duration = Duration::from_secs(10 * 60);
/// How long reading all of a tenant may take. Ten thousand clients at the pace of a free subscription are read in a quarter of it.
pub const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// What an answer has more of than is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Excess {
    /// Bytes of its body.
    Body,
    /// Bytes or lines of its headers; the HTTP library stops at 100 lines and 400 KiB.
    Headers,
    /// It is packed, and nobody asked for that: what it holds could be of any size.
    Compressed,
    /// Pages of a list.
    Pages,
    /// Bytes of all pages of a list.
    List,
    /// Bytes of all that is read of the tenant.
    Tenant,
    /// Elements of a list, as many as came or as the tenant counts.
    Elements(usize),
    /// A `next` that was there before.
    CheckpointLoop,
    /// Time that it asks to wait.
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
