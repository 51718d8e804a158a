//! What is burned into a device, how it is challenged, and how a driver reaches a key.
//!
//! The bytes of an image are the driver's matter; here are its parts. A private key is
//! only ever named: it stays in the vault, which lends it to one closure at a time.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ids::{ClientId, Fingerprint, HardwareId, ImageDigest, KeyId, PublicKey};

/// A TLS version that a device may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    V1_3,
}

impl TlsVersion {
    /// Its number, as station.toml and people write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            TlsVersion::V1_2 => "1.2",
            TlsVersion::V1_3 => "1.3",
        }
    }
}

/// Where the device is to connect, and as whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConnectionSettings {
    /// The MQTT client id.
    pub client_id: ClientId,
    /// The broker's host name, at most 253 bytes.
    pub host: String,
    /// The broker's TLS port.
    pub port: u16,
    /// The oldest TLS version allowed.
    pub tls_min: TlsVersion,
    /// The newest TLS version allowed.
    pub tls_max: TlsVersion,
}

/// Where the private keys of a product are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KeyOrigin {
    /// In the station's locked memory; the device receives it.
    #[default]
    Station,
    /// On the device; it never leaves it.
    Device,
}

/// In which form a device gets a private key that the station made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KeyFormat {
    /// As little as there is: the scalar, where the family has files an ECPrivateKey of it.
    #[default]
    Scalar,
    /// A PKCS #8 document with the public key, which every TLS stack reads as it is.
    Pkcs8,
}

/// An identity's key, by where it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentityKey {
    /// The vault's name for a private key that the station made.
    Station(KeyId),
    /// The public key of one that the device made.
    Device(PublicKey),
}

impl IdentityKey {
    /// The key in the vault, where there is one.
    pub const fn in_vault(self) -> Option<KeyId> {
        match self {
            IdentityKey::Station(key) => Some(key),
            IdentityKey::Device(_) => None,
        }
    }

    /// Where it was made.
    pub const fn origin(self) -> KeyOrigin {
        match self {
            IdentityKey::Station(_) => KeyOrigin::Station,
            IdentityKey::Device(_) => KeyOrigin::Device,
        }
    }
}

/// What a device hands in for a key that it made. Untrusted until it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningRequest {
    /// The public key that it announced.
    pub public_key: PublicKey,
    /// PKCS #10, DER.
    pub der: Vec<u8>,
}

/// An identity's parts. Certificates are DER; several are written one behind the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The private key's name, or its public half where the device made it.
    pub key: IdentityKey,
    /// Its public half, wherever it was made.
    pub public_key: PublicKey,
    /// In which form a private key is written.
    pub key_format: KeyFormat,
    /// The client certificate.
    pub client_certificate: Arc<[u8]>,
    /// The issuing CA's certificate and what stands above it, issuer first.
    pub ca_chain: Arc<[u8]>,
    /// The roots that the broker's certificate must chain to.
    pub server_root: Arc<[u8]>,
    /// Connection settings.
    pub settings: ConnectionSettings,
}

/// What a device is asked to sign, from the station's own records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// 32 fresh random bytes.
    pub nonce: [u8; 32],
    /// The device that must answer.
    pub hardware: HardwareId,
    /// The image that it must hold.
    pub image: ImageDigest,
    /// The certificate that it must hold.
    pub certificate: Fingerprint,
}

/// A device's answer to a [`Challenge`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// A signature.
    Signature {
        /// The text that must have been signed, built by the driver from the challenge.
        message: Vec<u8>,
        /// ECDSA-P256-SHA256, raw `r ‖ s`.
        signature: [u8; 64],
    },
    /// The device says that it holds no key.
    NoKey,
}
