//! `migrate show`

use std::path::Path;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::{Failure, INCOMPLETE};
use crate::cli::past_run::{resume_of, status_of};
use crate::cli::probe::ProbeCommands;
use crate::cli::reports::ReportOptions;
use crate::plan::file::{self, SavedPlan};
use crate::report::{self, PlanView, Report, ReportSubject};
use crate::workflow::history::PastRun;
use crate::workflow::{load_probe, verify_writes};

/// The newest run. Only here: what writes names its run, since another one may be the newest by the time it is confirmed.
const LAST: &str = "last";

/// Show a run with the outcome of each change, or a saved plan
#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    /// The run, as `migrate runs` lists it; `last` for the newest; or the file of a saved plan
    #[arg(value_name = "RUN|last|FILE")]
    run: String,
    /// Look up the writes of the run in the log of the target, which needs the scope read:logs; exits with 3 unless all are found
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    pub(in crate::cli) reports: ReportOptions,
}

impl ShowArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let path = Path::new(&self.run);
        if path.is_file() {
            return show_plan(context, path);
        }
        let newest = if self.run == LAST { PastRun::newest(context.environment()?) } else { None };
        let past = PastRun::load(context.environment()?, newest.as_deref().unwrap_or(&self.run))?;
        let (resume, cost) = (resume_of(context, &past), report::RunCost::default());
        let probe = load_probe(&past.folder);
        let after_probe = probe.as_ref().map(|probe| ProbeCommands::of_run(context, &past.folder, probe)).unwrap_or_default();
        let probe = probe.as_ref().map(|probe| after_probe.view(probe));
        let run = report::RunReport { plan: &past.plan, summary: &past.summary, cost, folder: &past.folder, resume: &resume, probe };
        let status = status_of(context, &past)?;
        let verified = if self.verify { Some(verify_writes(context.environment()?, &past).await?) } else { None };
        let code = if verified.as_ref().is_some_and(|verified| !verified.missing.is_empty()) { INCOMPLETE } else { 0 };
        let of_log = || verified.as_ref().map(|verified| format!("\n{}", report::verified(&past.plan.target.tenant, verified)));
        context.answer(
            || report::shown(&run, &status, context.layout()) + &of_log().unwrap_or_default(),
            || report::shown_json(&run, &status, verified.as_ref(), code),
        );
        context.publish(&Report::new(ReportSubject::Run(run), code))?;
        Ok(code)
    }
}

/// Shows the plan in a file, with what is not approved in it.
fn show_plan(context: &Context, path: &Path) -> Result<u8, Failure> {
    let SavedPlan { plan, refusals, approvals, .. } = file::load_saved(path)?;
    let approved = crate::plan::plan_approval::permitted(&approvals);
    let left: Vec<_> = refusals.into_iter().filter_map(|refusal| refusal.unapproved(&approved)).collect();
    context.answer_report(&Report::new(ReportSubject::Plan(PlanView::new(&plan, &left)), 0))?;
    Ok(0)
}
