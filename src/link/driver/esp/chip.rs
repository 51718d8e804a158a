//! The chips of the family: how one is told, and where it keeps what is asked of it.

/// A chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chip {
    /// Its word in station.toml.
    pub(super) word: &'static str,
    /// Its name, which its application gives as its model too.
    pub(super) name: &'static str,
    /// How it is told.
    told: Told,
    /// Where the low four bytes of its MAC are; the high two stand behind.
    pub(super) mac: u32,
    /// The watchdog's registers, where one resets the whole chip.
    pub(super) watchdog: Option<Watchdog>,
    /// Where a word's bits say whether flash is encrypted, for the one that does not say so.
    pub(super) crypt: Option<(u32, u32)>,
    /// Whether FLASH_BEGIN has a fifth word.
    pub(super) has_fifth_word: bool,
}

/// What tells a chip from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// The number that its security information gives.
    Id(u32),
    /// What stands at [`MAGIC_AT`].
    Magic(u32),
}

/// Where a watchdog is armed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Watchdog {
    pub(super) config: u32,
    pub(super) time: u32,
    pub(super) lock: u32,
}

/// The word in ROM by which the two oldest are told.
pub(super) const MAGIC_AT: u32 = 0x4000_1000;

const fn watchdog(config: u32, time: u32, lock: u32) -> Option<Watchdog> {
    Some(Watchdog { config, time, lock })
}

const fn newer(
    word: &'static str,
    name: &'static str,
    id: u32,
    mac: u32,
    watchdog: Option<Watchdog>,
) -> Chip {
    Chip { word, name, told: Told::Id(id), mac, watchdog, crypt: None, has_fifth_word: true }
}

/// All of them.
pub(super) const CHIPS: &[Chip] = &[
    Chip {
        word: "esp32",
        name: "ESP32",
        told: Told::Magic(0x00f0_1d83),
        mac: 0x3ff5_a004,
        watchdog: None,
        crypt: Some((0x3ff5_a000, 0x07f0_0000)),
        has_fifth_word: false,
    },
    Chip {
        told: Told::Magic(0x0000_07c6),
        ..newer(
            "esp32s2",
            "ESP32-S2",
            2,
            0x3f41_a044,
            watchdog(0x3f40_8094, 0x3f40_8098, 0x3f40_80ac),
        )
    },
    newer("esp32s3", "ESP32-S3", 9, 0x6000_7044, watchdog(0x6000_8098, 0x6000_809c, 0x6000_80b0)),
    newer("esp32c2", "ESP32-C2", 12, 0x6000_8840, watchdog(0x6000_8084, 0x6000_8088, 0x6000_809c)),
    newer("esp32c3", "ESP32-C3", 5, 0x6000_8844, watchdog(0x6000_8090, 0x6000_8094, 0x6000_80a8)),
    newer("esp32c6", "ESP32-C6", 13, 0x600b_0844, watchdog(0x600b_1c00, 0x600b_1c04, 0x600b_1c18)),
    newer("esp32h2", "ESP32-H2", 16, 0x600b_0844, watchdog(0x600b_1c00, 0x600b_1c04, 0x600b_1c1c)),
];

impl Chip {
    /// The chip that gives this number.
    pub(super) fn of_id(id: u32) -> Option<&'static Chip> {
        CHIPS.iter().find(|chip| chip.told == Told::Id(id))
    }

    /// The chip of this name.
    pub(super) fn of_name(name: &str) -> Option<&'static Chip> {
        CHIPS.iter().find(|chip| chip.name == name)
    }

    /// The chip with this word in its ROM.
    pub(super) fn of_magic(magic: u32) -> Option<&'static Chip> {
        CHIPS.iter().find(|chip| chip.told == Told::Magic(magic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::esp::CHIP_WORDS;

    #[test]
    fn every_word_of_the_configuration_is_a_chip() {
        let words: Vec<_> = CHIPS.iter().map(|chip| chip.word).collect();
        assert_eq!(words, CHIP_WORDS);
    }
}
