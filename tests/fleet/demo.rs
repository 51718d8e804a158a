//! A fleet in one command, and what a manager asks of it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{at, program, run, says_in_chinese};

#[test]
fn a_demo_speaks_chinese() {
    says_in_chinese(&["fleet", "demo", "--once", "--units", "4"]);
}

#[test]
fn a_demo_ends_with_its_sum_and_one_conflict_on_purpose() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("fleet");
    let args = ["fleet", "demo", "--once", "--units", "4", "--dir", dir.to_str().unwrap()];
    let ran = run(&args).well();
    assert!(!ran.err.contains("E-BUG"), "it ends cleanly: {ran:?}");
    let lines = ran.json();
    assert_eq!(lines[0]["event"], "ready");
    let sum = lines.last().unwrap();
    assert_eq!(sum["event"], "summary");
    assert_eq!(sum["stations"], 3, "{lines:?}");
    assert_eq!(sum["units"], 4, "{lines:?}");
    assert_eq!(sum["conflicts"], 1, "{lines:?}");
    assert!(sum["segments"].as_u64().unwrap() >= 3, "{lines:?}");
    let last = dir.join("line-3");
    let status = at(&last, &["fleet", "status"]).well().last();
    assert_eq!(status["conflicts"], 1, "{status}");
    assert_eq!(status["waiting"], 0, "{status}");
    assert_eq!(status["claimed"][0]["serial"], "TH200-00000001", "{status}");
    at(&last, &["ledger", "verify"]).well();
    let speaks = std::fs::read_to_string(last.join("station.toml")).unwrap();
    let speaks = speaks.replacen("[station]\n", "[station]\nlanguage = \"zh-CN\"\n", 1);
    std::fs::write(last.join("station.toml"), speaks).unwrap();
    let config = last.join("station.toml");
    says_in_chinese(&["--config", config.to_str().unwrap(), "fleet", "status"]);
    // Its server and database are gone.
    at(&last, &["fleet", "push"]).refused("E-FLEET-UNREACHABLE", 6);
}

#[test]
fn a_demo_that_is_told_to_stop_between_its_stations_stops() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = program();
    demo.args(["fleet", "demo", "--units", "6", "--json"]).env("TMPDIR", temporary.path());
    let mut demo = demo.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("\"event\":\"station\"")), "no station worked");
    kill_process(Pid::from_child(&demo), Signal::TERM).unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    let status = loop {
        if let Some(status) = demo.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < until || demo.kill().is_err(), "it goes on");
        std::thread::yield_now();
    };
    assert_eq!(status.code(), Some(130));
    let left = std::fs::read_dir(temporary.path()).unwrap().count();
    assert_eq!(left, 0, "the demo's directory is removed");
}
