//! What a line, a person and a sync ask a ledger, and what it must refuse to record.

use std::fmt::Debug;
use std::path::Path;

use provisioning_station::domain::clock::Timestamp;
use provisioning_station::domain::device::Held;
use provisioning_station::domain::local::Zone;
use provisioning_station::domain::operators::{OperatorAdded, Role};
use provisioning_station::domain::outbox::{ActivationAsked, Sent, Shipped};
use provisioning_station::domain::pages::HistoryQuery;
use provisioning_station::domain::record::{
    AttemptRef, Begun, End, Finished, GapAccepted, Record, Refusal, WorkOrderAct,
};
use provisioning_station::domain::story::UnitFilter;
use provisioning_station::ledger::{Ledger, Reader};

use crate::books::{
    Books, START, act, begun, ca, certificate, ended, failed_early, failure, hardware, id, image,
    issued, order, person, serial, sn,
};

/// How a ledger behaved: what it answered and refused, a line each.
pub(crate) type Behaviour = Vec<String>;

/// Opens the ledger as a line does, asks and tries; an error in place of it is behaviour too.
pub(crate) fn behaviour(books: &Books, data_dir: &Path) -> Behaviour {
    let ledger = match books.open(data_dir) {
        Ok(ledger) => ledger,
        Err(code) => return vec![format!("does not open: {code}")],
    };
    let mut told = match ledger.reader() {
        Ok(reader) => asked(&reader),
        Err(error) => vec![format!("can't be read: {error}")],
    };
    told.extend(refused(&ledger, books.units));
    told
}

fn line(number: usize, answer: impl Debug) -> String {
    format!("{number}: {answer:?}")
}

/// The answers to fifty questions.
pub(crate) fn asked(reader: &Reader) -> Vec<String> {
    let mut told = Vec::new();
    // One unit of each kind, with its device and its certificate: 40 questions.
    for number in 101..=120 {
        let held = Held { certificate: certificate(number).fingerprint, image: image(number) };
        let looked = reader.look(&serial(number), &hardware(number), Some(&held));
        told.push(line(told.len(), looked.map_err(|error| error.code())));
        let story = reader.unit_story(&serial(number)).map_err(|error| error.code());
        told.push(line(told.len(), story));
    }
    let now = Timestamp(START);
    let all = HistoryQuery { limit: 300, ..HistoryQuery::default() };
    macro_rules! ask {
        ($($question:expr),* $(,)?) => {
            $(told.push(line(told.len(), $question.map_err(|error| error.code())));)*
        };
    }
    ask!(
        reader.unsettled(),
        reader.gap(),
        reader.outbox(0, 1000),
        reader.stats(&Zone::UTC),
        reader.recent_stats(&Zone::UTC),
        reader.history(&all).map(|page| page.lines),
        reader.units(&UnitFilter::default(), None, 1000),
        reader.work_orders(None, 100),
        reader.open_attempt_on(&hardware(105)),
        reader.head().map(|head| (head, reader.clock_check(now, std::time::Duration::MAX).is_ok())),
    );
    told
}

/// One of each kind that is there already, or may not be: what it is refused with.
pub(crate) fn refused(ledger: &Ledger, units: u32) -> Vec<String> {
    let writer = ledger.writer();
    let try_all = tries(units).into_iter().map(|(what, record)| match writer.record(record) {
        Err(Refusal::Row(fault)) => format!("{what}: {fault}"),
        Err(Refusal::Ledger(fault)) => format!("{what}: the ledger failed: {fault}"),
        Ok(_) => format!("{what}: was recorded"),
    });
    try_all.collect()
}

fn stranger(units: u32, change: impl FnOnce(&mut Begun)) -> Record {
    let mut begun = begun(units + 1, units + 1);
    begun.work_order = None;
    change(&mut begun);
    Record::Begun(begun)
}

fn attempt(number: u32, attempt: u32) -> AttemptRef {
    AttemptRef { serial: serial(number), attempt }
}

fn tries(units: u32) -> Vec<(&'static str, Record)> {
    let mut other_device = begun(112, units + 2);
    other_device.hardware = hardware(units + 2);
    let mut early = failed_early(units + 1);
    early.client_id = serial(112).as_str().parse().unwrap();
    let of = |work_order: &str| stranger(units, |begun| begun.work_order = Some(id(work_order)));
    vec![
        ("a proven unit", Record::Begun(begun(112, units + 2))),
        ("a proven unit on another device", Record::Begun(other_device)),
        ("a unit under way", Record::Begun(begun(102, units + 2))),
        ("an uncertain unit", Record::Begun(begun(105, units + 2))),
        ("a scrapped unit", Record::Begun(begun(108, units + 2))),
        ("a proven device", stranger(units, |begun| begun.hardware = hardware(112))),
        ("a device under way", stranger(units, |begun| begun.hardware = hardware(102))),
        (
            "a client id",
            stranger(units, |begun| {
                begun.client_id = serial(112).as_str().parse().unwrap();
            }),
        ),
        ("a certificate's number", stranger(units, |begun| begun.certificate_sn = sn(112))),
        ("a client id of an early failure", Record::FailedEarly(early)),
        ("a full work order", of("FULL")),
        ("a closed work order", of("CLOSED")),
        ("an unknown work order", of("NOWHERE")),
        ("a device that is not listed", of("LISTED")),
        ("a key", {
            let mut record = issued(&attempt(102, 1), 102);
            if let Record::Issued(issued) = &mut record {
                let mut copied = issued.certificate.as_ref().clone();
                copied.public_key = certificate(112).public_key;
                issued.certificate = std::sync::Arc::new(copied);
            }
            record
        }),
        ("a certificate that is not issued", Record::CommitAsked(attempt(102, 1))),
        ("a commit", Record::CommitAsked(attempt(105, 1))),
        ("an end", ended(&attempt(112, 1), End::Passed, false)),
        ("an end as failed", ended(&attempt(112, 1), failure(), false)),
        (
            "a finish of an unproven unit",
            Record::Finished(Finished { serial: serial(105), certificate_sn: sn(105) }),
        ),
        ("a void", Record::UnitVoided(act(107))),
        ("a rework", Record::ReworkAllowed(act(106))),
        ("a scrapping", Record::UnitScrapped(act(108))),
        ("a work order", order("OPEN", 1, 0)),
        (
            "the end of a work order",
            Record::WorkOrderClosed(WorkOrderAct { work_order: id("CLOSED"), by: person() }),
        ),
        (
            "a person",
            Record::OperatorAdded(OperatorAdded {
                operator: "boss".parse().unwrap(),
                role: Role::Operator,
                by: person(),
            }),
        ),
        (
            "a gap",
            Record::GapAccepted(GapAccepted {
                restored_seq: 3,
                compared: true,
                reason: "none".to_owned(),
                by: person(),
            }),
        ),
        (
            "a unit that may not leave",
            Record::Shipped(Shipped { serial: serial(105), certificate_sn: sn(105), by: person() }),
        ),
        (
            "an activation",
            Record::ActivationAsked(ActivationAsked {
                serial: serial(105),
                certificate_sn: sn(105),
                by: person(),
            }),
        ),
        (
            "a call for no row",
            Record::Sent(Sent {
                row: 1_000_000,
                certificate_sn: sn(112),
                operation: provisioning_station::domain::outbox::Operation::Register,
            }),
        ),
        ("an unknown CA", {
            let mut record = issued(&attempt(102, 1), 102);
            if let Record::Issued(issued) = &mut record {
                let mut foreign = issued.certificate.as_ref().clone();
                let mut bytes = *ca().as_bytes();
                bytes[0] ^= 1;
                foreign.issuer = provisioning_station::domain::ids::Fingerprint::new(bytes);
                issued.certificate = std::sync::Arc::new(foreign);
            }
            record
        }),
    ]
}
