//! 1 to 64 slots on small and wide terminals.

use super::*;

fn busy(slots: usize, size: (u16, u16)) -> Walk {
    let mut walk = Walk::new(slots, size);
    let names: Vec<_> = walk.model.setup.slots.clone();
    let mut steps = Vec::new();
    let serials: Vec<String> = (1..=slots).map(|number| format!("TH200-{number:08}")).collect();
    for (index, (name, serial)) in names.iter().zip(&serials).enumerate() {
        match index % 8 {
            0 => walk.ends(report(serial, name.as_str(), Outcome::Pass)),
            3 => walk.ends(report(serial, name.as_str(), Outcome::Fail)),
            5 => {
                let mut held = report(serial, name.as_str(), Outcome::Fail);
                held.uncertain = true;
                walk.ends(held);
            }
            7 => {}
            _ => {
                walk.slot(name.as_str(), SlotStatus::Busy(serial.clone()));
                steps.push((index, serial.as_str(), Step::Write, 50 * index as u32, 3200));
            }
        }
    }
    while walk.model.notices.seen().is_some() {}
    walk.wait(1500);
    walk.progress(&steps);
    walk
}

#[test]
fn many_slots() {
    for (slots, size) in
        [(1, (80, 24)), (8, (80, 24)), (16, (80, 24)), (32, (120, 40)), (64, (200, 60))]
    {
        let mut walk = busy(slots, size);
        let name = format!("slots_{slots}_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, walk.screen());
    }
}

#[test]
fn what_does_not_fit_stands_on_the_next_page() {
    let mut walk = busy(64, (80, 24));
    walk.key(KeyCode::Home);
    insta::assert_snapshot!("pages_first", walk.screen());
    for _ in 0..4 {
        walk.key(KeyCode::PageDown);
    }
    let screen = walk.screen();
    assert!(screen.contains("S64") && !screen.contains("S01"), "{screen}");
}

#[test]
fn thirty_two_slots_in_chinese() {
    let mut walk = busy(32, (120, 40));
    walk.key(KeyCode::F(9));
    insta::assert_snapshot!("slots_32_120x40_zh", walk.screen());
}

#[test]
fn no_size_breaks_the_screen() {
    let mut walk = busy(9, (80, 24));
    for (width, height) in [(1, 1), (59, 15), (60, 15), (61, 200), (300, 14), (300, 100), (80, 24)]
    {
        walk.resize(width, height);
        for page in 1..=8 {
            walk.key(KeyCode::F(page));
            walk.screen();
        }
    }
    walk.resize(40, 10);
    assert!(walk.screen().contains("Too small"));
}

#[test]
fn a_large_screen_is_used() {
    for (slots, name) in [(1, "1"), (2, "2"), (6, "6")] {
        let mut walk = Walk::new(slots, (200, 60));
        walk.ends(report("TH200-00000001", "A", Outcome::Fail));
        walk.ends(report("TH200-00000002", "A", Outcome::Pass));
        if slots > 1 {
            walk.slot("B", SlotStatus::Busy("TH200-00000003".to_owned()));
            walk.progress(&[(1, "TH200-00000003", Step::Write, 700, 1400)]);
        }
        insta::assert_snapshot!(format!("large_{name}_slots"), walk.screen());
    }
}
