//! Labels that are printed for finished units: what is recorded of them, and how they stand.
//!
//! Printers answer nothing, so nothing here says "printed": a label is *sent*. It is recorded
//! with the digest of its bytes before the first of them leaves, so that after a crash nobody
//! can believe that there is none.

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::ids::{CertificateSn, ClientId, Fingerprint, LabelDigest, Serial, WorkOrderId};
use super::person::Person;
use super::state::states;

/// Whether each unit that passes from here on gets a label.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelsChosen {
    /// Whether it does.
    pub at_pass: bool,
    /// Whether it counts as done only once that label was scanned back.
    pub verify: bool,
}

/// A label is about to be sent. From here on it may be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelSent {
    /// The unit.
    pub serial: Serial,
    /// Which of its labels, counted from one.
    pub copy: u32,
    /// The certificate that it is proven with: the label is for that one alone.
    pub certificate_sn: CertificateSn,
    /// SHA-256 of the bytes.
    pub digest: LabelDigest,
    /// Where they go, as in station.toml.
    pub printer: String,
    /// Whether it is to be scanned back.
    pub verify: bool,
    /// Why another one is sent; none for the first.
    pub reason: Option<String>,
    /// Who works at the line, or asked for it.
    pub by: Person,
}

/// What became of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// All of them were taken.
    Sent,
    /// None of them was.
    NotSent,
    /// Some were, or an error came back: nobody knows whether there is a label.
    Unclear,
}

/// What came of sending a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelDelivered {
    /// The unit.
    pub serial: Serial,
    /// Which of its labels.
    pub copy: u32,
    /// What became of the bytes.
    pub delivery: Delivery,
    /// What was in the way, unless they were sent.
    pub message: Option<String>,
}

/// A label was scanned back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelScanned {
    /// The unit.
    pub serial: Serial,
    /// Which of its labels.
    pub copy: u32,
    /// Whether it says what was sent.
    pub right: bool,
    /// What the scanner sent, in printable ASCII, everything else escaped.
    pub text: String,
    /// Who works at the line, or scanned it.
    pub by: Person,
}

states! {
    /// How a label stands.
    pub enum LabelState {
        /// Its unit passed, and nothing was sent.
        Wanted = "wanted",
        /// It was about to be sent, and nobody said what came of it.
        Asked = "asked",
        /// Its bytes were taken.
        Sent = "sent",
        /// Some of its bytes may have been taken.
        Unclear = "unclear",
        /// It was scanned back and says what it should.
        Right = "right",
        /// It was scanned back and says something else.
        Wrong = "wrong",
    }
}

impl LabelState {
    /// Whether somebody still has to see to it.
    pub const fn is_open(self, verify: bool) -> bool {
        match self {
            LabelState::Right => false,
            LabelState::Sent => verify,
            LabelState::Wanted | LabelState::Asked | LabelState::Unclear | LabelState::Wrong => {
                true
            }
        }
    }
}

/// A label as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRow {
    /// The unit.
    pub serial: Serial,
    /// Which of its labels.
    pub copy: u32,
    /// The certificate that it is for.
    pub certificate_sn: CertificateSn,
    /// How it stands.
    pub state: LabelState,
    /// Whether it is to be scanned back.
    pub verify: bool,
    /// SHA-256 of its bytes, once it was sent.
    pub digest: Option<LabelDigest>,
    /// Where it went.
    pub printer: Option<String>,
    /// Why it was sent again.
    pub reason: Option<String>,
    /// What was in the way, or what was scanned.
    pub message: Option<String>,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// What a finished unit's label needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelFacts {
    /// The unit.
    pub serial: Serial,
    /// Its client id.
    pub client_id: ClientId,
    /// The certificate that it is proven with.
    pub certificate_sn: CertificateSn,
    /// That one's fingerprint.
    pub fingerprint: Fingerprint,
    /// Its lot.
    pub work_order: Option<WorkOrderId>,
    /// When it was proven.
    pub proven_at: Timestamp,
    /// The newest of its labels for that certificate.
    pub label: Option<LabelRow>,
    /// The number of its next label.
    pub next_copy: u32,
    /// A label of an earlier certificate may be on it.
    pub has_older: bool,
}
