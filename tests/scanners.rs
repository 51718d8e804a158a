//! What scanners send and what becomes of it: the table of `docs/scanners.md`, made of the
//! bytes, so that the page can't say what the station does not do.

#![expect(clippy::unwrap_used, reason = "a test that fails here is right to")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use provisioning_station::app::from_config;
use provisioning_station::config::Config;
use provisioning_station::domain::device::Fault;
use provisioning_station::domain::scan::Framer;
use provisioning_station::domain::text::escaped;

const CONFIG: &str = r#"
[station]
id = "line-1"
data_dir = "data"
[product]
name = "TH200"
serial_pattern = "TH200-[0-9]{8}"
client_id = "{serial}"
[certificate]
valid_for = "20y"
[authority]
certificate = "ca.pem"
key = "ca.key"
[broker]
host = "mqtt.example.com"
server_root = "root.pem"
[[slots]]
name = "A"
port = "/dev/null"
"#;

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
struct Row {
    what: &'static str,
    sent: Vec<u8>,
    settings: &'static str,
    rule: &'static str,
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

fn rows() -> Vec<Row> {
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

fn config(row: &Row) -> Config {
    let mut text = CONFIG.to_owned();
    if !row.settings.is_empty() || !row.rule.is_empty() {
        text.push_str("[scanner]\n");
        text.push_str(&row.settings.replace(", ", "\n"));
    }
    if !row.rule.is_empty() {
        // A comma in a text or a table is none between keys.
        let keys = row.rule.replace(", text =", "\ntext =").replace(", query =", "\nquery =");
        let keys = keys.replace(", serial =", "\nserial =").replace(", require =", "\nrequire =");
        let keys = keys.replace(", hardware_id =", "\nhardware_id =");
        text.push_str(&format!("\n[[scanner.label]]\n{keys}\n"));
    }
    let parsed = Config::parse(Path::new("station.toml"), PathBuf::from("/etc"), text.as_bytes());
    parsed.unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What the station makes of it, from the bytes at the port to the verdict.
fn outcome(row: &Row) -> String {
    let config = config(row);
    let mut framer = Framer::new(&config.scanner.ends);
    let mask = if config.scanner.has_seven_bits { 0x7f } else { 0xff };
    let sent: Vec<u8> = row.sent.iter().map(|byte| byte & mask).collect();
    framer.take(&sent, Duration::ZERO);
    let framed = framer.next(Duration::from_secs(1)).unwrap();
    assert_eq!(framer.next(Duration::from_secs(2)), None, "{} are two scans", row.what);
    let rule = from_config::label_rule(&config, None).unwrap();
    let verdict = config.scanner.rules.read(&framed.text(), &rule);
    let warning = if framed.has_end { "" } else { ", warned of: `E-SCAN-NO-END`" };
    match verdict.outcome {
        Ok(reading) => match reading.hardware {
            Some(hardware) => format!("{}, device {hardware}{warning}", reading.serial),
            None => format!("{}{warning}", reading.serial),
        },
        Err(unread) => {
            let fault = Fault::from(unread);
            format!("`{}`: {}{warning}", fault.code, fault.detail)
        }
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

fn code(text: &str) -> String {
    match text.is_empty() {
        true => "none".to_owned(),
        false => format!("`{}`", text.replace('|', "\\|")),
    }
}

fn sent(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => escaped(text),
        Err(_) => bytes.escape_ascii().to_string(),
    }
}

fn table() -> String {
    let mut table =
        String::from("| sent | bytes | settings and rule | becomes |\n| --- | --- | --- | --- |\n");
    for row in rows() {
        let settings = match (row.settings, row.rule) {
            (settings, "") => settings,
            (_, rule) => rule,
        };
        table.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            cell(row.what),
            code(&sent(&row.sent)),
            code(settings),
            cell(&outcome(&row)),
        ));
    }
    table
}

#[test]
fn the_page_shows_what_becomes_of_what_scanners_send() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scanners.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- table -->\n").unwrap();
    let (shown, behind) = rest.split_once("<!-- end -->").unwrap();
    let made = table();
    if std::env::var_os("UPDATE_TABLE").is_some() {
        let page = format!("{before}<!-- table -->\n{made}<!-- end -->{behind}");
        fs::write(&path, page).unwrap();
        return;
    }
    let how = "UPDATE_TABLE=1 cargo test --test scanners";
    assert!(shown == made, "docs/scanners.md is out of date: {how}");
}

#[test]
fn every_refusal_says_what_to_change() {
    let told = ["set ", "[scanner", "[[scanner", "rule ", "could not read", "lines", "serial"];
    for row in rows() {
        let outcome = outcome(&row);
        let refused = outcome.starts_with('`');
        assert!(!refused || told.iter().any(|word| outcome.contains(word)), "{outcome}");
    }
}
