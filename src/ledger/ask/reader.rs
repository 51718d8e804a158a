//! What is known: point questions of the line, over one connection.
//!
//! Whatever the line asks is a query by an index. A reader holds no transaction between
//! two calls.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::decide::{clock, place};
use crate::domain::clock::Timestamp;
use crate::domain::device::{Fault, Held};
use crate::domain::ids::{
    CertificateSn, Fingerprint, HardwareId, ImageDigest, PublicKey, Serial, StationId, WorkOrderId,
};
use crate::domain::record::{CertificateRow, Gap, Holds, Looked, Owners, Record, Standing};
use crate::error::LedgerError;
use crate::journal::certificate::{CERTIFICATE, WITH_ENTRY, read_certificate};
use crate::journal::entry::{Entry, Fact};
use crate::journal::head::Head;
use crate::journal::witness::Owner;
use crate::keep::files;
use crate::say;
use crate::tables::certificate_row::{self, read_certificate_state};
use crate::tables::sql::counted;
use crate::tables::unit_row::{self, UnitRow};

/// Answers what the ledger knows. Has a connection of its own and never writes.
#[derive(Debug)]
pub struct Reader {
    pub(crate) connection: Connection,
}

impl Reader {
    /// Opens the ledger of a data directory to read; no key is needed. One of another
    /// station than `station` is refused.
    pub fn open(data_dir: &Path, station: Option<&StationId>) -> Result<Reader, LedgerError> {
        Reader::open_file(&files::existing(data_dir)?, station)
    }

    /// The same for a file by its name, such as a backup.
    pub fn open_file(path: &Path, station: Option<&StationId>) -> Result<Reader, LedgerError> {
        let reader = Reader { connection: files::open_to_read(path)? };
        match (Owner::read(&reader.connection)?, station) {
            (Some(Owner { station: found, .. }), Some(wanted)) if found != *wanted => {
                Err(LedgerError::Station { found, wanted: wanted.clone() })
            }
            _ => Ok(reader),
        }
    }

    /// What is known of a unit and of the device that was found for it; in one snapshot.
    pub fn look(
        &self,
        serial: &Serial,
        hardware: &HardwareId,
        held: Option<&Held>,
    ) -> Result<Looked, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let identity = match held {
            None => Holds::Nothing,
            Some(held) => self.holds(serial, held)?,
        };
        let hardware = unit_row::hardware_owner(&self.connection, serial, hardware)?;
        Ok(Looked { standing: self.standing(serial)?, owners: Owners { hardware, identity } })
    }

    fn holds(&self, serial: &Serial, held: &Held) -> Result<Holds, LedgerError> {
        let sql = "SELECT serial, sn, state, image FROM certificates WHERE fingerprint = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement
            .query_row([held.certificate], |row| {
                let owner: Serial = row.get(0)?;
                let image: ImageDigest = row.get(3)?;
                Ok((owner, row.get(1)?, read_certificate_state(row, 2)?, image))
            })
            .optional()?;
        Ok(match found {
            None => Holds::Unknown,
            Some((owner, ..)) if owner != *serial => Holds::Other(owner),
            Some((_, cert, state, image)) => {
                Holds::This { cert, state, intact: image == held.image }
            }
        })
    }

    /// What is known of a unit; of one that the ledger has never seen, nothing.
    pub fn standing(&self, serial: &Serial) -> Result<Standing, LedgerError> {
        let unit = unit_row::load(&self.connection, serial)?;
        Ok(unit.as_ref().map(UnitRow::standing).unwrap_or_default())
    }

    /// What a label would be refused for in this work order whatever device came for it. The
    /// transaction that reserves decides again.
    pub fn refusal_of_label(
        &self,
        serial: &Serial,
        work_order: &WorkOrderId,
        now: Timestamp,
    ) -> Result<Option<Fault>, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        place::refusal_of_label(&self.connection, serial, work_order, now)
    }

    /// The same where these units are ahead of it, which take places that they may give back.
    pub fn refusal_behind(
        &self,
        serial: &Serial,
        work_order: &WorkOrderId,
        ahead: &[Serial],
        now: Timestamp,
    ) -> Result<Option<Fault>, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        place::refusal_behind(&self.connection, serial, work_order, ahead, now)
    }

    /// The unit whose commit was asked on this device and has no verdict yet.
    pub fn open_attempt_on(&self, hardware: &HardwareId) -> Result<Option<Serial>, LedgerError> {
        let sql = "SELECT serial FROM units WHERE open_hardware = ?1 AND open_position = 'asked'";
        self.serial_of(sql, [hardware])
    }

    /// The unit that is proven on this device.
    pub fn proven_on(&self, hardware: &HardwareId) -> Result<Option<Serial>, LedgerError> {
        self.serial_of("SELECT serial FROM units WHERE proven_hardware = ?1", [hardware])
    }

    /// The device on which the certificate with this fingerprint was to be burned.
    pub fn device_of(&self, fingerprint: &Fingerprint) -> Result<Option<HardwareId>, LedgerError> {
        let sql = "SELECT a.hardware FROM certificates c
            JOIN attempts a ON a.serial = c.serial AND a.attempt = c.attempt
            WHERE c.fingerprint = ?1 AND a.hardware IS NOT NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([fingerprint], |row| row.get(0)).optional()?)
    }

    /// The unit for which the certificate with this fingerprint was issued.
    pub fn owner_of_fingerprint(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<Serial>, LedgerError> {
        self.serial_of("SELECT serial FROM certificates WHERE fingerprint = ?1", [fingerprint])
    }

    /// The certificate with this fingerprint.
    pub fn sn_of_fingerprint(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<CertificateSn>, LedgerError> {
        let sql = "SELECT sn FROM certificates WHERE fingerprint = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([fingerprint], |row| row.get(0)).optional()?)
    }

    fn serial_of(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<Option<Serial>, LedgerError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(values, |row| row.get(0)).optional()?)
    }

    /// A certificate with what is needed to challenge a device for it.
    pub fn certificate(&self, sn: &CertificateSn) -> Result<Option<CertificateRow>, LedgerError> {
        let sql = format!("SELECT {CERTIFICATE} FROM {WITH_ENTRY} WHERE sn = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([sn], read_certificate).optional()?)
    }

    /// The certificate that an interrupted attempt left for a key that this device made:
    /// of this unit and this device, its commit never asked, not void.
    pub fn resumable(
        &self,
        serial: &Serial,
        hardware: &HardwareId,
        public_key: &PublicKey,
    ) -> Result<Option<CertificateRow>, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let found = certificate_row::resumable(&self.connection, serial, hardware, public_key)?;
        found.map_or(Ok(None), |sn| self.certificate(&sn))
    }

    /// The units with an open attempt, in the order of their serials.
    pub fn unsettled(&self) -> Result<Vec<(Serial, Standing)>, LedgerError> {
        let columns = unit_row::COLUMNS;
        let sql =
            format!("SELECT {columns} FROM units WHERE open_position IS NOT NULL ORDER BY serial");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let units = statement.query_map([], unit_row::from_row)?;
        let named = units.map(|unit| unit.map(|unit| (unit.serial.clone(), unit.standing())));
        Ok(named.collect::<Result<_, _>>()?)
    }

    /// The restore whose gap nobody accepted yet; while there is one, no unit begins.
    pub fn gap(&self) -> Result<Option<Gap>, LedgerError> {
        let sql = "SELECT gap_seq, entry FROM ledger JOIN journal ON journal.seq = gap_seq";
        let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?));
        let Some((seq, bytes)) = self.connection.query_row(sql, [], read).optional()? else {
            return Ok(None);
        };
        let fact = Entry::decode(&bytes).map(|entry| entry.fact);
        match fact {
            Ok(Fact::Record(Record::Restored(restored), _)) => {
                Ok(Some(Gap { restored_seq: counted(seq), restored }))
            }
            _ => Err(LedgerError::Nonsense(say!(
                "entry {seq} is no restore",
                "第 {seq} 条不是恢复记录"
            ))),
        }
    }

    /// Every CA certificate that this station issued with, DER.
    pub fn authority_certificates(&self) -> Result<Vec<Vec<u8>>, LedgerError> {
        let mut statement =
            self.connection.prepare("SELECT der FROM authorities ORDER BY seen_seq")?;
        let authorities = statement.query_map([], |row| row.get(0))?;
        Ok(authorities.collect::<Result<_, _>>()?)
    }

    /// The journal's last entry.
    pub fn head(&self) -> Result<Head, LedgerError> {
        Head::read(&self.connection)
    }

    /// The time of the newest entry.
    pub fn newest_wall(&self) -> Result<Timestamp, LedgerError> {
        let sql = "SELECT newest_us FROM ledger";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// Whether a clock that says `now` would be allowed to begin a unit.
    pub fn clock_check(
        &self,
        now: Timestamp,
        max_gap: std::time::Duration,
    ) -> Result<(), LedgerError> {
        clock::check(clock::mark(&self.connection)?, now, max_gap)
    }

    /// The CA's certificates for the journal key, as the line starts and those who vouched
    /// for the ledger named them, newest first and each once. DER as lowercase hex.
    pub fn journal_certificates(&self) -> Result<Vec<String>, LedgerError> {
        let sql = "SELECT max(seq), journal_certificate FROM line_sessions
            WHERE journal_certificate IS NOT NULL GROUP BY journal_certificate";
        let mut statement = self.connection.prepare(sql)?;
        let sessions = statement.query_map(params![], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut found: Vec<(i64, String)> = sessions.collect::<Result<_, _>>()?;
        found.extend(self.vouched()?);
        found.sort_unstable_by_key(|(seq, _)| std::cmp::Reverse(*seq));
        Ok(found.into_iter().map(|(_, certificate)| certificate).collect())
    }

    fn vouched(&self) -> Result<Vec<(i64, String)>, LedgerError> {
        let sql = "SELECT journal.seq, entry FROM acts JOIN journal ON journal.seq = acts.seq
            WHERE act = 'vouched'";
        let mut statement = self.connection.prepare(sql)?;
        let entries =
            statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let entries: Vec<(i64, Vec<u8>)> = entries.collect::<Result<_, _>>()?;
        let certificates =
            entries.into_iter().filter_map(|(seq, bytes)| match Entry::decode(&bytes).ok()?.fact {
                Fact::Record(Record::Vouched(vouched), _) => {
                    Some((seq, vouched.journal_certificate))
                }
                _ => None,
            });
        Ok(certificates.collect())
    }
}
