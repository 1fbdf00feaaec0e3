//! Renders a document as Markdown.

use super::document::{Document, Section};
use super::format::printable;
use super::table::Table;

impl Document<'_> {
    /// Renders the document as Markdown.
    pub(super) fn to_markdown(&self) -> String {
        let lead = self.lead.iter().map(|lead| format!("{}\n\n", escaped(&lead.text))).collect::<Vec<_>>().concat();
        let facts = self.facts.iter().map(|(name, fact)| format!("- {name}: {}\n", escaped(fact))).collect::<Vec<_>>().concat();
        let sections = self.sections.iter().map(section).collect::<Vec<_>>().concat();
        format!("# {}\n\n{lead}{facts}{sections}", escaped(&self.title))
    }
}

fn section(section: &Section<'_>) -> String {
    let heading = section.heading.iter().map(|heading| format!("## {}\n\n", escaped(heading))).collect::<Vec<_>>().concat();
    format!("\n{heading}{}", table(&section.content.to_table()))
}

/// Renders a table as Markdown, with numbers aligned to the right.
pub(super) fn table(table: &Table) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.iter().map(|cell| escaped(cell)).collect::<Vec<_>>().join(" | "));
    let rule = |column| if table.is_of_numbers(column) { "---:" } else { "---" };
    let rules = (0..table.head().len()).map(rule).collect::<Vec<_>>().join("|");
    let rows = table.rows().iter().map(|row| line(row)).collect::<Vec<_>>().concat();
    format!("{}|{rules}|\n{rows}", line(table.head()))
}

/// Escapes a text for Markdown.
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

    #[test]
    fn a_name_cannot_become_a_link_a_tag_or_a_new_row() {
        assert_eq!(escaped("[a](b) <b> x|y\nz"), "\\[a\\](b) &lt;b> x\\|y\\\\nz");
    }

    #[test]
    fn a_table_escapes_what_would_break_a_row() {
        let mut kinds = Table::new(&["kind", "count", "note"]);
        kinds.row(["clients".into(), "1,200".into(), "a|b".into()]);
        kinds.row(["役割".into(), "3".into()]);
        assert_eq!(table(&kinds), "| kind | count | note |\n|---|---:|---|\n| clients | 1,200 | a\\|b |\n| 役割 | 3 |  |\n");
    }
}
