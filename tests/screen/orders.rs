//! Work orders at the screen: chosen from a list and by a label, refused while units wait, and
//! complete.

use super::works::{Works, label};

#[test]
fn a_work_order_is_chosen_changed_by_its_label_and_takes_no_label_when_it_is_complete() {
    let works = Works::new(&["A"], "insert");
    works.succeeds(&["work-order", "create", "WO-7", "--quantity", "1"]);
    works.succeeds(&["work-order", "create", "WO-8", "--quantity", "5"]);
    let screen = works.screen_until((100, 30), "", |shown| shown.contains("Make this work order"));
    // A question takes keys only some time after it was drawn.
    screen.wait_until("the second one is marked", |shown| {
        let is_marked = shown.lines().any(|line| line.contains("▸ Make") && line.contains("WO-8"));
        if !is_marked {
            screen.keys(&["Down"]);
        }
        is_marked
    });
    screen.confirm_until("│ WO-8", |shown| shown.contains("Make this work order"));
    screen.wait_for("Scan a label");
    screen.scans(&label(1));
    screen.wait_for("waits");
    screen.scans("order:WO-7");
    screen.wait_for("E-WORK-ORDER-BUSY");
    screen.keys(&["Escape"]);
    screen.wait_until("the message is gone", |shown| !shown.contains("E-WORK-ORDER-BUSY"));
    screen.keys(&["C-x"]);
    screen.wait_for("Scan a label");
    screen.scans("order:WO-7");
    screen.wait_for("│ WO-7");
    screen.scans(&label(1));
    screen.wait_for("waits");
    let _device = works.devices("A", &[]);
    screen.wait_for("L O T   C O M P L E T E");
    screen.scans(&label(2));
    screen.wait_for("E-WORK-ORDER-FULL");
    screen.leave();
    works.holds(&[(1, "proven")]);
}
