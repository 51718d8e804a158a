//! Segments of a journal, read by people who have no ledger. What a line wrote is read in
//! `tests/line/segments.rs`.

use std::fs;

use crate::station::Station;

/// A segment of two entries, frozen beside the ledger's own tests.
const SEGMENT: &str = include_str!("../../src/ledger/tests/segment.hex");

/// A station with a CA and that segment, `a.segment`.
fn station() -> Station {
    let station = Station::new();
    station.make_authority();
    let digits: Vec<u8> = SEGMENT.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    let bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
    fs::write(station.path("a.segment"), bytes).unwrap();
    station
}

#[test]
fn a_ca_on_the_command_line_that_can_t_be_used_is_no_matter_of_station_toml() {
    let station = station();
    station.write("s.txt", "no certificate");
    for (ca, why) in [("nosuch", "can't be read"), ("s.txt", "holds no certificate")] {
        let line = format!("ledger segments verify a.segment --ca {ca}");
        let run = station.fails(&line, "E-INPUT", 2).says(&format!("{ca}: {why}"));
        assert!(!run.stderr.contains("station.toml"), "{}", run.stderr);
    }
    // One that can be used and certified nothing of it is held against it.
    station.fails("ledger segments verify a.segment --ca ca.pem", "E-LEDGER-SEGMENT", 4);
}

#[test]
fn where_there_is_no_station_toml_the_help_names_the_ca() {
    let station = station();
    fs::remove_file(station.path("station.toml")).unwrap();
    let run = station.fails("ledger segments verify a.segment", "E-CONFIG-MISSING", 3);
    run.says("help: name the CA's certificate with `--ca PEM`").says("--config FILE");
    station.fails("ledger segments verify a.segment --ca ca.pem", "E-LEDGER-SEGMENT", 4);
}

#[test]
fn where_there_are_no_segments_none_are_called_valid() {
    let station = station();
    fs::create_dir(station.path("empty")).unwrap();
    let run = station.fails("ledger segments verify empty --ca ca.pem --json", "E-INPUT", 2);
    assert_eq!(run.stdout, "");
    run.says("there are no segments in empty");
}

#[test]
fn the_time_of_an_entry_reads_as_times_do_everywhere() {
    let station = station();
    fs::remove_file(station.path("station.toml")).unwrap();
    let lines = station.ok("ledger segments show a.segment --json").json();
    let entry = lines.iter().find(|line| line["event"] == "entry").unwrap();
    assert_eq!(entry["at"], "2026-09-21T14:13:20.000Z");
    station.ok("ledger segments show a.segment").says_out("1 2026-09-21T14:13:20.000Z created ");
}
