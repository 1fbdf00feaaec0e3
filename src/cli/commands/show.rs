//! `migrate show`

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::Failure;
use crate::cli::history::PastRun;
use crate::report;

/// Show what a run was to do, and how each change of it ended
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// The run, as `migrate runs` lists it
    #[arg(value_name = "RUN")]
    run: String,
}

impl Show {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<u8, Failure> {
        let past = PastRun::load(context, &self.run)?;
        let (resume, effort) = (past.resume(context), report::Effort::default());
        let run = report::EndedRun { plan: &past.plan, summary: &past.summary, effort, folder: &past.folder, resume: &resume };
        let told = past.told(context)?;
        context.answer(|| report::shown(&run, &told), || report::shown_json(&run, &told, 0));
        Ok(0)
    }
}
