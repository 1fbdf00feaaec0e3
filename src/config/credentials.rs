//! The credentials with which migrate authenticates to a tenant, from environment variables or from a command.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::TenantSettings;
use super::error::Error;
use super::secret_command::{KnownSecrets, SecretCommand};
use super::variables::{Part, Variables};
use crate::files;

pub use crate::model::credentials::Credentials;

/// The variables of one tenant, and where missing ones could be set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'settings> {
    pub(super) tenant: &'settings TenantSettings,
    pub(super) variables: &'settings Variables,
    pub(super) dotenv: &'settings Path,
}

/// How to sign in to a tenant.
enum SignIn<'settings> {
    /// As the variable says that is set.
    Variable(Part),
    /// With the secret that this command prints.
    Command(&'settings SecretCommand),
}

impl<'settings> Asked<'settings> {
    /// Returns the credentials, reading the private key from its file or running the command for the secret.
    pub(super) fn credentials(self, known: &KnownSecrets) -> Result<Credentials, Error> {
        let with_secret = |client_id: &SecretString, client_secret: SecretString| Credentials::Secret {
            client_id: client_id.expose_secret().to_owned(),
            client_secret,
        };
        match self.sign_in()? {
            SignIn::Variable(Part::AccessToken) => {
                let [token] = self.values([Part::AccessToken])?;
                Ok(Credentials::Token(token.clone()))
            }
            SignIn::Variable(Part::SigningKeyPath) => {
                let [client_id, _] = self.values([Part::ClientId, Part::SigningKeyPath])?;
                let path = self.variables.path(&self.name(Part::SigningKeyPath)).unwrap_or_default();
                let pem = files::read_text(&path)?;
                Ok(Credentials::Key { client_id: client_id.expose_secret().to_owned(), pem: SecretString::from(pem) })
            }
            SignIn::Variable(Part::ClientId | Part::ClientSecret) => {
                let [client_id, client_secret] = self.values([Part::ClientId, Part::ClientSecret])?;
                Ok(with_secret(client_id, client_secret.clone()))
            }
            SignIn::Command(command) => {
                let [client_id] = self.values([Part::ClientId])?;
                Ok(with_secret(client_id, known.of(&self.tenant.name, command)?))
            }
        }
    }

    /// Checks everything but the command; returns where the credentials come from.
    pub(super) fn check(self) -> Result<&'static str, Error> {
        match self.sign_in()? {
            SignIn::Variable(_) => self.credentials(&KnownSecrets::default()).map(|_| "set"),
            SignIn::Command(_) => self.values([Part::ClientId]).map(|_| "client_secret_command"),
        }
    }

    /// Returns the client whose secret the command prints, if it does.
    pub(super) fn client_of_command(self) -> Option<String> {
        match self.sign_in().ok()? {
            SignIn::Variable(_) => None,
            SignIn::Command(_) => Some(self.variables.get(&self.name(Part::ClientId))?.expose_secret().to_owned()),
        }
    }

    /// Returns the names of the variables for the credentials.
    pub(super) fn names(self) -> Result<Vec<String>, Error> {
        let parts: &[Part] = match self.sign_in()? {
            SignIn::Variable(Part::AccessToken) => &[Part::AccessToken],
            SignIn::Variable(Part::SigningKeyPath) => &[Part::ClientId, Part::SigningKeyPath],
            SignIn::Variable(Part::ClientId | Part::ClientSecret) => &[Part::ClientId, Part::ClientSecret],
            SignIn::Command(_) => &[Part::ClientId],
        };
        Ok(parts.iter().map(|part| self.name(*part)).collect())
    }

    /// Returns how to sign in: by the variable of three that is set; otherwise by the command, or else the secret.
    fn sign_in(self) -> Result<SignIn<'settings>, Error> {
        let ways = [Part::ClientSecret, Part::SigningKeyPath, Part::AccessToken].into_iter();
        let mut set = ways.filter(|way| self.tenant.prefix.parts().contains(way) && self.variables.has(&self.name(*way)));
        match (set.next(), set.next(), &self.tenant.secret_command) {
            (Some(one), Some(other), _) => {
                Err(Error::TwoWays { tenant: self.tenant.name.clone(), one: self.name(one), other: self.name(other) })
            }
            (Some(one), None, _) => Ok(SignIn::Variable(one)),
            (None, _, Some(command)) => Ok(SignIn::Command(command)),
            (None, _, None) => Ok(SignIn::Variable(Part::ClientSecret)),
        }
    }

    /// Returns the values of these variables; an error lists all missing ones.
    fn values<const N: usize>(self, parts: [Part; N]) -> Result<[&'settings SecretString; N], Error> {
        let found = parts.iter().filter_map(|part| self.variables.get(&self.name(*part))).collect::<Vec<_>>();
        found.try_into().map_err(|_| {
            let missing = parts.map(|part| self.name(part)).into_iter().filter(|name| !self.variables.has(name));
            let missing = missing.collect::<Vec<_>>().join(" and ");
            Error::WithoutCredentials { tenant: self.tenant.name.clone(), missing, dotenv: self.dotenv.to_owned() }
        })
    }

    fn name(self, part: Part) -> String {
        self.tenant.prefix.name(part)
    }
}
