//! A unit's row: loaded whole, changed in memory, written as far as it changed. The sums that
//! depend on it are kept by `apply`, in the same transaction.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{CertificateSn, ClientId, HardwareId, Serial, StationId, WorkOrderId};
use crate::domain::record::{Open, ProvenIdentity, Rework, Standing};

use super::states::{Permission, Position, UnitState};

/// The open attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenAttempt {
    pub(crate) attempt: u32,
    pub(crate) position: Position,
    pub(crate) hardware: HardwareId,
    pub(crate) cert: CertificateSn,
    pub(crate) work_order: Option<WorkOrderId>,
}

/// The identity last proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProvenOn {
    pub(crate) hardware: HardwareId,
    pub(crate) cert: CertificateSn,
    pub(crate) work_order: Option<WorkOrderId>,
}

/// A unit's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnitRow {
    pub(crate) serial: Serial,
    pub(crate) client_id: ClientId,
    pub(crate) work_order: Option<WorkOrderId>,
    pub(crate) created: Timestamp,
    pub(crate) attempts: u32,
    pub(crate) open: Option<OpenAttempt>,
    pub(crate) proven: Option<ProvenOn>,
    pub(crate) finished: bool,
    pub(crate) rework: Permission,
    pub(crate) registered: bool,
    pub(crate) shipped: bool,
    pub(crate) voided: bool,
    pub(crate) scrapped: bool,
}

/// The work order in which a unit takes a place, and whether it is proven there.
pub(crate) type Place<'a> = Option<(&'a WorkOrderId, bool)>;

/// How much of a row is written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rewritten {
    /// How the unit stands, which is in no index but one.
    Standing,
    /// All of it.
    Whole,
}

impl UnitRow {
    pub(crate) fn new(serial: Serial, client_id: ClientId, created: Timestamp) -> Self {
        UnitRow {
            serial,
            client_id,
            work_order: None,
            created,
            attempts: 0,
            open: None,
            proven: None,
            finished: false,
            rework: Permission::No,
            registered: false,
            shipped: false,
            voided: false,
            scrapped: false,
        }
    }

    /// What is to be written of it in the place of the row before it, where there is one.
    pub(crate) fn rewritten(&self, before: Option<&UnitRow>) -> Rewritten {
        match before {
            Some(before) if before.is_found_as(self) => Rewritten::Standing,
            _ => Rewritten::Whole,
        }
    }

    /// Whether all is the same by which a unit is found, but for its state.
    fn is_found_as(&self, other: &UnitRow) -> bool {
        self.attempts == other.attempts
            && self.client_id == other.client_id
            && self.work_order == other.work_order
            && self.open == other.open
            && self.proven == other.proven
    }

    /// The furthest point that holds.
    pub(crate) fn state(&self) -> UnitState {
        let position = self.open.as_ref().map(|open| open.position);
        match (&self.proven, position) {
            _ if self.scrapped => UnitState::Scrapped,
            (_, Some(Position::Asked)) => UnitState::Uncertain,
            (Some(_), _) if self.rework != Permission::No => UnitState::Rework,
            (Some(_), _) if self.shipped => UnitState::Shipped,
            (Some(_), _) if self.registered => UnitState::Registered,
            (Some(_), _) | (None, Some(Position::Proven)) => UnitState::Proven,
            (None, Some(Position::Begun)) => UnitState::Reserved,
            (None, Some(Position::Issued)) => UnitState::Issued,
            (None, None) if self.voided => UnitState::Void,
            (None, None) => UnitState::Failed,
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        let proven = self.proven.as_ref().map(|proven| ProvenIdentity {
            hardware: proven.hardware.clone(),
            cert: proven.cert,
            finished: self.finished,
        });
        let rework = match self.rework {
            Permission::No => Rework::No,
            Permission::SameDevice | Permission::AnyDevice => Rework::Allowed,
        };
        let open = self.open.as_ref().map_or(Open::None, OpenAttempt::open);
        Standing { proven, rework, open, scrapped: self.scrapped }
    }

    /// The places that it takes: where it is proven, and where an attempt is under way.
    /// Both in one work order are one place.
    pub(crate) fn places(&self) -> [Option<&WorkOrderId>; 2] {
        let proven = self.proven.as_ref().and_then(|proven| proven.work_order.as_ref());
        let open = self.open.as_ref().and_then(|open| open.work_order.as_ref());
        [proven, open.filter(|open| Some(*open) != proven)]
    }

    /// The same, and which of them is that of a proven unit.
    pub(crate) fn counted(&self) -> [Place<'_>; 2] {
        let [proven, open] = self.places();
        [proven.map(|id| (id, true)), open.map(|id| (id, false))]
    }
}

impl OpenAttempt {
    fn open(&self) -> Open {
        let (attempt, hardware, cert) = (self.attempt, self.hardware.clone(), self.cert);
        match self.position {
            Position::Begun => Open::Begun { attempt, hardware },
            Position::Issued => Open::Issued { attempt, hardware, cert },
            Position::Asked => Open::Asked { attempt, hardware, cert },
            Position::Proven => Open::Proven { attempt, hardware, cert },
        }
    }
}

/// The columns that [`from_row`] reads, in its order.
pub(crate) const COLUMNS: &str = "serial, client_id, work_order, created_us, attempts, \
    open_attempt, open_position, open_hardware, open_sn, open_work_order, \
    proven_hardware, proven_sn, proven_work_order, finished, rework, registered, shipped, \
    voided, scrapped";

/// Reads a row of [`COLUMNS`].
pub(crate) fn from_row(row: &Row<'_>) -> rusqlite::Result<UnitRow> {
    let open = match row.get::<_, Option<u32>>(5)? {
        None => None,
        Some(attempt) => Some(OpenAttempt {
            attempt,
            position: row.get(6)?,
            hardware: row.get(7)?,
            cert: row.get(8)?,
            work_order: row.get(9)?,
        }),
    };
    let proven = match row.get::<_, Option<HardwareId>>(10)? {
        None => None,
        Some(hardware) => Some(ProvenOn { hardware, cert: row.get(11)?, work_order: row.get(12)? }),
    };
    Ok(UnitRow {
        serial: row.get(0)?,
        client_id: row.get(1)?,
        work_order: row.get(2)?,
        created: row.get(3)?,
        attempts: row.get(4)?,
        open,
        proven,
        finished: row.get(13)?,
        rework: row.get(14)?,
        registered: row.get(15)?,
        shipped: row.get(16)?,
        voided: row.get(17)?,
        scrapped: row.get(18)?,
    })
}

/// The unit's row, where there is one.
pub(crate) fn load(connection: &Connection, serial: &Serial) -> rusqlite::Result<Option<UnitRow>> {
    let sql = format!("SELECT {COLUMNS} FROM units WHERE serial = ?1");
    connection.prepare_cached(&sql)?.query_row([serial], from_row).optional()
}

/// Writes a unit's row, or what changed of it.
pub(crate) fn write(
    connection: &Connection,
    station: &StationId,
    unit: &UnitRow,
    what: Rewritten,
    now: Timestamp,
) -> rusqlite::Result<()> {
    match what {
        Rewritten::Standing => write_standing(connection, unit, now),
        Rewritten::Whole => write_whole(connection, station, unit, now),
    }
}

/// Changes how many places of a work order units take: proven ones, or those under way.
pub(crate) fn count_place(
    connection: &Connection,
    id: &WorkOrderId,
    proven: bool,
    change: i64,
) -> rusqlite::Result<()> {
    let sql = match proven {
        true => "UPDATE work_orders SET proven = proven + ?2 WHERE id = ?1",
        false => "UPDATE work_orders SET under_way = under_way + ?2 WHERE id = ?1",
    };
    connection.prepare_cached(sql)?.execute(params![id, change])?;
    Ok(())
}

/// Writes how it stands, where nothing else changed: none of the indices but one.
fn write_standing(connection: &Connection, unit: &UnitRow, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE units SET state = ?2, changed_us = ?3, finished = ?4, rework = ?5,
            registered = ?6, shipped = ?7, voided = ?8, scrapped = ?9
        WHERE serial = ?1";
    connection.prepare_cached(sql)?.execute(params![
        unit.serial,
        unit.state(),
        now,
        unit.finished,
        unit.rework,
        unit.registered,
        unit.shipped,
        unit.voided,
        unit.scrapped,
    ])?;
    Ok(())
}

fn write_whole(
    connection: &Connection,
    station: &StationId,
    unit: &UnitRow,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let (open, proven) = (unit.open.as_ref(), unit.proven.as_ref());
    let sql = "INSERT INTO units VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
            ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
        ON CONFLICT (serial) DO UPDATE SET client_id = ?3, state = ?4, work_order = ?5,
            changed_us = ?7, attempts = ?8, open_attempt = ?9, open_position = ?10,
            open_hardware = ?11, open_sn = ?12, open_work_order = ?13, proven_hardware = ?14,
            proven_sn = ?15, proven_work_order = ?16, finished = ?17, rework = ?18,
            registered = ?19, shipped = ?20, voided = ?21, scrapped = ?22";
    connection.prepare_cached(sql)?.execute(params![
        unit.serial,
        station,
        unit.client_id,
        unit.state(),
        unit.work_order,
        unit.created,
        now,
        unit.attempts,
        open.map(|open| open.attempt),
        open.map(|open| open.position),
        open.map(|open| &open.hardware),
        open.map(|open| open.cert),
        open.and_then(|open| open.work_order.as_ref()),
        proven.map(|proven| &proven.hardware),
        proven.map(|proven| proven.cert),
        proven.and_then(|proven| proven.work_order.as_ref()),
        unit.finished,
        unit.rework,
        unit.registered,
        unit.shipped,
        unit.voided,
        unit.scrapped,
    ])?;
    Ok(())
}

/// Another unit that is proven on this device or has an open attempt on it.
pub(crate) fn hardware_owner(
    connection: &Connection,
    serial: &Serial,
    hardware: &HardwareId,
) -> rusqlite::Result<Option<Serial>> {
    let sql = "SELECT serial FROM units WHERE proven_hardware = ?1 AND serial <> ?2
        UNION ALL SELECT serial FROM units WHERE open_hardware = ?1 AND serial <> ?2 LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params![hardware, serial], |row| row.get(0)).optional()
}
