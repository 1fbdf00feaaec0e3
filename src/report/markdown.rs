//! Renders a document as Markdown that fits into a pull-request comment.
//!
//! Text of a tenant is only ever inside fenced blocks, where nothing is a link, a mention, a tag or a cell; changes are
//! in `diff` blocks, which have colours. What exceeds the limit of a comment is left out, with a sentence that says so.

use super::document::{Closing, Content, Document, Fold, Section, meaning_of_placeholders};
use super::format::{count, named, number, printable};
use super::head::{Head, risk_parts};
use super::kind_changes::{KindChanges, OperationCounts};
use super::markdown_diff::{altered, conflicts, entries, review};
use super::plan_text::kind_summary;
use crate::plan::refusal::Refusal;

/// The maximum number of characters of a comment on GitHub.
const MOST: usize = 65_536;
/// The number of characters kept free for the sentence about what is left out.
const FOR_REST: usize = 2_000;

/// A fenced block, with what precedes and follows it.
struct Block {
    /// The heading of the section, if the block is its first.
    heading: Option<String>,
    /// The title, if the block is folded.
    folded: Option<String>,
    /// The name of the block in a sentence.
    name: String,
    /// The language of the block.
    language: &'static str,
    /// The lines.
    lines: Vec<String>,
}

impl Document<'_> {
    /// Renders the document as Markdown.
    pub(super) fn to_markdown(&self) -> String {
        let mut out = opening(self);
        let blocks: Vec<Block> = self.sections.iter().flat_map(blocks).collect();
        let mut left_out = Vec::new();
        for block in blocks {
            let rendered = block.text(&block.lines);
            if size(&out) + size(&rendered) + FOR_REST <= MOST {
                out += &rendered;
            } else {
                left_out.push(cut(&block, &mut out));
            }
        }
        if !left_out.is_empty() {
            out += &rest(&left_out);
        }
        let meaning = meaning_of_placeholders(&out).map(|meaning| format!("\n{meaning}\n")).unwrap_or_default();
        out + &meaning
    }
}

fn size(text: &str) -> usize {
    text.chars().count()
}

/// Adds the lines of a block that fit, and returns what is left out.
fn cut(block: &Block, out: &mut String) -> String {
    let frame = size(&block.text(&[]));
    let mut room = MOST.saturating_sub(FOR_REST + size(out) + frame);
    let fitting = block.lines.iter().take_while(|line| {
        let needed = size(line) + 1;
        let fits = needed <= room;
        room = room.saturating_sub(needed);
        fits
    });
    let shown = fitting.count();
    if shown == 0 {
        return format!("{} ({})", block.name, count(block.lines.len(), "line"));
    }
    *out += &block.text(&block.lines[..shown]);
    format!("{} of {}", count(block.lines.len() - shown, "line"), block.name)
}

/// Returns the sentence about what is left out.
fn rest(left_out: &[String]) -> String {
    const FEW: usize = 20;
    let more = left_out.len().saturating_sub(FEW);
    let more = if more > 0 { format!(" and {}", count(more, "more block")) } else { String::new() };
    let listed = left_out.iter().take(FEW).map(|name| escaped(name)).collect::<Vec<_>>().join(", ");
    format!(
        "\n**Cut at {} characters, the limit of a comment.** Left out: {listed}{more}. The other formats of this report have everything.\n",
        number(MOST)
    )
}

/// Renders everything before the sections.
fn opening(document: &Document<'_>) -> String {
    let (heading, lead) = document.file_heading();
    let head = document.head.as_ref().or(document.overview.as_ref());
    let sides = head.iter().flat_map(|head| &head.sides);
    let sides = sides.map(|[label, name, remark]| format!("- {label}: {}\n", code(&format!("{name} {remark}"))));
    let facts = document.facts.iter().map(|(name, fact)| format!("- {name}: {}\n", code(fact)));
    let title = std::iter::once(format!("# {}\n\n", escaped(&heading)));
    let lead = lead.into_iter().map(|lead| format!("{}\n\n", escaped(&lead.text)));
    let counts = head.into_iter().map(self::head);
    title.chain(lead).chain(sides).chain(facts).chain(counts).chain(document.closing.iter().map(closing)).collect()
}

fn closing(closing: &Closing<'_>) -> String {
    let command = |command: &str| vec![printable(command).into_owned()];
    match closing {
        Closing::Refusals(refusals) => {
            let line = |refusal: &Refusal| format!("{}: {}", refusal.guard, printable(&refusal.message));
            format!("\n**Refused**\n{}", fence("text", &refusals.iter().map(line).collect::<Vec<_>>()))
        }
        Closing::Next(next) => format!("\n{}", fence("text", &command(next))),
        Closing::Approve { command: approve, .. } => format!("\nTo approve what you have reviewed:\n{}", fence("sh", &command(approve))),
        Closing::Aside(_) => String::new(),
    }
}

/// Renders the counts: by risk on a line, by kind as a table.
fn head(head: &Head) -> String {
    let risks: Vec<String> =
        risk_parts(head.risks).into_iter().map(|(is_danger, part)| if is_danger { format!("**{part}**") } else { part }).collect();
    let outcomes: Vec<String> =
        head.outcomes.iter().filter(|(_, count, _)| *count > 0).map(|(_, count, words)| format!("{} {words}", number(*count))).collect();
    let labelled = |label: &str, text: String| if text.is_empty() { text } else { format!("{label}: {text}") };
    let (risks, size) = (labelled("Edits by risk", risks.join(" · ")), labelled("Resources", head.size.clone()));
    let lines = [risks, outcomes.join(" · "), size, head.cost.clone().unwrap_or_default()];
    let lines = lines.iter().filter(|line| !line.is_empty()).map(|line| format!("\n{line}\n")).collect::<Vec<_>>().concat();
    let cells = |counts: &OperationCounts| {
        [counts.create, counts.update, counts.delete].map(|count| if count == 0 { String::new() } else { number(count) }).join(" | ")
    };
    let rows = head.kinds.iter().map(|(title, counts)| format!("| {title} | {} |\n", cells(counts))).collect::<Vec<_>>().concat();
    if rows.is_empty() { lines } else { format!("{lines}\n| kind | create | update | delete |\n|---|---:|---:|---:|\n{rows}") }
}

fn blocks(section: &Section<'_>) -> Vec<Block> {
    let heading = section.file_heading().map(str::to_owned);
    let name = heading.clone().unwrap_or_else(|| "a table".to_owned());
    let of_kinds = |kinds: &[KindChanges<'_>]| {
        let mut heading = heading.clone();
        let block = |kind: &KindChanges<'_>| Block {
            heading: heading.take(),
            folded: Some(format!("<b>{}</b>: {}", kind.heading(), kind_summary(kind))),
            name: if section.is_minor() { format!("{name}: {}", kind.title) } else { kind.title.to_owned() },
            language: "diff",
            lines: entries(kind),
        };
        kinds.iter().map(block).collect()
    };
    let whole = |language: &'static str, lines: Vec<String>| {
        let entries = number(section.content.len());
        let is_folded = section.is_minor() || section.fold != Fold::Whole;
        let folded = is_folded.then(|| format!("<b>{}</b> ({entries})", heading.as_deref().map(escaped).unwrap_or_default()));
        vec![Block { heading: heading.clone().filter(|_| !is_folded), folded, name: name.clone(), language, lines }]
    };
    match &section.content {
        Content::Kinds(kinds) => of_kinds(kinds),
        Content::Review(items) => whole("diff", review(items)),
        Content::Conflicts(plan) => whole("diff", conflicts(plan)),
        Content::Altered(altered) => whole("diff", self::altered(altered)),
        Content::Rules(rules) => {
            let lines =
                rules.iter().flat_map(|rule| ["[[rule]]".to_owned(), rule.resource.clone(), rule.field.clone(), rule.action.clone()]);
            whole("toml", lines.map(|line| printable(&line).into_owned()).collect())
        }
        other => whole("text", lines(other)),
    }
}

/// Renders content that is no change, one line an entry.
fn lines(content: &Content<'_>) -> Vec<String> {
    let lines: Vec<String> = match content {
        Content::Line(line) => vec![line.clone()],
        Content::Lines(lines) => lines.clone(),
        Content::Notes(notes) => notes.to_vec(),
        Content::Rows(table) => table.text().lines().map(str::to_owned).collect(),
        Content::Messages(messages) => {
            let line = |message: &super::document::ResourceMessage<'_>| {
                let operation = message.operation.map(|operation| format!("{operation} ")).unwrap_or_default();
                let path = message.path.map(|path| format!(", {path}")).unwrap_or_default();
                format!("{operation}{}{path}: {}", named(message.key), message.text)
            };
            messages.iter().map(line).collect()
        }
        Content::Steps(steps) => {
            let line = |(at, due): (usize, &super::due_steps::DueStep)| format!("{}. {}: {}", at + 1, named(&due.step.key), due.step.step);
            steps.iter().enumerate().map(line).collect()
        }
        Content::Keys(kinds) => {
            let name =
                |kind: &str, key: &crate::model::resource::Key| if key.name().is_empty() { kind.to_owned() } else { key.name().to_owned() };
            let line = |(kind, keys): &(&str, Vec<&crate::model::resource::Key>)| {
                format!("{kind}: {}", keys.iter().map(|key| name(kind, key)).collect::<Vec<_>>().join(", "))
            };
            kinds.iter().map(line).collect()
        }
        Content::Resources(keys) => keys.iter().map(named).collect(),
        Content::Fields(kinds) => kinds.iter().map(|(kind, paths)| format!("{kind}: {paths}")).collect(),
        Content::Faults(faults) => faults.iter().map(|(fault, times)| format!("{fault}: {}", count(*times, "time"))).collect(),
        Content::Kinds(_) | Content::Review(_) | Content::Conflicts(_) | Content::Altered(_) | Content::Rules(_) => Vec::new(),
    };
    lines.iter().map(|line| printable(line).into_owned()).collect()
}

impl Block {
    /// Renders these of its lines.
    fn text(&self, lines: &[String]) -> String {
        let heading = self.heading.as_ref().map(|heading| format!("\n## {}\n", escaped(heading))).unwrap_or_default();
        let block = fence(self.language, lines);
        match &self.folded {
            Some(title) => format!("{heading}\n<details><summary>{title}</summary>\n{block}\n</details>\n"),
            None => format!("{heading}{block}"),
        }
    }
}

/// Renders lines as a block that they cannot leave: its fence is longer than any run of backticks in them.
fn fence(language: &str, lines: &[String]) -> String {
    let fence = "`".repeat(longest_run(lines.iter().map(String::as_str)).max(2) + 1);
    let text = lines.iter().map(|line| format!("{line}\n")).collect::<Vec<_>>().concat();
    format!("\n{fence}{language}\n{text}{fence}\n")
}

/// Renders a text as a code span that it cannot leave.
fn code(text: &str) -> String {
    let text = printable(text.trim()).into_owned();
    let fence = "`".repeat(longest_run(std::iter::once(text.as_str())) + 1);
    if text.is_empty() { String::new() } else { format!("{fence} {text} {fence}") }
}

/// Returns the length of the longest run of backticks.
fn longest_run<'text>(texts: impl Iterator<Item = &'text str>) -> usize {
    texts.flat_map(|text| text.split(|sign| sign != '`')).map(str::len).max().unwrap_or_default()
}

/// Escapes a text for Markdown outside of code.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in printable(text).chars() {
        match sign {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '~' | '#' | '$' => out.extend(['\\', sign]),
            '\t' => out.push(' '),
            sign => out.push(sign),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::report::{PlanView, plan_sample, sample};

    #[test]
    fn a_name_outside_of_code_cannot_become_a_link_or_a_tag() {
        assert_eq!(escaped("[a](b) <b> x|y\nz"), "\\[a\\](b) &lt;b> x\\|y\\\\nz");
    }

    #[test]
    fn a_value_cannot_leave_its_block_or_its_span() {
        assert_eq!(fence("text", &["```".into(), "</details> @acme <b>".into()]), "\n````text\n```\n</details> @acme <b>\n````\n");
        assert_eq!(code("a``b @acme|"), "``` a``b @acme| ```");
    }

    fn of_plan(plan: &Plan) -> String {
        let now = std::time::SystemTime::UNIX_EPOCH;
        Document::of_plan(&PlanView { now, ..PlanView::new(plan, &[]) }).to_markdown()
    }

    #[test]
    fn a_plan_is_a_comment_with_what_to_review_first_and_folded_kinds() {
        insta::assert_snapshot!(of_plan(&sample::plan()));
    }

    #[test]
    fn a_long_report_is_cut_with_a_sentence_about_the_rest() {
        let mut plan = plan_sample::with_dangers();
        assert!(size(&of_plan(&plan)) < MOST, "200 changes fit");
        plan.notes = (0..5_000).map(|nth| format!("note {nth} of a run with ``` and many words")).collect();
        let shown = of_plan(&plan);
        assert!((MOST - 2 * FOR_REST..=MOST).contains(&size(&shown)), "{}", size(&shown));
        let end = shown.rsplit_once("</details>").expect("a block").1;
        insta::assert_snapshot!(end.trim(), @r"
        **Cut at 65,536 characters, the limit of a comment.** Left out: 3,959 lines of Notes. The other formats of this report have everything.
        ");
        assert_eq!(shown.matches("<details>").count(), shown.matches("</details>").count());
    }
}
