//! `migrate init`

use std::path::{Path, PathBuf};

use clap::Args;

use super::schema::{published, schema_text};
use super::validate::refuse_findings;
use crate::cli::context::Context;
use crate::cli::dry_run::{Next, Planned, Stop};
use crate::cli::error::{DENIED, FAILED, Failure, USAGE};
use crate::cli::init_answers::{GivenTenant, InitAnswers, Side};
use crate::cli::terminal::columns;
use crate::config;
use crate::model::approval::Approvals;
use crate::model::checkup::{Check, CheckStatus, CheckSubject, Checkup};
use crate::report::{self, SetUpEntry, shell_word};
use crate::workflow::{
    CheckupScope, Environment, FileOutcome, NewConfiguration, Review, Route, SetUpFile, SuggestedMapping, check_mapping, examine, prepare,
    suggest_mapping, unapproved,
};

/// How often credentials that a tenant does not accept are asked for.
const ATTEMPTS: usize = 3;

/// Set up a folder for two tenants: configuration, credentials and a first mapping
///
/// Asks for a source and a target, signs in to both, says which scopes are missing and where to grant them, and writes migrate.toml, .env
/// (readable by you only), .gitignore and a mapping that it suggests from what differs between the two tenants, and the schemas by which
/// editors complete and check them. Ends with the first plan. Writes nothing to a tenant.
///
/// Without a terminal, pass everything as options. Secrets come from a file, from standard input, or from the variable that migrate reads
/// anyway, such as MIGRATE_PROD_CLIENT_SECRET. Values of variables are not written to .env.
///
/// If migrate.toml exists, init stops. Otherwise it adds missing lines to .env and .gitignore, and keeps an existing mapping.
#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    /// The name of the source [default: dev]
    #[arg(long, value_name = "NAME")]
    source_name: Option<String>,
    /// The domain of the source: the tenant's own, as the dashboard shows it
    #[arg(long, value_name = "DOMAIN")]
    source_domain: Option<String>,
    /// The client id of the application that migrate signs in to the source with
    #[arg(long, value_name = "ID")]
    source_client_id: Option<String>,
    /// A file with the secret of that application; - reads standard input
    #[arg(long, value_name = "FILE")]
    source_client_secret_file: Option<PathBuf>,
    /// The address of a sandbox in the place of the source
    #[arg(long, value_name = "URL")]
    source_url: Option<String>,
    /// The name of the target [default: prod]
    #[arg(long, value_name = "NAME")]
    target_name: Option<String>,
    /// The domain of the target
    #[arg(long, value_name = "DOMAIN")]
    target_domain: Option<String>,
    /// The client id of the application that migrate signs in to the target with
    #[arg(long, value_name = "ID")]
    target_client_id: Option<String>,
    /// A file with the secret of that application; - reads standard input
    #[arg(long, value_name = "FILE")]
    target_client_secret_file: Option<PathBuf>,
    /// The address of a sandbox in the place of the target
    #[arg(long, value_name = "URL")]
    target_url: Option<String>,
}

impl InitArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let path = context.new_configuration();
        let mut answers = InitAnswers::new(&path, self.given())?;
        if path.exists() {
            return Err(exists(context, &path, &answers));
        }
        answers.complete(context).await?;
        let (configuration, checkup) = signed_in(context, &mut answers).await?;
        let mut files = configuration.write_credentials()?;
        let [of_configuration, of_mapping] = ["config", "mapping"].map(text_of_schema);
        files.extend(configuration.write_schemas(&of_configuration, &of_mapping)?);
        let environment = in_memory(context, &configuration)?;
        let suggested = suggested(context, &environment, &configuration).await;
        let mapping = match &suggested {
            Ok(suggested) => {
                files.push(configuration.write_mapping(&suggested.text)?);
                Some(configuration.mapping())
            }
            Err(_) => None,
        };
        files.push(configuration.write(mapping.as_deref())?);
        let entries: Vec<SetUpEntry> = files.iter().map(entry).collect();
        let suggested = match suggested {
            Ok(suggested) => suggested,
            Err(failure) => return Ok(without_a_plan(context, (&entries, &checkup), failure)),
        };
        plan(context, &configuration, (&entries, &checkup, &suggested)).await
    }

    fn given(&self) -> [GivenTenant; 2] {
        [
            GivenTenant {
                side: Side::Source,
                name: self.source_name.clone(),
                domain: self.source_domain.clone(),
                client_id: self.source_client_id.clone(),
                secret_file: self.source_client_secret_file.clone(),
                url: self.source_url.clone(),
            },
            GivenTenant {
                side: Side::Target,
                name: self.target_name.clone(),
                domain: self.target_domain.clone(),
                client_id: self.target_client_id.clone(),
                secret_file: self.target_client_secret_file.clone(),
                url: self.target_url.clone(),
            },
        ]
    }
}

/// Returns the text of the file of a published schema.
fn text_of_schema(name: &str) -> String {
    let schema = published().into_iter().find(|(known, _)| *known == name);
    schema_text(&schema.expect("the schemas of files that people write are published").1)
}

/// Checks what was written, and ends with the first plan.
async fn plan(
    context: &Context,
    configuration: &NewConfiguration,
    (files, checkup, suggested): (&[SetUpEntry], &Checkup, &SuggestedMapping),
) -> Result<u8, Failure> {
    let environment = context.environment()?;
    let target = context.tenant_settings(Some(&configuration.target.name))?;
    if let Some(path) = &target.mapping {
        let (_, findings) = check_mapping(environment, path)?;
        refuse_findings(&findings, path)?;
    }
    let command = format!("migrate plan --tenant {}", shell_word(&target.name));
    if context.is_json() {
        let rules = Some(suggested.suggestions.len());
        context.answer(String::new, || report::set_up_json(files, (checkup, rules), &context.command(command, []), 0));
        return Ok(0);
    }
    context.show(|| {
        let rules = report::count(suggested.suggestions.len(), "rule");
        format!(
            "{}\n{rules} suggested; read them before the first import. The first plan, which writes nothing:\n\n",
            report::set_up(files)
        )
    });
    let source = format!("{}@latest", configuration.source.name);
    let route = Route { target: target.name.clone(), source: Some(source.clone()), ..Route::default() };
    let prepared = prepare(environment, &route).await?;
    let left = unapproved(prepared.refusals.clone(), &Approvals::default(), target, Review::Here);
    let planned = Planned { plan: &prepared.plan, refusals: &prepared.refusals, unapproved: &left, estimate: Some(prepared.estimate()) };
    let import = format!("migrate import --tenant {}", shell_word(&target.name));
    // Whatever the plan says, the folder is set up.
    Stop::after_plan(None, None).after(context, planned, Next { command: import, allow: Vec::new(), flags: Vec::new() })?;
    Ok(0)
}

/// Returns the failure of a folder that is set up already, with what would have been written.
fn exists(context: &Context, path: &Path, answers: &InitAnswers) -> Failure {
    context.show(|| format!("It would contain:\n\n{}\n", answers.configuration().text(None)));
    Failure::new(USAGE, format!("\"{}\" exists already, and nothing is overwritten", path.display()))
        .hint("add the tenants there yourself, then run `migrate doctor`; or set up another folder with --config FOLDER/migrate.toml")
        .with_state("nothing was written")
}

/// Signs in to both tenants; asks again for credentials that are not accepted, where somebody can be asked.
async fn signed_in(context: &Context, answers: &mut InitAnswers) -> Result<(NewConfiguration, Checkup), Failure> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let configuration = answers.configuration();
        let environment = in_memory(context, &configuration)?;
        let kinds = context.catalog.kinds().collect();
        let checkup = of_tenants(examine(&environment, &CheckupScope { tenant: None, kinds }).await);
        let Some(failure) = checkup.checks.iter().find(|check| check.status == CheckStatus::Failure && is_about_sign_in(check.check))
        else {
            context.show(|| report::checkup_of_tenants(&checkup, columns(std::io::stdout())));
            return Ok((configuration, checkup));
        };
        let tenant = failure.tenant.clone().unwrap_or_default();
        let is_denied = checkup.tenants.iter().any(|one| one.name == tenant && one.is_denied);
        if attempts == ATTEMPTS || !is_denied || !InitAnswers::may_ask(context) {
            return Err(not_signed_in(failure, is_denied));
        }
        context.tell(&format!("Cannot sign in to {tenant}: {}\n{}", failure.fact, failure.advice.clone().unwrap_or_default()));
        answers.ask_again(context, &tenant).await?;
    }
}

fn is_about_sign_in(check: CheckSubject) -> bool {
    matches!(check, CheckSubject::Network | CheckSubject::Credentials | CheckSubject::SignIn | CheckSubject::Tenant)
}

fn not_signed_in(check: &Check, is_denied: bool) -> Failure {
    let code = if is_denied { DENIED } else { FAILED };
    let tenant = check.tenant.clone().unwrap_or_default();
    Failure::new(code, format!("cannot sign in to \"{tenant}\""))
        .with_causes(vec![check.fact.clone()])
        .hint(check.advice.clone().unwrap_or_default())
        .with_state("nothing was written")
}

/// Returns the checks that need an answer of a tenant: the rest is about files that do not exist yet.
fn of_tenants(checkup: Checkup) -> Checkup {
    use CheckSubject::{Client, Credentials, Network, Scopes, SignIn, Tenant};
    let is_meant = |check: &Check| check.tenant.is_some() && [Client, Credentials, Network, Scopes, SignIn, Tenant].contains(&check.check);
    Checkup { checks: checkup.checks.into_iter().filter(is_meant).collect(), ..checkup }
}

/// Returns the environment of a configuration that is not written yet.
fn in_memory(context: &Context, configuration: &NewConfiguration) -> Result<Environment, Failure> {
    let settings = configuration.settings(context.dir(), &config::environment())?;
    Ok(Environment::new(settings, context.terminal.clone()))
}

async fn suggested(context: &Context, environment: &Environment, configuration: &NewConfiguration) -> Result<SuggestedMapping, Failure> {
    context.tell("Reading both tenants, to suggest a mapping");
    let suggested = suggest_mapping(environment, (None, &configuration.target.name), None).await?;
    match suggested.unread.as_slice() {
        [] => Ok(suggested),
        unread => Err(Failure::new(DENIED, format!("the token may read nothing of {}", unread.join(" and ")))),
    }
}

/// Ends without a plan, since a tenant cannot be read yet.
fn without_a_plan(context: &Context, (files, checkup): (&[SetUpEntry], &Checkup), failure: Failure) -> u8 {
    let code = failure.code();
    let next = context.command("migrate doctor".to_owned(), []);
    let reasons = failure.into_causes().join(": ");
    let text = || {
        format!(
            "{}\nNo mapping was suggested and nothing was planned: {reasons}.\nCorrect what is listed above. Then run:\n  {next}\n",
            report::set_up(files)
        )
    };
    context.answer(text, || report::set_up_json(files, (checkup, None), &next, code));
    code
}

fn entry(file: &SetUpFile) -> SetUpEntry {
    let outcome = match file.outcome {
        FileOutcome::Created => "created",
        FileOutcome::Extended => "extended",
        FileOutcome::Unchanged => "unchanged",
    };
    SetUpEntry { path: file.path.clone(), outcome, kept: file.kept.clone() }
}
