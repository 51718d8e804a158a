//! The names of the faults: what each does, and how its value is read.
//!
//! One table for people and one match for the parser; a test holds that every name of
//! the table is understood.

use std::time::Duration;

use firmware_interface::codec::MAX_BODY;
use firmware_interface::ids::{ObjectKind, RequestType};

use super::error::FaultError;
use super::kind::Fault;
use crate::domain::say::Phrase;
use crate::mishap::{Direction, FrameNumber, Mishap};
use crate::sayings::{HeaderLie, Saying};

/// Longer than any reply may be late: a station allows 60 ms beyond the declared times.
const USUAL_DELAY: Duration = Duration::from_millis(120);

/// Bytes that fit before the flash is full: the key and part of a certificate.
const USUAL_ROOM: u32 = 512;

/// More than any adapter holds back.
const USUAL_GUSH: u32 = 65_536;

/// In the middle of an image: its key has arrived.
const MID_WRITE: (RequestType, u32) = (RequestType::Chunk, 2);

/// The write that is torn: the first with something of a certificate in it.
const USUAL_WRITE: u32 = 2;

/// A fault as `--fault list` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultName {
    /// Its name.
    pub name: &'static str,
    /// A whole specification of it.
    pub example: &'static str,
    /// What the device or its line does, in one line.
    pub meaning: Phrase,
}

/// Faults, a row each: name, example, and what it does, in English and Chinese.
macro_rules! faults {
    ($($name:literal, $example:literal: $english:literal, $chinese:literal;)*) => {
        &[$(FaultName {
            name: $name,
            example: $example,
            meaning: $crate::domain::say::Phrase { english: $english, chinese: $chinese },
        },)*]
    };
}
pub(crate) use faults;

/// Every fault there is.
pub const FAULTS: &[FaultName] = faults! {
    "mute", "mute": "never answers", "从不应答";
    "noise", "noise": "sends random bytes without end and never answers", "不停发送随机字节，从不应答";
    "flood", "flood": "sends well-formed frames that nobody asked for, and never answers", "不停发送没人要的正确帧，从不应答";
    "withhold", "withhold=chunk": "does what a request of this type asks, never answers it", "照做这类请求，但从不应答";
    "withhold-once", "withhold-once=prove": "the same until it is taken out and put back", "同上，直到取出再放回";
    "unplug", "unplug=chunk:2": "is pulled out, for good, as the Kth such request arrives", "第 K 个这类请求到达时被拔出，不再回来";
    "replug", "replug=commit": "is pulled out after the Kth such request, and comes back", "第 K 个这类请求之后被拔出，随后回来";
    "boot-noise", "boot-noise": "sends a banner and rubbish after each start", "每次启动后发送横幅和乱码";
    "reset-on-open", "reset-on-open": "restarts whenever its port is opened", "端口每次被打开就重启";
    "usb-restart", "usb-restart": "its port goes away at a restart and comes back", "重启时端口消失，随后回来";
    "drop", "drop=rx:5": "the Kth frame to (rx) or from (tx) the device is lost", "发往（rx）或来自（tx）设备的第 K 帧丢失";
    "corrupt", "corrupt=tx:5": "one bit of the Kth frame is changed", "第 K 帧有一位改变";
    "double", "double=rx:5": "the Kth frame arrives twice", "第 K 帧到达两次";
    "delay", "delay=tx:5:120": "the Kth frame, and all behind it, comes so many ms later", "第 K 帧及其后的帧晚这么多毫秒";
    "lossy", "lossy=2": "each frame is lost or changed with that percentage", "每帧按这个百分比丢失或改变";
    "latency", "latency=16": "so many ms before each reply", "每次应答前等这么多毫秒";
    "flash-full", "flash-full=512": "storage fails beyond so many bytes of an image", "身份超过这么多字节时存储失败";
    "torn-write", "torn-write=2": "the Kth write stores half of its data and says OK", "第 K 次写入只存一半，却说 OK";
    "power", "power=3": "loses power in the Kth call that changes storage", "在第 K 次改动存储时断电";
    "lie-stored", "lie-stored": "says OK to everything and stores nothing", "对一切说 OK，什么也不存";
    "lie-forget", "lie-forget": "says OK, and is blank again after the restart", "说 OK，重启后又是空白";
    "lie-key", "lie-key": "signs with another key", "用另一个密钥签名";
    "lie-certificate", "lie-certificate": "says OK and holds a torn certificate", "说 OK，存的证书残缺";
    "lie-root", "lie-root": "says OK and holds a torn server root", "说 OK，存的服务器根证书残缺";
    "lie-settings", "lie-settings": "says OK and holds torn settings", "说 OK，存的设置残缺";
    "lie-other-unit", "lie-other-unit": "has another hardware id after the restart", "重启后硬件 ID 变了";
    "lie-restart", "lie-restart": "keeps all in RAM and only pretends to restart", "全部放在内存里，只假装重启";
    "lie-replay", "lie-replay": "signs an old challenge again", "再签一次旧的质询";
    "lie-csr", "lie-csr": "hands in another device's key and signing request", "交出另一台设备的密钥和签发请求";
    "shared-key", "shared-key=pair": "makes the key that each device with the text makes", "凡给同一文本的设备都生成同一密钥";
    "zero-id", "zero-id": "its hardware id is all zeros", "硬件 ID 全是零";
    "ones-id", "ones-id": "its hardware id is all ones", "硬件 ID 全是一";
    "twin", "twin=pair": "has the hardware id of unit 1, or one that follows from the text", "硬件 ID 与第 1 台相同，或由文本决定";
    "model", "model=OTHER-9": "is another product", "是另一种产品";
    "other-version", "other-version": "speaks no protocol version that the station speaks", "不支持本站的任何协议版本";
    "nonsense", "nonsense": "answers IDENTIFY with a sound frame that makes no sense", "用完好而无意义的帧应答 IDENTIFY";
    "no-prove", "no-prove": "can't sign a challenge", "不能签质询";
    "locked", "locked": "is locked already", "已经锁定";
    "holds-unknown", "holds-unknown": "holds an identity that no ledger here knows", "持有账本不认识的身份";
    "factory-serial", "factory-serial=F-001": "has a serial from its maker", "有厂家的序列号";
    "say", "say=finish:0:00": "says these bytes instead, at that offset of an answer", "在应答的这个位置改说这些字节";
    "wrong-seq", "wrong-seq": "its answers carry another number than the request", "应答的序号与请求不同";
    "wrong-session", "wrong-session": "its answers carry another session", "应答的会话不同";
    "echo", "echo": "is none: the line gives back whatever is sent", "没有设备：线路把发出的内容原样送回";
    "gush", "gush=65536": "sends so many bytes of noise before each answer", "每次应答前发送这么多字节的噪声";
    "stays", "stays": "stays in its slot when it has finished", "完成后仍留在工位里";
};

/// The fault of that name with that value.
pub(super) fn fault(name: &str, value: Option<&str>) -> Result<Fault, FaultError> {
    let value = Value { name, text: value };
    if let Some(fault) = plain(name) {
        return value.none().map(|()| fault);
    }
    match name {
        "withhold" => value.step(RequestType::Chunk).map(Fault::Withhold),
        "withhold-once" => value.step(RequestType::Prove).map(Fault::WithholdOnce),
        "unplug" => value.pulled(MID_WRITE, false),
        "replug" => value.pulled((RequestType::Commit, 1), true),
        "drop" => value.mishap(Mishap::Drop),
        "corrupt" => value.mishap(Mishap::Corrupt),
        "double" => value.mishap(Mishap::Double),
        "delay" => value.delay(),
        "lossy" => value.percent().map(Fault::Lossy),
        "latency" => value.number(None).map(milliseconds).map(Fault::Latency),
        "flash-full" => value.number(Some(USUAL_ROOM)).map(Fault::FlashFull),
        "torn-write" => value.counted(Some(USUAL_WRITE)).map(Fault::TornWrite),
        "power" => value.counted(None).map(Fault::Power),
        "twin" => Ok(Fault::Twin(value.text.map(str::to_owned))),
        "shared-key" => value.words(32).map(Fault::SharedKey),
        "model" => value.words(32).map(Fault::Model),
        "factory-serial" => value.words(64).map(Fault::FactorySerial),
        "say" => value.saying().map(Fault::Says),
        "gush" => value.counted(Some(USUAL_GUSH)).map(Fault::Gush),
        _ => Err(FaultError::Unknown { name: name.to_owned() }),
    }
}

/// The faults that take no value.
fn plain(name: &str) -> Option<Fault> {
    Some(match name {
        "mute" => Fault::Mute,
        "noise" => Fault::Noise,
        "flood" => Fault::Flood,
        "boot-noise" => Fault::BootNoise,
        "reset-on-open" => Fault::ResetOnOpen,
        "usb-restart" => Fault::UsbRestart,
        "lie-stored" => Fault::LieStored,
        "lie-forget" => Fault::LieForget,
        "lie-key" => Fault::LieKey,
        "lie-certificate" => Fault::LieTorn(ObjectKind::ClientCertificate),
        "lie-root" => Fault::LieTorn(ObjectKind::ServerRoots),
        "lie-settings" => Fault::LieTorn(ObjectKind::Settings),
        "lie-other-unit" => Fault::LieOtherUnit,
        "lie-restart" => Fault::LieRestart,
        "lie-replay" => Fault::LieReplay,
        "lie-csr" => Fault::LieCsr,
        "zero-id" => Fault::ZeroId,
        "ones-id" => Fault::OnesId,
        "other-version" => Fault::OtherVersion,
        "nonsense" => Fault::Nonsense,
        "no-prove" => Fault::NoProve,
        "locked" => Fault::Locked,
        "holds-unknown" => Fault::HoldsUnknown,
        "wrong-seq" => Fault::Header(HeaderLie::Seq),
        "wrong-session" => Fault::Header(HeaderLie::Session),
        "echo" => Fault::Echo,
        "stays" => Fault::Stays,
        _ => return None,
    })
}

fn milliseconds(number: u32) -> Duration {
    Duration::from_millis(u64::from(number))
}

/// What stands after `=`, with the name for error texts.
#[derive(Clone, Copy)]
struct Value<'t> {
    name: &'t str,
    text: Option<&'t str>,
}

impl<'t> Value<'t> {
    fn wrong(self, expected: &'static str) -> FaultError {
        let value = self.text.unwrap_or_default().to_owned();
        FaultError::Value { name: self.name.to_owned(), value, expected }
    }

    fn none(self) -> Result<(), FaultError> {
        if self.text.is_none() { Ok(()) } else { Err(self.wrong("no value")) }
    }

    fn number(self, usual: Option<u32>) -> Result<u32, FaultError> {
        let number = self.text.map_or(usual, |text| text.parse().ok());
        number.ok_or_else(|| self.wrong("a number"))
    }

    fn counted(self, usual: Option<u32>) -> Result<u32, FaultError> {
        let number = self.number(usual)?;
        if number > 0 { Ok(number) } else { Err(self.wrong("a number from 1")) }
    }

    fn percent(self) -> Result<f64, FaultError> {
        let percent = self.text.and_then(|text| text.trim_end_matches('%').parse().ok());
        percent
            .filter(|percent| (0.0..=100.0).contains(percent))
            .ok_or_else(|| self.wrong("a percentage"))
    }

    fn words(self, most: usize) -> Result<String, FaultError> {
        let text = self.text.filter(|text| (1..=most).contains(&text.len()));
        text.filter(|text| text.bytes().all(|byte| matches!(byte, b' '..=b'~')))
            .map(str::to_owned)
            .ok_or_else(|| self.wrong("a short text in ASCII"))
    }

    fn step(self, usual: RequestType) -> Result<RequestType, FaultError> {
        let step = self.text.map_or(Some(usual), request_type);
        step.ok_or_else(|| self.wrong("a request such as identify, chunk, commit or prove"))
    }

    fn pulled(self, usual: (RequestType, u32), comes_back: bool) -> Result<Fault, FaultError> {
        let found = match self.text.map(|text| text.split_once(':').unwrap_or((text, "1"))) {
            None => Some(usual),
            Some((step, count)) => request_type(step).zip(count.parse().ok()),
        };
        match found {
            Some((at, count @ 1..)) => Ok(Fault::Unplug { at, count, comes_back }),
            _ => Err(self.wrong("a request such as commit or chunk:2")),
        }
    }

    fn mishap(self, mishap: Mishap) -> Result<Fault, FaultError> {
        let frame = self.text.and_then(frame_number);
        frame
            .map(|frame| Fault::Mishap(frame, mishap))
            .ok_or_else(|| self.wrong("rx:K or tx:K with K from 1"))
    }

    /// `REQUEST:OFFSET:HEX`, and from which answer on: `…:AFTER:COUNT`.
    fn saying(self) -> Result<Saying, FaultError> {
        let parts: Vec<&str> = self.text.unwrap_or_default().split(':').collect();
        let found = match parts[..] {
            [of, at, hex] => saying((of, at, hex), (of, "0")),
            [of, at, hex, after, count] => saying((of, at, hex), (after, count)),
            _ => None,
        };
        found.ok_or_else(|| {
            self.wrong("REQUEST:OFFSET:HEX, or with :AFTER:COUNT behind it, such as finish:0:00")
        })
    }

    fn delay(self) -> Result<Fault, FaultError> {
        let wrong = || self.wrong("rx:K or tx:K, or with milliseconds rx:K:MS");
        let text = self.text.ok_or_else(wrong)?;
        let (frame, wait) = match text.match_indices(':').nth(1) {
            Some((place, _)) => (&text[..place], text[place + 1..].parse().ok().map(milliseconds)),
            None => (text, Some(USUAL_DELAY)),
        };
        match (frame_number(frame), wait) {
            (Some(frame), Some(wait)) => Ok(Fault::Mishap(frame, Mishap::Delay(wait))),
            _ => Err(wrong()),
        }
    }
}

fn saying(what: (&str, &str, &str), from: (&str, &str)) -> Option<Saying> {
    let (of, at, hex) = what;
    Some(Saying {
        of: request_type(of)?,
        at: at.parse().ok().filter(|at| *at < MAX_BODY)?,
        bytes: from_hex(hex)?,
        count: from.1.parse().ok()?,
        after: request_type(from.0)?,
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pair = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(pair).collect()
}

fn request_type(text: &str) -> Option<RequestType> {
    RequestType::ALL.iter().copied().find(|kind| kind.name().eq_ignore_ascii_case(text))
}

fn frame_number(text: &str) -> Option<FrameNumber> {
    let (direction, number) = text.split_once(':')?;
    let direction = match direction {
        "rx" => Direction::ToDevice,
        "tx" => Direction::FromDevice,
        _ => return None,
    };
    let number = number.parse().ok().filter(|number| *number > 0)?;
    Some(FrameNumber { direction, number })
}
