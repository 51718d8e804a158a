//! Tables of attempts and units, on the ledger that a demo left.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::station::{Run, Station};

const FIRST: &str = "TH200-00000001";

/// A station whose ledger holds three proven units, in a factory in Shanghai.
fn station() -> Station {
    let station = Station::new();
    let mut demo =
        station.command("demo --headless --no-sync --units 3 --slots 2 --dir demo --json");
    let run = Run::of(&mut demo);
    assert_eq!(run.status, 0, "{run:?}");
    let path = station.path("demo/station.toml");
    let text = fs::read_to_string(&path).unwrap();
    let zone = text.replacen("[station]\n", "[station]\ntimezone = \"Asia/Shanghai\"\n", 1);
    fs::write(path, zone).unwrap();
    station.settle("demo/station.toml");
    station
}

/// The rows of a table by the names of its columns.
fn rows(csv: &str) -> Vec<serde_json::Map<String, serde_json::Value>> {
    let cells = |line: &str| -> Vec<String> { line.split(',').map(str::to_owned).collect() };
    let mut lines = csv.split_terminator("\r\n");
    let names = cells(lines.next().unwrap());
    let row = |line: &str| names.iter().cloned().zip(cells(line).into_iter().map(Into::into));
    lines.map(|line| row(line).collect()).collect()
}

#[test]
fn attempts_are_a_table_with_what_unit_show_says() {
    let station = station();
    let csv = station.ok("export attempts --format csv").stdout;
    assert!(csv.starts_with("time,serial,slot,operator,device,firmware,outcome,code,"), "{csv}");
    let rows = rows(&csv);
    assert_eq!(rows.len(), 3);
    let row = rows.iter().find(|row| row["serial"] == FIRST).unwrap();
    let story = station.ok(&format!("unit show {FIRST} --json")).json_line();
    let (attempt, certificate) = (&story["attempts"][0], &story["certificates"][0]);
    assert_eq!(row["outcome"], "pass");
    assert_eq!(row["slot"], attempt["slot"]);
    assert_eq!(row["certificate_sn"], certificate["certificate_sn"]);
    assert_eq!(row["fingerprint_sha256"], certificate["fingerprint_sha256"]);
    assert_eq!((&row["registration"], &row["utc_offset"]), (&"waiting".into(), &"UTC+8".into()));
    let lines = station.ok("export attempts --format ndjson").json();
    let line = lines.iter().find(|line| line["serial"] == FIRST).unwrap();
    assert_eq!(line["time"], attempt["started_at"]);
    assert_eq!(line["ended"], attempt["ended_at"]);
    assert_eq!(line["device"], attempt["hardware"]);
    let took = row["duration_ms"].as_str().unwrap().parse::<i64>().unwrap();
    assert_eq!(line["duration_ms"], took);
}

#[test]
fn units_are_a_table_too_and_filters_narrow_both() {
    let station = station();
    station.ok(&format!("unit scrap {FIRST} --reason 'cracked housing'"));
    let units = rows(&station.ok("export units --format csv").stdout);
    assert_eq!(units.len(), 3);
    assert_eq!((&units[0]["serial"], &units[0]["state"]), (&FIRST.into(), &"scrapped".into()));
    assert_eq!((&units[1]["state"], &units[1]["attempts"]), (&"proven".into(), &"1".into()));
    let count = |line: &str| station.ok(&format!("export {line} --format ndjson")).json().len();
    assert_eq!(count("units --state scrapped"), 1);
    assert_eq!(count("attempts --state scrapped"), 1);
    assert_eq!(count("attempts --from 2020-01-01 --to 2020-01-02"), 0);
    assert_eq!(count("attempts --from 2020-01-01"), 3);
    assert_eq!(count("attempts --slot A") + count("attempts --slot B"), 3);
    assert_eq!(count("units --slot Z"), 0);
    assert_eq!(count("attempts --work-order WO-1"), 0);
    assert_eq!(count("attempts --code E-DEV-TIMEOUT"), 0);
    station.fails("export attempts --format csv --from soon", "E-USAGE", 2);
    station.fails("export attempts --format parquet", "E-USAGE", 2);
}

#[test]
fn a_table_is_a_file_of_its_owner_that_may_be_made_again() {
    let station = station();
    for _ in 0..2 {
        let run = station.ok("export units --format csv --bom --out units.csv");
        assert!(run.stdout.is_empty());
    }
    let path = station.path("units.csv");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(path).unwrap().starts_with("\u{feff}time,serial,"));
    assert!(!station.path("units.csv.part").exists());
    station.fails("export units --format csv --out nowhere/units.csv", "E-OUTPUT", 1);
}
