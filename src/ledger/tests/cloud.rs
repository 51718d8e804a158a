//! What is asked of the cloud: rows of the outbox, registrations, instances, and the gate.

use super::testing::*;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::ids::Fingerprint;
use crate::domain::outbox::{
    ActivationAsked, Answer, Contradicted, Contradiction, CrlIssued, Found, Operation,
    RegisteredByHand, Shipped,
};
use crate::domain::record::{Begun, End, Record, Refusal};
use crate::domain::registration::CloudStatus;
use crate::outbox::{Gate, OutboxRow};
use crate::states::{OutboxState, RegistrationState, UnitState};
use crate::{Audit, Ledger, Reader, verify};

struct Bench {
    dir: tempfile::TempDir,
    ledger: Ledger,
    reader: Reader,
}

/// A ledger with units 1 to n proven and finished.
fn bench(units: u32) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    for number in 1..=units {
        let begun = Begun { product: Some("TH200".to_owned()), ..begun(number) };
        take(&ledger, begun, number, Until::Passed);
    }
    let reader = ledger.reader().unwrap();
    Bench { dir, ledger, reader }
}

impl Bench {
    fn record(&self, record: Record) {
        self.ledger.writer().record(record).unwrap();
    }

    fn refused(&self, record: Record) -> Code {
        refusal(self.ledger.writer().record(record)).code
    }

    fn open(&self) -> Vec<OutboxRow> {
        self.reader.outbox(0, 99).unwrap()
    }

    /// The first open row of unit n.
    fn row(&self, number: u32) -> OutboxRow {
        let client_id = begun(number).client_id;
        self.reader.outbox_of(&client_id).unwrap().unwrap()
    }

    fn register(&self, number: u32, status: CloudStatus) {
        let row = self.row(number);
        self.record(sent(&row));
        self.record(answered(&row, done(status)));
    }

    fn state(&self, number: u32) -> UnitState {
        self.reader.unit_story(&serial(number)).unwrap().unwrap().state
    }

    fn registration(&self, cert: u32) -> RegistrationState {
        self.reader.known(&sn(cert)).unwrap().unwrap().registration
    }

    fn ship(&self, number: u32, cert: u32) -> Record {
        Record::Shipped(Shipped { serial: serial(number), certificate_sn: sn(cert), by: person() })
    }

    fn assert_it_verifies(&self) {
        let data = self.dir.path().join("data");
        let found = verify(&data, &Checker, &Audit::default()).unwrap();
        assert!(found.valid, "{:?}", found.why);
    }
}

fn trouble() -> (Code, String) {
    (Code::CloudUnclear, "no answer within 30 s".to_owned())
}

#[test]
fn a_registration_goes_from_waiting_by_unclear_to_registered() {
    let bench = bench(1);
    assert_eq!(bench.reader.cloud().unwrap(), None);
    bench.record(choose("mqtt-a"));
    assert_eq!(bench.reader.cloud().unwrap(), Some(cloud("mqtt-a")));
    let row = bench.row(1);
    assert_eq!((row.state, row.tries, row.sent), (OutboxState::Waiting, 0, None));
    bench.record(sent(&row));
    let row = bench.row(1);
    assert_eq!((row.state, row.tries), (OutboxState::Claimed, 1));
    assert_eq!(row.sent.unwrap().0, START);
    assert_eq!(bench.registration(1), RegistrationState::Unclear);
    bench.record(answered(&row, done(CloudStatus::Active)));
    assert_eq!(bench.open(), []);
    assert_eq!(bench.state(1), UnitState::Registered);
    let story = bench.reader.unit_story(&serial(1)).unwrap().unwrap();
    let registration = &story.certificates[0].registration;
    assert_eq!(registration.status.as_deref(), Some("ACTIVE"));
    assert_eq!((registration.tries, registration.registered_at.unwrap().0), (1, START));
    let accepted = |product| bench.reader.accepted(&ca(), &cloud("mqtt-a"), product).unwrap();
    assert_eq!((accepted("TH200"), accepted("TH300")), (1, 0));
    assert_eq!(bench.refused(sent(&row)), Code::UnitState);
    bench.assert_it_verifies();
}

#[test]
fn what_was_not_done_waits_again_and_what_is_unclear_stays_claimed() {
    let bench = bench(1);
    bench.record(choose("mqtt-a"));
    let (code, message) = trouble();
    for (answer, state, registration) in [
        (
            Answer::NotDone { code, message: message.clone() },
            OutboxState::Waiting,
            RegistrationState::Deferred,
        ),
        (
            Answer::Unclear { code, message: message.clone() },
            OutboxState::Claimed,
            RegistrationState::Unclear,
        ),
        (
            Answer::Conflict { message: message.clone() },
            OutboxState::Parked,
            RegistrationState::Conflict,
        ),
        (
            Answer::Rejected { code, message: message.clone() },
            OutboxState::Parked,
            RegistrationState::Rejected,
        ),
    ] {
        let row = bench.row(1);
        bench.record(sent(&row));
        bench.record(answered(&row, answer));
        let row = bench.row(1);
        assert_eq!((row.state, row.registration), (state, registration));
        assert_eq!(row.trouble.unwrap().1, message);
    }
    assert_eq!(bench.row(1).tries, 4);
    bench.assert_it_verifies();
}

#[test]
fn a_void_certificate_is_not_sent_and_not_tried_again() {
    let bench = bench(2);
    bench.record(choose("mqtt-a"));
    let [first, second] = [bench.row(1), bench.row(2)];
    bench.record(sent(&second));
    bench.record(Record::UnitVoided(act(1)));
    bench.record(Record::UnitVoided(act(2)));
    assert_eq!(bench.refused(sent(&first)), Code::UnitState);
    assert_eq!(bench.refused(sent(&second)), Code::UnitState);
    let (code, message) = trouble();
    bench.record(answered(&second, Answer::NotDone { code, message }));
    assert_eq!(bench.registration(2), RegistrationState::Withdrawn);
    // The revoke was queued while nobody knew, and finds nothing to do.
    let revoke = bench.row(2);
    assert_eq!(revoke.operation, Operation::Revoke);
    bench.record(answered(&revoke, Answer::Nothing));
    assert_eq!(bench.open(), []);
    bench.assert_it_verifies();
}

#[test]
fn operations_of_one_client_id_are_sent_in_order() {
    let bench = bench(1);
    bench.record(choose("mqtt-a"));
    let first = bench.row(1);
    bench.record(sent(&first));
    bench.record(Record::ReworkAllowed(act(1)));
    take(&bench.ledger, begun(1), 2, Until::Passed);
    let connection = &bench.reader.connection;
    let sql = "SELECT operation, certificate_sn FROM outbox WHERE state <> 'withdrawn' ORDER BY id";
    let mut statement = connection.prepare(sql).unwrap();
    let rows: Vec<(Operation, _)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let wanted =
        [(Operation::Register, sn(1)), (Operation::Revoke, sn(1)), (Operation::Register, sn(2))];
    assert_eq!(rows, wanted);
    assert_eq!(bench.open().len(), 1, "only the first of a client id is shown");
    let mut last = bench.row(1);
    last.id = 4;
    (last.sn, last.operation) = (sn(2), Operation::Register);
    assert_eq!(bench.refused(sent(&last)), Code::UnitState);
    bench.record(answered(&first, done(CloudStatus::Active)));
    let revoke = bench.row(1);
    bench.record(sent(&revoke));
    bench.record(answered(&revoke, done(CloudStatus::Revoked)));
    assert_eq!(bench.registration(1), RegistrationState::Revoked);
    bench.register(1, CloudStatus::Active);
    assert_eq!(bench.state(1), UnitState::Registered);
    bench.assert_it_verifies();
}

#[test]
fn a_registered_unit_that_comes_back_is_deactivated_and_a_void_one_revoked() {
    let bench = bench(2);
    bench.record(choose("mqtt-a"));
    bench.register(1, CloudStatus::Active);
    bench.register(2, CloudStatus::Active);
    bench.record(Record::ReworkAllowed(act(1)));
    bench.record(Record::UnitVoided(act(2)));
    let (held, voided) = (bench.row(1), bench.row(2));
    assert_eq!((held.operation, voided.operation), (Operation::Deactivate, Operation::Revoke));
    bench.record(sent(&held));
    bench.record(answered(&held, done(CloudStatus::Inactive)));
    assert_eq!(bench.reader.known(&sn(1)).unwrap().unwrap().status, Some(CloudStatus::Inactive));
    bench.record(Record::UnitScrapped(act(1)));
    assert_eq!(bench.row(1).operation, Operation::Revoke);
    bench.assert_it_verifies();
}

#[test]
fn another_instance_gets_what_is_proven_and_the_old_one_keeps_its_registrations() {
    let bench = bench(4);
    bench.record(choose("mqtt-a"));
    bench.register(1, CloudStatus::Active);
    bench.record(sent(&bench.row(2)));
    bench.record(Record::UnitVoided(act(4)));
    bench.record(choose("mqtt-b"));
    let queued: Vec<_> = bench.open().iter().map(|row| (row.sn, row.operation)).collect();
    let register = Operation::Register;
    assert_eq!(queued, [(sn(1), register), (sn(2), register), (sn(3), register)]);
    assert_eq!(bench.state(1), UnitState::Proven, "it does not stand in the new one");
    assert_eq!(bench.reader.outbox_elsewhere().unwrap(), 1, "nobody knows of the second one");
    bench.register(1, CloudStatus::Active);
    bench.record(choose("mqtt-a"));
    assert_eq!(bench.state(1), UnitState::Registered, "it stands there still");
    let rows: Vec<_> = bench.open().iter().map(|row| (row.sn, row.state)).collect();
    assert_eq!(rows, [(sn(2), OutboxState::Claimed), (sn(3), OutboxState::Waiting)]);
    bench.assert_it_verifies();
}

#[test]
fn what_is_found_in_the_cloud_is_registered_and_a_void_one_is_revoked() {
    let bench = bench(2);
    bench.record(choose("mqtt-a"));
    bench.record(Record::UnitVoided(act(2)));
    for (number, status) in [(1, CloudStatus::Active), (2, CloudStatus::PendingActivation)] {
        bench.record(Record::Found(Found {
            certificate_sn: sn(number),
            sn: "1f".to_owned(),
            status: Some(status),
            revoke: true,
        }));
    }
    assert_eq!(bench.state(1), UnitState::Registered);
    assert_eq!(bench.state(2), UnitState::Void);
    let open: Vec<_> = bench.open().iter().map(|row| (row.sn, row.operation)).collect();
    assert_eq!(open, [(sn(2), Operation::Revoke)]);
    bench.assert_it_verifies();
}

#[test]
fn what_the_cloud_contradicts_is_no_longer_registered_and_is_open_work() {
    let bench = bench(2);
    bench.record(choose("mqtt-a"));
    let contradicted = |number, contradiction| {
        let message = "it was looked for".to_owned();
        Record::Contradicted(Contradicted { certificate_sn: sn(number), contradiction, message })
    };
    let early = bench.refused(contradicted(1, Contradiction::Missing));
    assert_eq!(early, Code::UnitState, "it was never registered");
    bench.register(1, CloudStatus::Active);
    bench.register(2, CloudStatus::Active);
    assert!(matches!(bench.reader.gate(&serial(1)).unwrap(), Some(Gate::Open(_))));
    bench.record(contradicted(1, Contradiction::Missing));
    bench.record(contradicted(2, Contradiction::Differs));
    for (number, registration, row) in [
        (1, RegistrationState::Waiting, OutboxState::Waiting),
        (2, RegistrationState::Conflict, OutboxState::Parked),
    ] {
        assert_eq!(bench.state(number), UnitState::Proven);
        let known = bench.reader.known(&sn(number)).unwrap().unwrap();
        assert_eq!((known.registration, known.status), (registration, None));
        assert_eq!(bench.row(number).state, row);
        let gate = bench.reader.gate(&serial(number)).unwrap();
        assert!(
            matches!(gate, Some(Gate::Shut(why)) if why.english.ends_with("it was looked for"))
        );
    }
    bench.register(1, CloudStatus::Active);
    assert_eq!(bench.state(1), UnitState::Registered, "it was registered again");
    bench.assert_it_verifies();
}

#[test]
fn what_the_cloud_knew_before_its_proof_is_registered_by_it_and_not_revoked() {
    let bench = bench(0);
    let of = take(&bench.ledger, begun(1), 1, Until::Asked);
    bench.record(choose("mqtt-a"));
    bench.record(Record::Found(Found {
        certificate_sn: sn(1),
        sn: "1f".to_owned(),
        status: Some(CloudStatus::Active),
        revoke: true,
    }));
    assert_eq!(bench.open().len(), 0, "the unit may be proven yet");
    bench.record(proven(of.clone()));
    bench.record(ended(of, End::Passed, false));
    assert_eq!(bench.state(1), UnitState::Registered);
    assert_eq!(bench.open().len(), 0);
    bench.assert_it_verifies();
}

#[test]
fn a_unit_leaves_once_its_certificate_is_active_or_was_registered_by_hand() {
    let bench = bench(3);
    let gate = |number| bench.reader.gate(&serial(number)).unwrap();
    assert!(matches!(gate(1), Some(Gate::Shut(_))));
    assert_eq!(bench.refused(bench.ship(1, 1)), Code::ShipNotActive);
    assert_eq!(bench.refused(bench.ship(9, 9)), Code::UnitUnknown);
    assert_eq!(gate(9), None);
    bench.record(choose("mqtt-a"));
    bench.register(1, CloudStatus::Inactive);
    assert_eq!(gate(1), Some(Gate::Inactive(sn(1))));
    assert_eq!(bench.refused(bench.ship(1, 1)), Code::ShipNotActive);
    let asked = ActivationAsked { serial: serial(1), certificate_sn: sn(1), by: person() };
    bench.record(Record::ActivationAsked(asked.clone()));
    let activate = bench.row(1);
    assert_eq!(activate.operation, Operation::Activate);
    bench.record(sent(&activate));
    bench.record(answered(&activate, done(CloudStatus::Active)));
    assert_eq!(gate(1), Some(Gate::Open(sn(1))));
    assert_eq!(bench.refused(bench.ship(1, 2)), Code::ShipNotActive);
    bench.record(bench.ship(1, 1));
    assert_eq!((gate(1), bench.state(1)), (Some(Gate::Gone(sn(1))), UnitState::Shipped));
    assert_eq!(bench.refused(Record::ActivationAsked(asked)), Code::UnitState);

    let by_hand = RegisteredByHand { certificate_sn: sn(2), cloud: cloud("mqtt-a"), by: person() };
    bench.record(Record::RegisteredByHand(by_hand));
    bench.record(bench.ship(2, 2));
    bench.record(Record::ReworkAllowed(act(3)));
    assert!(matches!(gate(3), Some(Gate::Shut(_))));
    bench.assert_it_verifies();
}

#[test]
fn a_unit_whose_device_did_not_finish_does_not_leave() {
    let bench = bench(0);
    let of = take(&bench.ledger, begun(1), 1, Until::Proven);
    bench.record(ended(of, failure(), false));
    bench.record(choose("mqtt-a"));
    bench.register(1, CloudStatus::Active);
    assert_eq!(bench.refused(bench.ship(1, 1)), Code::ShipNotActive);
}

#[test]
fn an_answer_for_another_row_is_a_bug_and_harms_no_other() {
    let bench = bench(1);
    bench.record(choose("mqtt-a"));
    let row = bench.row(1);
    let wrong = OutboxRow { sn: sn(2), ..row.clone() };
    let writer = bench.ledger.writer();
    let tickets = [sent(&wrong), sent(&row)].map(|record| writer.submit(record));
    let [wrong, right] = tickets.map(|ticket| ticket.wait());
    assert!(matches!(wrong, Err(Refusal::Row(fault)) if fault.code == Code::Bug));
    right.unwrap();
}

#[test]
fn the_retired_certificates_of_a_ca_are_listed_with_their_time() {
    let bench = bench(3);
    bench.record(Record::UnitVoided(act(1)));
    bench.record(Record::ReworkAllowed(act(2)));
    take(&bench.ledger, begun(2), 4, Until::Passed);
    let retired = bench.reader.retired(&ca()).unwrap();
    let found: Vec<_> = retired.iter().map(|one| (one.sn, one.superseded, one.at.0)).collect();
    assert_eq!(found, [(sn(1), false, START), (sn(2), true, START)]);
}

#[test]
fn the_newest_list_of_a_ca_is_known_with_its_end() {
    let bench = bench(0);
    let newest = || bench.reader.newest_list(&ca()).unwrap();
    assert_eq!(newest(), None);
    let list = |authority, next| {
        Record::CrlIssued(CrlIssued { authority, certificates: 0, next, by: person() })
    };
    bench.record(list(ca(), Some(Timestamp(START + 9))));
    bench.record(list(Fingerprint::new([0x77; 32]), Some(Timestamp(START + 99))));
    let found = newest().unwrap();
    assert_eq!((found.made, found.next), (Timestamp(START), Some(Timestamp(START + 9))));
    // One of a program that did not say it.
    bench.record(list(ca(), None));
    assert_eq!(newest().unwrap().next, None);
    bench.assert_it_verifies();
}

#[test]
fn questions_about_what_is_open_look_at_open_rows_alone() {
    let bench = bench(3);
    bench.record(choose("mqtt-a"));
    let connection = &bench.reader.connection;
    let plan = |sql: &str| -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            steps.push(row.get::<_, String>(3).unwrap());
        }
        steps.join("\n")
    };
    for sql in crate::outbox::questions() {
        let plan = plan(&sql);
        let first = plan.lines().find(|line| line.contains(" o ")).unwrap_or_default();
        assert!(first.contains("outbox_open"), "{sql}:\n{plan}");
        assert!(!plan.lines().any(|line| line.starts_with("SCAN c ")), "{sql}:\n{plan}");
    }
}
