//! The difference of two texts, line by line, with unchanged lines folded.

/// Texts whose differing parts are larger than this (lines times lines) are shown as replaced entirely.
const LARGEST: usize = 1_000_000;
/// Unchanged lines shown around a difference.
const CONTEXT: usize = 1;

/// A line of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DiffLine<'text> {
    /// Unchanged lines that are not shown.
    Hidden(usize),
    /// An unchanged line, shown as context.
    Same(&'text str),
    /// A line that the old text has alone.
    Removed(&'text str),
    /// A line that the new text has alone.
    Added(&'text str),
}

/// Compares two texts line by line.
pub(super) fn difference<'text>(old: &'text str, new: &'text str) -> Vec<DiffLine<'text>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let ahead = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[ahead..], &new[ahead..]);
    let behind = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let mut lines: Vec<DiffLine<'text>> = old[..ahead].iter().map(|line| DiffLine::Same(line)).collect();
    lines.extend(middle(&old_rest[..old_rest.len() - behind], &new_rest[..new_rest.len() - behind]));
    lines.extend(old_rest[old_rest.len() - behind..].iter().map(|line| DiffLine::Same(line)));
    folded(&lines)
}

/// Compares by the longest common subsequence of lines.
fn middle<'text>(old: &[&'text str], new: &[&'text str]) -> Vec<DiffLine<'text>> {
    if old.len() * new.len() > LARGEST {
        let removed = old.iter().map(|line| DiffLine::Removed(line));
        return removed.chain(new.iter().map(|line| DiffLine::Added(line))).collect();
    }
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for (row, before) in old.iter().enumerate().rev() {
        for (column, after) in new.iter().enumerate().rev() {
            common[row * width + column] = if before == after {
                common[(row + 1) * width + column + 1] + 1
            } else {
                common[(row + 1) * width + column].max(common[row * width + column + 1])
            };
        }
    }
    let (mut row, mut column, mut lines) = (0, 0, Vec::new());
    while row < old.len() || column < new.len() {
        if row < old.len() && column < new.len() && old[row] == new[column] {
            lines.push(DiffLine::Same(old[row]));
            (row, column) = (row + 1, column + 1);
        } else if column == new.len() || (row < old.len() && common[(row + 1) * width + column] >= common[row * width + column + 1]) {
            lines.push(DiffLine::Removed(old[row]));
            row += 1;
        } else {
            lines.push(DiffLine::Added(new[column]));
            column += 1;
        }
    }
    lines
}

/// Replaces unchanged lines that are no context by their count.
fn folded<'text>(lines: &[DiffLine<'text>]) -> Vec<DiffLine<'text>> {
    let is_same = |line: &DiffLine<'_>| matches!(line, DiffLine::Same(_));
    let is_near = |at: usize| {
        let around = at.saturating_sub(CONTEXT)..(at + CONTEXT + 1).min(lines.len());
        lines[around].iter().any(|line| !is_same(line))
    };
    let mut out = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        match out.last_mut() {
            _ if is_near(at) => out.push(*line),
            Some(DiffLine::Hidden(count)) => *count += 1,
            _ => out.push(DiffLine::Hidden(1)),
        }
    }
    out
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
        assert_eq!(difference(old, new), expected);
    }

    #[test]
    fn one_of_two_equal_lines_can_be_removed() {
        assert_eq!(difference("a\na", "a"), [DiffLine::Same("a"), DiffLine::Removed("a")]);
    }
}
