//! The modems that are spoken to in AT commands, by their makers: the words of `[[slots]] modem`
//! and of `station sim modem --kind`.

use crate::cause::Told;
use std::fmt;
use std::str::FromStr;

macro_rules! modems {
    ($($(#[$doc:meta])* $modem:ident = $word:literal,)+) => {
        /// A kind of modem, told by its maker's commands.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Modem { $($(#[$doc])* $modem,)+ }

        impl Modem {
            /// Every kind.
            pub const ALL: &[Modem] = &[$(Modem::$modem,)+];

            /// Its word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Modem::$modem => $word,)+ }
            }

            /// Each word of `[[slots]] modem`; none is whichever answers.
            pub const WORDS: &[(&str, Option<Modem>)] =
                &[$(($word, Some(Modem::$modem)),)+ ("auto", None)];
        }
    };
}

modems! {
    /// Nordic's nRF91: credentials by tag and type in the modem's own store.
    Nrf91 = "nrf91",
    /// Quectel's modules with a user file system.
    Quectel = "quectel",
    /// SIMCom's modules with a certificate store of files.
    Simcom = "simcom",
    /// Espressif's ESP-AT firmware: the manufacturing partition.
    EspAt = "esp-at",
}

impl fmt::Display for Modem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no kind of modem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is none of nrf91, quectel, simcom, esp-at")]
pub struct UnknownModem {
    /// The word found.
    pub found: String,
}

impl Told for UnknownModem {
    fn chinese(&self) -> Option<String> {
        Some(format!("{:?} 不是 nrf91、quectel、simcom、esp-at 之一", self.found))
    }
}

impl FromStr for Modem {
    type Err = UnknownModem;

    fn from_str(word: &str) -> Result<Self, UnknownModem> {
        let known = Self::ALL.iter().find(|modem| modem.as_str() == word);
        known.copied().ok_or_else(|| UnknownModem { found: word.to_owned() })
    }
}

/// The tag under which an nRF91 keeps an identity where nothing else is said: that of Nordic's
/// own tools and samples.
pub const USUAL_TAG: u32 = 16_842_753;

/// The highest tag that an nRF91 leaves to its user.
pub const HIGHEST_TAG: u32 = 2_147_483_647;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_leads_back_and_another_names_those_allowed() {
        for modem in Modem::ALL {
            assert_eq!(modem.as_str().parse(), Ok(*modem));
        }
        let error = "fax".parse::<Modem>().unwrap_err().to_string();
        assert!(Modem::ALL.iter().all(|modem| error.contains(modem.as_str())), "{error}");
    }
}
