//! Which of a work order's grants a unit takes its place of.

use super::granted::{Grant, GrantNumber};
use crate::clock::Timestamp;
use crate::code::Code;
use crate::device::Fault;
use crate::ids::WorkOrderId;
use crate::say;

/// A grant as a ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    /// What is granted.
    pub grant: Grant,
    /// Units that were given back.
    pub given_back: u32,
    /// Units that were proven under it: they have used it up, whatever becomes of them.
    pub used: u32,
    /// Units under way or uncertain, which may give their places back.
    pub under_way: u32,
}

impl GrantRow {
    /// Units that may still begin under it.
    pub const fn left(&self) -> u32 {
        self.left_for_good().saturating_sub(self.under_way)
    }

    /// Units that may still be proven under it whatever becomes of those under way.
    pub const fn left_for_good(&self) -> u32 {
        self.grant.quantity.saturating_sub(self.given_back).saturating_sub(self.used)
    }

    /// Whether its time is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.grant.valid_until
    }

    fn is_for(&self, serial: &str) -> bool {
        self.grant.serials.as_ref().is_none_or(|serials| serials.contains(serial))
    }
}

/// The grant under which a unit begins: of those that hold, are for its serial (without its
/// check character) and have a place, the one that ends first.
pub fn choose(
    work_order: &WorkOrderId,
    grants: &[GrantRow],
    serial: &str,
    now: Timestamp,
    left: fn(&GrantRow) -> u32,
) -> Result<GrantNumber, Fault> {
    let valid: Vec<&GrantRow> = grants.iter().filter(|row| !row.is_expired(now)).collect();
    let newest = grants.iter().map(|row| row.grant.valid_until).max();
    if let (true, Some(end)) = (valid.is_empty(), newest) {
        let detail = say!(
            "the last grant of work order {work_order} ended at {end}",
            "工单 {work_order} 的最后一份授权已于 {end} 到期"
        );
        return Err(Fault::said(Code::GrantExpired, detail));
    }
    let own: Vec<&GrantRow> = valid.into_iter().filter(|row| row.is_for(serial)).collect();
    if own.is_empty() {
        let detail = say!(
            "no grant of work order {work_order} is for serial {serial}",
            "工单 {work_order} 没有包含序列号 {serial} 的授权"
        );
        return Err(Fault::said(Code::GrantSerial, detail));
    }
    let free = own.iter().filter(|row| left(row) > 0);
    let first = free.min_by_key(|row| (row.grant.valid_until, row.grant.number));
    first.map(|row| row.grant.number).ok_or_else(|| {
        let granted: u64 = own.iter().map(|row| u64::from(row.grant.quantity)).sum();
        let given_back: u64 = own.iter().map(|row| u64::from(row.given_back)).sum();
        let detail = say!("{granted} units of work order {work_order} were granted to this station, \
             {given_back} of them given back; the others are used up or under way", "工单 {work_order} 授权本站 {granted} 个单元，其中 {given_back} 个已退回；其余已用完或正在处理"
        );
        Fault::said(Code::GrantUsedUp, detail)
    })
}
