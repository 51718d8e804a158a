//! How an entry becomes durable: appended, put into the tables, signed, committed.

use rusqlite::{Connection, params};

use crate::apply::{Held, apply_next};
use crate::cut;
use crate::domain::cause::cause;
use crate::domain::evidence::HeadSigner;
use crate::error::LedgerError;
use crate::journal::entry::{Entry, InstanceId, Kind};
use crate::journal::head::{Head, SignedHead};
use crate::tables::sql::stored;

/// Appends an entry behind this head and puts it into the tables, but for what is held. The head
/// moves on.
pub(super) fn append(
    head: &mut Head,
    connection: &Connection,
    entry: &Entry,
    held: &mut Held,
) -> Result<(), LedgerError> {
    let wrong = |error: serde_json::Error| LedgerError::Nonsense(cause(&error));
    let bytes = entry.encode().map_err(wrong)?;
    let hash = head.hash.of_next(&bytes);
    let sql = "INSERT INTO journal VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute(params![stored(entry.seq), bytes, hash.0])?;
    apply_next(connection, entry, held)?;
    *head = Head { seq: entry.seq, hash };
    Ok(())
}

/// Appends one entry and signs it, within the caller's transaction.
pub(crate) fn append_signed(
    connection: &Connection,
    head: &mut Head,
    instance: &InstanceId,
    entry: &Entry,
    signer: &dyn HeadSigner,
) -> Result<SignedHead, LedgerError> {
    let mut held = Held::nothing(connection)?;
    append(head, connection, entry, &mut held)?;
    held.save(connection)?;
    SignedHead::make(connection, instance, *head, signer)
}

/// The only COMMIT of entries, which are of these kinds.
pub(crate) fn commit(connection: &Connection, kinds: &[Kind]) -> Result<(), LedgerError> {
    let point = |side| kinds.iter().for_each(|kind| cut::point(side, kind.as_str()));
    point(cut::Kind::Record);
    connection.execute_batch("COMMIT").map_err(LedgerError::write)?;
    point(cut::Kind::Recorded);
    Ok(())
}
