//! Compares two texts line by line, hiding unchanged lines.

use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

/// A line of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DiffLine<'text> {
    /// Hidden unchanged lines.
    Hidden(usize),
    /// An unchanged line, shown as context.
    Same(&'text str),
    /// A line that only the old text has.
    Removed(&'text str),
    /// A line that only the new text has.
    Added(&'text str),
}

/// Compares two texts line by line, with this many unchanged lines around a difference; texts with equal lines have no
/// difference.
pub(super) fn difference<'text>(old: &'text str, new: &'text str, context: usize) -> Vec<DiffLine<'text>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let (mut lines, mut shown) = (Vec::new(), 0);
    for operation in group_diff_ops(capture_diff_slices(Algorithm::Myers, &old, &new), context).into_iter().flatten() {
        let (old_range, new_range) = (operation.old_range(), operation.new_range());
        lines.extend(hidden(shown, old_range.start));
        shown = old_range.end;
        if let DiffOp::Equal { .. } = operation {
            lines.extend(old[old_range].iter().map(|line| DiffLine::Same(line)));
        } else {
            lines.extend(old[old_range].iter().map(|line| DiffLine::Removed(line)));
            lines.extend(new[new_range].iter().map(|line| DiffLine::Added(line)));
        }
    }
    if !lines.is_empty() {
        lines.extend(hidden(shown, old.len()));
    }
    lines
}

/// Returns the number of hidden lines of the old text between two shown ones, if there are any.
fn hidden(from: usize, to: usize) -> Option<DiffLine<'static>> {
    (to > from).then_some(DiffLine::Hidden(to - from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_far_from_a_difference_are_counted() {
        let old = "a\nb\nc\nd\ne\nf\ng";
        let new = "a\nb\nc\nD\ne\nx\nf\ng";
        let expected = [
            DiffLine::Hidden(2),
            DiffLine::Same("c"),
            DiffLine::Removed("d"),
            DiffLine::Added("D"),
            DiffLine::Same("e"),
            DiffLine::Added("x"),
            DiffLine::Same("f"),
            DiffLine::Hidden(1),
        ];
        assert_eq!(difference(old, new, 1), expected);
    }

    #[test]
    fn one_of_two_equal_lines_can_be_removed() {
        assert_eq!(difference("a\na", "a", 1), [DiffLine::Same("a"), DiffLine::Removed("a")]);
    }

    #[test]
    fn a_long_text_that_changes_at_both_ends_shows_only_these_lines() {
        let middle: Vec<String> = (0..10_000).map(|line| format!("line {line}\n")).collect();
        let text = |end: &str| format!("first {end}\n{}last {end}", middle.concat());
        let expected = [
            DiffLine::Removed("first old"),
            DiffLine::Added("first new"),
            DiffLine::Same("line 0"),
            DiffLine::Hidden(9_998),
            DiffLine::Same("line 9999"),
            DiffLine::Removed("last old"),
            DiffLine::Added("last new"),
        ];
        assert_eq!(difference(&text("old"), &text("new"), 1), expected);
    }
}
