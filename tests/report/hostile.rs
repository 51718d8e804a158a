//! Texts of devices, labels and persons that would be markup, formulas or tricks: shown, and
//! never carried out.

use crate::history::{History, Said};

const MARKUP: &str = "<script>alert(1)</script>";

fn said() -> Said {
    Said {
        firmware: "=cmd|'/C calc'!A1".to_owned(),
        model: "\"><img src=x onerror=alert(2)>".to_owned(),
        message: format!("{MARKUP} \u{202e}txt.exe\u{202c} \u{1b}[2J"),
        label: Some("</style><svg onload=alert(3)>".to_owned()),
    }
}

#[test]
fn a_page_shows_them_and_runs_none() {
    let history = History::that_says(&said());
    let unit = history.says("report unit TH200-00000002");
    assert!(unit.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "shown");
    assert!(unit.contains("&lt;svg onload=alert(3)&gt;"), "shown");
    let shift = history.says("report day --date 2025-10-25");
    assert!(
        shift.contains("=cmd|&#39;/C calc&#39;!A1") || shift.contains("=cmd|'/C calc'!A1"),
        "shown"
    );
    for page in [unit, shift] {
        for never in
            ["<script", "<img", "<svg onload", "\u{202e}", "\u{1b}", "http-equiv=\"refresh"]
        {
            assert!(!page.contains(never), "{never}");
        }
        assert!(page.contains("default-src 'none'"), "and nothing would run");
    }
}

#[test]
fn a_spreadsheet_shows_them_and_computes_none() {
    let history = History::that_says(&said());
    for line in [
        "export attempts --format csv",
        "export units --format csv",
        "report day --date 2025-10-25 --format csv",
        "report unit TH200-00000002 --format csv",
    ] {
        let csv = history.says(line);
        let mut table = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
        let mut formulas = 0;
        for record in table.records() {
            for cell in record.unwrap().iter() {
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{line}: {cell}");
                assert!(
                    !cell.contains(|c: char| c.is_control() || c == '\u{202e}'),
                    "{line}: {cell}"
                );
                formulas += usize::from(cell.starts_with("'=cmd"));
            }
        }
        assert!(formulas > 0, "{line} shows the text");
    }
}
