//! Whether an identity that was read from its device may be entered as proven.
//!
//! What the certificate itself must be, and whether the device has its key, was judged
//! before; here it is held against everything that this ledger knows.

use rusqlite::{OptionalExtension, params};

use crate::domain::certificate::CertificateState;
use crate::domain::code::Code;
use crate::domain::ids::Serial;
use crate::domain::record::Adopted;
use crate::domain::say::Say;
use crate::tables::certificate_row::read_certificate_state;
use crate::tables::states::{Permission, Position, certificate_word};
use crate::tables::unit_row::{self, UnitRow};

use super::view::{Decision, View, refuse};
use crate::say;

/// Gives the number of the attempt that it enters.
pub(crate) fn adopted(view: &View<'_>, adopted: &Adopted) -> Decision<u32> {
    view.is_whole(&adopted.certificate)?;
    is_new(view, adopted)?;
    view.client_id_is_free(&adopted.serial, &adopted.client_id)?;
    view.hardware_is_free(&adopted.serial, &adopted.hardware)?;
    let unit = unit_row::load(view.connection, &adopted.serial)?;
    if let Some(unit) = &unit {
        may_adopt(unit, adopted)?;
    }
    Ok(unit.map_or(0, |unit| unit.attempts) + 1)
}

/// Neither the certificate nor its key or its serial number is known already.
fn is_new(view: &View<'_>, adopted: &Adopted) -> Decision<()> {
    let certificate = &adopted.certificate;
    let sql = "SELECT serial, state, fingerprint = ?1 FROM certificates
        WHERE fingerprint = ?1 OR public_key = ?2 OR sn = ?3 LIMIT 1";
    let values = params![certificate.fingerprint, certificate.public_key, certificate.sn];
    let read = |row: &rusqlite::Row<'_>| {
        Ok((row.get::<_, Serial>(0)?, read_certificate_state(row, 1)?, row.get::<_, bool>(2)?))
    };
    let mut statement = view.connection.prepare_cached(sql)?;
    match statement.query_row(values, read).optional()? {
        Some((serial, state, true)) => refuse(known(state), is_known(&serial, state)),
        Some((serial, ..)) => refuse(
            Code::KeyDuplicate,
            say!(
                "its key or serial number is unit {serial}'s",
                "它的密钥或序列号属于单元 {serial}"
            ),
        ),
        None => reserved_by_no_other(view, adopted),
    }
}

fn known(state: CertificateState) -> Code {
    match state {
        CertificateState::Proven => Code::UnitProven,
        _ => Code::UnitState,
    }
}

fn is_known(serial: &Serial, state: CertificateState) -> Say {
    let word = certificate_word(state);
    say!(
        "the ledger knows this certificate: it is unit {serial}'s and {word}",
        "账本里有这张证书：它属于单元 {serial}，状态是 {word}"
    )
}

fn reserved_by_no_other(view: &View<'_>, adopted: &Adopted) -> Decision<()> {
    let sql = "SELECT serial FROM attempts WHERE certificate_sn = ?1 AND serial <> ?2";
    let values = params![adopted.certificate.sn, adopted.serial];
    let mut statement = view.connection.prepare_cached(sql)?;
    match statement.query_row(values, |row| row.get::<_, Serial>(0)).optional()? {
        None => Ok(()),
        Some(other) => refuse(
            Code::DevOtherLabel,
            say!("its serial number was reserved for unit {other}", "它的序列号已留给单元 {other}"),
        ),
    }
}

fn may_adopt(unit: &UnitRow, adopted: &Adopted) -> Decision<()> {
    let serial = &unit.serial;
    if unit.scrapped {
        return refuse(Code::UnitScrapped, say!("{serial} was scrapped", "{serial} 已报废"));
    }
    match unit.open.as_ref().map(|open| open.position) {
        None => {}
        Some(Position::Asked) => {
            let detail = say!(
                "{serial} is uncertain with another certificate; void that first",
                "{serial} 因另一张证书处于未定状态；先作废那一张"
            );
            return refuse(Code::UnitState, detail);
        }
        Some(_) => {
            let detail = say!(
                "{serial} has an open attempt; it lands when the line starts",
                "{serial} 有进行中的尝试；产线启动时会了结"
            );
            return refuse(Code::UnitState, detail);
        }
    }
    match &unit.proven {
        Some(proven)
            if proven.hardware != adopted.hardware && unit.rework != Permission::AnyDevice =>
        {
            let detail = say!(
                "{serial} is proven on device {}",
                "{serial} 已在设备 {} 上通过验证",
                proven.hardware
            );
            refuse(Code::UnitOtherDevice, detail)
        }
        _ => Ok(()),
    }
}
