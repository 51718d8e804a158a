//! Reports as files in a browser: whole, in both languages, on any screen and on paper.

use std::fs;

use crate::browser::{Browser, Window, address_of, gallery};
use crate::history::{History, ORDER};

pub(crate) const LAPTOP: Window = Window { width: 1280, height: 1800, dark: false };
pub(crate) const PHONE: Window = Window { width: 360, height: 800, dark: false };
pub(crate) const WALL: Window = Window { width: 3840, height: 2160, dark: true };

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
    browser.open(&address_of(&out));
    assert!(browser.text().contains("Shift report: night, 2025-10-25"));
    assert_eq!(browser.loaded_from(), [""; 0], "nothing was fetched");
    assert_eq!(browser.name_of("svg.chart"), "Output by hour");
    // What a bar says can be read without pointing at it.
    browser.click("figure .values summary");
    assert!(browser.text().contains("10-26 02:00 UTC+2\t"), "{}", browser.text());
    // A bar leads to its units.
    browser.click("td.drawn a[href='#code-E-DEV-TIMEOUT']");
    browser.wait_until(
        "document.querySelector(':target summary').innerText.includes('E-DEV-TIMEOUT')",
    );
    let units = browser.script("return document.querySelectorAll(':target tbody tr').length");
    let report = history.json("report shift --name night --date 2025-10-25 --format json");
    assert_eq!(units, report["by_code"][0]["units"].as_array().unwrap().len());
    browser.open(&address_of(&out));
    browser.picture(LAPTOP, &gallery("report.png"));
    browser.picture(Window { dark: true, ..LAPTOP }, &gallery("report-dark.png"));
    browser.fits(PHONE);
    browser.picture(Window { height: 1600, ..PHONE }, &gallery("report-phone.png"));
    browser.fits(WALL);
    browser.picture(WALL, &gallery("report-wall.png"));
    browser.paper(&gallery("report.pdf"));
}

#[test]
fn a_work_order_and_a_unit_are_pages_too() {
    let (history, browser) = (History::whole(), Browser::new());
    let order = history.dir().join("order.html");
    let line = format!("report work-order {ORDER} --language zh-CN --out");
    history.says(&format!("{line} {}", order.display()));
    browser.open(&address_of(&order));
    let text = browser.text();
    assert!(text.contains(&format!("工单 {ORDER}")) && text.contains("一次通过率"), "{text}");
    assert!(text.contains("保留"), "as on the operator's screen");
    browser.fits(PHONE);
    browser.picture(LAPTOP, &gallery("order-zh.png"));
    let unit = history.dir().join("unit.html");
    let line = "report unit TH200-00000029 --language zh-CN --out";
    history.says(&format!("{line} {}", unit.display()));
    browser.open(&address_of(&unit));
    assert!(browser.text().contains("已用私钥签名"), "{}", browser.text());
    history.says(&format!("report unit TH200-00000029 --out {}", unit.display()));
    browser.open(&address_of(&unit));
    browser.fits(PHONE);
    browser.picture(Window { height: 900, ..LAPTOP }, &gallery("unit.png"));
}
