//! A shift's first minutes: scan, plug, run, verdict, unplug, next.

use super::*;

/// Slots and size of a walk, and what its pictures are called besides.
const WALKS: [(usize, (u16, u16), &str); 3] =
    [(2, (80, 24), ""), (2, (120, 40), "_120x40"), (32, (120, 40), "_32_slots")];

#[test]
fn a_good_cycle() {
    for (slots, size, suffix) in WALKS {
        let picture = |step: &str, walk: &mut Walk| {
            insta::assert_snapshot!(format!("cycle_{step}{suffix}"), walk.screen());
        };
        let (first, slot) = ("TH200-00000001", names(slots)[0].to_string());
        let mut walk = Walk::new(slots, size);
        picture("1_start", &mut walk);
        walk.scans(first);
        assert_eq!(walk.scanned(), [first]);
        walk.line(Event::Waiting { serial: first.to_owned(), slot: None });
        picture("2_scanned", &mut walk);
        walk.slot(&slot, SlotStatus::Identifying);
        walk.slot(&slot, SlotStatus::Ready(hardware(1)));
        walk.slot(&slot, SlotStatus::Busy(first.to_owned()));
        picture("3_bound", &mut walk);
        walk.wait(1200);
        walk.progress(&[(0, first, Step::Write, 700, 1400)]);
        picture("4_writing", &mut walk);
        walk.wait(1100);
        walk.unit(report(first, &slot, Outcome::Pass));
        picture("5_pass", &mut walk);
        insta::assert_snapshot!(format!("cycle_5_pass_zh{suffix}"), walk.in_chinese());
        walk.slot(&slot, SlotStatus::Empty);
        picture("6_left", &mut walk);
        // Another device comes: the verdict is not its own, and is still told.
        walk.slot(&slot, SlotStatus::Identifying);
        walk.slot(&slot, SlotStatus::Ready(hardware(2)));
        picture("7_next", &mut walk);
        walk.slot(&slot, SlotStatus::Busy("TH200-00000002".to_owned()));
        picture("8_next_at_work", &mut walk);
    }
}

#[test]
fn a_verdict_belongs_to_one_device() {
    let fresh = |walk: &Walk| walk.model.tiles[0].verdict.as_ref().map(|verdict| verdict.is_here);
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
    for (slots, size, suffix) in WALKS {
        let names = names(slots);
        let (here, there) = (names[0].to_string(), names[1].to_string());
        let mut walk = Walk::new(slots, size);
        let mut held = report("TH200-00000003", &here, Outcome::Fail);
        (held.uncertain, held.step) = (true, Some(Step::Prove));
        let fault = Fault::new(Code::DevUnplugged, "the port vanished while PROVE was asked");
        held.fault = Some(fault);
        walk.ends(held.clone());
        assert!(walk.actions.contains(&Action::Bell));
        insta::assert_snapshot!(format!("hold_1{suffix}"), walk.screen());
        insta::assert_snapshot!(format!("hold_1_zh{suffix}"), walk.in_chinese());
        walk.slot(&here, SlotStatus::Empty);
        insta::assert_snapshot!(format!("hold_2_left{suffix}"), walk.screen());
        walk.key(KeyCode::Esc);
        walk.slot(&there, SlotStatus::Busy("TH200-00000003".to_owned()));
        walk.wait(500);
        let mut resolved = report("TH200-00000003", &there, Outcome::Pass);
        resolved.resumed = true;
        walk.unit(resolved);
        insta::assert_snapshot!(format!("hold_3_resolved{suffix}"), walk.screen());
    }
}

#[test]
fn a_pass_that_its_device_denies_becomes_a_hold() {
    let mut walk = Walk::new(2, (80, 24));
    walk.ends(report("U1", "A", Outcome::Pass));
    let mut denied = report("U1", "A", Outcome::Fail);
    denied.uncertain = true;
    denied.fault = Some(Fault::new(Code::DevContradiction, "it says now that it holds nothing"));
    walk.line(Event::Denied(Box::new(denied)));
    assert!(walk.actions.contains(&Action::Bell));
    let screen = walk.screen();
    assert!(screen.contains("E-DEV-CONTRADICTION"), "{screen}");
    assert!(screen.contains("Keep this unit"), "{screen}");
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

#[test]
fn a_pass_says_what_it_rests_on_where_that_is_no_signature() {
    for (proof, says) in [
        (Proof::Possession, "Take it out: done."),
        (Proof::Connect, "Take it out: done."),
        (Proof::ReadBack, "It was read back, it did not sign."),
        (Proof::None, "Nothing was proven."),
    ] {
        let mut walk = Walk::new(1, (80, 24));
        walk.ends(UnitReport { proof: Some(proof), ..report("U1", "A", Outcome::Pass) });
        let screen = walk.screen();
        assert!(screen.contains(says), "{screen}");
        let chinese = walk.in_chinese().replace(' ', "");
        assert_eq!(chinese.contains("仅回读"), proof == Proof::ReadBack, "{chinese}");
    }
}
