//! What can be wrong with the line of a program that is a device. Nothing is known of what
//! crosses it, so a fault falls on bytes or on a packet of them, never on a request.

use std::str::FromStr;
use std::time::Duration;

use super::dice::{Chance, Dice};
use super::fault::error::FaultError;
use super::fault::names::{FaultName, faults};
use super::fault::selection::{Selection, parse_list};

/// Every fault of a line, as `--fault list` shows it.
pub const WIRE_FAULTS: &[FaultName] = faults! {
    "mute", "mute": "whatever it says is lost", "它说的全部丢失";
    "echo", "echo": "the line gives back whatever is sent, and it hears nothing", "线路把发出的内容原样送回，它什么也收不到";
    "lossy", "lossy=2": "each packet of up to 64 bytes is lost or changed with that percentage", "每个至多 64 字节的数据包按这个百分比丢失或改变";
    "latency", "latency=16": "so many ms before what it says arrives", "它说的内容晚这么多毫秒到达";
    "cut", "cut=4096@1": "loses power when it was sent so many bytes, and starts anew", "收到这么多字节后断电，再重新启动";
};

#[derive(Debug, Clone, Copy, PartialEq)]
enum WireFault {
    Mute,
    Echo,
    Lossy(f64),
    Latency(Duration),
    Cut(u64),
}

/// The faults of each start of a program.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WireFaults(Vec<(WireFault, Selection)>);

impl FromStr for WireFaults {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        parse_list(text, fault).map(Self)
    }
}

fn fault(name: &str, value: Option<&str>) -> Result<WireFault, FaultError> {
    let wrong = |expected| FaultError::Value {
        name: name.to_owned(),
        value: value.unwrap_or_default().to_owned(),
        expected,
    };
    let number = |expected| value.and_then(|text| text.parse().ok()).ok_or_else(|| wrong(expected));
    let known = match name {
        "mute" => WireFault::Mute,
        "echo" => WireFault::Echo,
        "lossy" => {
            let percent = value.and_then(|text| text.parse().ok());
            let percent = percent.filter(|percent: &f64| (0.0..=100.0).contains(percent));
            WireFault::Lossy(percent.ok_or_else(|| wrong("a percentage from 0 to 100"))?)
        }
        "latency" => WireFault::Latency(Duration::from_millis(number("a number of ms")?)),
        "cut" => WireFault::Cut(number("a number of bytes")?),
        _ => return Err(FaultError::Unknown { name: name.to_owned() }),
    };
    match (known, value) {
        (WireFault::Mute | WireFault::Echo, Some(_)) => Err(wrong("no value")),
        (known, _) => Ok(known),
    }
}

/// A line with what is wrong with it since one start of the program.
#[derive(Debug)]
pub(super) struct Wire {
    mute: bool,
    pub(super) echo: bool,
    lossy: f64,
    pub(super) latency: Duration,
    /// Bytes until the power is cut.
    power: Option<u64>,
    dice: Dice,
}

impl WireFaults {
    /// What is wrong from the program's start of this number on, counted from 1.
    pub(super) fn of_start(&self, start: u32, chance: &Chance) -> Wire {
        let dice = chance.dice(&format!("the line since start {start}"));
        let mut wire = Wire {
            mute: false,
            echo: false,
            lossy: 0.0,
            latency: Duration::ZERO,
            power: None,
            dice,
        };
        for (place, (fault, selection)) in self.0.iter().enumerate() {
            let dice = || chance.dice(&format!("fault {place} of start {start}"));
            if selection.takes(start, dice) {
                match *fault {
                    WireFault::Mute => wire.mute = true,
                    WireFault::Echo => wire.echo = true,
                    WireFault::Lossy(percent) => wire.lossy = percent,
                    WireFault::Latency(latency) => wire.latency = latency,
                    WireFault::Cut(bytes) => wire.power = Some(bytes),
                }
            }
        }
        wire
    }
}

impl Wire {
    /// What of a packet reaches the program.
    pub(super) fn carry_in(&mut self, packet: Vec<u8>) -> Option<Vec<u8>> {
        if let Some(power) = &mut self.power {
            *power = power.saturating_sub(packet.len() as u64);
        }
        self.crosses(packet)
    }

    /// What of a packet comes back from it.
    pub(super) fn carry_out(&mut self, packet: Vec<u8>) -> Option<Vec<u8>> {
        if self.mute { None } else { self.crosses(packet) }
    }

    /// Whether the power was cut.
    pub(super) fn is_cut(&self) -> bool {
        self.power == Some(0)
    }

    fn crosses(&mut self, mut packet: Vec<u8>) -> Option<Vec<u8>> {
        if self.lossy == 0.0 || !self.dice.happens(self.lossy) {
            return Some(packet);
        }
        if self.dice.happens(50.0) {
            return None;
        }
        let bit = self.dice.roll() % (packet.len() as u64 * 8).max(1);
        if let Some(byte) = usize::try_from(bit / 8).ok().and_then(|at| packet.get_mut(at)) {
            *byte ^= 1 << (bit % 8);
        }
        Some(packet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(text: &str, start: u32) -> Wire {
        text.parse::<WireFaults>().unwrap().of_start(start, &Chance::new(1, "A"))
    }

    #[test]
    fn every_fault_that_is_listed_is_understood() {
        for fault in WIRE_FAULTS {
            fault.example.parse::<WireFaults>().unwrap();
            assert!(fault.example.starts_with(fault.name));
        }
        for wrong in ["hush", "lossy", "lossy=101", "latency=soon", "cut=-1", "mute=1"] {
            wrong.parse::<WireFaults>().unwrap_err();
        }
    }

    #[test]
    fn a_lossy_line_loses_some_changes_one_bit_of_others_and_leaves_the_rest() {
        let mut wire = wire("lossy=50", 1);
        let sent = [0_u8; 64];
        let (mut lost, mut changed) = (0, 0);
        for _ in 0..1_000 {
            match wire.carry_in(sent.to_vec()) {
                None => lost += 1,
                Some(came) => {
                    let bits: u32 = came.iter().map(|byte| byte.count_ones()).sum();
                    assert!(bits <= 1, "more than one bit");
                    changed += bits;
                }
            }
        }
        assert!((150..350).contains(&lost) && (150..350).contains(&changed), "{lost} {changed}");
    }

    #[test]
    fn power_is_cut_after_so_many_bytes_of_the_start_that_is_meant() {
        let mut first = wire("cut=100@1", 1);
        for is_cut in [false, true] {
            first.carry_in(vec![0; 64]);
            assert_eq!(first.is_cut(), is_cut);
        }
        let mut second = wire("cut=100@1", 2);
        second.carry_in(vec![0; 640]);
        assert!(!second.is_cut());
    }
}
