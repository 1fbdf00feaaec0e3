//! `--notify` and `--heartbeat`: webhooks that are notified of the result of a sync.

use clap::Args;
use secrecy::SecretString;
use serde_json::Value;

use super::context::Context;
use super::error::{Failure, INCOMPLETE, OVER, USAGE};
use super::terminal::print_error;
use crate::management_api::webhook::{Error, Webhook};
use crate::report::chat;

/// Hooks as they are asked for.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reporting")]
pub(super) struct Hooks {
    /// Post the result to this webhook if there is something to report (Slack, Teams or similar); env:NAME reads the URL from a variable
    #[arg(long, value_name = "URL")]
    notify: Option<WebhookAddress>,
    /// Ping this URL after each completed run (dead man's switch); env:NAME reads the URL from a variable
    #[arg(long, value_name = "URL")]
    heartbeat: Option<WebhookAddress>,
}

/// The URL of a webhook. Knowing it often suffices to post to it, so it is a secret.
#[derive(Debug, Clone)]
enum WebhookAddress {
    /// The URL is in this environment variable.
    Variable(String),
    /// The URL itself.
    Itself(SecretString),
}

impl From<&str> for WebhookAddress {
    fn from(text: &str) -> Self {
        text.strip_prefix("env:").map_or_else(|| Self::Itself(SecretString::from(text)), |name| Self::Variable(name.to_owned()))
    }
}

/// Webhooks that are ready to be called.
#[derive(Debug, Default)]
pub(super) struct Webhooks {
    notify: Option<Webhook>,
    heartbeat: Option<Webhook>,
}

impl Hooks {
    /// Returns the options as arguments, with URLs from variables only.
    ///
    /// # Errors
    ///
    /// If a URL is given directly: whoever reads it in the arguments could post to it.
    pub(super) fn to_args(&self) -> Result<Vec<String>, Failure> {
        let mut words = Vec::new();
        for (flag, given) in [("--notify", &self.notify), ("--heartbeat", &self.heartbeat)] {
            let Some(given) = given else { continue };
            let WebhookAddress::Variable(name) = given else {
                let error = format!("the URL of {flag} is a secret, and would be part of the unit");
                return Err(Failure::new(USAGE, error).hint(format!("put it into a variable and use {flag} env:NAME")));
            };
            words.extend([flag.to_owned(), format!("env:{name}")]);
        }
        Ok(words)
    }

    /// Checks the URLs before anything else is done.
    pub(super) fn ready(&self, context: &Context) -> Result<Webhooks, Failure> {
        let hook = |flag: &str, given: &Option<WebhookAddress>| given.as_ref().map(|given| hook(context, flag, given)).transpose();
        Ok(Webhooks { notify: hook("--notify", &self.notify)?, heartbeat: hook("--heartbeat", &self.heartbeat)? })
    }
}

fn hook(context: &Context, flag: &str, address: &WebhookAddress) -> Result<Webhook, Failure> {
    let url = match address {
        WebhookAddress::Itself(url) => url.clone(),
        WebhookAddress::Variable(name) => {
            let missing = || Failure::new(USAGE, format!("{flag}: variable {name} is not set"));
            context.environment()?.outside(&format!("env:{name}")).ok_or_else(missing)?
        }
    };
    Webhook::new(url).map_err(|error| Failure::new(USAGE, format!("{flag} cannot be used")).caused_by(&error))
}

impl Webhooks {
    /// Notifies the webhooks; `news` is the line to report, if there is anything. A failing webhook only causes a
    /// message on stderr.
    pub(super) async fn tell(&self, news: Option<&str>, exit: u8) {
        if let (Some(hook), Some(line)) = (&self.notify, news) {
            let message: Value = chat(hook.host(), line);
            warn("--notify", hook.post(&message).await);
        }
        if let Some(hook) = self.heartbeat.as_ref().filter(|_| [0, INCOMPLETE, OVER].contains(&exit)) {
            warn("--heartbeat", hook.get().await);
        }
    }
}

fn warn(flag: &str, called: Result<(), Error>) {
    if let Err(error) = called {
        print_error(&format!("note: {flag} was not delivered: {error}\n"));
    }
}
