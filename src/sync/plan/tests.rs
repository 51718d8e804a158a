//! The plan as a table, and what must hold in every corner of it.

use super::*;
use crate::domain::ids::{CertificateSn, Fingerprint};

fn row(operation: Operation) -> OutboxRow {
    OutboxRow {
        id: 1,
        serial: "TH-1".parse().unwrap(),
        client_id: "TH-1".parse().unwrap(),
        sn: CertificateSn::from_bytes(&[0x10; 16]).unwrap(),
        fingerprint: Fingerprint::new([1; 32]),
        der: std::sync::Arc::from(&b"der"[..]),
        issuer: Fingerprint::new([2; 32]),
        certificate: CertificateState::Proven,
        operation,
        state: OutboxState::Waiting,
        tries: 0,
        sent: None,
        trouble: None,
        registration: RegistrationState::None,
        status: None,
        cloud_sn: None,
    }
}

const MANUAL: Rules =
    Rules { registering: Registering::Manual, may_revoke: true, retry_rejected: false };
const AUTOMATIC: Rules = Rules { registering: Registering::Automatic, ..MANUAL };
const UNARMED: Rules = Rules { may_revoke: false, ..MANUAL };
const AGAIN: Rules = Rules { retry_rejected: true, ..MANUAL };

fn same(status: CloudStatus) -> Says {
    Says::Same { status: Some(status), sn: "10".to_owned() }
}

fn everything_said() -> Vec<Says> {
    let mut all = vec![
        Says::NotAsked,
        Says::Absent,
        Says::Other,
        Says::OtherClient("x".to_owned()),
        Says::Same { status: None, sn: "10".to_owned() },
    ];
    all.extend(CloudStatus::ALL.map(same));
    all
}

/// Every combination of where a row, its certificate and its registration stand.
fn every_row() -> Vec<OutboxRow> {
    use CertificateState::{Issued, Proven, Superseded, Uncertain, Void};
    let mut rows = Vec::new();
    for operation in Operation::ALL {
        for state in [OutboxState::Waiting, OutboxState::Claimed, OutboxState::Parked] {
            for certificate in [Issued, Uncertain, Proven, Superseded, Void] {
                for registration in RegistrationState::ALL.iter().copied() {
                    for cloud_sn in [None, Some("10".to_owned())] {
                        let sent = OutboxRow { state, certificate, registration, ..row(operation) };
                        rows.push(OutboxRow { cloud_sn, ..sent });
                    }
                }
            }
        }
    }
    rows
}

/// Calls `holds` for every row under every rule with everything that a cloud may say.
fn everywhere(holds: impl Fn(&OutboxRow, &Says, &Rules, &Deed) -> bool) {
    for rules in [MANUAL, AUTOMATIC, UNARMED, AGAIN] {
        for row in every_row() {
            for says in everything_said() {
                let deed = decide(&row, &says, &rules);
                assert!(
                    holds(&row, &says, &rules, &deed),
                    "{row:?}\n{says:?}\n{rules:?}\n{deed:?}"
                );
            }
        }
    }
}

#[test]
fn only_a_proven_certificate_is_uploaded_or_activated() {
    everywhere(|row, _, rules, deed| match deed {
        Deed::Register => {
            row.certificate == CertificateState::Proven && rules.registering == Registering::Manual
        }
        Deed::Set(CloudStatus::Active) => row.certificate == CertificateState::Proven,
        _ => true,
    });
}

#[test]
fn what_is_unclear_is_looked_up_before_any_call() {
    everywhere(|row, says, _, deed| {
        let is_call = matches!(deed, Deed::Register | Deed::Set(_));
        !(row.state == OutboxState::Claimed && *says == Says::NotAsked && is_call)
    });
}

#[test]
fn nothing_is_changed_under_another_certificate_s_serial_number() {
    everywhere(|_, says, _, deed| {
        *says != Says::Other || !matches!(deed, Deed::Register | Deed::Set(_))
    });
}

#[test]
fn nothing_is_uploaded_where_something_stands() {
    everywhere(|_, says, _, deed| {
        *deed != Deed::Register || matches!(says, Says::NotAsked | Says::Absent)
    });
}

#[test]
fn one_look_is_enough() {
    everywhere(|_, says, _, deed| *says == Says::NotAsked || *deed != Deed::LookUp);
}

#[test]
fn without_credentials_nothing_is_deactivated_or_revoked() {
    everywhere(|_, _, rules, deed| {
        let changes = matches!(deed, Deed::Set(CloudStatus::Inactive | CloudStatus::Revoked));
        rules.may_revoke || !changes
    });
}

#[test]
fn done_is_said_only_of_what_was_seen() {
    everywhere(|row, says, _, deed| match deed {
        Deed::Settle(Answer::Done { .. }) => {
            matches!(says, Says::Same { .. }) || row.status.is_some()
        }
        _ => true,
    });
}

/// One line of the table: where the row stands, what the cloud says, what is done.
type Line =
    (Operation, OutboxState, RegistrationState, CertificateState, Says, Rules, &'static str);

fn said(deed: &Deed) -> String {
    match deed {
        Deed::Settle(Answer::Done { status, .. }) => {
            format!("done {}", status.map_or("?", CloudStatus::as_str))
        }
        Deed::Settle(Answer::Nothing) => "nothing".to_owned(),
        Deed::Settle(Answer::Conflict { .. }) => "conflict".to_owned(),
        Deed::Settle(Answer::Rejected { code, .. }) => format!("rejected {code}"),
        Deed::Settle(Answer::NotDone { .. }) => "not done".to_owned(),
        other => other.as_str().to_owned(),
    }
}

#[test]
fn the_table_reads_as_designed() {
    use CertificateState::{Proven, Superseded, Void};
    use CloudStatus::{Active, Inactive, PendingActivation, Revoked};
    use Operation::{Activate, Deactivate, Register, Revoke};
    use OutboxState::{Claimed, Parked, Waiting};
    use RegistrationState as R;
    let lines: Vec<Line> = vec![
        // A new one is uploaded; one that was sent is looked up.
        (Register, Waiting, R::None, Proven, Says::NotAsked, MANUAL, "register"),
        (Register, Waiting, R::Deferred, Proven, Says::NotAsked, MANUAL, "register"),
        (Register, Claimed, R::Unclear, Proven, Says::NotAsked, MANUAL, "look-up"),
        (Register, Claimed, R::Unclear, Proven, Says::Absent, MANUAL, "register"),
        (Register, Claimed, R::Unclear, Proven, same(Active), MANUAL, "done ACTIVE"),
        (Register, Claimed, R::Unclear, Proven, same(Inactive), MANUAL, "done INACTIVE"),
        (
            Register,
            Claimed,
            R::Unclear,
            Proven,
            same(PendingActivation),
            MANUAL,
            "done PENDING_ACTIVATION",
        ),
        (Register, Claimed, R::Unclear, Proven, same(Revoked), MANUAL, "rejected E-CLOUD-REVOKED"),
        (Register, Claimed, R::Unclear, Proven, Says::Other, MANUAL, "conflict"),
        (Register, Claimed, R::Unclear, Proven, Says::OtherClient("x".into()), MANUAL, "conflict"),
        // A conflict is looked at again, what was refused for good is not.
        (Register, Parked, R::Conflict, Proven, Says::NotAsked, MANUAL, "look-up"),
        (Register, Parked, R::Conflict, Proven, Says::Absent, MANUAL, "register"),
        (Register, Parked, R::Rejected, Proven, Says::NotAsked, MANUAL, "stay-rejected"),
        (Register, Parked, R::Rejected, Proven, Says::NotAsked, AGAIN, "look-up"),
        // Void or superseded: never uploaded, and known to be there if it is.
        (Register, Waiting, R::None, Void, Says::NotAsked, MANUAL, "nothing"),
        (Register, Claimed, R::Unclear, Void, Says::NotAsked, MANUAL, "look-up"),
        (Register, Claimed, R::Unclear, Void, Says::Absent, MANUAL, "nothing"),
        (Register, Claimed, R::Unclear, Superseded, same(Active), MANUAL, "done ACTIVE"),
        (Register, Claimed, R::Unclear, Superseded, Says::Other, MANUAL, "nothing"),
        // By itself.
        (Register, Waiting, R::None, Proven, Says::NotAsked, AUTOMATIC, "wait-for-device"),
        (Register, Claimed, R::Unclear, Proven, Says::NotAsked, AUTOMATIC, "look-up"),
        (Register, Claimed, R::Unclear, Proven, Says::Absent, AUTOMATIC, "not done"),
        (Register, Claimed, R::Unclear, Proven, same(Active), AUTOMATIC, "done ACTIVE"),
        // Revoking.
        (Revoke, Waiting, R::Withdrawn, Void, Says::NotAsked, MANUAL, "nothing"),
        (Revoke, Waiting, R::Unclear, Void, Says::NotAsked, MANUAL, "look-up"),
        (Revoke, Waiting, R::Unclear, Void, Says::Absent, MANUAL, "nothing"),
        (Revoke, Waiting, R::Registered, Void, Says::NotAsked, UNARMED, "look-up"),
        (Revoke, Claimed, R::Registered, Void, Says::NotAsked, MANUAL, "look-up"),
        (Revoke, Claimed, R::Registered, Void, same(Active), MANUAL, "revoke"),
        (Revoke, Claimed, R::Registered, Void, same(Active), UNARMED, "wait-for-revoker"),
        (Revoke, Claimed, R::Registered, Void, same(Revoked), UNARMED, "done REVOKED"),
        (Revoke, Claimed, R::Registered, Void, Says::Other, MANUAL, "nothing"),
        // Holding back and letting go.
        (Deactivate, Waiting, R::Registered, Proven, same(Active), MANUAL, "deactivate"),
        (Deactivate, Waiting, R::Registered, Proven, same(Inactive), MANUAL, "done INACTIVE"),
        (Deactivate, Waiting, R::Registered, Proven, same(Revoked), MANUAL, "done REVOKED"),
        (Activate, Waiting, R::Registered, Proven, same(PendingActivation), UNARMED, "activate"),
        (Activate, Waiting, R::Registered, Proven, same(Active), MANUAL, "done ACTIVE"),
        (
            Activate,
            Waiting,
            R::Registered,
            Proven,
            same(Revoked),
            MANUAL,
            "rejected E-CLOUD-REVOKED",
        ),
        (Activate, Waiting, R::Registered, Proven, Says::Absent, MANUAL, "missing"),
        (Activate, Waiting, R::Registered, Proven, Says::Other, MANUAL, "differs"),
        (Activate, Waiting, R::Unclear, Proven, Says::Absent, MANUAL, "rejected E-CLOUD-ABSENT"),
        (Activate, Waiting, R::Registered, Superseded, Says::NotAsked, MANUAL, "nothing"),
    ];
    for (operation, state, registration, certificate, says, rules, wanted) in lines {
        let row = OutboxRow { state, registration, certificate, ..row(operation) };
        let deed = decide(&row, &says, &rules);
        assert_eq!(said(&deed), wanted, "{operation:?} {state} {registration} {certificate:?}");
    }
}

#[test]
fn a_registered_certificate_is_moved_without_a_look() {
    let known = OutboxRow {
        registration: RegistrationState::Registered,
        cloud_sn: Some("010".to_owned()),
        status: Some(CloudStatus::Active),
        certificate: CertificateState::Void,
        ..row(Operation::Revoke)
    };
    assert_eq!(decide(&known, &Says::NotAsked, &MANUAL), Deed::Set(CloudStatus::Revoked));
    assert_eq!(decide(&known, &Says::NotAsked, &UNARMED), Deed::Wait(Waits::ForRevoker));
    let revoked = OutboxRow { status: Some(CloudStatus::Revoked), ..known };
    assert_eq!(said(&decide(&revoked, &Says::NotAsked, &MANUAL)), "done REVOKED");
}

fn page(total: u64, certificates: Vec<CloudCertificate>) -> CertificatePage {
    CertificatePage { total, certificates }
}

fn found(sn: &str) -> CloudCertificate {
    CloudCertificate {
        sn: sn.to_owned(),
        fingerprint: Some(Fingerprint::new([1; 32])),
        ca: crate::domain::registration::CaSn("1".to_owned()),
        client_id: "TH-1".to_owned(),
        status: Some(CloudStatus::Active),
        automatic: false,
    }
}

#[test]
fn a_serial_number_is_recognised_in_every_spelling_and_a_certificate_by_its_der() {
    let row = row(Operation::Register);
    let plain = "10".repeat(16);
    for spelt in [plain.clone(), format!("0{plain}"), format!("0x{plain}"), plain.to_uppercase()] {
        let says = Says::of(&row, &page(1, vec![found(&spelt)])).unwrap();
        assert_eq!(says, Says::Same { status: Some(CloudStatus::Active), sn: spelt });
    }
    let other = CloudCertificate { fingerprint: Some(Fingerprint::new([9; 32])), ..found(&plain) };
    assert_eq!(Says::of(&row, &page(1, vec![other])), Ok(Says::Other));
    let moved = CloudCertificate { client_id: "TH-2".to_owned(), ..found(&plain) };
    assert_eq!(Says::of(&row, &page(1, vec![moved])), Ok(Says::OtherClient("TH-2".to_owned())));
    let nobody = CloudCertificate { client_id: String::new(), ..found(&plain) };
    assert!(matches!(Says::of(&row, &page(1, vec![nobody])), Ok(Says::Same { .. })));
    assert_eq!(Says::of(&row, &page(0, vec![])), Ok(Says::Absent));
}

#[test]
fn nothing_is_concluded_from_an_answer_that_makes_no_sense() {
    let row = row(Operation::Register);
    assert!(Says::of(&row, &page(1, vec![])).is_err());
    assert!(Says::of(&row, &page(1, vec![found("1234")])).is_err());
    let unreadable = CloudCertificate { fingerprint: None, ..found(&"10".repeat(16)) };
    assert_eq!(Says::of(&row, &page(1, vec![unreadable])), Err(Nonsense::Unreadable));
}

#[test]
fn a_look_waits_until_the_call_can_t_be_under_way_any_more() {
    let limit = Duration::from_secs(30);
    let at = |seconds: i64| Timestamp(seconds * 1_000_000);
    assert_eq!(wait_before_look(None, at(100), limit), Duration::ZERO);
    assert_eq!(wait_before_look(Some(at(90)), at(100), limit), Duration::from_secs(20));
    assert_eq!(wait_before_look(Some(at(60)), at(100), limit), Duration::ZERO);
    // A clock that was set back makes nobody wait for longer.
    assert_eq!(wait_before_look(Some(at(5000)), at(100), limit), limit);
}

#[test]
fn the_plan_puts_what_is_uncertain_first_and_what_failed_before_last() {
    let of = |id, state, tries, registration| OutboxRow {
        id,
        state,
        tries,
        registration,
        ..row(Operation::Register)
    };
    let rows = vec![
        of(1, OutboxState::Parked, 1, RegistrationState::Rejected),
        of(2, OutboxState::Waiting, 3, RegistrationState::Deferred),
        of(3, OutboxState::Waiting, 0, RegistrationState::None),
        of(4, OutboxState::Claimed, 1, RegistrationState::Unclear),
        of(5, OutboxState::Parked, 1, RegistrationState::Conflict),
        of(6, OutboxState::Waiting, 0, RegistrationState::None),
    ];
    let order: Vec<u64> = plan(rows, &MANUAL).iter().map(|(row, _)| row.id).collect();
    assert_eq!(order, [4, 3, 6, 2, 5, 1]);
}
