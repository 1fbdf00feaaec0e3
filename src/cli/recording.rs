//! Where the sandboxes of a command line put on record what they are asked.

use std::path::Path;
use std::sync::Arc;

use super::error::Failure;
use crate::config;
use crate::sandbox::{Options, RequestLog};

/// Opens the file that was named with `--record`, or in the environment; nothing where neither names one.
pub(super) fn open(named: Option<&Path>) -> Result<Option<Arc<RequestLog>>, Failure> {
    let Some(path) = named.map(Path::to_owned).or_else(config::record) else { return Ok(None) };
    Ok(Some(Arc::new(RequestLog::open(&path)?)))
}

/// Puts what a sandbox is asked on record, where the environment says so.
pub(super) fn recorded(options: Options) -> Result<Options, Failure> {
    Ok(match open(None)? {
        Some(record) => options.request_log(record),
        None => options,
    })
}
