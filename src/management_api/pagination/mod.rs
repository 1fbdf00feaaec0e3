//! Lists that come in pages: reading one page, and all of them.

mod list;
mod page;

pub(super) use list::{Identified, PagedList, with_query};
pub use page::Page;
