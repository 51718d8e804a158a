//! station.toml, checked: raw TOML in, domain types out.
//!
//! Whatever this module lets through is right in itself: every text is parsed into the
//! type that the rest of the program uses, and every error names its place. It must not
//! look at the world beyond the file: whether a port, a CA or a directory is there is for
//! those who use it (and for `station doctor`) to find out. The one exception is
//! [`Config::profile_digest`], which reads the server root.
//!
//! Start with [`Config::load`]. On the way in, serde reads the file into `raw`, which is the
//! one list of keys; the module of each section checks what hangs on more than one key and
//! fills in defaults; `explain` turns a refusal of either into an error with key, line and
//! column.
//!
//! # To add a key
//!
//! 1. A field in `raw`, of a kind from `kinds`, with the line of documentation that an
//!    editor shows, and a `default` or `examples` in its schema. With a place
//!    (`kinds::Placed`) if another key decides whether it is allowed. A new section is a
//!    struct there, in `kinds::Section`, and a module here.
//! 2. A field in the checked struct of its section, and how it is made of the raw one.
//! 3. A line in `station.toml`, the example: set, or commented out with its default.
//! 4. `station config schema >docs/station.schema.json`, which a test compares; what changes
//!    what a product is goes into `product::digest` too.

use station_domain::{self as domain, say};

mod authority;
mod cloud;
mod connect;
mod error;
mod esp;
mod explain;
mod fleet;
mod kinds;
mod label;
mod ledger;
mod line;
mod place;
mod printing;
mod product;
mod raw;
mod refusal;
mod schema;
mod shifts;
mod station;
mod values;
mod view;
mod words;
mod work_orders;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::de::{DeTable, Deserializer};

pub use authority::{AuthorityKey, AuthoritySettings};
pub use cloud::{Cloud, MAX_RATE};
pub use connect::ConnectSettings;
pub use error::{ConfigError, Place};
use explain::Refused;
pub use fleet::FleetSettings;
use kinds::Section;
pub use ledger::LedgerSettings;
use line::Fixture;
pub use line::{Scanner, Slot};
use place::Source;
pub use printing::LabelSettings;
pub use product::{Broker, CertificateProfile, Product};
use refusal::Refusal;
pub use schema::schema;
pub use station::Station;
pub use values::{Endpoint, PortPlace, ValidFor, ValueError};
pub use view::ViewSettings;
pub use words::{
    AuthorityKind, Binding, CloudKind, Confirm, InitialStatus, KeyEncoding, KeyFormat, KeyOrigin,
    LabelForm, Language, ParityBit, Presence, PrintVerify, PrintWhen, RegistrationMode, Restart,
    ScannerKind,
};
pub use work_orders::WorkOrderSettings;

use crate::domain::bounds;
use crate::domain::cause::library;
use crate::domain::esp::EspPlace;
use crate::domain::ids::ProfileDigest;
use crate::domain::local::Shift;

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
    /// `[[shifts]]`, in the order of the file.
    pub shifts: Vec<Shift>,
    /// `[[slots]]`, in the order of the file.
    pub slots: Vec<Slot>,
    /// `[esp]`
    pub esp: EspPlace,
    /// `[scanner]`
    pub scanner: Scanner,
    /// `[label]`, where it is there.
    pub label: Option<LabelSettings>,
    /// `[cloud]`, where it is there.
    pub cloud: Option<Cloud>,
    /// `[ledger]`
    pub ledger: LedgerSettings,
    /// `[work_orders]`
    pub work_orders: WorkOrderSettings,
    /// `[view]`, where there is one.
    pub view: Option<ViewSettings>,
    /// `[fleet]`
    pub fleet: FleetSettings,
}

impl Config {
    /// Reads and checks the file; `data_dir` takes the place of `[station] data_dir`.
    pub fn load(path: &Path, data_dir: Option<&Path>) -> Result<Self, ConfigError> {
        let missing = |source| ConfigError::Missing { path: path.to_owned(), source };
        let bytes = bounds::read_file(path, bounds::SETTINGS).map_err(missing)?;
        let absolute = std::path::absolute(path).map_err(missing)?;
        let dir = absolute.parent().unwrap_or(Path::new("/")).to_owned();
        let mut config = Self::parse(path, dir, &bytes)?;
        if let Some(data_dir) = data_dir {
            config.station.data_dir = std::path::absolute(data_dir).map_err(missing)?;
        }
        Ok(config)
    }

    /// Whether a file that is not right as a whole says that its people read Chinese.
    pub fn asks_for_chinese(path: &Path) -> bool {
        let file = bounds::open(path).and_then(|file| bounds::read_whole(file, bounds::SETTINGS));
        let text = String::from_utf8_lossy(file.as_deref().unwrap_or_default()).into_owned();
        text.lines().any(|line| {
            let plain: String = line.chars().filter(|c| !c.is_whitespace()).collect();
            plain.starts_with("language=\"zh")
        })
    }

    /// Checks the bytes of a file of this path; relative paths in it start from `dir`.
    pub fn parse(path: &Path, dir: PathBuf, bytes: &[u8]) -> Result<Self, ConfigError> {
        let source = Source { file: path.to_owned(), text: text_of(path, bytes)? };
        let table = DeTable::parse(&source.text).map_err(|error| ConfigError::Syntax {
            place: error.span().map_or_else(|| source.whole(), |span| source.place(&span)),
            what: library(error.message().trim().replace('\n', ", ")),
        })?;
        let read = raw::File::deserialize(Deserializer::from(table.clone()));
        let raw = read.map_err(|error| Refused::new(&source, &table).by_serde(&error))?;
        let digest = ProfileDigest::new(Sha256::digest(bytes).into());
        Self::check(raw, path, dir, digest)
            .map_err(|refusal| Refused::new(&source, &table).by_check(refusal))
    }

    fn check(
        raw: raw::File,
        path: &Path,
        dir: PathBuf,
        digest: ProfileDigest,
    ) -> Result<Self, Refusal> {
        let fixture = Fixture::new(raw.slots, &dir)?;
        let scanner = line::scanner(raw.scanner, &fixture, &dir)?;
        let slots = fixture.into_slots();
        let esp = esp::esp(raw.esp, &slots)?;
        Ok(Self {
            path: path.to_owned(),
            digest,
            station: station::station(raw.station.into_keys(), &dir)?,
            product: product::product(raw.product.into_keys())?,
            certificate: product::certificate(raw.certificate.into_keys())?,
            authority: authority::authority(raw.authority, &dir)?,
            broker: product::broker(raw.broker.into_keys(), &dir)?,
            view: raw.view.map(|raw| view::view(raw.into_keys(), &dir)).transpose()?,
            fleet: fleet::fleet(raw.fleet.map(Section::into_keys).unwrap_or_default(), &dir),
            connect: raw.connect.map(|raw| connect::connect(raw.into_keys(), &dir)).transpose()?,
            shifts: shifts::shifts(raw.shifts.unwrap_or_default())?,
            esp,
            slots,
            scanner,
            label: raw.label.map(|raw| printing::printing(raw.into_keys(), &dir)).transpose()?,
            cloud: raw.cloud.map(|raw| cloud::cloud(raw.into_keys(), &dir)).transpose()?,
            work_orders: work_orders::work_orders(
                raw.work_orders.map(Section::into_keys).unwrap_or_default(),
                &dir,
            ),
            ledger: ledger::ledger(raw.ledger.map(Section::into_keys).unwrap_or_default(), &dir),
            dir,
        })
    }

    /// SHA-256 of what defines the product: `[product]`, `[certificate]`, `[broker]` and
    /// the bytes of the server root. Comments, order, ports and paths do not change it.
    pub fn profile_digest(&self) -> Result<ProfileDigest, ConfigError> {
        let path = &self.broker.server_root;
        let root = bounds::read_file(path, bounds::CERTIFICATES);
        let root = root.map_err(|source| ConfigError::File {
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
        let source = Source { file: path.to_owned(), text: before };
        let what = say!("a byte here is no part of UTF-8 text", "这里有一个字节不是 UTF-8 文本");
        ConfigError::Syntax { place: source.place(&(valid..valid)), what }
    })
}

#[cfg(test)]
mod tests;
