//! A conflict as a person reads it. The store has one sentence of each, in English; what it says
//! in Chinese is made of what stands beside it.

use super::overview::Conflict;
use super::rows::Holder;
use super::uses::GRANT;
use crate::domain::say::Say;
use crate::say;

impl Conflict {
    /// What contradicts what.
    pub fn said(&self) -> Say {
        let chinese = match self.kind.as_str() {
            "fork" => self.fork_in_chinese(),
            GRANT => self.grant_in_chinese(),
            _ => self.claim_in_chinese(),
        };
        Say { english: self.detail.clone(), chinese }
    }

    /// The kind of value that two say to be their own.
    pub fn kind_said(&self) -> Say {
        match self.kind.as_str() {
            "client_id" => say!("client id", "客户端 ID"),
            "certificate_sn" => say!("certificate number", "证书号"),
            "public_key" => say!("public key", "公钥"),
            "hardware_id" => say!("device", "设备"),
            "fork" => say!("two histories", "两份历史"),
            GRANT => say!("grant", "授权"),
            other => Say::same(other),
        }
    }

    fn fork_in_chinese(&self) -> String {
        let seq = self.holder.rsplit('/').next().unwrap_or_default();
        let begun = self.detail.split_once("; it began ");
        let begun = begun.map_or_else(String::new, |(_, units)| format!("；它开始了 {units}"));
        format!("一个账本有两份历史：总库的第 {seq} 条与该站的不同{begun}")
    }

    fn grant_in_chinese(&self) -> String {
        let units = self.detail.split_once(" more: ").map_or("", |(_, units)| units);
        let units = match units.strip_suffix(" more").and_then(|some| some.rsplit_once(" and ")) {
            Some((named, more)) => format!("{named}，另有 {more} 个"),
            None => units.to_owned(),
        };
        format!("授权 {} 的用量超出了授权数量：{units}", self.value)
    }

    fn claim_in_chinese(&self) -> String {
        let who = |text: &str| match Holder::parse(text) {
            Ok(holder) => format!("{}（站 {}）", holder.serial, holder.station),
            Err(_) => text.to_owned(),
        };
        format!("{}先验证，{}也用同一个", who(&self.holder), who(&self.other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;

    fn said(kind: &str, holder: &str, other: &str, detail: &str) -> String {
        let [kind, holder, other, detail] = [kind, holder, other, detail].map(str::to_owned);
        let (id, value) = ("c-1".to_owned(), "line-1/WO-1/7".to_owned());
        let (noticed, settled) = (Timestamp(0), None);
        Conflict { day: 0, id, kind, value, holder, other, detail, noticed, settled }.said().chinese
    }

    #[test]
    fn every_kind_of_conflict_reads_in_chinese() {
        assert_eq!(
            said("client_id", "line-1/ab/U-1", "line-2/cd/U-2", "U-1 of line-1 proved it first"),
            "U-1（站 line-1）先验证，U-2（站 line-2）也用同一个"
        );
        assert_eq!(
            said("fork", "line-1/ab/17", "line-1/ab/17", "two histories; it began U-1, U-2"),
            "一个账本有两份历史：总库的第 17 条与该站的不同；它开始了 U-1, U-2"
        );
        let detail = "grant 7 was used for 5 more: U-1, U-2 and 3 more";
        assert_eq!(
            said(GRANT, "line-1/ab/7", "line-1/ab/5", detail),
            "授权 line-1/WO-1/7 的用量超出了授权数量：U-1, U-2，另有 3 个"
        );
    }
}
