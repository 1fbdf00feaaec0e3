//! The request log of sandboxes: the file of `--record` or of the environment variable.

use std::path::Path;
use std::sync::Arc;

use super::error::Failure;
use crate::config;
use crate::sandbox::{Options, RequestLog};

/// Opens the file of `--record` or of the environment variable, if either is set.
pub(super) fn open(named: Option<&Path>) -> Result<Option<Arc<RequestLog>>, Failure> {
    let Some(path) = named.map(Path::to_owned).or_else(config::record) else { return Ok(None) };
    Ok(Some(Arc::new(RequestLog::open(&path)?)))
}

/// Makes a sandbox record its requests if the environment variable is set.
pub(super) fn recorded(options: Options) -> Result<Options, Failure> {
    Ok(match open(None)? {
        Some(record) => options.request_log(record),
        None => options,
    })
}
