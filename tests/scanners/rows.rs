//! What scanners send, row by row: the source of the table in `docs/scanners.md`, and of the
//! walk through it at the screen.

use std::time::Duration;

use provisioning_station::app::from_config;
use provisioning_station::config::Config;
use provisioning_station::domain::device::Fault;
use provisioning_station::domain::scan::{Framer, Reading, drop_parity};

const GS1: &str = "form = \"gs1\"";
const GS1_FOR_ONE_PRODUCT: &str = "form = \"gs1\", require = { \"01\" = \"09506000134352\" }";
const LINK: &str = "form = \"link\"";
const QUERY: &str = "form = \"link\", query = \"sn\"";
const JSON: &str = "form = \"json\", serial = \"SN\", hardware_id = \"MAC\"";
const COLON: &str = "form = \"text\", text = \"SN:{serial}\"";
const SLASH: &str = "form = \"text\", text = \"S/N: {serial}\"";
const SEMICOLON: &str = "form = \"text\", text = \"{serial};{hardware_id}\"";
const COMMA: &str = "form = \"text\", text = \"{serial},{hardware_id}\"";
const BAR: &str = "form = \"text\", text = \"{serial}|{hardware_id}\"";
const LINES: &str = "form = \"text\", text = \"SN:{serial}\\nMAC:{hardware_id}\"";

/// What is sent, in words and in bytes, and the rule and the settings under which it is read.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) sent: Vec<u8>,
    pub(crate) settings: &'static str,
    pub(crate) rule: &'static str,
}

/// What becomes of a row where a keyboard scanner types it at the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typed {
    /// What becomes of it from a port.
    Alike,
    /// It holds keys that mean something to a terminal.
    Keys,
    /// Without Enter it stays where it was typed, and a second one is refused with it.
    Stays,
    /// No keyboard types it.
    Never,
}

impl Row {
    pub(crate) fn typed(&self) -> Typed {
        match std::str::from_utf8(&self.sent) {
            Err(_) => Typed::Never,
            Ok(text) if text.contains(['\u{2}', '\u{3}', '\t']) => Typed::Keys,
            Ok(text) if !text.ends_with(['\r', '\n']) => Typed::Stays,
            Ok(_) => Typed::Alike,
        }
    }
}

fn row(what: &'static str, sent: &str) -> Row {
    Row { what, sent: sent.as_bytes().to_vec(), settings: "", rule: "" }
}

fn by(rule: &'static str, what: &'static str, sent: &str) -> Row {
    Row { rule, ..row(what, sent) }
}

fn under(settings: &'static str, row: Row) -> Row {
    Row { settings, ..row }
}

/// The text with the parity bit of 7E1.
fn even(text: &str) -> Vec<u8> {
    text.bytes().map(|byte| byte | u8::from(byte.count_ones() % 2 == 1) << 7).collect()
}

pub(crate) fn rows() -> Vec<Row> {
    const GTIN: &str = "0109506000134352";
    const JSON_LABEL: &str = r#"{"SN":"TH200-00000706","MAC":"00:15:5D:01:A2:B3"}"#;
    vec![
        row("the serial and CR", "TH200-00000706\r"),
        row("CR and LF", "TH200-00000706\r\n"),
        row("Code 128 with its identifier", "]C0TH200-00000706\r"),
        row("QR Code with its identifier", "]Q1TH200-00000706\r"),
        row("STX and ETX", "\u{2}TH200-00000706\u{3}"),
        row("a TAB behind it", "TH200-00000706\t"),
        under("ends = \"tab\"", row("a TAB behind it", "TH200-00000706\t")),
        row("an ETX behind it", "TH200-00000706\u{3}"),
        row("nothing behind it", "TH200-00000706"),
        row("two scans, nothing between them", "TH200-00000706TH200-00000707"),
        Row { sent: even("TH200-00000706\r"), ..row("7E1 at an 8N1 port", "") },
        under(
            "data_bits = 7, parity = \"even\"",
            Row { sent: even("TH200-00000706\r"), ..row("7E1 at an 8N1 port", "") },
        ),
        row("three lines of one symbol", "TH200-00000706\rTH200-00000707\rTH200-00000708\r"),
        row("the scanner read nothing", "NOREAD\r"),
        row("CapsLock", "th200-00000706\r"),
        under("case = \"upper\"", row("CapsLock", "th200-00000706\r")),
        row("another keyboard layout", "TH200ß00000706\r"),
        row("GS1 without a rule", "]C1010950600013435221TH200-00000706\r"),
        by(GS1, "GS1-128", &format!("]C1{GTIN}21TH200-00000706\r")),
        by(GS1, "GS1 DataMatrix with a lot", &format!("]d2{GTIN}10L7\u{1d}21TH200-00000706\r")),
        by(GS1, "GS1 QR Code", &format!("]Q3{GTIN}21TH200-00000706\u{1d}10L7\r")),
        by(GS1, "GS1 without identifier", &format!("{GTIN}21TH200-00000706\r")),
        by(GS1, "GS1 as it is printed below", "(01)09506000134352(21)TH200-00000706\r"),
        by(GS1, "separators dropped", &format!("]C1{GTIN}10L721TH200-00000706\r")),
        by(GS1, "separators dropped", &format!("]C1{GTIN}21TH200-0000070610L7\r")),
        by(GS1, "separators written out", &format!("{GTIN}10L7<GS>21TH200-00000706\r")),
        by(GS1_FOR_ONE_PRODUCT, "another product", "]C1010950600014930121TH200-00000706\r"),
        by(GS1, "two serials", "(21)TH200-00000706(21)TH200-00000707\r"),
        by(
            LINK,
            "Digital Link",
            &format!("https://id.example.com/01/{}/21/TH200-00000706\r", &GTIN[2..]),
        ),
        by(QUERY, "a URL", "https://example.com/d?sn=TH200-00000706\r"),
        by(JSON, "JSON", &format!("{JSON_LABEL}\r")),
        by(JSON, "JSON without the device", "{\"SN\":\"TH200-00000706\"}\r"),
        row("JSON without a rule", &format!("{JSON_LABEL}\r")),
        by(COLON, "SN:…", "SN:TH200-00000706\r"),
        row("SN:… without a rule", "SN:TH200-00000706\r"),
        by(SLASH, "S/N: …", "S/N: TH200-00000706\r"),
        by(SEMICOLON, "serial and MAC", "TH200-00000706;00155D01A2B3\r"),
        by(COMMA, "serial and MAC", "TH200-00000706,00-15-5D-01-A2-B3\r"),
        by(BAR, "serial and MAC", "TH200-00000706|00:15:5D:01:A2:B3\r"),
        by(LINES, "two lines by design", "SN:TH200-00000706\nMAC:00155D01A2B3\r"),
    ]
}

/// What station.toml says for it in `[scanner]`, and behind that section.
pub(crate) fn sections(row: &Row) -> (String, String) {
    let settings = row.settings.replace(", ", "\n");
    if row.rule.is_empty() {
        return (settings, String::new());
    }
    // A comma in a text or a table is none between keys.
    let keys = row.rule.replace(", text =", "\ntext =").replace(", query =", "\nquery =");
    let keys = keys.replace(", serial =", "\nserial =").replace(", require =", "\nrequire =");
    let keys = keys.replace(", hardware_id =", "\nhardware_id =");
    (settings, format!("[[scanner.label]]\n{keys}\n"))
}

/// What the station makes of it, from the bytes at the port to the verdict, and whether it ended
/// as a scan should.
pub(crate) fn becomes(row: &Row, config: &Config) -> (Result<Reading, Fault>, bool) {
    let mut framer = Framer::new(&config.scanner.ends);
    let mut sent = row.sent.clone();
    if config.scanner.has_seven_bits {
        drop_parity(&mut sent);
    }
    framer.take(&sent, Duration::ZERO);
    let framed = framer.next(Duration::from_secs(1)).unwrap();
    assert_eq!(framer.next(Duration::from_secs(2)), None, "{} are two scans", row.what);
    let rule = from_config::label_rule(config, None).unwrap();
    let verdict = config.scanner.rules.read(&framed.text(), &rule);
    (verdict.outcome.map_err(Fault::from), framed.has_end)
}
