//! The threads of an audit and of a restore; a system that gives none is told, not panicked on.

use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::error::LedgerError;

/// Starts one that ends with who started it.
pub(crate) fn start<'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    what: &'static str,
    work: impl FnOnce() -> R + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, R>, LedgerError> {
    let started = Builder::new().name(what.to_owned()).spawn_scoped(scope, work);
    started.map_err(|source| LedgerError::Thread { what, source })
}
