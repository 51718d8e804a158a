//! Whether the notes of heads outside the ledger agree with what is in it.
//!
//! **Cut**: the ledger is shorter than a witness knows, and its own tables or heads tell
//! of the missing entries. **Rolled back**: it is whole, and older than a witness knows,
//! or it went on from such an older copy, so that the same number names another entry.

use rusqlite::{Connection, OptionalExtension};

use crate::domain::ids::{PublicKey, StationId};
use crate::error::LedgerError;
use crate::tables::sql::{counted, stored};

use super::entry::{Hash, InstanceId};
use super::head::{Head, SignedHead};
use super::note::Note;
use crate::say;

/// Whose ledger it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) station: StationId,
    pub(crate) instance: InstanceId,
}

impl Owner {
    /// Whose the open ledger is; none where it has no first entry yet.
    pub(crate) fn read(connection: &Connection) -> Result<Option<Owner>, LedgerError> {
        let sql = "SELECT station, instance FROM ledger";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Owner { station: row.get(0)?, instance: InstanceId(row.get(1)?) })
        };
        Ok(connection.query_row(sql, [], read).optional()?)
    }
}

/// The last entry that the ledger's own tables and heads know of.
fn known_inside(connection: &Connection) -> Result<u64, LedgerError> {
    let sql = "SELECT max((SELECT max(last_seq) FROM ledger),
        (SELECT coalesce(max(seq), 0) FROM heads))";
    Ok(counted(connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0))?.unwrap_or(0)))
}

/// Refuses a journal whose own tables know of entries that it lacks, or whose last entry
/// is not signed. Run in one transaction with what follows.
pub(crate) fn check_inside(connection: &Connection) -> Result<Head, LedgerError> {
    let head = Head::read(connection)?;
    let known = known_inside(connection)?;
    if known > head.seq {
        let witness = "its own table".to_owned();
        return Err(LedgerError::Cut { last: head.seq, known, witness });
    }
    match SignedHead::newest(connection)? {
        Some(signed) if signed.head.seq == head.seq => Ok(head),
        signed => Err(LedgerError::Journal {
            entry: signed.map_or(0, |signed| signed.head.seq) + 1,
            why: say!("no signed head covers it", "没有签名的头覆盖它"),
        }),
    }
}

/// Holds a note outside against the ledger.
pub(crate) fn check_note(
    connection: &Connection,
    owner: &Owner,
    head: Head,
    note: &Note,
    witness: &str,
) -> Result<(), LedgerError> {
    if note.station != owner.station {
        let (found, wanted) = (note.station.clone(), owner.station.clone());
        return Err(LedgerError::Station { found, wanted });
    }
    let same = note.instance() == Some(owner.instance);
    if same && agrees(connection, head, note)? {
        return Ok(());
    }
    let witness = witness.to_owned();
    Err(LedgerError::RolledBack { last: head.seq, known: note.seq, witness })
}

/// Whether the ledger has the entry that a note names, with the same hash.
pub(crate) fn agrees(
    connection: &Connection,
    head: Head,
    note: &Note,
) -> Result<bool, LedgerError> {
    if note.seq > head.seq {
        return Ok(false);
    }
    let sql = "SELECT hash FROM journal WHERE seq = ?1";
    let hash: Option<[u8; 32]> =
        connection.query_row(sql, [stored(note.seq)], |row| row.get(0)).optional()?;
    let signed = note.signed();
    Ok(hash.is_some() && hash.map(Hash) == signed.map(|signed| signed.head.hash))
}

/// Refuses a ledger of which nothing outside it says that it is the station's own: neither
/// the CA, which certified the key that signed its newest head, nor a note that knows its
/// instance and agrees with it. An invented ledger has neither.
pub(crate) fn check_vouched(
    connection: &Connection,
    owner: &Owner,
    certified: &[PublicKey],
    notes: &[(Note, String)],
) -> Result<(), LedgerError> {
    let newest = SignedHead::newest(connection)?.map(|signed| signed.public_key);
    let by_authority = newest.is_some_and(|key| certified.contains(&key));
    let by_note = notes.iter().any(|(note, _)| note.instance() == Some(owner.instance));
    match by_authority || by_note || is_untouched(connection)? {
        true => Ok(()),
        false => Err(LedgerError::Unvouched {
            station: owner.station.clone(),
            instance: owner.instance.to_string(),
        }),
    }
}

/// Whether no line ever began on this ledger and no unit stands in it: the very first start was
/// cut off before its note was written. It says nothing that could be believed wrongly, and
/// whoever can lay it there could as well lay nothing there but a key.
fn is_untouched(connection: &Connection) -> Result<bool, LedgerError> {
    let sql =
        "SELECT NOT EXISTS (SELECT 1 FROM line_sessions) AND NOT EXISTS (SELECT 1 FROM units)";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// Refuses to make a new ledger where a note knows of one.
pub(crate) fn check_absent(
    station: &StationId,
    notes: &[(Note, String)],
) -> Result<(), LedgerError> {
    let Some((note, witness)) = notes.first() else { return Ok(()) };
    match note.station == *station {
        true => {
            let witness = witness.clone();
            Err(LedgerError::RolledBack { last: 0, known: note.seq, witness })
        }
        false => {
            let (found, wanted) = (note.station.clone(), station.clone());
            Err(LedgerError::Station { found, wanted })
        }
    }
}
