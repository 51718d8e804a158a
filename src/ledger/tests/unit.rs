//! One unit's records: which moves are legal, and what is known after each.

use super::testing::*;
use crate::domain::certificate::CertificateState;
use crate::domain::code::Code;
use crate::domain::device::Held;
use crate::domain::ids::CertificateSn;
use crate::domain::local::Zone;
use crate::domain::outbox::Operation;
use crate::domain::record::{
    Begun, Denied, End, FailedEarly, Finished, Holds, Open, PersonAct, ProvenIdentity, Record,
    Rework, Standing,
};
use crate::states::{AttemptOutcome, OutboxState, RegistrationState, UnitState};
use crate::views::UnitFilter;
use crate::{Ledger, Reader};

#[test]
fn a_unit_goes_from_begun_to_passed() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let (writer, reader) = (ledger.writer(), ledger.reader().unwrap());
    let standing = || reader.standing(&serial(1)).unwrap();
    assert_eq!(standing(), Standing::default());

    let (hardware, cert) = (hardware(1), sn(1));
    let recorded = writer.record(Record::Begun(begun(1))).unwrap();
    assert_eq!((recorded.seq, recorded.attempt), (3, 1));
    assert_eq!(standing().open, Open::Begun { attempt: 1, hardware: hardware.clone() });
    let of = attempt(1, 1);
    writer.record(issued(of.clone(), 1)).unwrap();
    assert_eq!(standing().open, Open::Issued { attempt: 1, hardware: hardware.clone(), cert });
    writer.record(Record::CommitAsked(of.clone())).unwrap();
    assert_eq!(standing().open, Open::Asked { attempt: 1, hardware: hardware.clone(), cert });
    assert_eq!(reader.open_attempt_on(&hardware).unwrap(), Some(serial(1)));
    assert_eq!(reader.unsettled().unwrap(), [(serial(1), standing())]);
    writer.record(proven(of.clone())).unwrap();
    let identity = ProvenIdentity { hardware: hardware.clone(), cert, finished: false };
    assert_eq!(standing().proven, Some(identity));
    writer.record(ended(of, End::Passed, false)).unwrap();
    let identity = ProvenIdentity { hardware: hardware.clone(), cert, finished: true };
    assert_eq!(
        standing(),
        Standing { proven: Some(identity), rework: Rework::No, open: Open::None, scrapped: false }
    );
    assert_eq!(reader.proven_on(&hardware).unwrap(), Some(serial(1)));
    assert_eq!(reader.unsettled().unwrap(), []);
}

struct Bench {
    _dir: tempfile::TempDir,
    ledger: Ledger,
    reader: Reader,
}

fn bench() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    let reader = ledger.reader().unwrap();
    Bench { _dir: dir, ledger, reader }
}

impl Bench {
    fn record(&self, record: Record) {
        self.ledger.writer().record(record).unwrap();
    }

    fn refused(&self, record: Record) -> Code {
        refusal(self.ledger.writer().record(record)).code
    }

    fn state(&self, number: u32) -> UnitState {
        let story = self.reader.unit_story(&serial(number)).unwrap().unwrap();
        let lines = self.reader.units(&UnitFilter::default(), None, 99).unwrap();
        let line = lines.iter().find(|line| line.serial == serial(number)).unwrap();
        assert_eq!(line.state, story.state, "the list and the story disagree");
        story.state
    }

    fn certificate(&self, number: u32) -> CertificateState {
        self.reader.certificate(&sn(number)).unwrap().unwrap().state
    }

    fn registration(&self, unit: u32, cert: u32) -> RegistrationState {
        let story = self.reader.unit_story(&serial(unit)).unwrap().unwrap();
        let certs = story.certificates;
        let found = certs.iter().find(|story| story.certificate_sn == sn(cert)).unwrap();
        found.registration.state
    }

    /// The rows of the outbox in their order: certificate, operation, state.
    fn outbox(&self) -> Vec<(CertificateSn, Operation, OutboxState)> {
        let sql = "SELECT certificate_sn, operation, state FROM outbox ORDER BY id";
        let mut statement = self.reader.connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    /// A sync sends the registration of a certificate.
    fn claim(&self, cert: u32) {
        self.record(choose("mqtt-a"));
        let rows = self.reader.outbox(0, 99).unwrap();
        let row = rows.iter().find(|row| row.sn == sn(cert)).unwrap();
        self.record(sent(row));
    }
}

#[test]
fn each_record_moves_the_unit_and_its_certificate() {
    let bench = bench();
    let (of, writer) = (attempt(1, 1), bench.ledger.writer());
    writer.record(Record::Begun(begun(1))).unwrap();
    assert_eq!(bench.state(1), UnitState::Reserved);
    writer.record(issued(of.clone(), 1)).unwrap();
    assert_eq!(
        (bench.state(1), bench.certificate(1)),
        (UnitState::Issued, CertificateState::Issued)
    );
    writer.record(Record::CommitAsked(of.clone())).unwrap();
    assert_eq!(bench.state(1), UnitState::Uncertain);
    assert_eq!(bench.certificate(1), CertificateState::Uncertain);
    writer.record(proven(of.clone())).unwrap();
    assert_eq!(
        (bench.state(1), bench.certificate(1)),
        (UnitState::Proven, CertificateState::Proven)
    );
    writer.record(ended(of, End::Passed, false)).unwrap();
    assert_eq!(bench.state(1), UnitState::Proven);
}

#[test]
fn a_record_out_of_its_order_is_refused() {
    // Each record is legal at one position of the attempt, and at no other.
    let reached = [Until::Begun, Until::Issued, Until::Asked, Until::Proven, Until::Passed];
    let legal = [
        vec!["issued", "ended"],
        // Without void: its device made the key, and may come with it again.
        vec!["asked", "ended", "ended void"],
        vec!["proven", "ended void"],
        vec!["ended", "passed", "finished", "denied"],
        vec!["finished", "denied"],
    ];
    for (until, legal) in reached.into_iter().zip(legal) {
        let records = [
            ("issued", issued(attempt(1, 1), 1)),
            ("asked", Record::CommitAsked(attempt(1, 1))),
            ("proven", proven(attempt(1, 1))),
            ("ended", ended(attempt(1, 1), failure(), false)),
            ("ended void", ended(attempt(1, 1), failure(), true)),
            ("passed", ended(attempt(1, 1), End::Passed, false)),
            ("passed void", ended(attempt(1, 1), End::Passed, true)),
            ("finished", Record::Finished(Finished { serial: serial(1), certificate_sn: sn(1) })),
            ("denied", Record::Denied(denied(1))),
        ];
        for (name, record) in records {
            let bench = bench();
            take(&bench.ledger, begun(1), 1, until);
            let result = bench.ledger.writer().record(record);
            match legal.contains(&name) {
                true => assert!(result.is_ok(), "{name} after {until:?}: {result:?}"),
                false => assert_eq!(refusal(result).code, Code::UnitState, "{name}, {until:?}"),
            }
        }
    }
}

fn denied(number: u32) -> Denied {
    Denied {
        serial: serial(number),
        certificate_sn: sn(number),
        slot: "A".parse().unwrap(),
        message: "it holds nothing".to_owned(),
        by: person(),
    }
}

#[test]
fn a_unit_whose_device_denies_its_pass_is_not_finished_until_it_finishes_again() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Passed);
    let finished = || bench.reader.standing(&serial(1)).unwrap().proven.unwrap().finished;
    assert!(finished());
    bench.record(Record::Denied(denied(1)));
    assert!(!finished());
    let story = bench.reader.unit_story(&serial(1)).unwrap().unwrap();
    assert_eq!(story.acts[0].act, "denied");
    bench.record(Record::Finished(Finished { serial: serial(1), certificate_sn: sn(1) }));
    assert!(finished());
}

#[test]
fn another_attempt_of_the_unit_is_not_the_open_one() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Begun);
    assert_eq!(bench.refused(Record::CommitAsked(attempt(1, 2))), Code::UnitState);
    assert_eq!(bench.refused(Record::CommitAsked(attempt(2, 1))), Code::UnitUnknown);
}

#[test]
fn a_void_certificate_stays_void() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Asked);
    bench.record(ended(attempt(1, 1), failure(), true));
    assert_eq!((bench.state(1), bench.certificate(1)), (UnitState::Failed, CertificateState::Void));
    assert_eq!(bench.refused(proven(attempt(1, 1))), Code::UnitState);
    assert_eq!(take(&bench.ledger, begun(1), 2, Until::Passed).attempt, 2);
    assert_eq!((bench.state(1), bench.certificate(1)), (UnitState::Proven, CertificateState::Void));
}

#[test]
fn a_unit_that_failed_before_it_was_reserved_counts_an_attempt() {
    let bench = bench();
    let early = || {
        Record::FailedEarly(FailedEarly {
            serial: serial(1),
            client_id: begun(1).client_id,
            slot: "A".parse().unwrap(),
            label: None,
            work_order: None,
            operator: None,
            end: failure(),
        })
    };
    let recorded = bench.ledger.writer().record(early()).unwrap();
    assert_eq!((recorded.attempt, bench.state(1)), (1, UnitState::Failed));
    assert_eq!(take(&bench.ledger, begun(1), 1, Until::Asked).attempt, 2);
    // One beside an open attempt leaves that one open.
    assert_eq!(bench.ledger.writer().record(early()).unwrap().attempt, 3);
    assert_eq!(bench.state(1), UnitState::Uncertain);
    bench.record(proven(attempt(1, 2)));
    assert_eq!(bench.reader.stats(&Zone::UTC).unwrap().attempts.failed, 2);
}

#[test]
fn a_device_is_known_by_what_it_holds() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Passed);
    let held = |cert: u32, pattern: u32| Held {
        certificate: certificate(cert).fingerprint,
        image: image(pattern),
    };
    let look = |unit: u32, device: u32, held: Option<Held>| {
        bench.reader.look(&serial(unit), &hardware(device), held.as_ref()).unwrap().owners
    };
    let state = CertificateState::Proven;
    let this = |intact| Holds::This { cert: sn(1), state, intact };
    assert_eq!(look(1, 1, None).identity, Holds::Nothing);
    assert_eq!(look(1, 1, Some(held(1, 1))).identity, this(true));
    assert_eq!(look(1, 1, Some(held(1, 7))).identity, this(false));
    assert_eq!(look(2, 2, Some(held(1, 1))).identity, Holds::Other(serial(1)));
    assert_eq!(look(1, 1, Some(held(8, 8))).identity, Holds::Unknown);
    assert_eq!(look(1, 1, None).hardware, None);
    assert_eq!(look(2, 1, None).hardware, Some(serial(1)));
    let found = bench.reader.owner_of_fingerprint(&certificate(1).fingerprint).unwrap();
    assert_eq!(found, Some(serial(1)));
}

#[test]
fn a_certificate_reads_back_as_it_was_issued() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Asked);
    let row = bench.reader.certificate(&sn(1)).unwrap().unwrap();
    assert_eq!((row.serial, row.image), (serial(1), image(1)));
    assert_eq!(row.certificate, certificate(1));
    assert_eq!(bench.reader.certificate(&sn(2)).unwrap(), None);
}

#[test]
fn a_proof_queues_the_registration_in_the_same_entry() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Asked);
    assert_eq!(bench.outbox(), []);
    assert_eq!(bench.registration(1, 1), RegistrationState::None);
    bench.record(proven(attempt(1, 1)));
    assert_eq!(bench.outbox(), [(sn(1), Operation::Register, OutboxState::Waiting)]);
    assert_eq!(bench.registration(1, 1), RegistrationState::Waiting);
}

#[test]
fn rework_is_used_up_by_the_next_proof() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Passed);
    bench.record(Record::ReworkAllowed(act(1)));
    assert_eq!(bench.state(1), UnitState::Rework);
    assert_eq!(bench.reader.standing(&serial(1)).unwrap().rework, Rework::Allowed);
    take(&bench.ledger, begun(1), 2, Until::Asked);
    assert_eq!(
        (bench.state(1), bench.certificate(1)),
        (UnitState::Uncertain, CertificateState::Proven)
    );
    bench.record(proven(attempt(1, 2)));
    assert_eq!(bench.certificate(1), CertificateState::Superseded);
    assert_eq!(bench.reader.standing(&serial(1)).unwrap().rework, Rework::No);
    let waiting = (sn(2), Operation::Register, OutboxState::Waiting);
    assert_eq!(bench.outbox(), [(sn(1), Operation::Register, OutboxState::Withdrawn), waiting]);
    assert_eq!(bench.registration(1, 1), RegistrationState::Withdrawn);
}

#[test]
fn a_registration_that_may_have_been_sent_is_revoked_before_the_new_one() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Passed);
    bench.claim(1);
    bench.record(Record::ReworkAllowed(act(1)));
    take(&bench.ledger, begun(1), 2, Until::Passed);
    assert_eq!(
        bench.outbox(),
        [
            (sn(1), Operation::Register, OutboxState::Claimed),
            (sn(1), Operation::Deactivate, OutboxState::Withdrawn),
            (sn(1), Operation::Revoke, OutboxState::Waiting),
            (sn(2), Operation::Register, OutboxState::Waiting),
        ]
    );
}

#[test]
fn a_failed_rework_leaves_the_unit_proven_as_it_was() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Passed);
    bench.record(Record::ReworkAllowed(act(1)));
    take(&bench.ledger, begun(1), 2, Until::Asked);
    bench.record(ended(attempt(1, 2), failure(), true));
    assert_eq!(
        (bench.state(1), bench.certificate(1)),
        (UnitState::Rework, CertificateState::Proven)
    );
    assert_eq!(bench.certificate(2), CertificateState::Void);
}

#[test]
fn rework_moves_to_another_device_only_where_that_was_allowed() {
    let bench = bench();
    let elsewhere = |cert| Begun { hardware: hardware(5), certificate_sn: sn(cert), ..begun(1) };
    take(&bench.ledger, begun(1), 1, Until::Passed);
    bench.record(Record::ReworkAllowed(act(1)));
    assert_eq!(bench.refused(Record::Begun(elsewhere(2))), Code::UnitOtherDevice);
    bench.record(Record::ReworkAllowed(PersonAct { new_device: true, ..act(1) }));
    take(&bench.ledger, elsewhere(2), 2, Until::Passed);
    assert_eq!(bench.reader.proven_on(&hardware(5)).unwrap(), Some(serial(1)));
    assert_eq!(bench.reader.proven_on(&hardware(1)).unwrap(), None);
}

#[test]
fn a_person_voids_an_uncertain_unit() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Asked);
    bench.record(Record::UnitVoided(act(1)));
    assert_eq!((bench.state(1), bench.certificate(1)), (UnitState::Void, CertificateState::Void));
    assert_eq!(bench.reader.standing(&serial(1)).unwrap(), Standing::default());
    let story = bench.reader.unit_story(&serial(1)).unwrap().unwrap();
    assert_eq!(story.attempts[0].outcome, AttemptOutcome::Fail);
    assert_eq!(story.acts[0].reason.as_deref(), Some("because"));
    take(&bench.ledger, begun(1), 2, Until::Passed);
    assert_eq!(bench.state(1), UnitState::Proven);
}

#[test]
fn a_person_voids_a_proven_unit_and_its_registration_is_taken_back() {
    let bench = bench();
    for number in [1, 2] {
        take(&bench.ledger, begun(number), number, Until::Passed);
    }
    bench.claim(2);
    bench.record(Record::UnitVoided(act(1)));
    bench.record(Record::UnitVoided(act(2)));
    assert_eq!((bench.state(1), bench.certificate(1)), (UnitState::Void, CertificateState::Void));
    assert_eq!(
        bench.outbox(),
        [
            (sn(1), Operation::Register, OutboxState::Withdrawn),
            (sn(2), Operation::Register, OutboxState::Claimed),
            (sn(2), Operation::Revoke, OutboxState::Waiting),
        ]
    );
    assert_eq!(bench.refused(Record::UnitVoided(act(1))), Code::UnitState);
}

#[test]
fn no_person_acts_on_a_unit_that_the_line_works_on() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Issued);
    for record in
        [Record::UnitVoided(act(1)), Record::UnitScrapped(act(1)), Record::ReworkAllowed(act(1))]
    {
        assert_eq!(bench.refused(record), Code::UnitState);
    }
    assert_eq!(bench.refused(Record::UnitVoided(act(7))), Code::UnitUnknown);
}

#[test]
fn a_scrapped_unit_is_never_begun_again() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Passed);
    bench.record(Record::UnitScrapped(act(1)));
    assert_eq!(
        (bench.state(1), bench.certificate(1)),
        (UnitState::Scrapped, CertificateState::Void)
    );
    let again = Begun { certificate_sn: sn(2), ..begun(1) };
    assert_eq!(bench.refused(Record::Begun(again)), Code::UnitScrapped);
    assert_eq!(bench.refused(Record::UnitScrapped(act(1))), Code::UnitScrapped);
    assert!(bench.reader.standing(&serial(1)).unwrap().scrapped);
}

#[test]
fn inquiries_answer_many_from_one_reader() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Asked);
    let inquiries = bench.ledger.inquiries().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let inquiries = inquiries.clone();
            scope.spawn(move || {
                let found = inquiries.ask(|reader| reader.open_attempt_on(&hardware(1)));
                assert_eq!(found.unwrap().unwrap(), Some(serial(1)));
            });
        }
    });
    assert_eq!(inquiries.ask(Reader::unsettled).unwrap().unwrap().len(), 1);
}
