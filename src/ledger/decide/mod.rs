//! Whether a record may be made durable. Decided inside the transaction that appends it,
//! so that nothing can come between the look and the deed.

mod adopted;
pub(super) mod clock;
pub(super) mod cloud;
mod grants;
pub(super) mod labels;
mod person;
pub(super) mod place;
pub(super) mod view;

use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::domain::certificate::Certificate;
use crate::domain::code::Code;
use crate::domain::ids::{CertificateSn, ClientId, HardwareId, Serial, WorkOrderId};
use crate::domain::record::{
    AttemptRef, Begun, End, Ended, FailedEarly, GapAccepted, Issued, PersonAct, Record,
    WorkOrderAct, WorkOrderCreated,
};
use crate::ledger::error::LedgerError;
use crate::ledger::journal::payload::HexBytes;
use crate::ledger::keep::filesystem;
use crate::ledger::tables::certificate_row::resumable;
use crate::ledger::tables::sql::stored;
use crate::ledger::tables::states::{Permission, Position};
use crate::ledger::tables::unit_row::hardware_owner;
use crate::ledger::tables::unit_row::{self, OpenAttempt, UnitRow};

use place::WorkOrderPlace;
use view::{Decided, Decision, Trouble, View, refuse};

impl View<'_> {
    /// Whether the record may be appended; gives what the transaction adds to it.
    pub(in crate::ledger) fn decide(&self, record: &Record) -> Decision<Decided> {
        self.approved(record)?;
        match record {
            Record::Begun(r) => return self.begun(r),
            Record::FailedEarly(r) => return self.failed_early(r).map(Decided::attempt),
            Record::Adopted(r) => return adopted::adopted(self, r).map(Decided::attempt),
            Record::GrantTaken(r) => grants::taken(self, r)?,
            Record::GrantGivenBack(r) => grants::given_back(self, r)?,
            Record::LineStarted(r) => {
                if let Some(id) = &r.work_order {
                    self.work_order_exists(id)?;
                }
                self.may_work(r.operator.as_ref())?;
            }
            Record::AuthoritySeen(r) => digest_matches(&r.der, r.fingerprint.as_bytes())?,
            Record::Issued(r) => self.issued(r)?,
            Record::CommitAsked(r) => self.at(r, Position::Issued, "ask its commit").map(drop)?,
            Record::Proven(r) => self.at(&r.attempt, Position::Asked, "be proven").map(drop)?,
            Record::Finished(r) => self.is_proven_with(&r.serial, r.certificate_sn)?,
            Record::Denied(r) => self.is_proven_with(&r.serial, r.certificate_sn)?,
            Record::Ended(r) => self.ended(r)?,
            Record::UnitVoided(r) => self.voided(r)?,
            Record::ReworkAllowed(r) => self.rework_allowed(r)?,
            Record::UnitScrapped(r) => self.scrapped(r)?,
            Record::WorkOrderCreated(r) => self.work_order_created(r)?,
            Record::WorkOrderClosed(r) => self.work_order_closed(r)?,
            Record::OperatorAdded(r) => self.operator_added(r)?,
            Record::OperatorDisabled(r) => self.operator_disabled(r)?,
            Record::PinChanged(r) => self.pin_changed(r)?,
            Record::PinWrong(r) | Record::PinRight(r) => self.pin_tried(r)?,
            Record::ProfileAccepted(r) => self.profile_accepted(r)?,
            Record::SignedIn(r) => self.may_work(r.operator.as_ref())?,
            Record::RegisteredByHand(r) => self.registered_by_hand(r)?,
            Record::Sent(r) => self.sent(r)?,
            Record::Answered(r) => self.answered(r)?,
            Record::Found(r) => self.found(r)?,
            Record::Contradicted(r) => self.contradicted(r)?,
            Record::ActivationAsked(r) => self.activation_asked(r)?,
            Record::Shipped(r) => self.shipped(r)?,
            Record::LabelSent(r) => labels::sent(self, r)?,
            Record::LabelDelivered(r) => labels::delivered(self, r)?,
            Record::LabelScanned(r) => labels::scanned(self, r)?,
            Record::ClockAccepted(_)
            | Record::Restored(_)
            | Record::AuthorityRegistered(_)
            | Record::CloudChosen(_)
            | Record::CrlIssued(_)
            | Record::IndicesRebuilt(_)
            | Record::LabelsChosen(_)
            | Record::Vouched(_) => {}
            Record::GapAccepted(r) => self.gap_accepted(r)?,
        }
        Ok(Decided::default())
    }

    fn begun(&self, begun: &Begun) -> Decision<Decided> {
        self.no_gap()?;
        self.clock_and_room()?;
        let unit = unit_row::load(self.connection, &begun.serial)?;
        if let Some(unit) = &unit {
            may_begin(unit, &begun.hardware)?;
        }
        self.client_id_is_free(&begun.serial, &begun.client_id)?;
        self.hardware_is_free(&begun.serial, &begun.hardware)?;
        if let Some(id) = &begun.work_order {
            self.has_place(id, unit.as_ref(), &begun.hardware)?;
        }
        self.serial_number_is_free(begun.certificate_sn)?;
        let grant = grants::place_of(self, &begun.serial, begun.work_order.as_ref())?;
        Ok(Decided { attempt: unit.map_or(0, |unit| unit.attempts) + 1, grant })
    }

    fn failed_early(&self, failed: &FailedEarly) -> Decision<u32> {
        if failed.end == End::Passed {
            return refuse(Code::Bug, "an attempt without a device can't have passed");
        }
        self.client_id_is_free(&failed.serial, &failed.client_id)?;
        if let Some(id) = &failed.work_order {
            self.work_order_exists(id)?;
        }
        let unit = unit_row::load(self.connection, &failed.serial)?;
        Ok(unit.map_or(0, |unit| unit.attempts) + 1)
    }

    /// After a restore nothing begins before somebody knows what was lost.
    fn no_gap(&self) -> Decision<()> {
        match self.gap_seq()? {
            None => Ok(()),
            Some(seq) => {
                let detail = format!("entry {seq} restored a backup, and nobody accepted the gap");
                refuse(Code::LedgerGap, detail)
            }
        }
    }

    fn gap_seq(&self) -> rusqlite::Result<Option<i64>> {
        let sql = "SELECT gap_seq FROM ledger";
        self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
    }

    fn gap_accepted(&self, accepted: &GapAccepted) -> Decision<()> {
        match self.gap_seq()? {
            Some(seq) if seq == stored(accepted.restored_seq) => Ok(()),
            _ => {
                let detail = format!("no gap of entry {} is open", accepted.restored_seq);
                refuse(Code::LedgerGap, detail)
            }
        }
    }

    fn clock_and_room(&self) -> Decision<()> {
        let limits = self.limits;
        let mark = clock::mark(self.connection)?;
        clock::check(mark, self.now, limits.max_clock_gap).or_else(row)?;
        filesystem::check_room(&limits.data_dir, limits.reserve_bytes).or_else(row)
    }

    pub(in crate::ledger) fn client_id_is_free(
        &self,
        serial: &Serial,
        client_id: &ClientId,
    ) -> Decision<()> {
        let sql = "SELECT serial FROM units WHERE client_id = ?1 AND serial <> ?2
            UNION ALL SELECT serial FROM certificates WHERE client_id = ?1 AND serial <> ?2 LIMIT 1";
        match self.first_serial(sql, params![client_id, serial])? {
            None => Ok(()),
            Some(other) => refuse(
                Code::ScanClientId,
                format!("client id {client_id} belongs to unit {other}, not to {serial}"),
            ),
        }
    }

    pub(in crate::ledger) fn hardware_is_free(
        &self,
        serial: &Serial,
        hardware: &HardwareId,
    ) -> Decision<()> {
        match hardware_owner(self.connection, serial, hardware)? {
            None => Ok(()),
            Some(other) => refuse(
                Code::DevOtherLabel,
                format!("device {hardware} belongs to unit {other}, not to {serial}"),
            ),
        }
    }

    fn first_serial(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> rusqlite::Result<Option<Serial>> {
        self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()
    }

    fn serial_number_is_free(&self, sn: CertificateSn) -> Decision<()> {
        let sql = "SELECT serial FROM attempts WHERE certificate_sn = ?1";
        match self.first_serial(sql, [sn])? {
            None => Ok(()),
            Some(other) => {
                refuse(Code::Bug, format!("certificate serial number {sn} is unit {other}'s"))
            }
        }
    }

    pub(in crate::ledger) fn work_order_exists(&self, id: &WorkOrderId) -> Decision<()> {
        let sql = "SELECT 1 FROM work_orders WHERE id = ?1";
        match self.connection.prepare_cached(sql)?.exists([id])? {
            true => Ok(()),
            false => refuse(Code::WorkOrderUnknown, format!("there is no work order {id}")),
        }
    }

    /// The work order must exist.
    pub(in crate::ledger) fn work_order_is_open(&self, id: &WorkOrderId) -> Decision<()> {
        let sql = "SELECT closed FROM work_orders WHERE id = ?1";
        match self.connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))? {
            false => Ok(()),
            true => refuse(Code::WorkOrderClosed, format!("work order {id} is closed")),
        }
    }

    /// A unit that takes a place in the work order already takes no further one.
    fn has_place(
        &self,
        id: &WorkOrderId,
        unit: Option<&UnitRow>,
        hardware: &HardwareId,
    ) -> Decision<()> {
        self.work_order_exists(id)?;
        let place = WorkOrderPlace::read(self.connection, id, unit)?;
        if let Some(fault) = place.refusal(id) {
            return Err(Trouble::Row(fault));
        }
        match place.takes(self.connection, id, hardware)? {
            true => Ok(()),
            false => refuse(
                Code::DevHardwareId,
                format!("device {hardware} is not one of work order {id}"),
            ),
        }
    }

    fn unit(&self, serial: &Serial) -> Decision<UnitRow> {
        match unit_row::load(self.connection, serial)? {
            Some(unit) => Ok(unit),
            None => refuse(Code::UnitUnknown, format!("the ledger knows no unit {serial}")),
        }
    }

    fn open(&self, attempt: &AttemptRef, to: &str) -> Decision<OpenAttempt> {
        let unit = self.unit(&attempt.serial)?;
        let state = unit.state();
        match unit.open {
            Some(open) if open.attempt == attempt.attempt => Ok(open),
            _ => refuse(
                Code::UnitState,
                format!(
                    "attempt {} of {} is not open, it can't {to}: the unit is {state}",
                    attempt.attempt, attempt.serial
                ),
            ),
        }
    }

    fn at(&self, attempt: &AttemptRef, position: Position, to: &str) -> Decision<OpenAttempt> {
        let open = self.open(attempt, to)?;
        match open.position == position {
            true => Ok(open),
            false => refuse(
                Code::UnitState,
                format!(
                    "attempt {} of {} is {}, it can't {to}",
                    attempt.attempt, attempt.serial, open.position
                ),
            ),
        }
    }

    fn issued(&self, issued: &Issued) -> Decision<()> {
        let open = self.at(&issued.attempt, Position::Begun, "be issued a certificate")?;
        let certificate = &issued.certificate;
        let (serial, key) = (&issued.attempt.serial, &certificate.public_key);
        let resumed = resumable(self.connection, serial, &open.hardware, key)?;
        let is_resumed = resumed == Some(certificate.sn);
        if open.cert != certificate.sn && !is_resumed {
            let detail =
                format!("{} was reserved, the certificate has {}", open.cert, certificate.sn);
            return refuse(Code::Bug, detail);
        }
        self.is_whole(certificate)?;
        // The same certificate again stands there already, and no other with its key can.
        let sql = "SELECT serial FROM certificates
            WHERE (public_key = ?1 OR fingerprint = ?2) AND NOT (?3 AND sn = ?4 AND fingerprint = ?2)";
        let values =
            params![certificate.public_key, certificate.fingerprint, is_resumed, certificate.sn];
        match self.first_serial(sql, values)? {
            None => Ok(()),
            Some(other) => refuse(
                Code::KeyDuplicate,
                format!("the public key for {} is unit {other}'s", issued.attempt.serial),
            ),
        }
    }

    /// The certificate is the bytes that its fingerprint names, and its CA is known.
    pub(in crate::ledger) fn is_whole(&self, certificate: &Certificate) -> Decision<()> {
        if Sha256::digest(&certificate.der)[..] != certificate.fingerprint.as_bytes()[..] {
            return refuse(Code::Bug, "the certificate's fingerprint is not that of its DER");
        }
        let sql = "SELECT 1 FROM authorities WHERE fingerprint = ?1";
        match self.connection.prepare_cached(sql)?.exists([certificate.issuer])? {
            true => Ok(()),
            false => refuse(
                Code::Bug,
                format!("the issuing CA {} is not in the ledger", certificate.issuer),
            ),
        }
    }

    fn is_proven_with(&self, serial: &Serial, cert: CertificateSn) -> Decision<()> {
        match self.unit(serial)?.proven {
            Some(proven) if proven.cert == cert => Ok(()),
            _ => refuse(Code::UnitState, format!("{serial} is not proven with {cert}")),
        }
    }

    fn ended(&self, ended: &Ended) -> Decision<()> {
        let open = self.open(&ended.attempt, "end")?;
        let passed = ended.end == End::Passed;
        let legal = match open.position {
            Position::Begun => !ended.void && !passed,
            // A device that makes its own key may come with it again.
            Position::Issued => !passed,
            Position::Asked => ended.void && !passed,
            Position::Proven => !ended.void,
        };
        match legal {
            true => Ok(()),
            false => refuse(
                Code::UnitState,
                format!(
                    "attempt {} of {} is {}, it can't end {}{}",
                    ended.attempt.attempt,
                    ended.attempt.serial,
                    open.position,
                    if passed { "passed" } else { "failed" },
                    if ended.void { " and void" } else { " and leave its certificate" },
                ),
            ),
        }
    }

    /// A person may not act on a unit that the line is working on.
    fn at_rest(&self, act: &PersonAct) -> Decision<UnitRow> {
        let unit = self.unit(&act.serial)?;
        match unit.open.as_ref().map(|open| open.position) {
            None | Some(Position::Asked) => Ok(unit),
            Some(_) => refuse(
                Code::UnitState,
                format!("{} is being worked on; it lands when the line starts", act.serial),
            ),
        }
    }

    fn voided(&self, act: &PersonAct) -> Decision<()> {
        let unit = self.at_rest(act)?;
        match unit.open.is_some() || unit.proven.is_some() || self.has_left(&act.serial)? {
            true => Ok(()),
            false => refuse(
                Code::UnitState,
                format!("{} is {} and has no certificate to void", act.serial, unit.state()),
            ),
        }
    }

    /// Whether an interrupted attempt left a certificate for a key that its device made.
    fn has_left(&self, serial: &Serial) -> Decision<bool> {
        let sql = "SELECT 1 FROM certificates WHERE serial = ?1 AND state = 'issued'";
        Ok(self.connection.prepare_cached(sql)?.exists([serial])?)
    }

    fn rework_allowed(&self, act: &PersonAct) -> Decision<()> {
        let unit = self.at_rest(act)?;
        match unit.proven {
            Some(_) => Ok(()),
            None => refuse(
                Code::UnitState,
                format!("{} is {}; only a proven unit is reworked", act.serial, unit.state()),
            ),
        }
    }

    fn scrapped(&self, act: &PersonAct) -> Decision<()> {
        match self.at_rest(act)?.scrapped {
            false => Ok(()),
            true => refuse(Code::UnitScrapped, format!("{} is scrapped already", act.serial)),
        }
    }

    fn work_order_created(&self, created: &WorkOrderCreated) -> Decision<()> {
        let id = &created.work_order.id;
        let sql = "SELECT 1 FROM work_orders WHERE id = ?1";
        match self.connection.prepare_cached(sql)?.exists([id])? {
            false => Ok(()),
            true => refuse(Code::WorkOrderExists, format!("work order {id} exists already")),
        }
    }

    fn work_order_closed(&self, act: &WorkOrderAct) -> Decision<()> {
        let id = &act.work_order;
        self.work_order_exists(id)?;
        let sql = "SELECT 1 FROM work_orders WHERE id = ?1 AND closed";
        match self.connection.prepare_cached(sql)?.exists([id])? {
            false => Ok(()),
            true => refuse(Code::WorkOrderClosed, format!("work order {id} is closed already")),
        }
    }
}

fn row<T>(error: LedgerError) -> Decision<T> {
    match error {
        LedgerError::ClockGap { .. } | LedgerError::DiskFull { .. } => {
            Err(Trouble::Row(error.into()))
        }
        other => Err(Trouble::Ledger(other)),
    }
}

fn may_begin(unit: &UnitRow, hardware: &HardwareId) -> Decision<()> {
    let serial = &unit.serial;
    if unit.scrapped {
        return refuse(Code::UnitScrapped, format!("{serial} was scrapped"));
    }
    match &unit.open {
        Some(open) if open.position == Position::Asked => {
            let detail = format!("{serial} may already be on device {}", open.hardware);
            return refuse(Code::UnitElsewhere, detail);
        }
        Some(_) => return refuse(Code::ScanDuplicate, format!("{serial} is being worked on")),
        None => {}
    }
    match (&unit.proven, unit.rework) {
        (None, _) | (Some(_), Permission::AnyDevice) => Ok(()),
        (Some(_), Permission::No) => {
            refuse(Code::UnitProven, format!("{serial} is proven already"))
        }
        (Some(proven), Permission::SameDevice) if proven.hardware == *hardware => Ok(()),
        (Some(proven), Permission::SameDevice) => refuse(
            Code::UnitOtherDevice,
            format!("{serial} may be reworked on device {} only", proven.hardware),
        ),
    }
}

fn digest_matches(der: &str, digest: &[u8]) -> Decision<()> {
    match HexBytes::parse(der) {
        Some(der) if Sha256::digest(&der.0)[..] == *digest => Ok(()),
        _ => refuse(Code::Bug, "the CA certificate's fingerprint is not that of its DER"),
    }
}
