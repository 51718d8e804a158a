//! Labels: what station.toml may say of them, and what the commands print.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use crate::station::{Run, Station};

const FIRST: &str = "TH200-00000001";
const SECOND: &str = "TH200-00000002";

/// A station whose ledger holds two proven units, each with its label.
fn station() -> Station {
    let station = Station::new();
    let run = Run::of(
        station
            .command("demo --headless --no-sync --units 2 --slots 2 --dir demo --json")
            .env_remove("STATION_CONFIG"),
    );
    assert_eq!(run.status, 0, "{run:?}");
    station.settle("demo/station.toml");
    station
}

fn change(station: &Station, from: &str, to: &str) {
    let path = station.path("demo/station.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn files(folder: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

/// A printer on the network: every connection that brings bytes is one label.
fn printer(answer: &'static [u8]) -> (String, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("tcp:{}", listener.local_addr().unwrap());
    let (sender, labels) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut bytes) = (stream.unwrap(), Vec::new());
            stream.read_to_end(&mut bytes).unwrap();
            stream.write_all(answer).unwrap();
            if !bytes.is_empty() && sender.send(bytes).is_err() {
                return;
            }
        }
    });
    (place, labels)
}

#[test]
fn a_demo_prints_a_label_for_each_pass_and_scans_it_back() {
    let station = Station::new();
    let run = Run::of(
        station
            .command("demo --headless --no-sync --units 2 --slots 2 --dir demo --json")
            .env_remove("STATION_CONFIG"),
    );
    let lines = run.json();
    let labels: Vec<_> = lines.iter().filter(|line| line["event"] == "label").collect();
    for outcome in ["sent", "right"] {
        assert_eq!(labels.iter().filter(|line| line["outcome"] == outcome).count(), 2, "{run:?}");
    }
    let summary = lines.iter().find(|line| line["event"] == "summary").unwrap();
    assert_eq!((&summary["labels_sent"], &summary["labels_open"]), (&2.into(), &0.into()));
    let names = [format!("{FIRST}-1.zpl"), format!("{SECOND}-1.zpl")];
    assert_eq!(files(&station.path("demo/labels")), names);
    let label = fs::read_to_string(station.path("demo/labels").join(&names[0])).unwrap();
    assert!(label.contains(&format!("^FDQA,{FIRST}^FS")), "{label}");
}

#[test]
fn a_label_is_sent_once_and_again_only_for_a_reason() {
    let station = station();
    let folder = station.path("demo/labels");
    let again = station.fails(&format!("label print {FIRST}"), "E-LABEL-SENT", 1);
    assert!(again.stderr.contains("label 1 of"), "{again:?}");
    let line = format!("label reprint {FIRST} --reason torn --by p1 --json");
    let told = station.ok(&line).json_line();
    assert_eq!((&told["copy"], &told["outcome"]), (&2.into(), &"sent".into()));
    let read = |copy: u32| fs::read(folder.join(format!("{FIRST}-{copy}.zpl"))).unwrap();
    assert_eq!(read(1), read(2), "byte for byte");
    let story = station.ok(&format!("unit show {FIRST} --json")).json_line();
    assert_eq!(story["acts"][0]["reason"], "torn");
    let label = &story["labels"][1];
    assert_eq!((&label["copy"], &label["state"]), (&2.into(), &"sent".into()), "{label}");
    let shown = station.ok(&format!("unit show {FIRST}")).stdout;
    assert!(shown.contains("label 1: ") && shown.contains("label 2: sent, "), "{shown}");
    assert!(shown.contains("again because torn"), "{shown}");

    change(&station, "^A0N,30,30", "^A0N,31,31");
    let line = format!("label reprint {FIRST} --reason torn");
    station.fails(&line, "E-LABEL-DIFFERS", 1);
    change(&station, "^A0N,31,31", "^A0N,30,30");
    station.ok(&line);
    station.ok("ledger verify");
}

#[test]
fn a_unit_that_is_not_finished_void_or_scrapped_gets_none() {
    let station = station();
    station.fails("label print TH200-00000099", "E-UNIT-UNKNOWN", 1);
    station.ok(&format!("unit rework {FIRST} --reason r"));
    station.fails(&format!("label reprint {FIRST} --reason r"), "E-UNIT-STATE", 1);
    station.ok(&format!("unit void {FIRST} --reason r"));
    station.fails(&format!("label reprint {FIRST} --reason r"), "E-LABEL-VOID", 1);
    station.ok(&format!("unit scrap {SECOND} --reason r"));
    station.fails(&format!("label reprint {SECOND} --reason r"), "E-LABEL-VOID", 1);
}

#[test]
fn a_label_that_is_read_back_is_right_or_keeps_its_unit() {
    let station = station();
    change(&station, "when = \"pass\"", "when = \"pass\"\nverify = \"scan\"");
    station.ok(&format!("label reprint {FIRST} --reason torn"));
    let open = station.ok("label list --json").json_line();
    assert_eq!((&open["serial"], &open["state"]), (&FIRST.into(), &"sent".into()));
    let shut = station.run(&format!("unit ship {FIRST} --offline --json"));
    assert!(shut.stdout.contains("E-LABEL-OPEN"), "{shut:?}");
    let wrong = format!("label read {FIRST} --text {SECOND}");
    station.fails(&wrong, "E-LABEL-WRONG", 1);
    let doctor = station.run("doctor --json");
    let check = doctor.json().into_iter().find(|line| line["check"] == "labels").unwrap();
    assert_eq!((&check["status"], &check["code"]), (&"warn".into(), &"E-LABEL-OPEN".into()));
    station.ok(&format!("label read --text ]C0{FIRST}"));
    assert_eq!(station.ok("label list").stdout, "");
    station.fails("label read --text nonsense", "E-SCAN-PATTERN", 1);
}

#[test]
fn a_printer_that_is_off_or_complains_is_told() {
    let station = station();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    change(&station, "printer = \"labels\"", &format!("printer = \"tcp:{gone}\""));
    let reprint = format!("label reprint {FIRST} --reason torn");
    station.fails(&reprint, "E-LABEL-PRINTER", 1);
    assert_eq!(station.ok("label list").stdout, "", "nothing was recorded");

    let (place, labels) = printer(b"ERROR: no ribbon");
    change(&station, &format!("printer = \"tcp:{gone}\""), &format!("printer = \"{place}\""));
    let told = station.fails(&reprint, "E-LABEL-UNCLEAR", 1);
    assert!(told.stderr.contains("ERROR: no ribbon"), "{told:?}");
    assert!(labels.recv().unwrap().starts_with(b"^XA"));
    station.fails(&format!("label print {FIRST}"), "E-LABEL-UNCLEAR", 1);
    station.ok(&format!("label read --text {FIRST}"));
    assert_eq!(station.ok("label list").stdout, "", "a label that is read is there");
}

#[test]
fn cards_are_printed_for_people_slots_and_work_orders() {
    let station = station();
    let folder = station.path("demo/labels");
    station.write("pin", "24681357");
    station.fails("label badge p117", "E-OPERATOR-UNKNOWN", 1);
    station.ok("operator add p117 --role operator --pin-file pin");
    station.ok("label badge p117");
    station.ok("label slot B");
    station.fails("label slot Z", "E-SCAN-SLOT", 1);
    station.ok("work-order create WO-1 --quantity 5");
    station.fails("label sheet --work-order WO-9", "E-WORK-ORDER-UNKNOWN", 1);
    let told = station.ok("label sheet --work-order WO-1 --json").json_line();
    assert_eq!((&told["card"], &told["outcome"]), (&"sheet".into(), &"sent".into()));
    let code = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert!(code("badge-p117.zpl").contains("^FDQA,OP:p117^FS"));
    assert!(code("slot-B.zpl").contains("^FDQA,slot:B^FS"));
    assert!(code("sheet-WO-1.zpl").contains("^FDQA,order:WO-1^FS"));
}

#[test]
fn a_label_that_could_not_be_scanned_back_is_not_printed() {
    let station = station();
    change(&station, "qr = \"{serial}\"", "qr = \"SN:{serial}\"\nverify = \"scan\"");
    let told = station.fails(&format!("label reprint {FIRST} --reason torn"), "E-LABEL-VALUE", 1);
    assert!(told.stderr.contains("would not be read"), "{told:?}");
}

#[test]
fn a_template_is_checked_with_station_toml() {
    let with = |label: &str| {
        let station = Station::with("[[slots]]", &format!("[label]\n{label}\n\n[[slots]]"));
        station.write("label.zpl", "^XA\n^BQN,2,6^FD{qr}^FS^XZ");
        station
    };
    let cases = [
        ("printer = \"labels\"\ntemplate = '^XA^FO{serial}^FS^XZ'", "in a field alone"),
        (
            "printer = \"labels\"\ntemplate = \"label.zpl\"",
            "line 2 of the template: the data of ^BQ",
        ),
        ("printer = \"labels\"\ntemplate = \"none.zpl\"", "can't be read"),
        ("printer = \"tcp:host\"\ntemplate = \"{serial}\"", "no HOST:PORT"),
        ("printer = \"labels\"\ntemplate = \"{serial}\"\nqr = \"{qr}\"", "{qr} is none of"),
        ("printer = \"labels\"\ntemplate = \"{serial}\"\nwhen = \"now\"", "none of pass, never"),
    ];
    for (label, words) in cases {
        let told = with(label).fails("config check", "E-CONFIG-VALUE", 3);
        assert!(told.stderr.contains(words), "{label}: {}", told.stderr);
    }
    let right = with("printer = \"tcp:10.0.0.9:9100\"\ntemplate = \"{serial}\"\nwhen = \"pass\"");
    let told = right.ok("config check");
    assert!(told.stdout.contains("printed when a unit passes in text"), "{}", told.stdout);
    let told = Station::new().fails("label slot A", "E-CONFIG-VALUE", 3);
    assert!(told.stderr.contains("no section [label]"), "{}", told.stderr);
}
