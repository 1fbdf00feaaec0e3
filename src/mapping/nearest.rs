//! Finds the name or text most similar to a pattern that matches nothing, by aligning the two.
//!
//! `Analitics*` and "Analytics dashboard" differ in one letter, since `*` matches anything, so the suggestion is
//! `Analytics*`.

/// The minimum number of letters of a pattern for which a similar name is searched.
const LEAST_LETTERS: usize = 3;
/// One letter in this many may differ, but at least one.
const LETTERS_PER_ERROR: usize = 4;

/// A pattern to align with names, ignoring case.
#[derive(Debug)]
pub(super) struct Approximate {
    parts: Vec<Part>,
    /// Whether letters with a special meaning in patterns are escaped in the suggestion.
    is_pattern: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Letter(char),
    /// `?` or `[..]`, as written.
    One(String),
    /// `*` or `**`, as written.
    Any(String),
}

/// A step of the alignment of a pattern with a name.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Two letters are transposed.
    Swap,
    /// A part of the pattern and a letter of the name are aligned.
    Both,
    /// A letter of the name is matched by `*`, or is missing in the pattern.
    Name,
    /// A part of the pattern matches nothing, or its letter is missing in the name.
    Pattern,
}

impl Approximate {
    /// Parses a key pattern, as `glob` does.
    pub(super) fn pattern(text: &str) -> Self {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some(sign) = rest.chars().next() {
            let class = || rest.char_indices().skip(2).find(|(_, sign)| *sign == ']').map(|(at, _)| at + 1);
            let (part, length) = match sign {
                '*' => {
                    let length = rest.len() - rest.trim_start_matches('*').len();
                    (Part::Any(rest[..length].to_owned()), length)
                }
                '?' => (Part::One("?".to_owned()), 1),
                '[' => match class() {
                    // `[*]` is an escaped letter.
                    Some(3) => (Part::Letter(rest[1..].chars().next().unwrap_or('[')), 3),
                    Some(length) => (Part::One(rest[..length].to_owned()), length),
                    None => (Part::Letter('['), 1),
                },
                letter => (Part::Letter(letter), letter.len_utf8()),
            };
            parts.push(part);
            rest = &rest[length..];
        }
        Self { parts, is_pattern: true }
    }

    /// Creates it from a plain name.
    pub(super) fn name(text: &str) -> Self {
        Self { parts: text.chars().map(Part::Letter).collect(), is_pattern: false }
    }

    /// Creates it from a text that may occur anywhere in a longer one.
    pub(super) fn within(text: &str) -> Self {
        let any = || std::iter::once(Part::Any(String::new()));
        Self { parts: any().chain(text.chars().map(Part::Letter)).chain(any()).collect(), is_pattern: false }
    }

    /// Returns the pattern that matches the most similar name; `None` if no name is similar, or all are equally so.
    pub(super) fn nearest<'name>(&self, names: impl IntoIterator<Item = &'name str>) -> Option<String> {
        let letters = self.parts.iter().filter(|part| matches!(part, Part::Letter(_))).count();
        if letters < LEAST_LETTERS {
            return None;
        }
        let most = (letters / LETTERS_PER_ERROR).max(1);
        let (distance, name) = names.into_iter().map(|name| (self.distance(name), name)).min()?;
        (distance <= most).then(|| self.repaired(name))
    }

    /// Returns how many letters must change before the pattern matches a name.
    fn distance(&self, name: &str) -> usize {
        let (mut before, mut above) = (None, self.first_row());
        for letter in name.chars() {
            let row = self.next_row(before.as_ref(), &above, letter).into_iter().map(|(cost, _)| cost).collect();
            before = Some((std::mem::replace(&mut above, row), letter));
        }
        above.last().copied().unwrap_or_default()
    }

    /// Returns the pattern with its letters changed to those of the name.
    fn repaired(&self, name: &str) -> String {
        let letters: Vec<char> = name.chars().collect();
        let mut steps = vec![vec![Step::Pattern; self.parts.len() + 1]];
        let (mut before, mut above) = (None, self.first_row());
        for letter in &letters {
            let (row, taken) = self.next_row(before.as_ref(), &above, *letter).into_iter().unzip();
            before = Some((std::mem::replace(&mut above, row), *letter));
            steps.push(taken);
        }
        let (mut at, mut part) = (letters.len(), self.parts.len());
        let mut pieces = Vec::new();
        let shown = |letter: char| if self.is_pattern { glob::Pattern::escape(&letter.to_string()) } else { letter.to_string() };
        while at > 0 || part > 0 {
            match steps[at][part] {
                Step::Swap => {
                    pieces.extend([shown(letters[at - 1]), shown(letters[at - 2])]);
                    (at, part) = (at - 2, part - 2);
                }
                Step::Both => {
                    (at, part) = (at - 1, part - 1);
                    pieces.push(match &self.parts[part] {
                        Part::Letter(_) => shown(letters[at]),
                        Part::One(text) | Part::Any(text) => text.clone(),
                    });
                }
                Step::Name => {
                    at -= 1;
                    let is_within_any = part > 0 && matches!(self.parts[part - 1], Part::Any(_));
                    if !is_within_any {
                        pieces.push(shown(letters[at]));
                    }
                }
                Step::Pattern => {
                    part -= 1;
                    if let Part::Any(text) = &self.parts[part] {
                        pieces.push(text.clone());
                    }
                }
            }
        }
        pieces.reverse();
        pieces.concat()
    }

    fn first_row(&self) -> Vec<usize> {
        let mut cost = 0;
        let costs = self.parts.iter().map(|part| {
            cost += usize::from(!matches!(part, Part::Any(_)));
            cost
        });
        std::iter::once(0).chain(costs).collect()
    }

    /// Computes the next row of the alignment: for each prefix of the pattern, the cost and the last step of aligning
    /// it with the name up to this letter. `above` is the row of the previous letter; `before` is the row before that,
    /// with the letter between.
    fn next_row(&self, before: Option<&(Vec<usize>, char)>, above: &[usize], letter: char) -> Vec<(usize, Step)> {
        let mut row: Vec<(usize, Step)> = Vec::with_capacity(above.len());
        row.push((above[0] + 1, Step::Name));
        for (at, part) in self.parts.iter().enumerate() {
            let swapped = || {
                let (costs, earlier) = before?;
                let [first, second] = self.parts.get(at.checked_sub(1)?..=at)? else { return None };
                (first.is(letter) && second.is(*earlier) && letter != *earlier).then(|| (costs[at - 1] + 1, Step::Swap))
            };
            // Among equal costs, `*` matches as little as possible.
            let steps = match part {
                Part::Any(_) => [None, Some((row[at].0, Step::Pattern)), Some((above[at + 1], Step::Name)), None],
                Part::One(_) | Part::Letter(_) => [
                    swapped(),
                    Some((above[at] + usize::from(!part.is(letter)), Step::Both)),
                    Some((above[at + 1] + 1, Step::Name)),
                    Some((row[at].0 + 1, Step::Pattern)),
                ],
            };
            row.extend(steps.into_iter().flatten().min_by_key(|(cost, _)| *cost));
        }
        row
    }
}

impl Part {
    fn is(&self, letter: char) -> bool {
        match self {
            Self::Letter(own) => own.to_lowercase().eq(letter.to_lowercase()),
            Self::One(_) => true,
            Self::Any(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearest(pattern: &str, names: &[&str]) -> Option<String> {
        Approximate::pattern(pattern).nearest(names.iter().copied())
    }

    #[test]
    fn a_misspelt_pattern_leads_to_a_pattern_that_matches_the_nearest_name() {
        let names = ["Analytics dashboard", "Billing (dev)", "Web"];
        for (pattern, expected) in [
            ("Analitics*", Some("Analytics*")),
            ("Analitycs*", Some("Analytics*")),
            ("*dashbord", Some("*dashboard")),
            ("*lytiks dash*", Some("*lytics dash*")),
            ("analytics*", Some("Analytics*")),
            ("Biling (dev)", Some("Billing (dev)")),
            ("Biling (???)", Some("Billing (???)")),
            ("Weeb", Some("Web")),
            ("Wbe*", Some("Web*")),
            ("Anlaytics*", Some("Analytics*")),
            ("Checkout*", None),
            ("W*", None),
            ("*", None),
        ] {
            assert_eq!(nearest(pattern, &names).as_deref(), expected, "{pattern}");
        }
    }

    #[test]
    fn the_suggested_pattern_matches_the_name_it_was_derived_from() {
        let mut found = Vec::new();
        for name in ["Ähre [dev]", "a*b?c", "Shop 2"] {
            for pattern in ["Ahre [[]dev]", "Shep*", "*hob 2", "a[*]bec", "S*p 3"] {
                let Some(proposed) = nearest(pattern, &[name]) else { continue };
                assert!(glob::Pattern::new(&proposed).expect("a pattern").matches(name), "{pattern} {name} {proposed}");
                found.push(proposed);
            }
        }
        assert_eq!(found, ["Ähre [[]dev[]]", "a[*]b[?]c", "Shop*", "*hop 2", "S*p 2"]);
    }

    #[test]
    fn the_most_similar_part_of_a_longer_text_is_found() {
        let texts = ["see https://shop.dev.acme.example/cb", "none"];
        assert_eq!(Approximate::within("shop.dev.acme.exmple").nearest(texts).as_deref(), Some("shop.dev.acme.example"));
        assert_eq!(Approximate::within("billing.dev.example").nearest(texts), None);
    }
}
