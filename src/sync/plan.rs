//! What is to be done about a row of the outbox: a pure function of the row and of what
//! the cloud says of its certificate.
//!
//! What must hold: a certificate that is not proven is never uploaded; a call whose outcome
//! nobody knows is looked up before anything else; nothing is changed in the cloud under a
//! serial number that another certificate has there.

use std::time::Duration;

use crate::cloud::CertificatePage;
use crate::domain::cause::Told;
use crate::domain::certificate::CertificateState;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::outbox::{Answer, Contradiction, Operation};
use crate::domain::registration::{CloudCertificate, CloudStatus, Registering, SnValue};
use crate::ledger::outbox::OutboxRow;
use crate::ledger::states::{OutboxState, RegistrationState};

/// What the cloud says of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// It was not asked.
    NotAsked,
    /// Nothing stands under its serial number.
    Absent,
    /// This certificate stands there, the same by its DER.
    Same {
        /// Where it stands; none for a word that is new.
        status: Option<CloudStatus>,
        /// Its serial number as the cloud spells it.
        sn: String,
    },
    /// This certificate stands there under another client id.
    OtherClient(String),
    /// Another certificate stands there.
    Other,
}

/// An answer from which nothing can be concluded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Nonsense {
    /// It is about something that was not asked for.
    #[error("the cloud was asked for certificate {asked} and told of {told}")]
    OfAnother {
        /// What was asked for.
        asked: String,
        /// What it told of.
        told: String,
    },
    /// It counts certificates that it does not show.
    #[error("the cloud counts {0} certificates under one serial number and shows none")]
    NotShown(u64),
    /// It shows something that is no certificate.
    #[error("the cloud shows something that is no certificate")]
    Unreadable,
}

impl Told for Nonsense {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::OfAnother { asked, told } => format!("向云端查询证书 {asked}，它说的是 {told}"),
            Self::NotShown(count) => format!("云端在一个序列号下数到 {count} 张证书，却没有给出"),
            Self::Unreadable => "云端给出的不是证书".to_owned(),
        })
    }
}

impl Says {
    /// What a look-up by serial number says of the row's certificate.
    pub fn of(row: &OutboxRow, page: &CertificatePage) -> Result<Says, Nonsense> {
        let asked = SnValue::from(&row.sn);
        let same = |found: &&CloudCertificate| found.sn.parse() == Ok(asked.clone());
        match (page.certificates.iter().find(same), page.certificates.first()) {
            (Some(found), _) => Says::of_certificate(row, found),
            (None, Some(other)) => {
                let (asked, told) = (asked.to_string(), other.sn.clone());
                Err(Nonsense::OfAnother { asked, told })
            }
            (None, None) if page.total > 0 => Err(Nonsense::NotShown(page.total)),
            (None, None) => Ok(Says::Absent),
        }
    }

    fn of_certificate(row: &OutboxRow, found: &CloudCertificate) -> Result<Says, Nonsense> {
        let fingerprint = found.fingerprint.ok_or(Nonsense::Unreadable)?;
        let client_id = found.client_id.as_str();
        Ok(match fingerprint == row.fingerprint {
            false => Says::Other,
            true if !client_id.is_empty() && client_id != row.client_id.as_str() => {
                Says::OtherClient(client_id.to_owned())
            }
            true => Says::Same { status: found.status, sn: found.sn.clone() },
        })
    }
}

/// How a run may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How the cloud learns of certificates.
    pub registering: Registering,
    /// Whether there are credentials to deactivate and revoke.
    pub may_revoke: bool,
    /// Whether what the cloud once refused for good is tried once more.
    pub retry_rejected: bool,
}

/// Why nothing is done about a row now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// Its certificate registers itself when its device first connects.
    ForDevice,
    /// There are no credentials to deactivate and revoke.
    ForRevoker,
    /// The cloud refused it for good.
    Rejected,
}

/// What is to be done about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// See where the certificate stands.
    LookUp,
    /// Upload the certificate.
    Register,
    /// Move the certificate to this status.
    Set(CloudStatus),
    /// Nothing is to be asked any more: record this.
    Settle(Answer),
    /// What counts as registered is not: the row is void of meaning, the registration open.
    Contradict(Contradiction),
    /// Nothing now.
    Wait(Waits),
}

/// Decides about one row.
pub fn decide(row: &OutboxRow, says: &Says, rules: &Rules) -> Deed {
    match row.operation {
        Operation::Register => register(row, says, rules),
        Operation::Activate if !is_proven(row) => Deed::Settle(Answer::Nothing),
        Operation::Activate => change(row, says, CloudStatus::Active, rules),
        Operation::Deactivate | Operation::Revoke if never_sent(row) => {
            Deed::Settle(Answer::Nothing)
        }
        // Looking needs no further credentials, and may find that nothing is to be done.
        Operation::Deactivate => revoking(change(row, says, CloudStatus::Inactive, rules), rules),
        Operation::Revoke => revoking(change(row, says, CloudStatus::Revoked, rules), rules),
    }
}

fn is_proven(row: &OutboxRow) -> bool {
    row.certificate == CertificateState::Proven
}

/// Whether it is known that the certificate was never taken by the cloud.
fn never_sent(row: &OutboxRow) -> bool {
    matches!(row.registration, RegistrationState::Withdrawn) && row.state == OutboxState::Waiting
}

fn register(row: &OutboxRow, says: &Says, rules: &Rules) -> Deed {
    let is_uncertain = row.state == OutboxState::Claimed;
    match says {
        Says::NotAsked if is_uncertain => Deed::LookUp,
        Says::NotAsked | Says::Absent if !is_proven(row) => Deed::Settle(Answer::Nothing),
        Says::Other | Says::OtherClient(_) if !is_proven(row) => Deed::Settle(Answer::Nothing),
        Says::NotAsked if rules.registering == Registering::Automatic => {
            Deed::Wait(Waits::ForDevice)
        }
        Says::NotAsked if row.state == OutboxState::Parked => parked(row, rules),
        Says::Absent if rules.registering == Registering::Automatic => {
            let message = "it registers itself when its device first connects".to_owned();
            Deed::Settle(Answer::NotDone { code: Code::CloudUnclear, message })
        }
        Says::NotAsked | Says::Absent => Deed::Register,
        Says::Same { status: Some(CloudStatus::Revoked), .. } if is_proven(row) => {
            let message = "it is revoked in the cloud".to_owned();
            Deed::Settle(Answer::Rejected { code: Code::CloudRevoked, message })
        }
        Says::Same { status, sn } => Deed::Settle(done(*status, sn)),
        Says::Other | Says::OtherClient(_) => Deed::Settle(conflict(row, says)),
    }
}

/// A conflict may have been cleared there; what was refused for good stays so.
fn parked(row: &OutboxRow, rules: &Rules) -> Deed {
    match row.registration {
        RegistrationState::Rejected if !rules.retry_rejected => Deed::Wait(Waits::Rejected),
        _ => Deed::LookUp,
    }
}

fn done(status: Option<CloudStatus>, sn: &str) -> Answer {
    Answer::Done { status, sn: Some(sn.to_owned()) }
}

fn conflict(row: &OutboxRow, says: &Says) -> Answer {
    let message = match says {
        Says::OtherClient(client_id) => {
            format!("it stands in the cloud for client id {client_id:?}, not {}", row.client_id)
        }
        _ => format!("another certificate stands in the cloud under serial number {}", row.sn),
    };
    Answer::Conflict { message }
}

/// A certificate that is registered is moved; where that is not certain, it is looked up.
fn change(row: &OutboxRow, says: &Says, to: CloudStatus, rules: &Rules) -> Deed {
    let is_certain = row.registration == RegistrationState::Registered
        && row.state != OutboxState::Claimed
        && row.cloud_sn.is_some();
    match says {
        Says::NotAsked if row.state == OutboxState::Parked && !rules.retry_rejected => {
            Deed::Wait(Waits::Rejected)
        }
        Says::NotAsked if is_certain => match row.status {
            Some(status) if is_reached(status, to) => {
                Deed::Settle(Answer::Done { status: row.status, sn: None })
            }
            _ => Deed::Set(to),
        },
        Says::NotAsked => Deed::LookUp,
        Says::Same { status: Some(status), sn } if is_reached(*status, to) => {
            Deed::Settle(done(Some(*status), sn))
        }
        Says::Same { status: Some(CloudStatus::Revoked), .. } => {
            let message = "it is revoked in the cloud".to_owned();
            Deed::Settle(Answer::Rejected { code: Code::CloudRevoked, message })
        }
        Says::Same { .. } | Says::OtherClient(_) => Deed::Set(to),
        Says::Absent | Says::Other if to == CloudStatus::Revoked => Deed::Settle(Answer::Nothing),
        Says::Absent if counts_as_registered(row) => Deed::Contradict(Contradiction::Missing),
        Says::Other if counts_as_registered(row) => Deed::Contradict(Contradiction::Differs),
        Says::Absent | Says::Other => {
            let message = "it does not stand in the cloud".to_owned();
            Deed::Settle(Answer::Rejected { code: Code::CloudAbsent, message })
        }
    }
}

fn counts_as_registered(row: &OutboxRow) -> bool {
    row.registration == RegistrationState::Registered && is_proven(row)
}

/// A revoked certificate is as good as a deactivated one.
fn is_reached(status: CloudStatus, wanted: CloudStatus) -> bool {
    status == wanted || (wanted == CloudStatus::Inactive && status == CloudStatus::Revoked)
}

fn revoking(deed: Deed, rules: &Rules) -> Deed {
    match deed {
        Deed::Set(_) if !rules.may_revoke => Deed::Wait(Waits::ForRevoker),
        other => other,
    }
}

/// How long to wait before a row is looked up: until a call for it that nobody saw the end
/// of can't be on its way any more.
pub fn wait_before_look(sent: Option<Timestamp>, now: Timestamp, call_limit: Duration) -> Duration {
    let Some(sent) = sent else { return Duration::ZERO };
    let passed = u64::try_from(now.0.saturating_sub(sent.0)).unwrap_or(0);
    call_limit.saturating_sub(Duration::from_micros(passed))
}

/// What is first done about each row, in the order in which it is done: what is uncertain
/// before what is new, and what failed before at the end, so that it is in nobody's way.
pub fn plan(rows: Vec<OutboxRow>, rules: &Rules) -> Vec<(OutboxRow, Deed)> {
    let decided = rows.into_iter().map(|row| {
        let deed = decide(&row, &Says::NotAsked, rules);
        (row, deed)
    });
    let mut planned: Vec<_> = decided.collect();
    planned.sort_by_key(|(row, deed)| (urgency(row, deed), row.id));
    planned
}

fn urgency(row: &OutboxRow, deed: &Deed) -> u8 {
    match (deed, row.state) {
        (Deed::Wait(_), _) => 4,
        (_, OutboxState::Parked) => 3,
        (Deed::LookUp, _) => 0,
        _ if row.tries > 0 => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
