//! A list read to its end, or an error: a short list must never look like a whole one.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde::de::DeserializeOwned;

use super::error::{Error, Missing};
use super::page::Page;
use super::wire::{Request, Wire};
use crate::catalog::{Kind, Paging};
use crate::event::Event;

/// A list to read, of which each answer `A` becomes a `T` as soon as its page is there.
pub(super) struct List<'list, A, T> {
    wire: &'list Wire,
    kind: &'static Kind,
    path: String,
    concurrency: usize,
    make: &'list (dyn Fn(A) -> T + Sync),
    read: AtomicUsize,
}

/// What reading by offset came to.
enum Offset<T> {
    /// The whole list.
    Whole(Vec<T>),
    /// Fewer or more than the tenant counts, or a count that moved.
    Short { got: usize, expected: usize },
}

impl<'list, A: DeserializeOwned, T: PartialEq> List<'list, A, T> {
    /// Returns the list of a kind at a path.
    pub(super) fn new(
        wire: &'list Wire,
        kind: &'static Kind,
        path: String,
        concurrency: usize,
        make: &'list (dyn Fn(A) -> T + Sync),
    ) -> Self {
        Self { wire, kind, path, concurrency: concurrency.max(1), make, read: AtomicUsize::new(0) }
    }

    /// Reads every page, in the tenant's order.
    pub(super) async fn whole(&self) -> Result<Vec<T>, Error> {
        match self.kind.paging {
            Paging::Whole => self.elements_of(self.page("", &[]).await?),
            Paging::In { field } => self.elements_of(self.page(field, &[]).await?),
            Paging::Checkpoint { field, size } => self.by_checkpoint(field, size).await,
            Paging::Counted { field, size } => self.by_offset(field, size).await,
            Paging::Offset { field, size, or_checkpoint } => match self.by_offset(field, size).await {
                // Auth0 refuses pages beyond the thousandth element of some lists.
                Err(Error::Refused { code, .. }) if or_checkpoint && code == "invalid_paging" => self.by_checkpoint(field, size).await,
                other => other,
            },
        }
    }

    /// Reads by page numbers; where the tenant's count moved meanwhile, once more.
    async fn by_offset(&self, field: &str, size: usize) -> Result<Vec<T>, Error> {
        if let Offset::Whole(list) = self.offset_once(field, size).await? {
            return Ok(list);
        }
        match self.offset_once(field, size).await? {
            Offset::Whole(list) => Ok(list),
            Offset::Short { got, expected } => Err(Error::ShortListing { kind: self.kind.name, got, expected }),
        }
    }

    async fn offset_once(&self, field: &str, size: usize) -> Result<Offset<T>, Error> {
        self.read.store(0, Ordering::Relaxed);
        let first: Page<T> = self.offset_page(field, size, 0).await?;
        let Some(total) = first.total else {
            return self.without_total(field, size, first).await;
        };
        let length = first.limit.unwrap_or(size).max(1);
        let pages = stream::iter(1..total.div_ceil(length)).map(|number| self.offset_page(field, length, number));
        let mut pages = pages.buffered(self.concurrency);
        let mut list = self.elements_of(first)?;
        while let Some(page) = pages.try_next().await? {
            if page.total != Some(total) {
                return Ok(Offset::Short { got: list.len(), expected: total });
            }
            let came = self.elements_of(page)?;
            // Whatever the count says, nothing comes behind a page with nothing on it.
            if came.is_empty() {
                break;
            }
            list.extend(came);
        }
        if list.len() == total { Ok(Offset::Whole(list)) } else { Ok(Offset::Short { got: list.len(), expected: total }) }
    }

    /// Reads on where the tenant does not count: until a page is empty, or the same again because pages are ignored.
    async fn without_total(&self, field: &str, size: usize, first: Page<T>) -> Result<Offset<T>, Error> {
        let mut list = self.elements_of(first)?;
        let length = list.len();
        for number in 1.. {
            if list.is_empty() {
                break;
            }
            let page = self.elements_of(self.offset_page(field, size, number).await?)?;
            if page.is_empty() || page[..] == list[..length] {
                break;
            }
            list.extend(page);
        }
        Ok(Offset::Whole(list))
    }

    async fn offset_page(&self, field: &str, size: usize, number: usize) -> Result<Page<T>, Error> {
        let mut query = vec![("page", number.to_string()), ("per_page", size.to_string())];
        if !matches!(self.kind.paging, Paging::Counted { .. }) {
            query.push(("include_totals", "true".to_owned()));
        }
        self.page(field, &query).await
    }

    async fn by_checkpoint(&self, field: &str, size: usize) -> Result<Vec<T>, Error> {
        self.read.store(0, Ordering::Relaxed);
        let mut list = Vec::new();
        let mut from: Option<String> = None;
        loop {
            let take = ("take", size.to_string());
            let query: Vec<_> = from.clone().map(|from| ("from", from)).into_iter().chain([take]).collect();
            let page: Page<T> = self.page(field, &query).await?;
            let next = page.next.clone();
            list.extend(self.elements_of(page)?);
            match next {
                None => return Ok(list),
                Some(next) if from.as_ref() == Some(&next) => return Err(self.unreadable(Missing("\"next\" leads to itself".to_owned()))),
                Some(next) => from = Some(next),
            }
        }
    }

    async fn page(&self, field: &str, query: &[(&str, String)]) -> Result<Page<T>, Error> {
        let mut path = with_query(self.kind, &self.path);
        for (name, value) in query {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.extend([*name, "=", &encode(value)]);
        }
        let received = self.wire.send(&Request::new(Method::GET, path)).await?;
        let page = Page::read(&received.body, field).map_err(|error| self.unreadable(error))?.map(self.make);
        self.tell(&page);
        Ok(page)
    }

    fn elements_of(&self, page: Page<T>) -> Result<Vec<T>, Error> {
        // Some services leave out what is zero, an empty list of an empty total included.
        let is_zero = page.total == Some(0);
        page.elements.or_else(|| is_zero.then(Vec::new)).ok_or_else(|| self.unreadable(Missing("it holds no list".to_owned())))
    }

    fn unreadable(&self, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        Error::Unreadable { request: format!("GET {}", self.path), source: source.into() }
    }

    fn tell(&self, page: &Page<T>) {
        let came = page.elements.as_ref().map_or(0, Vec::len);
        let read = self.read.fetch_add(came, Ordering::Relaxed) + came;
        let tenant = self.wire.name.clone();
        self.wire.observer.notify(&Event::Listing { tenant, kind: self.kind.name, read, total: page.total });
    }
}

/// Returns a path with the query that every read of the kind carries.
pub(super) fn with_query(kind: &Kind, path: &str) -> String {
    let query: Vec<String> = kind.query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

fn encode(value: &str) -> String {
    utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
}
