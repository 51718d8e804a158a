//! Devices that fail, lie or are mixed up: each its code, and none is ever PASS.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::line::{Batch, batch, plug, ready};
use crate::station::{PASSPHRASE, Station};

const FIRST: &str = "TH200-00000001";
const SECOND: &str = "TH200-00000002";

/// Works on one unit with a device that has this fault.
fn with_fault(fault: &str) -> (Station, Batch) {
    let station = ready();
    station.change("name = \"TH200\"", "name = \"TH200\"\nmodel = \"SIM-1\"");
    let _device = plug(&station, "slot-a", &format!("--fault {fault}"));
    let batch = batch(&station, &format!("{FIRST}\n"), "");
    (station, batch)
}

/// Demands that a device with this fault fails with this code, and is not proven.
fn fails(fault: &str, code: &str) {
    let (station, batch) = with_fault(fault);
    batch.ended("fail", code);
    assert_eq!((&batch.summary["passed"], &batch.summary["failed"]), (&0.into(), &1.into()));
    let proven = station.ok("unit list --state proven").stdout;
    assert!(proven.is_empty() || fault == "withhold=finish", "{fault}: {proven}");
    station.ok("ledger verify");
}

/// Demands that a device with this fault is refused with this code.
fn is_refused(fault: &str, code: &str) {
    with_fault(fault).1.ended("refused", code);
}

#[test]
fn a_device_that_is_silent() {
    fails("mute", "E-DEV-TIMEOUT");
    fails("withhold=chunk", "E-DEV-TIMEOUT");
    fails("withhold=finish", "E-DEV-TIMEOUT");
}

#[test]
fn a_device_that_sends_rubbish() {
    fails("noise", "E-DEV-NOISE");
}

#[test]
fn a_device_that_is_pulled_out() {
    fails("unplug=chunk:2", "E-DEV-UNPLUGGED");
}

#[test]
fn a_device_whose_storage_fails() {
    fails("flash-full", "E-DEV-REFUSED");
    fails("torn-write", "E-DEV-REFUSED");
}

#[test]
fn a_device_that_does_not_keep_what_it_took() {
    fails("lie-forget", "E-DEV-NOT-STORED");
}

#[test]
fn a_device_that_can_t_prove_what_it_holds() {
    for lie in ["stored", "key", "certificate", "root", "settings", "replay"] {
        fails(&format!("lie-{lie}"), "E-DEV-PROOF");
    }
}

#[test]
fn a_device_that_only_pretends_to_restart() {
    fails("lie-restart", "E-DEV-NOT-RESTARTED");
}

#[test]
fn a_device_that_is_exchanged_in_mid_work() {
    fails("lie-other-unit", "E-DEV-SWAPPED");
}

#[test]
fn a_device_whose_id_can_t_be_one() {
    fails("zero-id", "E-DEV-HARDWARE-ID");
    fails("ones-id", "E-DEV-HARDWARE-ID");
}

#[test]
fn a_device_that_is_of_another_kind() {
    fails("model=OTHER-9", "E-DEV-MODEL");
    fails("other-version", "E-DEV-VERSION");
    fails("locked", "E-DEV-LOCKED");
    fails("nonsense", "E-DEV-MALFORMED");
    fails("no-prove", "E-PROOF-TOO-WEAK");
}

#[test]
fn a_device_that_is_not_this_ledger_s_or_not_this_label_s() {
    is_refused("holds-unknown", "E-DEV-UNKNOWN-IDENTITY");
    is_refused("factory-serial=F-001", "E-DEV-FACTORY-SERIAL");
}

#[test]
fn a_device_without_a_protection_that_the_product_wants() {
    let station = ready();
    station.change("name = \"TH200\"", "name = \"TH200\"\nrequire = [\"secure-boot\"]");
    let _device = plug(&station, "slot-a", "");
    batch(&station, &format!("{FIRST}\n"), "").ended("fail", "E-DEV-SECURITY");
}

#[test]
fn one_hardware_id_in_two_slots() {
    let station = ready();
    station.change("[[slots]]", "[[slots]]\nname = \"B\"\nport = \"slot-b\"\n\n[[slots]]");
    let twin = "--fault twin=pair";
    let _devices = [plug(&station, "slot-a", twin), plug(&station, "slot-b", twin)];
    let batch = batch(&station, &format!("{FIRST}\n{SECOND}\n"), "");
    let told = batch.run.stdout.contains("E-DEV-TWICE") || batch.run.stderr.contains("E-DEV-TWICE");
    assert!(told, "{:?}", batch.run);
    assert_ne!(batch.run.status, 0);
}

#[test]
fn a_device_that_was_wiped_belongs_to_its_label_still() {
    let station = ready();
    let first = plug(&station, "slot-a", "--seed 1");
    assert_eq!(batch(&station, &format!("{FIRST}\n"), "").summary["passed"], 1);
    drop(first);
    // The same hardware, wiped.
    let wiped = plug(&station, "slot-a", "--seed 1");
    batch(&station, &format!("{SECOND}\n"), "").ended("refused", "E-DEV-OTHER-LABEL");
    drop(wiped);
    let _wiped = plug(&station, "slot-a", "--seed 1");
    batch(&station, &format!("{FIRST}\n"), "").ended("refused", "E-DEV-LOST-IDENTITY");
}

#[test]
fn a_unit_that_is_proven_already_is_no_failure() {
    let station = ready();
    let _device = plug(&station, "slot-a", "--units 2");
    assert_eq!(batch(&station, &format!("{FIRST}\n"), "").summary["passed"], 1);
    let again = batch(&station, &format!("{FIRST}\n"), "");
    assert_eq!(again.unit(FIRST)["code"], "E-UNIT-PROVEN");
    let (refused, proven) = (&again.summary["refused"], &again.summary["already_proven"]);
    assert_eq!((refused, proven), (&0.into(), &1.into()));
    assert_eq!(again.run.status, 0, "{:?}", again.run);
}

#[test]
fn a_unit_whose_own_device_may_hold_its_certificate() {
    let station = ready();
    let first = plug(&station, "slot-a", "--seed 1 --fault unplug=commit:1");
    let cut = batch(&station, &format!("{FIRST}\n"), "");
    assert_eq!(cut.summary["uncertain"], 1, "{:?}", cut.run);
    drop(first);
    let other = plug(&station, "slot-a", "--seed 2");
    batch(&station, &format!("{FIRST}\n"), "").ended("refused", "E-UNIT-ELSEWHERE");
    drop(other);
    station.ok(&format!("unit void {FIRST} --reason 'device lost'"));
    let _other = plug(&station, "slot-a", "--seed 2");
    assert_eq!(batch(&station, &format!("{FIRST}\n"), "").summary["passed"], 1);
}

#[test]
fn a_unit_that_is_proven_and_not_finished_is_not_pass() {
    let station = ready();
    // The device never hears that it is finished, so it stays in its slot.
    let _device = plug(&station, "slot-a", "--fault withhold=finish");
    batch(&station, &format!("{FIRST}\n"), "").ended("fail", "E-DEV-TIMEOUT");
    let story = station.ok(&format!("unit show {FIRST} --json")).json_line();
    assert_eq!(story["state"], "proven");
}

#[test]
fn a_proven_device_that_can_t_prove_it_again() {
    let station = ready();
    let kept = "--seed 1 --state devices";
    let device = plug(&station, "slot-a", &format!("{kept} --fault withhold=finish"));
    batch(&station, &format!("{FIRST}\n"), "").ended("fail", "E-DEV-TIMEOUT");
    drop(device);
    // Its slot's progress is forgotten, its flash is not: the same device comes again.
    std::fs::remove_file(station.path("devices/slot-a.slot.json")).unwrap();
    let _device = plug(&station, "slot-a", &format!("{kept} --fault lie-key"));
    let again = batch(&station, &format!("{FIRST}\n"), "");
    assert_eq!(again.unit(FIRST)["code"], "E-DEV-CONTRADICTION", "{:?}", again.run);
    assert_eq!(again.run.status, 1);
}

#[test]
fn an_identity_that_does_not_fit() {
    let station = ready();
    let root = std::fs::read_to_string(station.path("ca.pem")).unwrap();
    station.write("server-root.pem", &root.repeat(50));
    let _device = plug(&station, "slot-a", "");
    batch(&station, &format!("{FIRST}\n"), "").ended("fail", "E-DEV-CAPACITY");
}

#[test]
fn a_unit_that_is_late() {
    let station = ready();
    station.change("unit_deadline = \"20s\"", "unit_deadline = \"1s\"");
    let _device = plug(&station, "slot-a", "--erase-ms 4000");
    let batch = batch(&station, &format!("{FIRST}\n"), "");
    assert_eq!(batch.unit(FIRST)["code"], "E-UNIT-DEADLINE", "{:?}", batch.run);
    assert_eq!(batch.run.status, 1);
}

/// Starts a batch over a slow device and waits until its unit is under way.
fn under_way(station: &Station) -> Child {
    station.write("labels", &format!("{FIRST}\n"));
    let mut command = station.command("batch --serials labels --json");
    command.env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while station.run("unit list").stdout.is_empty() {
        assert!(Instant::now() < until, "the unit never began");
    }
    child
}

fn outcome(station: &Station) -> (String, String) {
    let story = station.ok(&format!("unit show {FIRST} --json")).json_line();
    let word = |name: &str| story["attempts"][0][name].as_str().unwrap_or_default().to_owned();
    (word("outcome"), word("code"))
}

#[test]
fn what_has_nothing_to_land_ends_by_a_signal_as_a_line_does() {
    let station = Station::new();
    let mut scan = station.command("scan --json").stdin(Stdio::piped()).spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&scan);
    let status = format!("/proc/{}/status", scan.id());
    let until = Instant::now() + Duration::from_secs(30);
    // Bit 14 of the mask of signals that are caught is SIGTERM's.
    let catches = |status: &str| {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap() & 1 << 14 != 0
    };
    while !catches(&std::fs::read_to_string(&status).unwrap()) {
        assert!(Instant::now() < until, "it takes no notice of signals");
    }
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(scan.wait().unwrap().code(), Some(130));
}

#[test]
fn a_unit_that_was_cut_off_by_a_stop_and_a_unit_that_was_cut_off_by_a_kill() {
    let station = ready();
    let _device = plug(&station, "slot-a", "--erase-ms 3000");
    let mut stopped = under_way(&station);
    let pid = i32::try_from(stopped.id()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(stopped.wait().unwrap().code(), Some(130));
    assert_eq!(outcome(&station), ("interrupted".to_owned(), "E-STOPPED".to_owned()));

    let station = ready();
    let _device = plug(&station, "slot-a", "--erase-ms 3000");
    let mut killed = under_way(&station);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(outcome(&station).0, "running", "nobody is there to end it");
    let _again = batch(&station, &format!("{SECOND}\n"), "");
    assert_eq!(outcome(&station), ("interrupted".to_owned(), "E-UNIT-INTERRUPTED".to_owned()));
}
