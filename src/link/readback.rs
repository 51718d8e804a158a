//! How a line is set, as the system gives it back: some drivers answer success to a setting
//! that they don't take.
//!
//! A 16550A that is told 921600 baud says yes and stays at 115200; every device behind it
//! would be silent, and nobody would know why. Adapters that divide a clock give back the rate
//! that they make and not the one they were told, so rates are held against each other with
//! the tolerance of a UART. Must not be asked about a pseudo-terminal, which takes any rate
//! and no parity.

use std::fmt;
use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::termios::{ControlModes, InputModes, Termios, tcgetattr};

use super::settings::{LineParity, PortSettings};

/// How far the rate of a line may be from what was asked for, in thousandths: the two ends of
/// a UART bear about 5 % between them at ten bits a character.
const TOLERANCE: u32 = 30;

/// How a line is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSetting {
    /// Bits a second.
    pub baud: u32,
    /// Bits of a character.
    pub bits: u8,
    /// The bit behind them; one that is always the same is read as a bit more.
    pub parity: LineParity,
    /// Stop bits.
    pub stop_bits: u8,
    /// Who may hold the sender up.
    pub flow: FlowBy,
}

/// Who may hold the sender of a line up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowBy {
    /// Nobody.
    Nothing,
    /// RTS and CTS.
    Lines,
    /// XON and XOFF.
    Bytes,
}

impl LineSetting {
    /// What a port's settings ask for.
    pub const fn wanted(settings: &PortSettings) -> Self {
        let (bits, parity) = settings.character();
        Self { baud: settings.baud, bits, parity, stop_bits: 1, flow: FlowBy::Nothing }
    }

    /// What the system says of a line.
    pub fn read(line: impl AsFd) -> Result<Self, Errno> {
        Ok(Self::of(&tcgetattr(line)?))
    }

    fn of(termios: &Termios) -> Self {
        let control = termios.control_modes;
        let has = |mode| control.contains(mode);
        let bits = match control & ControlModes::CSIZE {
            ControlModes::CS5 => 5,
            ControlModes::CS6 => 6,
            ControlModes::CS7 => 7,
            _ => 8,
        };
        let parity = match (has(ControlModes::PARENB), has(ControlModes::PARODD)) {
            (false, _) => LineParity::None,
            (true, odd) if has(ControlModes::CMSPAR) => match odd {
                true => LineParity::Mark,
                false => LineParity::Space,
            },
            (true, true) => LineParity::Odd,
            (true, false) => LineParity::Even,
        };
        let flow = match has(ControlModes::CRTSCTS) {
            true => FlowBy::Lines,
            false if termios.input_modes.intersects(InputModes::IXON | InputModes::IXOFF) => {
                FlowBy::Bytes
            }
            false => FlowBy::Nothing,
        };
        let stop_bits = if has(ControlModes::CSTOPB) { 2 } else { 1 };
        Self { baud: termios.output_speed(), bits, parity, stop_bits, flow }
    }

    /// What differs from `self` in what was read back, in the words of both.
    pub fn difference(&self, found: &Self) -> Option<Difference> {
        let pairs = [
            (!is_near(self.baud, found.baud)).then(|| (self.rate(), found.rate())),
            (self.frame() != found.frame()).then(|| (self.frame(), found.frame())),
            (self.flow != found.flow).then(|| (self.flow.to_string(), found.flow.to_string())),
        ];
        let (wanted, got): (Vec<_>, Vec<_>) = pairs.into_iter().flatten().unzip();
        (!wanted.is_empty())
            .then(|| Difference { wanted: wanted.join(", "), found: got.join(", ") })
    }

    fn rate(&self) -> String {
        format!("{} baud", self.baud)
    }

    /// As it is written on devices: 8N1.
    fn frame(&self) -> String {
        let parity = match self.parity {
            LineParity::None => 'N',
            LineParity::Even => 'E',
            LineParity::Odd => 'O',
            LineParity::Mark => 'M',
            LineParity::Space => 'S',
        };
        format!("{}{parity}{}", self.bits, self.stop_bits)
    }
}

impl fmt::Display for FlowBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "no flow control",
            Self::Lines => "flow control by RTS and CTS",
            Self::Bytes => "flow control by XON and XOFF",
        })
    }
}

/// What was asked for and what was given, where they are not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What was asked for.
    pub wanted: String,
    /// What the line is set to.
    pub found: String,
}

fn is_near(wanted: u32, found: u32) -> bool {
    u64::from(wanted.abs_diff(found)) * 1000 <= u64::from(wanted) * u64::from(TOLERANCE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::CharacterBits;

    fn wanted(baud: u32) -> LineSetting {
        LineSetting::wanted(&PortSettings::new("/dev/ttyS0", baud))
    }

    fn said(wanted: LineSetting, found: LineSetting) -> Option<(String, String)> {
        wanted.difference(&found).map(|difference| (difference.wanted, difference.found))
    }

    fn both(wanted: &str, found: &str) -> Option<(String, String)> {
        Some((wanted.to_owned(), found.to_owned()))
    }

    #[test]
    fn a_line_that_is_set_as_it_was_told_differs_in_nothing() {
        assert_eq!(said(wanted(115_200), wanted(115_200)), None);
    }

    #[test]
    fn a_rate_that_was_not_taken_is_told_with_both_values() {
        let found = LineSetting { baud: 115_200, ..wanted(921_600) };
        assert_eq!(said(wanted(921_600), found), both("921600 baud", "115200 baud"));
        // As a line is that was never set.
        let never = LineSetting { baud: 0, ..wanted(9_600) };
        assert_eq!(said(wanted(9_600), never), both("9600 baud", "0 baud"));
    }

    #[test]
    fn a_rate_that_an_adapter_makes_by_dividing_its_clock_is_near_enough() {
        // CP2102N: 48 MHz / 52.
        assert_eq!(said(wanted(921_600), wanted(923_077)), None);
        assert_eq!(said(wanted(100_000), wanted(103_000)), None);
        assert!(said(wanted(100_000), wanted(103_001)).is_some());
        assert!(said(wanted(100_000), wanted(96_999)).is_some());
    }

    #[test]
    fn bits_parity_and_stop_bits_are_told_as_devices_have_them() {
        let found = LineSetting { bits: 7, parity: LineParity::Even, ..wanted(9_600) };
        assert_eq!(said(wanted(9_600), found), both("8N1", "7E1"));
        let found = LineSetting { stop_bits: 2, parity: LineParity::Odd, ..wanted(9_600) };
        assert_eq!(said(wanted(9_600), found), both("8N1", "8O2"));
    }

    #[test]
    fn flow_control_that_nobody_asked_for_is_told_beside_the_rest() {
        let found = LineSetting { baud: 9_600, flow: FlowBy::Lines, ..wanted(19_200) };
        let expected =
            both("19200 baud, no flow control", "9600 baud, flow control by RTS and CTS");
        assert_eq!(said(wanted(19_200), found), expected);
    }

    #[test]
    fn a_parity_that_the_system_does_not_know_everywhere_is_asked_for_as_a_bit() {
        let mut settings = PortSettings::new("/dev/ttyS0", 9_600);
        (settings.bits, settings.parity) = (CharacterBits::Seven, LineParity::Mark);
        let wanted = LineSetting::wanted(&settings);
        assert_eq!((wanted.bits, wanted.parity), (8, LineParity::None));
    }
}
