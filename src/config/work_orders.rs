//! `[work_orders]`: grants, and the key that gives them.

use std::path::{Path, PathBuf};

use super::kinds::{FilePath, under};
use super::raw;

/// `[work_orders]`
#[derive(Debug, Clone)]
pub struct WorkOrderSettings {
    /// A unit begins only under a grant.
    pub require_grant: bool,
    /// The CAs or roots that certify order keys; none for the station's own CA.
    pub root: Option<PathBuf>,
    /// Where orders are made: the order key.
    pub key: PathBuf,
    /// Its certificate.
    pub certificate: PathBuf,
    /// The file that holds its passphrase.
    pub passphrase_file: Option<PathBuf>,
}

pub(super) fn work_orders(raw: raw::WorkOrders, dir: &Path) -> WorkOrderSettings {
    let file = |path: Option<FilePath>, name| under(path, dir).unwrap_or_else(|| dir.join(name));
    WorkOrderSettings {
        require_grant: raw.require_grant.unwrap_or(false),
        root: under(raw.root, dir),
        key: file(raw.key, "orders.key"),
        certificate: file(raw.certificate, "orders.pem"),
        passphrase_file: under(raw.passphrase_file, dir),
    }
}
