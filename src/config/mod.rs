//! station.toml, checked: raw TOML in, domain types out.
//!
//! Whatever this module lets through is right in itself: every text is parsed into the
//! type that the rest of the program uses, and every error names its place. It must not
//! look at the world beyond the file: whether a port, a CA or a directory is there is for
//! those who use it (and for `station doctor`) to find out. The one exception is
//! [`Config::profile_digest`], which reads the server root.
//!
//! Start with [`Config::load`].

mod cloud;
mod error;
mod line;
mod product;
mod section;
mod values;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use toml::de::DeTable;

pub use cloud::Cloud;
pub use error::{ConfigError, Place};
pub use line::{Scanner, Slot};
pub use product::{Broker, CertificateProfile, Product};
use section::{Section, Source};
pub use values::{
    AuthorityKind, Binding, CloudKind, DriverName, Endpoint, InitialStatus, KeyOrigin, Language,
    PortPlace, Presence, RegistrationMode, Restart, ScannerKind, ValidFor, ValueError,
};

use crate::domain::ids::{ProfileDigest, StationId, from_hex};
use crate::domain::label::SerialRange;

/// All of station.toml.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file as it was named.
    pub path: PathBuf,
    /// The directory that holds it, absolute; relative paths in it start here.
    pub dir: PathBuf,
    /// SHA-256 of the file as read.
    pub digest: ProfileDigest,
    /// `[station]`
    pub station: Station,
    /// `[product]`
    pub product: Product,
    /// `[certificate]`
    pub certificate: CertificateProfile,
    /// `[authority]`
    pub authority: AuthoritySettings,
    /// `[broker]`
    pub broker: Broker,
    /// `[connect]`, where there is one.
    pub connect: Option<ConnectSettings>,
    /// `[[slots]]`, in the order of the file.
    pub slots: Vec<Slot>,
    /// `[scanner]`
    pub scanner: Scanner,
    /// `[cloud]`, where it is there.
    pub cloud: Option<Cloud>,
    /// `[ledger]`
    pub ledger: LedgerSettings,
}

/// `[station]`: this machine.
#[derive(Debug, Clone)]
pub struct Station {
    /// Its id; the ledger belongs to it.
    pub id: StationId,
    /// The language of the screens.
    pub language: Language,
    /// The directory of the ledger, absolute.
    pub data_dir: PathBuf,
    /// The serials that this station may provision.
    pub serial_range: Option<SerialRange>,
    /// How far the clock may be ahead of the journal.
    pub max_clock_gap: Duration,
    /// How long one unit may take.
    pub unit_deadline: Duration,
    /// How long a scan of a batch waits for a device.
    pub device_wait: Duration,
    /// After how long without a key or a scan the screen signs its person out.
    pub idle_lock: Duration,
    /// What a badge's text begins with, before the person's id.
    pub badge_prefix: String,
    /// The file that holds the PIN with which acts are approved.
    pub operator_pin_file: Option<PathBuf>,
}

/// `[authority]`: where the issuing CA is.
#[derive(Debug, Clone)]
pub struct AuthoritySettings {
    /// Its certificate, PEM.
    pub certificate: PathBuf,
    /// Its key.
    pub key: AuthorityKey,
    /// What stands above it, PEM, its own issuer first.
    pub chain: Option<PathBuf>,
    /// Whether this CA issues for this station alone.
    pub exclusive: bool,
}

/// Where the issuing CA's key is, and where the secret is that opens it.
#[derive(Debug, Clone)]
pub enum AuthorityKey {
    /// In a file: `kind = "file"`.
    File {
        /// Encrypted PKCS#8, PEM.
        path: PathBuf,
        /// The file that holds its passphrase.
        passphrase_file: Option<PathBuf>,
    },
    /// In a token: `kind = "pkcs11"`.
    Pkcs11 {
        /// The PKCS#11 library.
        module: PathBuf,
        /// The token's label.
        token_label: String,
        /// The key's label.
        key_label: Option<String>,
        /// The key's id, where labels are not enough.
        key_id: Option<Vec<u8>>,
        /// The file that holds the user PIN.
        pin_file: Option<PathBuf>,
    },
}

impl AuthorityKey {
    /// Where it is, for people.
    pub fn place(&self) -> String {
        match self {
            AuthorityKey::File { path, .. } => path.display().to_string(),
            AuthorityKey::Pkcs11 { module, token_label, .. } => {
                format!("in token {token_label} by {}", module.display())
            }
        }
    }
}

/// `[connect]`: the station's own broker, to which devices connect as their last proof.
#[derive(Debug, Clone)]
pub struct ConnectSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its certificate and what stands above it, PEM.
    pub certificate: PathBuf,
    /// Its key, encrypted PKCS#8, PEM.
    pub key: PathBuf,
    /// The file that holds the key's passphrase.
    pub passphrase_file: Option<PathBuf>,
    /// How long a device is waited for after its restart.
    pub within: Duration,
}

/// `[ledger]`: how evidence is kept.
#[derive(Debug, Clone)]
pub struct LedgerSettings {
    /// A path on another medium to which the journal's head is written too.
    pub anchor: Option<PathBuf>,
    /// Bytes of free disk below which no new unit starts.
    pub reserve: u64,
    /// Where the line's own backups go; none is the data directory's `backups`.
    pub backup_dir: Option<PathBuf>,
    /// A backup is made when the newest is older and something was recorded since.
    pub backup_every: Duration,
    /// A backup is made when so many entries are in none.
    pub backup_after: u32,
    /// How many of them stay; 0 makes none.
    pub backup_keep: u32,
    /// The file that holds the secret which encrypts the journal key.
    pub journal_secret_file: Option<PathBuf>,
}

impl Config {
    /// Reads and checks the file; `data_dir` takes the place of `[station] data_dir`.
    pub fn load(path: &Path, data_dir: Option<&Path>) -> Result<Self, ConfigError> {
        let missing = |source| ConfigError::Missing { path: path.to_owned(), source };
        let bytes = fs::read(path).map_err(missing)?;
        let absolute = std::path::absolute(path).map_err(missing)?;
        let dir = absolute.parent().unwrap_or(Path::new("/")).to_owned();
        let mut config = Self::parse(path, dir, &bytes)?;
        if let Some(data_dir) = data_dir {
            config.station.data_dir = std::path::absolute(data_dir).map_err(missing)?;
        }
        Ok(config)
    }

    /// Checks the bytes of a file of this path; relative paths in it start from `dir`.
    pub fn parse(path: &Path, dir: PathBuf, bytes: &[u8]) -> Result<Self, ConfigError> {
        let source = Source { file: path.to_owned(), text: text_of(path, bytes)?, dir };
        let table = DeTable::parse(&source.text).map_err(|error| ConfigError::Syntax {
            place: error.span().map_or_else(|| source.whole(), |span| source.place(&span)),
            what: error.message().trim().replace('\n', ", "),
        })?;
        let root = Section::root(&source, &table)?;
        let slots = line::slots(&root)?;
        let scanner = line::scanner(&root.section("scanner")?, &slots)?;
        Ok(Self {
            path: path.to_owned(),
            dir: source.dir.clone(),
            digest: ProfileDigest::new(Sha256::digest(bytes).into()),
            station: station(&root.section("station")?)?,
            product: product::product(&root.section("product")?)?,
            certificate: product::certificate(&root.section("certificate")?)?,
            authority: authority(&root.section("authority")?)?,
            broker: product::broker(&root.section("broker")?)?,
            connect: connect(&root.section("connect")?)?,
            slots: slots.into_iter().map(|(slot, _)| slot).collect(),
            scanner,
            cloud: cloud::cloud(&root.section("cloud")?)?,
            ledger: ledger(&root.section("ledger")?)?,
        })
    }

    /// SHA-256 of what defines the product: `[product]`, `[certificate]`, `[broker]` and
    /// the bytes of the server root. Comments, order, ports and paths do not change it.
    pub fn profile_digest(&self) -> Result<ProfileDigest, ConfigError> {
        let path = &self.broker.server_root;
        let root = fs::read(path).map_err(|source| ConfigError::File {
            key: "broker.server_root",
            path: path.clone(),
            source,
        })?;
        Ok(product::digest(&self.product, &self.certificate, &self.broker, &root))
    }
}

fn text_of(path: &Path, bytes: &[u8]) -> Result<String, ConfigError> {
    String::from_utf8(bytes.to_vec()).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&bytes[..valid]).into_owned();
        let source = Source { file: path.to_owned(), text: before, dir: PathBuf::new() };
        let what = "a byte here is no part of UTF-8 text".to_owned();
        ConfigError::Syntax { place: source.place(&(valid..valid)), what }
    })
}

const DAY: Duration = Duration::from_secs(86_400);

fn station(section: &Section<'_>) -> Result<Station, ConfigError> {
    Ok(Station {
        id: section.required("id", "\"line-1\"")?,
        language: section.parsed("language")?.unwrap_or(Language::English),
        data_dir: section.required_path("data_dir", "\"/var/lib/station\"")?,
        serial_range: section.parsed("serial_range")?,
        // A line may stand still over a long holiday, a dead clock battery is further off.
        max_clock_gap: duration(section, "max_clock_gap", 30 * DAY)?,
        // A unit takes seconds; what takes two minutes will not end well.
        unit_deadline: duration(section, "unit_deadline", Duration::from_secs(120))?,
        device_wait: duration(section, "device_wait", Duration::from_secs(600))?,
        // Longer than a unit takes, shorter than a break.
        idle_lock: duration(section, "idle_lock", Duration::from_secs(600))?,
        badge_prefix: badge_prefix(section)?,
        operator_pin_file: section.path("operator_pin_file")?,
    })
}

/// A prefix that tells a badge from a label.
fn badge_prefix(section: &Section<'_>) -> Result<String, ConfigError> {
    let Some(found) = section.text("badge_prefix")? else { return Ok("OP:".to_owned()) };
    let is_plain = found.value.chars().all(|c| c.is_ascii_graphic());
    match is_plain && (1..=16).contains(&found.value.len()) {
        true => Ok(found.value.to_owned()),
        false => Err(found.refuse("a badge's prefix is 1 to 16 printable ASCII characters")),
    }
}

/// A length of time, or its default.
fn duration(section: &Section<'_>, key: &str, default: Duration) -> Result<Duration, ConfigError> {
    let Some(found) = section.text(key)? else { return Ok(default) };
    values::duration(found.value).map_err(|error| found.refuse(error))
}

fn authority(section: &Section<'_>) -> Result<AuthoritySettings, ConfigError> {
    let key = match section.parsed("kind")?.unwrap_or(AuthorityKind::File) {
        AuthorityKind::File => key_in_file(section)?,
        AuthorityKind::Pkcs11 => key_in_token(section)?,
    };
    Ok(AuthoritySettings {
        certificate: section.required_path("certificate", "\"ca.pem\"")?,
        key,
        chain: section.path("chain")?,
        exclusive: section.boolean("exclusive")?.unwrap_or(false),
    })
}

fn key_in_file(section: &Section<'_>) -> Result<AuthorityKey, ConfigError> {
    for key in ["module", "token_label", "key_label", "key_id", "pin_file"] {
        if let Some(found) = section.text(key)? {
            return Err(found.refuse("belongs to a CA in an HSM, and this one is in files"));
        }
    }
    Ok(AuthorityKey::File {
        path: section.required_path("key", "\"ca.key\"")?,
        passphrase_file: section.path("passphrase_file")?,
    })
}

/// A `key` that is left from a CA in files is not used, and does no harm.
fn key_in_token(section: &Section<'_>) -> Result<AuthorityKey, ConfigError> {
    if let Some(found) = section.text("passphrase_file")? {
        return Err(found.refuse("belongs to a CA in files; a token is opened with `pin_file`"));
    }
    let key_label = section.text("key_label")?.map(|found| found.value.to_owned());
    let key_id = match section.text("key_id")? {
        Some(found) => Some(from_hex("key id", found.value).map_err(|error| found.refuse(error))?),
        None => None,
    };
    if key_label.is_none() && key_id.is_none() {
        return Err(section.absent("key_label", "\"line-1-ca\""));
    }
    Ok(AuthorityKey::Pkcs11 {
        module: section.required_path("module", "\"/usr/lib/softhsm/libsofthsm2.so\"")?,
        token_label: section.required_text("token_label", "\"line-1\"")?.value.to_owned(),
        key_label,
        key_id,
        pin_file: section.path("pin_file")?,
    })
}

/// A device that boots and finds its network needs some seconds.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);

fn connect(section: &Section<'_>) -> Result<Option<ConnectSettings>, ConfigError> {
    if !section.is_present() {
        return Ok(None);
    }
    let listen = section.required_text("listen", "\"0.0.0.0:8883\"")?;
    let address = listen.value.parse();
    Ok(Some(ConnectSettings {
        listen: address.map_err(|_| {
            listen.refuse("is no address and port: write for example \"0.0.0.0:8883\"")
        })?,
        certificate: section.required_path("certificate", "\"broker.pem\"")?,
        key: section.required_path("key", "\"broker.key\"")?,
        passphrase_file: section.path("passphrase_file")?,
        within: duration(section, "within", CONNECT_WITHIN)?,
    }))
}

fn ledger(section: &Section<'_>) -> Result<LedgerSettings, ConfigError> {
    let reserve = match section.text("reserve")? {
        Some(found) => values::size(found.value).map_err(|error| found.refuse(error))?,
        // Room for the records of every unit that can be under way, many times over.
        None => 256 << 20,
    };
    Ok(LedgerSettings {
        anchor: section.path("anchor")?,
        reserve,
        backup_dir: section.path("backup_dir")?,
        // What an hour's work is worth is what a dead disk may cost.
        backup_every: duration(section, "backup_every", Duration::from_secs(3_600))?,
        backup_after: section.integer("backup_after", 1..=u32::MAX)?.unwrap_or(50_000),
        backup_keep: section.integer("backup_keep", 0..=1_000)?.unwrap_or(8),
        journal_secret_file: section.path("journal_secret_file")?,
    })
}

#[cfg(test)]
mod tests;
