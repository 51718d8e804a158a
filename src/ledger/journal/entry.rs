//! An entry of the journal: its bytes, its kind and its hash.
//!
//! The bytes are what is hashed and stored, and they are never encoded again to verify
//! them. Their form is frozen by the tests beside this: a failure there means "revert
//! the change", not "edit the test".

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::cause::{Told, cause};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{PublicKey, StationId, to_hex};
use crate::domain::record::Record;

use super::payload::{AdoptedText, CertificateText};

/// What stands before every hashed entry, so that its hash is nothing else's.
pub(crate) const ENTRY_TAG: &[u8] = b"provisioning-station journal entry 1\n";

/// The hash before the first entry.
pub(crate) const GENESIS: Hash = Hash([0; 32]);

/// `seq u64, wall_us i64, kind u16, length u32`.
pub(crate) const ENTRY_HEADER: usize = 8 + 8 + 2 + 4;

/// A link of the chain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl Hash {
    /// The hash of an entry behind this one.
    pub(crate) fn of_next(&self, entry: &[u8]) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(ENTRY_TAG);
        hasher.update(self.0);
        hasher.update(entry);
        Hash(hasher.finalize().into())
    }
}

/// Random bytes that tell one ledger from every other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct InstanceId(pub [u8; 16]);

impl std::fmt::Display for InstanceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl std::fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InstanceId({self})")
    }
}

/// The first entry of every ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Created {
    /// The ledger's random instance id, lowercase hex.
    pub(crate) instance: String,
    /// The key that signs the heads.
    pub(crate) journal_key: PublicKey,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact {
    /// The ledger was made.
    Created(Created),
    /// A record; the number is that of the attempt that it begins, otherwise 0.
    Record(Record, u32),
}

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    pub(crate) wall: Timestamp,
    pub(crate) station: StationId,
    pub(crate) fact: Fact,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $word:literal;)*) => {
        /// The kinds of entries. A number is never changed and never used again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// Every kind, in the order of its number.
            pub const ALL: &[Kind] = &[$(Kind::$name,)*];

            /// The number in an entry.
            pub const fn number(self) -> u16 {
                match self { $(Kind::$name => $number,)* }
            }

            /// The name in `docs/ledger.md` and in what people see.
            pub const fn as_str(self) -> &'static str {
                match self { $(Kind::$name => $word,)* }
            }
        }
    };
}

kinds! {
    /// The ledger was made.
    Created = 1, "created";
    /// [`Record::LineStarted`].
    LineStarted = 2, "line-started";
    /// [`Record::AuthoritySeen`].
    AuthoritySeen = 3, "authority-seen";
    /// [`Record::Begun`].
    Begun = 4, "begun";
    /// [`Record::FailedEarly`].
    FailedEarly = 5, "failed-early";
    /// [`Record::Issued`].
    Issued = 6, "issued";
    /// [`Record::CommitAsked`].
    CommitAsked = 7, "commit-asked";
    /// [`Record::Proven`].
    Proven = 8, "proven";
    /// [`Record::Finished`].
    Finished = 9, "finished";
    /// [`Record::Ended`].
    Ended = 10, "ended";
    /// [`Record::UnitVoided`].
    UnitVoided = 11, "unit-voided";
    /// [`Record::ReworkAllowed`].
    ReworkAllowed = 12, "rework-allowed";
    /// [`Record::UnitScrapped`].
    UnitScrapped = 13, "unit-scrapped";
    /// [`Record::WorkOrderCreated`].
    WorkOrderCreated = 14, "work-order-created";
    /// [`Record::WorkOrderClosed`].
    WorkOrderClosed = 15, "work-order-closed";
    /// [`Record::ClockAccepted`].
    ClockAccepted = 16, "clock-accepted";
    /// [`Record::Restored`].
    Restored = 17, "restored";
    /// [`Record::AuthorityRegistered`].
    AuthorityRegistered = 20, "ca-registered";
    /// [`Record::RegisteredByHand`].
    RegisteredByHand = 21, "registered-by-hand";
    /// [`Record::Sent`].
    Sent = 22, "cloud-sent";
    /// [`Record::Answered`].
    Answered = 23, "cloud-answered";
    /// [`Record::Found`].
    Found = 24, "cloud-found";
    /// [`Record::CloudChosen`].
    CloudChosen = 25, "cloud-chosen";
    /// [`Record::ActivationAsked`].
    ActivationAsked = 26, "activation-asked";
    /// [`Record::Shipped`].
    Shipped = 27, "unit-shipped";
    /// [`Record::CrlIssued`].
    CrlIssued = 28, "crl-issued";
    /// [`Record::GapAccepted`].
    GapAccepted = 30, "gap-accepted";
    /// [`Record::Adopted`].
    Adopted = 31, "adopted";
    /// [`Record::OperatorAdded`].
    OperatorAdded = 35, "operator-added";
    /// [`Record::OperatorDisabled`].
    OperatorDisabled = 36, "operator-disabled";
    /// [`Record::PinChanged`].
    PinChanged = 37, "pin-changed";
    /// [`Record::ProfileAccepted`].
    ProfileAccepted = 38, "profile-accepted";
    /// [`Record::SignedIn`].
    SignedIn = 39, "signed-in";
    /// [`Record::Denied`].
    Denied = 40, "denied";
    /// [`Record::Contradicted`].
    Contradicted = 41, "cloud-contradicts";
    /// [`Record::PinWrong`].
    PinWrong = 42, "pin-wrong";
    /// [`Record::PinRight`].
    PinRight = 43, "pin-right";
    /// [`Record::IndicesRebuilt`].
    IndicesRebuilt = 44, "indices-rebuilt";
    /// [`Record::Vouched`].
    Vouched = 45, "vouched";
    /// [`Record::LabelSent`].
    LabelSent = 46, "label-sent";
    /// [`Record::LabelDelivered`].
    LabelDelivered = 47, "label-delivered";
    /// [`Record::LabelScanned`].
    LabelScanned = 48, "label-scanned";
    /// [`Record::LabelsChosen`].
    LabelsChosen = 49, "labels-chosen";
    /// [`Record::GrantTaken`].
    GrantTaken = 56, "grant-taken";
    /// [`Record::GrantGivenBack`].
    GrantGivenBack = 57, "grant-given-back";
}

impl Kind {
    pub(crate) fn of(fact: &Fact) -> Kind {
        match fact {
            Fact::Created(_) => Kind::Created,
            Fact::Record(record, _) => Kind::of_record(record),
        }
    }

    pub(crate) fn of_record(record: &Record) -> Kind {
        match record {
            Record::LineStarted(_) => Kind::LineStarted,
            Record::AuthoritySeen(_) => Kind::AuthoritySeen,
            Record::Begun(_) => Kind::Begun,
            Record::FailedEarly(_) => Kind::FailedEarly,
            Record::Issued(_) => Kind::Issued,
            Record::CommitAsked(_) => Kind::CommitAsked,
            Record::Proven(_) => Kind::Proven,
            Record::Finished(_) => Kind::Finished,
            Record::Ended(_) => Kind::Ended,
            Record::UnitVoided(_) => Kind::UnitVoided,
            Record::ReworkAllowed(_) => Kind::ReworkAllowed,
            Record::UnitScrapped(_) => Kind::UnitScrapped,
            Record::WorkOrderCreated(_) => Kind::WorkOrderCreated,
            Record::WorkOrderClosed(_) => Kind::WorkOrderClosed,
            Record::ClockAccepted(_) => Kind::ClockAccepted,
            Record::Restored(_) => Kind::Restored,
            Record::AuthorityRegistered(_) => Kind::AuthorityRegistered,
            Record::RegisteredByHand(_) => Kind::RegisteredByHand,
            Record::Sent(_) => Kind::Sent,
            Record::Answered(_) => Kind::Answered,
            Record::Found(_) => Kind::Found,
            Record::CloudChosen(_) => Kind::CloudChosen,
            Record::ActivationAsked(_) => Kind::ActivationAsked,
            Record::Shipped(_) => Kind::Shipped,
            Record::CrlIssued(_) => Kind::CrlIssued,
            Record::GapAccepted(_) => Kind::GapAccepted,
            Record::Adopted(_) => Kind::Adopted,
            Record::OperatorAdded(_) => Kind::OperatorAdded,
            Record::OperatorDisabled(_) => Kind::OperatorDisabled,
            Record::PinChanged(_) => Kind::PinChanged,
            Record::ProfileAccepted(_) => Kind::ProfileAccepted,
            Record::SignedIn(_) => Kind::SignedIn,
            Record::Denied(_) => Kind::Denied,
            Record::Contradicted(_) => Kind::Contradicted,
            Record::PinWrong(_) => Kind::PinWrong,
            Record::PinRight(_) => Kind::PinRight,
            Record::IndicesRebuilt(_) => Kind::IndicesRebuilt,
            Record::Vouched(_) => Kind::Vouched,
            Record::LabelSent(_) => Kind::LabelSent,
            Record::LabelDelivered(_) => Kind::LabelDelivered,
            Record::LabelScanned(_) => Kind::LabelScanned,
            Record::LabelsChosen(_) => Kind::LabelsChosen,
            Record::GrantTaken(_) => Kind::GrantTaken,
            Record::GrantGivenBack(_) => Kind::GrantGivenBack,
        }
    }

    fn from_number(number: u16) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.number() == number)
    }
}

/// Bytes that are no entry of this program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EntryError {
    #[error("it has {0} bytes, fewer than its header")]
    Short(usize),
    #[error("its header announces {announced} bytes of payload, it has {found}")]
    Length { announced: u32, found: usize },
    #[error("its kind {0} is unknown")]
    Kind(u16),
    #[error("its payload is not that of its kind: {0}")]
    Payload(serde_json::Error),
}

impl Told for EntryError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Short(length) => format!("只有 {length} 字节，比头部还短"),
            Self::Length { announced, found } => {
                format!("头部说内容有 {announced} 字节，实际有 {found} 字节")
            }
            Self::Kind(kind) => format!("种类 {kind} 是未知的"),
            Self::Payload(error) => format!("内容与种类不符：{}", cause(error).chinese),
        })
    }
}

/// The payload's outer form.
#[derive(Serialize, Deserialize)]
struct Body<T> {
    station: StationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    record: T,
}

fn write<T: Serialize>(
    station: &StationId,
    attempt: u32,
    record: T,
) -> Result<Vec<u8>, serde_json::Error> {
    let attempt = (attempt > 0).then_some(attempt);
    serde_json::to_vec(&Body { station: station.clone(), attempt, record })
}

fn payload(station: &StationId, fact: &Fact) -> Result<Vec<u8>, serde_json::Error> {
    let (record, n) = match fact {
        Fact::Created(created) => return write(station, 0, created),
        Fact::Record(record, attempt) => (record, *attempt),
    };
    match record {
        Record::LineStarted(r) => write(station, n, r),
        Record::AuthoritySeen(r) => write(station, n, r),
        Record::Begun(r) => write(station, n, r),
        Record::FailedEarly(r) => write(station, n, r),
        Record::Issued(r) => write(station, n, CertificateText::of(r)),
        Record::CommitAsked(r) => write(station, n, r),
        Record::Proven(r) => write(station, n, r),
        Record::Finished(r) => write(station, n, r),
        Record::Ended(r) => write(station, n, r),
        Record::UnitVoided(r) | Record::ReworkAllowed(r) | Record::UnitScrapped(r) => {
            write(station, n, r)
        }
        Record::WorkOrderCreated(r) => write(station, n, r),
        Record::WorkOrderClosed(r) => write(station, n, r),
        Record::ClockAccepted(r) => write(station, n, r),
        Record::Restored(r) => write(station, n, r),
        Record::AuthorityRegistered(r) => write(station, n, r),
        Record::RegisteredByHand(r) => write(station, n, r),
        Record::Sent(r) => write(station, n, r),
        Record::Answered(r) => write(station, n, r),
        Record::Found(r) => write(station, n, r),
        Record::CloudChosen(r) => write(station, n, r),
        Record::ActivationAsked(r) => write(station, n, r),
        Record::Shipped(r) => write(station, n, r),
        Record::CrlIssued(r) => write(station, n, r),
        Record::GapAccepted(r) => write(station, n, r),
        Record::Adopted(r) => write(station, n, AdoptedText::of(r)),
        Record::OperatorAdded(r) => write(station, n, r),
        Record::OperatorDisabled(r) => write(station, n, r),
        Record::PinChanged(r) => write(station, n, r),
        Record::ProfileAccepted(r) => write(station, n, r),
        Record::SignedIn(r) => write(station, n, r),
        Record::Denied(r) => write(station, n, r),
        Record::Contradicted(r) => write(station, n, r),
        Record::PinWrong(r) | Record::PinRight(r) => write(station, n, r),
        Record::IndicesRebuilt(r) => write(station, n, r),
        Record::Vouched(r) => write(station, n, r),
        Record::LabelSent(r) => write(station, n, r),
        Record::LabelDelivered(r) => write(station, n, r),
        Record::LabelScanned(r) => write(station, n, r),
        Record::LabelsChosen(r) => write(station, n, r),
        Record::GrantTaken(r) => write(station, n, r),
        Record::GrantGivenBack(r) => write(station, n, r),
    }
}

fn read<T: DeserializeOwned>(
    payload: &[u8],
    wrap: impl FnOnce(T) -> Record,
) -> Result<(StationId, Fact), serde_json::Error> {
    let body: Body<T> = serde_json::from_slice(payload)?;
    Ok((body.station, Fact::Record(wrap(body.record), body.attempt.unwrap_or(0))))
}

fn fact(kind: Kind, payload: &[u8]) -> Result<(StationId, Fact), serde_json::Error> {
    match kind {
        Kind::Created => {
            let body: Body<Created> = serde_json::from_slice(payload)?;
            Ok((body.station, Fact::Created(body.record)))
        }
        Kind::LineStarted => read(payload, Record::LineStarted),
        Kind::AuthoritySeen => read(payload, Record::AuthoritySeen),
        Kind::Begun => read(payload, Record::Begun),
        Kind::FailedEarly => read(payload, Record::FailedEarly),
        Kind::Issued => read(payload, |text: CertificateText| Record::Issued(text.into_issued())),
        Kind::CommitAsked => read(payload, Record::CommitAsked),
        Kind::Proven => read(payload, Record::Proven),
        Kind::Finished => read(payload, Record::Finished),
        Kind::Ended => read(payload, Record::Ended),
        Kind::UnitVoided => read(payload, Record::UnitVoided),
        Kind::ReworkAllowed => read(payload, Record::ReworkAllowed),
        Kind::UnitScrapped => read(payload, Record::UnitScrapped),
        Kind::WorkOrderCreated => read(payload, Record::WorkOrderCreated),
        Kind::WorkOrderClosed => read(payload, Record::WorkOrderClosed),
        Kind::ClockAccepted => read(payload, Record::ClockAccepted),
        Kind::Restored => read(payload, Record::Restored),
        Kind::AuthorityRegistered => read(payload, Record::AuthorityRegistered),
        Kind::RegisteredByHand => read(payload, Record::RegisteredByHand),
        Kind::Sent => read(payload, Record::Sent),
        Kind::Answered => read(payload, Record::Answered),
        Kind::Found => read(payload, Record::Found),
        Kind::CloudChosen => read(payload, Record::CloudChosen),
        Kind::ActivationAsked => read(payload, Record::ActivationAsked),
        Kind::Shipped => read(payload, Record::Shipped),
        Kind::CrlIssued => read(payload, Record::CrlIssued),
        Kind::GapAccepted => read(payload, Record::GapAccepted),
        Kind::Adopted => read(payload, |text: AdoptedText| Record::Adopted(text.into_adopted())),
        Kind::OperatorAdded => read(payload, Record::OperatorAdded),
        Kind::OperatorDisabled => read(payload, Record::OperatorDisabled),
        Kind::PinChanged => read(payload, Record::PinChanged),
        Kind::ProfileAccepted => read(payload, Record::ProfileAccepted),
        Kind::SignedIn => read(payload, Record::SignedIn),
        Kind::Denied => read(payload, Record::Denied),
        Kind::Contradicted => read(payload, Record::Contradicted),
        Kind::PinWrong => read(payload, Record::PinWrong),
        Kind::PinRight => read(payload, Record::PinRight),
        Kind::IndicesRebuilt => read(payload, Record::IndicesRebuilt),
        Kind::Vouched => read(payload, Record::Vouched),
        Kind::LabelSent => read(payload, Record::LabelSent),
        Kind::LabelDelivered => read(payload, Record::LabelDelivered),
        Kind::LabelScanned => read(payload, Record::LabelScanned),
        Kind::LabelsChosen => read(payload, Record::LabelsChosen),
        Kind::GrantTaken => read(payload, Record::GrantTaken),
        Kind::GrantGivenBack => read(payload, Record::GrantGivenBack),
    }
}

impl Entry {
    /// The bytes that are hashed and stored.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let payload = payload(&self.station, &self.fact)?;
        let length = u32::try_from(payload.len()).map_err(serde::ser::Error::custom)?;
        let mut bytes = Vec::with_capacity(ENTRY_HEADER + payload.len());
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.wall.0.to_be_bytes());
        bytes.extend_from_slice(&Kind::of(&self.fact).number().to_be_bytes());
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&payload);
        Ok(bytes)
    }

    /// The entry that these bytes are.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Entry, EntryError> {
        let short = || EntryError::Short(bytes.len());
        let (seq, rest) = bytes.split_first_chunk().ok_or_else(short)?;
        let (wall, rest) = rest.split_first_chunk().ok_or_else(short)?;
        let (kind, rest) = rest.split_first_chunk().ok_or_else(short)?;
        let (announced, payload) = rest.split_first_chunk().ok_or_else(short)?;
        let announced = u32::from_be_bytes(*announced);
        if usize::try_from(announced) != Ok(payload.len()) {
            return Err(EntryError::Length { announced, found: payload.len() });
        }
        let number = u16::from_be_bytes(*kind);
        let kind = Kind::from_number(number).ok_or(EntryError::Kind(number))?;
        let (station, fact) = fact(kind, payload).map_err(EntryError::Payload)?;
        let wall = Timestamp(i64::from_be_bytes(*wall));
        Ok(Entry { seq: u64::from_be_bytes(*seq), wall, station, fact })
    }
}
