//! What is left to a person once a run has ended: the steps of its plan that are due, and the secrets that the target made.

use std::collections::{HashMap, HashSet};

use super::summary::EndedRun;
use crate::apply::{GeneratedSecret, SecretDisposition};
use crate::model::resource::Key;
use crate::plan::ManualStep;

/// How many secrets of one kind may be told one by one where people read.
const FEW: usize = 5;

impl EndedRun<'_> {
    /// Returns the steps that are due: those of resources whose changes are all in the target.
    ///
    /// A secret that was kept needs none any more; of any other the step says how to get at it.
    pub(super) fn due(&self) -> Vec<ManualStep> {
        self.steps(&|made| made.id.as_str())
    }

    /// Returns the same for people: of many secrets of one kind it is said once how to get at them.
    pub(super) fn due_in_short(&self) -> Vec<ManualStep> {
        let mut open: HashMap<(&str, &str), usize> = HashMap::new();
        for made in self.summary.made.iter().filter(|made| made.fate != SecretDisposition::Kept) {
            *open.entry((made.key.kind(), made.path)).or_default() += 1;
        }
        self.steps(&|made| if open[&(made.key.kind(), made.path)] > FEW { "ID" } else { made.id.as_str() })
    }

    fn steps<'made>(&'made self, id: &dyn Fn(&'made GeneratedSecret) -> &'made str) -> Vec<ManualStep> {
        let not_applied = self.summary.settled.iter().filter(|one| one.outcome.id().is_none()).map(|one| &one.key);
        let open: HashSet<&Key> = self.unsent().into_iter().map(|change| &change.key).chain(not_applied).collect();
        let made: HashSet<(&Key, &str)> = self.summary.made.iter().map(|made| (&made.key, made.path)).collect();
        let is_due = |manual: &&ManualStep| !open.contains(&manual.key) && !made.contains(&(&manual.key, manual.path.as_str()));
        let secrets = self.summary.made.iter().filter(|made| made.fate != SecretDisposition::Kept).map(|made| ManualStep {
            key: made.key.clone(),
            path: made.path.to_owned(),
            step: self.step(made, id(made)),
        });
        secrets.chain(self.plan.manual_steps.iter().filter(is_due).cloned()).collect()
    }

    fn step(&self, made: &GeneratedSecret, id: &str) -> String {
        let shown = format!("`{}` prints it", self.fetch(made, id));
        match &made.fate {
            SecretDisposition::Lost(reason) => format!("its new {} was not kept: {reason}; {shown}", made.path),
            SecretDisposition::Unknown => format!("the target made a new {}; what became of it stands in no journal: {shown}", made.path),
            SecretDisposition::Kept | SecretDisposition::Left => {
                format!("the target made a new {}; hand it to whoever needs it: {shown}", made.path)
            }
        }
    }

    /// Returns the command that prints a secret which the target made.
    pub(super) fn fetch(&self, made: &GeneratedSecret, id: &str) -> String {
        format!("migrate api get '{}' --tenant {}", made.shown_at.replace("{id}", id), self.plan.target.tenant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::Summary;
    use crate::model::resource::Id;
    use crate::report::sample::key;
    use crate::report::{Effort, sample, summary};

    fn made(number: usize, fate: SecretDisposition) -> GeneratedSecret {
        let shown_at = "clients/{id}?fields=client_secret";
        GeneratedSecret {
            key: key(&format!("clients/C{number}")),
            id: Id::new(format!("c{number}")),
            path: "client_secret",
            shown_at,
            fate,
        }
    }

    fn told(made: Vec<GeneratedSecret>) -> String {
        let mut plan = sample::plan();
        plan.manual_steps.clear();
        plan.skipped.clear();
        let ended = Summary { made, ..sample::whole() };
        let run = EndedRun { plan: &plan, summary: &ended, effort: Effort::default(), folder: std::path::Path::new("runs/r"), resume: "" };
        crate::report::style::plain(&summary(&run))
    }

    #[test]
    fn a_secret_that_was_kept_needs_no_step_and_of_any_other_it_is_said_how_to_get_at_it() {
        let lost = SecretDisposition::Lost("the command of --secrets-to ended with exit status: 1".into());
        insta::assert_snapshot!(told(vec![made(1, SecretDisposition::Kept), made(2, SecretDisposition::Left), made(3, lost), made(4, SecretDisposition::Unknown)]), @r#"
        Applied 5 changes to prod.

        New secrets that were kept (--secrets-to)
          client "C1": client_secret

        By hand
          1. client "C2": the target made a new client_secret; hand it to whoever needs it: `migrate api get 'clients/c2?fields=client_secret' --tenant prod` prints it
          2. client "C3": its new client_secret was not kept: the command of --secrets-to ended with exit status: 1; `migrate api get 'clients/c3?fields=client_secret' --tenant prod` prints it
          3. client "C4": the target made a new client_secret; what became of it stands in no journal: `migrate api get 'clients/c4?fields=client_secret' --tenant prod` prints it

        The run's files are in runs/r
        "#);
    }

    #[test]
    fn how_to_get_at_many_secrets_is_said_once() {
        insta::assert_snapshot!(told((1..=6).map(|number| made(number, SecretDisposition::Left)).collect()), @"
        Applied 5 changes to prod.

        By hand
          1. 6 clients: the target made a new client_secret; hand it to whoever needs it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it
            C1, C2, C3, C4, C5, C6

        The run's files are in runs/r
        ");
    }
}
