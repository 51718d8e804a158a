//! Where an Espressif chip keeps its identity, in the words of `[esp]` in station.toml.

use super::identity::TlsVersion;

/// The chips, as station.toml calls them.
pub const CHIP_WORDS: [&str; 7] =
    ["esp32", "esp32s2", "esp32s3", "esp32c2", "esp32c3", "esp32c6", "esp32h2"];

/// How the identity is written into its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum EspForm {
    /// The entries of `esp_secure_cert_mgr`.
    #[default]
    Tlv,
    /// Keys of an NVS namespace.
    Nvs,
}

impl EspForm {
    /// Each word of station.toml and what it means.
    pub const WORDS: &[(&str, EspForm)] = &[("tlv", EspForm::Tlv), ("nvs", EspForm::Nvs)];

    /// Its word in station.toml.
    pub const fn as_str(self) -> &'static str {
        match self {
            EspForm::Tlv => "tlv",
            EspForm::Nvs => "nvs",
        }
    }

    /// The partition that is usual for it.
    pub const fn usual_partition(self) -> &'static str {
        match self {
            EspForm::Tlv => "esp_secure_cert",
            EspForm::Nvs => "fctry",
        }
    }
}

/// What the application says after the restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum EspApplication {
    /// It speaks the framed protocol, and signs.
    #[default]
    Framed,
    /// Nothing that the station understands.
    Silent,
}

impl EspApplication {
    /// Each word of station.toml and what it means.
    pub const WORDS: &[(&str, EspApplication)] =
        &[("framed", EspApplication::Framed), ("silent", EspApplication::Silent)];

    /// Its word in station.toml.
    pub const fn as_str(self) -> &'static str {
        match self {
            EspApplication::Framed => "framed",
            EspApplication::Silent => "silent",
        }
    }
}

/// What the keys of an NVS namespace are called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EspKeys {
    /// The client certificate and what stands above it.
    pub certificate: String,
    /// The private key.
    pub key: String,
    /// What the broker's certificate must chain to.
    pub ca: String,
    /// Where to connect.
    pub uri: String,
    /// The MQTT client id.
    pub client_id: String,
    /// What the station writes for itself.
    pub record: String,
}

impl Default for EspKeys {
    fn default() -> Self {
        let name = |text: &str| text.to_owned();
        Self {
            certificate: name("client_cert"),
            key: name("client_key"),
            ca: name("ca_cert"),
            uri: name("mqtt_uri"),
            client_id: name("client_id"),
            record: name("record"),
        }
    }
}

impl EspKeys {
    /// All of them.
    pub fn all(&self) -> [&str; 6] {
        [&self.certificate, &self.key, &self.ca, &self.uri, &self.client_id, &self.record]
    }
}

/// `[esp]`, checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EspPlace {
    /// The one chip that is taken; any where there is none.
    pub chip: Option<&'static str>,
    /// The partition's name.
    pub partition: String,
    /// Where it must lie; where its table says, where there is none.
    pub offset: Option<u32>,
    /// How long it must be; as its table says, where there is none.
    pub size: Option<u32>,
    /// How the identity is written into it.
    pub form: EspForm,
    /// The NVS namespace.
    pub namespace: String,
    /// The names in it.
    pub keys: EspKeys,
    /// Bits a second for the loader's work.
    pub baud: u32,
    /// What the application says after the restart.
    pub application: EspApplication,
}

impl EspPlace {
    /// The NVS namespace that is taken where none is named.
    pub const NAMESPACE: &'static str = "identity";

    /// What adapters of boards take without loss.
    pub const BAUD: u32 = 460_800;
}

impl Default for EspPlace {
    fn default() -> Self {
        Self {
            chip: None,
            partition: EspForm::Tlv.usual_partition().to_owned(),
            offset: None,
            size: None,
            form: EspForm::Tlv,
            namespace: Self::NAMESPACE.to_owned(),
            keys: EspKeys::default(),
            baud: Self::BAUD,
            application: EspApplication::Framed,
        }
    }
}

/// One public part of an identity as it lies in a chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EspEntry {
    /// Where it begins, in the chip's flash.
    pub at: u32,
    /// What it is.
    pub name: String,
    /// Its length, in bytes.
    pub length: u32,
    /// Its text, where it is one; none of a key's is ever read.
    pub text: Option<String>,
}

/// How a TLS version is written into the station's own entry.
pub const fn tls_number(version: TlsVersion) -> u8 {
    match version {
        TlsVersion::V1_2 => 0x12,
        TlsVersion::V1_3 => 0x13,
    }
}
