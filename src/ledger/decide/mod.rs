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
use crate::domain::ids::{CertificateSn, ClientId, HardwareId, Serial, WorkOrderId, hex_pairs};
use crate::domain::record::{
    AttemptRef, Begun, End, Ended, FailedEarly, GapAccepted, Issued, PersonAct, Record,
    WorkOrderAct, WorkOrderCreated,
};
use crate::domain::say::Say;
use crate::error::LedgerError;
use crate::keep::filesystem;
use crate::tables::certificate_row::resumable;
use crate::tables::sql::stored;
use crate::tables::states::{Permission, Position};
use crate::tables::unit_row::hardware_owner;
use crate::tables::unit_row::{self, OpenAttempt, UnitRow};

use crate::say;
use place::WorkOrderPlace;
use view::{Decided, Decision, Trouble, View, refuse};

impl View<'_> {
    /// Whether the record may be appended; gives what the transaction adds to it.
    pub(crate) fn decide(&self, record: &Record) -> Decision<Decided> {
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
            return refuse(
                Code::Bug,
                say!("an attempt without a device can't have passed", "没有设备的尝试不可能通过"),
            );
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
                let detail = say!(
                    "entry {seq} restored a backup, and nobody accepted the gap",
                    "第 {seq} 条恢复了备份，而还没有人接受缺口"
                );
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
                let detail = say!(
                    "no gap of entry {} is open",
                    "第 {} 条没有待接受的缺口",
                    accepted.restored_seq
                );
                refuse(Code::LedgerGap, detail)
            }
        }
    }

    fn clock_and_room(&self) -> Decision<()> {
        let limits = self.limits;
        let mark = self.clock.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        clock::check(mark, self.now, limits.max_clock_gap).or_else(row)?;
        filesystem::check_room(&limits.data_dir, limits.reserve_bytes).or_else(row)
    }

    pub(crate) fn client_id_is_free(&self, serial: &Serial, client_id: &ClientId) -> Decision<()> {
        let sql = "SELECT serial FROM units WHERE client_id = ?1 AND serial <> ?2
            UNION ALL SELECT serial FROM certificates WHERE client_id = ?1 AND serial <> ?2 LIMIT 1";
        match self.first_serial(sql, params![client_id, serial])? {
            None => Ok(()),
            Some(other) => refuse(
                Code::ScanClientId,
                say!(
                    "client id {client_id} belongs to unit {other}, not to {serial}",
                    "客户端 ID {client_id} 属于单元 {other}，不属于 {serial}"
                ),
            ),
        }
    }

    pub(crate) fn hardware_is_free(&self, serial: &Serial, hardware: &HardwareId) -> Decision<()> {
        match hardware_owner(self.connection, serial, hardware)? {
            None => Ok(()),
            Some(other) => refuse(
                Code::DevOtherLabel,
                say!(
                    "device {hardware} belongs to unit {other}, not to {serial}",
                    "设备 {hardware} 属于单元 {other}，不属于 {serial}"
                ),
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
            Some(other) => refuse(
                Code::Bug,
                say!(
                    "certificate serial number {sn} is unit {other}'s",
                    "证书序列号 {sn} 属于单元 {other}"
                ),
            ),
        }
    }

    pub(crate) fn work_order_exists(&self, id: &WorkOrderId) -> Decision<()> {
        let sql = "SELECT 1 FROM work_orders WHERE id = ?1";
        match self.connection.prepare_cached(sql)?.exists([id])? {
            true => Ok(()),
            false => {
                refuse(Code::WorkOrderUnknown, say!("there is no work order {id}", "没有工单 {id}"))
            }
        }
    }

    /// The work order must exist.
    pub(crate) fn work_order_is_open(&self, id: &WorkOrderId) -> Decision<()> {
        let sql = "SELECT closed FROM work_orders WHERE id = ?1";
        match self.connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))? {
            false => Ok(()),
            true => {
                refuse(Code::WorkOrderClosed, say!("work order {id} is closed", "工单 {id} 已关闭"))
            }
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
                say!(
                    "device {hardware} is not one of work order {id}",
                    "设备 {hardware} 不在工单 {id} 的名单里"
                ),
            ),
        }
    }

    fn unit(&self, serial: &Serial) -> Decision<UnitRow> {
        match unit_row::load(self.connection, serial)? {
            Some(unit) => Ok(unit),
            None => refuse(
                Code::UnitUnknown,
                say!("the ledger knows no unit {serial}", "账本里没有单元 {serial}"),
            ),
        }
    }

    fn open(&self, attempt: &AttemptRef, to: &str) -> Decision<OpenAttempt> {
        let unit = self.unit(&attempt.serial)?;
        let state = unit.state();
        match unit.open {
            Some(open) if open.attempt == attempt.attempt => Ok(open),
            _ => refuse(
                Code::UnitState,
                say!(
                    "attempt {} of {} is not open, it can't {to}: the unit is {state}",
                    "尝试 {}（{}）不在进行中：单元状态是 {state}",
                    attempt.attempt,
                    attempt.serial
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
                say!(
                    "attempt {} of {} is {}, it can't {to}",
                    "尝试 {}（{}）的状态是 {}，不能这样继续",
                    attempt.attempt,
                    attempt.serial,
                    open.position
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
            let detail = say!(
                "{} was reserved, the certificate has {}",
                "预留的是 {}，证书的是 {}",
                open.cert,
                certificate.sn
            );
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
                say!(
                    "the public key for {} is unit {other}'s",
                    "给 {} 的公钥属于单元 {other}",
                    issued.attempt.serial
                ),
            ),
        }
    }

    /// The certificate is the bytes that its fingerprint names, and its CA is known.
    pub(crate) fn is_whole(&self, certificate: &Certificate) -> Decision<()> {
        if Sha256::digest(&certificate.der)[..] != certificate.fingerprint.as_bytes()[..] {
            return refuse(
                Code::Bug,
                say!(
                    "the certificate's fingerprint is not that of its DER",
                    "证书的指纹与其 DER 不符"
                ),
            );
        }
        let sql = "SELECT 1 FROM authorities WHERE fingerprint = ?1";
        match self.connection.prepare_cached(sql)?.exists([certificate.issuer])? {
            true => Ok(()),
            false => refuse(
                Code::Bug,
                say!(
                    "the issuing CA {} is not in the ledger",
                    "签发的 CA {} 不在账本里",
                    certificate.issuer
                ),
            ),
        }
    }

    fn is_proven_with(&self, serial: &Serial, cert: CertificateSn) -> Decision<()> {
        match self.unit(serial)?.proven {
            Some(proven) if proven.cert == cert => Ok(()),
            _ => refuse(
                Code::UnitState,
                say!("{serial} is not proven with {cert}", "{serial} 没有以 {cert} 通过验证"),
            ),
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
            false => refuse(Code::UnitState, cant_end(ended, open.position, passed)),
        }
    }

    /// A person may not act on a unit that the line is working on.
    fn at_rest(&self, act: &PersonAct) -> Decision<UnitRow> {
        let unit = self.unit(&act.serial)?;
        match unit.open.as_ref().map(|open| open.position) {
            None | Some(Position::Asked) => Ok(unit),
            Some(_) => refuse(
                Code::UnitState,
                say!(
                    "{} is being worked on; it lands when the line starts",
                    "{} 正在处理中；产线启动时会了结",
                    act.serial
                ),
            ),
        }
    }

    fn voided(&self, act: &PersonAct) -> Decision<()> {
        let unit = self.at_rest(act)?;
        match unit.open.is_some() || unit.proven.is_some() || self.has_left(&act.serial)? {
            true => Ok(()),
            false => refuse(
                Code::UnitState,
                say!(
                    "{} is {} and has no certificate to void",
                    "{} 的状态是 {}，没有可作废的证书",
                    act.serial,
                    unit.state()
                ),
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
                say!(
                    "{} is {}; only a proven unit is reworked",
                    "{} 的状态是 {}；只有已验证的单元才能返工",
                    act.serial,
                    unit.state()
                ),
            ),
        }
    }

    fn scrapped(&self, act: &PersonAct) -> Decision<()> {
        match self.at_rest(act)?.scrapped {
            false => Ok(()),
            true => refuse(
                Code::UnitScrapped,
                say!("{} is scrapped already", "{} 早已报废", act.serial),
            ),
        }
    }

    fn work_order_created(&self, created: &WorkOrderCreated) -> Decision<()> {
        let id = &created.work_order.id;
        let sql = "SELECT 1 FROM work_orders WHERE id = ?1";
        match self.connection.prepare_cached(sql)?.exists([id])? {
            false => Ok(()),
            true => refuse(
                Code::WorkOrderExists,
                say!("work order {id} exists already", "工单 {id} 早已存在"),
            ),
        }
    }

    fn work_order_closed(&self, act: &WorkOrderAct) -> Decision<()> {
        let id = &act.work_order;
        self.work_order_exists(id)?;
        let sql = "SELECT 1 FROM work_orders WHERE id = ?1 AND closed";
        match self.connection.prepare_cached(sql)?.exists([id])? {
            false => Ok(()),
            true => refuse(
                Code::WorkOrderClosed,
                say!("work order {id} is closed already", "工单 {id} 早已关闭"),
            ),
        }
    }
}

fn cant_end(ended: &Ended, position: Position, passed: bool) -> Say {
    let AttemptRef { attempt, serial } = &ended.attempt;
    let how = if passed { "passed" } else { "failed" };
    let how_zh = if passed { "通过" } else { "未通过" };
    let left = if ended.void { " and void" } else { " and leave its certificate" };
    let left_zh = if ended.void { "并作废" } else { "并保留证书" };
    say!(
        "attempt {attempt} of {serial} is {position}, it can't end {how}{left}",
        "尝试 {attempt}（{serial}）的状态是 {position}，不能以{how_zh}{left_zh}结束"
    )
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
        return refuse(Code::UnitScrapped, say!("{serial} was scrapped", "{serial} 已报废"));
    }
    match &unit.open {
        Some(open) if open.position == Position::Asked => {
            let detail = say!(
                "{serial} may already be on device {}",
                "{serial} 可能已在设备 {} 上",
                open.hardware
            );
            return refuse(Code::UnitElsewhere, detail);
        }
        Some(_) => {
            return refuse(
                Code::ScanDuplicate,
                say!("{serial} is being worked on", "{serial} 正在处理中"),
            );
        }
        None => {}
    }
    match (&unit.proven, unit.rework) {
        (None, _) | (Some(_), Permission::AnyDevice) => Ok(()),
        (Some(_), Permission::No) => {
            refuse(Code::UnitProven, say!("{serial} is proven already", "{serial} 早已通过验证"))
        }
        (Some(proven), Permission::SameDevice) if proven.hardware == *hardware => Ok(()),
        (Some(proven), Permission::SameDevice) => refuse(
            Code::UnitOtherDevice,
            say!(
                "{serial} may be reworked on device {} only",
                "{serial} 只能在设备 {} 上返工",
                proven.hardware
            ),
        ),
    }
}

fn digest_matches(der: &str, digest: &[u8]) -> Decision<()> {
    match hex_pairs(der) {
        Some(der) if Sha256::digest(&der)[..] == *digest => Ok(()),
        _ => refuse(
            Code::Bug,
            say!(
                "the CA certificate's fingerprint is not that of its DER",
                "CA 证书的指纹与其 DER 不符"
            ),
        ),
    }
}
