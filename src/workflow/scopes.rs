//! The scopes that a token needs to read or to write kinds of a tenant.

use std::collections::BTreeSet;

use crate::catalog::Kind;

/// What a tenant is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TenantAccess {
    /// It is read, as a source or for a plan.
    Read,
    /// It is read and written, as a target.
    Write,
}

/// Returns the scopes that a token needs for these kinds. Deletes need more, and only if `--prune` asks for them.
pub(crate) fn needed_scopes<'kind>(kinds: impl IntoIterator<Item = &'kind Kind>, access: TenantAccess) -> BTreeSet<&'static str> {
    let of_kind = |kind: &Kind| {
        let (to_read, to_write) = kind.quirks.extra_scopes;
        let reading = [kind.scopes.read, to_read];
        match access {
            TenantAccess::Read => reading.concat(),
            TenantAccess::Write => [&reading[..], &[kind.scopes.create, kind.scopes.update, to_write]].concat().concat(),
        }
    };
    kinds.into_iter().flat_map(of_kind).collect()
}
