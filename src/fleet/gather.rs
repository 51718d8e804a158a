//! What the entries of one ledger add up to: stories, claims, days, work orders, grants. Pure; taking a
//! segment in and auditing the store go through here both, so that they can't differ.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::clock::Timestamp;
use crate::domain::grant::GrantNumber;
use crate::domain::ids::{CertificateSn, ClientId, Serial, WorkOrderId};
use crate::domain::outbox::{Answer, Operation};
use crate::domain::record::{End, Record};
use crate::ledger::ArrivedEntry;

use super::story::{Identity, Story};

const DAY_US: i64 = 86_400_000_000;

/// What two units of the fleet can't have both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClaimKind {
    /// The client id of a proven certificate.
    ClientId,
    /// A certificate's serial number.
    CertificateSn,
    /// A device's public key.
    PublicKey,
    /// A device.
    HardwareId,
}

impl ClaimKind {
    /// Every kind, in the order in which a transaction takes them.
    pub const ALL: [ClaimKind; 4] = [
        ClaimKind::ClientId,
        ClaimKind::CertificateSn,
        ClaimKind::PublicKey,
        ClaimKind::HardwareId,
    ];

    /// The word in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            ClaimKind::ClientId => "client_id",
            ClaimKind::CertificateSn => "certificate_sn",
            ClaimKind::PublicKey => "public_key",
            ClaimKind::HardwareId => "hardware_id",
        }
    }
}

/// A value that a unit says to be its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Claim {
    /// Of which kind.
    pub kind: ClaimKind,
    /// The value, as text.
    pub value: String,
    /// The unit.
    pub serial: Serial,
}

/// Attempts that ended on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct DayCount {
    /// Passed.
    pub passed: i64,
    /// Failed.
    pub failed: i64,
    /// Interrupted.
    pub interrupted: i64,
}

/// A work order as its station has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OrderSeen {
    /// How many it wants; none where another segment says it.
    pub quantity: Option<u32>,
    /// Whether it takes no more.
    pub closed: bool,
}

/// A grant by what tells it from a station's others.
pub(super) type GrantKey = (WorkOrderId, GrantNumber);

/// A grant as a ledger has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct GrantSeen {
    /// For how many units it is; none where another segment says it.
    pub quantity: Option<u32>,
    /// How many of them were given back.
    pub given_back: u32,
}

/// The units that entries speak of, so that they can be loaded first.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// By serial.
    pub serials: BTreeSet<Serial>,
    /// By the serial number of a certificate.
    pub sns: BTreeSet<CertificateSn>,
}

impl Named {
    /// Those of these entries.
    pub(super) fn of(entries: &[ArrivedEntry]) -> Self {
        let mut named = Self::default();
        for record in entries.iter().filter_map(|entry| entry.record.as_ref()) {
            match subject(record) {
                Subject::Unit(serial) => named.serials.extend([serial.clone()]),
                Subject::Certificate(sn) => named.sns.extend([*sn]),
                Subject::None => {}
            }
        }
        named
    }
}

/// What a record is about.
enum Subject<'a> {
    Unit(&'a Serial),
    Certificate(&'a CertificateSn),
    None,
}

fn subject(record: &Record) -> Subject<'_> {
    match record {
        Record::Begun(r) => Subject::Unit(&r.serial),
        Record::FailedEarly(r) => Subject::Unit(&r.serial),
        Record::Issued(r) => Subject::Unit(&r.attempt.serial),
        Record::CommitAsked(r) => Subject::Unit(&r.serial),
        Record::Proven(r) => Subject::Unit(&r.attempt.serial),
        Record::Ended(r) => Subject::Unit(&r.attempt.serial),
        Record::UnitVoided(r) | Record::ReworkAllowed(r) | Record::UnitScrapped(r) => {
            Subject::Unit(&r.serial)
        }
        Record::Adopted(r) => Subject::Unit(&r.serial),
        Record::Shipped(r) => Subject::Unit(&r.serial),
        Record::Answered(r) => Subject::Certificate(&r.certificate_sn),
        Record::Found(r) => Subject::Certificate(&r.certificate_sn),
        Record::Contradicted(r) => Subject::Certificate(&r.certificate_sn),
        Record::RegisteredByHand(r) => Subject::Certificate(&r.certificate_sn),
        _ => Subject::None,
    }
}

/// What entries add up to, on top of what was loaded.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Units that were loaded or changed.
    pub units: BTreeMap<Serial, Story>,
    /// Whose certificate it is.
    pub by_sn: BTreeMap<CertificateSn, Serial>,
    /// Every claim that was made.
    pub claimed: BTreeSet<Claim>,
    /// Claims that do not hold any more.
    pub released: BTreeSet<Claim>,
    /// Attempts that ended, by the day counted from 1970.
    pub days: BTreeMap<i32, DayCount>,
    /// Work orders.
    pub orders: BTreeMap<WorkOrderId, OrderSeen>,
    /// Grants that were taken, and what was given back of them.
    pub grants: BTreeMap<GrantKey, GrantSeen>,
    /// Units that were proven under a grant, and when first: they have used it up, whatever
    /// becomes of them.
    pub uses: BTreeMap<(GrantKey, Serial), Timestamp>,
}

impl Gathered {
    /// Takes one entry.
    pub(super) fn take(&mut self, entry: &ArrivedEntry) {
        let Some(record) = &entry.record else { return };
        match subject(record) {
            Subject::Unit(serial) => self.unit(&serial.clone(), entry, record),
            Subject::Certificate(sn) => {
                if let Some(serial) = self.by_sn.get(sn).cloned() {
                    self.unit(&serial, entry, record);
                }
            }
            Subject::None => self.order(record),
        }
    }

    fn order(&mut self, record: &Record) {
        let unknown = OrderSeen { quantity: None, closed: false };
        match record {
            Record::WorkOrderCreated(created) => {
                let order = &created.work_order;
                let seen = self.orders.entry(order.id.clone()).or_insert(unknown);
                seen.quantity = Some(order.quantity);
            }
            Record::WorkOrderClosed(act) => {
                self.orders.entry(act.work_order.clone()).or_insert(unknown).closed = true;
            }
            Record::GrantTaken(taken) => {
                let key = (taken.grant.work_order.clone(), taken.grant.number);
                self.grants.entry(key).or_default().quantity = Some(taken.grant.quantity);
            }
            Record::GrantGivenBack(given) => {
                let key = (given.work_order.clone(), given.number);
                let seen = self.grants.entry(key).or_default();
                seen.given_back = seen.given_back.saturating_add(given.quantity);
            }
            _ => {}
        }
    }

    fn unit(&mut self, serial: &Serial, entry: &ArrivedEntry, record: &Record) {
        let at = entry.at;
        let story = match (self.units.remove(serial), client_id_of(record)) {
            (Some(story), _) => story,
            (None, Some(client_id)) => Story::new(serial.clone(), client_id.clone(), at),
            // It speaks of a unit that was never begun, which no ledger lets happen.
            (None, None) => return,
        };
        let before = story.proven.clone();
        let mut after = story;
        after.last_at = at;
        self.change(&mut after, entry, record);
        self.claims(&after, before.as_ref());
        self.units.insert(serial.clone(), after);
    }

    fn change(&mut self, story: &mut Story, entry: &ArrivedEntry, record: &Record) {
        match record {
            Record::Begun(r) => story.begun(r, entry.attempt),
            Record::FailedEarly(r) => {
                story.failed_early(r, entry.attempt);
                self.count(entry.at, &r.end);
            }
            Record::Issued(r) => {
                story.issued(r);
                self.by_sn.insert(r.certificate.sn, story.serial.clone());
            }
            Record::CommitAsked(_) => story.asked(),
            Record::Proven(r) => {
                let open = story.open.as_ref();
                let place = open.and_then(|open| Some((open.work_order.clone()?, open.grant?)));
                if let Some(place) = place {
                    self.uses.entry((place, story.serial.clone())).or_insert(entry.at);
                }
                story.proven(r, entry.at);
            }
            Record::Ended(r) => {
                story.ended(r);
                self.count(entry.at, &r.end);
            }
            Record::UnitVoided(_) => story.voided(),
            Record::ReworkAllowed(_) => story.marks.rework = true,
            Record::UnitScrapped(_) => story.scrapped(),
            Record::Adopted(r) => {
                story.adopted(r, entry.attempt, entry.at);
                self.by_sn.insert(r.certificate.sn, story.serial.clone());
            }
            Record::Shipped(_) => story.marks.shipped = true,
            Record::Answered(r) if story.holds(&r.certificate_sn) => {
                if let Answer::Done { .. } = r.answer {
                    story.marks.registered =
                        matches!(r.operation, Operation::Register | Operation::Activate);
                }
            }
            Record::RegisteredByHand(r) if story.holds(&r.certificate_sn) => {
                story.marks.registered = true;
            }
            Record::Found(r) if story.holds(&r.certificate_sn) => story.marks.registered = true,
            Record::Contradicted(r) if story.holds(&r.certificate_sn) => {
                story.marks.registered = false;
            }
            _ => {}
        }
    }

    fn count(&mut self, at: Timestamp, end: &End) {
        let day = i32::try_from(at.0.div_euclid(DAY_US)).unwrap_or(i32::MAX);
        let count = self.days.entry(day).or_default();
        match end {
            End::Passed => count.passed += 1,
            End::Failed { .. } => count.failed += 1,
            End::Interrupted { .. } => count.interrupted += 1,
        }
    }

    /// A key and a certificate stay claimed for ever; a client id and a device as long as they
    /// are the unit's.
    fn claims(&mut self, story: &Story, before: Option<&Identity>) {
        let after = story.proven.as_ref();
        if before == after {
            return;
        }
        let serial = &story.serial;
        let hold = |kind, value| Claim { kind, value, serial: serial.clone() };
        let passing = |identity: &Identity| {
            [
                hold(ClaimKind::ClientId, story.client_id.to_string()),
                hold(ClaimKind::HardwareId, identity.hardware_id.to_string()),
            ]
        };
        for claim in before.into_iter().flat_map(passing) {
            self.claimed.remove(&claim);
            self.released.insert(claim);
        }
        let Some(identity) = after else { return };
        for claim in passing(identity) {
            self.released.remove(&claim);
            self.claimed.insert(claim);
        }
        let certificate = &identity.certificate;
        let sn = certificate.certificate_sn.to_string();
        self.claimed.insert(hold(ClaimKind::CertificateSn, sn));
        self.claimed.insert(hold(ClaimKind::PublicKey, certificate.public_key.to_string()));
    }
}

fn client_id_of(record: &Record) -> Option<&ClientId> {
    match record {
        Record::Begun(r) => Some(&r.client_id),
        Record::FailedEarly(r) => Some(&r.client_id),
        Record::Adopted(r) => Some(&r.client_id),
        _ => None,
    }
}
