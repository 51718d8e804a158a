//! How long a unit takes on a line, and how many a line makes: the program itself over
//! simulated devices in other processes.
//!
//! `cargo bench --bench line` runs everything in some two minutes; names after `--`
//! (`paced`, `latency`, `unpaced`, `fleet`) run a part. `docs/performance.md` says what is measured,
//! what was reached and what limits it.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't run has nothing to report")]

mod disk;
mod factory;
mod fleet;
mod line_time;
mod numbers;
mod processes;
mod run;

use std::time::Duration;

use factory::{Devices, Factory};
use line_time::LineTime;
use numbers::Spread;
use run::Run;

/// The speed of the factory's lines.
const BAUD: u32 = 115_200;
/// Rounds of the paced runs, which take turns so that what else the machine does meets all.
const ROUNDS: u32 = 3;
/// Units in each slot and round.
const EACH_ROUND: u32 = 18;
/// How late a device is with each reply, where it is late.
const LATENCY: Duration = Duration::from_millis(16);
/// Sequential round trips of a unit, each of which a late device makes longer.
const ROUND_TRIPS: u32 = 8;

fn main() {
    let named: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|one| one == name);
    if wanted("paced") || wanted("latency") {
        let line_time = line_time::count(BAUD);
        println!(
            "a unit: {:.0} bytes to the device and {:.0} back, L = {:.2} ms at {BAUD} baud",
            line_time.to_device,
            line_time.from_device,
            line_time.at(BAUD).as_secs_f64() * 1e3
        );
        println!("  the line is busy for {:.2} ms of it", line_time.busy.as_secs_f64() * 1e3);
        if wanted("paced") {
            paced(&line_time);
        }
        if wanted("latency") {
            latency(&line_time);
        }
    }
    if wanted("unpaced") {
        unpaced();
    }
    // It needs a PostgreSQL that is installed.
    if named.iter().any(|one| one == "fleet") {
        let devices = Devices { slots: 8, units: EACH_ROUND * 8, baud: BAUD, ..Devices::none() };
        fleet::measure(ROUNDS, devices);
    }
}

fn paced(line_time: &LineTime) {
    let lines = [1, 8, 32];
    let mut cycles: [Vec<f64>; 3] = Default::default();
    let mut load = [0.0; 3];
    let mut syncs = Vec::new();
    for _ in 0..ROUNDS {
        syncs.extend(disk::sync_pages());
        for (index, slots) in lines.into_iter().enumerate() {
            let devices =
                Devices { slots, units: EACH_ROUND * slots, baud: BAUD, ..Devices::none() };
            let run = run_line(devices);
            load[index] += run.load() / f64::from(ROUNDS);
            cycles[index].extend(run.cycles);
        }
    }
    disk::print(syncs);
    let spreads = cycles.map(Spread::of);
    for ((slots, spread), load) in lines.into_iter().zip(&spreads).zip(load) {
        let l = line_time.at(BAUD).as_secs_f64();
        println!("{BAUD} baud, {slots} slots, {} units:", spread.count);
        println!("  cycle {}", spread.milliseconds());
        println!("  median {:.3} L, p95 {:.3} L", spread.median / l, spread.p95 / l);
        println!("  median {:.3} of one slot's", spread.median / spreads[0].median);
        println!("  {:.0} % of the machine was busy", load * 100.0);
    }
}

fn latency(line_time: &LineTime) {
    let devices =
        Devices { units: ROUNDS * EACH_ROUND, baud: BAUD, latency: LATENCY, ..Devices::none() };
    let spread = Spread::of(run_line(devices).cycles);
    let l = line_time.at(BAUD).as_secs_f64();
    let late = (LATENCY * ROUND_TRIPS).as_secs_f64();
    println!("{BAUD} baud, 1 slot, {LATENCY:?} before each reply, {} units:", spread.count);
    println!("  cycle {}", spread.milliseconds());
    let beyond = (spread.median - late) / l;
    println!("  median {beyond:.3} L + {ROUND_TRIPS} × {LATENCY:?}");
}

fn unpaced() {
    let mut syncs = disk::sync_pages();
    memory(1_000);
    let run = throughput(3_000);
    syncs.extend(disk::sync_pages());
    disk::print(syncs);
    let (commits, units) = (run.ledger.commits as f64 / run.units(), run.units());
    println!("without pacing, 32 slots, {units} units: {:.0} units a second", run.rate());
    println!("  cycle {}", Spread::of(run.cycles.clone()).milliseconds());
    println!("  {commits:.2} commits a unit for {:.2} records", run.ledger.records as f64 / units);
    let core = |time: Duration| time.as_secs_f64() * 1e3 / units;
    println!(
        "  on a core for each unit: the station {:.2} ms, the devices {:.2} ms",
        core(run.station_on_core),
        core(run.devices_on_core)
    );
    println!("  {:.0} % of the machine was busy", run.load() * 100.0);
    println!("  VmHWM {:.1} MiB", run.peak_mib);
    print_syncs(500);
}

fn print_syncs(units: u32) {
    let factory = Factory::lay_out(Devices { slots: 32, units, ..Devices::none() });
    match run::syncs(&factory) {
        Some((syncs, written)) => {
            let each = syncs as f64 / written.commits as f64;
            println!(
                "  {each:.2} syncs a commit, checkpoints among them (counted on {units} units)"
            );
        }
        None => println!("  no strace here: syncs beside commits were not counted"),
    }
}

fn memory(units: u32) {
    let run = throughput(units);
    println!("VmHWM with 32 slots after {units} units: {:.1} MiB", run.peak_mib);
}

fn throughput(units: u32) -> Run {
    run_line(Devices { slots: 32, units, ..Devices::none() })
}

fn run_line(devices: Devices) -> Run {
    let factory = Factory::lay_out(devices);
    let run = run::to_the_end(&factory);
    assert_eq!(run.cycles.len(), devices.units as usize, "a unit did not pass: {run:?}");
    run
}
