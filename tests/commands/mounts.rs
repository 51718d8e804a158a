//! Disks that can't be written, each mounted for one run in a mount namespace of its own.

use std::fs;
use std::process::Command;

use crate::station::{PASSPHRASE, Run, Station};

/// A station with a ledger of two entries, and a port that no line can use.
fn station() -> Station {
    let station = Station::new();
    station.make_authority();
    fs::copy(station.path("ca.pem"), station.path("server-root.pem")).unwrap();
    station.ok("work-order create A --quantity 1");
    station.change("slot-a", "/dev/null");
    station
}

/// Runs a command where the directory `at` is a small disk, holding what it held before,
/// which `then` (shell, in that directory) made what it is to be.
fn on_a_disk(station: &Station, at: &str, mount: &str, then: &str, line: &str) -> Run {
    fs::create_dir_all(station.path(at)).unwrap();
    fs::create_dir_all(station.path("before")).unwrap();
    let script = format!(
        "set -e; cp -a {at}/. before; mount -t tmpfs -o {mount} none {at}; cp -a before/. {at}; \
         (cd {at}; {then}); exec \"$@\""
    );
    let inner = station.command(line);
    let mut shell = Command::new("unshare");
    shell.current_dir(station.path(".")).args(["-rm", "sh", "-c", &script, "sh"]);
    shell.arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    Run::of(shell.env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE))
}

fn checked(run: &Run, check: &str) -> serde_json::Value {
    run.json().into_iter().find(|line| line["check"] == check).unwrap()
}

/// The disk of the data directory, for `doctor` and for the line, which judge alike.
fn told_by_both(mount: &str, then: &str, cause: &str) {
    let station = station();
    let doctor = on_a_disk(&station, "data", mount, then, "doctor --json");
    let finding = checked(&doctor, "ledger");
    assert_eq!(finding["status"], "fail", "{finding}");
    assert!(finding["detail"].as_str().unwrap().contains(cause), "{finding}");
    let line = on_a_disk(&station, "data", mount, then, "batch --serials /dev/null");
    let code = finding["code"].as_str().unwrap();
    line.failed(code, 4).says(cause);
}

#[test]
fn a_disk_that_is_mounted_read_only_is_told_by_doctor_and_by_the_line() {
    told_by_both("size=64m", "mount -o remount,ro .", "read-only");
}

#[test]
fn a_disk_without_inodes_is_told_by_doctor_and_by_the_line() {
    let used_up = "n=0; while touch left-$n 2>/dev/null; do n=$((n + 1)); done";
    told_by_both("size=64m,nr_inodes=40", used_up, "inodes");
}

/// Shell that leaves so many inodes of a disk unused.
fn leave(inodes: u32) -> String {
    format!(
        "n=0; while touch left-$n 2>/dev/null; do n=$((n + 1)); done; \
         i=0; while [ $i -lt {inodes} ]; do i=$((i + 1)); rm left-$((n - i)); done"
    )
}

#[test]
fn a_disk_with_too_few_inodes_for_a_ledger_s_files_is_told_by_doctor_and_by_the_line() {
    for inodes in [1, 15] {
        told_by_both("size=64m,nr_inodes=80", &leave(inodes), "inodes");
    }
}

#[test]
fn a_backup_on_a_disk_without_inodes_names_them() {
    for inodes in [0, 1] {
        let station = station();
        let (mount, then) = ("size=64m,nr_inodes=20", leave(inodes));
        let run = on_a_disk(&station, "medium", mount, &then, "ledger backup medium/copy.db");
        run.failed("E-LEDGER-BACKUP", 4).says("medium").says("no inodes left");
    }
}

#[test]
fn a_backup_that_does_not_fit_names_its_disk() {
    let station = station();
    let run = on_a_disk(&station, "medium", "size=64k", ":", "ledger backup medium/copy.db");
    let run = run.failed("E-LEDGER-BACKUP", 4);
    run.says("medium").says("full");
    station.ok("ledger backup copy.db");
}
