//! What a report asks: the figures of a time or of a lot, what is on HOLD there, and the days
//! before.

use std::collections::BTreeMap;

use rusqlite::{Row, ToSql};

use crate::domain::clock::Timestamp;
use crate::domain::figures::{Behind, Figures, Holds, OfDay, OnHold, Scope};
use crate::domain::ids::WorkOrderId;
use crate::domain::local::{Span, Zone};
use crate::error::LedgerError;
use crate::tables::sql::counted;
use crate::tables::states::AttemptOutcome;

use super::backlog::Backlog;
use super::conditions::Conditions;
use super::figures::{Ended, Tally, count, text};
use super::reader::Reader;
use super::views::Outcomes;

/// Units on HOLD that are named.
const NAMED: u32 = 200;

impl Conditions {
    /// Only attempts, `a`, of this scope.
    fn add_scope(&mut self, scope: &Scope) {
        match scope {
            Scope::Order(id) => self.add("a.work_order = ?", id.clone()),
            Scope::Within(Span { from, until }) => {
                self.add("a.started_us >= ?", *from);
                self.add("a.started_us < ?", *until);
            }
        }
    }
}

impl Reader {
    /// Everything that a report counts, in one pass over the scope's attempts.
    pub fn figures(&self, scope: &Scope, zone: &Zone) -> Result<Figures, LedgerError> {
        let mut wanted = Conditions::default();
        wanted.add_scope(scope);
        let sql = format!(
            "SELECT a.outcome, a.slot, a.code, a.attempt, a.started_us, a.ended_us, a.operator,
                a.firmware, a.serial
            FROM attempts a WHERE {} ORDER BY a.started_us",
            wanted.sql()
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(wanted.values().as_slice())?;
        let mut gathered = Gathered::new(zone);
        while let Some(row) = rows.next()? {
            gathered.add(row)?;
        }
        Ok(gathered.figures())
    }

    /// What is on HOLD of this scope.
    pub fn on_hold(&self, scope: &Scope) -> Result<Holds, LedgerError> {
        let mut wanted = Conditions::default();
        wanted.add_scope(scope);
        self.held_units(&wanted)
    }

    /// What is on HOLD of all units.
    pub fn all_on_hold(&self) -> Result<Holds, LedgerError> {
        self.held_units(&Conditions::default())
    }

    fn held_units(&self, wanted: &Conditions) -> Result<Holds, LedgerError> {
        let from = format!(
            "FROM units u JOIN attempts a ON a.serial = u.serial AND a.attempt = u.open_attempt
            WHERE u.state = 'uncertain' AND {}",
            wanted.sql()
        );
        let values: Vec<&dyn ToSql> = wanted.values();
        let mut statement = self.connection.prepare_cached(&format!("SELECT count(*) {from}"))?;
        let count = counted(statement.query_row(values.as_slice(), |row| row.get(0))?);
        let sql = format!(
            "SELECT a.serial, a.slot, a.operator, a.hardware, a.started_us, a.code {from}
            ORDER BY a.started_us LIMIT {NAMED}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let units = statement.query_map(values.as_slice(), |row| {
            Ok(OnHold {
                serial: row.get(0)?,
                slot: row.get(1)?,
                operator: row.get(2)?,
                device: row.get(3)?,
                time: row.get(4)?,
                code: row.get(5)?,
            })
        })?;
        Ok(Holds { count, units: units.collect::<Result<_, _>>()? })
    }

    /// How units' first attempts ended, by the factory's days: by an index alone.
    pub fn first_by_day(
        &self,
        span: Span,
        zone: &Zone,
    ) -> Result<BTreeMap<i64, Outcomes>, LedgerError> {
        let sql = "SELECT started_us, outcome FROM attempts
            WHERE started_us >= ?1 AND started_us < ?2 AND attempt = 1 ORDER BY started_us";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([span.from, span.until])?;
        let (mut days, mut of): (BTreeMap<i64, Outcomes>, _) = (BTreeMap::new(), Days::new(zone));
        while let Some(row) = rows.next()? {
            let outcome: AttemptOutcome = row.get(1)?;
            if outcome != AttemptOutcome::Running {
                count(days.entry(of.day(row.get(0)?)).or_default(), outcome);
            }
        }
        Ok(days)
    }

    /// What waits for the cloud of a work order's units.
    pub fn backlog_of(&self, id: &WorkOrderId) -> Result<Backlog, LedgerError> {
        let sql = "SELECT count(*), min(
                iif(o.operation = 'register', coalesce(c.proven_us, o.queued_us), NULL))
            FROM outbox o JOIN certificates c ON c.sn = o.certificate_sn
            JOIN attempts a ON a.serial = c.serial AND a.attempt = c.attempt
            WHERE o.state IN ('waiting', 'claimed', 'parked') AND a.work_order = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([id], |row| {
            Ok(Backlog { count: counted(row.get(0)?), oldest: row.get(1)? })
        })?)
    }
}

/// The days of attempts that come in the order of time: each is looked up once.
struct Days<'a> {
    zone: &'a Zone,
    last: Option<(i64, Span)>,
}

impl<'a> Days<'a> {
    fn new(zone: &'a Zone) -> Self {
        Self { zone, last: None }
    }

    fn day(&mut self, at: Timestamp) -> i64 {
        match self.last {
            Some((day, Span { from, until })) if from <= at && at < until => day,
            _ => {
                let day = self.zone.day_of(at);
                self.last = Some((day, self.zone.day(day)));
                day
            }
        }
    }
}

/// Figures that are being gathered.
struct Gathered<'a> {
    zone: &'a Zone,
    days: Days<'a>,
    tally: Tally,
    figures: Figures,
}

impl<'a> Gathered<'a> {
    fn new(zone: &'a Zone) -> Self {
        let (tally, figures) = (Tally::default(), Figures::default());
        Self { zone, days: Days::new(zone), tally, figures }
    }

    fn add(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let outcome: AttemptOutcome = row.get(0)?;
        if outcome == AttemptOutcome::Running {
            return Ok(());
        }
        let (attempt, started): (u32, Timestamp) = (row.get(3)?, row.get(4)?);
        let code = text(row, 2)?;
        let is_first = attempt == 1;
        let hour = self.zone.hour_of(started);
        let slot = text(row, 1)?.unwrap_or_default();
        self.tally.add(&Ended { outcome, slot, code, is_first, hour });
        let Figures { between, by_operator, by_firmware, by_day, behind, durations_ms, .. } =
            &mut self.figures;
        *between = Some((between.map_or(started, |(first, _)| first), started));
        count(entry(by_operator, text(row, 6)?), outcome);
        count(entry(by_firmware, text(row, 7)?), outcome);
        let day: &mut OfDay = by_day.entry(self.days.day(started)).or_default();
        count(&mut day.attempts, outcome);
        if is_first {
            count(&mut day.first, outcome);
        }
        if let (AttemptOutcome::Pass, Some(ended)) = (outcome, row.get::<_, Option<Timestamp>>(5)?)
        {
            durations_ms.push(ended.milliseconds_since(started));
        }
        if let Some(code) = code {
            let units = behind.entry(code.to_owned()).or_default();
            units.push(Behind {
                serial: row.get(8)?,
                attempt,
                slot: row.get(1)?,
                operator: row.get(6)?,
                time: started,
            });
            // Twice as many are kept until half of them go, so that none is moved often.
            if units.len() == 2 * Figures::BEHIND {
                units.drain(..Figures::BEHIND);
            }
        }
        Ok(())
    }

    fn figures(self) -> Figures {
        let mut figures = Figures { stats: self.tally.stats(), ..self.figures };
        figures.durations_ms.sort_unstable();
        for units in figures.behind.values_mut() {
            units.reverse();
            units.truncate(Figures::BEHIND);
        }
        figures
    }
}

fn entry<'a>(
    table: &'a mut BTreeMap<Option<String>, Outcomes>,
    name: Option<&str>,
) -> &'a mut Outcomes {
    table.entry(name.map(str::to_owned)).or_default()
}
