//! A shift's first minutes: scan, plug, run, verdict, unplug, next.

use super::*;

#[test]
fn a_good_cycle() {
    let mut walk = Walk::new(2, (80, 24));
    insta::assert_snapshot!("cycle_1_start", walk.screen());
    walk.scans("TH200-00000001");
    assert_eq!(walk.scanned(), ["TH200-00000001"]);
    walk.line(Event::Waiting { serial: "TH200-00000001".to_owned(), slot: None });
    insta::assert_snapshot!("cycle_2_scanned", walk.screen());
    walk.slot("A", SlotStatus::Identifying);
    walk.slot("A", SlotStatus::Ready(hardware(1)));
    walk.slot("A", SlotStatus::Busy("TH200-00000001".to_owned()));
    insta::assert_snapshot!("cycle_3_bound", walk.screen());
    walk.wait(1200);
    walk.progress(&[(0, "TH200-00000001", Step::Write, 700, 1400)]);
    insta::assert_snapshot!("cycle_4_writing", walk.screen());
    walk.wait(1100);
    walk.unit(report("TH200-00000001", "A", Outcome::Pass));
    insta::assert_snapshot!("cycle_5_pass", walk.screen());
    insta::assert_snapshot!("cycle_5_pass_zh", walk.in_chinese());
    walk.slot("A", SlotStatus::Empty);
    insta::assert_snapshot!("cycle_6_left", walk.screen());
    // Another device comes: the verdict is not its own, and is still told.
    walk.slot("A", SlotStatus::Identifying);
    walk.slot("A", SlotStatus::Ready(hardware(2)));
    insta::assert_snapshot!("cycle_7_next", walk.screen());
    walk.slot("A", SlotStatus::Busy("TH200-00000002".to_owned()));
    insta::assert_snapshot!("cycle_8_next_at_work", walk.screen());
}

#[test]
fn a_verdict_belongs_to_one_device() {
    let fresh = |walk: &Walk| walk.model.tiles[0].verdict.as_ref().map(|verdict| verdict.fresh);
    for (status, stays) in [
        (SlotStatus::Ready(hardware(1)), true),
        (SlotStatus::Done, true),
        (SlotStatus::Ready(hardware(2)), false),
        (SlotStatus::Identifying, false),
        (SlotStatus::Empty, false),
    ] {
        let mut walk = Walk::new(1, (80, 24));
        walk.ends(report("U1", "A", Outcome::Pass));
        walk.slot("A", status.clone());
        assert_eq!(fresh(&walk), Some(stays), "{status:?}");
    }
}

#[test]
fn the_serial_that_is_bound_is_shown_before_anything_is_written() {
    let mut walk = Walk::with(2, (80, 24), |setup| setup.binding = Binding::Slot);
    walk.line(Event::Chosen(Some(slot("B"))));
    assert!(walk.screen().contains("Slot B: scan the label."));
    walk.line(Event::Chosen(None));
    walk.line(Event::Waiting { serial: "TH200-00000007".to_owned(), slot: Some(slot("B")) });
    let screen = walk.screen();
    assert!(screen.contains("TH200-00000007") && screen.contains("put the device in"), "{screen}");
    // It goes into the wrong one.
    walk.slot("A", SlotStatus::Ready(hardware(3)));
    insta::assert_snapshot!("wrong_slot", walk.screen());
}

#[test]
fn hold_and_its_way_out() {
    let mut walk = Walk::new(2, (80, 24));
    let mut held = report("TH200-00000003", "A", Outcome::Fail);
    (held.uncertain, held.step) = (true, Some(Step::Prove));
    held.fault = Some(Fault::new(Code::DevUnplugged, "the port vanished while PROVE was asked"));
    walk.ends(held.clone());
    assert!(walk.actions.contains(&Action::Bell));
    insta::assert_snapshot!("hold_1", walk.screen());
    insta::assert_snapshot!("hold_1_zh", walk.in_chinese());
    walk.slot("A", SlotStatus::Empty);
    insta::assert_snapshot!("hold_2_left", walk.screen());
    walk.key(KeyCode::Esc);
    walk.slot("B", SlotStatus::Busy("TH200-00000003".to_owned()));
    walk.wait(500);
    let mut resolved = report("TH200-00000003", "B", Outcome::Pass);
    resolved.resumed = true;
    walk.unit(resolved);
    insta::assert_snapshot!("hold_3_resolved", walk.screen());
}

#[test]
fn the_focus_jumps_to_what_needs_a_person() {
    let mut walk = Walk::new(4, (120, 40));
    walk.ends(report("U3", "C", Outcome::Fail));
    assert_eq!(walk.model.focus, 2);
    walk.ends(report("U4", "D", Outcome::Fail));
    assert_eq!(walk.model.focus, 2, "one after the other");
    walk.key(KeyCode::Tab);
    assert_eq!(walk.model.focus, 3);
    walk.key(KeyCode::Tab);
    assert_eq!(walk.model.focus, 2);
}
