//! Renders a document as a self-contained HTML file.

use super::document::{Document, Section, Tone};
use super::format::printable;

const STYLE: &str = "\
:root { color-scheme: light dark; --line: #8884; --quiet: #777; --good: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --quiet: #999; --good: #3fb950; --bad: #f85149; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.state { font-weight: 600; border-left: 4px solid; padding-left: .75rem; }
.good { border-color: var(--good); } .bad { border-color: var(--bad); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; } dt { color: var(--quiet); } dd { margin: 0; }
div { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
td:last-child { width: 55%; } th { color: var(--quiet); font-weight: normal; white-space: nowrap; } td:first-child { white-space: nowrap; }
";

impl Document<'_> {
    /// Renders the document as HTML.
    pub(super) fn to_html(&self) -> String {
        let title = escaped(&self.title);
        let lead = self.lead.iter().map(|lead| {
            let class = if lead.tone == Tone::Good { "good" } else { "bad" };
            format!("<p class=\"state {class}\">{}</p>\n", escaped(&lead.text))
        });
        let lead: String = lead.collect();
        let facts =
            self.facts.iter().map(|(name, fact)| format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(fact))).collect::<Vec<_>>().concat();
        let sections = self.sections.iter().map(section).collect::<Vec<_>>().concat();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
             {lead}<dl>\n{facts}</dl>\n{sections}</body>\n</html>\n"
        )
    }
}

fn section(section: &Section<'_>) -> String {
    let cells =
        |tag: &str, cells: &[String]| cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect::<Vec<_>>().concat();
    let table = section.content.to_table();
    let heading = section.heading.iter().map(|heading| format!("<h2>{}</h2>\n", escaped(heading))).collect::<Vec<_>>().concat();
    let rows = table.rows().iter().map(|row| format!("<tr>{}</tr>\n", cells("td", row))).collect::<Vec<_>>().concat();
    format!("{heading}<div><table>\n<tr>{}</tr>\n{rows}</table></div>\n", cells("th", table.head()))
}

/// Escapes a text for HTML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in printable(text).chars() {
        match sign {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            sign => out.push(sign),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_become_a_tag_or_leave_an_attribute() {
        assert_eq!(escaped("<script>alert('x\" & y')</script>"), "&lt;script&gt;alert(&#39;x&quot; &amp; y&#39;)&lt;/script&gt;");
    }
}
