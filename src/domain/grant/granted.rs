//! What is granted, how it is signed, and what a station records of it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::cause::Told;
use crate::clock::Timestamp;
use crate::ids::{ProfileDigest, PublicKey, StationId, WorkOrderId, from_hex, to_hex};
use crate::label::SerialRange;
use crate::person::Person;

/// The largest number that every reader of JSON keeps exactly.
const LARGEST: u64 = (1 << 53) - 1;

/// A grant's number: one of a kind within its work order. 1 to 2^53 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct GrantNumber(u64);

/// A number that no grant has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no grant's number: write a whole number from 1 to {LARGEST}")]
pub struct NotAGrantNumber(String);

impl Told for NotAGrantNumber {
    fn chinese(&self) -> Option<String> {
        Some(format!("{:?} 不是授权编号：写 1 到 {LARGEST} 的整数", self.0))
    }
}

impl GrantNumber {
    /// Takes 1 to 2^53 - 1.
    pub fn new(number: u64) -> Result<Self, NotAGrantNumber> {
        match (1..=LARGEST).contains(&number) {
            true => Ok(Self(number)),
            false => Err(NotAGrantNumber(number.to_string())),
        }
    }

    /// A number for a grant that is signed now: the clock's milliseconds, which nobody draws
    /// twice by hand.
    pub fn of_time(now: Timestamp) -> Self {
        let millis = u64::try_from(now.0.div_euclid(1_000)).unwrap_or(1);
        Self(millis.clamp(1, LARGEST))
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl std::str::FromStr for GrantNumber {
    type Err = NotAGrantNumber;

    fn from_str(text: &str) -> Result<Self, NotAGrantNumber> {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| plain);
        number.map_or_else(|| Err(NotAGrantNumber(text.to_owned())), Self::new)
    }
}

impl fmt::Display for GrantNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for GrantNumber {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(u64::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// What is granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The work order.
    pub work_order: WorkOrderId,
    /// The one station that may make them.
    pub station: StationId,
    /// SHA-256 of the product profile that they must be made with.
    pub profile: ProfileDigest,
    /// Its number within the work order.
    pub number: GrantNumber,
    /// How many distinct units.
    pub quantity: u32,
    /// How many the work order wants of all stations together.
    pub order_quantity: u32,
    /// The only serials that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serials: Option<SerialRange>,
    /// No unit begins under it at this time or later; whole seconds.
    pub valid_until: Timestamp,
    /// When it was signed.
    pub made_at: Timestamp,
}

/// A signature of P-256, `r ‖ s`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RawSignature(pub [u8; 64]);

impl fmt::Debug for RawSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawSignature({})", to_hex(&self.0))
    }
}

impl Serialize for RawSignature {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&to_hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for RawSignature {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let bytes = from_hex("signature", &String::deserialize(d)?);
        let bytes = bytes.map_err(serde::de::Error::custom)?;
        let wrong = |_| serde::de::Error::custom("a signature has 64 bytes");
        bytes.try_into().map(Self).map_err(wrong)
    }
}

/// A grant with what shows that it is one. Untrusted until it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedGrant {
    /// What is granted.
    pub grant: Grant,
    /// The order key's certificate, DER.
    pub certificate: Vec<u8>,
    /// The order key's signature of [`Grant::signed_bytes`].
    pub signature: RawSignature,
}

/// A station took a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantTaken {
    /// What is granted.
    pub grant: Grant,
    /// The order key's certificate, DER in lowercase hex.
    pub certificate: String,
    /// The order key's signature.
    pub signature: RawSignature,
    /// Who took it.
    pub by: Person,
}

/// A station gives back what it does not need of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantGivenBack {
    /// The work order.
    pub work_order: WorkOrderId,
    /// The grant.
    pub number: GrantNumber,
    /// How many units more are given back.
    pub quantity: u32,
    /// Who gives them back.
    pub by: Person,
}

/// Whose signature a document carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// As its certificate names it.
    pub name: String,
    /// Its key.
    pub public_key: PublicKey,
    /// The end of its certificate.
    pub not_after: Timestamp,
}
