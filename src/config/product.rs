//! `[product]`, `[certificate]` and `[broker]`: what is burned, and their digest.

use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::error::ConfigError;
use super::section::{Found, Section};
use super::values::{self, KeyOrigin, ValidFor};
use crate::domain::certificate::Proof;
use crate::domain::device::Security;
use crate::domain::identity::TlsVersion;
use crate::domain::ids::ProfileDigest;
use crate::domain::label::{CheckCharacter, ClientIdTemplate, SerialPattern};

/// `[product]`
#[derive(Debug, Clone)]
pub struct Product {
    /// Its name.
    pub name: String,
    /// What its labels look like.
    pub serial_pattern: SerialPattern,
    /// How a client id is made of a serial.
    pub client_id: ClientIdTemplate,
    /// The check character of its labels.
    pub check_character: CheckCharacter,
    /// Where its private keys are made.
    pub key_origin: KeyOrigin,
    /// The model that its devices must report; none accepts any.
    pub model: Option<String>,
    /// The proof below which a unit is not PASS.
    pub required_proof: Proof,
    /// Whether a finished device is locked.
    pub lock: bool,
    /// The protections that its devices must report.
    pub require: Security,
}

/// `[certificate]`: the profile of a device certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateProfile {
    /// O of the subject.
    pub organization: Option<String>,
    /// OU of the subject.
    pub organizational_unit: Option<String>,
    /// How long it is valid.
    pub valid_for: ValidFor,
    /// How far before its issue it begins, for devices whose clocks are behind.
    pub backdate: Duration,
}

/// `[broker]`: what the device is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// The broker's host.
    pub host: String,
    /// Its TLS port.
    pub port: u16,
    /// The roots that its certificate must chain to, PEM.
    pub server_root: PathBuf,
    /// The oldest TLS version allowed.
    pub tls_min: TlsVersion,
    /// The newest TLS version allowed.
    pub tls_max: TlsVersion,
}

pub(super) fn product(section: &Section<'_>) -> Result<Product, ConfigError> {
    let name = section.required_text("name", "\"TH200\"")?;
    let pattern = section.required_text("serial_pattern", "\"TH200-[0-9]{8}\"")?;
    Ok(Product {
        name: short_text(&name)?,
        serial_pattern: SerialPattern::new(pattern.value).map_err(|source| {
            ConfigError::Pattern { place: pattern.place(), key: pattern.key.clone(), source }
        })?,
        client_id: section.required("client_id", "\"{serial}\"")?,
        check_character: section.parsed("check_character")?.unwrap_or_default(),
        key_origin: section.parsed("key_origin")?.unwrap_or(KeyOrigin::Station),
        model: model(section)?,
        required_proof: required_proof(section)?,
        lock: section.boolean("lock")?.unwrap_or(false),
        require: require(section)?,
    })
}

/// What goes into a subject's O and OU, and what people read: at most 64 characters.
fn short_text(found: &Found<'_, &str>) -> Result<String, ConfigError> {
    match found.value.chars().count() {
        0 => Err(found.refuse("the text is empty")),
        65.. => Err(found.refuse("the text has more than 64 characters")),
        _ if found.value.chars().any(char::is_control) => {
            Err(found.refuse("the text has control characters"))
        }
        _ => Ok(found.value.to_owned()),
    }
}

fn model(section: &Section<'_>) -> Result<Option<String>, ConfigError> {
    let Some(found) = section.text("model")? else { return Ok(None) };
    let fits = |c: char| c.is_ascii_graphic() || c == ' ';
    match found.value {
        text if (1..=32).contains(&text.len()) && text.chars().all(fits) => {
            Ok(Some(text.to_owned()))
        }
        _ => Err(found.refuse("a model is 1 to 32 printable ASCII characters")),
    }
}

fn required_proof(section: &Section<'_>) -> Result<Proof, ConfigError> {
    let Some(found) = section.text("required_proof")? else { return Ok(Proof::Possession) };
    let all = [Proof::Possession, Proof::Connect, Proof::ReadBack, Proof::None];
    all.into_iter().find(|proof| proof.as_str() == found.value).ok_or_else(|| {
        let allowed = all.map(Proof::as_str).join(", ");
        found.refuse(format!("{:?} is none of {allowed}", found.value))
    })
}

fn require(section: &Section<'_>) -> Result<Security, ConfigError> {
    let mut required = Security::default();
    for found in section.texts("require")? {
        match found.value {
            "secure-boot" => required.secure_boot = true,
            "readout-protection" => required.readout_protection = true,
            "flash-encryption" => required.flash_encryption = true,
            other => {
                return Err(found.refuse(format!(
                    "{other:?} is none of secure-boot, readout-protection, flash-encryption"
                )));
            }
        }
    }
    Ok(required)
}

pub(super) fn certificate(section: &Section<'_>) -> Result<CertificateProfile, ConfigError> {
    let optional = |key| section.text(key)?.map(|found| short_text(&found)).transpose();
    let backdate = match section.text("backdate")? {
        Some(found) => values::duration(found.value).map_err(|error| found.refuse(error))?,
        // A device's clock may be set to the wrong zone, not to the wrong day.
        None => Duration::from_secs(24 * 3_600),
    };
    Ok(CertificateProfile {
        organization: optional("organization")?,
        organizational_unit: optional("organizational_unit")?,
        valid_for: section.required("valid_for", "\"20y\"")?,
        backdate,
    })
}

pub(super) fn broker(section: &Section<'_>) -> Result<Broker, ConfigError> {
    let oldest = tls(section, "tls_min")?;
    let newest = tls(section, "tls_max")?;
    let tls_min = oldest.as_ref().map_or(TlsVersion::V1_2, |found| found.value);
    let tls_max = newest.as_ref().map_or(TlsVersion::V1_3, |found| found.value);
    if let (true, Some(found)) = (tls_min > tls_max, newest.or(oldest)) {
        return Err(found.refuse("tls_min lies above tls_max"));
    }
    let port = section.integer("port", 1..=65_535)?.and_then(|port| u16::try_from(port).ok());
    Ok(Broker {
        host: host(section)?,
        port: port.unwrap_or(8_883),
        server_root: section.required_path("server_root", "\"server-root.pem\"")?,
        tls_min,
        tls_max,
    })
}

fn tls<'a>(section: &Section<'a>, key: &str) -> Result<Option<Found<'a, TlsVersion>>, ConfigError> {
    let Some(found) = section.text(key)? else { return Ok(None) };
    match found.value {
        "1.2" => Ok(Some(found.map(TlsVersion::V1_2))),
        "1.3" => Ok(Some(found.map(TlsVersion::V1_3))),
        other => Err(found.refuse(format!("{other:?} is none of 1.2, 1.3"))),
    }
}

fn host(section: &Section<'_>) -> Result<String, ConfigError> {
    let found = section.required_text("host", "\"mqtt.example.com\"")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    match found.value {
        host if (1..=253).contains(&host.len()) && host.chars().all(fits) => Ok(host.to_owned()),
        _ => Err(found.refuse("a host is 1 to 253 of A-Z a-z 0-9 . - :, without scheme or port")),
    }
}

/// Hashes name and length before each value, so that no two profiles have one text.
pub(super) fn digest(
    product: &Product,
    certificate: &CertificateProfile,
    broker: &Broker,
    server_root: &[u8],
) -> ProfileDigest {
    let mut hash = Sha256::new();
    hash.update(b"provisioning-station profile v1\n");
    let mut add = |name: &str, value: &[u8]| {
        hash.update(format!("{name}={}:", value.len()));
        hash.update(value);
        hash.update(b"\n");
    };
    for (name, value) in texts(product, certificate, broker) {
        add(name, value.as_bytes());
    }
    add("broker.server_root", server_root);
    ProfileDigest::new(hash.finalize().into())
}

fn texts(
    product: &Product,
    certificate: &CertificateProfile,
    broker: &Broker,
) -> [(&'static str, String); 19] {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        ("product.name", product.name.clone()),
        ("product.serial_pattern", product.serial_pattern.as_str().to_owned()),
        ("product.client_id", product.client_id.as_str().to_owned()),
        ("product.check_character", product.check_character.as_str().to_owned()),
        ("product.key_origin", product.key_origin.as_str().to_owned()),
        ("product.model", optional(&product.model)),
        ("product.required_proof", product.required_proof.as_str().to_owned()),
        ("product.lock", product.lock.to_string()),
        ("product.require.secure-boot", product.require.secure_boot.to_string()),
        ("product.require.readout-protection", product.require.readout_protection.to_string()),
        ("product.require.flash-encryption", product.require.flash_encryption.to_string()),
        ("certificate.organization", optional(&certificate.organization)),
        ("certificate.organizational_unit", optional(&certificate.organizational_unit)),
        ("certificate.valid_for", certificate.valid_for.to_string()),
        ("certificate.backdate", certificate.backdate.as_secs().to_string()),
        ("broker.host", broker.host.clone()),
        ("broker.port", broker.port.to_string()),
        ("broker.tls_min", broker.tls_min.as_str().to_owned()),
        ("broker.tls_max", broker.tls_max.as_str().to_owned()),
    ]
}
