//! What people ask of the ledger: lists by page, one unit's story, work orders, sums.
//!
//! A page is a call of its own with the key of the last row before it, so that no reader
//! holds the ledger's file back while somebody reads a long list.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::certificate::Proof;
use crate::domain::ids::{CertificateSn, Serial, WorkOrderId};
use crate::domain::label::CheckCharacter;
use crate::domain::record::LabelRead;
use crate::domain::work_order::{WorkOrder, WorkOrderRow};
use crate::error::LedgerError;
use crate::journal::certificate::{CERTIFICATE, WITH_ENTRY, read_certificate, read_from_entry};
use crate::tables::certificate_row::read_certificate_state;
use crate::tables::counts;
use crate::tables::sql::counted;
use crate::tables::states::{self, AttemptOutcome, OutboxState, RegistrationState};
use crate::tables::unit_row;

use super::conditions::Conditions;
use super::reader::Reader;
use super::views::{
    ActStory, AttemptStory, CertificateStory, ExportRow, Outcomes, RegistrationStory, Stats,
    UnitFilter, UnitLine, UnitStory, pem,
};
use super::wall::{LOOKED_AT, newest_attempts};

pub(super) fn read_proof(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Proof>> {
    let word: Option<String> = row.get(index)?;
    Ok(word.as_deref().and_then(states::proof))
}

fn read_label(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<LabelRead>> {
    let text: Option<String> = row.get(index)?;
    let rule = row.get(index + 1)?;
    Ok(text.map(|text| LabelRead { text, rule }))
}

impl Reader {
    /// One page of units in the order of their serials, behind `after`.
    pub fn units(
        &self,
        filter: &UnitFilter,
        after: Option<&Serial>,
        limit: u32,
    ) -> Result<Vec<UnitLine>, LedgerError> {
        let mut wanted = Conditions::default();
        wanted.add("serial > ?", after.map_or("", Serial::as_str).to_owned());
        wanted.add_unit(filter);
        self.unit_lines(&wanted, limit)
    }

    /// One unit's line, where it passes the filter.
    pub fn unit_line(
        &self,
        serial: &Serial,
        filter: &UnitFilter,
    ) -> Result<Option<UnitLine>, LedgerError> {
        let mut wanted = Conditions::default();
        wanted.add("serial = ?", serial.clone());
        wanted.add_unit(filter);
        Ok(self.unit_lines(&wanted, 1)?.pop())
    }

    fn unit_lines(&self, wanted: &Conditions, limit: u32) -> Result<Vec<UnitLine>, LedgerError> {
        let sql = format!(
            "SELECT serial, state, client_id, CASE open_position WHEN 'asked' THEN open_sn
                WHEN 'issued' THEN coalesce(proven_sn, open_sn) ELSE proven_sn END
            FROM units WHERE {} ORDER BY serial LIMIT {limit}",
            wanted.sql()
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let lines = statement.query_map(wanted.values().as_slice(), |row| {
            Ok(UnitLine {
                serial: row.get(0)?,
                state: row.get(1)?,
                client_id: row.get(2)?,
                certificate_sn: row.get(3)?,
            })
        })?;
        Ok(lines.collect::<Result<_, _>>()?)
    }

    /// One unit's whole story; none where the ledger has never seen it. One snapshot.
    pub fn unit_story(&self, serial: &Serial) -> Result<Option<UnitStory>, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let Some(unit) = unit_row::load(&self.connection, serial)? else { return Ok(None) };
        Ok(Some(UnitStory {
            state: unit.state(),
            serial: unit.serial,
            work_order: unit.work_order,
            client_id: unit.client_id,
            created_at: unit.created,
            certificates: self.certificates_of(serial)?,
            attempts: self.attempts_of(serial)?,
            acts: self.acts_of(serial)?,
        }))
    }

    fn certificates_of(&self, serial: &Serial) -> Result<Vec<CertificateStory>, LedgerError> {
        let sql = format!(
            "SELECT sn, fingerprint, state, proof, not_before, not_after, entry, origin
            FROM {WITH_ENTRY} WHERE serial = ?1 ORDER BY attempt"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let stories = statement.query_map([serial], |row| {
            let certificate_sn = row.get(0)?;
            Ok(CertificateStory {
                certificate_sn,
                fingerprint_sha256: row.get(1)?,
                state: read_certificate_state(row, 2)?,
                proof: read_proof(row, 3)?,
                origin: row.get(7)?,
                not_before: row.get(4)?,
                not_after: row.get(5)?,
                pem: pem(&read_from_entry(row, 6)?.der),
                registration: self.registration_of(certificate_sn)?,
            })
        })?;
        Ok(stories.collect::<Result<_, _>>()?)
    }

    /// The registration that was touched; before the first sync, what the outbox says.
    pub(super) fn registration_of(
        &self,
        cert: CertificateSn,
    ) -> rusqlite::Result<RegistrationStory> {
        let sql = "SELECT state, status, tries, last_error, registered_us FROM registrations
            LEFT JOIN clouds USING (site, region, instance)
            WHERE certificate_sn = ?1 ORDER BY ifnull(current, 0) DESC, site, region, instance
            LIMIT 1";
        let found = self.connection.prepare_cached(sql)?.query_row([cert], |row| {
            Ok(RegistrationStory {
                state: row.get(0)?,
                status: row.get(1)?,
                tries: row.get(2)?,
                last_error: row.get(3)?,
                registered_at: row.get(4)?,
            })
        });
        match found.optional()? {
            Some(story) => Ok(story),
            None => self.registration_by_outbox(cert),
        }
    }

    fn registration_by_outbox(&self, cert: CertificateSn) -> rusqlite::Result<RegistrationStory> {
        let sql = "SELECT state FROM outbox WHERE certificate_sn = ?1 AND operation = 'register'
            ORDER BY id DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let state = match statement.query_row([cert], |row| row.get(0)).optional()? {
            None => RegistrationState::None,
            Some(OutboxState::Waiting) => RegistrationState::Waiting,
            Some(OutboxState::Claimed) => RegistrationState::Unclear,
            Some(OutboxState::Parked) => RegistrationState::Rejected,
            Some(OutboxState::Done) => RegistrationState::Registered,
            Some(OutboxState::Withdrawn) => RegistrationState::Withdrawn,
        };
        Ok(RegistrationStory {
            state,
            status: None,
            tries: 0,
            last_error: None,
            registered_at: None,
        })
    }

    fn attempts_of(&self, serial: &Serial) -> Result<Vec<AttemptStory>, LedgerError> {
        let sql = "SELECT attempt, slot, operator, hardware, started_us, ended_us, outcome, step,
                code, message, proof, label, label_rule
            FROM attempts WHERE serial = ?1 ORDER BY attempt";
        let mut statement = self.connection.prepare_cached(sql)?;
        let stories = statement.query_map([serial], |row| {
            Ok(AttemptStory {
                attempt: row.get(0)?,
                slot: row.get(1)?,
                operator: row.get(2)?,
                hardware: row.get(3)?,
                started_at: row.get(4)?,
                ended_at: row.get(5)?,
                outcome: row.get(6)?,
                step: row.get(7)?,
                code: row.get(8)?,
                message: row.get(9)?,
                proof: read_proof(row, 10)?,
                label: read_label(row, 11)?,
            })
        })?;
        Ok(stories.collect::<Result<_, _>>()?)
    }

    fn acts_of(&self, serial: &Serial) -> Result<Vec<ActStory>, LedgerError> {
        let sql = "SELECT act, at_us, reason, operator, uid FROM acts WHERE serial = ?1
            ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let stories = statement.query_map([serial], |row| {
            Ok(ActStory {
                act: row.get(0)?,
                at: row.get(1)?,
                reason: row.get(2)?,
                operator: row.get(3)?,
                uid: row.get(4)?,
            })
        })?;
        Ok(stories.collect::<Result<_, _>>()?)
    }

    /// One page of proven certificates in the order of their units' serials, behind
    /// `after`; those that stand in the cloud only with `all`.
    pub fn export_page(
        &self,
        work_order: Option<&WorkOrderId>,
        all: bool,
        after: Option<&Serial>,
        limit: u32,
    ) -> Result<Vec<ExportRow>, LedgerError> {
        let sql = format!(
            "SELECT {CERTIFICATE}, certificates.proof, units.work_order, units.registered
            FROM {WITH_ENTRY} JOIN units ON units.serial = certificates.serial
            WHERE certificates.state = 'proven' AND certificates.serial > ?1
                AND (?2 OR NOT units.registered) AND (?3 IS NULL OR units.work_order = ?3)
            ORDER BY certificates.serial LIMIT ?4"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let values = params![after.map_or("", Serial::as_str), all, work_order, limit];
        let rows = statement.query_map(values, |row| {
            Ok(ExportRow {
                row: read_certificate(row)?,
                proof: read_proof(row, 5)?,
                work_order: row.get(6)?,
                registered: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A work order with its counts.
    pub fn work_order(&self, id: &WorkOrderId) -> Result<Option<WorkOrderRow>, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let sql = format!("SELECT {WORK_ORDER} FROM work_orders WHERE id = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_row([id], read_work_order).optional()?;
        let Some(mut row) = found else { return Ok(None) };
        let sql = "SELECT hardware FROM work_order_devices WHERE work_order = ?1 ORDER BY place";
        let mut statement = self.connection.prepare_cached(sql)?;
        let devices = statement.query_map([id], |row| row.get(0))?;
        row.work_order.hardware_ids = devices.collect::<Result<_, _>>()?;
        Ok(Some(row))
    }

    /// One page of work orders in the order of their ids, behind `after`, each without its
    /// list of devices.
    pub fn work_orders(
        &self,
        after: Option<&WorkOrderId>,
        limit: u32,
    ) -> Result<Vec<WorkOrderRow>, LedgerError> {
        let sql =
            format!("SELECT {WORK_ORDER} FROM work_orders WHERE id > ?1 ORDER BY id LIMIT ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let after = after.map_or("", WorkOrderId::as_str);
        let rows = statement.query_map(params![after, limit], read_work_order)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The work orders that are not closed.
    pub fn open_work_orders(&self) -> Result<Vec<WorkOrderId>, LedgerError> {
        let sql = "SELECT id FROM work_orders WHERE NOT closed ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let ids = statement.query_map([], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// The open work order that the line works on, as far as a ledger can tell: that of the
    /// newest attempt, or the only open one.
    pub fn order_at_work(&self) -> Result<Option<WorkOrderId>, LedgerError> {
        let open = self.open_work_orders()?;
        let sql = concat!(
            "SELECT work_order FROM ",
            newest_attempts!(),
            " ORDER BY started_seq DESC LIMIT 1"
        );
        let mut statement = self.connection.prepare_cached(sql)?;
        let newest: Option<Option<WorkOrderId>> =
            statement.query_row([LOOKED_AT], |row| row.get(0)).optional()?;
        let newest = newest.flatten().filter(|id| open.contains(id));
        Ok(newest.or_else(|| match open.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        }))
    }

    /// Every sum but those of hours.
    pub(crate) fn sums_of_all(&self) -> Result<Stats, LedgerError> {
        let first = self.outcomes(counts::FIRST)?;
        let counted = first.passed + first.failed;
        Ok(Stats {
            units: self.sums(counts::UNITS)?,
            attempts: self.outcomes(counts::ATTEMPTS)?,
            first_pass_yield: (counted > 0).then(|| ratio(first.passed, counted)),
            by_code: self.sums(counts::CODES)?,
            by_slot: self.by(counts::by_slot, |slot| slot)?,
            by_hour: BTreeMap::new(),
        })
    }

    pub(crate) fn sums(&self, what: &str) -> Result<BTreeMap<String, u64>, LedgerError> {
        let sums = counts::read(&self.connection, what)?;
        Ok(sums.into_iter().map(|(name, value)| (name, counted(value))).collect())
    }

    pub(crate) fn outcomes(&self, what: &str) -> Result<Outcomes, LedgerError> {
        let sums = self.sums(what)?;
        let of = |outcome: AttemptOutcome| sums.get(outcome.as_str()).copied().unwrap_or(0);
        Ok(Outcomes {
            passed: of(AttemptOutcome::Pass),
            failed: of(AttemptOutcome::Fail),
            interrupted: of(AttemptOutcome::Interrupted),
        })
    }

    fn by(
        &self,
        what: fn(AttemptOutcome) -> &'static str,
        name: fn(String) -> String,
    ) -> Result<BTreeMap<String, Outcomes>, LedgerError> {
        let mut table: BTreeMap<String, Outcomes> = BTreeMap::new();
        for (key, value) in self.sums(what(AttemptOutcome::Pass))? {
            table.entry(name(key)).or_default().passed = value;
        }
        for (key, value) in self.sums(what(AttemptOutcome::Fail))? {
            table.entry(name(key)).or_default().failed = value;
        }
        for (key, value) in self.sums(what(AttemptOutcome::Interrupted))? {
            table.entry(name(key)).or_default().interrupted = value;
        }
        Ok(table)
    }
}

pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    // Exact up to 2^53 units.
    part as f64 / whole as f64
}

/// The columns that [`read_work_order`] reads, in its order.
const WORK_ORDER: &str = "id, product, quantity, serial_pattern, serial_range, check_character, \
    profile, closed, proven, under_way";

fn read_work_order(row: &Row<'_>) -> rusqlite::Result<WorkOrderRow> {
    let range: Option<String> = row.get(4)?;
    let check: String = row.get(5)?;
    let wrong = |index: usize, text: &str| {
        let error = Box::new(states::UnknownWord(text.to_owned()));
        rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, error)
    };
    let serial_range = range.map(|text| text.parse().map_err(|_| wrong(4, &text))).transpose()?;
    let known = CheckCharacter::ALL.iter().find(|known| known.as_str() == check);
    let work_order = WorkOrder {
        id: row.get(0)?,
        product: row.get(1)?,
        quantity: row.get(2)?,
        serial_pattern: row.get(3)?,
        serial_range,
        check_character: known.copied().ok_or_else(|| wrong(5, &check))?,
        hardware_ids: Vec::new(),
        profile: row.get(6)?,
    };
    Ok(WorkOrderRow { work_order, closed: row.get(7)?, proven: row.get(8)?, open: row.get(9)? })
}
