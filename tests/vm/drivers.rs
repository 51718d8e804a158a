//! Each driver, as a line uses it.

use std::collections::BTreeMap;

use super::bench::{Bench, Port, Slot};

/// Units of the batch, over all three ports.
const UNITS: usize = 21;

/// An adapter and a UART that stay while their devices change, and a board that takes its port
/// with it and comes back under another number at its restart.
pub(crate) fn a_batch_over_three_drivers(bench: &mut Bench) {
    let ports = bench.station("ports --json").expect(0);
    for wanted in ["ttyUSB0", "ttyS1"] {
        assert!(ports.contains(wanted), "{ports}");
    }
    bench.configure(&Port::ALL.map(Slot::at));
    Port::ALL.iter().for_each(|port| bench.devices(*port));
    let before = bench.wire(Port::Board).arrivals();
    let mut by_slot: BTreeMap<String, usize> = BTreeMap::new();
    for unit in bench.batch(UNITS) {
        assert_eq!(unit["attempt"], 1, "{unit}");
        *by_slot.entry(unit["slot"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert!(by_slot.values().all(|units| *units >= 2) && by_slot.len() == 3, "{by_slot:?}");
    // Once when it was put in, which was before for the first, and once more at its restart.
    let board = by_slot["board"];
    let arrivals = bench.wire(Port::Board).arrivals() - before;
    assert!(arrivals + 1 >= 2 * board, "{arrivals} for {board} units");
    bench.verify();
}

/// A 16550A says yes to 921600 baud and stays at 115200.
pub(crate) fn a_16550a_that_stays_slow(bench: &mut Bench) {
    bench.configure(&[Slot::at(Port::Uart).with("presence = \"poll\"\nbaud = 921600")]);
    bench.devices(Port::Uart);
    let both = "was set to 921600 baud and is at 115200 baud";
    let doctor = bench.station("--json doctor").output;
    let ports = doctor.lines().find(|line| line.contains("\"check\":\"ports\"")).unwrap();
    assert!(ports.contains("E-PORT-SETTINGS") && ports.contains(both), "{doctor}");
    let serial = bench.serial();
    bench.write("labels", &(serial + "\n"));
    let batch = bench.station("batch --serials labels").expect(5);
    assert!(batch.contains("error[E-PORT-SETTINGS]") && batch.contains(both), "{batch}");
    bench.configure(&[Slot::at(Port::Uart)]);
    let batch = bench.station("batch --serials labels").expect(0);
    assert!(batch.contains("PASS"), "{batch}");
}

/// Who is not root may not read everything of a process that hides its memory, on the kernel that
/// Debian 12 has: a line's own user is one.
pub(crate) fn an_ordinary_user(bench: &mut Bench) {
    bench.configure(&[Slot::at(Port::Adapter)]);
    bench.devices(Port::Adapter);
    let serial = bench.serial();
    bench.write("labels", &(serial + "\n"));
    let home = "/tmp/line";
    bench.shell.run(&format!("cp -r /root {home} && rm -rf {home}/data")).expect(0);
    bench.shell.run(&format!("chown -R line {home} && chown line /dev/ttyUSB0")).expect(0);
    let batch = bench.bare_command("--json batch --serials labels").replace("/root", home);
    bench.write_at("/tmp/as-line", &batch);
    let said = bench.shell.run("su -s /bin/sh line -c '. /tmp/as-line'").expect(0);
    assert!(said.contains("\"outcome\":\"pass\""), "{said}");
}
