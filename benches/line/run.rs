//! One run of `station batch` and what it showed.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::factory::{Factory, STATION};
use crate::processes;

/// What the ledger wrote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    /// Each costs one sync, checkpoints aside.
    pub(crate) commits: u64,
    pub(crate) records: u64,
}

/// What a run showed.
#[derive(Debug)]
pub(crate) struct Run {
    /// Of each unit that passed: seconds from its IDENTIFY to its durable proof.
    pub(crate) cycles: Vec<f64>,
    /// From the first unit's start to the last one's end.
    lasted: Duration,
    pub(crate) station_on_core: Duration,
    pub(crate) devices_on_core: Duration,
    pub(crate) peak_mib: f64,
    pub(crate) ledger: Written,
}

impl Run {
    pub(crate) fn units(&self) -> f64 {
        self.cycles.len() as f64
    }

    pub(crate) fn rate(&self) -> f64 {
        self.units() / self.lasted.as_secs_f64()
    }

    /// How much of the machine this run kept busy.
    pub(crate) fn load(&self) -> f64 {
        let cores = thread::available_parallelism().unwrap().get() as f64;
        let on_core = self.station_on_core + self.devices_on_core;
        on_core.as_secs_f64() / self.lasted.as_secs_f64() / cores
    }
}

/// Provisions every device of a factory.
pub(crate) fn to_the_end(factory: &Factory) -> Run {
    run(factory, factory.station())
}

/// The same under strace, which slows it down: for how many syncs it asked the kernel, and
/// what the ledger wrote. None where there is no strace.
pub(crate) fn syncs(factory: &Factory) -> Option<(usize, Written)> {
    let calls = factory.link(0).with_file_name("syncs");
    let strace = |program: &str| {
        let mut command = factory.station_under("strace");
        command.args(["-f", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-o"]);
        command.arg(&calls).arg(program);
        command
    };
    strace("true").output().ok().filter(|output| output.status.success())?;
    let run = run(factory, strace(STATION));
    assert_eq!(run.cycles.len(), factory.devices.units as usize);
    let calls = std::fs::read_to_string(calls).unwrap();
    // A call that the tracer shows in two lines has one with an opening bracket.
    let syncs = calls.lines().filter(|line| line.contains("sync(")).count();
    Some((syncs, run.ledger))
}

fn run(factory: &Factory, mut command: Command) -> Run {
    command.args(["--json", "--log-json", "batch", "--serials", "-"]);
    command.env("STATION_LOG", "station_ledger=info");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut station = command.spawn().unwrap();
    let (mut input, units) = (station.stdin.take().unwrap(), factory.devices.units);
    let feeder = thread::spawn(move || {
        for number in 1..=units {
            writeln!(input, "TH200-{number:08}").unwrap();
        }
        input
    });
    let mut log = station.stderr.take().unwrap();
    let log = thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    });
    let mut output = BufReader::new(station.stdout.take().unwrap()).lines();
    let mut lines = output.by_ref().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
    let mut run = watch(&mut lines, factory, &station);
    // The station waits for more labels, so what was read of it is read of all units.
    drop(feeder.join().unwrap());
    lines.for_each(drop);
    station.wait().unwrap();
    run.ledger = written(&log.join().unwrap());
    run
}

/// Reads a line for each unit.
fn watch(lines: &mut dyn Iterator<Item = Value>, factory: &Factory, station: &Child) -> Run {
    let units = factory.devices.units as usize;
    let mut cycles = Vec::with_capacity(units);
    let mut started = None;
    for line in lines.take(units) {
        let micros = |name: &str| line[name].as_u64().map(Duration::from_micros);
        let lasted = line["duration_ms"].as_u64().map(Duration::from_millis).unwrap_or_default();
        started = started.or_else(|| Instant::now().checked_sub(lasted));
        cycles.extend(micros("cycle_us").map(|cycle| cycle.as_secs_f64()));
    }
    Run {
        cycles,
        lasted: started.unwrap().elapsed(),
        station_on_core: processes::time_on_core(station.id()),
        devices_on_core: factory.devices_on_core(),
        peak_mib: processes::peak_mib(station.id()),
        ledger: Written { commits: 0, records: 0 },
    }
}

fn written(log: &str) -> Written {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut fields = lines.map(|mut line| line["fields"].take());
    let closed = fields.rfind(|fields| fields["commits"].is_u64());
    let fields = closed.unwrap_or_else(|| panic!("the ledger said nothing: {log}"));
    let count = |name: &str| fields[name].as_u64().unwrap();
    Written { commits: count("commits"), records: count("records") }
}
