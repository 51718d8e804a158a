//! The store that a command line names.

use crate::app::fleet::Opened;
use crate::cli::Database;

/// The store of `--database`.
pub(super) fn opened(database: &Database) -> Opened<'_> {
    Opened { url: &database.database, ca: database.roots.database_ca.as_deref() }
}
