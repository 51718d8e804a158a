//! Everything that can go wrong between a slot and its device, each with its code.

use std::io;

use crate::domain::cause::{Told, system_in_chinese};
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::IdError;
use crate::domain::say::Say;
use crate::domain::scan::SILENCE;

/// Why an operation on a port or a device came to no result.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Nothing came in time, however often it was asked.
    #[error("no answer to {request}, sent {sent} times, the last waited for {waited_ms} ms")]
    Timeout {
        /// The request, as the protocol names it.
        request: &'static str,
        /// How long the last send was waited for.
        waited_ms: u64,
        /// How often the request was sent.
        sent: u32,
    },
    /// Bytes came, but no frame that can be read.
    #[error("{bytes} bytes came after {request}, and no frame among them")]
    Noise {
        /// The request, as the protocol names it.
        request: &'static str,
        /// Bytes that came while its answer was waited for.
        bytes: u64,
    },
    /// The line gives back what is sent, and nobody answers.
    #[error("the line returns what is sent: {request} came back {frames} times, and no answer")]
    Echo {
        /// The request, as the protocol names it.
        request: &'static str,
        /// How often it came back.
        frames: u64,
    },
    /// Sound frames came, and none that answers.
    #[error(
        "{frames} sound frames came after {request}, and none of them answers it, the last of \
         type {came:#04x}"
    )]
    Unasked {
        /// The request, as the protocol names it.
        request: &'static str,
        /// How many came.
        frames: u64,
        /// The type of the last of them.
        came: u8,
    },
    /// The line is gone: pulled out, or its adapter vanished.
    #[error("port {path} vanished")]
    Unplugged {
        /// The port as configured.
        path: String,
    },
    /// The device answered with an error.
    #[error("the device refused {request} with {error} (detail {detail:#x})")]
    Refused {
        /// The request, as the protocol names it.
        request: &'static str,
        /// The error, as the protocol names it, or its number.
        error: String,
        /// What the error says about itself.
        detail: u32,
    },
    /// The answer has the right form and makes no sense.
    #[error("the answer to {request} makes no sense: {why}")]
    Malformed {
        /// The request, as the protocol names it.
        request: &'static str,
        /// What is wrong with it, without the device's own text.
        why: String,
    },
    /// The answer denies what the same device answered before.
    #[error("the device contradicts itself: after {request} it says {said}, not {expected}")]
    Contradiction {
        /// The request, as the protocol names it.
        request: &'static str,
        /// What it says.
        said: String,
        /// What follows from what it said and was asked before.
        expected: String,
    },
    /// No protocol version is spoken by both sides.
    #[error("the device speaks versions {device}, the station {station}")]
    Version {
        /// The device's range or choice.
        device: String,
        /// The station's range.
        station: String,
    },
    /// The identity does not fit into the device.
    #[error("the identity needs {needs} bytes, the device has {has}")]
    Capacity {
        /// Bytes of the image.
        needs: u64,
        /// Bytes that the device takes.
        has: u64,
    },
    /// A part of the identity can't be written in this family's form.
    #[error("{part} can't be written into an image: {why}")]
    Unfit {
        /// Which part.
        part: &'static str,
        /// Why not.
        why: String,
    },
    /// The device takes no private key in the form that the product asks for.
    #[error("the device takes no private key as {form}, which [product] key_format asks for")]
    KeyForm {
        /// Which form.
        form: &'static str,
    },
    /// The hardware id can't be one.
    #[error("the device's hardware id can't be one")]
    HardwareId(#[source] IdError),
    /// The device says that it stored the image and did not.
    #[error("the device did not store what was sent: {why}")]
    NotStored {
        /// What it says instead.
        why: String,
    },
    /// The device answered a restart and did not restart.
    #[error("the device was told to restart ({by}) and still knows the session from before")]
    NotRestarted {
        /// Who restarted it: "command", "dtr" or "rts".
        by: &'static str,
    },
    /// The device takes no identity any more.
    #[error("the device is locked and refused {request}")]
    Locked {
        /// The request, as the protocol names it.
        request: &'static str,
    },
    /// Another device answers than the one that was worked on.
    #[error("device {now} answers in the place of {before}")]
    Swapped {
        /// The hardware id of the device that was worked on.
        before: String,
        /// The hardware id that answers now.
        now: String,
    },
    /// The device's family or firmware does not give out what was asked for.
    #[error("the device does not give out {what}")]
    CannotRead {
        /// What.
        what: &'static str,
    },
    /// A modem of another maker than the slot is for.
    #[error("the slot is for {expected} modems, and this is a {found}")]
    OtherModem {
        /// The slot's kind, as station.toml names it.
        expected: &'static str,
        /// What answers.
        found: &'static str,
    },
    /// A modem answers, and it is none that the station knows.
    #[error(
        "a modem answers that is none of nrf91, quectel, simcom, esp-at: its maker is {maker:?}"
    )]
    UnknownModem {
        /// What it says of its maker, printable and short.
        maker: String,
    },
    /// An Espressif chip to which nothing may be written.
    #[error(transparent)]
    Chip(#[from] ChipRefusal),
    /// An operation was asked for before the device was identified or the image composed.
    #[error("{operation} was asked for before {missing}")]
    Order {
        /// What was asked for.
        operation: &'static str,
        /// What must come first.
        missing: &'static str,
    },
    /// There is no such port.
    #[error("there is no port {path}")]
    PortMissing {
        /// The port as configured.
        path: String,
    },
    /// No port can ever come at such a place.
    #[error("there can't be a port {path}: {why}")]
    PortImpossible {
        /// The port as configured.
        path: String,
        /// What the machine lacks.
        why: String,
    },
    /// Another program, or another slot, has the port.
    #[error("port {path} is in use")]
    PortBusy {
        /// The port as configured.
        path: String,
    },
    /// The port can't be opened or set up.
    #[error("port {path} can't be used: {doing}")]
    PortOpen {
        /// The port as configured.
        path: String,
        /// What was being done with it.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The port says yes to its settings and does not take them.
    #[error("port {path} was set to {wanted} and is at {found}")]
    PortSettings {
        /// The port as configured.
        path: String,
        /// What was asked for.
        wanted: String,
        /// What the port says when it is asked.
        found: String,
    },
    /// The scanner's port can't be opened.
    #[error("the scanner can't be used")]
    ScannerOpen(#[source] Box<LinkError>),
    /// A scan ended with silence in place of its terminator.
    #[error("{}", without_end(*.sent))]
    ScanWithoutEnd {
        /// The word in station.toml for the terminator that was sent in its place.
        sent: Option<&'static str>,
    },
    /// The station was told to stop.
    #[error("the station was told to stop")]
    Stopped,
    /// The unit's own deadline passed.
    #[error("the unit's deadline passed while {doing}")]
    Deadline {
        /// What was being waited for.
        doing: &'static str,
    },
    /// The lender did not lend the key.
    #[error("the private key was not lent")]
    Key(#[source] Fault),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {why}")]
    Random {
        /// What it said.
        why: String,
    },
}

/// Why nothing is written to an Espressif chip.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChipRefusal {
    /// It is another chip than station.toml names.
    #[error("the chip is an {found}, station.toml says {wanted}")]
    OtherChip {
        /// What it is.
        found: String,
        /// What it should be.
        wanted: String,
    },
    /// Its loader gives out neither its id nor its flash.
    #[error(
        "the chip is in secure download mode: its loader tells neither which chip it is nor what it stored"
    )]
    SecureDownload,
    /// What is written in clear can't be read by its application.
    #[error("the chip's flash is encrypted: what is written in clear, its application can't read")]
    Encrypted,
    /// Its loader is needed and does not answer.
    #[error("the chip's loader is needed and does not answer: {why}")]
    NoLoader {
        /// What is known of it.
        why: &'static str,
    },
    /// The partition for the identity is not there, or not as it should be.
    #[error("the chip has no partition {partition} for an identity: {why}")]
    Partition {
        /// Its name.
        partition: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something else is in the partition.
    #[error("the partition {partition} holds something that is no identity of this station's form")]
    InUse {
        /// Its name.
        partition: String,
    },
}

impl ChipRefusal {
    /// The stable code of this refusal.
    pub fn code(&self) -> Code {
        match self {
            Self::OtherChip { .. } => Code::EspChip,
            Self::SecureDownload => Code::EspSecureDownload,
            Self::Encrypted => Code::EspEncrypted,
            Self::NoLoader { .. } => Code::EspLoader,
            Self::Partition { .. } => Code::EspPartition,
            Self::InUse { .. } => Code::EspInUse,
        }
    }
}

fn without_end(sent: Option<&str>) -> String {
    let silence = SILENCE.as_millis();
    match sent {
        Some(word) => format!(
            "a scan ended with {word} and {silence} ms of silence, not as [scanner] ends says: \
             set ends = {word:?} there, or the scanner's suffix to CR"
        ),
        None => format!(
            "a scan ended with {silence} ms of silence and nothing else: two quick scans would \
             be one; set the scanner's suffix to CR"
        ),
    }
}

impl LinkError {
    /// Whether nothing came that answers what was asked.
    pub fn is_unanswered(&self) -> bool {
        matches!(
            self,
            Self::Timeout { .. } | Self::Noise { .. } | Self::Unasked { .. } | Self::Echo { .. }
        )
    }

    /// The stable code of this error.
    pub fn code(&self) -> Code {
        match self {
            Self::Timeout { .. } => Code::DevTimeout,
            Self::Noise { .. } | Self::Unasked { .. } => Code::DevNoise,
            Self::Echo { .. } => Code::DevEcho,
            Self::Unplugged { .. } => Code::DevUnplugged,
            Self::Refused { .. } | Self::CannotRead { .. } => Code::DevRefused,
            Self::Malformed { .. } => Code::DevMalformed,
            Self::Contradiction { .. } => Code::DevContradiction,
            Self::Version { .. } => Code::DevVersion,
            Self::Capacity { .. } | Self::Unfit { .. } => Code::DevCapacity,
            Self::KeyForm { .. } => Code::DevKeyFormat,
            Self::HardwareId(_) => Code::DevHardwareId,
            Self::NotStored { .. } => Code::DevNotStored,
            Self::NotRestarted { .. } => Code::DevNotRestarted,
            Self::Locked { .. } => Code::DevLocked,
            Self::Chip(refusal) => refusal.code(),
            Self::Swapped { .. } => Code::DevSwapped,
            Self::PortMissing { .. } | Self::PortImpossible { .. } => Code::PortMissing,
            Self::PortBusy { .. } => Code::PortBusy,
            Self::PortOpen { .. } => Code::PortOpen,
            Self::PortSettings { .. } => Code::PortSettings,
            Self::ScannerOpen(_) => Code::ScannerOpen,
            Self::ScanWithoutEnd { .. } => Code::ScanNoEnd,
            Self::Stopped => Code::Stopped,
            Self::Deadline { .. } => Code::UnitDeadline,
            Self::Key(fault) => fault.code,
            Self::OtherModem { .. } | Self::UnknownModem { .. } => Code::DevModel,
            Self::Order { .. } | Self::Random { .. } => Code::Bug,
        }
    }
}

impl Told for LinkError {
    /// What operators meet, with its values; the rest is told by its code alone.
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Timeout { request, waited_ms, sent } => {
                format!("{request} 没有应答，发送了 {sent} 次，最后一次等了 {waited_ms} 毫秒")
            }
            Self::Noise { request, bytes } => {
                format!("{request} 之后收到 {bytes} 个字节，其中没有可读的帧")
            }
            Self::Echo { request, frames } => {
                format!("线路把发出的内容送回：{request} 回来了 {frames} 次，没有应答")
            }
            Self::Unasked { request, frames, came } => {
                format!(
                    "{request} 之后收到 {frames} 个完好的帧，没有一个是应答，最后一个的类型是 {came:#04x}"
                )
            }
            Self::Unplugged { path } => format!("端口 {path} 消失了"),
            Self::Refused { request, error, detail } => {
                format!("设备以 {error}（{detail:#x}）拒绝了 {request}")
            }
            Self::Version { device, station } => {
                format!("设备的协议版本是 {device}，本站是 {station}")
            }
            Self::Capacity { needs, has } => {
                format!("身份需要 {needs} 字节，设备只有 {has} 字节")
            }
            Self::Swapped { before, now } => format!("应答的是设备 {now}，原来是 {before}"),
            Self::PortMissing { path } => format!("没有端口 {path}"),
            Self::PortBusy { path } => format!("端口 {path} 正被使用"),
            Self::PortOpen { path, source, .. } => {
                format!("端口 {path} 不能使用：{}", system_in_chinese(source))
            }
            Self::ScannerOpen(error) => {
                let cause = error.chinese().unwrap_or_else(|| error.to_string());
                format!("扫码枪不能使用：{cause}")
            }
            _ => return None,
        })
    }
}

impl From<LinkError> for Fault {
    fn from(error: LinkError) -> Self {
        let mut detail = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            detail = format!("{detail}: {cause}");
            source = cause.source();
        }
        let chinese = error.chinese().unwrap_or_default();
        Self::said(error.code(), Say { english: detail, chinese })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_carries_the_code_and_the_whole_chain() {
        let source = io::Error::other("no such thing");
        let error = LinkError::PortOpen { path: "/dev/x".into(), doing: "opening it", source };
        let fault = Fault::from(error);
        assert_eq!(fault.code, Code::PortOpen);
        assert_eq!(fault.detail, "port /dev/x can't be used: opening it: no such thing");
    }

    #[test]
    fn a_scanner_that_is_missing_is_the_scanners_code() {
        let missing = LinkError::PortMissing { path: "/dev/x".into() };
        let fault = Fault::from(LinkError::ScannerOpen(Box::new(missing)));
        assert_eq!(fault.code, Code::ScannerOpen);
        assert_eq!(fault.detail, "the scanner can't be used: there is no port /dev/x");
    }
}
