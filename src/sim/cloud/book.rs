//! What the emulated cloud knows: CAs, client certificates, the registration code.
//!
//! A [`Change`] is all that ever alters it; [`Book::apply`] does, now and when the state file
//! is read again. It decides nothing: whether a change is allowed stands in `actions`.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::instance::SerialForm;

/// Where a CA or a client certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Status {
    Active,
    Inactive,
    Revoked,
    PendingActivation,
}

impl Status {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Status::Active => "ACTIVE",
            Status::Inactive => "INACTIVE",
            Status::Revoked => "REVOKED",
            Status::PendingActivation => "PENDING_ACTIVATION",
        }
    }
}

/// When something came to be and to its status, in milliseconds; 0 is never.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Times {
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) activated: i64,
    pub(super) deactivated: i64,
}

impl Times {
    /// Those of something that comes to be now with this status.
    pub(super) fn born(status: Status, now: i64) -> Self {
        let mut times = Self { created: now, ..Self::default() };
        times.moved(status, now);
        times
    }

    fn moved(&mut self, status: Status, now: i64) {
        self.updated = now;
        match status {
            Status::Active => self.activated = now,
            Status::Inactive => self.deactivated = now,
            Status::Revoked | Status::PendingActivation => {}
        }
    }
}

/// One CA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AuthorityRow {
    /// Its serial number in an even number of digits.
    pub(super) sn: String,
    pub(super) pem: String,
    pub(super) verification_pem: String,
    pub(super) cn: String,
    pub(super) issuer_cn: String,
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    pub(super) status: Status,
    pub(super) times: Times,
}

/// One client certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CertificateRow {
    /// Its serial number in an even number of digits.
    pub(super) sn: String,
    /// Its CA's.
    pub(super) ca: String,
    pub(super) pem: String,
    pub(super) client_id: String,
    pub(super) cn: String,
    pub(super) ou: String,
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    pub(super) status: Status,
    /// `API` or `JITP`.
    pub(super) source: String,
    pub(super) times: Times,
}

/// What an administrator changed of the instance; what is none is as it was started with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Setup {
    pub(super) name: Option<String>,
    pub(super) remark: Option<String>,
    pub(super) x509_mode: Option<String>,
    /// `API` or `JITP`.
    pub(super) provision: Option<String>,
    pub(super) automatic: Option<bool>,
}

impl Setup {
    /// Takes over what the other one says.
    fn merge(&mut self, other: Setup) {
        let Setup { name, remark, x509_mode, provision, automatic } = other;
        self.name = name.or(self.name.take());
        self.remark = remark.or(self.remark.take());
        self.x509_mode = x509_mode.or(self.x509_mode.take());
        self.provision = provision.or(self.provision.take());
        self.automatic = automatic.or(self.automatic);
    }
}

/// What alters the book; one line of the state file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub(super) enum Change {
    /// Whose state this is; the first line.
    Instance { instance: String, region: String },
    /// A registration code was applied for.
    Code { code: String },
    /// The instance was set up otherwise.
    Setup(Setup),
    /// A CA was registered.
    Authority(Box<AuthorityRow>),
    /// A CA changed its status.
    AuthorityStatus { sn: String, status: Status, at: i64 },
    /// A CA was deleted.
    AuthorityGone { sn: String },
    /// A client certificate was registered.
    Certificate(Box<CertificateRow>),
    /// A client certificate changed its status.
    CertificateStatus { sn: String, status: Status, at: i64 },
    /// A client certificate was deleted.
    CertificateGone { sn: String },
}

/// All that the emulated cloud knows.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) instance: Option<(String, String)>,
    pub(super) code: Option<String>,
    pub(super) setup: Setup,
    authorities: BTreeMap<String, AuthorityRow>,
    /// In the order of registration.
    certificates: BTreeMap<u64, CertificateRow>,
    by_sn: HashMap<String, u64>,
    next: u64,
}

impl Book {
    /// Alters the book; what it does not hold is left alone.
    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Instance { instance, region } => self.instance = Some((instance, region)),
            Change::Code { code } => self.code = Some(code),
            Change::Setup(setup) => self.setup.merge(setup),
            Change::Authority(row) => drop(self.authorities.insert(row.sn.clone(), *row)),
            Change::AuthorityStatus { sn, status, at } => {
                if let Some(row) = self.authorities.get_mut(&sn) {
                    row.status = status;
                    row.times.moved(status, at);
                }
            }
            Change::AuthorityGone { sn } => drop(self.authorities.remove(&sn)),
            Change::Certificate(row) => {
                self.next += 1;
                self.by_sn.insert(row.sn.clone(), self.next);
                self.certificates.insert(self.next, *row);
            }
            Change::CertificateStatus { sn, status, at } => {
                let place = self.by_sn.get(&sn);
                if let Some(row) = place.and_then(|place| self.certificates.get_mut(place)) {
                    row.status = status;
                    row.times.moved(status, at);
                }
            }
            Change::CertificateGone { sn } => {
                if let Some(place) = self.by_sn.remove(&sn) {
                    self.certificates.remove(&place);
                }
            }
        }
    }

    /// All CAs.
    pub(super) fn authorities(&self) -> impl ExactSizeIterator<Item = &AuthorityRow> {
        self.authorities.values()
    }

    /// The CA with this serial number, in an even number of digits.
    pub(super) fn authority(&self, sn: &str) -> Option<&AuthorityRow> {
        self.authorities.get(sn)
    }

    /// All client certificates in the order of their registration.
    pub(super) fn certificates(&self) -> impl DoubleEndedIterator<Item = &CertificateRow> {
        self.certificates.values()
    }

    /// The client certificate with this serial number, in an even number of digits.
    pub(super) fn certificate(&self, sn: &str) -> Option<&CertificateRow> {
        self.by_sn.get(sn).and_then(|place| self.certificates.get(place))
    }
}

impl SerialForm {
    /// A serial number as this cloud prints it.
    pub(super) fn print(self, sn: &str) -> String {
        match self {
            SerialForm::Padded => sn.to_owned(),
            SerialForm::Plain => match sn.trim_start_matches('0') {
                "" => "0".to_owned(),
                digits => digits.to_owned(),
            },
        }
    }

    /// The serial number that a text names: this cloud takes its own spelling alone.
    pub(super) fn parse(self, text: &str) -> Option<String> {
        let digits = text.trim_start_matches('0');
        let sn = match digits.len() {
            0 => "00".to_owned(),
            length if length % 2 == 1 => format!("0{digits}"),
            _ => digits.to_owned(),
        };
        (self.print(&sn) == text).then_some(sn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_takes_its_own_spelling_alone() {
        for (sn, plain) in [("0eef", "eef"), ("1a", "1a"), ("01", "1"), ("00", "0")] {
            assert_eq!(SerialForm::Padded.print(sn), sn);
            assert_eq!(SerialForm::Plain.print(sn), plain);
            assert_eq!(SerialForm::Padded.parse(sn).as_deref(), Some(sn));
            assert_eq!(SerialForm::Plain.parse(plain).as_deref(), Some(sn));
        }
        assert_eq!(SerialForm::Padded.parse("eef"), None);
        assert_eq!(SerialForm::Plain.parse("0eef"), None);
        assert_eq!(SerialForm::Padded.parse("00001a"), None);
        assert_eq!(SerialForm::Padded.parse(""), None);
    }
}
