//! What to review first, on a page: every edit that needs approval, and possible mistakes, one card each.

use maud::{Markup, html};

use super::changes::{Sides, edit};
use super::text::{Shown, name};
use crate::report::review::{ReviewItem, ReviewLabel, ReviewedValue, legend};

/// Renders what to review first.
pub(super) fn items(items: &[ReviewItem<'_>]) -> Markup {
    let legend = legend(items).join("; ");
    html! {
        @if !legend.is_empty() { p.quiet { (legend) } }
        ol.review {
            @for item in items { (self::item(item)) }
        }
    }
}

fn item(item: &ReviewItem<'_>) -> Markup {
    let class = class(item.label);
    html! {
        li.(class) data-entry data-risk=(class) data-operation="" {
            p {
                span.badge.(class) { (item.label.to_string()) } " "
                strong { (Shown(&name(&item.resource(usize::MAX)))) } " "
                @if !item.path().is_empty() { code.path { (Shown(item.path())) } }
            }
            @match item.reviewed() {
                ReviewedValue::Edit(shown) => (edit(&shown, Sides::Planned)),
                ReviewedValue::Text(text) => @if !text.is_empty() { p.value { (Shown(&text)) } },
            }
        }
    }
}

/// Returns the class of a label in the style.
fn class(label: ReviewLabel) -> &'static str {
    match label {
        ReviewLabel::Lockout => "lockout",
        ReviewLabel::Weakened => "weakened",
        ReviewLabel::Delete => "data-loss",
        ReviewLabel::Check | ReviewLabel::Rule | ReviewLabel::Host | ReviewLabel::Scope => "remark",
    }
}
