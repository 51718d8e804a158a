//! Power cuts: the modem's in each change of its flash, the station's and the modem's in the
//! middle of a write and of the restart. What is left is taken up by the same table as always.

use std::fs;
use std::io::Write;
use std::time::Instant;

use super::bench::{ESP_AT, Kind, Modems, NRF91, QUECTEL, SIMCOM, assert_held, factory, flash_of};
use super::support::{Factory, LONG, label, labels};

/// Whoever ends proven holds its identity, and no other unit is proven.
#[track_caller]
fn assert_ends_well(factory: &Factory, kind: Kind) {
    let begun = Instant::now();
    let unit = loop {
        let unit = factory.batch(&labels(1)).unit(&label(1));
        // A label that is scanned before its modem has started is scanned again.
        if unit["code"] != "E-UNIT-ELSEWHERE" || begun.elapsed() > LONG {
            break unit;
        }
    };
    let is_well = unit["outcome"] == "pass" || unit["code"] == "E-UNIT-PROVEN";
    assert!(is_well, "{unit}");
    assert_held(factory, kind, &label(1), &flash_of(factory, "A"));
    assert_eq!(factory.ledger().in_state("proven").len(), 1);
    factory.verify();
}

fn is_taken_up_again(kind: Kind, changes: u32) {
    for change in 1..=changes {
        let factory = factory(kind, 1);
        let fault = format!("power={change}");
        let _modems = Modems::plug(&factory, kind, "A", &["--stay", "--fault", &fault]);
        let unit = factory.batch(&labels(1)).unit(&label(1));
        assert_eq!((&unit["outcome"], &unit["code"]), (&"fail".into(), &"E-DEV-UNPLUGGED".into()));
        assert_ends_well(&factory, kind);
    }
}

#[test]
fn a_modem_that_loses_power_in_any_change_of_its_flash_is_taken_up_again() {
    is_taken_up_again(NRF91, 3);
}

#[test]
fn so_are_those_of_other_makers() {
    is_taken_up_again(QUECTEL, 3);
    is_taken_up_again(SIMCOM, 4);
    is_taken_up_again(ESP_AT, 3);
}

/// Waits until a modem's flash has this item.
fn await_item(factory: &Factory, name: &str) {
    let begun = Instant::now();
    let is_there = || {
        let there = fs::read_dir(factory.path("modems-A")).unwrap();
        let files = there.map(|entry| entry.unwrap().path());
        let mut files = files.filter(|path| path.extension().is_some_and(|end| end == "modem"));
        files.any(|path| fs::read_to_string(path).unwrap_or_default().contains(name))
    };
    while !is_there() {
        assert!(begun.elapsed() < LONG, "{name} never came");
        std::thread::yield_now();
    }
}

#[test]
fn a_station_that_is_killed_in_the_middle_finds_out_what_the_modem_holds() {
    for item in [NRF91.key, NRF91.roots, NRF91.certificate] {
        let factory = factory(NRF91, 1);
        let _modems = Modems::plug(&factory, NRF91, "A", &["--stay"]);
        let batch = factory.start_batch(&labels(1));
        await_item(&factory, item);
        batch.kill();
        assert_ends_well(&factory, NRF91);
    }
}

#[test]
fn modems_that_are_killed_in_the_middle_are_taken_up_again() {
    for item in [NRF91.key, NRF91.certificate] {
        let factory = factory(NRF91, 1);
        let modems = Modems::plug(&factory, NRF91, "A", &["--stay"]);
        let batch = factory.start_batch(&labels(1));
        await_item(&factory, item);
        modems.kill();
        batch.finish(LONG);
        let _modems = Modems::plug(&factory, NRF91, "A", &["--stay"]);
        assert_ends_well(&factory, NRF91);
    }
}

/// What a station had sent that was killed in the middle of a text, by maker.
const BROKEN_OFF: [(Kind, &str); 4] = [
    (NRF91, "AT+CFUN=4\r\nAT%CMNG=0,7,0,\"-----BEGIN CERTIFICATE-----\nMIIB"),
    (QUECTEL, "AT+QFUPL=\"half.pem\",900,5,1\r-----BEGIN CERTIFICATE-----\nMIIB"),
    (SIMCOM, "AT+CCERTDOWN=\"half.pem\",900\r-----BEGIN CERTIFICATE-----\nMIIB"),
    (ESP_AT, "AT+SYSMFG=2,\"mqtt_ca\",\"mqtt_ca\",8,900\r\n-----BEGIN CERTIFICATE-----\n"),
];

/// What somebody sent who is gone.
fn leave_in_the_middle(factory: &Factory, sent: &[u8]) {
    let mut port = fs::File::options().write(true).open(factory.port("A")).unwrap();
    port.write_all(sent).unwrap();
}

#[test]
fn a_modem_that_waits_for_the_rest_of_a_text_is_freed() {
    for (kind, broken_off) in BROKEN_OFF {
        let factory = factory(kind, 1);
        let _modems = Modems::plug(&factory, kind, "A", &["--stay"]);
        leave_in_the_middle(&factory, broken_off.as_bytes());
        assert_ends_well(&factory, kind);
    }
}

#[test]
fn such_a_modem_is_seen_by_asking_too() {
    for (kind, broken_off) in BROKEN_OFF {
        let factory = factory(kind, 1);
        let port = "port = \"slot-A\"";
        factory.change(port, &format!("{port}\npresence = \"poll\""));
        let _modems = Modems::plug(&factory, kind, "A", &["--stay"]);
        leave_in_the_middle(&factory, broken_off.as_bytes());
        assert_ends_well(&factory, kind);
    }
}

#[test]
fn a_text_that_was_begun_by_another_familys_question_is_ended() {
    let factory = factory(NRF91, 1);
    factory.change("driver = \"at\"\nmodem = \"nrf91\"", "driver = \"auto\"");
    let _modems = Modems::plug(&factory, NRF91, "A", &["--stay"]);
    leave_in_the_middle(&factory, b"\x00\x04\"\x00");
    assert_ends_well(&factory, NRF91);
}

#[test]
fn a_modem_that_keeps_such_a_text_first_is_waited_for() {
    for (kind, broken_off) in [BROKEN_OFF[0], BROKEN_OFF[1]] {
        let factory = factory(kind, 1);
        let _modems = Modems::plug(&factory, kind, "A", &["--stay", "--write-ms", "1800"]);
        leave_in_the_middle(&factory, broken_off.as_bytes());
        assert_ends_well(&factory, kind);
    }
}
