//! What is named as a file and is none: nothing waits for who might write into it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, OFlags, mkfifoat};

use crate::line::{plug, ready};
use crate::station::{PASSPHRASE, Run, Station};

/// Far longer than any of these takes. A command that waits for a writer ends with 124.
const PATIENCE: &str = "60";
const LONG: Duration = Duration::from_secs(60);

fn run(station: &Station, line: &str) -> Run {
    let inner = station.command(line);
    let mut timed = Command::new("timeout");
    timed.current_dir(station.path(".")).arg(PATIENCE);
    timed.arg(inner.get_program()).args(inner.get_args()).stdin(Stdio::null());
    timed.env("STATION_CONFIG", "station.toml");
    Run::of(timed.env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE))
}

fn make_pipe(path: &Path) {
    mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
}

/// A station that could do its work, and a pipe beside it that nobody writes to.
fn station() -> Station {
    let station = Station::new();
    station.change(
        "[[slots]]",
        "[cloud]\nendpoint = \"https://mqtt.example.com\"\nregion = \"ap-guangzhou\"\n\
         instance_id = \"mqtt-console\"\n\n[[slots]]",
    );
    station.make_authority();
    fs::copy(station.path("ca.pem"), station.path("server-root.pem")).unwrap();
    station.ok("work-order create A --quantity 1");
    make_pipe(&station.path("pipe"));
    station
}

#[test]
fn a_pipe_that_a_command_names_as_a_file_is_refused() {
    let station = station();
    for (line, code, status) in [
        ("--config pipe unit list", "E-CONFIG-MISSING", 3),
        ("unit ship --file pipe", "E-INPUT", 2),
        ("work-order create C --quantity 1 --hardware-ids pipe", "E-INPUT", 2),
        ("work-order take pipe", "E-INPUT", 2),
        ("import-registered pipe --by s1", "E-INPUT", 2),
        ("report verify pipe", "E-INPUT", 2),
        ("authority import pipe", "E-INPUT", 2),
        ("work-order key import pipe", "E-INPUT", 2),
        ("ledger restore pipe --data-dir other", "E-INPUT", 2),
        ("ledger segments show pipe", "E-LEDGER-SEGMENT", 4),
        ("ledger segments verify pipe", "E-LEDGER-SEGMENT", 4),
    ] {
        run(&station, line).failed(code, status).says("pipe");
    }
}

#[test]
fn a_pipe_that_station_toml_names_as_a_file_is_refused() {
    for (old, new, line, code, status) in [
        (
            "\"server-root.pem\"",
            "\"pipe\"",
            "work-order create C --quantity 1",
            "E-CONFIG-VALUE",
            3,
        ),
        ("\"ca.pem\"", "\"pipe\"", "authority show", "E-CA-MISSING", 7),
        (
            "[[slots]]",
            "[ledger]\njournal_secret_file = \"pipe\"\n\n[[slots]]",
            "work-order create C --quantity 1",
            "E-SECRET-MISSING",
            7,
        ),
        (
            "[[slots]]",
            "[label]\nprinter = \"labels\"\ntemplate = \"pipe\"\n\n[[slots]]",
            "config check",
            "E-CONFIG-VALUE",
            3,
        ),
    ] {
        let station = station();
        station.change(old, new);
        run(&station, line).failed(code, status).says("it is a pipe, and no file");
    }
    // A note that is none counts for nothing, and is no reason to wait either.
    let station = station();
    fs::remove_file(station.path("data/journal.head")).unwrap();
    make_pipe(&station.path("data/journal.head"));
    assert_ne!(run(&station, "ledger verify").status, 124);
}

/// Whether the kernel gives this process no core dump, as of one that is not dumpable.
fn is_closed(process: &std::process::Child) -> bool {
    let limits = fs::read_to_string(format!("/proc/{}/limits", process.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let mem = fs::metadata(format!("/proc/{}/mem", process.id())).unwrap();
    core.split_whitespace().skip(4).take(2).eq(["0", "0"]) && mem.uid() == 0
}

#[test]
fn no_command_is_dumpable_whether_it_holds_a_secret_or_not() {
    let station = station();
    for line in [
        "unit ship --file /dev/stdin",
        "report verify /dev/stdin",
        "import-registered /dev/stdin --by s1",
    ] {
        let mut command = station.command(line);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // It waits for its list, before any secret is wanted.
        let mut process = command.spawn().unwrap();
        let begun = Instant::now();
        while !is_closed(&process) {
            let waits = process.try_wait().unwrap().is_none() && begun.elapsed() < LONG;
            assert!(waits, "{line} can be read by its own user");
            std::thread::yield_now();
        }
        drop(process.stdin.take());
        process.wait().unwrap();
    }
}

#[test]
fn what_another_command_writes_is_taken_in_a_file_s_place() {
    let station = station();
    let mut command = station.command("unit ship --offline --file /dev/stdin --json");
    let mut ship = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    ship.stdin.take().unwrap().write_all(b"TH200-00000001\n").unwrap();
    let said = String::from_utf8(ship.wait_with_output().unwrap().stdout).unwrap();
    assert!(said.contains("E-UNIT-UNKNOWN"), "{said}");
}

#[test]
fn more_serials_than_are_shipped_at_a_time_are_refused_before_any_is() {
    let station = station();
    station.write("serials", &"S\n".repeat(1_000_001));
    let run = station.fails("unit ship --file serials", "E-INPUT", 2);
    run.says("more than 1000000 serials; ship them in parts");
}

#[test]
fn labels_come_from_a_pipe_whose_writer_comes_later() {
    let station = ready();
    let _device = plug(&station, "slot-a", "--units 1");
    make_pipe(&station.path("labels"));
    let batch = station
        .command("batch --serials labels --json")
        .env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Opened when the line reads it, and without waiting here for that.
    let flags = OFlags::WRONLY | OFlags::NONBLOCK;
    let begun = Instant::now();
    let written = loop {
        match rustix::fs::open(station.path("labels"), flags, Mode::empty()) {
            Ok(pipe) => break rustix::io::write(&pipe, b"TH200-00000001\n"),
            Err(error) => assert!(begun.elapsed() < LONG, "nobody reads the labels: {error}"),
        }
        std::thread::yield_now();
    };
    assert_eq!(written, Ok(15));
    let said = String::from_utf8(batch.wait_with_output().unwrap().stdout).unwrap();
    assert!(said.contains("\"outcome\":\"pass\""), "{said}");
}
