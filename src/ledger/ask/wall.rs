//! What a wall screen and a monitoring system ask: the newest attempt of each slot.

use std::collections::BTreeMap;

use crate::domain::ids::SlotName;
use crate::domain::slot::Newest;
use crate::error::LedgerError;

use super::reader::Reader;

/// The newest attempts that are looked through for one of each slot: a slot that is in none of
/// them has been idle for long.
pub(super) const LOOKED_AT: u32 = 2_000;

/// Attempts among which the newest are. Which of them is newer, their entries tell, since a clock
/// may have run ahead and been set right: what began later than the newest entry did so under
/// such a clock, and stands in nobody's way here. An index finds both parts by their times.
macro_rules! newest_attempts {
    () => {
        "(SELECT * FROM (SELECT serial, attempt, slot, work_order, started_seq FROM attempts
                WHERE started_us <= (SELECT newest_us FROM ledger)
                ORDER BY started_us DESC, serial DESC, attempt DESC LIMIT ?1)
            UNION ALL
            SELECT * FROM (SELECT serial, attempt, slot, work_order, started_seq FROM attempts
                WHERE started_us > (SELECT newest_us FROM ledger)
                ORDER BY started_us DESC, serial DESC, attempt DESC LIMIT ?1))"
    };
}
pub(super) use newest_attempts;

impl Reader {
    /// The newest attempt of each slot that had one lately.
    pub fn newest_by_slot(&self) -> Result<BTreeMap<SlotName, Newest>, LedgerError> {
        let sql = concat!(
            "SELECT a.slot, a.serial, a.started_us, a.ended_us, a.outcome, a.code,
                u.open_position = 'asked' AND u.open_attempt = a.attempt
            FROM (SELECT serial, attempt, slot, max(started_seq) FROM ",
            newest_attempts!(),
            " GROUP BY slot) newest
            JOIN attempts a USING (serial, attempt) JOIN units u USING (serial)"
        );
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([LOOKED_AT], |row| {
            let slot: SlotName = row.get(0)?;
            let newest = Newest {
                slot: slot.clone(),
                serial: row.get(1)?,
                started_at: row.get(2)?,
                ended_at: row.get(3)?,
                outcome: row.get(4)?,
                code: row.get(5)?,
                uncertain: row.get::<_, Option<bool>>(6)?.unwrap_or(false),
            };
            Ok((slot, newest))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
