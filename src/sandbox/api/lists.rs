//! Lists: pages by offset, pages by checkpoint, filters, and the fields asked for.

use serde_json::{Value, json};

use crate::catalog::{Kind, Paging, Shape};
use crate::json::Body;
use crate::sandbox::behaviour::api_history;
use crate::sandbox::behaviour::registry::{Habit, behaviour_of};
use crate::sandbox::http::request::Call;
use crate::sandbox::http::response::Answer;
use crate::sandbox::store::state::{State, bare};
use crate::sandbox::store::table::Place;

/// The longest page by offset.
const MOST: usize = 100;
/// The page length where none is asked for.
const USUAL: usize = 50;
/// How deep pages by offset lead where checkpoints are the way: Auth0 refuses what lies behind.
const DEEPEST: usize = 1000;

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// All of it, bare.
    Whole,
    /// All of it, in a field.
    In(&'static str),
    /// One page by number.
    Offset { field: &'static str, start: usize, size: usize, totals: Totals },
    /// What follows a checkpoint.
    Checkpoint { field: &'static str, from: Option<String>, size: usize },
}

/// What a page by number tells beside its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Totals {
    /// Nothing: it is bare.
    None,
    /// `start`, `limit` and `total`.
    Asked,
    /// `page`, `per_page` and `total`, as the Actions API tells them; asking for them is refused.
    Always,
    /// The same, but for zeros.
    UnlessZero,
}

fn part(kind: &Kind, call: &Call) -> Result<Part, Answer> {
    let wants_checkpoint = call.asked("take").is_some() || call.asked("from").is_some();
    let is_child = kind.parent().is_some();
    let (field, longest, deepest, checkpoint) = match kind.paging {
        Paging::Whole => return Ok(Part::Whole),
        Paging::In { field } => return Ok(Part::In(field)),
        Paging::Counted { field, .. } if call.asked("include_totals").is_none() => (field, MOST, usize::MAX, false),
        Paging::Counted { .. } => {
            return Err(Answer::refusal(
                400,
                "Query validation error: 'Additional properties not allowed: include_totals'.",
                Some("invalid_query_string"),
            ));
        }
        Paging::Offset { field, or_checkpoint, .. } => (field, MOST, usize::MAX, or_checkpoint && wants_checkpoint),
        Paging::Checkpoint { field, size } => (field, size, DEEPEST, wants_checkpoint || is_child),
    };
    if checkpoint {
        let from =
            call.asked("from").map(|cursor| open_cursor(cursor).ok_or_else(|| Answer::invalid_paging("The 'from' parameter is invalid.")));
        return Ok(Part::Checkpoint { field, from: from.transpose()?, size: call.number("take").unwrap_or(USUAL).clamp(1, longest) });
    }
    let (page, size) = (call.number("page").unwrap_or(0), call.number("per_page").unwrap_or(USUAL).clamp(1, MOST));
    if page.saturating_add(1).saturating_mul(size) > deepest {
        return Err(Answer::invalid_paging(&format!("You can only page through the first {deepest} records. Use checkpoint pagination.")));
    }
    let totals = match kind.paging {
        // Recorded lists of modules tell zeros, those of actions and of bindings do not.
        Paging::Counted { .. } if kind.name == "action-modules" => Totals::Always,
        Paging::Counted { .. } => Totals::UnlessZero,
        _ if call.asked("include_totals") == Some("true") => Totals::Asked,
        _ => Totals::None,
    };
    Ok(Part::Offset { field, start: page * size, size, totals })
}

impl State {
    /// Answers a list of a collection.
    pub(crate) fn list(&self, kind: &'static Kind, parent: Option<&str>, call: &Call, sees_keys: bool) -> Result<Answer, Answer> {
        let part = part(kind, call)?;
        let mut filters = filters(kind, call);
        if let (Some(field), Some(parent)) = (kind.parent_field(), parent) {
            filters.push((field.to_owned(), vec![parent.to_owned()]));
        }
        let shown = |body: &Body| {
            let shown = self.shown(kind, body, call, sees_keys);
            let mut shown = if kind.is_summarised { summary(kind, shown) } else { shown };
            (behaviour_of(kind.name).told_in_lists)(body, &mut shown);
            shown
        };
        // The one filter of every list call is answered by the order itself.
        let leaves_out_last = filters == [("global".to_owned(), vec!["false".to_owned()])];
        let filters = if leaves_out_last { &[][..] } else { &filters };
        let passes = |body: &Body| filters.iter().all(|(field, wanted)| holds(body, field, wanted));
        let after = match &part {
            Part::Checkpoint { from: Some(cursor), .. } => Some(read_place(cursor)?),
            _ => None,
        };
        let Some(table) = self.tables.get(kind.name) else { return Ok(page_of(&part, Vec::new(), 0, None)) };
        let mut rows = table.listed(after.as_ref(), !leaves_out_last).filter(|(_, body)| passes(body));
        let answer = match &part {
            Part::Whole | Part::In(_) => {
                let presets = self.presets.get(kind.name).into_iter().flatten().cloned();
                page_of(&part, rows.map(|(_, body)| shown(body)).chain(presets).collect(), 0, None)
            }
            Part::Offset { start, size, .. } => {
                let page = rows.by_ref().skip(*start).take(*size).map(|(_, body)| shown(body)).collect();
                let total = match (leaves_out_last, filters.is_empty()) {
                    (true, _) => table.ordinary(),
                    (false, true) => table.len(),
                    (false, false) => table.listed(None, true).filter(|(_, body)| passes(body)).count(),
                };
                page_of(&part, page, total, None)
            }
            Part::Checkpoint { size, .. } => {
                let page: Vec<(&Place, &Body)> = rows.by_ref().take(*size).collect();
                let next = page.last().filter(|_| rows.next().is_some()).map(|(place, _)| write_place(place));
                page_of(&part, page.into_iter().map(|(_, body)| shown(body)).collect(), 0, next)
            }
        };
        Ok(answer)
    }

    /// Returns a resource as a read shows it to a token, with the fields that were asked for.
    pub(crate) fn shown(&self, kind: &'static Kind, body: &Body, call: &Call, sees_keys: bool) -> Value {
        let mut shown = self.told(kind, body, sees_keys);
        for path in behaviour_of(kind.name).unread {
            shown.take(path);
        }
        if let Some(fields) = call.asked("fields") {
            let fields: Vec<&str> = fields.split(',').collect();
            let includes = call.asked("include_fields") != Some("false");
            shown.0.retain(|name, _| fields.contains(&name.as_str()) == includes);
        }
        hidden(kind, bare(kind, &shown))
    }

    /// Returns a resource as any answer tells of it: without keys the token may not see, with the children it lists.
    pub(crate) fn told(&self, kind: &'static Kind, body: &Body, sees_keys: bool) -> Body {
        let mut told = body.clone();
        let habit: &Habit = behaviour_of(kind.name);
        if !sees_keys {
            for name in habit.hidden {
                told.0.remove(*name);
            }
        }
        for (field, child) in habit.listed.iter().filter(|(field, _)| api_history::fills(kind.name, field, self.day())) {
            let id = body.text(kind.id).unwrap_or_default();
            let list = self.children.get(child).and_then(|lists| lists.get(id));
            if let (Some(list), Some(name)) = (list, self.name_in_list(child)) {
                told.set(field, list.iter().map(|element| element[name].clone()).collect());
            }
        }
        told
    }

    /// Takes out of what was sent the lists of children that a resource was once written with.
    ///
    /// # Errors
    ///
    /// The refusal of a field that ended on the day the tenant is played on.
    pub(crate) fn take_listed(&self, kind: &Kind, sent: &mut Body) -> Result<Vec<(&'static str, Vec<Value>)>, Answer> {
        let listed = behaviour_of(kind.name).listed.iter().filter(|(field, _)| api_history::fills(kind.name, field, self.day()));
        let taken = listed.filter_map(|(field, child)| {
            let name = self.name_in_list(child)?;
            let Value::Array(list) = sent.0.remove(*field)? else { return None };
            Some((*child, list.into_iter().map(|value| json!({name: value})).collect()))
        });
        let taken = taken.collect();
        let ended = behaviour_of(kind.name).listed.iter().find(|(field, _)| sent.0.contains_key(*field));
        ended.map_or(Ok(taken), |(field, _)| Err(Answer::invalid_body(&format!("'Additional properties not allowed: {field}'"))))
    }

    /// Returns the field by which an element of a child names what it stands for.
    fn name_in_list(&self, child: &str) -> Option<&'static str> {
        let reference = self.catalog.kind(child)?.references.first()?;
        reference.path.split_once("[].").map(|(_, name)| name)
    }

    /// Returns the page of a list that an object holds, where such lists have pages; the object itself where they have none.
    ///
    /// # Errors
    ///
    /// The refusal of what was asked for.
    pub(crate) fn paged_within(kind: &'static Kind, shown: Value, call: &Call) -> Result<Value, Answer> {
        let (Shape::Keyed { .. }, Paging::Counted { field, .. }) = (kind.shape, kind.paging) else { return Ok(shown) };
        let list = shown[field].as_array().cloned().unwrap_or_default();
        Self::list_child(kind, &list, call).map(|page| page.body)
    }

    /// Answers the list of a child.
    pub(crate) fn list_child(kind: &'static Kind, list: &[Value], call: &Call) -> Result<Answer, Answer> {
        let part = part(kind, call)?;
        Ok(match &part {
            Part::Whole | Part::In(_) => page_of(&part, list.to_vec(), 0, None),
            Part::Offset { start, size, .. } => page_of(&part, list.iter().skip(*start).take(*size).cloned().collect(), list.len(), None),
            Part::Checkpoint { from, size, .. } => {
                let start = from.as_deref().map_or(Some(0), |cursor| cursor.parse().ok());
                let start: usize = start.ok_or_else(|| Answer::invalid_paging("The 'from' parameter is invalid."))?;
                let end = start.saturating_add(*size);
                let next = (end < list.len()).then(|| end.to_string());
                page_of(&part, list.iter().skip(start).take(*size).cloned().collect(), 0, next)
            }
        })
    }
}

fn page_of(part: &Part, page: Vec<Value>, total: usize, next: Option<String>) -> Answer {
    let body = match part {
        Part::Whole | Part::Offset { totals: Totals::None, .. } => Value::Array(page),
        Part::In(field) => json!({*field: page}),
        Part::Offset { field, start, size, totals: Totals::Always } => {
            json!({"total": total, "page": start / size, "per_page": size, *field: page})
        }
        Part::Offset { field, start, size, totals: Totals::UnlessZero } => {
            let mut body = json!({"per_page": size, *field: page});
            for (name, figure) in [("total", total), ("page", start / size)].into_iter().filter(|(_, figure)| *figure > 0) {
                body[name] = figure.into();
            }
            body
        }
        Part::Offset { field, start, size, .. } => json!({"total": total, "start": start, "limit": size, *field: page}),
        Part::Checkpoint { field, .. } => {
            let mut body = json!({*field: page});
            if let Some(next) = next {
                body["next"] = seal_cursor(&next).into();
            }
            body
        }
    };
    Answer::new(200, body)
}

/// Returns the fields that the query filters by, each with the values that pass.
fn filters(kind: &'static Kind, call: &Call) -> Vec<(String, Vec<String>)> {
    let habit = behaviour_of(kind.name);
    let mut filters: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in &call.query {
        let renamed = habit.filters.iter().find(|(parameter, _)| parameter == name).map(|(_, field)| *field);
        let Some(field) = renamed.or_else(|| kind.fields().get(name).map(|field| field.name)) else { continue };
        let separator = if habit.comma_separated.contains(&name.as_str()) { "," } else { "\n" };
        let wanted = value.split(separator).map(str::to_owned);
        match filters.iter_mut().find(|(known, _)| known == field) {
            Some((_, values)) => values.extend(wanted),
            None => filters.push((field.to_owned(), wanted.collect())),
        }
    }
    filters
}

fn holds(body: &Body, field: &str, wanted: &[String]) -> bool {
    let is_wanted = |text: &str| wanted.iter().any(|value| value == text);
    match body.get(field) {
        None | Some(Value::Null) => is_wanted("false"),
        Some(Value::String(text)) => is_wanted(text),
        Some(value) => is_wanted(&value.to_string()),
    }
}

/// Takes out of an answer what can never be read back.
pub(crate) fn hidden(kind: &Kind, mut told: Value) -> Value {
    for path in behaviour_of(kind.name).write_only.iter().chain(kind.write_only) {
        if let Value::Object(fields) = &mut told {
            let mut body = Body(std::mem::take(fields));
            body.take(path);
            told = body.into_value();
        }
    }
    told
}

/// Returns what a list that is only a summary shows of a resource: no objects and no lists.
fn summary(kind: &Kind, shown: Value) -> Value {
    match shown {
        Value::Object(fields) => {
            let is_plain = |name: &str, value: &Value| !(value.is_object() || value.is_array()) || kind.fields().get(name).is_none();
            Value::Object(fields.into_iter().filter(|(name, value)| is_plain(name, value)).collect())
        }
        other => other,
    }
}

/// Cursors look like the sealed ones of the server: long, opaque, and broken where they are not encoded in the next query.
fn seal_cursor(plain: &str) -> String {
    let mut sealed = "Fe26.2**".to_owned();
    for byte in plain.bytes() {
        sealed.push(char::from(HEX[usize::from(byte >> 4)]));
        sealed.push(char::from(HEX[usize::from(byte & 15)]));
    }
    sealed + "*+/=="
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn open_cursor(sealed: &str) -> Option<String> {
    let hex = sealed.strip_prefix("Fe26.2**")?.strip_suffix("*+/==")?;
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect();
    String::from_utf8(bytes?).ok()
}

fn write_place(place: &Place) -> String {
    json!([place.last, place.by, place.born]).to_string()
}

fn read_place(cursor: &str) -> Result<Place, Answer> {
    let read: Result<(bool, String, u64), _> = serde_json::from_str(cursor);
    read.map(|(last, by, born)| Place { last, by, born }).map_err(|_| Answer::invalid_paging("The 'from' parameter is invalid."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_only_when_it_is_encoded() {
        let sealed = seal_cursor("[false,\"ü\",3]");
        assert_eq!(open_cursor(&sealed).as_deref(), Some("[false,\"ü\",3]"));
        let plain = crate::sandbox::http::request::read_form(&format!("from={sealed}"));
        assert_eq!(open_cursor(&plain[0].1), None);
    }
}
