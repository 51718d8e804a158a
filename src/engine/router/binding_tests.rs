//! Which device a label is bound to, rule by rule.

use super::tests::{codes, hardware, job, names};
use super::*;

/// A router whose slots are all empty.
fn router(binding: Binding) -> Router {
    let mut router = Router::new(names(3), Duration::from_secs(60), binding);
    for slot in 0..3 {
        router.place(slot, Place::Empty, at(0));
    }
    router
}

fn at(ms: u64) -> Duration {
    Duration::from_secs(100) + Duration::from_millis(ms)
}

/// A device comes and says who it is.
fn comes(router: &mut Router, slot: usize, ms: u64) -> Vec<Decision> {
    let mut decisions = router.place(slot, Place::Opening, at(ms));
    let id = u8::try_from(slot).unwrap() + 1;
    decisions.extend(router.place(slot, Place::Ready(hardware(id)), at(ms + 20)));
    decisions
}

fn scan(router: &mut Router, serial: &str, ms: u64) -> Vec<Decision> {
    router.scan(job(serial), None, &Standing::default(), at(ms))
}

fn runs(decisions: &[Decision]) -> Vec<(usize, &str)> {
    decisions
        .iter()
        .filter_map(|decision| match decision {
            Decision::Run(slot, job) => Some((*slot, job.serial.as_str())),
            _ => None,
        })
        .collect()
}

/// One step of a table: what happens, and what must follow from it.
enum Step {
    Scan(&'static str, u64),
    Comes(usize, u64),
    Leaves(usize, u64),
    Look(u64),
}

/// Plays the steps; what was run and what was refused.
fn play(router: &mut Router, steps: &[Step]) -> (Vec<(usize, String)>, Vec<Code>) {
    let (mut ran, mut refused) = (Vec::new(), Vec::new());
    for step in steps {
        let decisions = match step {
            Step::Scan(serial, ms) => scan(router, serial, *ms),
            Step::Comes(slot, ms) => comes(router, *slot, *ms),
            Step::Leaves(slot, ms) => router.place(*slot, Place::Empty, at(*ms)),
            Step::Look(ms) => router.look(at(*ms)),
        };
        ran.extend(runs(&decisions).into_iter().map(|(slot, serial)| (slot, serial.to_owned())));
        refused.extend(codes(&decisions));
    }
    (ran, refused)
}

/// What happens, the units that start then with their slots, and the codes of the refused.
type Row<'a> = (&'a str, &'a [Step], &'a [(usize, &'a str)], &'a [Code]);

#[test]
fn by_insertion_a_label_belongs_to_the_one_device_that_comes_after_it() {
    use Step::{Comes, Leaves, Look, Scan};
    let rows: &[Row<'_>] = &[
        ("scan, then plug", &[Scan("U1", 10), Comes(1, 1000), Look(1500)], &[(1, "U1")], &[]),
        (
            "not before the window has closed",
            &[Scan("U1", 10), Comes(1, 1000), Look(1499)],
            &[],
            &[],
        ),
        (
            "a device that was there before is not meant",
            &[Comes(0, 10), Scan("U1", 100), Look(9000)],
            &[],
            &[],
        ),
        (
            "nor when another one comes after",
            &[Comes(0, 10), Scan("U1", 100), Comes(2, 2000), Look(2500)],
            &[(2, "U1")],
            &[],
        ),
        (
            "taken out and put in again it is",
            &[Comes(0, 10), Scan("U1", 100), Leaves(0, 500), Comes(0, 900), Look(1400)],
            &[(0, "U1")],
            &[],
        ),
        (
            "two within the window: neither",
            &[Scan("U1", 10), Comes(0, 1000), Comes(2, 1400), Look(9000)],
            &[],
            &[Code::ScanTwoDevices],
        ),
        (
            "one that left again does not count",
            &[Scan("U1", 10), Comes(0, 1000), Leaves(0, 1200), Comes(2, 1400), Look(1900)],
            &[(2, "U1")],
            &[],
        ),
        (
            "those two are not meant by the next label either",
            &[
                Scan("U1", 10),
                Comes(0, 1000),
                Comes(2, 1400),
                Scan("U2", 2000),
                Look(9000),
                Comes(1, 9100),
                Look(9600),
            ],
            &[(1, "U2")],
            &[Code::ScanTwoDevices],
        ),
        (
            "one label at a time",
            &[Scan("U1", 10), Scan("U2", 20), Comes(1, 1000), Look(1500)],
            &[(1, "U1")],
            &[Code::ScanAhead],
        ),
    ];
    for (name, steps, ran, refused) in rows {
        let (got, codes) = play(&mut router(Binding::Insert), steps);
        let got: Vec<(usize, &str)> = got.iter().map(|(slot, text)| (*slot, &**text)).collect();
        assert_eq!((&got[..], &codes[..]), (*ran, *refused), "{name}");
    }
}

#[test]
fn a_device_with_an_open_attempt_is_not_taken_for_the_label_that_waits() {
    let mut router = router(Binding::Insert);
    scan(&mut router, "U1", 10);
    router.place(0, Place::Opening, at(1000));
    let resumed = Job { resumed: true, ..job("U9") };
    let decisions = router.place_and_resume(0, Place::Ready(hardware(1)), resumed, at(1020));
    assert_eq!(runs(&decisions), [(0, "U9")]);
    comes(&mut router, 1, 2000);
    assert_eq!(runs(&router.look(at(2500))), [(1, "U1")]);
}

#[test]
fn another_device_at_an_open_port_has_just_come() {
    let mut router = router(Binding::Insert);
    comes(&mut router, 0, 10);
    scan(&mut router, "U1", 100);
    router.place(0, Place::Ready(hardware(7)), at(1000));
    assert_eq!(runs(&router.look(at(1500))), [(0, "U1")]);
}

#[test]
fn by_slot_a_label_belongs_to_the_slot_whose_barcode_came_first() {
    let mut router = router(Binding::Slot);
    assert_eq!(router.barcode("slot:S1"), Some(1));
    assert_eq!(router.barcode("SLOT:S2"), Some(2));
    assert_eq!((router.barcode("slot:S9"), router.barcode("S1")), (None, None));
    assert_eq!(router.chosen().unwrap_err().code, Code::ScanSlot);
    router.choose(1, at(0));
    assert_eq!(router.chosen(), Ok(Some(1)));
    assert_eq!(router.chosen().unwrap_err().code, Code::ScanSlot, "for one label alone");
    // Wherever else a device comes, the label waits for its slot.
    router.scan(job("U1"), Some(1), &Standing::default(), at(10));
    assert_eq!(router.waits(&"U1".parse().unwrap()), Some(Some("S1".parse().unwrap())));
    assert_eq!(runs(&comes(&mut router, 0, 100)), []);
    assert_eq!(runs(&comes(&mut router, 1, 200)), [(1, "U1")]);
}

#[test]
fn a_chosen_slot_is_forgotten_after_a_minute() {
    let mut router = router(Binding::Slot);
    router.choose(1, at(0));
    assert!(!router.forget_choice(at(59_999)));
    assert!(router.forget_choice(at(60_000)));
    assert!(router.chosen().is_err());
}

#[test]
fn where_any_device_is_meant_a_slots_barcode_is_a_label_like_any_other() {
    assert_eq!(router(Binding::Any).barcode("slot:S1"), None);
    assert_eq!(router(Binding::Insert).barcode("slot:S1"), None);
}

#[test]
fn scans_that_wait_can_be_taken_back() {
    let mut router = router(Binding::Insert);
    scan(&mut router, "U1", 10);
    let (withdrawn, _) = router.withdraw(at(20));
    assert_eq!(withdrawn, ["U1".parse().unwrap()]);
    comes(&mut router, 1, 1000);
    assert_eq!(router.look(at(2000)), []);
}
