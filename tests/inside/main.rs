//! The line from inside: what only shows where ledger, wire and slots are seen together.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of a test fails like the test itself"
)]

mod line;

use firmware_interface::ids::RequestType;
use line::{Running, TestLine};
use provisioning_station::domain::event::{Event, Outcome};
use provisioning_station::domain::record::Step;
use provisioning_station::ledger::{self, Audit};
use provisioning_station::pki::Verifier;
use provisioning_station::sim::{self, Timings};

fn instant(_: &str, options: &mut sim::Options) {
    options.timings = Timings::INSTANT;
    options.baud = 0;
}

fn commits_seen(running: &Running) -> usize {
    running
        .transcripts
        .values()
        .map(|transcript| transcript.requests(1, RequestType::Commit.to_wire()))
        .sum()
}

#[test]
fn with_the_writer_held_back_no_slot_sends_its_commit() {
    let slots = 4;
    let running = TestLine::new(slots, slots).start();
    running.scan_all();
    running.wait_for_step(Step::Write);
    let held = running.hold_back();
    running.wait_for_all_staged();
    assert_eq!(commits_seen(&running), 0, "a commit left before it was recorded");
    drop(held);
    let units = running.finish();
    assert_eq!(units.len(), usize::try_from(slots).unwrap());
    assert!(units.iter().all(|unit| unit.outcome == Outcome::Pass), "{units:?}");
}

#[test]
fn a_stop_that_races_with_the_labels_leaves_none_unanswered_and_no_slot_waited_for() {
    for _ in 0..12 {
        let mut running = TestLine::new(8, 16).with(instant).start();
        running.wait_for_event(|event| matches!(event, Event::Wanted(_)));
        let stopping = running.stop_from_elsewhere();
        let taken = running.scan_all();
        stopping.join().unwrap();
        let mut serials: Vec<_> = running.finish().into_iter().map(|unit| unit.serial).collect();
        serials.sort();
        serials.dedup();
        assert_eq!(serials.len(), taken, "{serials:?}");
    }
}

#[test]
fn with_32_slots_there_are_fewer_syncs_than_records_and_a_backup_taken_meanwhile_restores() {
    let mut running = TestLine::new(32, 64).with(instant).start();
    let backup = running.factory_dir().join("backup.db");
    running.scan_all();
    running.wait_for_event(|event| matches!(event, Event::Unit(_)));
    let reader = running.ledger().reader().unwrap();
    let entries = reader.backup(&backup, &Verifier).unwrap();
    let units = running.finish_keeping(|running| {
        let all = running.ledger().writer().written();
        assert!(all.commits < all.records, "{all:?}");
        // Besides its records a new ledger has its first entry. The copy is audited after it
        // was taken, so what counts is where it ends.
        assert!(entries < all.records + 1, "the backup was taken after the run");
        let sound = ledger::verify(&backup, &Verifier, &Audit::default()).unwrap();
        assert_eq!((sound.valid, sound.entries), (true, entries));
        let restored = running.restore(&backup);
        assert_eq!(restored.last_seq, entries);
    });
    assert_eq!(units.len(), 64);
    assert!(units.iter().all(|unit| unit.outcome == Outcome::Pass));
}
