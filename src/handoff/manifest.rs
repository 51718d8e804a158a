//! The manifest: which certificates a hand-off holds, and the digest of each of its files.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::domain::certificate::Proof;
use crate::domain::ids::{CertificateSn, ClientId, Fingerprint, Serial, WorkOrderId, to_hex};
use crate::ledger::views::ExportRow;

/// The form of manifest that this program writes.
pub(super) const VERSION: u32 = 1;

/// A manifest's first fields; its certificates follow.
#[derive(Debug, Serialize)]
pub(super) struct Head<'a> {
    pub(super) manifest: u32,
    pub(super) station: &'a str,
    pub(super) product: &'a str,
    pub(super) format: &'static str,
    /// The one file of a table, and its SHA-256; a zip has a file for each certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<&'a str>,
}

/// One certificate of a hand-off, as manifests and tables have it.
#[derive(Debug, Serialize)]
pub(super) struct Entry<'a> {
    pub(super) serial: &'a Serial,
    pub(super) client_id: &'a ClientId,
    pub(super) certificate_sn: CertificateSn,
    pub(super) fingerprint_sha256: Fingerprint,
    /// How strongly the device showed that it holds it.
    pub(super) proof: &'static str,
    pub(super) work_order: Option<&'a WorkOrderId>,
    pub(super) registered: bool,
    pub(super) issuer_sha256: Fingerprint,
    pub(super) not_before: String,
    pub(super) not_after: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pem: Option<&'a str>,
}

impl<'a> Entry<'a> {
    pub(super) fn of(row: &'a ExportRow) -> Self {
        let certificate = &row.row.certificate;
        Self {
            serial: &row.row.serial,
            client_id: &row.row.client_id,
            certificate_sn: certificate.sn,
            fingerprint_sha256: certificate.fingerprint,
            proof: row.proof.unwrap_or(Proof::None).as_str(),
            work_order: row.work_order.as_ref(),
            registered: row.registered,
            issuer_sha256: certificate.issuer,
            not_before: certificate.not_before.to_string(),
            not_after: certificate.not_after.to_string(),
            file: None,
            sha256: None,
            pem: None,
        }
    }
}

/// SHA-256 as lowercase hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}
