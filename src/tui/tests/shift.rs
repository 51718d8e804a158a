//! A whole shift with a unit on HOLD left over, as the people at the line see it: at every size,
//! in both languages.

use super::kept::tell_uncertain;
use super::*;

const SIZES: [(u16, u16); 4] = [(60, 20), (80, 24), (120, 40), (200, 60)];

#[test]
fn a_shift_with_a_unit_left_over() {
    for size in SIZES {
        for (language, word) in [(Language::English, "en"), (Language::Chinese, "zh")] {
            let mut walk = Walk::with(4, size, |setup| setup.language = language);
            let picture = |step: &str, walk: &mut Walk| {
                let name = format!("shift_{}_{word}_{step}", size.0);
                insta::assert_snapshot!(name, walk.screen());
            };
            work(&mut walk, &picture);
        }
    }
}

fn work(walk: &mut Walk, picture: &dyn Fn(&str, &mut Walk)) {
    picture("1_start", walk);
    walk.ends(report("TH200-00000001", "A", Outcome::Pass));
    walk.slot("A", SlotStatus::Empty);
    walk.ends(report("TH200-00000002", "A", Outcome::Pass));
    walk.ends(report("TH200-00000003", "B", Outcome::Fail));
    walk.slot("B", SlotStatus::Empty);
    let mut held = report("TH200-00000004", "C", Outcome::Fail);
    (held.uncertain, held.step) = (true, Some(Step::Prove));
    held.fault = Some(Fault::new(Code::DevUnplugged, "the port vanished while PROVE was asked"));
    walk.ends(held);
    walk.slot("C", SlotStatus::Empty);
    walk.slot("D", SlotStatus::Busy("TH200-00000005".to_owned()));
    walk.wait(1200);
    walk.progress(&[(3, "TH200-00000005", Step::Write, 700, 1400)]);
    picture("2_work", walk);
    walk.key(KeyCode::Esc);
    walk.unit(UnitReport::refused(
        "TH200-00000001",
        None,
        Fault::new(Code::UnitProven, "TH200-00000001 is proven on device 01010101"),
    ));
    picture("3_refused", walk);
    walk.key(KeyCode::Esc);
    walk.key(KeyCode::F(7));
    picture("4_log", walk);
    walk.ctrl('k');
    picture("5_kept", walk);
    walk.key(KeyCode::F(10));
    picture("6_leaving", walk);
    walk.wait(400);
    walk.key(KeyCode::Esc);
    // The next shift opens the screen: what the ledger says is all that it knows.
    let (size, language) = (walk.model.size, walk.model.language);
    let mut next = Walk::with(4, size, |setup| setup.language = language);
    tell_uncertain(&mut next, &[4]);
    picture("7_next_shift", &mut next);
    next.slot("A", SlotStatus::Busy("TH200-00000004".to_owned()));
    next.wait(900);
    let mut resolved = report("TH200-00000004", "A", Outcome::Pass);
    resolved.resumed = true;
    next.unit(resolved);
    picture("8_resolved", &mut next);
}
