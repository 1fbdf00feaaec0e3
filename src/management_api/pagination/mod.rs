//! Pagination: parsing one page, and reading all pages of a list.

mod list;
mod page;

pub(super) use list::{Identified, PagedList, with_query};
pub use page::Page;
