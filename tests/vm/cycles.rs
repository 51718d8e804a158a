//! How long a unit's cycle is over each driver, beside a pseudo-terminal in the same guest, and
//! beside what the device itself takes. `tests/vm/run --measure` prints it; nothing is judged.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use provisioning_station::sim::{self, Options, Timings};
use serde_json::Value;

use super::bench::{Bench, PASSPHRASE, Port, STATION_TOML, Slot};
use super::chips;
use super::places::wait_for;

/// Units at each port, in turns.
const ROUNDS: usize = 15;

/// Chunks of these trials' images.
const CHUNKS: u32 = 4;

/// Prints cycles on a line of 115200 baud and at the full speed of USB.
pub(crate) fn measure(bench: &mut Bench) {
    bench.shell.run("(relay pty:/run/pty /run/ports/pty &)").expect(0);
    wait_for(bench, "[ -e /run/pty ]");
    let drivers = [Port::Terminal, Port::Adapter, Port::Board].map(usual);
    print("115200 baud", &in_turns(bench, &drivers, 115_200, Timings::INSTANT));
    bench.clear();
    for latency in ["", "16"] {
        chips::plug_in(bench, "ftdi", 1, &format!("115200 {latency}"));
        let name = format!(
            "115200 baud, FT232R {}",
            if latency.is_empty() { "at 1 ms" } else { "kept at 16 ms" }
        );
        print_chip(bench, &name, 1);
    }
    chips::plug_in(bench, "acm", chips::ACM, "115200");
    print_chip(bench, "115200 baud, cdc-acm", chips::ACM);
    let times = Timings::default();
    let own = times.erase + times.chunk * CHUNKS + times.commit + times.prove + times.boot;
    println!("a device's own time: {:.1} ms", ms(own));
    print("no pacing", &in_turns(bench, &drivers, 0, times));
    bench.clear();
    let host = on_this_machine(times);
    println!(
        "no pacing, a pseudo-terminal of this machine: {:.1} ms, {:.2} of the device's own",
        ms(host),
        host.div_duration_f32(own)
    );
}

/// Of the chip that is plugged in at this socket, which leaves.
fn print_chip(bench: &mut Bench, what: &str, socket: usize) {
    let slots = [usual(Port::Terminal), (Port::Chip, chips::at(socket))];
    print(what, &in_turns(bench, &slots, 115_200, Timings::INSTANT));
    bench.clear();
    chips::pull_out(bench);
}

fn usual(port: Port) -> (Port, Slot) {
    (port, Slot::at(port))
}

/// Medians, and over that of the first.
fn print(what: &str, cycles: &[(Port, Vec<Duration>)]) {
    let first = median(&cycles[0].1);
    for (port, cycles) in cycles {
        let middle = median(cycles);
        let ratio = middle.div_duration_f32(first);
        println!("{what}: {} {:.1} ms, {ratio:.3}", port.name(), ms(middle));
    }
}

fn ms(time: Duration) -> f32 {
    time.as_secs_f32() * 1_000.0
}

fn median(cycles: &[Duration]) -> Duration {
    let mut sorted = cycles.to_vec();
    sorted.sort();
    sorted[sorted.len() / 2]
}

/// One unit at each port after the other, so that whatever else the machine does meets all.
fn in_turns(
    bench: &mut Bench,
    slots: &[(Port, Slot)],
    baud: u32,
    timings: Timings,
) -> Vec<(Port, Vec<Duration>)> {
    bench.configure(slots.iter().map(|(_, slot)| slot));
    for (port, _) in slots {
        bench.devices_of(*port, |options| Options { baud, timings, declared: None, ..options });
        bench.take_away(port.name());
    }
    bench.begin();
    let mut cycles: Vec<_> = slots.iter().map(|(port, _)| (*port, Vec::new())).collect();
    for _ in 0..ROUNDS {
        for (port, cycles) in &mut cycles {
            let label = format!("{}\\t{}", port.name(), bench.serial());
            bench.scan(&label);
            bench.put_next(port.name());
            let unit = bench.unit();
            assert_eq!(unit["outcome"], "pass", "{unit}");
            cycles.push(cycle(&unit));
            bench.take_away(port.name());
        }
    }
    bench.finish();
    cycles
}

fn cycle(unit: &Value) -> Duration {
    Duration::from_micros(unit["cycle_us"].as_u64().unwrap())
}

/// The same program and the same devices without a guest.
fn on_this_machine(timings: Timings) -> Duration {
    let binary = std::env::var("STATION_VM_BINARY").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("slot");
    let slot = format!(
        "\n[[slots]]\nname = \"pty\"\nport = \"{}\"\npresence = \"poll\"\n",
        link.display()
    );
    std::fs::write(folder.path().join("station.toml"), STATION_TOML.to_owned() + &slot).unwrap();
    run(&binary, folder.path(), &["authority", "init", "--common-name", "Trials"]);
    std::fs::copy(folder.path().join("ca.pem"), folder.path().join("server-root.pem")).unwrap();
    let labels: String = (1..=ROUNDS).map(|number| format!("TH200-{number:08}\n")).collect();
    std::fs::write(folder.path().join("labels"), labels).unwrap();
    let units = u32::try_from(ROUNDS).unwrap();
    let options = Options { units, baud: 0, timings, ..Options::new(link) };
    let _device = sim::start(options).unwrap();
    let said = run(&binary, folder.path(), &["--json", "batch", "--serials", "labels"]);
    let units = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let cycles: Vec<Duration> =
        units.filter(|unit| unit["event"] == "unit").map(|unit| cycle(&unit)).collect();
    median(&cycles)
}

fn run(binary: &str, folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(binary);
    command.args(arguments).current_dir(folder).env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
