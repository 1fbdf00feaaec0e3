//! Renders a document as one self-contained HTML page: it loads nothing, and only its own script may run.
//!
//! ```text
//! mod.rs        the page: its head, what it says first, and its sections in order
//! overview.rs   source and target, and bars of counts
//! review.rs     what to review first
//! changes.rs    the changes by kind, with their fields side by side
//! lists.rs      everything else: messages, steps, names
//! text.rs       names, signs and classes
//! page.css      the style, light and dark, for screens and paper
//! page.js       filter, folding and keyboard; without it, the page is complete
//! ```
//!
//! Every text is escaped by maud, and control characters are visible: nothing here may use `PreEscaped` but the style
//! and the script.

mod changes;
mod lists;
mod overview;
mod review;
#[cfg(test)]
mod tests;
mod text;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use self::text::{Shown, risk, tone};
use super::document::{Closing, Content, Document, Fold, Section, meaning_of_placeholders};
use super::format::number;
use crate::catalog::risk::RiskClass;
use crate::model::event::Operation;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

impl Document<'_> {
    /// Renders the document as HTML.
    pub(in crate::report) fn to_html(&self) -> String {
        let (heading, lead) = self.file_heading();
        let sections = html! { @for section in &self.sections { (self::section(section)) } };
        let meaning = meaning_of_placeholders(&sections.0);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta http-equiv="Content-Security-Policy" content=(policy());
                    meta name="referrer" content="no-referrer";
                    meta name="color-scheme" content="light dark";
                    title { (Shown(&heading)) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#main" { "Skip to the changes" }
                    header.top {
                        h1 { (Shown(&heading)) }
                        @if let Some(lead) = lead { p.lead.(tone(lead.tone)) { (Shown(&lead.text)) } }
                        (overview::overview(self))
                        (closing(&self.closing))
                    }
                    (tools(self))
                    main #main { (sections) @if let Some(meaning) = meaning { p.quiet { (Shown(&meaning)) } } }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string() + "\n"
    }
}

/// Returns the policy of the page: nothing is loaded, and only this style and this script apply.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!("default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'", hash(STYLE), hash(SCRIPT))
}

fn closing(closing: &[Closing<'_>]) -> Markup {
    html! {
        @for one in closing {
            @match one {
                Closing::Refusals(refusals) => {
                    div.refused {
                        @for refusal in *refusals {
                            p { strong { "Refused: " (refusal.guard) } " " (Shown(&refusal.message)) }
                        }
                    }
                }
                Closing::Next(next) => p.next { code { (Shown(next)) } },
                Closing::Approve { command, is_interactive } => {
                    div.next {
                        p { (if *is_interactive { "At a terminal, this approves what you have reviewed:" } else { "To approve what you have reviewed:" }) }
                        pre { code { (Shown(command)) } }
                    }
                }
                Closing::Aside(_) => {}
            }
        }
    }
}

/// The filter and the buttons, which only the script shows.
fn tools(document: &Document<'_>) -> Markup {
    let entries: Vec<_> =
        document.sections.iter().filter_map(|section| section.content.kinds()).flatten().flat_map(|kind| &kind.entries).collect();
    let operations = [Operation::Create, Operation::Update, Operation::Delete];
    let risks = [RiskClass::Lockout, RiskClass::Weakened, RiskClass::Widened];
    let chip = |group: &str, value: &str, label: &str| {
        html! { button.chip type="button" aria-pressed="false" data-group=(group) data-value=(value) { (label) } }
    };
    html! {
        div.tools #tools role="search" aria-label="Filter" hidden {
            label.filter {
                span.quiet { "Filter" }
                input #filter type="search" autocomplete="off" spellcheck="false" placeholder="name, field or value" aria-keyshortcuts="/";
            }
            div.chips {
                @for class in risks {
                    @if entries.iter().any(|entry| entry.class == class || entry.fields.iter().any(|line| line.class == class)) {
                        (chip("risk", risk(class).1, risk(class).0))
                    }
                }
                @for operation in operations {
                    @if entries.iter().any(|entry| entry.operation == operation) { (chip("operation", operation.as_str(), operation.as_str())) }
                }
            }
            div.fold {
                button.plain #expand type="button" { "Expand all" }
                button.plain #collapse type="button" { "Collapse all" }
            }
            p.quiet #shown role="status" {}
        }
    }
}

fn section(section: &Section<'_>) -> Markup {
    let body = match &section.content {
        Content::Kinds(kinds) => changes::kinds(kinds),
        Content::Review(items) => review::items(items),
        other => lists::list(other),
    };
    let entries = number(section.content.len());
    let Some(heading) = section.file_heading() else { return html! { section { (body) } } };
    if section.fold == Fold::Whole && !section.is_minor() {
        return html! { section data-block { h2 { (Shown(heading)) " " span.count { (entries) } } (body) } };
    }
    html! {
        details.section data-block { summary { h2 { (Shown(heading)) " " span.count { (entries) } } } (body) }
    }
}
