//! What can be wrong with a simulated modem. Written as for `sim device`.

use std::time::Duration;

use crate::dice::Chance;
use crate::fault::error::FaultError;
use crate::fault::names::{FaultName, faults};
use crate::fault::selection::{Selection, parse_list};

/// One thing that is wrong with one modem.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    Mute,
    BootNoise,
    Chatter,
    Words,
    RefuseWrite(u32),
    LieStored(u32),
    TornWrite(u32),
    WithholdWrite(u32),
    LieForget,
    LieFlip(u32),
    LieRestart,
    LieOtherUnit,
    Full,
    Busy,
    NoHash,
    RestartAt(u32),
    Power(u32),
    Latency(Duration),
    Twin,
    HoldsUnknown,
    Model(String),
}

/// Every fault of a modem.
pub const MODEM_FAULTS: &[FaultName] = faults! {
    "mute", "mute": "never answers", "从不应答";
    "boot-noise", "boot-noise": "sends rubbish before each start", "每次启动前发送乱码";
    "urc", "urc": "says something unasked before, within and behind each answer", "在每个应答的前、中、后插入主动上报";
    "words", "words": "names errors in words though it was asked for numbers", "要求用数字报错，却用文字";
    "refuse-write", "refuse-write=2": "answers its Kth write with an error", "第 K 次写入回答错误";
    "lie-stored", "lie-stored=2": "says OK to its Kth write and stores nothing", "第 K 次写入说 OK，却没有存";
    "torn-write", "torn-write=2": "stores half of its Kth write and says OK", "第 K 次写入只存一半，却说 OK";
    "withhold", "withhold=2": "carries its Kth write out and does not answer it", "第 K 次写入照做，但不应答";
    "lie-forget", "lie-forget": "has forgotten all it stored after a restart", "重启后全部忘记";
    "lie-flip", "lie-flip=1": "has one bit of its Kth item changed after a restart", "重启后第 K 项有一位改变";
    "lie-restart", "lie-restart": "says OK to a restart and does not restart", "对重启说 OK，却不重启";
    "lie-other-unit", "lie-other-unit": "calls itself another modem after a restart", "重启后自称是另一台";
    "full", "full": "has no room for anything", "没有任何空间";
    "busy", "busy": "refuses to go offline, so that it takes no write (nrf91)", "拒绝离线，因此不接受写入（nrf91）";
    "no-hash", "no-hash": "lists what it has without hashes, as old firmware (nrf91)", "列出内容时没有哈希，如旧固件（nrf91）";
    "restart-at", "restart-at=12": "restarts by itself at its Kth command", "到第 K 个命令时自己重启";
    "power", "power=2": "loses power in the middle of its Kth change of its flash", "第 K 次改动闪存的中途断电";
    "latency", "latency=50": "answers so many milliseconds late", "应答晚这么多毫秒";
    "twin", "twin": "has the IMEI of the first modem of its slot", "IMEI 与工位的第一台相同";
    "holds-unknown", "holds-unknown": "came with an identity that nobody here made", "带着这里没人生成的身份";
    "model", "model=OTHER": "is of another model", "是另一种型号";
};

/// The faults of a sequence of modems.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModemFaults(Vec<(Fault, Selection)>);

impl ModemFaults {
    /// Reads a specification; an empty text means no fault.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        parse_list(text, fault).map(Self)
    }

    /// What is wrong with this one.
    pub(super) fn of_unit(&self, unit: u32, chance: &Chance) -> Vec<Fault> {
        let dice = |place| move || chance.dice(&format!("fault {place} of modem {unit}"));
        let chosen = self.0.iter().enumerate();
        let chosen = chosen.filter(|(place, (_, takes))| takes.takes(unit, dice(*place)));
        chosen.map(|(_, (fault, _))| fault.clone()).collect()
    }
}

fn fault(name: &str, text: Option<&str>) -> Result<Fault, FaultError> {
    let wrong = |expected| FaultError::Value {
        name: name.to_owned(),
        value: text.unwrap_or_default().to_owned(),
        expected,
    };
    let plain = |fault| match text {
        None => Ok(fault),
        Some(_) => Err(wrong("no value")),
    };
    let count = |usual: u32| match text.map_or(Ok(usual), str::parse) {
        Ok(count @ 1..) => Ok(count),
        _ => Err(wrong("a number from 1")),
    };
    Ok(match name {
        "mute" => plain(Fault::Mute)?,
        "boot-noise" => plain(Fault::BootNoise)?,
        "urc" => plain(Fault::Chatter)?,
        "words" => plain(Fault::Words)?,
        "refuse-write" => Fault::RefuseWrite(count(2)?),
        "lie-stored" => Fault::LieStored(count(2)?),
        "torn-write" => Fault::TornWrite(count(2)?),
        "withhold" => Fault::WithholdWrite(count(2)?),
        "lie-forget" => plain(Fault::LieForget)?,
        "lie-flip" => Fault::LieFlip(count(1)?),
        "lie-restart" => plain(Fault::LieRestart)?,
        "lie-other-unit" => plain(Fault::LieOtherUnit)?,
        "full" => plain(Fault::Full)?,
        "busy" => plain(Fault::Busy)?,
        "no-hash" => plain(Fault::NoHash)?,
        "restart-at" => Fault::RestartAt(count(12)?),
        "power" => Fault::Power(count(2)?),
        "latency" => Fault::Latency(Duration::from_millis(count(50)?.into())),
        "twin" => plain(Fault::Twin)?,
        "holds-unknown" => plain(Fault::HoldsUnknown)?,
        "model" => {
            let is_short = |text: &&str| {
                (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
            };
            let model = text.filter(is_short).ok_or_else(|| wrong("a short text in ASCII"))?;
            Fault::Model(model.to_owned())
        }
        _ => return Err(FaultError::Unknown { name: name.to_owned() }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_example_is_understood_and_others_are_not() {
        for fault in MODEM_FAULTS {
            ModemFaults::parse(fault.example).unwrap();
            assert!(fault.example.starts_with(fault.name), "{}", fault.name);
        }
        for wrong in ["explode", "mute=1", "power=0", "model=", "urc@0"] {
            assert!(ModemFaults::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_fault_of_the_nth_modem_spares_the_others() {
        let faults = ModemFaults::parse("power=3@2").unwrap();
        let chance = Chance::new(0, "A");
        assert_eq!(faults.of_unit(1, &chance), []);
        assert_eq!(faults.of_unit(2, &chance), [Fault::Power(3)]);
    }
}
