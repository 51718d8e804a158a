//! station.toml and `station config check`: each error its code, its place, its remedy.

use crate::station::{Run, Station};

#[test]
fn a_right_file_is_explained() {
    let station = Station::new();
    let run = station.ok("config check");
    assert!(run.stdout.contains("TH200-[0-9]{8}"), "{run:?}");
    assert!(run.stderr.contains("warning[E-CONFIG-VALUE]: authority.certificate:"), "{run:?}");
    let json = station.ok("config check --json").json_line();
    assert_eq!(json["valid"], true);
    assert_eq!(json["station"], "line-1");
    assert_eq!(json["slots"][0]["name"], "A");
    assert!(station.ok("config check -q").stderr.is_empty());
}

#[test]
fn the_range_of_tls_is_shown_and_one_that_shuts_devices_out_is_told() {
    let station = Station::new();
    let usual = station.ok("config check");
    usual.says_out("TLS 1.2 to 1.3");
    assert!(!usual.stderr.contains("tls_min"), "{}", usual.stderr);
    station.change("host = \"mqtt.example.com\"", "host = \"mqtt.example.com\"\ntls_min = \"1.3\"");
    let narrow = station.ok("config check");
    narrow.says_out("TLS 1.3 to 1.3");
    narrow.says("Mbed TLS 2.28");
    assert_eq!(station.ok("config check --json").json_line()["tls_min"], "1.3");
}

#[test]
fn a_rate_that_no_device_is_run_at_is_told_with_its_neighbour() {
    let station = Station::new();
    let usual = station.ok("config check");
    assert!(!usual.stderr.contains("usual rate"), "{usual:?}");
    station.change("port = \"slot-a\"", "port = \"slot-a\"\nbaud = 115201");
    let odd = station.ok("config check");
    let told =
        "warning[E-CONFIG-VALUE]: slots[0].baud: 115201 is no usual rate; 115200 is the nearest";
    assert!(odd.stderr.contains(told), "{odd:?}");
}

#[test]
fn a_missing_file_names_the_path_and_the_ways_out() {
    let station = Station::new();
    let run = station.fails("config check --config nowhere.toml", "E-CONFIG-MISSING", 3);
    run.says("nowhere.toml").says("station demo").says("--config FILE");
    let mut command = station.command("config check");
    let run = Run::of(command.env("STATION_CONFIG", "elsewhere.toml"));
    run.failed("E-CONFIG-MISSING", 3).says("elsewhere.toml");
}

#[test]
fn what_is_no_toml_names_its_place() {
    let station = Station::with("id = \"line-1\"", "id = \"line-1");
    station.fails("config check", "E-CONFIG-SYNTAX", 3).says("station.toml:2:");
}

#[test]
fn a_wrong_type_names_its_place_and_what_is_expected() {
    let station = Station::with("name = \"A\"", "name = \"A\"\nbaud = \"fast\"");
    let run = station.fails("config check", "E-CONFIG-SYNTAX", 3);
    run.says("slots[0].baud: expected a whole number, found a text").says("station.toml:24:8");
}

#[test]
fn a_misspelt_key_names_the_nearest() {
    let station = Station::with("name = \"A\"", "name = \"A\"\nbuad = 9600");
    let run = station.fails("config check", "E-CONFIG-KEY", 3);
    run.says("station.toml:24:1: slots[0].buad: unknown key, did you mean \"baud\"?");
}

#[test]
fn a_value_that_is_not_allowed_says_why() {
    let station = Station::with("valid_for = \"20y\"", "valid_for = \"forever\"");
    station.fails("config check", "E-CONFIG-VALUE", 3).says("certificate.valid_for").says("20y");
}

#[test]
fn a_pattern_that_does_not_compile_says_why() {
    let station = Station::with("TH200-[0-9]{8}", "TH200-[0-9");
    let run = station.fails("config check", "E-CONFIG-PATTERN", 3);
    run.says("station.toml:7:18: product.serial_pattern").says("caused by: pattern");
}

#[test]
fn a_port_used_twice_names_both_places() {
    let station =
        Station::with("[[slots]]", "[[slots]]\nname = \"B\"\nport = \"slot-a\"\n[[slots]]");
    let run = station.fails("config check", "E-CONFIG-PORT-TWICE", 3);
    run.says("slots[1].port").says("slots[0].port");
}

#[test]
fn a_wrong_file_stops_every_command_that_needs_it() {
    let station = Station::with("[station]", "[staton]");
    for line in ["config check", "doctor", "unit list", "ledger verify", "authority show"] {
        station.fails(line, "E-CONFIG-KEY", 3);
    }
}

#[test]
fn control_characters_of_the_file_never_reach_the_terminal() {
    let station = Station::with("id = \"line-1\"", "id = \"\\u001b[2J\"");
    let run = station.fails("config check", "E-CONFIG-VALUE", 3);
    assert!(!run.stderr.contains('\u{1b}'), "{run:?}");
}
