//! Reports as files in a browser: whole, in both languages, on any screen and on paper.

use std::fs;

use crate::browser::{Browser, Window, address_of, gallery};
use crate::history::{History, ORDER};

const LAPTOP: Window = Window { width: 1280, height: 2600, dark: false };

#[test]
fn a_report_is_one_file_that_opens_anywhere() {
    let (history, browser) = (History::whole(), Browser::new());
    let out = history.dir().join("night.html");
    let line = "report shift --name night --date 2025-10-25 --out";
    history.says(&format!("{line} {}", out.display()));
    let page = fs::read_to_string(&out).unwrap();
    for elsewhere in ["http://", "https://", "src=", "url(", "@import", "<script"] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    let document = browser.document(&address_of(&out));
    assert!(document.contains("Shift report: night, 2025-10-25"), "{document}");
    // A bar leads to its units, and what it leads to is there.
    assert!(document.contains("href=\"#code-E-DEV-TIMEOUT\""), "a bar leads somewhere");
    assert!(document.contains("id=\"code-E-DEV-TIMEOUT\""), "and that is there");
    assert!(document.contains("role=\"img\" aria-label=\"Output by hour\""), "charts have names");
    for (name, window) in [
        ("report", LAPTOP),
        ("report-dark", Window { dark: true, ..LAPTOP }),
        ("report-phone", Window { width: 500, height: 4200, dark: false }),
        ("report-wall", Window { width: 3840, height: 2160, dark: true }),
    ] {
        browser.picture(&address_of(&out), window, &gallery().join(format!("{name}.png")));
    }
    browser.paper(&address_of(&out), &gallery().join("report.pdf"));
}

#[test]
fn a_work_order_and_a_unit_are_pages_too() {
    let (history, browser) = (History::whole(), Browser::new());
    let order = history.dir().join("order.html");
    let line = format!("report work-order {ORDER} --language zh-CN --out");
    history.says(&format!("{line} {}", order.display()));
    let document = browser.document(&address_of(&order));
    assert!(document.contains(&format!("工单 {ORDER}")) && document.contains("一次通过率"));
    browser.picture(&address_of(&order), LAPTOP, &gallery().join("order-zh.png"));
    let unit = history.dir().join("unit.html");
    history.says(&format!("report unit TH200-00000027 --out {}", unit.display()));
    let shorter = Window { height: 1100, ..LAPTOP };
    browser.picture(&address_of(&unit), shorter, &gallery().join("unit.png"));
}
