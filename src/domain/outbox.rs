//! What is asked of the cloud for a certificate, and what came of it: the records.
//!
//! A row of the outbox is one operation on one certificate. It is recorded as *sent*
//! before each call and as *answered* after it, so that a station that was cut off in
//! between knows what it does not know. Why a row is sent, and when, is the business of
//! `sync`.

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::code::Code;
use super::ids::{CertificateSn, Fingerprint, Serial};
use super::person::Person;
use super::registration::{CloudInstance, CloudStatus};

/// What is to be done in the cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Upload the certificate.
    Register,
    /// Let it be used.
    Activate,
    /// Keep it from being used; it can be activated again.
    Deactivate,
    /// Keep it from being used for good.
    Revoke,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 4] =
        [Operation::Register, Operation::Activate, Operation::Deactivate, Operation::Revoke];

    /// The word in JSON and the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Operation::Register => "register",
            Operation::Activate => "activate",
            Operation::Deactivate => "deactivate",
            Operation::Revoke => "revoke",
        }
    }

    /// The operation that a word names.
    pub fn from_word(word: &str) -> Option<Operation> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == word)
    }
}

/// The instance in which certificates are registered from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudChosen {
    /// The instance.
    pub cloud: CloudInstance,
    /// Who.
    pub by: Person,
}

/// A call for a row of the outbox is about to be made. From here on its outcome is unclear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The row.
    pub row: u64,
    /// Its certificate.
    pub certificate_sn: CertificateSn,
    /// What is asked.
    pub operation: Operation,
}

/// What came of a row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The row.
    pub row: u64,
    /// Its certificate.
    pub certificate_sn: CertificateSn,
    /// What was asked.
    pub operation: Operation,
    /// What came of it.
    pub answer: Answer,
}

/// What came of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// It holds in the cloud.
    Done {
        /// Where the certificate stands there.
        status: Option<CloudStatus>,
        /// Its serial number as the cloud spells it, where it said so.
        sn: Option<String>,
    },
    /// It is certain that it was not carried out; again later.
    NotDone {
        /// Why.
        code: Code,
        /// One sentence with the values.
        message: String,
    },
    /// Nobody knows whether it was carried out; to be looked up.
    Unclear {
        /// Why.
        code: Code,
        /// One sentence with the values.
        message: String,
    },
    /// Another certificate stands under this serial number, or this one under another
    /// client id.
    Conflict {
        /// One sentence with the values.
        message: String,
    },
    /// The cloud will never do it.
    Rejected {
        /// Why.
        code: Code,
        /// One sentence with the values.
        message: String,
    },
    /// It was found that there is nothing to do: the certificate does not stand there, and
    /// is not to.
    Nothing,
}

/// A certificate of this station was seen in the cloud without having been asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The certificate, the same by its DER.
    pub certificate_sn: CertificateSn,
    /// Its serial number as the cloud spells it.
    pub sn: String,
    /// Where it stands there.
    pub status: Option<CloudStatus>,
    /// Whether it is revoked there if it is void or superseded.
    pub revoke: bool,
}

/// The cloud was asked for a certificate that the ledger calls registered, and contradicts it.
/// From here on it counts as not registered, and as work that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradicted {
    /// The certificate.
    pub certificate_sn: CertificateSn,
    /// How.
    pub contradiction: Contradiction,
    /// One sentence with the values.
    pub message: String,
}

/// How the cloud contradicts the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contradiction {
    /// Nothing stands under the certificate's serial number.
    Missing,
    /// Another certificate stands there, or this one under another client id or revoked.
    Differs,
}

impl Contradiction {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Contradiction::Missing => "missing",
            Contradiction::Differs => "differs",
        }
    }

    /// What was found, in a sentence for a person.
    pub const fn told(self) -> &'static str {
        match self {
            Contradiction::Missing => "it was registered, and the cloud has no such certificate",
            Contradiction::Differs => {
                "another certificate stands in the cloud under its serial number"
            }
        }
    }

    /// Its stable code.
    pub const fn code(self) -> Code {
        match self {
            Contradiction::Missing => Code::CloudAbsent,
            Contradiction::Differs => Code::CloudConflict,
        }
    }
}

/// A person asks that a registered certificate may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationAsked {
    /// The unit.
    pub serial: Serial,
    /// Its proven certificate.
    pub certificate_sn: CertificateSn,
    /// Who.
    pub by: Person,
}

/// A unit leaves the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipped {
    /// The unit.
    pub serial: Serial,
    /// The certificate that it leaves with.
    pub certificate_sn: CertificateSn,
    /// Who.
    pub by: Person,
}

/// A list of revoked certificates was signed. Its number is that of this entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrlIssued {
    /// The CA whose list it is.
    pub authority: Fingerprint,
    /// How many certificates it names.
    pub certificates: u64,
    /// When the next list is to be expected: from then on verifiers refuse every device.
    /// Entries that an older program wrote do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
    /// Who.
    pub by: Person,
}

/// The newest list of a CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewestList {
    /// When it was made.
    pub made: Timestamp,
    /// When it ends, where its entry says so.
    pub next: Option<Timestamp>,
}

/// An administrator registered a certificate by hand, in the cloud's console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredByHand {
    /// The certificate, found to be the same by its fingerprint.
    pub certificate_sn: CertificateSn,
    /// Where.
    pub cloud: CloudInstance,
    /// Who.
    pub by: Person,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_reads_back_from_its_word_and_from_json() {
        for operation in Operation::ALL {
            assert_eq!(Operation::from_word(operation.as_str()), Some(operation));
            let json = serde_json::to_string(&operation).unwrap();
            assert_eq!(json, format!("\"{}\"", operation.as_str()));
        }
        assert_eq!(Operation::from_word("delete"), None);
    }
}
