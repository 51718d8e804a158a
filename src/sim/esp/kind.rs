//! The chips: what the loader of each says of itself, and where its registers lie.
//!
//! The numbers are those of Espressif's technical reference manuals, as `esptool` reads
//! them. They stand in the station's own driver once more: the two share no code.

/// A chip of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// Its name, as `--chip` takes it.
    pub(super) word: &'static str,
    /// Its name, as people write it.
    pub(super) name: &'static str,
    /// What GET_SECURITY_INFO says that it is; ESP32 knows no such command, S2 no such number.
    pub(super) id: Option<u32>,
    /// What stands at [`MAGIC_AT`], by which the older two are told.
    pub(super) magic: u32,
    /// Where the first word of its MAC is; the second follows.
    pub(super) mac: u32,
    /// The SPI controller and, relative to it, USR, USR2 and W0.
    pub(super) spi: [u32; 4],
    /// The watchdog: configuration, time, lock.
    pub(super) watchdog: Option<[u32; 3]>,
    /// Where the number of burned bits says whether its flash is encrypted, and which bits.
    pub(super) crypt: (u32, u32),
    /// What SYNC answers.
    pub(super) greeting: u32,
}

/// Where the older chips have a number of their own.
pub(super) const MAGIC_AT: u32 = 0x4000_1000;

const NEW_SPI: [u32; 4] = [0x6000_2000, 0x18, 0x20, 0x58];

/// Every chip that is simulated.
pub(super) const KINDS: &[Kind] = &[
    Kind {
        word: "esp32",
        name: "ESP32",
        id: None,
        magic: 0x00f0_1d83,
        mac: 0x3ff5_a004,
        spi: [0x3ff4_2000, 0x1c, 0x24, 0x80],
        watchdog: None,
        crypt: (0x3ff5_a000, 0x07f0_0000),
        greeting: 0x2012_0707,
    },
    Kind {
        word: "esp32s2",
        name: "ESP32-S2",
        id: None,
        magic: 0x0000_07c6,
        mac: 0x3f41_a044,
        spi: [0x3f40_2000, 0x18, 0x20, 0x58],
        watchdog: Some([0x3f40_8094, 0x3f40_8098, 0x3f40_80ac]),
        crypt: (0x3f41_a034, 0x001c_0000),
        greeting: 0x5555_2007,
    },
    Kind {
        word: "esp32s3",
        name: "ESP32-S3",
        id: Some(9),
        magic: 0x0000_0009,
        mac: 0x6000_7044,
        spi: NEW_SPI,
        watchdog: Some([0x6000_8098, 0x6000_809c, 0x6000_80b0]),
        crypt: (0x6000_7034, 0x001c_0000),
        greeting: 0x5555_1207,
    },
    Kind {
        word: "esp32c2",
        name: "ESP32-C2",
        id: Some(12),
        magic: 0x6f51_306f,
        mac: 0x6000_8840,
        spi: NEW_SPI,
        watchdog: Some([0x6000_8084, 0x6000_8088, 0x6000_809c]),
        crypt: (0x6000_8830, 0x0000_0380),
        greeting: 0x5555_1207,
    },
    Kind {
        word: "esp32c3",
        name: "ESP32-C3",
        id: Some(5),
        magic: 0x1b31_506f,
        mac: 0x6000_8844,
        spi: NEW_SPI,
        watchdog: Some([0x6000_8090, 0x6000_8094, 0x6000_80a8]),
        crypt: (0x6000_8834, 0x001c_0000),
        greeting: 0x5555_1207,
    },
    Kind {
        word: "esp32c6",
        name: "ESP32-C6",
        id: Some(13),
        magic: 0x2ce0_806f,
        mac: 0x600b_0844,
        spi: [0x6000_3000, 0x18, 0x20, 0x58],
        watchdog: Some([0x600b_1c00, 0x600b_1c04, 0x600b_1c18]),
        crypt: (0x600b_0834, 0x001c_0000),
        greeting: 0x5555_1207,
    },
    Kind {
        word: "esp32h2",
        name: "ESP32-H2",
        id: Some(16),
        magic: 0xd7b7_3e80,
        mac: 0x600b_0844,
        spi: [0x6000_3000, 0x18, 0x20, 0x58],
        watchdog: Some([0x600b_1c00, 0x600b_1c04, 0x600b_1c1c]),
        crypt: (0x600b_0834, 0x001c_0000),
        greeting: 0x5555_1207,
    },
];

impl Kind {
    /// The chip of that name.
    pub(super) fn of(word: &str) -> Option<&'static Kind> {
        KINDS.iter().find(|kind| kind.word == word)
    }

    /// Whether a write may be asked for in cipher text, by a fifth word of FLASH_BEGIN.
    pub(super) fn takes_five_words(&self) -> bool {
        self.word != "esp32"
    }

    /// Whether it can be put into secure download mode.
    pub(super) fn has_secure_download(&self) -> bool {
        self.word != "esp32"
    }
}
