//! Each thing that can be wrong with a device or its line.

use std::time::Duration;

use firmware_interface::ids::{ObjectKind, RequestType};

use crate::mishap::{FrameNumber, Mishap};
use crate::sayings::{HeaderLie, Saying};

/// One thing that is wrong with a device.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    Mute,
    Noise,
    Flood,
    Unplug { at: RequestType, count: u32, comes_back: bool },
    BootNoise,
    ResetOnOpen,
    UsbRestart,
    Mishap(FrameNumber, Mishap),
    Lossy(f64),
    Withhold(RequestType),
    WithholdOnce(RequestType),
    Latency(Duration),
    FlashFull(u32),
    TornWrite(u32),
    Power(u32),
    LieStored,
    LieForget,
    LieKey,
    LieTorn(ObjectKind),
    LieOtherUnit,
    LieRestart,
    LieReplay,
    LieCsr,
    SharedKey(String),
    ZeroId,
    OnesId,
    Twin(Option<String>),
    Model(String),
    OtherVersion,
    Nonsense,
    NoProve,
    Locked,
    HoldsUnknown,
    FactorySerial(String),
    Says(Saying),
    Header(HeaderLie),
    Echo,
    Gush(u32),
    Stays,
}
