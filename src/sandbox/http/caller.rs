//! Who a token belongs to, as the tenant's log names them.

/// Who a token belongs to: a machine, or an administrator who uses the dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The client that the token was issued to.
    pub(crate) client_id: String,
    /// The administrator, if a person acts through the client.
    pub(crate) person: Option<DashboardUser>,
    /// The address that the requests come from.
    pub(crate) ip: String,
}

/// An administrator of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DashboardUser {
    /// `google-oauth2|1052612`
    pub(crate) user_id: String,
    /// The name of the person.
    pub(crate) name: String,
    /// The address of the person.
    pub(crate) email: String,
}

/// The client of the dashboard, as events name it (public samples of `sapi` events of 2022 to 2025 have ids like this one).
const DASHBOARD: &str = "1HXWWGKk1Zj3JF8GvMrnCSirccDs4qvr";

impl Caller {
    /// Returns a machine that signs in as this client, on this computer.
    #[must_use]
    pub fn client(client_id: &str) -> Self {
        Self { client_id: client_id.to_owned(), person: None, ip: "127.0.0.1".to_owned() }
    }

    /// Returns an administrator who uses the dashboard.
    #[must_use]
    pub fn administrator(user_id: &str, name: &str, email: &str) -> Self {
        let person = DashboardUser { user_id: user_id.to_owned(), name: name.to_owned(), email: email.to_owned() };
        Self { person: Some(person), ..Self::client(DASHBOARD) }
    }

    /// Sets the address that the requests come from.
    #[must_use]
    pub fn from_ip(self, ip: &str) -> Self {
        Self { ip: ip.to_owned(), ..self }
    }
}
