//! Whether what is asked of the cloud, or came of it, may be made durable; and the gate
//! through which units leave.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::certificate::CertificateState;
use crate::domain::code::Code;
use crate::domain::ids::{CertificateSn, Serial};
use crate::domain::outbox::{
    ActivationAsked, Answered, Contradicted, Found, Operation, RegisteredByHand, Sent, Shipped,
};
use crate::domain::registration::CloudStatus;
use crate::domain::say::{Phrase, Say};
use crate::tables::certificate_row::read_certificate_state;
use crate::tables::label_row;
use crate::tables::sql::stored;
use crate::tables::states::{OutboxState, Permission, RegistrationState, open_row};
use crate::tables::unit_row::{self, UnitRow};

use super::view::{Decision, View, refuse};
use crate::say;

/// Whether a unit may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// It left already, with this certificate.
    Gone(CertificateSn),
    /// It may leave with this certificate.
    Open(CertificateSn),
    /// It may leave once this certificate is activated.
    Inactive(CertificateSn),
    /// Its label is not done; one sentence says what it lacks.
    Unlabelled(Say),
    /// It may not; one sentence says why.
    Shut(Say),
}

/// Whether a unit may leave, as the ledger knows it.
pub(crate) fn gate(connection: &Connection, serial: &Serial) -> rusqlite::Result<Option<Gate>> {
    let Some(unit) = unit_row::load(connection, serial)? else { return Ok(None) };
    let shut = |Say { english, chinese }: Say| {
        Ok(Some(Gate::Shut(say!("{serial} {english}", "{serial} {chinese}"))))
    };
    let Some(proven) = &unit.proven else {
        return shut(say!(
            "is {} and has no proven certificate",
            "的状态是 {}，没有验证通过的证书",
            unit.state()
        ));
    };
    if unit.scrapped || unit.open.is_some() || unit.rework != Permission::No {
        return shut(why_not(&unit));
    }
    if !unit.finished {
        return shut(say!(
            "is proven, and its device did not finish",
            "已验证，但设备没有完成收尾"
        ));
    }
    if let (false, Some(why)) = (unit.shipped, label_row::lacks(connection, serial, proven.cert)?) {
        let Phrase { english, chinese } = why;
        let why = say!("the label of {serial} {english}", "{serial} 的标签{chinese}");
        return Ok(Some(Gate::Unlabelled(why)));
    }
    let sql = "SELECT r.state, r.status, r.by_hand, r.last_error FROM registrations r
        JOIN clouds c USING (site, region, instance)
        WHERE r.certificate_sn = ?1 AND c.current = 1";
    let mut statement = connection.prepare_cached(sql)?;
    let found: Option<(RegistrationState, Option<CloudStatus>, bool, Option<String>)> = statement
        .query_row([proven.cert], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let cert = proven.cert;
    match found {
        Some((RegistrationState::Registered, ..)) if unit.shipped => Ok(Some(Gate::Gone(cert))),
        Some((RegistrationState::Registered, Some(CloudStatus::Active), ..)) => {
            Ok(Some(Gate::Open(cert)))
        }
        Some((RegistrationState::Registered, None, true, _)) => Ok(Some(Gate::Open(cert))),
        Some((RegistrationState::Registered, Some(CloudStatus::Revoked), ..)) => {
            shut(say!("has a certificate that is revoked in the cloud", "的证书在云端已吊销"))
        }
        Some((RegistrationState::Registered, ..)) => Ok(Some(Gate::Inactive(cert))),
        Some((state, _, _, why)) => {
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            // What the cloud said once stands in the ledger in English.
            shut(say!("has a registration that is {state}{why}", "的注册状态是 {state}"))
        }
        None => shut(say!(
            "has a certificate that is not registered in the cloud",
            "的证书没有在云端注册"
        )),
    }
}

fn why_not(unit: &UnitRow) -> Say {
    match &unit.open {
        Some(_) if !unit.scrapped => say!("is being worked on", "正在处理中"),
        _ => say!("is {}", "的状态是 {}", unit.state()),
    }
}

/// What is known of a row of the outbox before it moves.
struct OutboxRow {
    cert: CertificateSn,
    operation: Operation,
    state: OutboxState,
    client_id: String,
    is_current: bool,
    certificate: CertificateState,
}

impl View<'_> {
    fn outbox_row(&self, row: u64) -> Decision<OutboxRow> {
        let sql = "SELECT o.certificate_sn, o.operation, o.state, o.client_id,
                ifnull(clouds.current, 0), c.state
            FROM outbox o JOIN certificates c ON c.sn = o.certificate_sn
            LEFT JOIN clouds ON clouds.id = o.cloud WHERE o.id = ?1";
        let found = self.connection.prepare_cached(sql)?.query_row([stored(row)], |row| {
            Ok(OutboxRow {
                cert: row.get(0)?,
                operation: row.get(1)?,
                state: row.get(2)?,
                client_id: row.get(3)?,
                is_current: row.get(4)?,
                certificate: read_certificate_state(row, 5)?,
            })
        });
        match found.optional()? {
            Some(row) => Ok(row),
            None => refuse(Code::Bug, say!("the outbox has no row {row}", "待发队列没有行 {row}")),
        }
    }

    /// The row if it is what the record says, and open.
    fn open_row(&self, row: u64, cert: CertificateSn, operation: Operation) -> Decision<OutboxRow> {
        let found = self.outbox_row(row)?;
        if (found.cert, found.operation) != (cert, operation) {
            return refuse(
                Code::Bug,
                say!("row {row} of the outbox is another one", "待发队列的行 {row} 是另一项"),
            );
        }
        match found.state {
            OutboxState::Waiting | OutboxState::Claimed | OutboxState::Parked => Ok(found),
            OutboxState::Done | OutboxState::Withdrawn => refuse(
                Code::UnitState,
                say!(
                    "to {} {cert} is {}",
                    "操作 {}（{cert}）的状态是 {}",
                    operation.as_str(),
                    found.state
                ),
            ),
        }
    }

    pub(crate) fn sent(&self, sent: &Sent) -> Decision<()> {
        let Sent { row, certificate_sn: cert, operation } = *sent;
        let found = self.open_row(row, cert, operation)?;
        if !found.is_current {
            let detail = say!(
                "row {row} of the outbox is for another cloud instance",
                "待发队列的行 {row} 属于另一个云端实例"
            );
            return refuse(Code::CloudInstanceChanged, detail);
        }
        let uploads = matches!(operation, Operation::Register | Operation::Activate);
        if uploads && found.certificate != CertificateState::Proven {
            let detail =
                say!("certificate {cert} is not proven any more", "证书 {cert} 已不再是验证通过的");
            return refuse(Code::UnitState, detail);
        }
        // Operations of one client id are carried out in order.
        let sql = concat!(
            "SELECT 1 FROM outbox JOIN clouds ON clouds.id = cloud WHERE client_id = ?1
            AND outbox.id < ?2 AND current = 1 AND ",
            open_row!("")
        );
        let values = params![found.client_id, stored(row)];
        match self.connection.prepare_cached(sql)?.exists(values)? {
            false => Ok(()),
            true => refuse(
                Code::UnitState,
                say!(
                    "something else is open for client id {}",
                    "客户端 ID {} 还有别的操作未完成",
                    found.client_id
                ),
            ),
        }
    }

    pub(crate) fn answered(&self, answered: &Answered) -> Decision<()> {
        let Answered { row, certificate_sn: cert, operation, .. } = *answered;
        match self.open_row(row, cert, operation)?.is_current {
            true => Ok(()),
            false => refuse(
                Code::CloudInstanceChanged,
                say!(
                    "row {row} of the outbox is for another cloud instance",
                    "待发队列的行 {row} 属于另一个云端实例"
                ),
            ),
        }
    }

    pub(crate) fn found(&self, found: &Found) -> Decision<()> {
        let cert = found.certificate_sn;
        if !self.connection.prepare_cached("SELECT 1 FROM clouds WHERE current = 1")?.exists([])? {
            return refuse(
                Code::Bug,
                say!("a certificate was found in no instance", "发现了一张不属于任何实例的证书"),
            );
        }
        match self.certificate_state(cert)? {
            Some(_) => Ok(()),
            None => refuse(
                Code::Bug,
                say!("the ledger has no certificate {cert}", "账本里没有证书 {cert}"),
            ),
        }
    }

    /// What was registered only can be found not to be.
    pub(crate) fn contradicted(&self, contradicted: &Contradicted) -> Decision<()> {
        let cert = contradicted.certificate_sn;
        let sql = "SELECT 1 FROM registrations r JOIN clouds k USING (site, region, instance)
            JOIN certificates c ON c.sn = r.certificate_sn
            WHERE r.certificate_sn = ?1 AND k.current = 1 AND r.state = 'registered'
                AND c.state = 'proven'";
        match self.connection.prepare_cached(sql)?.exists([cert])? {
            true => Ok(()),
            false => refuse(
                Code::UnitState,
                say!(
                    "certificate {cert} is not proven and registered any more",
                    "证书 {cert} 已不再是验证通过并注册的"
                ),
            ),
        }
    }

    fn certificate_state(&self, cert: CertificateSn) -> Decision<Option<CertificateState>> {
        let sql = "SELECT state FROM certificates WHERE sn = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([cert], |row| read_certificate_state(row, 0)).optional()?)
    }

    pub(crate) fn registered_by_hand(&self, by_hand: &RegisteredByHand) -> Decision<()> {
        let cert = by_hand.certificate_sn;
        match self.certificate_state(cert)? {
            Some(CertificateState::Proven) => Ok(()),
            Some(_) => {
                let detail = say!(
                    "certificate {cert} is not proven, or not any more",
                    "证书 {cert} 没有通过验证，或已不再是"
                );
                refuse(Code::UnitState, detail)
            }
            None => refuse(
                Code::UnitUnknown,
                say!("the ledger has no certificate {cert}", "账本里没有证书 {cert}"),
            ),
        }
    }

    fn gate(&self, serial: &Serial) -> Decision<Gate> {
        match gate(self.connection, serial)? {
            Some(gate) => Ok(gate),
            None => refuse(
                Code::UnitUnknown,
                say!("the ledger knows no unit {serial}", "账本里没有单元 {serial}"),
            ),
        }
    }

    pub(crate) fn activation_asked(&self, asked: &ActivationAsked) -> Decision<()> {
        let serial = &asked.serial;
        match self.gate(serial)? {
            Gate::Inactive(cert) if cert == asked.certificate_sn => Ok(()),
            Gate::Shut(why) => refuse(Code::ShipNotActive, why),
            _ => refuse(
                Code::UnitState,
                say!("{serial} has nothing to be activated", "{serial} 没有可激活的"),
            ),
        }
    }

    pub(crate) fn shipped(&self, shipped: &Shipped) -> Decision<()> {
        let serial = &shipped.serial;
        match self.gate(serial)? {
            Gate::Open(cert) if cert == shipped.certificate_sn => Ok(()),
            Gate::Shut(why) => refuse(Code::ShipNotActive, why),
            Gate::Unlabelled(why) => refuse(Code::LabelOpen, why),
            Gate::Gone(_) => {
                refuse(Code::UnitState, say!("{serial} left already", "{serial} 早已出厂"))
            }
            Gate::Open(_) | Gate::Inactive(_) => refuse(
                Code::ShipNotActive,
                say!("{serial} is not active in the cloud", "{serial} 在云端没有激活"),
            ),
        }
    }
}
