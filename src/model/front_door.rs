//! What the front door of a tenant answers: the addresses at which people sign in, as opposed to the Management API.

/// The answer to one request, before anybody judges it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrontDoorAnswer {
    /// A response arrived. Redirects are never followed: where it leads is the answer.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The `Location` header, if there is one.
        location: Option<String>,
        /// The first part of the body.
        body: Vec<u8>,
    },
    /// No response arrived, for this reason.
    Unreachable(String),
}
