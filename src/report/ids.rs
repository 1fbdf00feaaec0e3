//! Names and ids of resources in the target: a table, JSON, CSV, and variables for the configuration of applications.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::csv::table as csv_table;
use super::format::printable;
use super::json::{IdFields, answer};
use super::printed::is_shown_as_it_is;
use super::shell::shell_word;
use super::table::Table;
use crate::apply::LinkedId;
use crate::model::resource::Key;

const HEAD: [&str; 3] = ["kind", "name", "id"];

/// Renders ids as a table.
pub(crate) fn ids(all: &[LinkedId]) -> String {
    ids_table(all).text()
}

/// Returns ids as a table.
pub(super) fn ids_table(all: &[LinkedId]) -> Table {
    let mut table = Table::new(&HEAD);
    for LinkedId { key, id } in all {
        table.row([key.kind().name, key.name(), id.as_str()].map(str::to_owned));
    }
    table
}

#[derive(Serialize, JsonSchema)]
pub(super) struct IdsFields<'a> {
    source: &'a str,
    target: &'a str,
    ids: Vec<IdFields>,
}

/// Returns ids as JSON.
pub(crate) fn ids_json(source: &str, target: &str, all: &[LinkedId]) -> Value {
    answer(&IdsFields { source, target, ids: all.iter().map(IdFields::from).collect() }, 0)
}

/// Returns ids as CSV.
pub(crate) fn ids_csv(all: &[LinkedId]) -> String {
    csv_table(HEAD, all.iter().map(|LinkedId { key, id }| [key.kind().name, key.name(), id.as_str()]))
}

/// Returns ids as variables of a shell or a `.env` file, each below a comment with the name of the resource.
///
/// An id that a line cannot hold is left out and said to be: such an id can only be in a file that somebody edited.
pub(crate) fn ids_env(all: &[LinkedId]) -> String {
    let mut taken = BTreeSet::new();
    let lines = all.iter().map(|LinkedId { key, id }| {
        let comment = format!("# {} \"{}\"", key.kind().singular, printable(key.name()));
        if !is_shown_as_it_is(id.as_str()) {
            return format!("{comment}: its id \"{}\" has invisible characters\n", printable(id.as_str()));
        }
        format!("{comment}\n{}={}\n", free_name(&variable(key), &mut taken), shell_word(id.as_str()))
    });
    lines.collect()
}

/// Returns the name of the variable for the id of a resource: `CLIENT_BILLING_API_ID`.
fn variable(key: &Key) -> String {
    let text = format!("{} {}", key.kind().singular, key.name());
    let words = text.split(|sign: char| !sign.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_uppercase).chain(["ID".to_owned()]).collect::<Vec<_>>().join("_")
}

/// Returns a name that no other variable has: names that differ only in other characters than letters and digits get a number.
fn free_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken.contains(name)).expect("numbers do not end");
    taken.insert(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::{Id, key};

    fn linked(of: &str, id: &str) -> LinkedId {
        LinkedId { key: key(of), id: Id::new(id) }
    }

    #[test]
    fn variables_have_safe_and_different_names() {
        let all = [
            linked("clients/Billing API", "b1"),
            linked("clients/billing-api", "b2"),
            linked("clients/$(rm -rf ~)\nX=1", "c'; rm"),
            linked("clients/役割", "d"),
            linked("clients/Edited", "e\nEVIL=1"),
        ];
        assert_eq!(
            ids_env(&all),
            "# client \"Billing API\"\nCLIENT_BILLING_API_ID=b1\n\
             # client \"billing-api\"\nCLIENT_BILLING_API_ID_2=b2\n\
             # client \"$(rm -rf ~)\\nX=1\"\nCLIENT_RM_RF_X_1_ID='c'\\''; rm'\n\
             # client \"役割\"\nCLIENT_ID=d\n\
             # client \"Edited\": its id \"e\\nEVIL=1\" has invisible characters\n"
        );
    }

    #[test]
    fn a_name_in_csv_cannot_become_a_formula() {
        assert_eq!(ids_csv(&[linked("clients/=1+1, \"x\"", "b1")]), "kind,name,id\nclients,\"'=1+1, \"\"x\"\"\",b1\n");
    }
}
