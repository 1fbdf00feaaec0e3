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
    let begins_alike = pattern.starts_with('*') || pattern.as_bytes().first() == path.as_bytes().first();
    begins_alike && covers_parts(Some(pattern), Some(path))
}

/// Returns whether a plain path is a field or leads into it.
#[must_use]
pub fn is_in(field: &str, path: &str) -> bool {
    path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Compares part by part; `None` is the end of a pattern or path. It allocates nothing, since every field of every
/// response is compared with many patterns.
fn covers_parts(pattern: Option<&str>, path: Option<&str>) -> bool {
    let Some(pattern) = pattern else { return true };
    let Some(path) = path else { return false };
    let ((wanted, rest), (name, below)) = (split_first(pattern), split_first(path));
    if wanted == "**" {
        return covers_parts(rest, Some(path)) || covers_parts(Some(pattern), below);
    }
    (wanted == "*" || matches_name(wanted, name, rest)) && covers_parts(rest, below)
}

/// Splits off the first part of a path.
fn split_first(path: &str) -> (&str, Option<&str>) {
    // In a text this short, a loop finds a sign sooner than a search.
    path.bytes().position(|sign| sign == b'.').map_or((path, None), |at| (&path[..at], Some(&path[at + 1..])))
}

/// Returns whether a part of a pattern matches a part of a path; the last part of a pattern also matches the elements of a list.
fn matches_name(wanted: &str, name: &str, rest: Option<&str>) -> bool {
    match name.bytes().position(|sign| sign == b'[') {
        None => wanted == name,
        Some(end) => {
            let list = &name[..end];
            wanted.strip_suffix("[]").is_some_and(|wanted| wanted == "*" || wanted == list) || (rest.is_none() && wanted == list)
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
