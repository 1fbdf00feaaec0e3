//! Reads the tenant's log of writes. That it cannot be read is a result, never an error.

use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::Value;
use tokio::time::timeout;

use super::error::Error;
use super::pagination::Page;
use super::tenant::Tenant;
use super::transport::Request;
use crate::catalog::Catalog;
use crate::model::logged_write::{LoggedWrite, SUCCESS};

/// The scopes of which one is enough to read the log.
pub const LOG_SCOPES: [&str; 2] = ["read:logs", "read:logs_users"];
/// The maximum number of entries of one response.
const PAGE: usize = 100;
/// The number of pages that a search reaches (documentation: 1,000 results).
pub const SEARCH_PAGES: usize = 10;
/// How long reading the log may take: what it says is not worth waiting longer for.
const LONGEST: Duration = Duration::from_secs(30);

/// Which entries to read, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSearch<'a> {
    /// The time before which nothing is read, if any.
    pub since: Option<SystemTime>,
    /// The client that made the writes, if only those of one are wanted.
    pub client: Option<&'a str>,
    /// The order.
    pub order: LogOrder,
    /// What applies the time.
    pub dates: DateFilter,
    /// The maximum number of pages of a hundred entries; a search reaches [`SEARCH_PAGES`].
    pub pages: usize,
}

/// The order of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogOrder {
    /// By date, the newest first.
    NewestFirst,
    /// By date, the oldest first.
    OldestFirst,
}

/// What leaves out entries before the wanted time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateFilter {
    /// The tenant, by days, so that fewer entries are read.
    Search,
    /// The reader, so that an older entry proves that the search finds entries and how far back the log reaches.
    Reader,
}

/// How reading the log ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogReading {
    /// All wanted entries were read.
    Complete,
    /// All wanted entries were read, and an older one.
    ReachedBack,
    /// The reader wanted no more.
    Sufficient,
    /// There may be more entries after this one than were read.
    PageLimit {
        /// The id of the last entry.
        last: String,
    },
    /// The log cannot be read.
    Unavailable(LogUnavailable),
}

/// Why the log cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogUnavailable {
    /// The token has none of [`LOG_SCOPES`].
    Scope,
    /// The tenant does not serve it.
    NotServed,
    /// Reading it failed; this is the message.
    Failed(String),
}

/// Receives the entries, one by one, until it has enough.
pub type LogReader<'a> = dyn FnMut(LoggedWrite) -> ControlFlow<()> + Send + 'a;

impl Tenant {
    /// Searches the log for successful writes.
    pub async fn search_log(&self, catalog: &Catalog, search: LogSearch<'_>, reader: &mut LogReader<'_>) -> LogReading {
        self.within_time(async {
            self.check_log_scope().await?;
            for page in 0..search.pages.min(SEARCH_PAGES) {
                let events = self.log_page(&search.path(page, PAGE)).await?;
                let writes = events.iter().filter_map(|event| LoggedWrite::from_event(catalog, event));
                for write in writes {
                    // The search reaches back to the beginning of a day.
                    let is_before = search.since.is_some_and(|since| write.at < since);
                    if is_before && search.order == LogOrder::NewestFirst {
                        let is_proof = search.dates == DateFilter::Reader;
                        return Ok(if is_proof { LogReading::ReachedBack } else { LogReading::Complete });
                    }
                    if !is_before && reader(write).is_break() {
                        return Ok(LogReading::Sufficient);
                    }
                }
                if events.len() < PAGE {
                    return Ok(LogReading::Complete);
                }
                if page + 1 == search.pages.min(SEARCH_PAGES) {
                    return Ok(LogReading::PageLimit { last: log_id(events.last()) });
                }
            }
            Ok(LogReading::Complete)
        })
        .await
    }

    /// Reads the successful writes that the log received after an entry, in the order in which it received them, so that
    /// late ones are not missed; at most this many pages of a hundred entries of all types.
    pub async fn read_log_after(&self, catalog: &Catalog, entry: &str, pages: usize, reader: &mut LogReader<'_>) -> LogReading {
        self.within_time(async {
            self.check_log_scope().await?;
            let mut last = entry.to_owned();
            for _ in 0..pages {
                let events = self.log_page(&format!("/logs?from={}&take={PAGE}", encoded(&last))).await?;
                if events.is_empty() {
                    return Ok(LogReading::Complete);
                }
                let mut writes = events.iter().filter_map(|event| LoggedWrite::from_event(catalog, event));
                if writes.any(|write| reader(write).is_break()) {
                    return Ok(LogReading::Sufficient);
                }
                let next = log_id(events.last());
                if next.is_empty() || next == last {
                    return Err(LogUnavailable::Failed("its entries have no ids".to_owned()));
                }
                last = next;
            }
            Ok(LogReading::PageLimit { last })
        })
        .await
    }

    /// Returns the time of the oldest entry of any type: how far back the log reaches; `None` if it is empty.
    ///
    /// # Errors
    ///
    /// Why the log cannot be read.
    pub async fn oldest_log_entry(&self) -> Result<Option<SystemTime>, LogUnavailable> {
        let oldest = async {
            self.check_log_scope().await?;
            let events = self.log_page("/logs?sort=date%3A1&page=0&per_page=1").await?;
            Ok(events.first().and_then(|event| humantime::parse_rfc3339(event["date"].as_str()?).ok()))
        };
        timeout(LONGEST, oldest).await.unwrap_or_else(|_| Err(too_late()))
    }

    async fn within_time(&self, reading: impl Future<Output = Result<LogReading, LogUnavailable>>) -> LogReading {
        let ended = timeout(LONGEST, reading).await.unwrap_or_else(|_| Err(too_late()));
        ended.unwrap_or_else(LogReading::Unavailable)
    }

    /// Checks the scopes that the token lists, which costs no request.
    async fn check_log_scope(&self) -> Result<(), LogUnavailable> {
        let granted = self.scopes().await.map_err(LogUnavailable::from)?;
        let is_granted = granted.is_none_or(|granted| LOG_SCOPES.iter().any(|scope| granted.contains(*scope)));
        if is_granted { Ok(()) } else { Err(LogUnavailable::Scope) }
    }

    async fn log_page(&self, path: &str) -> Result<Vec<Value>, LogUnavailable> {
        let received = self.transport.send(&Request::new(Method::GET, path)).await?;
        let page = Page::<Value>::parse(&received.body, "logs");
        page.ok().and_then(|page| page.elements).ok_or_else(|| LogUnavailable::Failed("the answer is not a list of entries".to_owned()))
    }
}

impl LogSearch<'_> {
    /// Returns the path of one page. A search finds days, not times (documentation: `date:[2018-12-18 TO *]`).
    fn path(&self, page: usize, size: usize) -> String {
        let day = |time: SystemTime| humantime::format_rfc3339_seconds(time).to_string().split('T').next().unwrap_or_default().to_owned();
        let since = self.since.filter(|_| self.dates == DateFilter::Search).map(|since| format!("date:[{} TO *]", day(since)));
        let client = self.client.filter(|client| !client.contains(['"', '\\'])).map(|client| format!("client_id:\"{client}\""));
        let terms: Vec<String> = std::iter::once(format!("type:{SUCCESS}")).chain(client).chain(since).collect();
        let sort = match self.order {
            LogOrder::NewestFirst => "date:-1",
            LogOrder::OldestFirst => "date:1",
        };
        format!("/logs?q={}&sort={}&page={page}&per_page={size}", encoded(&terms.join(" AND ")), encoded(sort))
    }
}

impl From<Error> for LogUnavailable {
    fn from(error: Error) -> Self {
        match error {
            Error::Scope { .. } => Self::Scope,
            refused if refused.is_not_served() => Self::NotServed,
            other => Self::Failed(other.to_string()),
        }
    }
}

fn too_late() -> LogUnavailable {
    LogUnavailable::Failed(format!("it did not answer within {} seconds", LONGEST.as_secs()))
}

fn log_id(event: Option<&Value>) -> String {
    event.and_then(|event| event["log_id"].as_str().or_else(|| event["_id"].as_str())).unwrap_or_default().to_owned()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::test_server::{ReceivedRequest, ScriptedResponse, Server};
    use super::*;
    use serde_json::json;

    fn event(number: usize, kind: &str) -> Value {
        json!({
            "type": kind, "date": format!("2026-11-28T14:{:02}:00.000Z", number % 60), "log_id": format!("{number:04}"), "client_id": "c",
            "details": {"request": {"method": "patch", "path": "/api/v2/clients/a", "body": {"name": "x"}}},
        })
    }

    /// Starts a server whose token has these scopes.
    async fn server(scopes: &'static str, script: impl Fn(&ReceivedRequest) -> ScriptedResponse + Send + Sync + 'static) -> Server {
        Server::start_all(move |seen, _| match seen.line.as_str() {
            "POST /oauth/token" => ScriptedResponse::Answer(200, json!({"access_token": "token-1", "expires_in": 86400, "scope": scopes})),
            _ => script(seen),
        })
        .await
    }

    const NEWEST: LogSearch<'_> =
        LogSearch { since: None, client: None, order: LogOrder::NewestFirst, dates: DateFilter::Search, pages: 2 };

    async fn searched(server: &Server, search: LogSearch<'_>, most: usize) -> (LogReading, Vec<String>) {
        let mut read = Vec::new();
        let mut reader = |write: LoggedWrite| {
            read.push(write.log_id);
            if read.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let ended = server.tenant().search_log(Catalog::standard(), search, &mut reader).await;
        (ended, read)
    }

    #[tokio::test]
    async fn a_search_names_type_client_and_day_and_leaves_out_other_entries() {
        let answer = json!([event(3, "sapi"), event(2, "s"), event(1, "sapi")]);
        let server = server("read:logs", move |_| ScriptedResponse::Answer(200, answer.clone())).await;
        let since = humantime::parse_rfc3339("2026-11-28T14:02:00Z").ok();
        let (ended, read) = searched(&server, LogSearch { since, client: Some("c"), ..NEWEST }, usize::MAX).await;
        assert_eq!((ended, read), (LogReading::Complete, vec!["0003".to_owned()]));
        let sent = percent_encoding::percent_decode_str(&server.lines()[0]).decode_utf8_lossy().into_owned();
        let expected = "GET /logs?q=type:sapi AND client_id:\"c\" AND date:[2026-11-28 TO *]&sort=date:-1&page=0&per_page=100";
        assert_eq!(sent, expected);
    }

    #[tokio::test]
    async fn a_search_ends_with_the_last_page_the_page_limit_or_what_was_wanted() {
        let page: Vec<Value> = (0..100).rev().map(|number| event(number, "sapi")).collect();
        let server = server("read:logs", move |_| ScriptedResponse::Answer(200, json!(page))).await;
        let (ended, read) = searched(&server, NEWEST, usize::MAX).await;
        assert_eq!((ended, read.len()), (LogReading::PageLimit { last: "0000".to_owned() }, 200));
        assert_eq!(searched(&server, NEWEST, 3).await.0, LogReading::Sufficient);
        assert_eq!(server.lines().len(), 3, "two pages, then one");
    }

    #[tokio::test]
    async fn an_older_entry_proves_that_the_log_reaches_back() {
        let answer = json!([event(3, "sapi"), event(1, "sapi")]);
        let server = server("read:logs", move |_| ScriptedResponse::Answer(200, answer.clone())).await;
        let since = |time: &str| humantime::parse_rfc3339(time).ok();
        let search = LogSearch { since: since("2026-11-28T14:02:00Z"), dates: DateFilter::Reader, ..NEWEST };
        assert_eq!(searched(&server, search, usize::MAX).await, (LogReading::ReachedBack, vec!["0003".to_owned()]));
        let search = LogSearch { since: since("2026-11-28T14:00:00Z"), ..search };
        assert_eq!(searched(&server, search, usize::MAX).await.0, LogReading::Complete);
        assert!(server.lines().iter().all(|line| !line.contains("date%3A%5B")), "{:?}", server.lines());
    }

    #[tokio::test]
    async fn a_checkpoint_leads_on_until_nothing_newer_is_there() {
        let answer = |seen: &ReceivedRequest| {
            let is_first = seen.line.contains("from=0000&");
            ScriptedResponse::Answer(200, if is_first { json!([event(1, "s"), event(2, "sapi")]) } else { json!([]) })
        };
        let server = server("read:logs_users", answer).await;
        let mut read = Vec::new();
        let mut reader = |write: LoggedWrite| {
            read.push(write.log_id);
            ControlFlow::Continue(())
        };
        let ended = server.tenant().read_log_after(Catalog::standard(), "0000", 9, &mut reader).await;
        assert_eq!((ended, read), (LogReading::Complete, vec!["0002".to_owned()]));
        assert_eq!(server.lines(), ["GET /logs?from=0000&take=100", "GET /logs?from=0002&take=100"]);
    }

    #[tokio::test]
    async fn a_log_that_cannot_be_read_is_a_result() {
        let refused = |status: u16, message: &'static str| {
            server("read:logs", move |_| ScriptedResponse::Answer(status, json!({"statusCode": status, "message": message})))
        };
        let unavailable = |ended: LogReading| match ended {
            LogReading::Unavailable(why) => why,
            other => panic!("{other:?}"),
        };
        let of = |server: Server| async move { unavailable(searched(&server, NEWEST, 1).await.0) };
        assert_eq!(of(refused(403, "Insufficient scope, expected any of: read:logs").await).await, LogUnavailable::Scope);
        assert_eq!(of(refused(404, "Not Found").await).await, LogUnavailable::NotServed);
        assert_eq!(
            of(refused(400, "no such field").await).await,
            LogUnavailable::Failed("the tenant answered 400: no such field".to_owned())
        );
        let not_a_list = server("read:logs", |_| ScriptedResponse::Answer(200, json!({"other": 1}))).await;
        assert_eq!(of(not_a_list).await, LogUnavailable::Failed("the answer is not a list of entries".to_owned()));
        let without_scope = server("read:clients", |_| ScriptedResponse::Answer(200, json!([]))).await;
        assert_eq!(unavailable(searched(&without_scope, NEWEST, 1).await.0), LogUnavailable::Scope);
        assert_eq!(without_scope.lines(), [""; 0], "the token lists its scopes");
    }
}
