//! The credentials with which migrate authenticates to a tenant, from environment variables.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::variables::{Part, Variables};
use super::{Error, TenantSettings};
use crate::files;

pub use crate::model::credentials::Credentials;

/// The variables of one tenant, and where missing ones could be set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'settings> {
    pub(super) tenant: &'settings TenantSettings,
    pub(super) variables: &'settings Variables,
    pub(super) dotenv: &'settings Path,
}

impl<'settings> Asked<'settings> {
    /// Returns the credentials in the variables, reading the private key from its file.
    pub(super) fn credentials(self) -> Result<Credentials, Error> {
        match self.way()? {
            Part::AccessToken => {
                let [token] = self.values([Part::AccessToken])?;
                Ok(Credentials::Token(token.clone()))
            }
            Part::SigningKeyPath => {
                let [client_id, _] = self.values([Part::ClientId, Part::SigningKeyPath])?;
                let path = self.variables.path(&self.name(Part::SigningKeyPath)).unwrap_or_default();
                let pem = files::read_text(&path)?;
                Ok(Credentials::Key { client_id: client_id.expose_secret().to_owned(), pem: SecretString::from(pem) })
            }
            Part::ClientId | Part::ClientSecret => {
                let [client_id, client_secret] = self.values([Part::ClientId, Part::ClientSecret])?;
                Ok(Credentials::Secret { client_id: client_id.expose_secret().to_owned(), client_secret: client_secret.clone() })
            }
        }
    }

    /// Returns the names of the variables for the credentials.
    pub(super) fn names(self) -> Result<Vec<String>, Error> {
        let parts: &[Part] = match self.way()? {
            Part::AccessToken => &[Part::AccessToken],
            Part::SigningKeyPath => &[Part::ClientId, Part::SigningKeyPath],
            Part::ClientId | Part::ClientSecret => &[Part::ClientId, Part::ClientSecret],
        };
        Ok(parts.iter().map(|part| self.name(*part)).collect())
    }

    /// Returns the variable that decides the method: the one of three that is set, otherwise the secret.
    fn way(self) -> Result<Part, Error> {
        let ways = [Part::ClientSecret, Part::SigningKeyPath, Part::AccessToken].into_iter();
        let mut set = ways.filter(|way| self.tenant.prefix.parts().contains(way) && self.variables.has(&self.name(*way)));
        match (set.next(), set.next()) {
            (Some(one), Some(other)) => {
                Err(Error::TwoWays { tenant: self.tenant.name.clone(), one: self.name(one), other: self.name(other) })
            }
            (one, _) => Ok(one.unwrap_or(Part::ClientSecret)),
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
