//! Parses one page of a list: `{start, limit, total, <field>: []}`, `{<field>: [], next}` or a bare array.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::management_api::safety_limits::ELEMENTS;

/// One page of a list.
#[derive(Debug, PartialEq)]
pub struct Page<T> {
    /// Its elements; `None` if the response is an object without the field.
    pub elements: Option<Vec<T>>,
    /// The total number of elements on all pages.
    pub total: Option<usize>,
    /// The size of a page.
    pub limit: Option<usize>,
    /// The checkpoint of the next page.
    pub next: Option<String>,
}

/// Deserializes a page directly into its elements, with the list in this field.
struct PageVisitor<'field, T>(&'field str, PhantomData<T>);

impl<T> Page<T> {
    /// Parses a page whose list is in `field`.
    ///
    /// # Errors
    ///
    /// If it is not JSON, or the elements do not have the expected type.
    pub fn parse<'de>(body: &'de [u8], field: &str) -> Result<Self, serde_json::Error>
    where
        T: Deserialize<'de>,
    {
        let mut json = serde_json::Deserializer::from_slice(body);
        let page = PageVisitor(field, PhantomData).deserialize(&mut json)?;
        json.end().map(|()| page)
    }

    /// Converts each element.
    pub(super) fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        let elements = self.elements.map(|elements| elements.into_iter().map(make).collect());
        Page { elements, total: self.total, limit: self.limit, next: self.next }
    }

    fn empty() -> Self {
        Self { elements: None, total: None, limit: None, next: None }
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for PageVisitor<'_, T> {
    type Value = Page<T>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Page<T>, D::Error> {
        json.deserialize_any(self)
    }
}

/// Deserializes a list, and fails if it exceeds the maximum length.
struct ElementsSeed<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for ElementsSeed<T> {
    type Value = Option<Vec<T>>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_seq(PageVisitor::<T>("", PhantomData)).map(|page| page.elements)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for PageVisitor<'_, T> {
    type Value = Page<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a list, or an object that holds one in \"{}\"", self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Page<T>, A::Error> {
        let mut elements = Vec::with_capacity(list.size_hint().unwrap_or(0));
        while let Some(element) = list.next_element()? {
            if elements.len() == ELEMENTS {
                return Err(A::Error::custom(format_args!("more than {ELEMENTS} elements on one page")));
            }
            elements.push(element);
        }
        Ok(Page { elements: Some(elements), ..Page::empty() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Page<T>, A::Error> {
        let mut page = Page::empty();
        while let Some(name) = fields.next_key::<String>()? {
            match name.as_str() {
                // Deserialized like a page, since that is where elements are counted.
                name if name == self.0 => page.elements = fields.next_value_seed(ElementsSeed(PhantomData))?,
                "total" => page.total = fields.next_value()?,
                // Offset pagination calls it `limit`, the Actions API `per_page`.
                "limit" | "per_page" => page.limit = fields.next_value()?,
                "next" => page.next = fields.next_value::<Option<String>>()?.filter(|next| !next.is_empty()),
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Page<u32> {
        Page::parse(json.as_bytes(), "roles").expect("a page")
    }

    #[test]
    fn every_form_of_list_response_is_parsed() {
        let offset = Page { elements: Some(vec![1, 2]), total: Some(7), limit: Some(2), next: None };
        assert_eq!(read(r#"{"start":0,"limit":2,"total":7,"roles":[1,2],"other":{"deep":[1]}}"#), offset);
        assert_eq!(read(r#"{"roles":[1],"next":"a=b"}"#), Page { elements: Some(vec![1]), next: Some("a=b".into()), ..Page::empty() });
        assert_eq!(read(r#"{"roles":[],"next":null}"#), Page { elements: Some(vec![]), ..Page::empty() });
        assert_eq!(read("[1,2]"), Page { elements: Some(vec![1, 2]), ..Page::empty() });
        assert_eq!(read(r#"{"clients":[1]}"#).elements, None);
    }

    #[test]
    fn a_truncated_page_is_refused() {
        assert!(Page::<u32>::parse(br#"{"roles":[1,2]"#, "roles").is_err());
        assert!(Page::<u32>::parse(br#"{"roles":[1]} x"#, "roles").is_err());
    }
}
