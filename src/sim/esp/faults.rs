//! What can be wrong with a simulated chip, and how it is asked for.
//!
//! A specification is written as one for framed devices: `name[=value][@N | @P%]`.

use super::super::dice::Chance;
use super::super::fault::error::FaultError;
use super::super::fault::names::{FaultName, faults};
use super::super::fault::selection::{Selection, parse_list};
use super::kind::Kind;

/// Every fault of a simulated chip.
pub const ESP_FAULTS: &[FaultName] = faults! {
    "mute", "mute@2": "nothing answers", "没有应答";
    "lose", "lose=9": "its Nth answer is lost on the line", "第 N 个应答在线路上丢失";
    "garble", "garble=9": "one bit of its Nth answer is turned over", "第 N 个应答有一位翻转";
    "power", "power=3": "power is lost in the Nth change of its flash, and comes back", "第 N 次改动闪存时断电，随后恢复";
    "dark-start", "dark-start": "power is lost in its first start of the application", "应用第一次启动时断电";
    "stuck", "stuck=1": "in the Nth block one bit stays a one, and the loader sees nothing", "第 N 块有一位仍为一，加载程序看不出来";
    "lie-write", "lie-write": "blocks are acknowledged and not written", "确认了数据块而没有写入";
    "lie-digest", "lie-digest": "the same, and its digest is of what it was sent", "同上，摘要还按收到的内容计算";
    "lie-key", "lie-key": "its application signs with another key", "应用用另一个密钥签名";
    "lie-id", "lie-id": "its application gives another chip's id", "应用给出另一芯片的 ID";
    "lie-forget", "lie-forget": "its application finds no identity", "应用找不到身份";
    "silent-app", "silent-app": "its application does not speak the framed protocol", "应用不会帧协议";
    "stays", "stays": "it is in the loader again after every reset", "每次复位后又在加载程序里";
    "chip", "chip=esp32s3@2": "it is another chip", "是另一种芯片";
    "secure-download", "secure-download": "it is in secure download mode", "处于安全下载模式";
    "encrypted", "encrypted": "its flash is encrypted", "闪存已加密";
    "secure-boot", "secure-boot": "it boots signed firmware alone", "只启动有签名的固件";
    "no-download", "no-download": "its eFuses forbid the loader", "eFuse 禁止加载程序";
    "no-table", "no-table": "there is no partition table", "没有分区表";
    "no-partition", "no-partition": "its table lacks the partition", "分区表里没有这个分区";
    "short", "short=4096": "the partition has so many bytes", "分区只有这么多字节";
    "moved", "moved": "the partition lies in the place of another one", "分区落在另一分区的位置";
    "holds-unknown", "holds-unknown": "it holds an identity that was made elsewhere", "持有别处生成的身份";
    "holds-junk", "holds-junk": "something that is no identity is in the partition", "分区里有不是身份的内容";
    "twin", "twin@2": "it has the id of the slot's first chip", "ID 与工位的第一块芯片相同";
};

/// What is wrong with one chip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum EspFault {
    Mute,
    Lose(u32),
    Garble(u32),
    Power(u32),
    DarkStart,
    Stuck(u32),
    LieWrite,
    LieDigest,
    LieKey,
    LieId,
    LieForget,
    SilentApp,
    Stays,
    Chip(&'static Kind),
    SecureDownload,
    Encrypted,
    SecureBoot,
    NoDownload,
    NoTable,
    NoPartition,
    Short(u32),
    Moved,
    HoldsUnknown,
    HoldsJunk,
    Twin,
}

impl EspFault {
    fn of(name: &str, value: Option<&str>) -> Option<Self> {
        let number = || value?.parse().ok().filter(|number: &u32| *number > 0);
        let plain = |fault| value.is_none().then_some(fault);
        match name {
            "mute" => plain(Self::Mute),
            "lose" => number().map(Self::Lose),
            "garble" => number().map(Self::Garble),
            "power" => number().map(Self::Power),
            "dark-start" => plain(Self::DarkStart),
            "stuck" => number().map(Self::Stuck),
            "lie-write" => plain(Self::LieWrite),
            "lie-digest" => plain(Self::LieDigest),
            "lie-key" => plain(Self::LieKey),
            "lie-id" => plain(Self::LieId),
            "lie-forget" => plain(Self::LieForget),
            "silent-app" => plain(Self::SilentApp),
            "stays" => plain(Self::Stays),
            "chip" => Kind::of(value?).map(Self::Chip),
            "secure-download" => plain(Self::SecureDownload),
            "encrypted" => plain(Self::Encrypted),
            "secure-boot" => plain(Self::SecureBoot),
            "no-download" => plain(Self::NoDownload),
            "no-table" => plain(Self::NoTable),
            "no-partition" => plain(Self::NoPartition),
            "short" => number().map(Self::Short),
            "moved" => plain(Self::Moved),
            "holds-unknown" => plain(Self::HoldsUnknown),
            "holds-junk" => plain(Self::HoldsJunk),
            "twin" => plain(Self::Twin),
            _ => None,
        }
    }

    /// Whether no station gets an identity into such a chip, and leaves it where it is.
    pub(super) fn is_unreachable(self) -> bool {
        matches!(
            self,
            Self::Mute
                | Self::SecureDownload
                | Self::Encrypted
                | Self::NoDownload
                | Self::NoTable
                | Self::NoPartition
                | Self::Short(_)
                | Self::HoldsUnknown
                | Self::HoldsJunk
                | Self::Twin
                | Self::Chip(_)
        )
    }
}

/// The faults of a sequence of chips.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EspFaults(Vec<(EspFault, Selection)>);

impl EspFaults {
    /// Nothing is wrong with any chip.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Reads a specification; an empty text means no fault.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        parse_list(text, fault).map(Self)
    }

    /// What is wrong with this chip.
    pub(super) fn of_unit(&self, unit: u32, chance: &Chance) -> Vec<EspFault> {
        let dice = |place| move || chance.dice(&format!("fault {place} of chip {unit}"));
        let chosen = self.0.iter().enumerate();
        let chosen = chosen.filter(|(place, (_, which))| which.takes(unit, dice(*place)));
        chosen.map(|(_, (fault, _))| *fault).collect()
    }
}

fn fault(name: &str, value: Option<&str>) -> Result<EspFault, FaultError> {
    let known = ESP_FAULTS.iter().find(|known| known.name == name);
    let known = known.ok_or_else(|| FaultError::Unknown { name: name.to_owned() })?;
    EspFault::of(name, value).ok_or_else(|| FaultError::Value {
        name: name.to_owned(),
        value: value.unwrap_or_default().to_owned(),
        expected: if known.example.contains('=') { known.example } else { "no value" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_example_is_understood_and_others_are_not() {
        for fault in ESP_FAULTS {
            EspFaults::parse(fault.example).unwrap();
            assert!(fault.example.starts_with(fault.name), "{}", fault.name);
        }
        for text in ["explode", "lose", "lose=0", "mute=1", "chip=esp8266", "power=x"] {
            EspFaults::parse(text).unwrap_err();
        }
    }
}
