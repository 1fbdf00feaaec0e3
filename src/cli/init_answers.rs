//! What `migrate init` needs to know: from options, variables and files, or from questions at a terminal.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::context::{Context, is_attended};
use super::error::{FAILED, Failure, USAGE};
use crate::config::{self, EnvironmentVariables, FileLookup, Prefix, Settings, domain_problem, is_tenant_name};
use crate::files;
use crate::workflow::{NewConfiguration, NewTenant};

/// How often a question is repeated.
const ATTEMPTS: usize = 3;

/// One of the two tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Where settings come from.
    Source,
    /// Where they go.
    Target,
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
        }
    }

    fn default_name(self) -> &'static str {
        match self {
            Self::Source => "dev",
            Self::Target => "prod",
        }
    }
}

/// What the options say about a tenant.
#[derive(Debug, Clone)]
pub(super) struct GivenTenant {
    /// Which of the two it is.
    pub(super) side: Side,
    /// Its name.
    pub(super) name: Option<String>,
    /// Its domain.
    pub(super) domain: Option<String>,
    /// The client id.
    pub(super) client_id: Option<String>,
    /// A file with the client secret.
    pub(super) secret_file: Option<PathBuf>,
    /// The address of a sandbox.
    pub(super) url: Option<String>,
}

/// A value, and whether it is to be written: what a variable has is not.
#[derive(Debug, Clone, Default)]
enum Answer<T> {
    #[default]
    Missing,
    Given(T),
    Variable,
}

impl<T> Answer<T> {
    fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    fn given(self) -> Option<T> {
        if let Self::Given(value) = self { Some(value) } else { None }
    }
}

/// What is known of a tenant.
#[derive(Debug, Clone)]
struct AnsweredTenant {
    side: Side,
    name: Option<String>,
    domain: Option<String>,
    url: Option<String>,
    client_id: Answer<String>,
    client_secret: Answer<SecretString>,
}

/// What is known of both tenants.
#[derive(Debug, Clone)]
pub(super) struct InitAnswers {
    path: PathBuf,
    tenants: [AnsweredTenant; 2],
    /// The variables of the environment and of `.env`.
    variables: Settings,
}

impl InitAnswers {
    /// Reads what the options, the files that they name, and the variables say.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or a value is invalid.
    pub(super) fn new(path: &Path, given: [GivenTenant; 2]) -> Result<Self, Failure> {
        let variables = variables(path)?;
        let answered = |given: GivenTenant| -> Result<AnsweredTenant, Failure> {
            let GivenTenant { side, name, domain, client_id, secret_file, url } = given;
            let client_secret = match secret_file {
                Some(path) => Answer::Given(secret_in(&path)?),
                None => Answer::Missing,
            };
            let client_id = client_id.map_or(Answer::Missing, Answer::Given);
            let domain = domain.map(|domain| without_scheme(&domain).to_owned());
            Ok(AnsweredTenant { side, name, domain, url, client_id, client_secret })
        };
        let [source, target] = given;
        let answers = Self { path: path.to_owned(), tenants: [answered(source)?, answered(target)?], variables };
        answers.check()?;
        Ok(answers)
    }

    fn check(&self) -> Result<(), Failure> {
        for tenant in &self.tenants {
            let word = tenant.side.word();
            if let Some(name) = tenant.name.as_ref().filter(|name| !is_tenant_name(name)) {
                return Err(
                    Failure::new(USAGE, format!("\"{name}\" of --{word}-name cannot name a tenant")).hint("use letters, digits, - and _")
                );
            }
            if let Some((domain, problem)) = tenant.domain.as_ref().and_then(|domain| Some((domain, domain_problem(domain)?))) {
                return Err(Failure::new(USAGE, format!("\"{domain}\" of --{word}-domain is not a tenant domain: {problem}")));
            }
        }
        Ok(())
    }

    /// Returns whether somebody can be asked.
    pub(super) fn may_ask(context: &Context) -> bool {
        is_attended() && !context.is_json()
    }

    /// Completes what is missing by variables, and by questions where somebody can be asked.
    ///
    /// # Errors
    ///
    /// If something is missing and nobody can be asked, or nobody answers.
    pub(super) async fn complete(&mut self, context: &Context) -> Result<(), Failure> {
        let may_ask = Self::may_ask(context);
        for at in 0..self.tenants.len() {
            if may_ask {
                self.ask_for_tenant(context, at).await?;
            }
            self.take_variables(at);
            if may_ask {
                self.ask_for_credentials(context, at).await?;
            }
        }
        let missing: Vec<String> = self.tenants.iter().flat_map(AnsweredTenant::missing).collect();
        if !missing.is_empty() {
            return Err(Failure::new(USAGE, format!("missing: {}", missing.join(", ")))
                .hint("give them, or run `migrate init` at a terminal, where it asks")
                .with_state("nothing was written"));
        }
        let [source, target] = &self.tenants;
        if source.name() == target.name() {
            return Err(Failure::new(USAGE, format!("source and target are both called \"{}\"", source.name()))
                .hint("name them differently with --source-name and --target-name"));
        }
        if source.domain.is_some() && source.domain == target.domain {
            let domain = source.domain.as_deref().unwrap_or_default();
            return Err(Failure::new(USAGE, format!("source and target are the same tenant, {domain}")).hint("name two tenants"));
        }
        Ok(())
    }

    /// Asks again for the credentials of a tenant.
    ///
    /// # Errors
    ///
    /// If nobody answers.
    pub(super) async fn ask_again(&mut self, context: &Context, name: &str) -> Result<(), Failure> {
        let Some(at) = self.tenants.iter().position(|tenant| tenant.name() == name) else { return Ok(()) };
        self.tenants[at].client_id = Answer::Missing;
        self.tenants[at].client_secret = Answer::Missing;
        self.ask_for_credentials(context, at).await
    }

    /// Returns the configuration, with examples of the domains that are not known.
    pub(super) fn configuration(&self) -> NewConfiguration {
        let [source, target] = self.tenants.clone().map(AnsweredTenant::into_new);
        NewConfiguration { path: self.path.clone(), source, target }
    }

    fn take_variables(&mut self, at: usize) {
        let (variables, tenant) = (&self.variables, &mut self.tenants[at]);
        let prefix = Prefix::of_tenant(tenant.name());
        let is_set = |part: &str| variables.variable(&format!("{prefix}{part}")).is_some();
        if tenant.client_id.is_missing() && is_set("CLIENT_ID") {
            tenant.client_id = Answer::Variable;
        }
        let has_other = is_set("CLIENT_SIGNING_KEY_PATH") || is_set("ACCESS_TOKEN");
        if tenant.client_secret.is_missing() && (is_set("CLIENT_SECRET") || has_other) {
            tenant.client_secret = Answer::Variable;
        }
        if tenant.client_id.is_missing() && is_set("ACCESS_TOKEN") {
            tenant.client_id = Answer::Variable;
        }
    }

    async fn ask_for_tenant(&mut self, context: &Context, at: usize) -> Result<(), Failure> {
        let tenant = &mut self.tenants[at];
        let (word, default) = (tenant.side.word(), tenant.side.default_name());
        if tenant.name.is_none() {
            let check = |name: &str| (!is_tenant_name(name)).then(|| "letters, digits, - and _ only".to_owned());
            tenant.name = Some(ask(context, (&format!("Name of the {word} [{default}]: "), Some(default)), &check).await?);
        }
        if tenant.domain.is_none() {
            let question = format!("Domain of {} (such as acme-{default}.eu.auth0.com): ", tenant.name());
            let problem = |domain: &str| domain_problem(without_scheme(domain));
            tenant.domain = Some(without_scheme(&ask(context, (&question, None), &problem).await?).to_owned());
        }
        Ok(())
    }

    async fn ask_for_credentials(&mut self, context: &Context, at: usize) -> Result<(), Failure> {
        let tenant = &mut self.tenants[at];
        if tenant.client_id.is_missing() {
            let question = format!("Client id of the application for migrate in {}: ", tenant.name());
            let check = |id: &str| id.contains(char::is_whitespace).then(|| "an id has no blanks".to_owned());
            tenant.client_id = Answer::Given(ask(context, (&question, None), &check).await?);
        }
        if tenant.client_secret.is_missing() {
            let question = "Its client secret (not shown): ";
            let secret = context.terminal.ask_secret(question).await.filter(|secret| !secret.expose_secret().is_empty());
            tenant.client_secret = Answer::Given(secret.ok_or_else(unanswered)?);
        }
        Ok(())
    }
}

impl AnsweredTenant {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.side.default_name())
    }

    /// Returns the options that are missing, with the variables that would do instead.
    fn missing(&self) -> Vec<String> {
        let (word, prefix) = (self.side.word(), Prefix::of_tenant(self.name()));
        let domain = self.domain.is_none().then(|| format!("--{word}-domain"));
        let id = self.client_id.is_missing().then(|| format!("--{word}-client-id (or {prefix}CLIENT_ID)"));
        let secret = self.client_secret.is_missing().then(|| format!("--{word}-client-secret-file (or {prefix}CLIENT_SECRET)"));
        [domain, id, secret].into_iter().flatten().collect()
    }

    fn into_new(self) -> NewTenant {
        let name = self.name().to_owned();
        let domain = self.domain.unwrap_or_else(|| format!("acme-{name}.eu.auth0.com"));
        NewTenant { name, domain, url: self.url, client_id: self.client_id.given(), client_secret: self.client_secret.given() }
    }
}

/// Asks until an answer is valid; an empty one means the default.
async fn ask(
    context: &Context,
    (question, default): (&str, Option<&str>),
    problem: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Failure> {
    for _ in 0..ATTEMPTS {
        let answer = context.terminal.ask(question).await.ok_or_else(unanswered)?;
        let answer = if answer.is_empty() { default.unwrap_or_default().to_owned() } else { answer };
        match problem(&answer) {
            _ if answer.is_empty() => context.tell("This needs an answer; Ctrl-C ends without writing anything."),
            Some(problem) => context.tell(&format!("\"{answer}\" is not valid: {problem}")),
            None => return Ok(answer),
        }
    }
    Err(unanswered())
}

/// Returns the domain in an address that was copied from a browser.
fn without_scheme(domain: &str) -> &str {
    domain.strip_prefix("https://").unwrap_or(domain).trim_end_matches('/')
}

fn unanswered() -> Failure {
    Failure::new(FAILED, "a question was not answered").with_state("nothing was written")
}

/// Reads the variables of the environment and of a `.env` file that exists already.
fn variables(path: &Path) -> Result<Settings, Failure> {
    let dotenv = path.with_file_name(".env");
    let held = files::if_exists(files::read_text(&dotenv))?;
    let config = FileLookup { path: path.to_owned(), text: Some(String::new()) };
    let environment: EnvironmentVariables = config::environment();
    Ok(Settings::resolve(config, FileLookup { path: dotenv, text: held }, None, &environment)?)
}

/// Reads a secret from a file, or from standard input.
fn secret_in(path: &Path) -> Result<SecretString, Failure> {
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin()).map_err(files::Error::reading(Path::new("standard input")))?
    } else {
        files::read_text(path)?
    };
    let secret = text.trim_end_matches(['\n', '\r']);
    if secret.is_empty() || secret.contains(['\n', '\r']) {
        let what = format!("\"{}\" must contain one line with the secret, and nothing else", path.display());
        return Err(Failure::new(USAGE, what).with_state("nothing was written"));
    }
    Ok(SecretString::from(secret))
}
