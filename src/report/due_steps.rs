//! The manual steps due after a run: those of its plan, and those for secrets that the target generated.

use std::collections::{HashMap, HashSet};

use super::run_report::RunReport;
use crate::apply::{GeneratedSecret, SecretDisposition};
use crate::model::resource::Key;
use crate::plan::{Action, Change, ManualStep};

/// The maximum number of secrets of one kind that are listed one by one.
const FEW: usize = 5;

/// A manual step that is due.
#[derive(Debug, Clone)]
pub(super) struct DueStep {
    /// The step.
    pub(super) step: ManualStep,
    /// The text that it shares with similar steps, if there are many.
    shared_text: Option<String>,
}

impl DueStep {
    /// Returns the shared text, otherwise the step's own.
    pub(super) fn text(&self) -> &str {
        self.shared_text.as_ref().unwrap_or(&self.step.step)
    }
}

impl From<&ManualStep> for DueStep {
    fn from(step: &ManualStep) -> Self {
        Self { step: step.clone(), shared_text: None }
    }
}

impl RunReport<'_> {
    /// Returns the steps that are due: those of resources whose changes were all applied.
    ///
    /// A stored secret needs no step; for any other one, the step contains the command that prints it.
    pub(super) fn due_steps(&self) -> Vec<DueStep> {
        let mut open: HashMap<(&str, &str), usize> = HashMap::new();
        for made in self.unstored() {
            *open.entry((made.key.kind().name, made.path)).or_default() += 1;
        }
        let secrets = self.unstored().map(|made| DueStep {
            step: self.manual_step(made),
            shared_text: (open[&(made.key.kind().name, made.path)] > FEW).then(|| self.text(made, "ID")),
        });
        secrets.chain(self.planned().map(DueStep::from)).collect()
    }

    /// Returns the same steps, each with its own text.
    pub(super) fn due_manual_steps(&self) -> Vec<ManualStep> {
        self.unstored().map(|made| self.manual_step(made)).chain(self.planned().cloned()).collect()
    }

    /// Returns the generated secrets that somebody has to look at: those that are used, and those that should have been stored.
    fn unstored(&self) -> impl Iterator<Item = &GeneratedSecret> {
        let unused: HashSet<(&Key, &str)> = self.plan.changes().flat_map(unused_secrets).collect();
        self.summary.made.iter().filter(move |made| match made.disposition {
            SecretDisposition::Kept => false,
            SecretDisposition::Lost(_) => true,
            SecretDisposition::Left | SecretDisposition::Unknown => !unused.contains(&(&made.key, made.path)),
        })
    }

    /// Returns the due steps of the plan, except those about secrets that this run already knows.
    fn planned(&self) -> impl Iterator<Item = &ManualStep> {
        let not_applied = self.summary.settled.iter().filter(|one| one.outcome.id().is_none()).map(|one| &one.key);
        let open: HashSet<&Key> = self.unsent().into_iter().map(|change| &change.key).chain(not_applied).collect();
        let made: HashSet<(&Key, &str)> = self.summary.made.iter().map(|made| (&made.key, made.path)).collect();
        let is_due = move |manual: &&ManualStep| !open.contains(&manual.key) && !made.contains(&(&manual.key, manual.path.as_str()));
        self.plan.manual_steps.iter().filter(is_due)
    }

    fn manual_step(&self, made: &GeneratedSecret) -> ManualStep {
        ManualStep { key: made.key.clone(), path: made.path.to_owned(), step: self.text(made, made.id.as_str()) }
    }

    fn text(&self, made: &GeneratedSecret, id: &str) -> String {
        let scope = made.shown_with.map(|scope| format!(" (needs the scope {scope})")).unwrap_or_default();
        let shown = format!("`{}` prints it{scope}", self.fetch(made, id));
        match &made.disposition {
            SecretDisposition::Lost(reason) => format!("its new {} was not stored: {reason}; {shown}", made.path),
            SecretDisposition::Unknown => {
                format!("the target generated a new {}, and the journal does not say whether it was stored: {shown}", made.path)
            }
            SecretDisposition::Kept | SecretDisposition::Left => {
                format!("the target generated a new {}; give it to the services that need it: {shown}", made.path)
            }
        }
    }

    /// Returns the command that prints a generated secret.
    pub(super) fn fetch(&self, made: &GeneratedSecret, id: &str) -> String {
        format!("migrate api get '{}' --tenant {}", made.shown_at.replace("{id}", id), self.plan.target.tenant)
    }
}

/// Returns the secrets that the target generates for a create and that the new resource does not use.
fn unused_secrets(change: &Change) -> Vec<(&Key, &'static str)> {
    let Action::Create { body, .. } = &change.action else { return Vec::new() };
    let kind = change.key.kind();
    let unused = kind.generated_secrets_for(body).filter(|made| kind.leaves_unused(made.path, body));
    unused.map(|made| (&change.key, made.path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::Summary;
    use crate::model::resource::Id;
    use crate::model::resource::key;
    use crate::report::{Layout, Report, ReportSubject, RunCost, sample};

    fn made(number: usize, disposition: SecretDisposition) -> GeneratedSecret {
        let shown_at = "clients/{id}?fields=client_secret";
        GeneratedSecret {
            key: key(&format!("clients/C{number}")),
            id: Id::new(format!("c{number}")),
            path: "client_secret",
            shown_at,
            shown_with: Some("read:client_keys"),
            disposition,
        }
    }

    fn summary_with(made: Vec<GeneratedSecret>) -> String {
        let mut plan = sample::plan();
        plan.manual_steps.clear();
        plan.skipped.clear();
        let ended = Summary { made, ..sample::whole() };
        let run = RunReport {
            plan: &plan,
            summary: &ended,
            cost: RunCost::default(),
            folder: std::path::Path::new("runs/r"),
            resume: "",
            probe: None,
        };
        crate::report::style::plain(&Report::new(ReportSubject::Run(run), 0).to_text(Layout::default()))
    }

    #[test]
    fn a_stored_secret_needs_no_step_and_any_other_has_the_command_to_print_it() {
        let lost = SecretDisposition::Lost("the --secrets-to command failed: exit status: 1".into());
        insta::assert_snapshot!(summary_with(vec![made(1, SecretDisposition::Kept), made(2, SecretDisposition::Left), made(3, lost), made(4, SecretDisposition::Unknown)]), @r#"
        Applied 5 changes to prod.

        New secrets stored (--secrets-to)
          client "C1": client_secret

        Manual steps
          1. client "C2": the target generated a new client_secret; give it to the services that need it: `migrate api get 'clients/c2?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)
          2. client "C3": its new client_secret was not stored: the --secrets-to command failed: exit status: 1; `migrate api get 'clients/c3?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)
          3. client "C4": the target generated a new client_secret, and the journal does not say whether it was stored: `migrate api get 'clients/c4?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)

        The run's files are in runs/r
        "#);
    }

    #[test]
    fn the_command_to_print_many_secrets_is_shown_once() {
        insta::assert_snapshot!(summary_with((1..=6).map(|number| made(number, SecretDisposition::Left)).collect()), @r"
        Applied 5 changes to prod.

        Manual steps
          1. 6 clients: the target generated a new client_secret; give it to the services that need it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)
            C1, C2, C3, C4, C5, C6

        The run's files are in runs/r
        ");
    }
}
