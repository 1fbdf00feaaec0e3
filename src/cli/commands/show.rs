//! `migrate show`

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::Failure;
use crate::cli::past_run::{resume_of, status_of};
use crate::report;
use crate::workflow::history::PastRun;

/// Show the plan of a run, and the outcome of each change
#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    /// The run, as `migrate runs` lists it
    #[arg(value_name = "RUN")]
    run: String,
}

impl ShowArgs {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<u8, Failure> {
        let past = PastRun::load(context.environment()?, &self.run)?;
        let (resume, cost) = (resume_of(context, &past), report::RunCost::default());
        let run = report::RunReport { plan: &past.plan, summary: &past.summary, cost, folder: &past.folder, resume: &resume };
        let told = status_of(context, &past)?;
        context.answer(|| report::shown(&run, &told, context.layout()), || report::shown_json(&run, &told, 0));
        Ok(0)
    }
}
