//! The rows of units and the sums, between the entries that change them and the tables.
//!
//! A unit has some seven entries, close behind each other, and each changes its row and two sums.
//! Where many entries are applied one behind the other, both stay in memory until there are many,
//! and are written once. A line's writer keeps none back: whoever decides about the next record
//! reads the tables. What is written in the end is the same.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{Serial, StationId, WorkOrderId};
use crate::tables::counts;
use crate::tables::unit_row::{self, Rewritten, UnitRow};

use super::marks::Marks;

/// What applying keeps in memory: read before the first entry, saved behind the last.
pub(crate) struct Held {
    pub(super) marks: Option<Marks>,
    /// So many units are kept back at most.
    most: usize,
    units: RefCell<BTreeMap<Serial, Unwritten>>,
    sums: RefCell<Sums>,
}

/// A unit's row as its table will have it.
#[derive(Clone)]
struct Unwritten {
    row: UnitRow,
    what: Rewritten,
    /// Of the entry that made the row, where there was none.
    station: StationId,
    /// The time of the last entry that changed it.
    changed: Timestamp,
}

/// How far sums changed. One that did not is written too: its row is there from then on.
#[derive(Default)]
struct Sums {
    counts: BTreeMap<&'static str, BTreeMap<String, i64>>,
    /// Places that units take of their work orders; those of proven ones apart.
    places: BTreeMap<(WorkOrderId, bool), i64>,
}

impl Held {
    /// Keeps no unit and no sum back: whoever decides about the next entry finds them in the
    /// tables.
    pub(crate) fn nothing(connection: &Connection) -> rusqlite::Result<Self> {
        Self::units(0, connection)
    }

    /// Keeps so many units back, in a connection in which a row may name another one before that
    /// is there.
    pub(crate) fn units(most: usize, connection: &Connection) -> rusqlite::Result<Self> {
        let marks = Marks::read(connection)?;
        Ok(Held { marks, most, units: RefCell::default(), sums: RefCell::default() })
    }

    /// Up to when the clock is believed behind the last entry; none in a ledger that is not
    /// founded yet.
    pub(crate) fn clock(&self) -> Option<Timestamp> {
        self.marks.as_ref().map(Marks::clock)
    }

    /// What the ledger's own row is to say, as it was before an entry that is taken back.
    pub(crate) fn marks(&self) -> Option<Marks> {
        self.marks
    }

    /// Goes back to that.
    pub(crate) fn set_marks(&mut self, marks: Option<Marks>) {
        self.marks = marks;
    }

    /// Writes all that is not in the tables yet.
    pub(crate) fn save(&self, connection: &Connection) -> rusqlite::Result<()> {
        self.write(connection)?;
        Marks::save(self.marks, connection)
    }

    /// Writes rows and sums: for whoever looks for units in their table, too.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        for Unwritten { row, what, station, changed } in self.units.take().into_values() {
            unit_row::write(connection, &station, &row, what, changed)?;
        }
        let Sums { counts, places } = self.sums.take();
        for (what, names) in counts {
            for (name, change) in names {
                counts::add(connection, what, &name, change)?;
            }
        }
        for ((id, proven), change) in places {
            unit_row::count_place(connection, &id, proven, change)?;
        }
        Ok(())
    }

    fn write_if_many(&self, connection: &Connection) -> rusqlite::Result<()> {
        let kept = self.units.borrow().len();
        if kept < self.most { Ok(()) } else { self.write(connection) }
    }

    /// The unit's row, where there is one.
    pub(super) fn unit(
        &self,
        connection: &Connection,
        serial: &Serial,
    ) -> rusqlite::Result<Option<UnitRow>> {
        match self.units.borrow().get(serial) {
            Some(kept) => Ok(Some(kept.row.clone())),
            None => unit_row::load(connection, serial),
        }
    }

    /// Puts a unit's row in the place of the one before it.
    pub(super) fn put_unit(
        &self,
        connection: &Connection,
        station: &StationId,
        before: Option<&UnitRow>,
        row: UnitRow,
        changed: Timestamp,
    ) -> rusqlite::Result<()> {
        let what = row.rewritten(before);
        let mut units = self.units.borrow_mut();
        if let Some(kept) = units.get_mut(&row.serial) {
            (kept.row, kept.what, kept.changed) = (row, what.max(kept.what), changed);
            return Ok(());
        }
        let (serial, station) = (row.serial.clone(), station.clone());
        units.insert(serial, Unwritten { row, what, station, changed });
        drop(units);
        self.write_if_many(connection)
    }

    /// Changes one sum.
    pub(super) fn count(
        &self,
        connection: &Connection,
        what: &'static str,
        name: &str,
        change: i64,
    ) -> rusqlite::Result<()> {
        self.sums.borrow_mut().count(what, name, change);
        self.write_if_many(connection)
    }

    /// Changes how many places of a work order units take.
    pub(super) fn count_place(
        &self,
        connection: &Connection,
        (id, proven): (&WorkOrderId, bool),
        change: i64,
    ) -> rusqlite::Result<()> {
        *self.sums.borrow_mut().places.entry((id.clone(), proven)).or_default() += change;
        self.write_if_many(connection)
    }
}

impl Sums {
    fn count(&mut self, what: &'static str, name: &str, change: i64) {
        let names = self.counts.entry(what).or_default();
        match names.get_mut(name) {
            Some(sum) => *sum += change,
            None => drop(names.insert(name.to_owned(), change)),
        }
    }
}
