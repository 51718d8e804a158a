//! The projection: the only code that writes the evidence tables.
//!
//! It decides nothing. What an entry says is put into the rows, the same way when it is
//! recorded and when the journal is replayed; so it looks at the entry and at the rows,
//! never at a clock, a setting or a file.

use rusqlite::{Connection, params};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{Serial, StationId, WorkOrderId};
use crate::domain::record::{
    AuthoritySeen, LineStarted, Person, PersonAct, Record, WorkOrderAct, WorkOrderCreated,
};
use crate::domain::registration::AuthorityRegistered;

use super::error::LedgerError;
use super::journal::{Created, Entry, Fact, Kind};
use super::payload::HexBytes;
use super::sql::stored;
use super::{apply_adopted, apply_attempt, apply_cloud, apply_person, apply_unit};

/// A clock may run this far ahead of the journal within one entry without being held
/// for wrong; further only a unit's begin or a person takes it.
const CLOCK_STEP: i64 = 24 * 3600 * 1_000_000;

/// Where an entry stands: what every row that it writes carries.
pub(super) struct Context<'a> {
    pub(super) connection: &'a Connection,
    pub(super) station: &'a StationId,
    pub(super) seq: u64,
    pub(super) wall: Timestamp,
}

/// Puts one entry into the evidence tables.
pub(super) fn apply(connection: &Connection, entry: &Entry) -> Result<(), LedgerError> {
    let context = Context { connection, station: &entry.station, seq: entry.seq, wall: entry.wall };
    match &entry.fact {
        Fact::Created(created) => context.created(created)?,
        Fact::Record(record, attempt) => {
            context.record(record, *attempt)?;
            context.note(Kind::of(&entry.fact))?;
        }
    }
    Ok(())
}

impl Context<'_> {
    fn record(&self, record: &Record, attempt: u32) -> Result<(), LedgerError> {
        match record {
            Record::LineStarted(r) => self.line_started(r)?,
            Record::AuthoritySeen(r) => self.authority_seen(r)?,
            Record::Begun(r) => apply_attempt::begun(self, r, attempt)?,
            Record::FailedEarly(r) => apply_attempt::failed_early(self, r, attempt)?,
            Record::Issued(r) => apply_attempt::issued(self, r)?,
            Record::CommitAsked(r) => apply_attempt::commit_asked(self, r)?,
            Record::Proven(r) => apply_attempt::proven(self, r)?,
            Record::Finished(r) => apply_unit::finished(self, r)?,
            Record::Ended(r) => apply_attempt::ended(self, r)?,
            Record::UnitVoided(r) => apply_unit::voided(self, r)?,
            Record::ReworkAllowed(r) => apply_unit::rework_allowed(self, r)?,
            Record::UnitScrapped(r) => apply_unit::scrapped(self, r)?,
            Record::WorkOrderCreated(r) => self.work_order_created(r)?,
            Record::WorkOrderClosed(r) => self.work_order_closed(r)?,
            Record::ClockAccepted(r) => {
                self.act("clock-accepted", None, None, Some(&r.reason), &r.by)?;
            }
            Record::Restored(r) => {
                let known = r.known_seq.map_or_else(|| "?".to_owned(), |seq| seq.to_string());
                let gap = format!("entry {} of {known}", r.last_seq);
                self.act("restored", None, None, Some(&gap), &r.by)?;
                self.set_gap(Some(self.seq))?;
            }
            Record::AuthorityRegistered(r) => self.authority_registered(r)?,
            Record::RegisteredByHand(r) => apply_cloud::registered_by_hand(self, r)?,
            Record::Sent(r) => apply_cloud::sent(self, r)?,
            Record::Answered(r) => apply_cloud::answered(self, r)?,
            Record::Found(r) => apply_cloud::found(self, r)?,
            Record::CloudChosen(r) => apply_cloud::chosen(self, r)?,
            Record::ActivationAsked(r) => apply_cloud::activation_asked(self, r)?,
            Record::Shipped(r) => apply_cloud::shipped(self, r)?,
            Record::CrlIssued(r) => {
                let what = format!("{} of CA {}", r.certificates, r.authority);
                self.act("crl-issued", None, None, Some(&what), &r.by)?;
            }
            Record::GapAccepted(r) => {
                self.act("gap-accepted", None, None, Some(&r.reason), &r.by)?;
                self.set_gap(None)?;
            }
            Record::Adopted(r) => apply_adopted::adopted(self, r, attempt)?,
            Record::OperatorAdded(r) => apply_person::added(self, r)?,
            Record::OperatorDisabled(r) => apply_person::disabled(self, r)?,
            Record::PinChanged(r) => apply_person::pin_changed(self, r)?,
            Record::ProfileAccepted(r) => apply_person::profile_accepted(self, r)?,
            Record::SignedIn(r) => apply_person::signed_in(self, r)?,
        }
        Ok(())
    }

    fn created(&self, created: &Created) -> Result<(), LedgerError> {
        let instance = HexBytes::parse(&created.instance)
            .ok_or_else(|| LedgerError::Nonsense("the ledger's instance id".to_owned()))?;
        self.connection.execute(
            "INSERT INTO ledger VALUES (1, ?1, ?2, ?3, ?4, ?3, ?3, NULL)",
            params![self.station, instance.0, self.wall, stored(self.seq)],
        )?;
        Ok(())
    }

    /// Notes the entry's number and time; the clock's mark follows slowly, so that one
    /// entry under a wrong clock does not make it right.
    fn note(&self, kind: Kind) -> rusqlite::Result<()> {
        let sql = match kind {
            Kind::ClockAccepted => "UPDATE ledger SET last_seq = ?1, newest_us = ?2, clock_us = ?2",
            Kind::Begun => {
                "UPDATE ledger SET last_seq = ?1, newest_us = ?2, clock_us = max(clock_us, ?2)"
            }
            _ => {
                "UPDATE ledger SET last_seq = ?1, newest_us = ?2,
                    clock_us = iif(?2 BETWEEN clock_us AND clock_us + ?3, ?2, clock_us)"
            }
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        match kind {
            Kind::ClockAccepted | Kind::Begun => {
                statement.execute(params![stored(self.seq), self.wall])?
            }
            _ => statement.execute(params![stored(self.seq), self.wall, CLOCK_STEP])?,
        };
        Ok(())
    }

    /// The restore that keeps the line closed.
    fn set_gap(&self, restored_seq: Option<u64>) -> rusqlite::Result<()> {
        let sql = "UPDATE ledger SET gap_seq = ?1";
        self.connection.execute(sql, [restored_seq.map(stored)])?;
        Ok(())
    }

    fn line_started(&self, line: &LineStarted) -> rusqlite::Result<()> {
        self.connection.execute(
            "INSERT INTO line_sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                stored(self.seq),
                self.station,
                self.wall,
                line.version,
                line.config,
                line.authority,
                line.work_order,
                line.operator,
                line.journal_certificate,
            ],
        )?;
        Ok(())
    }

    fn authority_seen(&self, authority: &AuthoritySeen) -> Result<(), LedgerError> {
        let der = HexBytes::parse(&authority.der)
            .ok_or_else(|| LedgerError::Nonsense("a CA certificate".to_owned()))?;
        self.connection.execute(
            "INSERT INTO authorities VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            params![authority.fingerprint, self.station, der.0, self.wall, stored(self.seq)],
        )?;
        Ok(())
    }

    /// The newest word counts; a number that was known stays where none is said.
    fn authority_registered(&self, registered: &AuthorityRegistered) -> rusqlite::Result<()> {
        let AuthorityRegistered { authority, cloud, ca_sn, by, .. } = registered;
        let ca_sn = ca_sn.as_ref().map(|sn| &sn.0);
        self.connection.execute(
            "INSERT INTO cloud_authorities VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT DO UPDATE SET ca_sn = coalesce(excluded.ca_sn, ca_sn),
                changed_us = excluded.changed_us",
            params![
                authority,
                cloud.site,
                cloud.region,
                cloud.instance,
                self.station,
                ca_sn,
                self.wall
            ],
        )?;
        let what = format!("{authority} in {cloud}");
        self.act("ca-registered", None, None, Some(&what), by)
    }

    fn work_order_created(&self, created: &WorkOrderCreated) -> rusqlite::Result<()> {
        let order = &created.work_order;
        self.connection.execute(
            "INSERT INTO work_orders VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, 0, 0)",
            params![
                order.id,
                self.station,
                order.product,
                order.quantity,
                order.serial_pattern,
                order.serial_range.as_ref().map(ToString::to_string),
                order.check_character.as_str(),
                order.profile,
                order.hardware_ids.is_empty(),
                self.wall,
            ],
        )?;
        let sql = "INSERT INTO work_order_devices VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let mut statement = self.connection.prepare_cached(sql)?;
        for (place, hardware) in (0_i64..).zip(&order.hardware_ids) {
            statement.execute(params![order.id, hardware, place])?;
        }
        self.act("work-order-created", None, Some(&order.id), None, &created.by)
    }

    fn work_order_closed(&self, closed: &WorkOrderAct) -> rusqlite::Result<()> {
        let sql = "UPDATE work_orders SET closed = 1 WHERE id = ?1";
        self.connection.execute(sql, [&closed.work_order])?;
        self.act("work-order-closed", None, Some(&closed.work_order), None, &closed.by)
    }

    /// Notes what a person did to a unit.
    pub(super) fn unit_act(&self, act: &str, by: &PersonAct) -> rusqlite::Result<()> {
        self.act(act, Some(&by.serial), None, Some(&by.reason), &by.by)
    }

    /// Notes what a person did.
    pub(super) fn act(
        &self,
        act: &str,
        serial: Option<&Serial>,
        work_order: Option<&WorkOrderId>,
        reason: Option<&str>,
        by: &Person,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO acts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        self.connection.prepare_cached(sql)?.execute(params![
            stored(self.seq),
            self.station,
            self.wall,
            act,
            serial,
            work_order,
            reason,
            by.operator,
            by.uid,
        ])?;
        Ok(())
    }
}
