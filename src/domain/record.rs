//! What is made durable, and what is known of a unit because of it.
//!
//! A [`Record`] is one entry of the journal, written in one transaction. A [`Standing`]
//! is what the records of one unit add up to; together with what a device says it is
//! all that the recovery table (`flow::resolve`) looks at.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::certificate::{Certificate, CertificateState, Proof};
use super::code::Code;
use super::device::Fault;
use super::grant::{GrantGivenBack, GrantNumber, GrantTaken};
use super::ids::{
    CertificateSn, ClientId, Fingerprint, HardwareId, ImageDigest, OperatorId, ProfileDigest,
    Serial, SlotName, WorkOrderId,
};
use super::keeping::{IndicesRebuilt, Vouched};
use super::labelling::{LabelDelivered, LabelScanned, LabelSent, LabelsChosen};
use super::operators::{
    OperatorAdded, OperatorDisabled, PinChanged, PinTried, ProfileAccepted, SignedIn,
};
use super::outbox::{
    ActivationAsked, Answered, CloudChosen, Contradicted, CrlIssued, Found, RegisteredByHand, Sent,
    Shipped,
};
use super::person::Person;
use super::registration::AuthorityRegistered;
use super::work_order::WorkOrder;

/// Everything the line and the command line make durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A line session begins; so a unit's profile can be shown years later.
    LineStarted(LineStarted),
    /// A CA certificate that this station issues or issued with.
    AuthoritySeen(AuthoritySeen),
    /// A unit's attempt begins: serial, client id, hardware id and certificate serial
    /// number are reserved together.
    Begun(Begun),
    /// A unit with a valid label failed before anything could be reserved for it.
    FailedEarly(FailedEarly),
    /// The certificate of the open attempt was signed.
    Issued(Issued),
    /// The commit of the open attempt is about to be asked. From here on the
    /// certificate is uncertain.
    CommitAsked(AttemptRef),
    /// The device proved that it holds the certificate of the open attempt.
    Proven(ProvenRecord),
    /// The device finished; only then is a proven unit PASS.
    Finished(Finished),
    /// The open attempt is over.
    Ended(Ended),
    /// A device that had passed denies it while it still stands in its slot: its unit is not
    /// finished any more.
    Denied(Denied),
    /// A person voids the unit's open or last certificate.
    UnitVoided(PersonAct),
    /// A person allows a proven unit to be burned again.
    ReworkAllowed(PersonAct),
    /// A person scraps the unit.
    UnitScrapped(PersonAct),
    /// A work order is made.
    WorkOrderCreated(WorkOrderCreated),
    /// A work order takes no further units.
    WorkOrderClosed(WorkOrderAct),
    /// A person accepts the clock although it disagrees with the journal.
    ClockAccepted(ClockAccepted),
    /// The ledger was restored from a backup; what came after it is not in here.
    Restored(Restored),
    /// A CA is about to be registered in a cloud, or stands there.
    AuthorityRegistered(AuthorityRegistered),
    /// An administrator registered a certificate by hand.
    RegisteredByHand(RegisteredByHand),
    /// A call of the cloud is about to be made.
    Sent(Sent),
    /// What came of it.
    Answered(Answered),
    /// A certificate was seen in the cloud.
    Found(Found),
    /// A wrong PIN was typed.
    PinWrong(PinTried),
    /// The right one was typed behind wrong ones, which count no more.
    PinRight(PinTried),
    /// The cloud contradicts what the ledger says of a registration.
    Contradicted(Contradicted),
    /// The cloud's instance is chosen, or another one.
    CloudChosen(CloudChosen),
    /// A person asks that a registered certificate may be used.
    ActivationAsked(ActivationAsked),
    /// A unit leaves the house.
    Shipped(Shipped),
    /// A list of revoked certificates was signed.
    CrlIssued(CrlIssued),
    /// What a restore lost is known, or taken as lost: the line may go on.
    GapAccepted(GapAccepted),
    /// A device proved an identity that this ledger lacked.
    Adopted(Adopted),
    /// A person becomes known.
    OperatorAdded(OperatorAdded),
    /// A person may do nothing any more.
    OperatorDisabled(OperatorDisabled),
    /// A person has another PIN.
    PinChanged(PinChanged),
    /// A changed product profile is accepted for a work order.
    ProfileAccepted(ProfileAccepted),
    /// Another person works at the line.
    SignedIn(SignedIn),
    /// Indices of the ledger were made anew.
    IndicesRebuilt(IndicesRebuilt),
    /// A person vouches for the ledger, and its key was certified.
    Vouched(Vouched),
    /// A label is about to be sent.
    LabelSent(LabelSent),
    /// What came of sending it.
    LabelDelivered(LabelDelivered),
    /// A label was scanned back.
    LabelScanned(LabelScanned),
    /// Whether units that pass get a label from here on.
    LabelsChosen(LabelsChosen),
    /// A grant is taken: so many units of a work order may be made here.
    GrantTaken(Box<GrantTaken>),
    /// What is not needed of a grant is given back.
    GrantGivenBack(GrantGivenBack),
}

/// The facts that a line session ran under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineStarted {
    /// The program's version.
    pub version: String,
    /// SHA-256 of station.toml as read.
    pub config: ProfileDigest,
    /// SHA-256 of the CA certificate in use.
    pub authority: Fingerprint,
    /// The work order, where one is chosen.
    pub work_order: Option<WorkOrderId>,
    /// The person, where one is named.
    pub operator: Option<OperatorId>,
    /// DER of the CA's certificate for the journal key, lowercase hex.
    pub journal_certificate: Option<String>,
}

/// A CA certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthoritySeen {
    /// SHA-256 of its DER.
    pub fingerprint: Fingerprint,
    /// Its DER, lowercase hex.
    pub der: String,
}

/// Names one attempt of one unit; attempts of a unit count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AttemptRef {
    /// The unit.
    pub serial: Serial,
    /// Its attempt.
    pub attempt: u32,
}

/// What is reserved when an attempt begins. The ledger counts the attempt itself and
/// refuses what is not unique or has no room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// The unit.
    pub serial: Serial,
    /// Its MQTT client id.
    pub client_id: ClientId,
    /// The device.
    pub hardware: HardwareId,
    /// What the device called its model.
    pub model: String,
    /// What the device called its firmware.
    pub firmware: String,
    /// The certificate serial number to be.
    pub certificate_sn: CertificateSn,
    /// Where it happens.
    pub slot: SlotName,
    /// The product's name; none in entries from before it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// What it was scanned from, where that said more than the serial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<LabelRead>,
    /// The lot, where there is one.
    pub work_order: Option<WorkOrderId>,
    /// The grant of the lot that it takes a place of. The ledger sets it as it decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantNumber>,
    /// The person, where one is named.
    pub operator: Option<OperatorId>,
}

/// What a scanner sent for a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelRead {
    /// All that one pull of the trigger sent, in printable ASCII, everything else escaped.
    pub text: String,
    /// The rule of `[[scanner.label]]` that read it, counted from one; none where there was
    /// none and the text is the serial behind an AIM identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<u32>,
}

/// An attempt that ended before its device could be reserved: it counts among the unit's
/// attempts, so that a bad slot shows in the statistics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedEarly {
    /// The unit.
    pub serial: Serial,
    /// Its MQTT client id.
    pub client_id: ClientId,
    /// Where it happened.
    pub slot: SlotName,
    /// What it was scanned from, where that said more than the serial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<LabelRead>,
    /// The lot, where there is one.
    pub work_order: Option<WorkOrderId>,
    /// The person, where one is named.
    pub operator: Option<OperatorId>,
    /// How it ended; never [`End::Passed`].
    pub end: End,
}

/// A signed certificate and the digest of the image that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The attempt.
    pub attempt: AttemptRef,
    /// The certificate.
    pub certificate: Arc<Certificate>,
    /// SHA-256 of the whole image, key included; what the device will sign over.
    pub image: ImageDigest,
}

/// A proof that verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenRecord {
    /// The attempt.
    pub attempt: AttemptRef,
    /// How it was proven.
    pub proof: Proof,
    /// How the restart before the proof came about: "command", "dtr", "rts" or "power".
    pub restart: String,
}

/// A device that finished after its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// The unit.
    pub serial: Serial,
    /// Its proven certificate.
    pub certificate_sn: CertificateSn,
}

/// A device that passed and says now that it holds something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    /// The unit.
    pub serial: Serial,
    /// Its proven certificate.
    pub certificate_sn: CertificateSn,
    /// Where it stands.
    pub slot: SlotName,
    /// What it says, in one sentence.
    pub message: String,
    /// Who works at the line.
    pub by: Person,
}

/// The end of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The attempt.
    pub attempt: AttemptRef,
    /// How.
    pub end: End,
    /// Whether its certificate becomes void: it was issued and no device holds it.
    pub void: bool,
}

/// How an attempt ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum End {
    /// Proven and finished on the device.
    Passed,
    /// Something was wrong.
    Failed {
        /// How far it had come.
        step: Step,
        /// What was wrong.
        code: Code,
        /// One sentence with the values.
        message: String,
    },
    /// It was cut off: a stop, a deadline, a power cut.
    Interrupted {
        /// How far it had come.
        step: Step,
        /// Why.
        code: Code,
        /// One sentence with the values.
        message: String,
    },
}

/// The steps of a unit as people and JSON name them, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Asking the device who it is.
    Identify,
    /// Reserving in the ledger.
    Reserve,
    /// Making the key and signing the certificate.
    Issue,
    /// Staging the image.
    Write,
    /// Making it active.
    Commit,
    /// Restarting.
    Restart,
    /// Proving.
    Prove,
    /// Finishing on the device.
    Finish,
}

impl Step {
    /// Every step, in order.
    pub const ALL: &[Step] = &[
        Step::Identify,
        Step::Reserve,
        Step::Issue,
        Step::Write,
        Step::Commit,
        Step::Restart,
        Step::Prove,
        Step::Finish,
    ];

    /// The word in JSON and the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Step::Identify => "identify",
            Step::Reserve => "reserve",
            Step::Issue => "issue",
            Step::Write => "write",
            Step::Commit => "commit",
            Step::Restart => "restart",
            Step::Prove => "prove",
            Step::Finish => "finish",
        }
    }
}

/// A person's act on a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonAct {
    /// The unit.
    pub serial: Serial,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: Person,
    /// For a rework: whether the unit may move to another device.
    pub new_device: bool,
}

/// A work order is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkOrderCreated {
    /// What it asks for.
    pub work_order: WorkOrder,
    /// Who made it.
    pub by: Person,
}

/// A person's act on a work order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkOrderAct {
    /// The work order.
    pub work_order: WorkOrderId,
    /// Who.
    pub by: Person,
}

/// A clock that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockAccepted {
    /// Why.
    pub reason: String,
    /// Who.
    pub by: Person,
}

/// A restore from a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The last entry that the backup has.
    pub last_seq: u64,
    /// The highest entry known to have existed, where a head outside the ledger tells.
    pub known_seq: Option<u64>,
    /// Who.
    pub by: Person,
}

/// The gap that a restore left, accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapAccepted {
    /// The entry of the restore.
    pub restored_seq: u64,
    /// A sync compared the whole cloud with the ledger; otherwise a person decides.
    pub compared: bool,
    /// Why: what is known of what was lost.
    pub reason: String,
    /// Who.
    pub by: Person,
}

/// An identity that was read from the device that holds it, and proven there. Its
/// certificate was issued under a CA of this station, and the ledger did not know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// The unit, by the certificate's client id and the product's rule.
    pub serial: Serial,
    /// The client id that the certificate names.
    pub client_id: ClientId,
    /// The device.
    pub hardware: HardwareId,
    /// What the device called its model.
    pub model: String,
    /// What the device called its firmware.
    pub firmware: String,
    /// Where it was.
    pub slot: SlotName,
    /// The certificate as the device gave it.
    pub certificate: Arc<Certificate>,
    /// The digest of its image: the device's own word, which its signature covers.
    pub image: ImageDigest,
    /// How it was proven.
    pub proof: Proof,
    /// How the restart before the proof came about.
    pub restart: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: Person,
}

/// A restore whose gap nobody has accepted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The entry of the restore.
    pub restored_seq: u64,
    /// What the restore said.
    pub restored: Restored,
}

/// What is known of a unit: two independent facts and a permission.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// The identity last proven.
    pub proven: Option<ProvenIdentity>,
    /// Whether a proven unit may be burned again.
    pub rework: Rework,
    /// The open attempt.
    pub open: Open,
    /// A person scrapped the unit.
    pub scrapped: bool,
}

/// An identity that was proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenIdentity {
    /// On which device.
    pub hardware: HardwareId,
    /// Which certificate.
    pub cert: CertificateSn,
    /// Whether the device finished afterwards.
    pub finished: bool,
}

/// Whether a proven unit may be burned again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rework {
    /// No.
    #[default]
    No,
    /// Yes, on any device.
    Allowed,
}

/// How far the open attempt is known to have come.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Open {
    /// There is none.
    #[default]
    None,
    /// Reserved; nothing was signed.
    Begun {
        /// The attempt.
        attempt: u32,
        /// The device.
        hardware: HardwareId,
    },
    /// Signed; its commit was never asked, so no device can hold it.
    Issued {
        /// The attempt.
        attempt: u32,
        /// The device.
        hardware: HardwareId,
        /// The certificate.
        cert: CertificateSn,
    },
    /// Its commit was asked; only its own device can tell.
    Asked {
        /// The attempt.
        attempt: u32,
        /// The device.
        hardware: HardwareId,
        /// The certificate.
        cert: CertificateSn,
    },
    /// Proven; the attempt has no end yet.
    Proven {
        /// The attempt.
        attempt: u32,
        /// The device.
        hardware: HardwareId,
        /// The certificate.
        cert: CertificateSn,
    },
}

/// To whom a device and what it holds belong, as far as the ledger knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Owners {
    /// Another unit that is proven on this hardware or has an open attempt on it.
    pub hardware: Option<Serial>,
    /// The identity that the device says it holds.
    pub identity: Holds,
}

/// What the ledger knows of the identity that a device says it holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Holds {
    /// The device holds none.
    #[default]
    Nothing,
    /// One of this unit.
    This {
        /// Which.
        cert: CertificateSn,
        /// Where it stands.
        state: CertificateState,
        /// Whether the device's image is the one recorded with it.
        intact: bool,
    },
    /// One of another unit.
    Other(Serial),
    /// One that the ledger lacks.
    Unknown,
}

/// The ledger's answer to a look at a unit and a device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Looked {
    /// What is known of the unit.
    pub standing: Standing,
    /// Whose the device is.
    pub owners: Owners,
}

/// What a record that was made durable gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// The journal's sequence number.
    pub seq: u64,
    /// For [`Record::Begun`], [`Record::FailedEarly`] and [`Record::Adopted`]: the attempt's
    /// number within its unit. Otherwise 0.
    pub attempt: u32,
}

/// Why a record was not made durable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The ledger refused this record alone; nothing else is affected.
    #[error(transparent)]
    Row(Fault),
    /// The ledger can't write any more; the line stops.
    #[error(transparent)]
    Ledger(Fault),
}

impl Refusal {
    /// The fault behind it.
    pub fn fault(&self) -> &Fault {
        match self {
            Refusal::Row(fault) | Refusal::Ledger(fault) => fault,
        }
    }
}

/// A certificate with what is needed to challenge a device for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRow {
    /// The unit.
    pub serial: Serial,
    /// Its client id.
    pub client_id: ClientId,
    /// The certificate.
    pub certificate: Arc<Certificate>,
    /// The digest of its image.
    pub image: ImageDigest,
    /// Where it stands.
    pub state: CertificateState,
}
