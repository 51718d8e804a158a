//! Work orders: made, listed, shown, closed, and what is refused.

use crate::station::Station;

/// A station whose product profile is complete.
fn station() -> Station {
    let station = Station::new();
    station.make_authority();
    std::fs::copy(station.path("ca.pem"), station.path("server-root.pem")).unwrap();
    station
}

#[test]
fn a_work_order_keeps_what_it_was_made_with() {
    let station = station();
    station.write("ids", "00112233\naabbccddeeff\n");
    let made = station
        .ok("work-order create WO-1 --quantity 500 --serial-pattern TH200-0000[0-9]{4} \
             --serial-range TH200-00001000..TH200-00001499 --check-character luhn \
             --hardware-ids ids --by s1 --json")
        .json_line();
    assert_eq!(made["state"], "open");
    assert_eq!(made["quantity"], 500);
    assert_eq!(made["serial_range"], "TH200-00001000..TH200-00001499");
    assert_eq!(made["check_character"], "luhn");
    assert_eq!(made["hardware_ids"][1], "aabbccddeeff");
    assert_eq!(made["profile"], station.ok("config check --json").json_line()["profile"]);
    assert_eq!(station.ok("work-order show WO-1 --json").json_line(), made);
}

#[test]
fn work_orders_are_listed_in_order_and_closed() {
    let station = station();
    station.ok("work-order create B --quantity 2");
    station.ok("work-order create A --quantity 1");
    station.ok("work-order close B --by s1");
    let rows = station.ok("work-order list --json").json();
    let states: Vec<_> = rows.iter().map(|row| (&row["id"], &row["state"])).collect();
    assert_eq!(
        format!("{states:?}"),
        r#"[(String("A"), String("open")), (String("B"), String("closed"))]"#
    );
    assert_eq!(station.ok("work-order list").stdout.lines().count(), 2);
}

#[test]
fn what_can_t_be_is_refused() {
    let station = station();
    station.ok("work-order create A --quantity 1");
    station.fails("work-order create A --quantity 1", "E-WORK-ORDER-EXISTS", 1);
    station.fails("work-order show B", "E-WORK-ORDER-UNKNOWN", 1);
    station.fails("work-order close B", "E-WORK-ORDER-UNKNOWN", 1);
    station.ok("work-order close A");
    station.fails("work-order close A", "E-WORK-ORDER-CLOSED", 1);
    station.fails("work-order create A --quantity 1", "E-WORK-ORDER-EXISTS", 1);
}

#[test]
fn wrong_values_are_wrong_usage() {
    let station = station();
    for line in [
        "work-order create a/b --quantity 1",
        "work-order create A --quantity 0",
        "work-order create A --quantity 1 --serial-pattern '['",
        "work-order create A --quantity 1 --serial-range 9..1",
        "work-order create A --quantity 1 --check-character crc",
    ] {
        station.fails(line, "E-USAGE", 2);
    }
    assert!(!station.path("data").exists(), "a refused command made a ledger");
}

#[test]
fn hardware_ids_that_are_none_name_their_line() {
    let station = station();
    station.write("ids", "00112233\nnot hex\n");
    let line = "work-order create A --quantity 1 --hardware-ids ids";
    station.fails(line, "E-INPUT", 2).says("ids:2");
    station.fails("work-order create A --quantity 1 --hardware-ids none", "E-INPUT", 2);
}

#[test]
fn a_profile_whose_root_is_missing_makes_no_work_order() {
    let station = Station::new();
    let run = station.fails("work-order create A --quantity 1", "E-CONFIG-VALUE", 3);
    run.says("broker.server_root");
}

#[test]
fn a_line_takes_the_work_order_that_is_named_or_the_only_open_one() {
    let station = station();
    station.change("slot-a", "/dev/null");
    station.fails("batch --serials - --work-order A", "E-WORK-ORDER-UNKNOWN", 1);
    station.ok("work-order create A --quantity 1");
    station.ok("work-order create B --quantity 1");
    station.fails("batch --serials -", "E-WORK-ORDER-AMBIGUOUS", 2).says("A, B");
    station.ok("work-order close B");
    station.fails("batch --serials - --work-order B", "E-WORK-ORDER-CLOSED", 1);
    station.change("\"20y\"", "\"19y\"");
    station.fails("batch --serials -", "E-WORK-ORDER-PROFILE", 1);
}
