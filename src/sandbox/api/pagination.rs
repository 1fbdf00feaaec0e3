//! Pagination: pages by offset, pages by checkpoint, and their totals.

use serde_json::{Value, json};

use crate::catalog::{Kind, Paging};
use crate::sandbox::http::request::ApiRequest;
use crate::sandbox::http::response::ApiResponse;

/// The maximum page size by offset.
const MAX_PAGE: usize = 100;
/// The default page size.
const DEFAULT_PAGE: usize = 50;
/// The last record that pages by offset reach, if Auth0 requires checkpoints beyond it.
const MAX_OFFSET: usize = 1000;

/// The part of a list that is requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PageRequest {
    /// The whole list as a bare array.
    Whole,
    /// The whole list in a field.
    In(&'static str),
    /// One page by number.
    Offset { field: &'static str, start: usize, size: usize, totals: Totals },
    /// The page after a checkpoint.
    Checkpoint { field: &'static str, from: Option<String>, size: usize },
}

impl PageRequest {
    /// Returns the checkpoint that the page starts after.
    pub(super) fn cursor(&self) -> Option<&str> {
        match self {
            Self::Checkpoint { from, .. } => from.as_deref(),
            _ => None,
        }
    }
}

/// The totals that a page by number includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Totals {
    /// None: it is a bare array.
    None,
    /// `start`, `limit` and `total`.
    Asked,
    /// `page`, `per_page` and `total`, as the Actions API returns them; requesting them is refused.
    Always,
    /// The same, without zeros.
    UnlessZero,
}

pub(super) fn page_request(kind: &Kind, request: &ApiRequest) -> Result<PageRequest, ApiResponse> {
    let wants_checkpoint = request.query_parameter("take").is_some() || request.query_parameter("from").is_some();
    let is_child = kind.parent().is_some();
    let (field, longest, deepest, checkpoint) = match kind.paths.paging {
        Paging::Whole => return Ok(PageRequest::Whole),
        Paging::In { field } => return Ok(PageRequest::In(field)),
        Paging::Counted { field, .. } if request.query_parameter("include_totals").is_none() => (field, MAX_PAGE, usize::MAX, false),
        Paging::Counted { .. } => {
            return Err(ApiResponse::refusal(
                400,
                "Query validation error: 'Additional properties not allowed: include_totals'.",
                Some("invalid_query_string"),
            ));
        }
        Paging::Offset { field, or_checkpoint, .. } => (field, MAX_PAGE, usize::MAX, or_checkpoint && wants_checkpoint),
        Paging::Checkpoint { field, size } => (field, size, MAX_OFFSET, wants_checkpoint || is_child),
    };
    if checkpoint {
        let from = request
            .query_parameter("from")
            .map(|cursor| decode_cursor(cursor).ok_or_else(|| ApiResponse::invalid_paging("The 'from' parameter is invalid.")));
        return Ok(PageRequest::Checkpoint {
            field,
            from: from.transpose()?,
            size: request.numeric_parameter("take").unwrap_or(DEFAULT_PAGE).clamp(1, longest),
        });
    }
    offset_request(kind, request, field, deepest)
}

/// Reads `page` and `per_page`; records from `deepest` on are refused.
fn offset_request(kind: &Kind, request: &ApiRequest, field: &'static str, deepest: usize) -> Result<PageRequest, ApiResponse> {
    let (page, size) =
        (request.numeric_parameter("page").unwrap_or(0), request.numeric_parameter("per_page").unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE));
    if page.saturating_add(1).saturating_mul(size) > deepest {
        return Err(ApiResponse::invalid_paging(&format!(
            "You can only page through the first {deepest} records. Use checkpoint pagination."
        )));
    }
    let totals = match kind.paths.paging {
        // Recorded lists of modules include zeros; those of actions and bindings do not.
        Paging::Counted { .. } if kind.name == "action-modules" => Totals::Always,
        Paging::Counted { .. } => Totals::UnlessZero,
        _ if request.query_parameter("include_totals") == Some("true") => Totals::Asked,
        _ => Totals::None,
    };
    Ok(PageRequest::Offset { field, start: page * size, size, totals })
}

pub(super) fn page_response(page_request: &PageRequest, page: Vec<Value>, total: usize, next: Option<String>) -> ApiResponse {
    let body = match page_request {
        PageRequest::Whole | PageRequest::Offset { totals: Totals::None, .. } => Value::Array(page),
        PageRequest::In(field) => json!({*field: page}),
        PageRequest::Offset { field, start, size, totals: Totals::Always } => {
            json!({"total": total, "page": start / size, "per_page": size, *field: page})
        }
        PageRequest::Offset { field, start, size, totals: Totals::UnlessZero } => {
            let mut body = json!({"per_page": size, *field: page});
            for (name, figure) in [("total", total), ("page", start / size)].into_iter().filter(|(_, figure)| *figure > 0) {
                body[name] = figure.into();
            }
            body
        }
        PageRequest::Offset { field, start, size, .. } => json!({"total": total, "start": start, "limit": size, *field: page}),
        PageRequest::Checkpoint { field, .. } => {
            let mut body = json!({*field: page});
            if let Some(next) = next {
                body["next"] = encode_cursor(&next).into();
            }
            body
        }
    };
    ApiResponse::new(200, body)
}

/// Cursors look like the server's: long, opaque, and invalid unless they are percent-encoded in the next query.
fn encode_cursor(plain: &str) -> String {
    let mut sealed = "Fe26.2**".to_owned();
    for byte in plain.bytes() {
        sealed.push(char::from(HEX[usize::from(byte >> 4)]));
        sealed.push(char::from(HEX[usize::from(byte & 15)]));
    }
    sealed + "*+/=="
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn decode_cursor(sealed: &str) -> Option<String> {
    let hex = sealed.strip_prefix("Fe26.2**")?.strip_suffix("*+/==")?;
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect();
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_valid_only_if_it_is_encoded() {
        let sealed = encode_cursor("[false,\"ü\",3]");
        assert_eq!(decode_cursor(&sealed).as_deref(), Some("[false,\"ü\",3]"));
        let plain = crate::sandbox::http::request::parse_form(&format!("from={sealed}"));
        assert_eq!(decode_cursor(&plain[0].1), None);
    }
}
