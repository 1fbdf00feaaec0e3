//! The report of a run as markdown.

use super::format::printable;
use super::page::Page;

/// Returns a text so that markdown shows it as it is.
pub(super) fn escaped(text: &str) -> String {
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

/// Returns a page as markdown.
pub(super) fn markdown(page: &Page) -> String {
    let facts = page.facts.iter().map(|(name, fact)| format!("- {name}: {}\n", escaped(fact))).collect::<Vec<_>>().concat();
    let sections =
        page.sections.iter().map(|(title, table)| format!("\n## {}\n\n{}", escaped(title), table.markdown())).collect::<Vec<_>>().concat();
    format!("# {}\n\n{}\n\n{facts}{sections}", escaped(&page.title), escaped(&page.state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_become_a_link_a_tag_or_a_new_row() {
        assert_eq!(escaped("[a](b) <b> x|y\nz"), "\\[a\\](b) &lt;b> x\\|y\\\\nz");
    }
}
