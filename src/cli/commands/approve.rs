//! `migrate approve`

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::{Failure, REFUSED, USAGE};
use crate::cli::review::{exact, refused};
use crate::model::selection::Selection;
use crate::plan::file::{self, SavedPlan};
use crate::plan::plan_approval::{PlanApproval, keep_approved, permitted};
use crate::plan::refusal::Refusal;
use crate::plan::{Plan, guards};
use crate::report::{self, PlanView, shell_word};
use crate::workflow::{now, refuse_another_target};

/// Approve a saved plan, or a part of it
///
/// Shows the changes to approve, asks for confirmation, and records in the plan's file who approved them and when. Several approvals add up.
/// An approval covers everything that guards refuse in the approved part, deletes included.
///
/// `migrate import --plan` then applies the approved changes and needs no --allow; in a job, add --yes. It lists the other changes as skipped
/// and exits with 3 if there are any. If the plan was edited after its approval, the import refuses it.
#[derive(Debug, Args)]
pub(in crate::cli) struct ApproveArgs {
    /// The plan, saved by `migrate plan --out`
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Approve only resources whose key matches, with their parts, for example 'clients/Web*'
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// The name of the person who approves the plan [default: $USER]
    #[arg(long, value_name = "NAME", env = "USER", hide_env = true)]
    by: String,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
}

/// What was approved.
#[derive(Serialize, JsonSchema)]
pub(super) struct ApproveAnswer<'a> {
    approved: usize,
    not_approved: usize,
    #[serde(flatten)]
    approval: &'a PlanApproval,
}

impl ApproveArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let only = Selection::read(context.catalog, &[], &self.only, &[]).map_err(|error| Failure::of_selection(&error))?;
        let mut saved = file::load_saved(&self.plan)?;
        let target = context.tenant_settings(Some(&saved.plan.target.tenant))?;
        refuse_another_target(&saved.plan, target)?;
        self.refuse_no_match(&saved.plan, &only)?;
        let part = self.part(&saved);
        let found = guards::of_saved(&part, saved.refusals.clone(), target.most_changed);
        let open = guards::unapproved(found, &target.approved.and(&permitted(&saved.approvals)));
        let Some(permits) = exact(&open) else {
            let unapprovable: Vec<Refusal> = open.into_iter().filter(|refusal| !refusal.guard.is_approvable()).collect();
            return Err(refused(&unapprovable, &[], &target.name));
        };
        let view = PlanView::new(&part, &open);
        context.show(|| report::plan(&view, context.layout()));
        let changes = report::count(part.changes().count(), "change");
        let permitting = if permits.is_empty() { String::new() } else { format!(", permitting {}", permits.join(", ")) };
        context.confirm(&format!("Approve {changes} to \"{}\" as {}{permitting}?", target.name, self.by), self.yes).await?;
        let approval = PlanApproval::new(&saved.hash, (self.only.clone(), permits), (self.by.clone(), now()));
        saved.approvals.push(approval.clone());
        file::save_approved(&self.plan, &saved)?;
        self.answer(context, &saved, &approval);
        Ok(0)
    }

    /// Returns the part of the plan that is approved, including earlier approvals.
    fn part(&self, saved: &SavedPlan) -> Plan {
        let mut part = saved.plan.clone();
        let this = PlanApproval::new(&saved.hash, (self.only.clone(), Vec::new()), (self.by.clone(), String::new()));
        let all: Vec<PlanApproval> = saved.approvals.iter().cloned().chain([this]).collect();
        keep_approved(&mut part, &all);
        part
    }

    fn refuse_no_match(&self, plan: &Plan, only: &Selection) -> Result<(), Failure> {
        if plan.changes().any(|change| only.has(&change.key)) {
            return Ok(());
        }
        if plan.is_empty() {
            return Err(Failure::new(REFUSED, format!("plan \"{}\" changes nothing", self.plan.display())));
        }
        let hint = "`migrate plan --output json` lists the keys of its changes, for example clients/Web";
        Err(Failure::new(USAGE, format!("the plan changes nothing that matches {}", self.only.join(", "))).hint(hint))
    }

    fn answer(&self, context: &Context, saved: &SavedPlan, approval: &PlanApproval) {
        let mut part = saved.plan.clone();
        keep_approved(&mut part, &saved.approvals);
        let (approved, all) = (part.changes().count(), saved.plan.changes().count());
        let path = shell_word(&self.plan.display().to_string());
        let next = context.command(format!("migrate import --tenant {} --plan {path}", saved.plan.target.tenant), None);
        let text = || format!("{approved} of {} approved by {}.\n\n{next}\n", report::count(all, "change"), approval.by);
        let fields = ApproveAnswer { approved, not_approved: all - approved, approval };
        context.answer(text, || report::answer(&fields, 0));
    }
}
