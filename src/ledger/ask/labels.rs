//! What is known of labels: a unit's own, and those that somebody still has to see to.

use rusqlite::OptionalExtension;

use crate::decide::labels::certificate_of;
use crate::decide::view::Trouble;
use crate::domain::device::Fault;
use crate::domain::ids::Serial;
use crate::domain::labelling::{LabelFacts, LabelRow, LabelsChosen};
use crate::error::LedgerError;
use crate::say;
use crate::tables::label_row::{self, LABEL, read_label};
use crate::tables::unit_row;

use super::reader::Reader;

/// The open labels that a look gives: more are no longer looked through one by one.
const LISTED: u32 = 500;

impl Reader {
    /// What a unit's label needs, or why it gets none.
    pub fn label_facts(&self, serial: &Serial) -> Result<Result<LabelFacts, Fault>, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let Some(unit) = unit_row::load(&self.connection, serial)? else {
            let what = say!("the ledger knows no unit {serial}", "账本里没有单元 {serial}");
            return Ok(Err(Fault::said(crate::domain::code::Code::UnitUnknown, what)));
        };
        let certificate_sn = match certificate_of(&unit) {
            Ok(cert) => cert,
            Err(Trouble::Row(fault)) => return Ok(Err(fault)),
            Err(Trouble::Ledger(error)) => return Err(error),
        };
        let sql =
            "SELECT fingerprint, ifnull(proven_us, issued_us) FROM certificates WHERE sn = ?1";
        let (fingerprint, proven_at) = self
            .connection
            .prepare_cached(sql)?
            .query_row([certificate_sn], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let label = label_row::newest(&self.connection, serial, certificate_sn)?;
        let next_copy = label_row::count(&self.connection, serial)? + 1;
        let has_older = label_row::has_older(&self.connection, serial, certificate_sn)?;
        Ok(Ok(LabelFacts {
            serial: unit.serial,
            client_id: unit.client_id,
            certificate_sn,
            fingerprint,
            work_order: unit.proven.and_then(|proven| proven.work_order),
            proven_at,
            label,
            next_copy,
            has_older,
        }))
    }

    /// The labels that somebody still has to see to, the oldest first; not more than 500.
    pub fn open_labels(&self) -> Result<Vec<LabelRow>, LedgerError> {
        let sql =
            format!("SELECT {LABEL} FROM labels WHERE open = 1 ORDER BY first_seq LIMIT {LISTED}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_map([], read_label)?.collect::<Result<_, _>>()?)
    }

    /// How many there are.
    pub fn open_label_count(&self) -> Result<u32, LedgerError> {
        let sql = "SELECT count(*) FROM labels WHERE open = 1";
        Ok(self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    }

    /// All labels of a unit, in their order.
    pub fn labels_of(&self, serial: &Serial) -> Result<Vec<LabelRow>, LedgerError> {
        let sql = format!("SELECT {LABEL} FROM labels WHERE serial = ?1 ORDER BY copy");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_map([serial], read_label)?.collect::<Result<_, _>>()?)
    }

    /// Whether units that pass get labels, where that was ever chosen.
    pub fn labels_chosen(&self) -> Result<Option<LabelsChosen>, LedgerError> {
        let sql = "SELECT at_pass, verify FROM label_choice";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(LabelsChosen { at_pass: row.get(0)?, verify: row.get(1)? })
        };
        Ok(self.connection.prepare_cached(sql)?.query_row([], read).optional()?)
    }
}
