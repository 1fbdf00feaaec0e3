//! Renders messages about resources; a message about many resources is shown once.

use std::collections::HashMap;

use super::document::ResourceMessage;
use super::due_steps::DueStep;
use super::format::{count, named, names, number, printable};

/// The maximum number of resources that each get a line for the same message.
const FEW: usize = 5;
/// The maximum number of names listed for a shared step.
const MOST_NAMES: usize = 10;

/// Renders messages as lines; a message about many resources is shown once, with a count and the first names.
pub(super) fn message_lines(messages: &[ResourceMessage<'_>]) -> Vec<String> {
    grouped(messages.iter().cloned()).iter().flat_map(|group| lines(group, FEW)).collect()
}

/// Renders manual steps as a numbered list; a step for many resources is one entry.
pub(super) fn step_lines(steps: &[DueStep]) -> Vec<String> {
    let messages = steps.iter().map(|step| ResourceMessage { key: &step.step.key, operation: None, path: None, text: step.text() });
    let groups = grouped(messages);
    let steps = groups.iter().flat_map(|group| if group.len() > FEW { vec![group.as_slice()] } else { group.chunks(1).collect() });
    let numbered = |(at, step): (usize, &[ResourceMessage<'_>])| {
        let mut step = lines(step, MOST_NAMES);
        step[0] = format!("{}. {}", at + 1, step[0]);
        step
    };
    steps.enumerate().flat_map(numbered).collect()
}

/// Groups equal messages about different resources, in order of their first occurrence.
fn grouped<'a>(messages: impl Iterator<Item = ResourceMessage<'a>>) -> Vec<Vec<ResourceMessage<'a>>> {
    let mut places = HashMap::new();
    let mut groups: Vec<Vec<ResourceMessage<'a>>> = Vec::new();
    for message in messages {
        let place = *places.entry((message.text, message.path, message.operation)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(message),
            None => groups.push(vec![message]),
        }
    }
    groups
}

fn lines(group: &[ResourceMessage<'_>], most_names: usize) -> Vec<String> {
    if group.len() <= FEW {
        return group.iter().map(|message| line(message, &named(message.key))).collect();
    }
    let kind = group[0].key.kind();
    let is_one_kind = group.iter().all(|message| message.key.kind() == kind);
    let resources = if is_one_kind { format!("{} {}", number(group.len()), kind.name) } else { count(group.len(), "resource") };
    vec![line(&group[0], &resources), format!("  {}", names(group.iter().map(|message| message.key), most_names))]
}

/// Renders a message about one or several resources.
fn line(message: &ResourceMessage<'_>, resources: &str) -> String {
    let path = message.path.map(|path| format!(", {}", printable(path))).unwrap_or_default();
    let operation = message.operation.map(|operation| format!("{operation} ")).unwrap_or_default();
    format!("{operation}{resources}{path}: {}", printable(message.text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::Key;
    use crate::model::resource::key;
    use crate::plan::ManualStep;

    #[test]
    fn a_message_about_a_field_of_many_resources_contains_the_field() {
        let keys: Vec<Key> = (1..=6).map(|nth| key(&format!("clients/C{nth}"))).collect();
        let message = |key| ResourceMessage { key, operation: None, path: Some("sso"), text: "it cannot be cleared" };
        let lines = message_lines(&keys.iter().map(message).collect::<Vec<_>>());
        assert_eq!(lines, ["6 clients, sso: it cannot be cleared", "  C1, C2, C3, C4, C5 and 1 more"]);
    }

    #[test]
    fn a_step_for_many_resources_is_shown_once() {
        let manual = |name: &str, step: &str| ManualStep { key: key(name), path: "client_secret".into(), step: step.into() };
        let mut steps: Vec<ManualStep> = (1..=6).map(|nth| manual(&format!("clients/C{nth}"), "hand it out")).collect();
        steps.push(manual("clients/Web", "set it"));
        let lines = step_lines(&steps.iter().map(DueStep::from).collect::<Vec<_>>());
        assert_eq!(lines, ["1. 6 clients: hand it out", "  C1, C2, C3, C4, C5, C6", "2. client \"Web\": set it"]);
    }
}
