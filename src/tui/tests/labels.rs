//! Labels that are scanned back, and what is said of those that are open.

use super::*;
use crate::domain::event::{Command, LabelOutcome, LabelReport};

fn told(walk: &mut Walk, outcome: LabelOutcome, open: u32) {
    let report = LabelReport { serial: "TH200-00000001".to_owned(), outcome, fault: None, open };
    walk.line(Event::Label(Box::new(report)));
}

fn scanned_back(walk: &Walk) -> Vec<&str> {
    let commands = walk.actions.iter().filter_map(|action| match action {
        Action::Command(Command::ScanBack(scan)) => Some(scan.text.as_str()),
        _ => None,
    });
    commands.collect()
}

#[test]
fn a_label_is_scanned_back_while_every_slot_is_at_work() {
    let mut walk = Walk::new(1, (80, 24));
    walk.model.wanted = 0;
    told(&mut walk, LabelOutcome::Sent, 1);
    walk.scans("TH200-00000001");
    assert_eq!(scanned_back(&walk), ["TH200-00000001"]);
    // It takes no slot's place.
    assert_eq!((walk.model.wanted, walk.scanned().len()), (0, 0));
}

#[test]
fn what_is_wrong_with_a_scan_for_which_no_slot_is_free_is_the_line_s_to_say() {
    let mut walk = Walk::new(1, (80, 24));
    walk.model.wanted = 0;
    walk.scans("NO-LABEL");
    assert_eq!((walk.scanned().len(), scanned_back(&walk)), (0, vec!["NO-LABEL"]));
    let fault = Fault::new(Code::ScanPattern, "NO-LABEL: character 1 is 'N'");
    walk.line(Event::Unit(Box::new(UnitReport::refused("NO-LABEL", None, fault))));
    assert!(walk.screen().contains("E-SCAN-PATTERN"), "{}", walk.screen());
    assert_eq!(walk.model.wanted, 0);
}

#[test]
fn a_scan_that_a_slot_waits_for_is_a_unit_s_whatever_labels_are_open() {
    let mut walk = Walk::new(1, (80, 24));
    told(&mut walk, LabelOutcome::Sent, 1);
    walk.scans("TH200-00000002");
    assert_eq!((walk.scanned(), scanned_back(&walk).len()), (vec!["TH200-00000002"], 0));
}

#[test]
fn a_unit_whose_label_is_to_be_scanned_back_is_not_done_before_it_was() {
    let mut walk = Walk::with(1, (80, 24), |setup| setup.scans_back = true);
    walk.ends(report("TH200-00000001", "A", Outcome::Pass));
    told(&mut walk, LabelOutcome::Sent, 1);
    let asks = |walk: &mut Walk| {
        let (english, chinese) = (walk.screen(), walk.in_chinese());
        let asked = "scan the label.";
        assert_eq!(english.contains(asked), chinese.replace(' ', "").contains("扫描标签。"));
        (english.contains(asked), english.contains("Take it out: done."))
    };
    assert_eq!(asks(&mut walk), (true, false));
    // It stays when the device has left, until the label was scanned.
    walk.slot("A", SlotStatus::Empty);
    assert_eq!(asks(&mut walk), (true, false));
    told(&mut walk, LabelOutcome::Right, 0);
    assert_eq!(asks(&mut walk), (false, false));
}
