//! A certificate's row as it is read.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::certificate::{Certificate, CertificateState};
use crate::domain::ids::{CertificateSn, HardwareId, PublicKey, Serial};
use crate::domain::record::CertificateRow;
use crate::domain::state::UnknownWord;

use super::states::certificate_state;

/// The columns that [`read_certificate`] reads, in its order.
pub(in crate::ledger) const CERTIFICATE: &str = "serial, client_id, image, state, sn, der, fingerprint, \
    public_key, issuer, not_before, not_after";

/// Reads a row that begins with the columns of [`CERTIFICATE`].
pub(in crate::ledger) fn read_certificate(row: &Row<'_>) -> rusqlite::Result<CertificateRow> {
    let certificate = Certificate {
        sn: row.get(4)?,
        der: row.get::<_, Arc<[u8]>>(5)?,
        fingerprint: row.get(6)?,
        public_key: row.get(7)?,
        issuer: row.get(8)?,
        not_before: row.get(9)?,
        not_after: row.get(10)?,
    };
    Ok(CertificateRow {
        serial: row.get(0)?,
        client_id: row.get(1)?,
        image: row.get(2)?,
        state: read_certificate_state(row, 3)?,
        certificate: Arc::new(certificate),
    })
}

/// Reads a certificate's state out of column `index`.
pub(in crate::ledger) fn read_certificate_state(
    row: &Row<'_>,
    index: usize,
) -> rusqlite::Result<CertificateState> {
    let word: String = row.get(index)?;
    certificate_state(&word).ok_or_else(|| {
        let wrong = Box::new(UnknownWord(word));
        rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, wrong)
    })
}

/// The certificate for this key that was issued for this unit on this device, and neither
/// asked for nor made void.
pub(in crate::ledger) fn resumable(
    connection: &Connection,
    serial: &Serial,
    hardware: &HardwareId,
    public_key: &PublicKey,
) -> rusqlite::Result<Option<CertificateSn>> {
    let sql = "SELECT certificates.sn FROM certificates JOIN attempts USING (serial, attempt)
        WHERE public_key = ?1 AND serial = ?2 AND hardware = ?3 AND state = 'issued'";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params![public_key, serial, hardware], |row| row.get(0)).optional()
}
