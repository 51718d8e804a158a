//! Whether a label may be sent, and what came of it recorded.

use crate::domain::code::Code;
use crate::domain::ids::{CertificateSn, Serial};
use crate::domain::labelling::{LabelDelivered, LabelRow, LabelScanned, LabelSent, LabelState};
use crate::tables::label_row;
use crate::tables::states::Permission;
use crate::tables::unit_row::{self, UnitRow};

use super::view::{Decision, View, refuse};
use crate::say;

/// The certificate that a unit's label is for: it is proven with it and finished.
pub(crate) fn certificate_of(unit: &UnitRow) -> Decision<CertificateSn> {
    let serial = &unit.serial;
    match &unit.proven {
        _ if unit.scrapped => {
            refuse(Code::LabelVoid, say!("{serial} was scrapped", "{serial} 已报废"))
        }
        None if unit.voided => refuse(Code::LabelVoid, say!("{serial} is void", "{serial} 已作废")),
        Some(proven) if unit.finished && unit.open.is_none() && unit.rework == Permission::No => {
            Ok(proven.cert)
        }
        _ => refuse(
            Code::UnitState,
            say!(
                "{serial} is {}, and a label is for a unit that is finished",
                "{serial} 的状态是 {}，标签只给已完成的单元",
                unit.state()
            ),
        ),
    }
}

pub(super) fn sent(view: &View<'_>, sent: &LabelSent) -> Decision<()> {
    let serial = &sent.serial;
    let Some(unit) = unit_row::load(view.connection, serial)? else {
        return refuse(
            Code::UnitUnknown,
            say!("the ledger knows no unit {serial}", "账本里没有单元 {serial}"),
        );
    };
    let cert = certificate_of(&unit)?;
    if cert != sent.certificate_sn {
        return refuse(
            Code::UnitState,
            say!("{serial} is proven with {cert} by now", "{serial} 现在以 {cert} 通过验证"),
        );
    }
    let newest = label_row::newest(view.connection, serial, cert)?;
    if let Some(label) = &newest {
        may_follow(label, sent)?;
    }
    let copy = match &newest {
        Some(label) if label.state == LabelState::Wanted => label.copy,
        _ => label_row::count(view.connection, serial)? + 1,
    };
    match copy == sent.copy {
        true => Ok(()),
        false => refuse(
            Code::Bug,
            say!(
                "the next label of {serial} is number {copy}",
                "{serial} 的下一张标签是第 {copy} 张"
            ),
        ),
    }
}

/// A second label needs a reason, and is the first one again.
fn may_follow(label: &LabelRow, sent: &LabelSent) -> Decision<()> {
    let serial = &label.serial;
    match (label.state, &sent.reason) {
        (LabelState::Wanted, _) => Ok(()),
        (LabelState::Asked | LabelState::Unclear, None) => refuse(
            Code::LabelUnclear,
            say!(
                "nobody knows whether label {} of {serial} came out",
                "不知道标签 {}（{serial}）是否打印出来",
                label.copy
            ),
        ),
        (_, None) => refuse(
            Code::LabelSent,
            say!(
                "label {} of {serial} was sent already",
                "标签 {}（{serial}）早已发送",
                label.copy
            ),
        ),
        (_, Some(_)) if label.digest.is_some_and(|digest| digest != sent.digest) => refuse(
            Code::LabelDiffers,
            say!(
                "it is not the one that was sent for {serial} before, byte for byte",
                "它与之前为 {serial} 发送的不是逐字节相同"
            ),
        ),
        (_, Some(_)) => Ok(()),
    }
}

fn label(view: &View<'_>, serial: &Serial, copy: u32) -> Decision<LabelRow> {
    let unknown = || say!("{serial} has no label {copy}", "{serial} 没有第 {copy} 张标签");
    match label_row::one(view.connection, serial, copy)? {
        Some(label) => Ok(label),
        None => refuse(Code::UnitState, unknown()),
    }
}

pub(super) fn delivered(view: &View<'_>, delivered: &LabelDelivered) -> Decision<()> {
    let LabelDelivered { serial, copy, .. } = delivered;
    match label(view, serial, *copy)?.state {
        LabelState::Asked => Ok(()),
        state => refuse(
            Code::UnitState,
            say!("label {copy} of {serial} is {state}", "{serial} 的标签 {copy} 状态是 {state}"),
        ),
    }
}

/// A label that is read is there, whatever its printer said.
pub(super) fn scanned(view: &View<'_>, scanned: &LabelScanned) -> Decision<()> {
    let LabelScanned { serial, copy, .. } = scanned;
    match label(view, serial, *copy)?.state {
        LabelState::Wanted => refuse(
            Code::UnitState,
            say!("label {copy} of {serial} was never sent", "{serial} 的标签 {copy} 从未发送"),
        ),
        _ => Ok(()),
    }
}
