//! What scanners send and what becomes of it: the table of `docs/scanners.md`, made of the
//! bytes, so that the page can't say what the station does not do.

#![expect(clippy::unwrap_used, reason = "a test that fails here is right to")]

#[path = "scanners/rows.rs"]
mod rows;

use std::fs;
use std::path::{Path, PathBuf};

use provisioning_station::config::Config;
use provisioning_station::domain::text::escaped;

use rows::{Row, Typed, becomes, rows, sections};

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

fn config(row: &Row) -> Config {
    let (settings, labels) = sections(row);
    let text = format!("{CONFIG}[scanner]\n{settings}\n{labels}");
    let parsed = Config::parse(Path::new("station.toml"), PathBuf::from("/etc"), text.as_bytes());
    parsed.unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn outcome(row: &Row) -> String {
    let (read, has_end) = becomes(row, &config(row));
    let warning = if has_end { "" } else { ", warned of: `E-SCAN-NO-END`" };
    match read {
        Ok(reading) => match reading.hardware {
            Some(hardware) => format!("{}, device {hardware}{warning}", reading.serial),
            None => format!("{}{warning}", reading.serial),
        },
        Err(fault) => format!("`{}`: {}{warning}", fault.code, fault.detail),
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

/// `tests/screen` types each.
fn typed(row: &Row) -> &'static str {
    match row.typed() {
        Typed::Alike => "the same",
        Typed::Keys => "`E-SCAN-KEYS`",
        Typed::Stays => "stays in its field; a second one: `E-SCAN-NO-END`",
        Typed::Never => "no keyboard's",
    }
}

fn table() -> String {
    let mut table = String::from(
        "| sent | bytes | settings and rule | becomes | typed at the screen |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for row in rows() {
        let settings = match (row.settings, row.rule) {
            (settings, "") => settings,
            (_, rule) => rule,
        };
        table.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            cell(row.what),
            code(&sent(&row.sent)),
            code(settings),
            cell(&outcome(&row)),
            typed(&row),
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
