//! The lists of a page: messages, steps, names and everything else that is no change.

use maud::{Markup, html};

use super::changes::{Sides, edit};
use super::text::{Shown, name, sign};
use crate::apply::{AlteredValue, ChangeResult};
use crate::model::event::Operation;
use crate::model::resource::Key;
use crate::plan::Plan;
use crate::report::document::{Content, ResourceMessage};
use crate::report::due_steps::DueStep;
use crate::report::format::{changed_by, count, named, number};
use crate::report::shown_edit::ShownEdit;
use crate::report::table::Table;
use crate::report::text::conflict_sides;

/// Renders content that is no change.
pub(super) fn list(content: &Content<'_>) -> Markup {
    match content {
        Content::Line(line) => html! { p.quiet { (Shown(line)) } },
        Content::Lines(lines) => self::lines(lines),
        Content::Notes(notes) => self::lines(notes),
        Content::Rows(table) => self::table(table),
        Content::Messages(messages) => self::messages(messages),
        Content::Steps(steps) => self::steps(steps),
        Content::Conflicts(plan) => self::conflicts(plan),
        Content::Altered(altered) => self::altered(altered),
        Content::Keys(kinds) => self::keys(kinds),
        Content::Resources(keys) => html! { ul.messages { @for key in *keys { li data-entry { (name(&named(key))) } } } },
        Content::Fields(kinds) => {
            html! { ul.messages { @for (kind, paths) in kinds { li data-entry { strong { (Shown(kind)) } p { code { (Shown(paths)) } } } } } }
        }
        Content::Rules(rules) => {
            let lines = rules.iter().flat_map(|rule| ["[[rule]]", &rule.resource, &rule.field, &rule.action]);
            html! { pre { code { @for line in lines { (Shown(line)) "\n" } } } }
        }
        Content::Faults(faults) => {
            html! { ul.messages { @for (fault, times) in *faults { li { strong { (Shown(fault)) } " " (count(*times, "time")) } } } }
        }
        Content::Kinds(_) | Content::Review(_) => html! {},
    }
}

fn lines(lines: &[String]) -> Markup {
    html! { ul.messages { @for line in lines { li data-entry { (Shown(line)) } } } }
}

fn table(table: &Table) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table" {
            table {
                thead { tr { @for title in table.head() { th scope="col" { (Shown(title)) } } } }
                tbody { @for row in table.rows() { tr { @for cell in row { td { (Shown(cell)) } } } } }
            }
        }
    }
}

fn messages(messages: &[ResourceMessage<'_>]) -> Markup {
    html! {
        ul.messages {
            @for ResourceMessage { key, operation, path, text } in messages {
                li data-entry data-operation=[operation.map(Operation::as_str)] {
                    p {
                        @if let Some(operation) = operation {
                            span.sign.(operation.as_str()) aria-hidden="true" { (sign(*operation)) }
                            span.operation { (operation.as_str()) " " }
                        }
                        strong { (name(&named(key))) }
                        @if let Some(path) = path { " " code.path { (Shown(path)) } }
                    }
                    p { (Shown(text)) }
                }
            }
        }
    }
}

fn steps(steps: &[DueStep]) -> Markup {
    html! {
        ol.steps { @for DueStep { step, .. } in steps { li data-entry { p { strong { (name(&named(&step.key))) } } p { (Shown(&step.step)) } } } }
    }
}

fn conflicts(plan: &Plan) -> Markup {
    html! {
        ul.messages {
            @for conflict in &plan.conflicts {
                li data-entry {
                    p {
                        strong { (name(&named(&conflict.key))) } " " code.path { (Shown(&conflict.path)) }
                        span.quiet { (changed_by(conflict.changed_by.as_ref(), "changed in the target")) }
                    }
                    @for (tenant, shown) in conflict_sides(plan, conflict) {
                        p.label { "Changed in " (Shown(tenant)) }
                        (edit(&shown, Sides::Drifted))
                    }
                }
            }
        }
    }
}

fn altered(altered: &[(&ChangeResult, &AlteredValue)]) -> Markup {
    let shown = |result: &ChangeResult, altered: &AlteredValue| {
        ShownEdit::new(Some(result.key.kind()), &altered.path, (altered.sent.as_ref(), altered.answered.as_ref()))
    };
    html! {
        ul.messages {
            @for (result, altered) in altered {
                li data-entry {
                    p { strong { (name(&named(&result.key))) } " " code.path { (Shown(&altered.path)) } }
                    (edit(&shown(result, altered), Sides::Altered))
                }
            }
        }
    }
}

fn keys(kinds: &[(&str, Vec<&Key>)]) -> Markup {
    html! {
        @for (kind, keys) in kinds {
            div data-block {
                p { strong { (kind) } " " span.count { (number(keys.len())) } }
                ul.names { @for key in keys { li data-entry { (name(if key.name().is_empty() { kind } else { key.name() })) } } }
            }
        }
    }
}
