//! The families of devices by their names: the words of `[[slots]] driver`.

use std::fmt;

macro_rules! families {
    ($($(#[$doc:meta])* $family:ident = $word:literal,)+) => {
        /// A family of devices that speak one protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Family { $($(#[$doc])* $family,)+ }

        impl Family {
            /// Every family, in the order in which a slot that has any asks for them.
            pub const ALL: &[Family] = &[$(Family::$family,)+];

            /// Its word in station.toml.
            pub const fn as_str(self) -> &'static str {
                match self { $(Family::$family => $word,)+ }
            }
        }

        impl Speaks {
            /// Each word of station.toml and what it means.
            pub const WORDS: &[(&str, Speaks)] =
                &[$(($word, Speaks::Family(Family::$family)),)+ (AUTO, Speaks::Auto)];
        }
    };
}

families! {
    /// The framed protocol of `docs/protocol.md`.
    Framed = "framed",
    /// MCUmgr's SMP, of Zephyr and MCUboot: `docs/smp.md`.
    Smp = "smp",
    /// The AT commands of a modem: `docs/modems.md`.
    At = "at",
    /// The loader of Espressif's chips: `docs/esp32.md`.
    Esp = "esp",
}

/// The word for a slot that takes devices of every family.
const AUTO: &str = "auto";

/// What the devices of a slot speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Speaks {
    /// What this family speaks.
    Family(Family),
    /// Whichever of the families answers.
    Auto,
}

impl Speaks {
    /// Its word in station.toml.
    pub const fn as_str(self) -> &'static str {
        match self {
            Speaks::Family(family) => family.as_str(),
            Speaks::Auto => AUTO,
        }
    }

    /// Whether devices of this family may come.
    pub fn may_be(self, family: Family) -> bool {
        matches!(self, Speaks::Auto) || self == Speaks::Family(family)
    }
}

impl fmt::Display for Speaks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
