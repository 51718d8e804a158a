//! What is refused, and with which code: everything that must be unique or has a limit.

use std::time::Duration;

use super::testing::*;
use crate::domain::code::Code;
use crate::domain::ids::{HardwareId, ProfileDigest, WorkOrderId};
use crate::domain::record::{
    Begun, ClockAccepted, Issued, Record, Recorded, Refusal, WorkOrderAct, WorkOrderCreated,
};
use crate::domain::work_order::WorkOrder;
use crate::{Ledger, Reader};

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
    fn record(&self, record: Record) -> Result<Recorded, Refusal> {
        self.ledger.writer().record(record)
    }

    fn refused(&self, record: Record) -> Code {
        let before = self.reader.head().unwrap();
        let fault = refusal(self.record(record));
        assert_eq!(self.reader.head().unwrap(), before, "a refused record left an entry");
        fault.code
    }

    fn begin(&self, begun: Begun) -> Code {
        self.refused(Record::Begun(begun))
    }
}

pub(super) fn order(id: &str, quantity: u32, devices: Vec<HardwareId>) -> Record {
    Record::WorkOrderCreated(WorkOrderCreated {
        work_order: WorkOrder {
            id: id.parse().unwrap(),
            product: "TH200".to_owned(),
            quantity,
            serial_pattern: None,
            serial_range: None,
            check_character: crate::domain::label::CheckCharacter::None,
            hardware_ids: devices,
            profile: ProfileDigest::new([1; 32]),
        },
        by: person(),
    })
}

fn in_order(number: u32, id: &str) -> Begun {
    Begun { work_order: Some(id.parse().unwrap()), ..begun(number) }
}

fn id(text: &str) -> WorkOrderId {
    text.parse().unwrap()
}

#[test]
fn a_unit_under_way_is_not_begun_again() {
    let bench = bench();
    let again = || Begun { certificate_sn: sn(9), ..begun(1) };
    take(&bench.ledger, begun(1), 1, Until::Issued);
    assert_eq!(bench.begin(again()), Code::ScanDuplicate);
    bench.record(Record::CommitAsked(attempt(1, 1))).unwrap();
    assert_eq!(bench.begin(again()), Code::UnitElsewhere);
    bench.record(proven(attempt(1, 1))).unwrap();
    assert_eq!(bench.begin(again()), Code::ScanDuplicate);
    bench.record(ended(attempt(1, 1), crate::domain::record::End::Passed, false)).unwrap();
    assert_eq!(bench.begin(again()), Code::UnitProven);
}

#[test]
fn a_device_of_another_unit_is_refused_and_the_unit_named() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Begun);
    let stolen = || Begun { hardware: hardware(1), ..begun(2) };
    let fault = refusal(bench.record(Record::Begun(stolen())));
    assert_eq!(fault.code, Code::DevOtherLabel);
    assert!(fault.detail.contains("TH-00000001"), "{}", fault.detail);
    bench.record(ended(attempt(1, 1), failure(), false)).unwrap();
    take(&bench.ledger, begun(1), 3, Until::Passed);
    assert_eq!(bench.begin(stolen()), Code::DevOtherLabel);
}

#[test]
fn a_failed_unit_lets_its_device_go() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Begun);
    bench.record(ended(attempt(1, 1), failure(), false)).unwrap();
    take(&bench.ledger, Begun { hardware: hardware(1), ..begun(2) }, 2, Until::Passed);
    assert_eq!(bench.reader.proven_on(&hardware(1)).unwrap(), Some(serial(2)));
}

#[test]
fn a_certificate_serial_number_is_reserved_once() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Begun);
    let twice = Begun { certificate_sn: sn(1), ..begun(2) };
    assert_eq!(bench.begin(twice), Code::Bug);
    take(&bench.ledger, begun(2), 2, Until::Begun);
    let other = issued(attempt(2, 1), 1);
    assert_eq!(bench.refused(other), Code::Bug);
}

#[test]
fn a_public_key_is_certified_once() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Issued);
    take(&bench.ledger, begun(2), 2, Until::Begun);
    let mut same_key = (*certificate(2)).clone();
    same_key.public_key = certificate(1).public_key;
    let record = Record::Issued(Issued {
        attempt: attempt(2, 1),
        certificate: std::sync::Arc::new(same_key),
        image: image(2),
    });
    assert_eq!(bench.refused(record), Code::KeyDuplicate);
}

#[test]
fn a_client_id_belongs_to_one_unit() {
    let bench = bench();
    take(&bench.ledger, begun(1), 1, Until::Begun);
    let twice = Begun { client_id: begun(1).client_id, ..begun(2) };
    assert_eq!(bench.begin(twice), Code::ScanClientId);
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(settings(dir.path()));
    let writer = ledger.writer();
    writer.record(Record::Begun(begun(1))).unwrap();
    assert_eq!(refusal(writer.record(issued(attempt(1, 1), 1))).code, Code::Bug);
}

#[test]
fn a_work_order_counts_distinct_units() {
    let bench = bench();
    bench.record(order("WO", 2, vec![])).unwrap();
    take(&bench.ledger, in_order(1, "WO"), 1, Until::Passed);
    take(&bench.ledger, in_order(2, "WO"), 2, Until::Asked);
    let row = bench.reader.work_order(&id("WO")).unwrap().unwrap();
    assert_eq!((row.proven, row.open), (1, 1));
    assert_eq!(bench.begin(in_order(3, "WO")), Code::WorkOrderFull);
    // Reworked within its work order, a unit keeps its one place.
    bench.record(Record::ReworkAllowed(act(1))).unwrap();
    take(&bench.ledger, in_order(1, "WO"), 4, Until::Asked);
    let row = bench.reader.work_order(&id("WO")).unwrap().unwrap();
    assert_eq!((row.proven, row.open), (1, 1));
}

#[test]
fn a_failed_or_scrapped_unit_gives_its_place_back() {
    let bench = bench();
    bench.record(order("WO", 1, vec![])).unwrap();
    take(&bench.ledger, in_order(1, "WO"), 1, Until::Begun);
    assert_eq!(bench.begin(in_order(2, "WO")), Code::WorkOrderFull);
    bench.record(ended(attempt(1, 1), failure(), false)).unwrap();
    take(&bench.ledger, in_order(2, "WO"), 2, Until::Passed);
    assert_eq!(bench.begin(in_order(3, "WO")), Code::WorkOrderFull);
    bench.record(Record::UnitScrapped(act(2))).unwrap();
    take(&bench.ledger, in_order(3, "WO"), 3, Until::Passed);
    let row = bench.reader.work_order(&id("WO")).unwrap().unwrap();
    assert_eq!((row.proven, row.open), (1, 0));
}

#[test]
fn a_work_order_may_name_its_devices() {
    let bench = bench();
    bench.record(order("WO", 9, vec![hardware(1), hardware(2)])).unwrap();
    take(&bench.ledger, in_order(2, "WO"), 2, Until::Begun);
    assert_eq!(bench.begin(in_order(3, "WO")), Code::DevHardwareId);
    let row = bench.reader.work_order(&id("WO")).unwrap().unwrap();
    assert_eq!(row.work_order.hardware_ids, [hardware(1), hardware(2)]);
}

#[test]
fn unknown_and_closed_work_orders_take_no_unit() {
    let bench = bench();
    assert_eq!(bench.begin(in_order(1, "WO")), Code::WorkOrderUnknown);
    bench.record(order("WO", 9, vec![])).unwrap();
    assert_eq!(bench.refused(order("WO", 9, vec![])), Code::WorkOrderExists);
    assert_eq!(bench.reader.open_work_orders().unwrap(), [id("WO")]);
    let close = || Record::WorkOrderClosed(WorkOrderAct { work_order: id("WO"), by: person() });
    bench.record(close()).unwrap();
    assert_eq!(bench.begin(in_order(1, "WO")), Code::WorkOrderClosed);
    assert_eq!(bench.refused(close()), Code::WorkOrderClosed);
    assert_eq!(bench.reader.open_work_orders().unwrap(), []);
}

#[test]
fn no_unit_begins_on_a_full_disk_and_those_under_way_are_recorded() {
    let dir = tempfile::tempdir().unwrap();
    take(&fresh(dir.path()), begun(1), 1, Until::Issued);
    let mut full = settings(dir.path());
    full.reserve_bytes = u64::MAX;
    let ledger = open(full);
    let writer = ledger.writer();
    assert_eq!(refusal(writer.record(Record::Begun(begun(2)))).code, Code::LedgerDiskFull);
    assert!(writer.record(Record::CommitAsked(attempt(1, 1))).is_ok());
}

const DAY: i64 = 86_400_000_000;

fn at(dir: &std::path::Path) -> (Ledger, std::sync::Arc<SetClock>) {
    let clock = SetClock::new();
    (Ledger::open(settings(dir), KEY.clone(), clock.clone()).unwrap(), clock)
}

#[test]
fn a_clock_that_disagrees_with_the_journal_begins_no_unit() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, clock) = at(dir.path());
    let writer = ledger.writer();
    for change in [-DAY, 32 * DAY] {
        clock.advance(change);
        // A record under the wrong clock is taken and does not make the clock right.
        writer.record(authority_seen()).unwrap();
        let fault = refusal(writer.record(Record::Begun(begun(1))));
        assert_eq!(fault.code, Code::ClockGap);
    }
    let month = Duration::from_secs(30 * 24 * 3600);
    let reader = ledger.reader().unwrap();
    let now = crate::domain::clock::Clock::now(clock.as_ref()).wall;
    assert_eq!(reader.clock_check(now, month).unwrap_err().code(), Code::ClockGap);
    let reason = "holidays".to_owned();
    writer.record(Record::ClockAccepted(ClockAccepted { reason, by: person() })).unwrap();
    assert!(reader.clock_check(now, month).is_ok());
    assert!(writer.record(Record::Begun(begun(1))).is_ok());
    assert_eq!(reader.newest_wall().unwrap(), now);
}

#[test]
fn a_line_that_runs_every_day_needs_no_accepted_clock() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, clock) = at(dir.path());
    for _ in 0..40 {
        clock.advance(DAY);
        ledger.writer().record(authority_seen()).unwrap();
    }
    assert!(ledger.writer().record(Record::Begun(begun(1))).is_ok());
}

/// The mark of the clock is written once for a group, behind it; what is decided within the group
/// goes by it all the same.
#[test]
fn a_clock_that_is_accepted_holds_for_a_unit_of_the_same_group() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, clock) = at(dir.path());
    let writer = ledger.writer();
    clock.advance(90 * DAY);
    let refused = writer.record(Record::Begun(begun(1)));
    assert_eq!(refusal(refused).code, Code::ClockGap);
    let held = writer.hold_back();
    let accepted = ClockAccepted { reason: "battery".to_owned(), by: person() };
    let accepted = writer.submit(Record::ClockAccepted(accepted));
    let begins = writer.submit(Record::Begun(begun(1)));
    let commits = writer.written().commits;
    drop(held);
    assert!(accepted.wait().is_ok());
    assert!(begins.wait().is_ok());
    assert_eq!(writer.written().commits, commits + 1, "they were one group");
}
