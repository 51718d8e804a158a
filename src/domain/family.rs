//! The families of devices, each registered once: its word in `[[slots]] driver`, what its
//! devices are called, the keys of station.toml that are its own, its page and its simulator.
//! Its driver has an arm in `link::driver`.

use std::fmt;

macro_rules! families {
    ($($(#[$doc:meta])* $family:ident = $word:literal {
        devices: $devices:literal,
        keys: [$($key:literal),*],
        page: $page:literal,
        simulator: $simulator:literal,
    })+) => {
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

            /// What people call its devices.
            pub const fn devices(self) -> &'static str {
                match self { $(Family::$family => $devices,)+ }
            }

            /// The keys of station.toml that are for its devices alone.
            pub const fn keys(self) -> &'static [&'static str] {
                match self { $(Family::$family => &[$($key),*],)+ }
            }

            /// Its page in the docs.
            pub const fn page(self) -> &'static str {
                match self { $(Family::$family => $page,)+ }
            }

            /// The command that simulates its devices.
            pub const fn simulator(self) -> &'static str {
                match self { $(Family::$family => $simulator,)+ }
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
    /// The framed protocol.
    Framed = "framed" {
        devices: "devices that speak the framed protocol",
        keys: [],
        page: "docs/protocol.md",
        simulator: "sim device",
    }
    /// MCUmgr's SMP, of Zephyr and MCUboot.
    Smp = "smp" {
        devices: "devices that speak SMP",
        keys: ["slots.directory"],
        page: "docs/smp.md",
        simulator: "sim firmware",
    }
    /// The AT commands of a modem.
    At = "at" {
        devices: "modems",
        keys: ["slots.modem", "slots.sec_tag"],
        page: "docs/modems.md",
        simulator: "sim modem",
    }
    /// The loader of Espressif's chips.
    Esp = "esp" {
        devices: "Espressif chips",
        keys: ["esp"],
        page: "docs/esp32.md",
        simulator: "sim esp",
    }
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
