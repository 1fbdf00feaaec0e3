//! Reads a list completely or fails: an incomplete list must never look like a complete one.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::page::Page;
use crate::catalog::{Kind, Paging};
use crate::json::Body;
use crate::management_api::error::{Cause, Error, UnexpectedAnswer, json_error};
use crate::management_api::safety_limits::{self, Excess};
use crate::management_api::transport::{Request, Transport};
use crate::model::event::Event;

/// A list to read; each element `A` is converted to a `T` as soon as its page arrives.
pub(in crate::management_api) struct PagedList<'list, A, T> {
    transport: &'list Transport,
    kind: &'static Kind,
    path: String,
    concurrency: usize,
    make: &'list (dyn Fn(A) -> T + Sync),
    read: AtomicUsize,
    pages: AtomicUsize,
    bytes: AtomicUsize,
}

/// An element of a list and its identity.
struct Element<T> {
    identity: String,
    value: T,
}

/// The maximum number of attempts to read a list that changes between two of its pages.
const MAX_READS: usize = 4;

/// The result of one attempt to read a list.
enum ListRead<T> {
    /// The complete list.
    Complete(Vec<Element<T>>),
    /// The number of elements differs from the tenant's count, or the count changed.
    Short { got: usize, expected: usize },
    /// Elements were added or removed between two pages, so that others may have been missed.
    Moved,
}

/// An element of a list, identified by the id of its kind, or by its whole content.
pub(in crate::management_api) trait Identified {
    /// Returns what distinguishes the element from others of its list.
    fn identity(&self, kind: &Kind) -> String;
}

impl Identified for Body {
    fn identity(&self, kind: &Kind) -> String {
        let own = kind.id_of(self).or_else(|| self.text(kind.identity.id).map(str::to_owned));
        own.unwrap_or_else(|| self.clone().into_value().to_string())
    }
}

impl Identified for Value {
    fn identity(&self, _kind: &Kind) -> String {
        self.to_string()
    }
}

impl<'list, A: DeserializeOwned + Identified, T> PagedList<'list, A, T> {
    /// Creates the list of a kind at a path.
    pub(in crate::management_api) fn new(
        transport: &'list Transport,
        kind: &'static Kind,
        path: String,
        concurrency: usize,
        make: &'list (dyn Fn(A) -> T + Sync),
    ) -> Self {
        Self {
            transport,
            kind,
            path,
            concurrency: concurrency.max(1),
            make,
            read: AtomicUsize::new(0),
            pages: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        }
    }

    /// Reads every page, in the tenant's order, without duplicates.
    pub(in crate::management_api) async fn read_all(&self) -> Result<Vec<T>, Error> {
        let list = match self.kind.paths.paging {
            Paging::Whole => self.elements_of(self.page("", &[]).await?)?,
            Paging::In { field } => self.elements_of(self.page(field, &[]).await?)?,
            Paging::Checkpoint { field, size } => self.read_consistently(field, size, true).await?,
            Paging::Counted { field, size } => self.read_consistently(field, size, false).await?,
            Paging::Offset { field, size, or_checkpoint } => match self.read_consistently(field, size, false).await {
                // Auth0 refuses pages beyond the thousandth element of some lists.
                Err(Error::Refused { code, .. }) if or_checkpoint && code == "invalid_paging" => {
                    self.read_consistently(field, size, true).await?
                }
                other => other?,
            },
        };
        let mut seen = HashSet::with_capacity(list.len());
        Ok(list.into_iter().filter_map(|element| seen.insert(element.identity).then_some(element.value)).collect())
    }

    /// Reads a list until nothing changed between two of its pages. An element that occurs twice in two equal attempts
    /// really is listed twice.
    async fn read_consistently(&self, field: &str, size: usize, by_checkpoint: bool) -> Result<Vec<Element<T>>, Error> {
        let mut before: Vec<String> = Vec::new();
        let (mut ended, mut was_short) = (ListRead::Moved, false);
        for _ in 0..MAX_READS {
            for count in [&self.read, &self.pages, &self.bytes] {
                count.store(0, Ordering::Relaxed);
            }
            ended = if by_checkpoint { self.read_by_checkpoint(field, size).await? } else { self.read_by_offset(field, size).await? };
            if matches!(ended, ListRead::Short { .. }) && std::mem::replace(&mut was_short, true) {
                break;
            }
            let ListRead::Complete(list) = &ended else { continue };
            let ids: Vec<String> = list.iter().map(|element| element.identity.clone()).collect();
            let distinct = ids.iter().collect::<HashSet<_>>().len();
            match ended {
                ListRead::Complete(list) if distinct == list.len() || ids == before => return Ok(list),
                _ => (before, ended) = (ids, ListRead::Moved),
            }
        }
        match ended {
            ListRead::Short { got, expected } => Err(Error::ShortListing { kind: self.kind.name, got, expected }),
            ListRead::Complete(_) | ListRead::Moved => Err(Error::MovingListing { kind: self.kind.name, readings: MAX_READS }),
        }
    }

    /// Reads by page numbers. Each page begins with the last element of the previous one, which shows that nothing
    /// changed in between.
    async fn read_by_offset(&self, field: &str, size: usize) -> Result<ListRead<T>, Error> {
        let first: Page<Element<T>> = self.offset_page(field, Window { size, number: 0 }).await?;
        let Some(total) = first.total else {
            return self.without_total(field, size, first).await;
        };
        self.check_length(total)?;
        let limit = first.limit.map(|limit| limit.max(1));
        let mut list = self.elements_of(first)?;
        if limit.is_some_and(|limit| list.len() < limit.min(total)) {
            return Ok(ListRead::Short { got: list.len(), expected: total });
        }
        let pages = stream::iter(overlapping_windows(limit.unwrap_or(size).min(list.len()), list.len(), total))
            .map(|window| async move { Ok((window, self.offset_page(field, window).await?)) });
        let mut pages = pages.buffered(self.concurrency);
        while let Some((window, page)) = pages.try_next().await? {
            if page.total != Some(total) {
                return Ok(ListRead::Short { got: list.len(), expected: total });
            }
            let came = self.elements_of(page)?;
            // Whatever the count says, nothing follows an empty page.
            if came.is_empty() {
                break;
            }
            if !append_page(&mut list, window, came) {
                return Ok(ListRead::Moved);
            }
        }
        if list.len() == total { Ok(ListRead::Complete(list)) } else { Ok(ListRead::Short { got: list.len(), expected: total }) }
    }

    /// Reads on without a total: until a page brings nothing new, or repeats the previous one because the API ignores
    /// page numbers.
    async fn without_total(&self, field: &str, size: usize, first: Page<Element<T>>) -> Result<ListRead<T>, Error> {
        let mut list = self.elements_of(first)?;
        let length = list.len();
        let size = if length < size { length.max(2) } else { size };
        while !list.is_empty() {
            let window = overlapping_window(size, list.len(), usize::MAX);
            let page = self.elements_of(self.offset_page(field, window).await?)?;
            let is_first_again = page.len() == length && page.iter().zip(&list).all(|(one, other)| one.identity == other.identity);
            let before = list.len();
            if page.is_empty() || is_first_again {
                break;
            }
            if !append_page(&mut list, window, page) {
                return Ok(ListRead::Moved);
            }
            if list.len() == before {
                break;
            }
        }
        Ok(ListRead::Complete(list))
    }

    async fn offset_page(&self, field: &str, window: Window) -> Result<Page<Element<T>>, Error> {
        let mut query = vec![("page", window.number.to_string()), ("per_page", window.size.to_string())];
        if !matches!(self.kind.paths.paging, Paging::Counted { .. }) {
            query.push(("include_totals", "true".to_owned()));
        }
        self.page(field, &query).await
    }

    /// Reads on from the last element of each page (OpenAPI description of `from`: "Optional Id from which to start
    /// selection"): changes elsewhere in the list shift nothing.
    async fn read_by_checkpoint(&self, field: &str, size: usize) -> Result<ListRead<T>, Error> {
        let mut list = Vec::new();
        let mut from: Option<String> = None;
        let mut before = HashSet::new();
        loop {
            let take = ("take", size.to_string());
            let query: Vec<_> = from.clone().map(|from| ("from", from)).into_iter().chain([take]).collect();
            let page: Page<Element<T>> = self.page(field, &query).await?;
            let next = page.next.clone();
            list.extend(self.elements_of(page)?);
            match next {
                None => return Ok(ListRead::Complete(list)),
                Some(next) if !before.insert(next.clone()) => return Err(self.excess(Excess::CheckpointLoop)),
                Some(next) => from = Some(next),
            }
        }
    }

    async fn page(&self, field: &str, query: &[(&str, String)]) -> Result<Page<Element<T>>, Error> {
        let mut path = with_query(self.kind, &self.path);
        for (name, value) in query {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.extend([*name, "=", &encode(value)]);
        }
        if self.pages.fetch_add(1, Ordering::Relaxed) >= safety_limits::PAGES {
            return Err(self.excess(Excess::Pages));
        }
        let received = self.transport.send(&Request::new(Method::GET, path)).await?;
        if self.bytes.fetch_add(received.body.len(), Ordering::Relaxed) + received.body.len() > safety_limits::LIST {
            return Err(self.excess(Excess::List));
        }
        let page = Page::parse(&received.body, field).map_err(|error| self.unreadable(json_error(error)))?;
        let page = page.map(|element: A| Element { identity: element.identity(self.kind), value: (self.make)(element) });
        self.check_length(self.notify_progress(&page))?;
        Ok(page)
    }

    fn elements_of(&self, page: Page<Element<T>>) -> Result<Vec<Element<T>>, Error> {
        // Some services omit zeros and even the empty list.
        let is_zero = page.total == Some(0);
        page.elements.or_else(|| is_zero.then(Vec::new)).ok_or_else(|| self.unreadable(UnexpectedAnswer("it is not a list".to_owned())))
    }

    fn unreadable(&self, source: impl Into<Cause>) -> Error {
        Error::Unreadable { request: format!("GET {}", self.path), source: source.into() }
    }

    fn excess(&self, source: Excess) -> Error {
        Error::Excess { request: format!("GET {}", self.path), source }
    }

    /// Refuses a list with more elements than any real one has.
    fn check_length(&self, elements: usize) -> Result<(), Error> {
        if elements > safety_limits::ELEMENTS { Err(self.excess(Excess::Elements(elements))) } else { Ok(()) }
    }

    /// Notifies the observer of the number of elements read, and returns it.
    fn notify_progress(&self, page: &Page<Element<T>>) -> usize {
        let came = page.elements.as_ref().map_or(0, Vec::len);
        let read = self.read.fetch_add(came, Ordering::Relaxed) + came;
        let tenant = self.transport.connection.name.clone();
        self.transport.connection.observer.notify(&Event::Listing { tenant, kind: self.kind.name, read, total: page.total });
        read
    }
}

/// A page by number and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    size: usize,
    number: usize,
}

impl Window {
    fn start(self) -> usize {
        self.size * self.number
    }

    fn end(self) -> usize {
        self.size * (self.number + 1)
    }
}

/// Returns the page that includes the last element read and extends furthest beyond it; of those that reach the end,
/// the smallest.
fn overlapping_window(most: usize, read: usize, total: usize) -> Window {
    let window = |size| Window { size, number: (read - 1) / size };
    let reach = |window: &Window| (window.end().min(total), usize::MAX - window.end());
    (1..=most).map(window).max_by_key(reach).unwrap_or(Window { size: most, number: read / most })
}

/// Returns the remaining pages of a list of this total, each including the last element of the previous one.
fn overlapping_windows(most: usize, first: usize, total: usize) -> impl Iterator<Item = Window> {
    let mut read = first;
    std::iter::from_fn(move || {
        if read == 0 || read >= total {
            return None;
        }
        // Pages of one or two elements cannot overlap.
        let next = Window { size: most, number: read / most.max(1) };
        let window = Some(overlapping_window(most, read, total)).filter(|window| window.end() > read).unwrap_or(next);
        read = window.end();
        Some(window)
    })
}

/// Appends the new elements of a page; returns whether its other elements equal those read before.
fn append_page<T>(list: &mut Vec<Element<T>>, window: Window, page: Vec<Element<T>>) -> bool {
    let shared = list.len().saturating_sub(window.start()).min(page.len());
    let read = list.iter().skip(window.start());
    let is_the_same = page.iter().take(shared).zip(read).all(|(one, other)| one.identity == other.identity);
    list.extend(page.into_iter().skip(shared));
    is_the_same
}

/// Returns a path with the query that every read of the kind needs.
pub(in crate::management_api) fn with_query(kind: &Kind, path: &str) -> String {
    let query: Vec<String> = kind.paths.query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

fn encode(value: &str) -> String {
    utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_overlap_by_one_element_with_few_extra_reads() {
        for most in [10, 50, 100] {
            for total in 1..2000 {
                let first = most.min(total);
                let (mut read, mut count) = (first, 1);
                for window in overlapping_windows(most, first, total) {
                    assert!(window.size <= most && window.start() < read && window.end() > read, "{most}, {total}: {window:?}");
                    (read, count) = (window.end(), count + 1);
                }
                assert!(read >= total, "{most}, {total}");
                let aligned = total.div_ceil(most);
                assert!(most < 50 || count <= aligned + 1 + aligned / 4, "{most}, {total}: {count} and not {aligned}");
            }
        }
    }
}
