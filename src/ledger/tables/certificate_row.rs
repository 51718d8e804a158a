//! What is asked of a certificate's row.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::certificate::CertificateState;
use crate::domain::ids::{CertificateSn, HardwareId, PublicKey, Serial};
use crate::domain::state::UnknownWord;

use super::states::certificate_state;

/// Reads a certificate's state out of column `index`.
pub(crate) fn read_certificate_state(
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
pub(crate) fn resumable(
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
