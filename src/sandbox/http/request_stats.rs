//! The requests that a sandbox received, one by one and as statistics.

/// One request to the Management API that the sandbox received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// `GET`, `POST`, ..
    pub method: String,
    /// The path under `/api/v2`, with its query.
    pub path: String,
    /// The status of the response; 0 if the connection was cut.
    pub status: u16,
    /// The `X-Correlation-ID` header.
    pub correlation: Option<String>,
    /// Whether the method may change something.
    pub is_write: bool,
    /// How many requests were in flight when it arrived, itself included.
    pub in_flight: usize,
}

/// Statistics of the requests to a tenant so far; token requests are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestStats {
    /// Reads.
    pub reads: usize,
    /// Writes.
    pub writes: usize,
    /// How many of both were refused with 429.
    pub refused: usize,
    /// The highest number of requests in flight at the same time.
    pub max_in_flight: usize,
}
