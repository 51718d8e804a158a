//! The frozen bytes of one entry of every kind. A failure here means "revert the change",
//! not "edit the test": ledgers out there have these bytes.

use super::testing::{adopted, authority_seen, begun, certificate, failure, image, sn};
use crate::domain::certificate::Proof;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::grant::{Grant, GrantGivenBack, GrantNumber, GrantTaken, RawSignature};
use crate::domain::ids::{Fingerprint, LabelDigest, ProfileDigest, PublicKey};
use crate::domain::keeping::{IndicesRebuilt, Vouched};
use crate::domain::labelling::{Delivery, LabelDelivered, LabelScanned, LabelSent, LabelsChosen};
use crate::domain::operators::{
    OperatorAdded, OperatorDisabled, PinChanged, PinTried, ProfileAccepted, Role, SignedIn,
};
use crate::domain::outbox::{
    ActivationAsked, Answer, Answered, CloudChosen, Contradicted, Contradiction, CrlIssued, Found,
    Operation, RegisteredByHand, Sent, Shipped,
};
use crate::domain::person::Person;
use crate::domain::record::{
    AttemptRef, Begun, ClockAccepted, Denied, End, Ended, FailedEarly, Finished, GapAccepted,
    Issued, LabelRead, LineStarted, PersonAct, ProvenRecord, Record, Restored, Step, WorkOrderAct,
    WorkOrderCreated,
};
use crate::domain::registration::{AuthorityRegistered, CaSn, CloudInstance, CloudStatus};
use crate::domain::work_order::WorkOrder;
use crate::journal::entry::*;

fn person() -> Person {
    Person { operator: Some("7".parse().unwrap()), uid: 1000 }
}

fn act() -> PersonAct {
    let serial = "TH-00000001".parse().unwrap();
    PersonAct { serial, reason: "lost".to_owned(), by: person(), new_device: true }
}

fn first() -> AttemptRef {
    AttemptRef { serial: "TH-00000001".parse().unwrap(), attempt: 1 }
}

fn line_started() -> LineStarted {
    LineStarted {
        version: "0.1.0".to_owned(),
        config: ProfileDigest::new([1; 32]),
        authority: Fingerprint::new([2; 32]),
        work_order: None,
        operator: Some("7".parse().unwrap()),
        journal_certificate: Some("3082".to_owned()),
    }
}

fn failed_early() -> FailedEarly {
    FailedEarly {
        serial: "TH-00000001".parse().unwrap(),
        client_id: "TH-00000001".parse().unwrap(),
        slot: "A".parse().unwrap(),
        label: None,
        work_order: Some("WO-1".parse().unwrap()),
        operator: None,
        end: failure(),
    }
}

fn work_order() -> WorkOrder {
    WorkOrder {
        id: "WO-1".parse().unwrap(),
        product: "TH200".to_owned(),
        quantity: 24,
        serial_pattern: Some("TH-[0-9]{8}".to_owned()),
        serial_range: Some("TH-00000001..TH-00000024".parse().unwrap()),
        check_character: crate::domain::label::CheckCharacter::None,
        hardware_ids: vec![crate::domain::ids::HardwareId::from_bytes(&[1, 2, 3, 4]).unwrap()],
        profile: ProfileDigest::new([3; 32]),
    }
}

enum OperatorExample {
    Added,
    Disabled,
    PinChanged,
}

fn of_operator(example: OperatorExample) -> Record {
    let operator = "s04".parse().unwrap();
    match example {
        OperatorExample::Added => {
            let role = Role::Supervisor;
            Record::OperatorAdded(OperatorAdded { operator, role, by: person() })
        }
        OperatorExample::Disabled => {
            Record::OperatorDisabled(OperatorDisabled { operator, by: person() })
        }
        OperatorExample::PinChanged => {
            Record::PinChanged(PinChanged { operator, by: person(), with_authority: true })
        }
    }
}

fn profile_accepted() -> ProfileAccepted {
    ProfileAccepted {
        work_order: "WO-1".parse().unwrap(),
        profile: ProfileDigest::new([3; 32]),
        reason: "broker renamed".to_owned(),
        by: person(),
    }
}

/// One of every kind, in the order of the kinds.
fn examples() -> Vec<Fact> {
    let interrupted = End::Interrupted {
        step: Step::Commit,
        code: Code::Stopped,
        message: "told to stop".to_owned(),
    };
    let proven =
        ProvenRecord { attempt: first(), proof: Proof::Possession, restart: "dtr".to_owned() };
    let created = Created {
        instance: "000102030405060708090a0b0c0d0e0f".to_owned(),
        journal_key: PublicKey::new([4; 65]),
    };
    let mut reserved = begun(1);
    reserved.work_order = Some("WO-1".parse().unwrap());
    vec![
        Fact::Created(created),
        Fact::Record(Record::LineStarted(line_started()), 0),
        Fact::Record(authority_seen(), 0),
        Fact::Record(Record::Begun(reserved), 1),
        Fact::Record(Record::FailedEarly(failed_early()), 2),
        Fact::Record(
            Record::Issued(Issued {
                attempt: first(),
                certificate: certificate(1),
                image: image(1),
            }),
            0,
        ),
        Fact::Record(Record::CommitAsked(first()), 0),
        Fact::Record(Record::Proven(proven), 0),
        Fact::Record(Record::Finished(Finished { serial: act().serial, certificate_sn: sn(1) }), 0),
        Fact::Record(Record::Ended(Ended { attempt: first(), end: interrupted, void: true }), 0),
        Fact::Record(Record::UnitVoided(act()), 0),
        Fact::Record(Record::ReworkAllowed(act()), 0),
        Fact::Record(Record::UnitScrapped(act()), 0),
        Fact::Record(
            Record::WorkOrderCreated(WorkOrderCreated { work_order: work_order(), by: person() }),
            0,
        ),
        Fact::Record(
            Record::WorkOrderClosed(WorkOrderAct {
                work_order: "WO-1".parse().unwrap(),
                by: person(),
            }),
            0,
        ),
        Fact::Record(
            Record::ClockAccepted(ClockAccepted { reason: "holidays".to_owned(), by: person() }),
            0,
        ),
        Fact::Record(
            Record::Restored(Restored { last_seq: 41, known_seq: Some(45), by: person() }),
            0,
        ),
    ]
    .into_iter()
    .chain(cloud_examples())
    .chain(gap_examples())
    .chain(person_examples())
    .chain(contradiction_examples())
    .chain(keeping_examples())
    .chain(label_examples())
    .chain(grant_examples())
    .collect()
}

fn gap_examples() -> [Fact; 2] {
    let reason = "in tray 9".to_owned();
    let accepted = GapAccepted { restored_seq: 42, compared: true, reason, by: person() };
    [Fact::Record(Record::GapAccepted(accepted), 0), Fact::Record(Record::Adopted(adopted(1)), 1)]
}

fn keeping_examples() -> [Fact; 2] {
    let indices = vec!["units_open".to_owned(), "twice".to_owned()];
    let reason = "somebody dropped them".to_owned();
    let rebuilt = IndicesRebuilt { indices, reason, by: person() };
    let vouched = Vouched {
        authority: Fingerprint::new([2; 32]),
        journal_certificate: "3082".to_owned(),
        reason: "a new CA".to_owned(),
        by: person(),
    };
    [Record::IndicesRebuilt(rebuilt), Record::Vouched(vouched)]
        .map(|record| Fact::Record(record, 0))
}

fn person_examples() -> impl Iterator<Item = Fact> {
    [
        of_operator(OperatorExample::Added),
        of_operator(OperatorExample::Disabled),
        of_operator(OperatorExample::PinChanged),
        Record::ProfileAccepted(profile_accepted()),
        Record::SignedIn(SignedIn { operator: person().operator, uid: 1000 }),
        Record::Denied(denied()),
    ]
    .into_iter()
    .map(|record| Fact::Record(record, 0))
}

fn denied() -> Denied {
    Denied {
        serial: act().serial,
        certificate_sn: sn(1),
        slot: "A".parse().unwrap(),
        message: "it holds nothing".to_owned(),
        by: person(),
    }
}

fn label_examples() -> impl Iterator<Item = Fact> {
    let (serial, copy) = (act().serial, 2);
    let sent = LabelSent {
        serial: serial.clone(),
        copy,
        certificate_sn: sn(1),
        digest: LabelDigest::new([5; 32]),
        printer: "tcp:10.0.0.9:9100".to_owned(),
        verify: true,
        reason: Some("torn".to_owned()),
        by: person(),
    };
    let delivered = LabelDelivered {
        serial: serial.clone(),
        copy,
        delivery: Delivery::Unclear,
        message: Some("the printer answered \"?\"".to_owned()),
    };
    let text = "TH-00000001".to_owned();
    let scanned = LabelScanned { serial, copy, right: true, text, by: person() };
    [
        Record::LabelSent(sent),
        Record::LabelDelivered(delivered),
        Record::LabelScanned(scanned),
        Record::LabelsChosen(LabelsChosen { at_pass: true, verify: false }),
    ]
    .into_iter()
    .map(|record| Fact::Record(record, 0))
}

fn grant_examples() -> [Fact; 2] {
    let number = GrantNumber::new(7).unwrap();
    let grant = Grant {
        work_order: "WO-1".parse().unwrap(),
        station: "LINE-1".parse().unwrap(),
        profile: ProfileDigest::new([3; 32]),
        number,
        quantity: 12,
        order_quantity: 24,
        serials: Some("TH-00000001..TH-00000012".parse().unwrap()),
        valid_until: Timestamp(1_800_000_000_000_000),
        made_at: Timestamp(1_700_000_000_123_000),
    };
    let (certificate, signature) = ("3082".to_owned(), RawSignature([6; 64]));
    let (work_order, quantity) = (grant.work_order.clone(), 5);
    [
        Record::GrantTaken(Box::new(GrantTaken { grant, certificate, signature, by: person() })),
        Record::GrantGivenBack(GrantGivenBack { work_order, number, quantity, by: person() }),
    ]
    .map(|record| Fact::Record(record, 0))
}

/// The grant that the ledger chose stands behind the work order, or not at all.
#[test]
fn a_grant_stands_behind_the_work_order_or_not_at_all() {
    let of = |grant| serde_json::to_string(&Begun { grant, ..begun(1) }).unwrap();
    let with = of(Some(GrantNumber::new(7).unwrap()));
    assert!(with.contains(r#""work_order":null,"grant":7,"operator""#), "{with}");
    assert_eq!(serde_json::from_str::<Begun>(&of(None)).unwrap(), begun(1));
}

fn contradiction_examples() -> [Fact; 3] {
    let contradicted = Contradicted {
        certificate_sn: sn(1),
        contradiction: Contradiction::Missing,
        message: "the cloud has no such certificate".to_owned(),
    };
    let tried = PinTried { operator: "s04".parse().unwrap(), uid: 1000 };
    [Record::Contradicted(contradicted), Record::PinWrong(tried.clone()), Record::PinRight(tried)]
        .map(|record| Fact::Record(record, 0))
}

fn cloud_examples() -> impl Iterator<Item = Fact> {
    let cloud = CloudInstance {
        site: "mqtt.example.com".to_owned(),
        region: "ap-guangzhou".to_owned(),
        instance: "mqtt-a".to_owned(),
    };
    let (row, certificate_sn, serial) = (3, sn(1), act().serial);
    let answer = Answer::Done { status: Some(CloudStatus::Active), sn: Some("1f".to_owned()) };
    let operation = Operation::Register;
    [
        Record::AuthorityRegistered(AuthorityRegistered {
            authority: Fingerprint::new([2; 32]),
            cloud: cloud.clone(),
            verification: Some("3082".to_owned()),
            ca_sn: Some(CaSn("0eef".to_owned())),
            by: person(),
        }),
        Record::RegisteredByHand(RegisteredByHand {
            certificate_sn,
            cloud: cloud.clone(),
            by: person(),
        }),
        Record::Sent(Sent { row, certificate_sn, operation }),
        Record::Answered(Answered { row, certificate_sn, operation, answer }),
        Record::Found(Found {
            certificate_sn,
            sn: "1f".to_owned(),
            status: Some(CloudStatus::PendingActivation),
            revoke: true,
        }),
        Record::CloudChosen(CloudChosen { cloud, by: person() }),
        Record::ActivationAsked(ActivationAsked {
            serial: serial.clone(),
            certificate_sn,
            by: person(),
        }),
        Record::Shipped(Shipped { serial, certificate_sn, by: person() }),
        Record::CrlIssued(CrlIssued {
            authority: Fingerprint::new([2; 32]),
            certificates: 5,
            next: None,
            by: person(),
        }),
    ]
    .into_iter()
    .map(|record| Fact::Record(record, 0))
}

/// Every answer's words.
#[test]
fn the_words_of_an_answer_never_change() {
    let (code, message) = (Code::CloudUnclear, "m".to_owned());
    let trouble = r#""code":"E-CLOUD-UNCLEAR","message":"m""#;
    for (answer, json) in [
        (Answer::Done { status: None, sn: None }, r#"{"answer":"done","status":null,"sn":null}"#),
        (
            Answer::NotDone { code, message: message.clone() },
            &format!(r#"{{"answer":"not-done",{trouble}}}"#),
        ),
        (
            Answer::Unclear { code, message: message.clone() },
            &format!(r#"{{"answer":"unclear",{trouble}}}"#),
        ),
        (Answer::Conflict { message: message.clone() }, r#"{"answer":"conflict","message":"m"}"#),
        (Answer::Rejected { code, message }, &format!(r#"{{"answer":"rejected",{trouble}}}"#)),
        (Answer::Nothing, r#"{"answer":"nothing"}"#),
    ] {
        assert_eq!(serde_json::to_string(&answer).unwrap(), *json);
        assert_eq!(serde_json::from_str::<Answer>(json).unwrap(), answer);
    }
}

/// A field that came later is written where it stands, and an entry without it still reads.
#[test]
fn a_product_stands_before_the_work_order_or_not_at_all() {
    let of = |product| serde_json::to_string(&Begun { product, ..begun(1) }).unwrap();
    let (with, without) = (of(Some("TH200".to_owned())), of(None));
    assert!(with.contains(r#""slot":"A","product":"TH200","work_order":null"#), "{with}");
    assert_eq!(serde_json::from_str::<Begun>(&without).unwrap(), begun(1));
}

#[test]
fn a_label_stands_before_the_work_order_or_not_at_all() {
    let read = |rule| Some(LabelRead { text: "SN:TH-1\\u{1d}".to_owned(), rule });
    let of = |label| serde_json::to_string(&Begun { label, ..begun(1) }).unwrap();
    let (by_rule, without_rule, without) = (of(read(Some(2))), of(read(None)), of(None));
    let text = r#""slot":"A","label":{"text":"SN:TH-1\\u{1d}""#;
    assert!(by_rule.contains(&format!(r#"{text},"rule":2}},"work_order":null"#)), "{by_rule}");
    assert!(without_rule.contains(&format!(r#"{text}}},"work_order":null"#)), "{without_rule}");
    assert_eq!(serde_json::from_str::<Begun>(&without).unwrap(), begun(1));
    let early = FailedEarly { label: read(Some(2)), ..failed_early() };
    let early = serde_json::to_string(&early).unwrap();
    assert!(early.contains(&format!(r#"{text},"rule":2}},"work_order":"WO-1""#)), "{early}");
}

/// The JSON of each, in the same order; each a line of this file.
const PAYLOADS: &str = include_str!("journal_payloads.txt");

fn entry(fact: Fact) -> Entry {
    Entry {
        seq: 0x0102,
        wall: Timestamp(0x0006_0000_0000_0003),
        station: "LINE-1".parse().unwrap(),
        fact,
    }
}

#[test]
fn every_kind_has_an_example_and_a_number_of_its_own() {
    let kinds: Vec<Kind> = examples().iter().map(Kind::of).collect();
    assert_eq!(kinds, Kind::ALL);
    let numbers: Vec<u16> = Kind::ALL.iter().map(|kind| kind.number()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert_eq!(&numbers[..17], (1..=17).collect::<Vec<u16>>());
    assert_eq!(PAYLOADS.lines().count(), Kind::ALL.len());
}

#[test]
fn the_bytes_of_an_entry_never_change() {
    for (fact, payload) in examples().into_iter().zip(PAYLOADS.lines()) {
        let kind = Kind::of(&fact);
        let mut bytes = vec![0, 0, 0, 0, 0, 0, 1, 2]; // seq
        bytes.extend([0, 6, 0, 0, 0, 0, 0, 3]); // wall clock, microseconds
        bytes.extend([0, kind.number().to_be_bytes()[1]]); // kind
        bytes.extend(u32::try_from(payload.len()).unwrap().to_be_bytes()); // length
        bytes.extend(payload.as_bytes());
        let encoded = entry(fact).encode().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&encoded[ENTRY_HEADER..]),
            payload,
            "{} changed its payload",
            kind.as_str()
        );
        assert_eq!(encoded, bytes, "{} changed its header", kind.as_str());
    }
}

#[test]
fn an_entry_reads_back_as_it_was_written() {
    for fact in examples() {
        let entry = entry(fact);
        assert_eq!(Entry::decode(&entry.encode().unwrap()).unwrap(), entry);
    }
}

#[test]
fn the_hash_is_that_of_tag_previous_hash_and_entry() {
    let accepted = examples().remove(15);
    let hash = GENESIS.of_next(&entry(accepted).encode().unwrap());
    // From sha256sum over the three, written one behind the other.
    let printed = "0efbb2fc5046ea87ed6be33e49b92f60343f0df380bbe60d6c26e5187bb9c06d";
    assert_eq!(hash.to_string(), printed);
}

#[test]
fn bytes_that_are_no_entry_are_told_apart() {
    let good = entry(examples().remove(6)).encode().unwrap();
    let text = |bytes: &[u8]| Entry::decode(bytes).unwrap_err().to_string();
    assert_eq!(text(&good[..21]), "it has 21 bytes, fewer than its header");
    assert!(text(&good[..40]).starts_with("its header announces"));
    let mut unknown = good.clone();
    unknown[16..18].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(text(&unknown), "its kind 65535 is unknown");
    let mut other = good;
    other[17] = 8;
    assert!(text(&other).starts_with("its payload is not that of its kind"));
}
