//! The recovery table: what to do when a device appears, from what is known and what it says.

use crate::domain::certificate::CertificateState;
use crate::domain::code::Code;
use crate::domain::device::{Fault, Seen};
use crate::domain::identity::KeyOrigin;
use crate::domain::ids::{CertificateSn, HardwareId, Serial};
use crate::domain::record::{
    End, Holds, Looked, Open, Owners, ProvenIdentity, Rework, Standing, Step,
};
use crate::domain::say::Say;
use crate::say;

use super::state::Entry;

/// What to do with a device that appeared for a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// A new attempt; before it, the open attempt ends and its certificate becomes void.
    Begin {
        /// The open attempt that no device holds.
        void: Option<u32>,
    },
    /// The commit was asked and the device holds the certificate: challenge it, and
    /// complete the attempt if the answer verifies.
    Complete {
        /// The open attempt.
        attempt: u32,
        /// Its certificate.
        cert: CertificateSn,
        /// Whether the device names the image that was made with it.
        intact: bool,
    },
    /// Proven before, on this device: challenge it; nothing is burned.
    Confirm {
        /// The proven certificate.
        cert: CertificateSn,
        /// Whether the device finished after its proof.
        finished: bool,
    },
    /// Nothing may be done with this device under this label.
    Refuse(Why),
}

/// Why a device is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The hardware id or the held identity belongs to this other unit.
    OtherLabel(Serial),
    /// It holds a certificate that the ledger lacks.
    UnknownIdentity,
    /// The unit's commit was asked on other hardware.
    Elsewhere(HardwareId),
    /// The unit is proven on this other device.
    OtherDevice(HardwareId),
    /// The unit is proven on this device, which no longer holds that certificate.
    LostIdentity(CertificateSn, Holds),
    /// The unit is being worked on at this moment.
    UnderWay,
    /// The unit was scrapped.
    Scrapped,
    /// It holds an identity of this unit that the records can't explain.
    Contradiction(CertificateSn),
}

impl Why {
    /// The fault that people see.
    pub fn fault(&self, serial: &Serial) -> Fault {
        match self {
            Why::OtherLabel(other) => Fault::said(
                Code::DevOtherLabel,
                say!(
                    "this device belongs to unit {other}, not to {serial}",
                    "此设备属于单元 {other}，不属于 {serial}"
                ),
            ),
            Why::UnknownIdentity => Fault::said(
                Code::DevUnknownIdentity,
                say!(
                    "the device holds a certificate that the ledger does not know",
                    "设备持有本账本不认识的证书"
                ),
            ),
            Why::Elsewhere(hardware) => Fault::said(
                Code::UnitElsewhere,
                say!(
                    "{serial} may already be on device {hardware}, which is another one",
                    "{serial} 可能已在设备 {hardware} 上，而这是另一个设备"
                ),
            ),
            Why::OtherDevice(hardware) => Fault::said(
                Code::UnitOtherDevice,
                say!(
                    "{serial} is proven on device {hardware}; this is another one",
                    "{serial} 已在设备 {hardware} 上合格，这是另一个设备"
                ),
            ),
            Why::LostIdentity(cert, holds) => {
                let now = match holds {
                    Holds::This { cert, .. } => {
                        say!("holds certificate {cert} instead", "现在持有证书 {cert}")
                    }
                    _ => say!("holds nothing", "现在什么都没有"),
                };
                let what = Say {
                    english: format!(
                        "the device proved certificate {cert} of {serial}, and {}",
                        now.english
                    ),
                    chinese: format!("设备曾证明 {serial} 的证书 {cert}，{}", now.chinese),
                };
                Fault::said(Code::DevLostIdentity, what)
            }
            Why::UnderWay => Fault::said(
                Code::ScanDuplicate,
                say!("{serial} is being worked on", "{serial} 正在处理"),
            ),
            Why::Scrapped => {
                Fault::said(Code::UnitScrapped, say!("{serial} was scrapped", "{serial} 已报废"))
            }
            Why::Contradiction(cert) => Fault::said(
                Code::DevContradiction,
                say!(
                    "the device holds certificate {cert}, which the records can't explain",
                    "设备持有证书 {cert}，与记录对不上"
                ),
            ),
        }
    }
}

/// The recovery table.
pub fn resolve(looked: &Looked, seen: &Seen) -> Next {
    let Looked { standing, owners } = looked;
    if let Some(why) = refused_at_once(standing, owners) {
        return Next::Refuse(why);
    }
    match &standing.open {
        Open::Begun { .. } | Open::Issued { .. } | Open::Proven { .. } => {
            Next::Refuse(Why::UnderWay)
        }
        Open::Asked { hardware, .. } if *hardware != seen.hardware => {
            Next::Refuse(Why::Elsewhere(hardware.clone()))
        }
        Open::Asked { attempt, cert, .. } => asked(*attempt, *cert, &owners.identity),
        Open::None => match &standing.proven {
            Some(_) if standing.rework == Rework::Allowed => Next::Begin { void: None },
            Some(proven) => proven_before(proven, seen, &owners.identity),
            None => never_proven(&owners.identity),
        },
    }
}

fn refused_at_once(standing: &Standing, owners: &Owners) -> Option<Why> {
    if let Some(other) = &owners.hardware {
        return Some(Why::OtherLabel(other.clone()));
    }
    match &owners.identity {
        Holds::Other(other) => Some(Why::OtherLabel(other.clone())),
        Holds::Unknown => Some(Why::UnknownIdentity),
        Holds::Nothing | Holds::This { .. } => standing.scrapped.then_some(Why::Scrapped),
    }
}

fn asked(attempt: u32, cert: CertificateSn, holds: &Holds) -> Next {
    match holds {
        Holds::This { cert: held, intact, .. } if *held == cert => {
            Next::Complete { attempt, cert, intact: *intact }
        }
        _ => Next::Begin { void: Some(attempt) },
    }
}

fn proven_before(proven: &ProvenIdentity, seen: &Seen, holds: &Holds) -> Next {
    match holds {
        Holds::This { cert, .. } if *cert == proven.cert && proven.hardware == seen.hardware => {
            Next::Confirm { cert: *cert, finished: proven.finished }
        }
        _ if proven.hardware == seen.hardware => {
            Next::Refuse(Why::LostIdentity(proven.cert, holds.clone()))
        }
        _ => Next::Refuse(Why::OtherDevice(proven.hardware.clone())),
    }
}

fn never_proven(holds: &Holds) -> Next {
    match holds {
        Holds::This { cert, state, .. } if *state != CertificateState::Void => {
            Next::Refuse(Why::Contradiction(*cert))
        }
        _ => Next::Begin { void: None },
    }
}

/// What to record at start-up for a unit, before any device is looked at: an attempt
/// whose commit was never asked is over, since no device can hold its certificate; one
/// that was proven has an identity, whatever else happened.
///
/// Where devices make their keys, a certificate that was not asked for yet is kept: its
/// device may come with the same key again.
pub fn settle(standing: &Standing, origin: KeyOrigin) -> Option<Entry> {
    let interrupted = |step| End::Interrupted {
        step,
        code: Code::UnitInterrupted,
        message: "the station stopped before this attempt ended".to_owned(),
    };
    match &standing.open {
        Open::None | Open::Asked { .. } => None,
        Open::Begun { attempt, .. } => {
            Some(Entry::Ended { attempt: *attempt, end: interrupted(Step::Issue), void: false })
        }
        Open::Issued { attempt, .. } => {
            let void = origin == KeyOrigin::Station;
            Some(Entry::Ended { attempt: *attempt, end: interrupted(Step::Write), void })
        }
        Open::Proven { attempt, .. } => {
            Some(Entry::Ended { attempt: *attempt, end: interrupted(Step::Finish), void: false })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::domain::certificate::Proof;
    use crate::domain::device::{Security, ToldBy};

    const PROVEN: u8 = 0x21;
    const OPEN: u8 = 0x22;
    const OLD: u8 = 0x23;
    const VOID: u8 = 0x24;

    fn hardware(id: u8) -> HardwareId {
        HardwareId::from_bytes(&[id; 4]).unwrap()
    }

    fn sn(id: u8) -> CertificateSn {
        CertificateSn::from_bytes(&[id; 16]).unwrap()
    }

    fn seen() -> Seen {
        Seen {
            hardware: hardware(1),
            told_by: ToldBy::HardwareId,
            model: String::new(),
            firmware: String::new(),
            factory_serial: None,
            holds: None,
            locked: false,
            security: Security::default(),
            best_proof: Proof::Possession,
            makes_keys: false,
            can_lock: false,
        }
    }

    fn opens() -> Vec<(&'static str, Open)> {
        let (here, there) = (hardware(1), hardware(2));
        let (attempt, cert) = (7, sn(OPEN));
        vec![
            ("none", Open::None),
            ("begun", Open::Begun { attempt, hardware: here.clone() }),
            ("issued", Open::Issued { attempt, hardware: here.clone(), cert }),
            ("asked here", Open::Asked { attempt, hardware: here.clone(), cert }),
            ("asked elsewhere", Open::Asked { attempt, hardware: there, cert }),
            ("proven", Open::Proven { attempt, hardware: here, cert }),
        ]
    }

    fn provens() -> Vec<(&'static str, Option<ProvenIdentity>)> {
        let proven = |id, finished| {
            Some(ProvenIdentity { hardware: hardware(id), cert: sn(PROVEN), finished })
        };
        vec![
            ("never", None),
            ("here", proven(1, true)),
            ("here, unfinished", proven(1, false)),
            ("elsewhere", proven(2, true)),
        ]
    }

    fn holdings() -> Vec<(&'static str, Owners)> {
        let owners = |identity| Owners { hardware: None, identity };
        let this = |id, state| owners(Holds::This { cert: sn(id), state, intact: true });
        let other: Serial = "OTHER".parse().unwrap();
        vec![
            ("nothing", owners(Holds::Nothing)),
            ("the proven one", this(PROVEN, CertificateState::Proven)),
            ("the open one", this(OPEN, CertificateState::Uncertain)),
            ("a superseded one", this(OLD, CertificateState::Superseded)),
            ("a void one", this(VOID, CertificateState::Void)),
            ("another unit's", owners(Holds::Other(other.clone()))),
            ("an unknown one", owners(Holds::Unknown)),
            ("is another unit's", Owners { hardware: Some(other), identity: Holds::Nothing }),
        ]
    }

    fn words(next: &Next) -> String {
        match next {
            Next::Begin { void: None } => "new attempt".to_owned(),
            Next::Begin { void: Some(_) } => "void, new attempt".to_owned(),
            Next::Complete { .. } => "challenge, complete".to_owned(),
            Next::Confirm { finished: true, .. } => "challenge, shown as proven".to_owned(),
            Next::Confirm { finished: false, .. } => "challenge, finish".to_owned(),
            Next::Refuse(why) => why.fault(&"UNIT".parse().unwrap()).code.to_string(),
        }
    }

    fn table() -> String {
        let mut text = String::from("open attempt | proven | rework | the device holds | then\n");
        for (open_name, open) in opens() {
            for (proven_name, proven) in provens() {
                for (rework_name, rework) in [("no", Rework::No), ("allowed", Rework::Allowed)] {
                    for (holds_name, owners) in holdings() {
                        let standing = Standing {
                            proven: proven.clone(),
                            rework,
                            open: open.clone(),
                            scrapped: false,
                        };
                        let next = resolve(&Looked { standing, owners }, &seen());
                        writeln!(
                            text,
                            "{open_name} | {proven_name} | {rework_name} | {holds_name} | {}",
                            words(&next)
                        )
                        .unwrap();
                    }
                }
            }
        }
        text
    }

    #[test]
    fn every_combination_is_a_row_of_the_table() {
        let frozen = include_str!("recovery_table.txt");
        for (row, frozen_row) in table().lines().zip(frozen.lines()) {
            assert_eq!(row, frozen_row);
        }
        assert_eq!(table().lines().count(), frozen.lines().count());
    }

    #[test]
    fn a_scrapped_unit_takes_no_device() {
        let standing = Standing { scrapped: true, ..Standing::default() };
        let next = resolve(&Looked { standing, owners: Owners::default() }, &seen());
        assert_eq!(next, Next::Refuse(Why::Scrapped));
    }

    #[test]
    fn start_up_keeps_the_certificate_of_a_device_that_may_come_with_its_key_again() {
        let issued = Open::Issued { attempt: 1, hardware: hardware(1), cert: sn(OPEN) };
        let standing = Standing { open: issued, ..Standing::default() };
        let settled = settle(&standing, KeyOrigin::Device);
        assert!(matches!(settled, Some(Entry::Ended { void: false, .. })), "{settled:?}");
    }

    #[test]
    fn start_up_ends_what_no_device_can_hold_and_leaves_what_one_may() {
        let settled: Vec<_> = opens()
            .into_iter()
            .map(|(name, open)| {
                let standing = Standing { open, ..Standing::default() };
                let void = match settle(&standing, KeyOrigin::Station) {
                    None => None,
                    Some(Entry::Ended { void, end: End::Interrupted { .. }, .. }) => Some(void),
                    Some(other) => panic!("{other:?}"),
                };
                (name, void)
            })
            .collect();
        let expected = [
            ("none", None),
            ("begun", Some(false)),
            ("issued", Some(true)),
            ("asked here", None),
            ("asked elsewhere", None),
            ("proven", Some(false)),
        ];
        assert_eq!(settled, expected);
    }
}
