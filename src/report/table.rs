//! Tables with aligned columns.

use unicode_width::UnicodeWidthStr;

use super::format::printable;

/// A table: a head and rows.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Returns an empty table with these columns.
    pub(crate) fn new(head: &[&str]) -> Self {
        Self { head: head.iter().map(|&title| title.to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row; missing cells are blank.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut cells: Vec<String> = cells.into_iter().collect();
        cells.resize(self.head.len(), String::new());
        self.rows.push(cells);
    }

    /// Returns the number of rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Renders the head and the rows as aligned text, with numbers aligned to the right.
    pub(crate) fn text(&self) -> String {
        self.aligned(&[std::slice::from_ref(&self.head), &self.rows].concat())
    }

    /// Renders the rows as aligned text, without the head.
    pub(crate) fn body(&self) -> String {
        self.aligned(&self.rows)
    }

    fn aligned(&self, rows: &[Vec<String>]) -> String {
        let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
        let width_of = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or_default();
        let columns: Vec<(usize, bool)> = (0..self.head.len()).map(|column| (width_of(column), self.is_of_numbers(column))).collect();
        let mut out = String::new();
        for row in &rows {
            let mut line = String::new();
            for (cell, (width, is_of_numbers)) in row.iter().zip(&columns) {
                let blank = " ".repeat(width - cell.width());
                let cell = if *is_of_numbers { blank + cell } else { cell.to_string() + &blank };
                line.push_str(&cell);
                line.push_str("  ");
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    /// Returns whether a column contains only numbers.
    pub(super) fn is_of_numbers(&self, column: usize) -> bool {
        let is_number = |text: &String| !text.is_empty() && text.chars().all(|sign| sign.is_ascii_digit() || sign == ',');
        !self.rows.is_empty() && self.rows.iter().all(|row| is_number(&row[column]))
    }

    /// Returns the titles of the columns.
    pub(super) fn head(&self) -> &[String] {
        &self.head
    }

    /// Returns the rows.
    pub(super) fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["kind", "count", "note"]);
        table.row(["clients".into(), "1,200".into(), "a|b".into()]);
        table.row(["役割".into(), "3".into()]);
        table
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        assert_eq!(table().text(), "kind     count  note\nclients  1,200  a|b\n役割         3\n");
    }
}
