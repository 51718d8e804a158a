//! `station sim cloud` as a process: ready line, state file, faults, refusals.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::station::Station;

/// An emulated cloud in a process of its own, killed in the end.
pub(crate) struct Cloud {
    child: Child,
    pub(crate) ready: Value,
}

impl Cloud {
    /// Starts it with `more` arguments; its state is in `cloud.state`.
    pub(crate) fn start(station: &Station, more: &str) -> Self {
        let line = format!("sim cloud --listen 127.0.0.1:0 --state cloud.state --json {more}");
        let mut child = station.command(&line).stdout(Stdio::piped()).spawn().unwrap();
        let mut told = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut told).unwrap();
        Self { child, ready: serde_json::from_str(&told).unwrap() }
    }

    fn terminate(&mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_says_where_it_is_and_ends_when_told() {
    let station = Station::new();
    let mut cloud = Cloud::start(&station, "");
    assert_eq!(cloud.ready["event"], "ready");
    assert!(cloud.ready["url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert_eq!(cloud.ready["instance"], "mqtt-emulated");
    assert_eq!(cloud.terminate(), Some(0));
    let state = fs::read_to_string(station.path("cloud.state")).unwrap();
    assert!(state.contains("mqtt-emulated"), "{state}");
}

#[test]
fn a_second_one_over_the_same_state_is_refused_and_so_is_another_instance() {
    let station = Station::new();
    let cloud = Cloud::start(&station, "");
    let line = "sim cloud --listen 127.0.0.1:0 --state cloud.state";
    station.fails(line, "E-OUTPUT", 1);
    drop(cloud);
    let other = format!("{line} --instance mqtt-other");
    station.fails(&other, "E-OUTPUT", 1).says("mqtt-emulated in ap-guangzhou");
}

#[test]
fn a_killed_one_can_be_started_again() {
    let station = Station::new();
    for _ in 0..2 {
        let mut cloud = Cloud::start(&station, "");
        cloud.child.kill().unwrap();
        cloud.child.wait().unwrap();
    }
    Cloud::start(&station, "");
}

#[test]
fn an_address_that_is_taken_is_wrong_usage() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let line = format!("sim cloud --listen {}", taken.local_addr().unwrap());
    Station::new().fails(&line, "E-USAGE", 2).says("can't be listened on");
}

#[test]
fn its_faults_are_listed_and_a_wrong_one_is_wrong_usage() {
    let station = Station::new();
    let listed = station.ok("sim cloud --fault list --json").json();
    let names: Vec<&str> = listed.iter().map(|line| line["fault"].as_str().unwrap()).collect();
    for name in ["throttle", "5xx", "reset", "reset-after", "slow", "not-ready", "duplicate"] {
        assert!(names.contains(&name), "{names:?}");
    }
    station.fails("sim cloud --fault explode", "E-USAGE", 2).says("explode");
}
