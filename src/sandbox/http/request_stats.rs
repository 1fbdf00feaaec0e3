//! What a sandbox was asked, request by request and in numbers.

/// One request to the Management API, as the sandbox saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// `GET`, `POST`, ..
    pub method: String,
    /// The path under `/api/v2`, with its query.
    pub path: String,
    /// The status that was answered; 0 where the connection was cut.
    pub status: u16,
    /// The `X-Correlation-ID` it carried.
    pub correlation: Option<String>,
    /// Whether it was meant to change something.
    pub is_write: bool,
    /// How many requests were being answered when it came, itself included.
    pub at_once: usize,
}

/// What a tenant was asked so far, in numbers; tokens apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestStats {
    /// Requests that only read.
    pub reads: usize,
    /// Requests that were meant to change something.
    pub writes: usize,
    /// How many of both were refused as too many.
    pub refused: usize,
    /// The most that were being answered at the same time.
    pub at_once: usize,
}
