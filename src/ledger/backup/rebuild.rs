//! A ledger made anew from the segments of its journal.

use std::path::Path;
use std::thread;

use rusqlite::{Connection, params};

use crate::apply::{Held, apply_next};
use crate::domain::cause::Told;
use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::StationId;
use crate::domain::long_work;
use crate::domain::say::Say;
use crate::error::LedgerError;
use crate::journal::entry::InstanceId;
use crate::journal::head::Head;
use crate::keep::files;
use crate::segment::chain::{Chained, Found, follow};
use crate::segment::format::SegmentError;
use crate::tables::schema;
use crate::tables::sql::stored;

use super::unpack::{Piece, Refused, Unpacked, Unpacking};
use super::{forks, segments};
use crate::say;

/// KiB of memory for the pages of a ledger that is made.
const CACHE_KIB: i64 = 96 << 10;

/// Units whose rows are in memory until they are written.
const UNITS: usize = 4096;

/// Where the segments of a directory end, and what a person should know of the others.
pub(crate) struct Rebuilt {
    pub(crate) head: Head,
    pub(crate) remarks: Vec<Say>,
}

/// The segments of a station in a directory that follow each other from the first entry on.
pub(crate) struct Way {
    pub(crate) chain: Vec<Found>,
    remarks: Vec<Say>,
}

impl Way {
    /// Looks at what each segment says of itself.
    pub(crate) fn find(
        dir: &Path,
        station: &StationId,
        verifier: &dyn HeadVerifier,
    ) -> Result<Way, LedgerError> {
        let (found, unusable) = segments::list(dir)?;
        let mut remarks: Vec<Say> =
            unusable.iter().map(|one| of_file(&one.path, &one.error.sentence())).collect();
        let (own, foreign): (Vec<Found>, Vec<Found>) =
            found.into_iter().partition(|found| found.header.station == *station);
        remarks.extend(foreign.iter().map(|found| {
            let (path, station) = (found.path.display(), found.header.station());
            say!("{path} is of station {station}", "{path} 属于站 {station}")
        }));
        let (own, left) = forks::told_apart(own, verifier);
        remarks.extend(left.iter().map(|found| {
            let (first, last) = found.header.entries();
            let path = found.path.display();
            say!(
                "{path}: entries {first} to {last} are of a history that a restore left behind",
                "{path}：第 {first} 到 {last} 条属于恢复后不再沿用的历史"
            )
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
    pub(crate) fn last(&self) -> u64 {
        self.chain.last().map_or(0, |found| found.header.signed.head.seq)
    }

    /// Makes a ledger of them in an empty file, as far as they hold.
    pub(crate) fn rebuild(
        self,
        file: &Path,
        verifier: &dyn HeadVerifier,
    ) -> Result<Rebuilt, LedgerError> {
        let (total, mut remarks) = (self.last(), self.remarks);
        let connection = files::open_own(file)?;
        prepare(&connection)?;
        let later = drop_indices(&connection)?;
        let head = thread::scope(|scope| {
            let unpacking = Unpacking::start(scope, &self.chain, verifier)?;
            fill(&connection, &self.chain, &unpacking, total, &mut remarks)
        })?;
        if head.seq < total {
            remarks.push(say!(
                "what follows on entry {} can't be brought back",
                "第 {} 条之后的内容无法恢复",
                head.seq
            ));
        }
        for (name, statement) in later {
            // One that an entry asked for is there.
            let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1";
            if !connection.prepare_cached(sql)?.exists([name])? {
                connection.execute_batch(&statement)?;
            }
        }
        connection.close().map_err(|(_, error)| LedgerError::write(error))?;
        Ok(Rebuilt { head, remarks })
    }
}

fn of_file(path: &Path, what: &Say) -> Say {
    Say::same(path.display().to_string()).then(what)
}

/// Why a segment of the same station was not taken.
fn not_followed(found: &Found, end: u64) -> Say {
    let (first, last) = found.header.entries();
    let path = found.path.display();
    match first {
        first if first > end + 1 => {
            say!(
                "{path}: entries {} to {} before it are missing",
                "{path}：它前面的第 {} 到 {} 条缺失",
                end + 1,
                first - 1
            )
        }
        _ => say!(
            "{path}: entries {first} to {last} stand in other segments, or are of another history",
            "{path}：第 {first} 到 {last} 条在别的日志段里，或属于另一份历史"
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

/// Drops the indices that taking entries does without; gives them with the statements that make
/// them.
fn drop_indices(connection: &Connection) -> Result<Vec<(String, String)>, LedgerError> {
    let spare = schema::spare_indices(connection)?;
    for (name, _) in &spare {
        connection.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    Ok(spare)
}

/// Takes segments as far as they hold; gives the last entry.
fn fill(
    connection: &Connection,
    chain: &[Found],
    unpacking: &Unpacking,
    total: u64,
    remarks: &mut Vec<Say>,
) -> Result<Head, LedgerError> {
    let mut head = Head::NONE;
    for found in chain {
        match take(connection, found, unpacking, total) {
            Ok(()) => head = found.header.signed.head,
            Err(Refused::Ledger(error)) => return Err(error),
            Err(Refused::Segment(error)) => {
                remarks.push(of_file(&found.path, &error.sentence()));
                break;
            }
        }
    }
    Ok(head)
}

/// Puts a segment's entries and its head into the ledger, in one transaction.
fn take(
    connection: &Connection,
    found: &Found,
    unpacking: &Unpacking,
    total: u64,
) -> Result<(), Refused> {
    let transaction = connection.unchecked_transaction()?;
    let mut held = Held::units(UNITS, &transaction)?;
    let header = loop {
        match unpacking.next()? {
            Piece::Entries(entries) => {
                for unpacked in &entries {
                    put(&transaction, unpacked, &mut held)?;
                    if unpacked.head.seq.is_multiple_of(512) {
                        long_work::tell(unpacked.head.seq, total);
                    }
                }
                unpacking.give_back(entries);
            }
            Piece::Whole(header) => break header,
        }
    };
    if *header != found.header {
        return Err(SegmentError::Broken(say!(
            "it was changed while it was read",
            "读取时它被改动"
        ))
        .into());
    }
    held.save(&transaction)?;
    header.signed.put(&transaction)?;
    Ok(transaction.commit()?)
}

/// Puts an entry into the journal, and what it says into the tables.
fn put(connection: &Connection, unpacked: &Unpacked, held: &mut Held) -> Result<(), LedgerError> {
    let Unpacked { head, bytes, entry } = unpacked;
    let sql = "INSERT INTO journal (seq, entry, hash) VALUES (?1, ?2, ?3)";
    let values = params![stored(head.seq), bytes, head.hash.0];
    let inserted = connection.prepare_cached(sql).and_then(|mut sql| sql.execute(values));
    inserted.map_err(LedgerError::write)?;
    apply_next(connection, entry, held).map_err(|error| {
        let what = say!("it can't follow on what stands before it", "它接不上前面的内容");
        LedgerError::Journal { entry: head.seq, why: what.then(&error.sentence()) }
    })
}
