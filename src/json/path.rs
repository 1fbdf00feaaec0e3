//! Paths into a JSON object.

/// One segment of a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum PathSegment<'path> {
    /// The field with this name.
    Field(&'path str),
    /// Every field of an object.
    EveryField,
    /// Every element of a list.
    EveryElement,
    /// This value and every value below it.
    AnyDepth,
}

pub(super) fn steps(path: &str) -> Vec<PathSegment<'_>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (name, lists) = match part.find('[') {
            Some(at) => (&part[..at], part[at..].matches("[]").count()),
            None => (part, 0),
        };
        match name {
            "" => {}
            "*" => steps.push(PathSegment::EveryField),
            "**" => steps.push(PathSegment::AnyDepth),
            name => steps.push(PathSegment::Field(name)),
        }
        steps.extend(std::iter::repeat_n(PathSegment::EveryElement, lists));
    }
    steps
}

/// Returns the first segment of a path: `options` of `options.scope[]`.
#[must_use]
pub fn top(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or(path)
}

/// Returns the path of a field in the object at a path.
#[must_use]
pub fn join(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") }
}

/// Returns whether `pattern` (with `*`, `**`) matches `path` (dotted, with `[]` or indexes for lists) or a path above
/// it.
#[must_use]
pub fn covers(pattern: &str, path: &str) -> bool {
    let path: Vec<String> = path.split('.').map(without_index).collect();
    covers_steps(&pattern.split('.').collect::<Vec<_>>(), &path)
}

/// Returns whether a plain path is a field or leads into it.
#[must_use]
pub fn is_in(field: &str, path: &str) -> bool {
    path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn without_index(name: &str) -> String {
    match name.split_once('[') {
        Some((name, _)) => format!("{name}[]"),
        None => name.to_owned(),
    }
}

fn covers_steps(pattern: &[&str], path: &[String]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some((&"**", rest)), Some((_, below))) => covers_steps(rest, path) || covers_steps(pattern, below),
        (Some((&wanted, rest)), Some((name, below))) => {
            let plain = name.trim_end_matches("[]");
            let matches =
                wanted == "*" || wanted == name || (wanted == "*[]" && name.ends_with("[]")) || (rest.is_empty() && wanted == plain);
            matches && covers_steps(rest, below)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_the_path_itself_and_everything_below_it() {
        assert!(covers("options", "options.scope[]"));
        assert!(covers("callbacks", "callbacks[]"));
        assert!(covers("callbacks[]", "callbacks[3]"));
        assert!(covers("options.*.key", "options.signing.key"));
        assert!(covers("**.flow_id", "nodes[].config.flow_id"));
        assert!(!covers("options.scope", "options"));
        assert!(!covers("name", "display_name"));
    }
}
