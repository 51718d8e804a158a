//! Scans that are refused: each with its code, before any device is touched.

use crate::line::{batch, plug, ready};
use crate::station::Station;

const FIRST: &str = "TH200-00000001";
const SECOND: &str = "TH200-00000002";

/// Scans one label on a station with a device, and demands its refusal.
fn refused(station: &Station, label: &str, code: &str) {
    let _device = plug(station, "slot-a", "");
    let batch = batch(station, &format!("{label}\n"), "");
    batch.ended("refused", code);
    assert_eq!(batch.summary["refused"], 1);
    assert!(station.ok("unit list").stdout.is_empty(), "a refused scan left a unit");
}

#[test]
fn a_label_that_is_no_serial() {
    refused(&ready(), "TH200 1", "E-SCAN-CHARACTERS");
    refused(&ready(), "TH\u{1b}[2J", "E-SCAN-CHARACTERS");
}

#[test]
fn a_label_of_another_product() {
    refused(&ready(), "TH300-00000001", "E-SCAN-PATTERN");
}

#[test]
fn a_label_whose_check_character_is_wrong() {
    let station = ready();
    station.change("name = \"TH200\"", "name = \"TH200\"\ncheck_character = \"luhn\"");
    refused(&station, FIRST, "E-SCAN-CHECK");
}

#[test]
fn a_label_outside_the_range_of_the_station_or_work_order() {
    let station = ready();
    let range = "serial_range = \"TH200-00000100..TH200-00000199\"";
    station.change("id = \"line-1\"", &format!("id = \"line-1\"\n{range}"));
    refused(&station, FIRST, "E-SCAN-RANGE");
    let station = ready();
    station.ok("work-order create W --quantity 9 --serial-range 50..99");
    refused(&station, FIRST, "E-SCAN-RANGE");
}

#[test]
fn a_label_that_makes_no_client_id() {
    let station = ready();
    station.change("TH200-[0-9]{8}", "TH200/[0-9]{8}");
    refused(&station, "TH200/00000001", "E-SCAN-CLIENT-ID");
}

#[test]
fn a_label_for_a_slot_that_is_not_there() {
    refused(&ready(), &format!("Z\t{FIRST}"), "E-SCAN-SLOT");
}

#[test]
fn a_label_for_which_no_device_comes() {
    let station = ready();
    station.change("device_wait = \"10s\"", "device_wait = \"1s\"");
    // Nothing is plugged in when the line starts, and nothing comes.
    batch(&station, &format!("{FIRST}\n"), "").ended("refused", "E-SCAN-NO-DEVICE");
}

#[test]
fn a_label_scanned_again_while_its_unit_is_worked_on() {
    let station = ready();
    station.change("[[slots]]", "[[slots]]\nname = \"B\"\nport = \"slot-b\"\n\n[[slots]]");
    let _devices = [plug(&station, "slot-a", "--seed 1"), plug(&station, "slot-b", "--seed 2")];
    let batch = batch(&station, &format!("{FIRST}\n{FIRST}\n"), "");
    let counts = (&batch.summary["passed"], &batch.summary["refused"]);
    assert_eq!(counts, (&1.into(), &1.into()), "{:?}", batch.run);
    assert!(batch.units.iter().any(|unit| unit["code"] == "E-SCAN-DUPLICATE"), "{:?}", batch.run);
}

#[test]
fn a_scanner_that_is_far_ahead_of_the_slots() {
    let station = ready();
    let _device = plug(&station, "slot-a", "--erase-ms 500");
    let labels: String = (1..=6).map(|number| format!("TH200-{number:08}\n")).collect();
    station.write("labels", &format!("{labels}TH2O0-00000007\n"));
    let mut command = station.command("batch --scanner - --json");
    command.env("STATION_AUTHORITY_PASSPHRASE", crate::station::PASSPHRASE);
    command.stdin(std::fs::File::open(station.path("labels")).unwrap());
    let run = crate::station::Run::of(&mut command);
    assert!(run.stdout.contains("\"code\":\"E-SCAN-AHEAD\""), "{run:?}");
    // What is wrong with a label is told before that it came too early.
    let units = run.json();
    let malformed = units.iter().find(|unit| unit["serial"] == "TH2O0-00000007").unwrap();
    assert_eq!(malformed["code"], "E-SCAN-PATTERN", "{run:?}");
    assert_eq!(run.status, 1);
}

#[test]
fn a_work_order_that_is_full() {
    let station = ready();
    station.ok("work-order create W --quantity 1");
    let _device = plug(&station, "slot-a", "--units 2");
    let batch = batch(&station, &format!("{FIRST}\n{SECOND}\n"), "");
    assert_eq!(batch.unit(FIRST)["outcome"], "pass");
    let second = batch.unit(SECOND);
    assert_eq!(second["code"], "E-WORK-ORDER-FULL", "{:?}", batch.run);
    assert_eq!(batch.run.status, 1);
    let row = station.ok("work-order show W --json").json_line();
    assert_eq!((&row["proven"], &row["under_way"]), (&1.into(), &0.into()));
}

#[test]
fn a_unit_that_was_scrapped() {
    let station = ready();
    let first = plug(&station, "slot-a", "--seed 1");
    assert_eq!(batch(&station, &format!("{FIRST}\n"), "").summary["passed"], 1);
    drop(first);
    station.ok(&format!("unit scrap {FIRST} --reason broken"));
    let _second = plug(&station, "slot-a", "--seed 2");
    batch(&station, &format!("{FIRST}\n"), "").ended("refused", "E-UNIT-SCRAPPED");
}

#[test]
fn a_disk_that_is_nearly_full_takes_no_new_unit() {
    let station = ready();
    station.change("[[slots]]", "[ledger]\nreserve = \"8000000GiB\"\n\n[[slots]]");
    let _device = plug(&station, "slot-a", "");
    let batch = batch(&station, &format!("{FIRST}\n"), "");
    assert_eq!(batch.unit(FIRST)["code"], "E-LEDGER-DISK-FULL", "{:?}", batch.run);
    assert_ne!(batch.run.status, 0);
}
