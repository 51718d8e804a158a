//! The words of station.toml: each type with one word for each of its values.

use std::fmt;
use std::str::FromStr;

use super::values::ValueError;
use crate::domain::certificate::Proof;
use crate::domain::esp::{EspApplication, EspForm};
use crate::domain::family::Speaks;
use crate::domain::identity::TlsVersion;
use crate::domain::modem::Modem;
use crate::domain::print::Language as PrintLanguage;
use crate::domain::scan::LetterCase;

/// A type with one word in station.toml for each of its values.
pub(super) trait Choice: Copy + 'static {
    /// Each value and its word.
    const WORDS: &'static [(&'static str, Self)];
    /// Words for what a later version will know.
    const LATER: &'static [&'static str] = &[];

    /// The value of a word.
    fn of_word(word: &str) -> Result<Self, ValueError> {
        if Self::LATER.contains(&word) {
            return Err(ValueError::NotYet(word.to_owned()));
        }
        let found = Self::WORDS.iter().find(|(name, _)| *name == word);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<&str> = Self::WORDS.iter().map(|(name, _)| *name).collect();
            ValueError::Word { found: word.to_owned(), allowed: names.join(", ") }
        })
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident = $word:literal,)+ }
     later { $($later:literal),* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$member_doc])* $member,)+ }

        impl $name {
            /// The word in station.toml.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$member => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Choice for $name {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$member),)+];
            const LATER: &'static [&'static str] = &[$($later),*];
        }

        impl FromStr for $name {
            type Err = ValueError;

            fn from_str(word: &str) -> Result<Self, ValueError> {
                Self::of_word(word)
            }
        }
    };
}

words! {
    /// The language of the screens.
    Language {
        /// English.
        English = "en",
        /// Simplified Chinese.
        Chinese = "zh-CN",
    } later {}
}

words! {
    /// Where a device's private key is made.
    KeyOrigin {
        /// In the station's locked memory; the device receives it.
        Station = "station",
        /// On the device; the station certifies it.
        Device = "device",
    } later {}
}

words! {
    /// In which form a device gets a private key that the station made.
    KeyFormat {
        /// As little as there is: the scalar, or for SMP an ECPrivateKey of it.
        Scalar = "scalar",
        /// A PKCS#8 document with the public key.
        Pkcs8 = "pkcs8",
    } later {}
}

words! {
    /// How the key's file of a device that speaks SMP is written.
    KeyEncoding {
        /// The bytes themselves.
        Der = "der",
        /// As text.
        Pem = "pem",
    } later {}
}

words! {
    /// Where the issuing authority's key is kept.
    AuthorityKind {
        /// In an encrypted PKCS#8 file.
        File = "file",
        /// In a token behind a PKCS#11 module.
        Pkcs11 = "pkcs11",
    } later {}
}

impl Choice for EspForm {
    const WORDS: &'static [(&'static str, Self)] = EspForm::WORDS;
}

impl Choice for EspApplication {
    const WORDS: &'static [(&'static str, Self)] = EspApplication::WORDS;
}

impl Choice for Speaks {
    const WORDS: &'static [(&'static str, Self)] = Speaks::WORDS;
}

/// None is whichever modem answers.
impl Choice for Option<Modem> {
    const WORDS: &'static [(&'static str, Self)] = Modem::WORDS;
}

words! {
    /// How a device is seen to come and go.
    Presence {
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
    } later {}
}

words! {
    /// Who restarts a device.
    Restart {
        /// The device itself, on request.
        Command = "command",
        /// The fixture: a pulse on DTR resets it.
        Dtr = "dtr",
        /// The fixture: a pulse on RTS resets it.
        Rts = "rts",
    } later {}
}

words! {
    /// What the scanner is.
    ScannerKind {
        /// It types like a keyboard.
        Keyboard = "keyboard",
        /// It is on a serial port.
        Serial = "serial",
    } later {}
}

words! {
    /// Which slot a scan is meant for.
    Binding {
        /// The slot that was chosen before the scan.
        Slot = "slot",
        /// The slot whose device is put in after the scan.
        Insert = "insert",
        /// Any slot that is free.
        Any = "any",
    } later {}
}

words! {
    /// The bit behind the bits of a scanner's characters.
    ParityBit {
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
    } later {}
}

words! {
    /// How a label is written.
    LabelForm {
        /// A GS1 element string.
        Gs1 = "gs1",
        /// A URL.
        Link = "link",
        /// A JSON object.
        Json = "json",
        /// A text with places for values.
        Text = "text",
    } later {}
}

words! {
    /// When a label is printed.
    PrintWhen {
        /// When a unit passes.
        Pass = "pass",
        /// When a person asks for it.
        Never = "never",
    } later {}
}

words! {
    /// How it is found out whether a label is right.
    PrintVerify {
        /// It is scanned back.
        Scan = "scan",
        /// It is not.
        None = "none",
    } later {}
}

words! {
    /// Which cloud it is.
    CloudKind {
        /// TDMQ for MQTT.
        Tdmq = "tdmq",
    } later {}
}

words! {
    /// How the cloud learns of certificates.
    RegistrationMode {
        /// Each is uploaded beforehand.
        Manual = "manual",
        /// The cloud registers a certificate when its device first connects.
        Automatic = "automatic",
    } later {}
}

words! {
    /// The status with which a certificate is registered.
    InitialStatus {
        /// The device may connect at once.
        Active = "ACTIVE",
        /// The device may connect when someone activates it.
        Inactive = "INACTIVE",
    } later {}
}

words! {
    /// Which registrations are looked up again before they count.
    Confirm {
        /// Each: twice the calls.
        All = "all",
        /// The first one of a run and one of twenty.
        Sample = "sample",
        /// None.
        None = "none",
    } later {}
}

/// A protection that a device reports.
#[derive(Debug, Clone, Copy)]
pub(super) enum Protection {
    SecureBoot,
    ReadOut,
    FlashEncryption,
}

impl Choice for Protection {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("secure-boot", Protection::SecureBoot),
        ("readout-protection", Protection::ReadOut),
        ("flash-encryption", Protection::FlashEncryption),
    ];
}

impl Choice for Proof {
    const WORDS: &'static [(&'static str, Self)] = &[
        (Proof::Possession.as_str(), Proof::Possession),
        (Proof::Connect.as_str(), Proof::Connect),
        (Proof::ReadBack.as_str(), Proof::ReadBack),
        (Proof::None.as_str(), Proof::None),
    ];
}

impl Choice for LetterCase {
    const WORDS: &'static [(&'static str, Self)] =
        &[("keep", LetterCase::Keep), ("upper", LetterCase::Upper), ("lower", LetterCase::Lower)];
}

impl Choice for PrintLanguage {
    const WORDS: &'static [(&'static str, Self)] = &[
        (PrintLanguage::Zpl.as_str(), PrintLanguage::Zpl),
        (PrintLanguage::Tspl.as_str(), PrintLanguage::Tspl),
        (PrintLanguage::Epl.as_str(), PrintLanguage::Epl),
        (PrintLanguage::Svg.as_str(), PrintLanguage::Svg),
        (PrintLanguage::Text.as_str(), PrintLanguage::Text),
    ];
}

impl Choice for TlsVersion {
    const WORDS: &'static [(&'static str, Self)] = &[
        (TlsVersion::V1_2.as_str(), TlsVersion::V1_2),
        (TlsVersion::V1_3.as_str(), TlsVersion::V1_3),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_none_names_those_allowed() {
        let error = Speaks::of_word("usb").unwrap_err();
        assert_eq!(error.to_string(), "\"usb\" is none of framed, smp, at, esp, auto");
        let error = Option::<Modem>::of_word("fax").unwrap_err();
        let allowed = "nrf91, quectel, simcom, esp-at, auto";
        assert_eq!(error.to_string(), format!("\"fax\" is none of {allowed}"));
    }
}
