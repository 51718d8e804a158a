//! How a sync keeps its pace, what its books cost, and how it starts where nothing is open:
//! the station's own sync against the emulated cloud, over a real ledger.
//!
//! `cargo bench --bench sync` runs everything but the million, in some two minutes; names
//! after `--` (`paced`, `fast`, `unlimited`, `start`, `million`) run a part.
//! `docs/performance.md` says what is measured, what was reached and what limits it.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't run has nothing to report")]

mod bare;
#[allow(dead_code, reason = "the benchmark of large ledgers needs more of it")]
mod books;
mod requests;

use std::time::{Duration, Instant};

use books::Books;
use provisioning_station::sim::cloud::{CloudFaults, Options, SimulatedCloud, start};
use requests::{REGISTER, most_in_a_second, per_second, registrations};

/// How late the cloud is with each answer, where it is late.
const LATENCY: &str = "slow=100";
/// Certificates of an unlimited run.
const UNLIMITED: u32 = 5_000;
/// Runs of a start with nothing to do.
const STARTS: usize = 7;

fn main() {
    let named: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|one| one == name);
    if wanted("paced") {
        paced(15, 30);
    }
    if wanted("fast") {
        paced(500, 10);
    }
    if wanted("unlimited") {
        unlimited();
    }
    if wanted("start") {
        start_with(1_000);
    }
    if named.iter().any(|name| name == "million") {
        start_with(1_000_000);
    }
}

/// An emulation without limits of its own, so that it sees whatever is sent.
fn cloud(faults: &str) -> SimulatedCloud {
    let faults = CloudFaults::parse(faults).unwrap();
    start(Options { faults, rate: Some(0), ..Options::default() }).unwrap()
}

fn paced(rate: u32, seconds: u32) {
    let cloud = cloud(LATENCY);
    let books = Books::new(&cloud, rate);
    let units = rate * seconds;
    books.prove(1..=units);
    books.enrol();
    let summary = books.sync();
    let times = registrations(&cloud);
    assert_eq!((summary.registered, times.len()), (units.into(), units as usize), "{summary:?}");
    let reached = per_second(&times) / f64::from(rate);
    println!("{rate} a second, {units} certificates, 100 ms before each answer:");
    println!("  calls a second over the rate: {reached:.3}");
    let most = most_in_a_second(&times);
    println!("  most in any window of one second: {most} (of {rate})");
    println!("  {} other requests", cloud.requests().len() - times.len());
}

fn unlimited() {
    let bare = {
        let cloud = cloud("");
        let books = Books::new(&cloud, UNLIMITED);
        books.enrol();
        let pems = books.issue(1..=UNLIMITED);
        bare::register_all(&cloud, &pems, &books.ca_sn())
    };
    let cloud = cloud("");
    // A rate that is never reached.
    let books = Books::new(&cloud, 1_000_000);
    books.prove(1..=UNLIMITED);
    books.enrol();
    let summary = books.sync();
    assert_eq!(summary.registered, u64::from(UNLIMITED), "{summary:?}");
    let station = per_second(&registrations(&cloud));
    println!("without a limit, {UNLIMITED} certificates:");
    println!("  a bare client: {bare:.0} a second");
    println!("  the station, each outcome durable: {station:.0} a second");
    println!("  its share: {:.3}", station / bare);
}

fn start_with(units: u32) {
    let cloud = cloud("");
    let books = Books::new(&cloud, 10);
    let begun = Instant::now();
    books.made_up(1..=units);
    let made = begun.elapsed();
    let mut times: Vec<Duration> = Vec::new();
    let before = cloud.requests().len();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let summary = books.sync();
        times.push(begun.elapsed());
        assert_eq!(summary.registered, 0, "{summary:?}");
    }
    times.sort();
    let requests = cloud.requests();
    assert!(requests.iter().all(|request| request.action != REGISTER));
    let each = (requests.len() - before) as f64 / STARTS as f64;
    println!("nothing to do, {units} registered units (made in {:.0} s):", made.as_secs_f64());
    println!(
        "  a whole sync: median {:.1} ms ({:.1} to {:.1}), {each} requests",
        times[STARTS / 2].as_secs_f64() * 1e3,
        times[0].as_secs_f64() * 1e3,
        times[STARTS - 1].as_secs_f64() * 1e3
    );
}
