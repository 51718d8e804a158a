//! A certificate as it is read. It stands once, in the entry that recorded it; its row has
//! what it is found by, and where it stands now.

use std::sync::Arc;

use rusqlite::Row;
use rusqlite::types::Type;

use crate::domain::certificate::Certificate;
use crate::domain::record::{CertificateRow, Record};
use crate::domain::say::Say;
use crate::error::LedgerError;
use crate::tables::certificate_row::read_certificate_state;

use super::entry::{Entry, Fact};

/// The columns that [`read_certificate`] reads, in its order, of rows of `certificates` that
/// are joined by [`WITH_ENTRY`].
pub(crate) const CERTIFICATE: &str = "certificates.serial, certificates.client_id, \
    certificates.image, certificates.state, journal.entry";

/// Rows of `certificates`, each with the entry in which its certificate stands.
pub(crate) const WITH_ENTRY: &str =
    "certificates CROSS JOIN journal ON journal.seq = certificates.issued_seq";

/// Reads a row that begins with the columns of [`CERTIFICATE`].
pub(crate) fn read_certificate(row: &Row<'_>) -> rusqlite::Result<CertificateRow> {
    Ok(CertificateRow {
        serial: row.get(0)?,
        client_id: row.get(1)?,
        image: row.get(2)?,
        state: read_certificate_state(row, 3)?,
        certificate: read_from_entry(row, 4)?,
    })
}

/// Reads the certificate out of the entry in column `index`.
pub(crate) fn read_from_entry(row: &Row<'_>, index: usize) -> rusqlite::Result<Arc<Certificate>> {
    let entry = Entry::decode(row.get_ref(index)?.as_blob()?);
    match entry.map(|entry| (entry.seq, entry.fact)) {
        Ok((_, Fact::Record(Record::Issued(issued), _))) => Ok(issued.certificate),
        Ok((_, Fact::Record(Record::Adopted(adopted), _))) => Ok(adopted.certificate),
        Ok((seq, _)) => Err(unreadable(index, format!("entry {seq} has no certificate"))),
        Err(error) => Err(unreadable(index, format!("a certificate's entry: {error}"))),
    }
}

fn unreadable(index: usize, what: String) -> rusqlite::Error {
    let error = Box::new(LedgerError::Nonsense(Say::same(what)));
    rusqlite::Error::FromSqlConversionFailure(index, Type::Blob, error)
}
