//! Whole tables by page: every attempt, or every unit, with all that is told of it.

use rusqlite::Row;

use crate::domain::ids::{CertificateSn, Serial};
use crate::domain::pages::HistoryKey;
use crate::domain::rows::{AttemptRow, CertificateCells, UnitRow};
use crate::error::LedgerError;
use crate::tables::certificate_row::read_certificate_state;

use super::conditions::Conditions;
use super::reader::Reader;
use super::story::read_proof;
use super::views::UnitFilter;

/// The columns of a certificate that [`Reader::cells`] reads, in its order.
const CERTIFICATE: &str = "c.sn, c.fingerprint, c.state, c.not_after";

impl Reader {
    /// One page of attempts in the order of their beginnings, behind `after`.
    pub fn attempt_rows(
        &self,
        filter: &UnitFilter,
        after: Option<&HistoryKey>,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, LedgerError> {
        let mut wanted = Conditions::default();
        wanted.add_attempt(filter);
        if let Some(key) = after {
            wanted.add_after(key);
        }
        self.attempts_page(&wanted, i64::from(limit))
    }

    /// Every attempt of one unit, the oldest first.
    pub fn attempt_rows_of(&self, serial: &Serial) -> Result<Vec<AttemptRow>, LedgerError> {
        let mut wanted = Conditions::default();
        wanted.add("a.serial = ?", serial.clone());
        self.attempts_page(&wanted, i64::from(u32::MAX))
    }

    fn attempts_page(
        &self,
        wanted: &Conditions,
        limit: i64,
    ) -> Result<Vec<AttemptRow>, LedgerError> {
        // An attempt's columns come first, its certificate's from the 17th on.
        let sql = format!(
            "SELECT a.started_us, a.serial, a.slot, a.operator, a.hardware, a.firmware, a.outcome,
                a.code, a.attempt, a.ended_us, a.step, a.message, a.work_order, a.product,
                a.model, a.proof, {CERTIFICATE}
            FROM attempts a LEFT JOIN certificates c ON c.sn = a.certificate_sn
            WHERE {} ORDER BY a.started_us, a.serial, a.attempt LIMIT {limit}",
            wanted.sql()
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(wanted.values().as_slice(), |row| self.attempt_row(row))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn attempt_row(&self, row: &Row<'_>) -> rusqlite::Result<AttemptRow> {
        let (time, ended): (_, Option<crate::domain::clock::Timestamp>) =
            (row.get(0)?, row.get(9)?);
        Ok(AttemptRow {
            time,
            serial: row.get(1)?,
            slot: row.get(2)?,
            operator: row.get(3)?,
            device: row.get(4)?,
            firmware: row.get(5)?,
            outcome: row.get(6)?,
            code: row.get(7)?,
            attempt: row.get(8)?,
            ended,
            duration_ms: ended.map(|ended| ended.milliseconds_since(time)),
            step: row.get(10)?,
            message: row.get(11)?,
            work_order: row.get(12)?,
            product: row.get(13)?,
            model: row.get(14)?,
            proof: read_proof(row, 15)?,
            certificate: self.cells(row, 16)?,
        })
    }

    /// One page of units in the order of their serials, behind `after`.
    pub fn unit_rows(
        &self,
        filter: &UnitFilter,
        after: Option<&Serial>,
        limit: u32,
    ) -> Result<Vec<UnitRow>, LedgerError> {
        let mut wanted = Conditions::default();
        wanted.add("serial > ?", after.map_or("", Serial::as_str).to_owned());
        wanted.add_unit(filter);
        let sql = format!(
            "SELECT u.created_us, u.serial, a.slot, a.operator, a.hardware, a.firmware, a.outcome,
                a.code, u.state, u.attempts, u.client_id, u.work_order, c.proof, {CERTIFICATE}
            FROM (SELECT * FROM units WHERE {} ORDER BY serial LIMIT {limit}) u
            LEFT JOIN attempts a ON a.serial = u.serial AND a.attempt = u.attempts
            LEFT JOIN certificates c ON c.sn = CASE u.open_position WHEN 'asked' THEN u.open_sn
                WHEN 'issued' THEN coalesce(u.proven_sn, u.open_sn) ELSE u.proven_sn END
            ORDER BY u.serial",
            wanted.sql()
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(wanted.values().as_slice(), |row| {
            Ok(UnitRow {
                time: row.get(0)?,
                serial: row.get(1)?,
                slot: row.get(2)?,
                operator: row.get(3)?,
                device: row.get(4)?,
                firmware: row.get(5)?,
                outcome: row.get(6)?,
                code: row.get(7)?,
                state: row.get(8)?,
                attempts: row.get(9)?,
                client_id: row.get(10)?,
                work_order: row.get(11)?,
                proof: read_proof(row, 12)?,
                certificate: self.cells(row, 13)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A certificate from the column `first` on, with its registration; none where none was
    /// issued.
    fn cells(&self, row: &Row<'_>, first: usize) -> rusqlite::Result<Option<CertificateCells>> {
        let Some(certificate_sn) = row.get::<_, Option<CertificateSn>>(first)? else {
            return Ok(None);
        };
        let registration = self.registration_of(certificate_sn)?;
        Ok(Some(CertificateCells {
            certificate_sn,
            fingerprint_sha256: row.get(first + 1)?,
            certificate_state: read_certificate_state(row, first + 2)?,
            not_after: row.get(first + 3)?,
            registration: registration.state,
            registered_at: registration.registered_at,
        }))
    }
}
