//! The overview of a page: source and target, and bars of counts that one can look at instead of reading.

use maud::{Markup, html};

use super::text::{Shown, risk};
use crate::report::document::Document;
use crate::report::format::number;
use crate::report::head::{Head, risk_counts};
use crate::report::kind_changes::OperationCounts;

/// The width of a bar in its own units.
const WIDTH: usize = 1_000;

/// A part of a bar.
struct Segment {
    /// Its class in the style.
    class: &'static str,
    count: usize,
    label: String,
}

impl Segment {
    fn new(class: &'static str, count: usize, label: &str) -> Self {
        Self { class, count, label: format!("{} {label}", number(count)) }
    }
}

/// Renders facts, bars and the kinds.
pub(super) fn overview(document: &Document<'_>) -> Markup {
    let head = document.head.as_ref().or(document.overview.as_ref());
    html! {
        dl.facts {
            @for [label, name, remark] in head.iter().flat_map(|head| &head.sides) {
                div { dt { (Shown(label)) } dd { (Shown(name)) @if !remark.is_empty() { " " span.quiet { (Shown(remark)) } } } }
            }
            @for (name, fact) in &document.facts { div { dt { (name) } dd { (Shown(fact)) } } }
            @if let Some(cost) = head.and_then(|head| head.cost.as_ref()) { div { dt { "cost" } dd { (Shown(cost)) } } }
        }
        @if let Some(head) = head { (bars(head)) }
    }
}

fn bars(head: &Head) -> Markup {
    let total = head.kinds.iter().fold(OperationCounts::default(), |total, (_, counts)| OperationCounts {
        create: total.create + counts.create,
        update: total.update + counts.update,
        delete: total.delete + counts.delete,
    });
    let risks: Vec<Segment> =
        risk_counts(head.risks).into_iter().map(|(class, count)| Segment::new(risk(class).1, count, risk(class).0)).collect();
    let outcomes: Vec<Segment> = head.outcomes.iter().map(|(class, count, label)| Segment::new(class, *count, label)).collect();
    html! {
        div.bars {
            (bar("Outcome", &outcomes))
            @if outcomes.is_empty() { (bar("Resources", &operations(total))) }
            (bar("Risk of edits", &risks))
        }
        @if !head.size.is_empty() { p.size { (Shown(&head.size)) } }
        @if head.kinds.len() > 1 { (kinds(head)) }
    }
}

fn operations(counts: OperationCounts) -> Vec<Segment> {
    vec![
        Segment::new("create", counts.create, "create"),
        Segment::new("update", counts.update, "update"),
        Segment::new("delete", counts.delete, "delete"),
    ]
}

/// Renders a bar with its legend, unless all counts are zero.
fn bar(title: &str, segments: &[Segment]) -> Markup {
    let segments: Vec<&Segment> = segments.iter().filter(|segment| segment.count > 0).collect();
    if segments.is_empty() {
        return html! {};
    }
    let total = segments.iter().map(|segment| segment.count).sum();
    html! {
        figure.bar {
            figcaption { (title) }
            (strip(&segments, total))
            ul.legend { @for segment in &segments { li.(segment.class) { (segment.label) } } }
        }
    }
}

/// Renders the coloured strip of a bar of which the whole width is `most`.
fn strip(segments: &[&Segment], most: usize) -> Markup {
    let mut from = 0;
    let rects = segments.iter().map(|segment| {
        // Even one of thousands is visible.
        let width = (segment.count * WIDTH / most.max(1)).max(6);
        let at = from;
        from += width;
        (segment.class, at, width)
    });
    let rects: Vec<(&str, usize, usize)> = rects.collect();
    let whole = WIDTH.max(rects.iter().map(|(_, at, width)| at + width).max().unwrap_or_default());
    let labels = segments.iter().map(|segment| segment.label.as_str()).collect::<Vec<_>>().join(", ");
    html! {
        svg viewBox=(format!("0 0 {whole} 10")) preserveAspectRatio="none" role="img" aria-label=(labels) {
            @for (class, at, width) in rects { rect.(class) x=(at) y="0" width=(width) height="10" {} }
        }
    }
}

fn kinds(head: &Head) -> Markup {
    let total = |counts: &OperationCounts| counts.create + counts.update + counts.delete;
    let most = head.kinds.iter().map(|(_, counts)| total(counts)).max().unwrap_or_default();
    html! {
        details.kinds open[head.kinds.len() <= MANY] {
            summary { "By kind " span.count { (number(head.kinds.len())) } }
            ul {
                @for (title, counts) in &head.kinds {
                    @let segments = operations(*counts);
                    @let segments = segments.iter().filter(|segment| segment.count > 0).collect::<Vec<_>>();
                    li { span.kind { (title) } (strip(&segments, most)) span.number { (number(total(counts))) } }
                }
            }
        }
    }
}

/// The number of kinds up to which they are shown at once.
const MANY: usize = 12;
