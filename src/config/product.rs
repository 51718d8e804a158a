//! `[product]`, `[certificate]` and `[broker]`: what is burned, and their digest.

use crate::say;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::kinds::{Placed, Word, time_or};
use super::raw;
use super::refusal::Refusal;
use super::values::ValidFor;
use super::words::{KeyEncoding, KeyFormat, KeyOrigin, Protection};
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
    /// The end of a serial that the check character guards; none is all of it.
    pub check_part: Option<SerialPattern>,
    /// Where its private keys are made.
    pub key_origin: KeyOrigin,
    /// In which form devices get those that the station made.
    pub key_format: KeyFormat,
    /// The name of the key's file, where devices speak SMP.
    pub key_file: String,
    /// How that file is written.
    pub key_encoding: KeyEncoding,
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

pub(super) fn product(raw: raw::Product) -> Result<Product, Refusal> {
    let key_origin = raw.key_origin.map_or(KeyOrigin::Station, |word| word.0);
    if let (KeyOrigin::Device, Some(format)) = (key_origin, &raw.key_format) {
        return Err(format.refuse(say!(
            "no key is given to a device that makes its own (key_origin)",
            "设备自己生成密钥（key_origin），不会再给它密钥"
        )));
    }
    Ok(Product {
        name: short_text(raw.name)?,
        serial_pattern: pattern(&raw.serial_pattern)?,
        client_id: raw.client_id.0,
        check_character: raw.check_character.map_or_else(CheckCharacter::default, |kind| kind.0),
        check_part: raw.check_part.as_ref().map(pattern).transpose()?,
        key_origin,
        key_format: raw.key_format.map_or(KeyFormat::Scalar, |word| word.into_value().0),
        key_file: raw.key_file.map_or_else(|| Ok(KEY_FILE.to_owned()), file_name)?,
        key_encoding: raw.key_encoding.map_or(KeyEncoding::Der, |word| word.0),
        model: raw.model.map(model).transpose()?,
        required_proof: raw.required_proof.map_or(Proof::Possession, |word| word.0),
        lock: raw.lock.unwrap_or(false),
        require: required(&raw.require.unwrap_or_default()),
    })
}

fn pattern(text: &Placed<String>) -> Result<SerialPattern, Refusal> {
    SerialPattern::new(text.value())
        .map_err(|source| Refusal::Pattern { span: text.span(), source })
}

/// What goes into a subject's O and OU, and what people read: at most 64 characters.
fn short_text(text: Placed<String>) -> Result<String, Refusal> {
    match text.value().chars().count() {
        0 => Err(text.refuse(say!("the text is empty", "内容是空的"))),
        65.. => {
            Err(text.refuse(say!("the text has more than 64 characters", "内容超过 64 个字符")))
        }
        _ if text.value().chars().any(char::is_control) => {
            Err(text.refuse(say!("the text has control characters", "内容含有控制字符")))
        }
        _ => Ok(text.into_value()),
    }
}

fn model(text: Placed<String>) -> Result<String, Refusal> {
    let fits = |c: char| c.is_ascii_graphic() || c == ' ';
    match (1..=32).contains(&text.value().len()) && text.value().chars().all(fits) {
        true => Ok(text.into_value()),
        false => Err(text.refuse(say!(
            "a model is 1 to 32 printable ASCII characters",
            "型号是 1 到 32 个可打印 ASCII 字符"
        ))),
    }
}

/// The name of the key's file where nothing else is said.
const KEY_FILE: &str = "client.key";

/// The names of the other files of an identity.
const OTHER_FILES: [&str; 3] = ["ca.pem", "broker.txt", "client.pem"];

/// A file beside the other files of an identity.
fn file_name(name: Placed<String>) -> Result<String, Refusal> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_name = name.value().chars().all(fits) && !name.value().chars().all(|c| c == '.');
    if !is_name || !(1..=32).contains(&name.value().len()) {
        return Err(name.refuse(say!(
            "a file's name is 1 to 32 of A-Z a-z 0-9 . _ -, and not only dots",
            "文件名是 1 到 32 个 A-Z a-z 0-9 . _ -，不能只有点"
        )));
    }
    match OTHER_FILES.contains(&name.value().as_str()) {
        true => Err(name.refuse(say!(
            "another file of the identity has this name",
            "身份的另一个文件已用这个名字"
        ))),
        false => Ok(name.into_value()),
    }
}

fn required(protections: &[Word<Protection>]) -> Security {
    let mut required = Security::default();
    for protection in protections {
        match protection.0 {
            Protection::SecureBoot => required.secure_boot = true,
            Protection::ReadOut => required.readout_protection = true,
            Protection::FlashEncryption => required.flash_encryption = true,
        }
    }
    required
}

pub(super) fn certificate(raw: raw::Certificate) -> Result<CertificateProfile, Refusal> {
    Ok(CertificateProfile {
        organization: raw.organization.map(short_text).transpose()?,
        organizational_unit: raw.organizational_unit.map(short_text).transpose()?,
        valid_for: raw.valid_for.0,
        // A device's clock may be set to the wrong zone, not to the wrong day.
        backdate: time_or(raw.backdate, Duration::from_secs(24 * 3_600)),
    })
}

pub(super) fn broker(raw: raw::Broker, dir: &Path) -> Result<Broker, Refusal> {
    let tls_min = raw.tls_min.as_ref().map_or(TlsVersion::V1_2, |version| version.value().0);
    let tls_max = raw.tls_max.as_ref().map_or(TlsVersion::V1_3, |version| version.value().0);
    if let (true, Some(version)) = (tls_min > tls_max, raw.tls_max.or(raw.tls_min)) {
        return Err(version.refuse(say!("tls_min lies above tls_max", "tls_min 高于 tls_max")));
    }
    let port = raw.port.and_then(|port| u16::try_from(port.0).ok());
    Ok(Broker {
        host: host(raw.host)?,
        port: port.unwrap_or(8_883),
        server_root: raw.server_root.under(dir),
        tls_min,
        tls_max,
    })
}

fn host(host: Placed<String>) -> Result<String, Refusal> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    match (1..=253).contains(&host.value().len()) && host.value().chars().all(fits) {
        true => Ok(host.into_value()),
        false => Err(host.refuse(say!(
            "a host is 1 to 253 of A-Z a-z 0-9 . - :, without scheme or port",
            "主机名是 1 到 253 个 A-Z a-z 0-9 . - :，不带协议和端口"
        ))),
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
    // These came later: a profile without them has the digest that it always had.
    if let Some(part) = &product.check_part {
        add("product.check_part", part.as_str().as_bytes());
    }
    if product.key_format != KeyFormat::Scalar {
        add("product.key_format", product.key_format.as_str().as_bytes());
    }
    if product.key_file != KEY_FILE {
        add("product.key_file", product.key_file.as_bytes());
    }
    if product.key_encoding != KeyEncoding::Der {
        add("product.key_encoding", product.key_encoding.as_str().as_bytes());
    }
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
