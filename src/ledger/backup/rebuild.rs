//! A ledger made anew from the segments of its journal.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, params};

use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::StationId;
use crate::domain::long_work;
use crate::ledger::apply::{Marks, apply_next};
use crate::ledger::error::LedgerError;
use crate::ledger::journal::entry::{Entry, InstanceId};
use crate::ledger::journal::head::{Head, SignedHead};
use crate::ledger::keep::files;
use crate::ledger::segment::chain::{Chained, Found, follow};
use crate::ledger::segment::format::SegmentError;
use crate::ledger::segment::read;
use crate::ledger::tables::schema;
use crate::ledger::tables::sql::stored;

use super::{forks, segments};

/// KiB of memory for the pages of a ledger that is made.
const CACHE_KIB: i64 = 96 << 10;

/// Where the segments of a directory end, and what a person should know of the others.
pub(in crate::ledger) struct Rebuilt {
    pub(in crate::ledger) head: Head,
    pub(in crate::ledger) remarks: Vec<String>,
}

/// Why a segment can't be taken.
enum Refused {
    /// Its bytes.
    Segment(SegmentError),
    /// What it says can't be put into the tables, or they can't be written.
    Ledger(LedgerError),
}

impl From<SegmentError> for Refused {
    fn from(error: SegmentError) -> Self {
        Refused::Segment(error)
    }
}

impl From<LedgerError> for Refused {
    fn from(error: LedgerError) -> Self {
        Refused::Ledger(error)
    }
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Refused::Ledger(LedgerError::write(error))
    }
}

/// The segments of a station in a directory that follow each other from the first entry on.
pub(in crate::ledger) struct Way {
    pub(in crate::ledger) chain: Vec<Found>,
    remarks: Vec<String>,
}

impl Way {
    /// Looks at what each segment says of itself.
    pub(in crate::ledger) fn find(
        dir: &Path,
        station: &StationId,
        verifier: &dyn HeadVerifier,
    ) -> Result<Way, LedgerError> {
        let (found, unusable) = segments::list(dir)?;
        let mut remarks: Vec<String> =
            unusable.iter().map(|one| format!("{}: {}", one.path.display(), one.error)).collect();
        let (own, foreign): (Vec<Found>, Vec<Found>) =
            found.into_iter().partition(|found| found.header.station == *station);
        remarks.extend(foreign.iter().map(|found| {
            format!("{} is of station {}", found.path.display(), found.header.station)
        }));
        let (own, left) = forks::told_apart(own, verifier);
        remarks.extend(left.iter().map(|found| {
            let (first, last) = found.header.entries();
            let path = found.path.display();
            format!("{path}: entries {first} to {last} are of a history that a restore left behind")
        }));
        let mut instances: Vec<InstanceId> =
            own.iter().map(|found| found.header.instance).collect();
        instances.sort_by_key(|instance| instance.0);
        instances.dedup();
        let ways = instances.into_iter().map(|instance| follow(own.clone(), instance));
        let best = ways.max_by_key(|way| way.head().seq).unwrap_or_default();
        let Chained { chain, others } = best;
        let end = chain.last().map_or(0, |found| found.header.signed.head.seq);
        remarks.extend(others.iter().map(|found| not_followed(found, end)));
        Ok(Way { chain, remarks })
    }

    /// The last entry that it leads to.
    pub(in crate::ledger) fn last(&self) -> u64 {
        self.chain.last().map_or(0, |found| found.header.signed.head.seq)
    }

    /// Makes a ledger of them in an empty file, as far as they hold.
    pub(in crate::ledger) fn rebuild(
        self,
        file: &Path,
        verifier: &dyn HeadVerifier,
    ) -> Result<Rebuilt, LedgerError> {
        let (total, mut remarks) = (self.last(), self.remarks);
        let connection = files::open_own(file)?;
        prepare(&connection)?;
        let later = drop_indices(&connection)?;
        let mut head = Head::NONE;
        for found in &self.chain {
            match take(&connection, found, verifier, total) {
                Ok(()) => head = found.header.signed.head,
                Err(Refused::Ledger(error)) => return Err(error),
                Err(Refused::Segment(error)) => {
                    remarks.push(format!("{}: {error}", found.path.display()));
                    break;
                }
            }
        }
        if head.seq < total {
            remarks.push(format!("what follows on entry {} can't be brought back", head.seq));
        }
        for statement in later {
            connection.execute_batch(&statement)?;
        }
        connection.close().map_err(|(_, error)| LedgerError::write(error))?;
        Ok(Rebuilt { head, remarks })
    }
}

/// Why a segment of the same station was not taken.
fn not_followed(found: &Found, end: u64) -> String {
    let (first, last) = found.header.entries();
    let path = found.path.display();
    match first {
        first if first > end + 1 => {
            format!("{path}: entries {} to {} before it are missing", end + 1, first - 1)
        }
        _ => format!(
            "{path}: entries {first} to {last} stand in other segments, or are of another history"
        ),
    }
}

fn prepare(connection: &Connection) -> Result<(), LedgerError> {
    // The file is nobody's until it is whole and gets its name.
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(256);
    schema::migrate(connection)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    Ok(())
}

/// Drops the indices that taking entries does without; gives the statements that make them.
fn drop_indices(connection: &Connection) -> Result<Vec<String>, LedgerError> {
    let spare = schema::spare_indices(connection)?;
    for (name, _) in &spare {
        connection.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    Ok(spare.into_iter().map(|(_, statement)| statement).collect())
}

/// Puts a segment's entries and its head into the ledger, in one transaction.
fn take(
    connection: &Connection,
    found: &Found,
    verifier: &dyn HeadVerifier,
    total: u64,
) -> Result<(), Refused> {
    let transaction = connection.unchecked_transaction()?;
    let mut marks = Marks::read(&transaction)?;
    let sql = "INSERT INTO journal (seq, entry, hash) VALUES (?1, ?2, ?3)";
    let header = read::verify(
        File::open(&found.path).map_err(SegmentError::from)?,
        verifier,
        |head, bytes| {
            let wrong = |why: String| LedgerError::Journal { entry: head.seq, why };
            let entry = Entry::decode(&bytes).map_err(|error| wrong(error.to_string()))?;
            let values = params![stored(head.seq), bytes, head.hash.0];
            transaction.prepare_cached(sql)?.execute(values)?;
            apply_next(&transaction, &entry, &mut marks).map_err(|error| {
                wrong(format!("it can't follow on what stands before it: {error}"))
            })?;
            if head.seq.is_multiple_of(512) {
                long_work::tell(head.seq, total);
            }
            Ok::<(), Refused>(())
        },
    )?;
    if header != found.header {
        return Err(SegmentError::Broken("it was changed while it was read".to_owned()).into());
    }
    marks.map_or(Ok(()), |marks| marks.save(&transaction))?;
    insert_head(&transaction, &header.signed)?;
    Ok(transaction.commit()?)
}

fn insert_head(connection: &Connection, signed: &SignedHead) -> Result<(), LedgerError> {
    let sql = "INSERT INTO journal_keys (public_key) VALUES (?1) ON CONFLICT DO NOTHING";
    connection.prepare_cached(sql)?.execute([signed.public_key])?;
    let sql = "INSERT INTO heads SELECT ?1, id, ?2 FROM journal_keys WHERE public_key = ?3";
    let values = params![stored(signed.head.seq), signed.signature, signed.public_key];
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}
