//! How a slot's port is set up, as the configuration gives it. Plain data.

use std::str::FromStr;
use std::time::Duration;

use crate::domain::cause::Told;
use crate::domain::esp::EspPlace;
use crate::domain::family::{Family, Speaks};
use crate::domain::modem::{Modem, USUAL_TAG};

/// A port and how its line is driven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortSettings {
    /// A path, or `usb:BUS-CHAIN[:INTERFACE]` for a physical place.
    pub path: String,
    /// Bits a second.
    pub baud: u32,
    /// The level DTR is set to after opening; `None` leaves it as the system sets it.
    pub dtr: Option<bool>,
    /// The level RTS is set to after opening; `None` leaves it as the system sets it.
    pub rts: Option<bool>,
    /// Bits of a character.
    pub bits: CharacterBits,
    /// The bit behind them.
    pub parity: LineParity,
}

impl PortSettings {
    /// A port at 8N1 without flow control, its modem lines left alone.
    pub fn new(path: impl Into<String>, baud: u32) -> Self {
        let (bits, parity) = (CharacterBits::Eight, LineParity::None);
        Self { path: path.into(), baud, dtr: None, rts: None, bits, parity }
    }

    /// How many bits a character has on the line, and which parity the system is to make. A
    /// bit that is always one or always zero is an eighth one: not every system knows it.
    pub const fn character(&self) -> (u8, LineParity) {
        match (self.bits, self.parity) {
            (_, LineParity::Mark | LineParity::Space) => (8, LineParity::None),
            (CharacterBits::Seven, parity) => (7, parity),
            (CharacterBits::Eight, parity) => (8, parity),
        }
    }
}

/// How many bits a character has. Devices have eight; old scanners have seven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CharacterBits {
    /// ASCII alone.
    Seven,
    /// Any byte.
    #[default]
    Eight,
}

/// Everything about one slot that the link must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotLink {
    /// Its port.
    pub port: PortSettings,
    /// What its devices speak.
    pub speaks: Speaks,
    /// Who restarts its devices.
    pub restart: RestartBy,
    /// How its devices are seen to come and go.
    pub presence: PresenceBy,
    /// How long a device may take to answer for the first time after its port was opened.
    pub arrival: Duration,
    /// Where and how a device that speaks SMP keeps its identity's files.
    pub smp: SmpFiles,
    /// Which modems come to it; none takes whichever answers.
    pub modem: Option<Modem>,
    /// The tag under which an nRF91 keeps its identity.
    pub sec_tag: u32,
    /// Where an Espressif chip keeps its identity.
    pub esp: EspPlace,
}

/// The files of a device that speaks SMP, as far as its firmware may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmpFiles {
    /// The directory that they are in.
    pub directory: String,
    /// The name of the private key's.
    pub key_name: String,
    /// Whether that file is PEM; else DER.
    pub key_is_pem: bool,
}

impl Default for SmpFiles {
    /// What station.toml takes where it is silent: Zephyr's samples mount their LittleFS there.
    fn default() -> Self {
        Self { directory: "/lfs1".to_owned(), key_name: "client.key".to_owned(), key_is_pem: false }
    }
}

impl SlotLink {
    /// Opening a port resets many boards; a bootloader takes most of this.
    pub const ARRIVAL: Duration = Duration::from_secs(2);

    /// A slot with what station.toml takes where it is silent.
    pub fn new(port: PortSettings) -> Self {
        Self {
            port,
            speaks: Speaks::Family(Family::Framed),
            restart: RestartBy::Command,
            presence: PresenceBy::Port,
            arrival: Self::ARRIVAL,
            smp: SmpFiles::default(),
            modem: None,
            sec_tag: USUAL_TAG,
            esp: EspPlace::default(),
        }
    }
}

/// A word in station.toml that is none of those allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is none of {allowed}")]
pub struct UnknownWord {
    /// The word found.
    pub found: String,
    /// Those allowed.
    pub allowed: &'static str,
}

impl Told for UnknownWord {
    fn chinese(&self) -> Option<String> {
        Some(format!("{:?} 不是下列之一：{}", self.found, self.allowed))
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $allowed:literal {
        $($(#[$member_doc:meta])* $member:ident = $word:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$member_doc])* $member,)+ }

        impl $name {
            /// The word in station.toml.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$member => $word,)+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$member),)+
                    _ => Err(UnknownWord { found: word.to_owned(), allowed: $allowed }),
                }
            }
        }
    };
}

words! {
    /// The bit behind the bits of a character.
    LineParity, "none, even, odd, mark, space" {
        /// There is none.
        None = "none",
        /// It makes the number of ones even.
        Even = "even",
        /// It makes the number of ones odd.
        Odd = "odd",
        /// It is one.
        Mark = "mark",
        /// It is zero.
        Space = "space",
    }
}

words! {
    /// Who restarts a device.
    RestartBy, "command, dtr, rts" {
        /// The device itself, on request.
        Command = "command",
        /// The fixture: a pulse on DTR resets it.
        Dtr = "dtr",
        /// The fixture: a pulse on RTS resets it.
        Rts = "rts",
    }
}

words! {
    /// How a device is seen to come and go.
    PresenceBy, "port, poll, cts, dsr, dcd" {
        /// Its port appears and vanishes.
        Port = "port",
        /// It answers, or no longer does.
        Poll = "poll",
        /// The fixture holds CTS while a device is in it.
        Cts = "cts",
        /// The fixture holds DSR while a device is in it.
        Dsr = "dsr",
        /// The fixture holds DCD while a device is in it.
        Dcd = "dcd",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_and_others_name_those_allowed() {
        assert_eq!("poll".parse(), Ok(PresenceBy::Poll));
        assert_eq!(RestartBy::Dtr.as_str().parse(), Ok(RestartBy::Dtr));
        let error = "usb".parse::<PresenceBy>().unwrap_err();
        assert_eq!(error.to_string(), "\"usb\" is none of port, poll, cts, dsr, dcd");
    }
}
