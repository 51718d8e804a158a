//! `station selftest`: what is right passes, and each misbehaviour is found by the check
//! that should find it. The simulated device here, the C device in `selftest_c`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::line::{Device, plug};
use crate::station::{Run, Station};

/// What a run of the command found.
pub(crate) struct Report {
    pub(crate) run: Run,
    checks: Vec<Value>,
    pub(crate) summary: Value,
}

impl Report {
    /// Tries what is at a port.
    pub(crate) fn of(station: &Station, port: &str, options: &str) -> Self {
        let judged =
            || Self::read(station.run(&format!("selftest --port {port} --json {options}")));
        let report = judged();
        // A machine that does much else makes a device late; one that is slow is late again.
        match report.with("fail").as_slice() {
            ["busy-times"] => judged(),
            _ => report,
        }
    }

    pub(crate) fn read(run: Run) -> Self {
        let mut checks = run.json();
        let summary = checks.pop().unwrap_or_default();
        assert_eq!(summary["event"], "summary", "{run:?}");
        checks.retain(|line| line["event"] == "check");
        Self { run, checks, summary }
    }

    /// The names of the checks with that verdict.
    pub(crate) fn with(&self, verdict: &str) -> Vec<&str> {
        let found = self.checks.iter().filter(|check| check["verdict"] == verdict);
        found.filter_map(|check| check["check"].as_str()).collect()
    }

    /// Demands that all passed, but for what is not claimed.
    pub(crate) fn passed(&self, skipped: usize) {
        assert_eq!(self.with("fail"), [""; 0], "{}", self.run.stdout);
        assert_eq!(self.with("skipped").len(), skipped, "{}", self.run.stdout);
        assert_eq!(self.run.status, 0, "{:?}", self.run);
        let counts = ["failed", "not_run"].map(|count| self.summary[count].as_u64());
        assert_eq!(counts, [Some(0); 2]);
        assert_eq!(self.summary["passed"], self.with("pass").len());
    }

    /// Demands that this check failed, and said why.
    pub(crate) fn found_by(&self, check: &str) {
        assert!(self.with("fail").contains(&check), "{check}: {}", self.run.stdout);
        let failed = self.checks.iter().find(|line| line["check"] == check);
        let why = failed.and_then(|line| line["detail"].as_str());
        assert!(why.is_some_and(|why| why.len() > 10), "{failed:?}");
        assert_eq!(self.run.status, 1, "{:?}", self.run);
    }
}

/// A station with nothing but a directory, and a simulated device in it.
fn with_device(options: &str) -> (Station, Device) {
    let station = Station::new();
    fs::remove_file(station.path("station.toml")).unwrap();
    let device = plug(&station, "slot-a", options);
    (station, device)
}

fn report(options: &str, more: &str) -> Report {
    let (station, _device) = with_device(options);
    Report::of(&station, "slot-a", more)
}

#[test]
fn the_reference_device_passes_without_a_station_toml() {
    let report = report("--keygen", "");
    report.passed(0);
    assert!(report.with("pass").len() > 70, "{}", report.run.stdout);
    assert_eq!(report.summary["not_asked_for"].as_array().map(Vec::len), Some(2));
}

#[test]
fn each_check_has_a_name_of_its_own_and_names_its_section_of_the_page() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/protocol.md");
    let page = fs::read_to_string(page).unwrap();
    let headings: Vec<&str> = page.lines().filter(|line| line.starts_with("##")).collect();
    let report = report("--keygen", "--lock");
    report.passed(0);
    let mut names = BTreeSet::new();
    for check in &report.checks {
        let name = check["check"].as_str().unwrap();
        assert!(names.insert(name), "{name} comes twice");
        let (number, title) = check["section"].as_str().unwrap().split_once(' ').unwrap();
        let by_number = format!("## {number}. ");
        assert!(headings.iter().any(|heading| heading.starts_with(&by_number)), "{check}");
        assert!(headings.iter().any(|heading| heading.contains(title)), "{check}");
    }
}

#[test]
fn what_is_optional_and_not_claimed_is_skipped_and_nothing_else() {
    let report = report("--fault no-prove", "");
    report.passed(14);
    let optional = |name: &&str| {
        name.starts_with("prove") || name.starts_with("keygen") || name.starts_with("csr")
    };
    assert!(report.with("skipped").iter().all(optional), "{}", report.run.stdout);
}

#[test]
fn a_device_with_a_small_window_and_small_chunks_passes() {
    report("--window 1 --max-chunk 65 --fault boot-noise", "").passed(8);
}

#[test]
fn a_device_whose_port_goes_away_while_it_restarts_passes() {
    report("--fault usb-restart", "").passed(7);
}

#[test]
fn people_get_a_line_for_each_rule_and_what_was_not_asked_for() {
    let (station, _device) = with_device("");
    let run = station.ok("selftest --port slot-a");
    assert!(run.stdout.contains("PASS  frame-bad-crc"), "{}", run.stdout);
    assert!(run.stdout.contains("skip  keygen "), "{}", run.stdout);
    assert!(run.stdout.contains(" 0 failed, 7 skipped\n"), "{}", run.stdout);
    assert!(run.stdout.ends_with("not asked for: --lock, --power-cut\n"), "{}", run.stdout);
}

#[test]
fn a_device_that_holds_an_identity_is_left_alone_unless_it_may_be_lost() {
    let (station, _device) = with_device("--fault holds-unknown");
    station.fails("selftest --port slot-a", "E-DEV-HOLDS-IDENTITY", 1);
    // Nothing happened to it.
    station.fails("selftest --port slot-a", "E-DEV-HOLDS-IDENTITY", 1);
    Report::of(&station, "slot-a", "--overwrite").passed(7);
}

#[test]
fn a_locked_device_is_always_left_alone() {
    let (station, _device) = with_device("--fault locked");
    station.fails("selftest --port slot-a --overwrite --lock", "E-DEV-LOCKED", 1);
}

#[test]
fn a_port_that_can_t_be_used() {
    let station = Station::new();
    station.fails("selftest --port no-such-port", "E-PORT-MISSING", 5);
    station.fails("selftest", "E-USAGE", 2);
}

#[test]
fn a_device_that_says_nothing_or_nonsense_is_tried_no_further() {
    for fault in ["mute", "noise", "nonsense", "other-version"] {
        let report = report(&format!("--fault {fault}"), "");
        report.found_by("identify");
        assert_eq!(report.with("pass"), [""; 0], "{fault}");
        assert!(report.summary["not_run"].as_u64().is_some_and(|count| count > 70), "{fault}");
    }
}

/// Demands that a device with this fault is found by this check.
fn found(fault: &str, check: &str) {
    report(&format!("--keygen --fault {fault}"), "").found_by(check);
}

#[test]
fn a_device_that_sends_more_than_fits_before_its_answers() {
    report("--fault gush=2000", "").found_by("quiet");
}

#[test]
fn what_no_check_shows_is_said() {
    let told = report("", "").summary["not_shown"].to_string();
    assert!(told.contains("--power-cut") && told.contains("read the flash"), "{told}");
}

#[test]
fn a_device_that_only_pretends_to_restart() {
    found("lie-restart", "restart");
}

#[test]
fn a_device_that_does_not_keep_what_it_took() {
    found("lie-forget", "restart-keeps-identity");
    found("lie-stored", "prove-after-restart");
}

#[test]
fn a_device_that_signs_with_another_key_or_an_old_challenge() {
    found("lie-key", "prove");
    found("lie-replay", "prove");
}

#[test]
fn a_device_that_hands_in_another_one_s_signing_request() {
    found("lie-csr", "csr");
}

#[test]
fn a_device_that_has_less_room_than_it_says() {
    found("flash-full=4000", "capacity");
}

#[test]
fn a_device_whose_id_can_t_be_one_or_changes() {
    found("zero-id", "identify-layout");
    found("lie-other-unit", "restart");
}

#[test]
fn a_device_that_never_answers_one_request() {
    let report = report("--fault withhold=abort", "");
    report.found_by("abort");
}
