//! Newtypes for everything that crosses a layer, each made by a fallible constructor.
//!
//! Whatever was scanned, configured or sent by a device is parsed into one of these
//! before anyone decides on it. A text's error names the position and the character.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::cause::Told;

/// Why a text is not a valid identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("{kind} is empty")]
    Empty {
        /// What was being read, for example "serial".
        kind: &'static str,
    },
    /// The text is longer than its limit.
    #[error("{kind} has {length} characters, at most {limit} are allowed")]
    TooLong {
        /// What was being read.
        kind: &'static str,
        /// Characters found.
        length: usize,
        /// Characters allowed.
        limit: usize,
    },
    /// A character is not allowed at its place.
    #[error("{kind}: character {position} is {found:?}, allowed are {allowed}")]
    Character {
        /// What was being read.
        kind: &'static str,
        /// One-based position.
        position: usize,
        /// The character found there.
        found: char,
        /// The characters that are allowed.
        allowed: &'static str,
    },
    /// A hexadecimal or binary value has the wrong number of bytes.
    #[error("{kind} has {length} bytes, expected {expected}")]
    Length {
        /// What was being read.
        kind: &'static str,
        /// Bytes found.
        length: usize,
        /// The sizes that are allowed.
        expected: &'static str,
    },
    /// A hardware id of only zeros or only ones: a bus that nobody drives.
    #[error("{kind} is all {bit}: nothing drives the bus, or the id was never programmed")]
    Undriven {
        /// What was being read.
        kind: &'static str,
        /// "zeros" or "ones".
        bit: &'static str,
    },
    /// A certificate serial number outside the range in which every text form agrees.
    #[error("{kind} begins with byte {first:#04x}, it must lie in 0x10..=0x7f")]
    FirstByte {
        /// What was being read.
        kind: &'static str,
        /// The first byte found.
        first: u8,
    },
}

/// What was being read, in Chinese.
fn kind_in_chinese(kind: &str) -> &str {
    match kind {
        "serial" => "序列号",
        "name of a unit" => "单元的名称",
        "client id" => "客户端 ID",
        "slot name" => "工位名",
        "work order id" => "工单号",
        "operator id" => "人员 ID",
        "station id" => "站 ID",
        "certificate serial number" => "证书序列号",
        "hardware id" => "硬件 ID",
        "fingerprint" => "指纹",
        "certificate" => "证书",
        "hash" => "哈希",
        "instance" => "账本实例",
        "key id" => "密钥 ID",
        "public key" => "公钥",
        "signature" => "签名",
        "text" => "文本",
        other => other,
    }
}

/// Allowed characters in Chinese; ranges read the same.
fn allowed_in_chinese(allowed: &str) -> &str {
    match allowed {
        "printable ASCII characters without space" => "不含空格的可打印 ASCII 字符",
        "pairs of hexadecimal digits" => "成对的十六进制数字",
        other => other,
    }
}

impl Told for IdError {
    fn chinese(&self) -> Option<String> {
        Some(match *self {
            Self::Empty { kind } => format!("{}为空", kind_in_chinese(kind)),
            Self::TooLong { kind, length, limit } => {
                format!("{}有 {length} 个字符，最多 {limit} 个", kind_in_chinese(kind))
            }
            Self::Character { kind, position, found, allowed } => format!(
                "{}的第 {position} 个字符是 {found:?}，允许的是 {}",
                kind_in_chinese(kind),
                allowed_in_chinese(allowed)
            ),
            Self::Length { kind, length, expected } => format!(
                "{}有 {length} 字节，应为 {}",
                kind_in_chinese(kind),
                expected.replace(" to ", " 到 ")
            ),
            Self::Undriven { kind, bit } => format!(
                "{}全是 {}：没有设备驱动总线，或 ID 从未写入",
                kind_in_chinese(kind),
                if bit == "zeros" { "0" } else { "1" }
            ),
            Self::FirstByte { kind, first } => {
                format!("{}的首字节是 {first:#04x}，必须在 0x10..=0x7f 之内", kind_in_chinese(kind))
            }
        })
    }
}

fn check(
    kind: &'static str,
    limit: usize,
    allowed: &'static str,
    accepts: fn(char) -> bool,
    text: &str,
) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty { kind });
    }
    let bad = text.chars().enumerate().find(|(_, c)| !accepts(*c));
    if let Some((index, found)) = bad {
        return Err(IdError::Character { kind, position: index + 1, found, allowed });
    }
    match text.chars().count() {
        length if length > limit => Err(IdError::TooLong { kind, length, limit }),
        _ => Ok(()),
    }
}

fn is_identifier(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn is_printable(c: char) -> bool {
    c.is_ascii_graphic()
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $limit:literal, $allowed:literal, $accepts:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text, within the limits of the type.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                check($kind, $limit, $allowed, $accepts, text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                deserialize_text(d)
            }
        }
    };
}

text_id!(
    /// A unit's serial as its label carries it: 1 to 64 printable ASCII characters.
    Serial, "serial", 64, "printable ASCII characters without space", is_printable
);
text_id!(
    /// Whatever somebody has at hand of a unit: its serial, or a number as others print it, with
    /// colons.
    AnyName, "name of a unit", 200, "printable ASCII characters without space", is_printable
);
text_id!(
    /// The MQTT client id, also the certificate's CN: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    ClientId, "client id", 64, "A-Z a-z 0-9 . _ -", is_identifier
);
text_id!(
    /// The name of one fixture position: 1 to 16 of `A-Z a-z 0-9 . _ -`.
    SlotName, "slot name", 16, "A-Z a-z 0-9 . _ -", is_identifier
);
text_id!(
    /// A lot's id: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    WorkOrderId, "work order id", 64, "A-Z a-z 0-9 . _ -", is_identifier
);
text_id!(
    /// A person's id, never a name: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    OperatorId, "operator id", 64, "A-Z a-z 0-9 . _ -", is_identifier
);
text_id!(
    /// A station's id: 1 to 32 of `A-Z a-z 0-9 . _ -`.
    StationId, "station id", 32, "A-Z a-z 0-9 . _ -", is_identifier
);

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Lowercase hexadecimal text of `bytes`.
pub fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// The bytes of hexadecimal text; `kind` names it in an error.
pub fn from_hex(kind: &'static str, text: &str) -> Result<Vec<u8>, IdError> {
    const ALLOWED: &str = "pairs of hexadecimal digits";
    if let Some(bytes) = hex_pairs(text) {
        return Ok(bytes);
    }
    let bad = text.chars().enumerate().find(|(_, found)| !found.is_ascii_hexdigit());
    Err(match bad {
        Some((index, found)) => {
            IdError::Character { kind, position: index + 1, found, allowed: ALLOWED }
        }
        None => IdError::Length { kind, length: text.len() / 2, expected: ALLOWED },
    })
}

/// The bytes of pairs of hexadecimal digits; none where the text has anything else.
pub fn hex_pairs(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let mut all = 0;
    let bytes = pairs.iter().map(|pair| {
        let [high, low] = pair.map(|digit| NIBBLES[usize::from(digit)]);
        all |= high | low;
        high << 4 | low
    });
    let bytes = bytes.collect();
    (all <= 0x0f).then_some(bytes)
}

/// The value of each byte as a hexadecimal digit; more than four bits where it is none.
const NIBBLES: [u8; 256] = {
    let mut values = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        values[DIGITS[value] as usize] = value as u8;
        values[DIGITS[value].to_ascii_uppercase() as usize] = value as u8;
        value += 1;
    }
    values
};

/// Reads what stands in a text, without a copy of it.
pub fn deserialize_text<'de, D, T>(d: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    struct Text<T>(PhantomData<T>);

    impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    d.deserialize_str(Text(PhantomData))
}

macro_rules! binary_text {
    ($name:ident, $kind:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&to_hex(self.as_bytes()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::from_bytes(&from_hex($kind, text)?)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&to_hex(self.as_bytes()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                deserialize_text(d)
            }
        }
    };
}

macro_rules! binary_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $size:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $size]);

        impl $name {
            /// Takes an array of the right size.
            pub const fn new(bytes: [u8; $size]) -> Self {
                Self(bytes)
            }

            /// Takes a slice; any other size is refused.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdError> {
                match <[u8; $size]>::try_from(bytes) {
                    Ok(array) => Ok(Self(array)),
                    Err(_) => Err(IdError::Length {
                        kind: $kind,
                        length: bytes.len(),
                        expected: $expected,
                    }),
                }
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $size] {
                &self.0
            }
        }

        binary_text!($name, $kind);
    };
}

binary_id!(
    /// SHA-256 of a certificate's DER.
    Fingerprint, "fingerprint", 32, "32"
);
binary_id!(
    /// SHA-256 of an identity image as bytes.
    ImageDigest, "image digest", 32, "32"
);
binary_id!(
    /// SHA-256 of a configuration or product profile.
    ProfileDigest, "profile digest", 32, "32"
);
binary_id!(
    /// SHA-256 of a label's bytes.
    LabelDigest, "label digest", 32, "32"
);
binary_id!(
    /// A P-256 public key as an uncompressed SEC 1 point (`04 ‖ x ‖ y`).
    PublicKey, "public key", 65, "65"
);

/// A certificate's serial number: 16 bytes, the first in `0x10..=0x7f`, so that every
/// text form of it (with or without leading zeros, signed or not) agrees.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateSn([u8; 16]);

impl CertificateSn {
    /// Makes one of 16 random bytes by folding the first into its range.
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        // 112 values in 0x10..=0x7f; the fold costs less than one bit of 128.
        bytes[0] = 0x10 + bytes[0] % 0x70;
        Self(bytes)
    }

    /// Takes 16 bytes whose first lies in `0x10..=0x7f`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdError> {
        const KIND: &str = "certificate serial number";
        let Ok(array) = <[u8; 16]>::try_from(bytes) else {
            return Err(IdError::Length { kind: KIND, length: bytes.len(), expected: "16" });
        };
        match array[0] {
            0x10..=0x7f => Ok(Self(array)),
            first => Err(IdError::FirstByte { kind: KIND, first }),
        }
    }

    /// The bytes, big-endian as in the certificate.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

binary_text!(CertificateSn, "certificate serial number");

/// What a device calls itself: 4 to 32 bytes, neither all zeros nor all ones.
///
/// It is the device's own word unless its family attests it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HardwareId(Vec<u8>);

impl HardwareId {
    /// Takes 4 to 32 bytes that something drives.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdError> {
        const KIND: &str = "hardware id";
        if !(4..=32).contains(&bytes.len()) {
            return Err(IdError::Length { kind: KIND, length: bytes.len(), expected: "4 to 32" });
        }
        if bytes.iter().all(|b| *b == 0) {
            return Err(IdError::Undriven { kind: KIND, bit: "zeros" });
        }
        if bytes.iter().all(|b| *b == 0xff) {
            return Err(IdError::Undriven { kind: KIND, bit: "ones" });
        }
        Ok(Self(bytes.to_vec()))
    }

    /// Reads one as labels and lists have it: hexadecimal, with or without separators, or an
    /// IMEI. Its fifteen digits get a zero before them, as a modem's driver writes it too.
    pub fn from_label(text: &str) -> Result<Self, IdError> {
        const IMEI: usize = 15;
        let is_separator = |c: char| matches!(c, ':' | '-' | '.' | ' ');
        let digits: String = text.chars().filter(|c| !is_separator(*c)).collect();
        let is_imei = digits.len() == IMEI && digits.bytes().all(|digit| digit.is_ascii_digit());
        let zero = if is_imei { "0" } else { "" };
        format!("{zero}{}", digits.to_ascii_lowercase()).parse()
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

binary_text!(HardwareId, "hardware id");

/// Names a private key inside the vault. The key itself never leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_those_of_the_standard_library() {
        for byte in 0..=0x7f {
            let digit = char::from(byte);
            let value = digit.to_digit(16).map(|value| value as u8);
            assert_eq!(hex_pairs(&format!("0{digit}")), value.map(|value| vec![value]));
            assert_eq!(hex_pairs(&format!("{digit}0")), value.map(|value| vec![value << 4]));
        }
        assert_eq!(hex_pairs(""), Some(vec![]));
        assert_eq!(hex_pairs("abc"), None);
        assert_eq!(hex_pairs("\u{e9}"), None, "two bytes, and no digits");
    }

    #[test]
    fn a_serial_says_where_it_is_wrong() {
        let error = "TH 1".parse::<Serial>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "serial: character 3 is ' ', allowed are printable ASCII characters without space"
        );
    }

    #[test]
    fn a_label_names_a_device_in_hexadecimal_or_by_its_imei() {
        let of = |text| HardwareId::from_label(text).map(|id| id.to_string());
        assert_eq!(of("00:15:5D:01:A2:B3").unwrap(), "00155d01a2b3");
        assert_eq!(of("35-045779-173587-9").unwrap(), "0350457791735879");
        assert_eq!(of("0350457791735879").unwrap(), "0350457791735879");
        assert!(of("35045779173587a").is_err());
    }

    #[test]
    fn a_client_id_has_at_most_64_characters() {
        assert!("x".repeat(64).parse::<ClientId>().is_ok());
        assert!("x".repeat(65).parse::<ClientId>().is_err());
        assert!("".parse::<ClientId>().is_err());
        assert!("a/b".parse::<ClientId>().is_err());
    }

    #[test]
    fn an_undriven_hardware_id_is_refused() {
        assert!(HardwareId::from_bytes(&[0; 8]).is_err());
        assert!(HardwareId::from_bytes(&[0xff; 8]).is_err());
        assert!(HardwareId::from_bytes(&[1, 2, 3]).is_err());
        assert!(HardwareId::from_bytes(&[0, 0, 0, 1]).is_ok());
    }

    #[test]
    fn a_certificate_serial_reads_the_same_in_every_text_form() {
        for first in 0..=255 {
            let mut bytes = [7; 16];
            bytes[0] = first;
            let sn = CertificateSn::from_random(bytes);
            assert!((0x10..=0x7f).contains(&sn.as_bytes()[0]));
            assert_eq!(sn.to_string().parse(), Ok(sn));
        }
        assert!(CertificateSn::from_bytes(&[0x0f; 16]).is_err());
        assert!(CertificateSn::from_bytes(&[0x80; 16]).is_err());
    }

    #[test]
    fn hexadecimal_text_says_where_it_is_wrong() {
        let error = "00zz".parse::<HardwareId>().unwrap_err();
        assert!(error.to_string().contains("character 3 is 'z'"), "{error}");
        assert!("000".parse::<HardwareId>().is_err());
    }
}
