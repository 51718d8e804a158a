//! What stands at the beginning of a segment.
//!
//! The form is frozen by a test with its bytes: a failure there means "revert the change".

use std::io::{self, Read};

use crate::domain::cause::{Told, system_in_chinese};
use crate::domain::ids::{PublicKey, StationId};
use crate::domain::say::Say;
use crate::journal::entry::{Hash, InstanceId};
use crate::journal::head::{Head, SignedHead};
use crate::say;

/// How a segment begins; no text has it, and a copy that turned line ends shows.
pub(super) const MAGIC: &[u8; 8] = b"PSJSEG\r\n";

/// The version that is written, and the only one that is read.
pub(super) const VERSION: u16 = 1;

/// No certificate of a journal key is larger.
const LARGEST_CERTIFICATE: u32 = 64 << 10;

/// The digest at the end.
pub(super) const DIGEST: u64 = 32;

/// What a segment says before its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentHeader {
    pub(crate) station: StationId,
    pub(crate) instance: InstanceId,
    /// The number of the first entry.
    pub(crate) first: u64,
    /// The hash before it.
    pub(crate) before: Hash,
    /// The last entry, signed.
    pub(crate) signed: SignedHead,
    /// The CA's certificate for the journal key, DER; empty where there was none.
    pub(crate) certificate: Vec<u8>,
    /// Bytes of all entries together.
    pub(crate) plain: u64,
    /// Bytes of the zstd frame that holds them.
    pub(crate) packed: u64,
}

/// Why bytes are no segment, or not a whole one.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// They can't be read.
    #[error("it can't be read: {0}")]
    Io(io::Error),
    /// They begin otherwise.
    #[error("it is no segment of a journal")]
    Foreign,
    /// A newer program wrote it.
    #[error("it is of version {0}; this program reads version 1")]
    Version(u16),
    /// They end too early.
    #[error("it is torn: it ends before its end")]
    Torn,
    /// They are not what was written.
    #[error("it is not as it was written: {0}")]
    Broken(Say),
}

impl Told for SegmentError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Io(error) => format!("无法读取：{}", system_in_chinese(error)),
            Self::Foreign => "不是日志段".to_owned(),
            Self::Version(version) => format!("版本是 {version}，本程序只读版本 1"),
            Self::Torn => "不完整，没有到结尾就断了".to_owned(),
            Self::Broken(what) => format!("与写入时不同：{}", what.chinese),
        })
    }
}

impl From<io::Error> for SegmentError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => SegmentError::Torn,
            _ => SegmentError::Io(error),
        }
    }
}

pub(super) const fn broken(what: Say) -> SegmentError {
    SegmentError::Broken(what)
}

impl SegmentHeader {
    /// Its station.
    pub fn station(&self) -> &StationId {
        &self.station
    }

    /// The random id of its ledger.
    pub fn instance(&self) -> InstanceId {
        self.instance
    }

    /// The numbers of its first and last entry.
    pub fn entries(&self) -> (u64, u64) {
        (self.first, self.signed.head.seq)
    }

    /// The hash of its last entry.
    pub fn head(&self) -> Hash {
        self.signed.head.hash
    }

    /// The key that signed it.
    pub fn key(&self) -> PublicKey {
        self.signed.public_key
    }

    /// The CA's certificate for that key, DER; none where there was none yet.
    pub fn certificate(&self) -> Option<&[u8]> {
        Some(self.certificate.as_slice()).filter(|der| !der.is_empty())
    }

    /// Whether it goes on where another one ends, or at the very beginning.
    pub fn continues(&self, before: Option<&SegmentHeader>) -> bool {
        self.behind() == before.map_or(Head::NONE, |before| before.signed.head)
    }

    /// What comes before the first entry.
    pub fn behind(&self) -> Head {
        Head { seq: self.first - 1, hash: self.before }
    }

    /// How many bytes the whole file has.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.encode().len() as u64 + self.packed + DIGEST
    }

    /// All numbers are big-endian.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let station = self.station.as_str().as_bytes();
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_be_bytes());
        bytes.extend(u16::try_from(station.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend(station);
        bytes.extend(self.instance.0);
        bytes.extend(self.first.to_be_bytes());
        bytes.extend(self.signed.head.seq.to_be_bytes());
        bytes.extend(self.before.0);
        bytes.extend(self.signed.head.hash.0);
        bytes.extend(self.signed.public_key.as_bytes());
        bytes.extend(self.signed.signature);
        bytes.extend(u32::try_from(self.certificate.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend(&self.certificate);
        bytes.extend(self.plain.to_be_bytes());
        bytes.extend(self.packed.to_be_bytes());
        bytes
    }

    /// Reads it; what follows in `input` is the zstd frame.
    pub fn read(input: &mut impl Read) -> Result<SegmentHeader, SegmentError> {
        if &array::<8>(input)? != MAGIC {
            return Err(SegmentError::Foreign);
        }
        let version = u16::from_be_bytes(array(input)?);
        if version != VERSION {
            return Err(SegmentError::Version(version));
        }
        let length = u16::from_be_bytes(array(input)?);
        let station = String::from_utf8(bytes(input, length.into())?)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| broken(say!("its station is no station id", "它的站 id 无效")))?;
        let instance = InstanceId(array(input)?);
        let (first, last) = (number(input)?, number(input)?);
        let (before, hash) = (Hash(array(input)?), Hash(array(input)?));
        let (public_key, signature) = (PublicKey::new(array(input)?), array(input)?);
        let length = u32::from_be_bytes(array(input)?);
        if length > LARGEST_CERTIFICATE {
            return Err(broken(say!("its certificate is larger than any", "它的证书大得不可能")));
        }
        let certificate = bytes(input, length.into())?;
        let (plain, packed) = (number(input)?, number(input)?);
        if first == 0 || last < first {
            return Err(broken(say!("it has no entries", "它没有记录")));
        }
        let signed = SignedHead { head: Head { seq: last, hash }, public_key, signature };
        Ok(SegmentHeader { station, instance, first, before, signed, certificate, plain, packed })
    }
}

fn array<const N: usize>(input: &mut impl Read) -> Result<[u8; N], SegmentError> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn number(input: &mut impl Read) -> Result<u64, SegmentError> {
    Ok(u64::from_be_bytes(array(input)?))
}

/// Reads so many bytes; more memory than there are bytes is never taken.
fn bytes(input: &mut impl Read, length: u64) -> Result<Vec<u8>, SegmentError> {
    let mut bytes = Vec::new();
    input.take(length).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == length {
        true => Ok(bytes),
        false => Err(SegmentError::Torn),
    }
}
