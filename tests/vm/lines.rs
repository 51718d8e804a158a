//! What happens on a line besides bytes: modem lines, breaks, silence, others who have it.

use serde_json::json;

use super::bench::{Bench, Port, Slot};
use super::guest::LONG;
use super::places::wait_for;

/// What goes over USB to the adapter's chip is what the chip does to its pins.
pub(crate) fn dtr_and_rts(bench: &mut Bench) {
    let lines = "presence = \"poll\"\ndtr = false\nrts = true\nrestart = \"dtr\"";
    bench.configure(&[Slot::at(Port::Adapter).with(lines)]);
    bench.devices(Port::Adapter);
    bench.shell.run("(cat /sys/kernel/debug/usb/usbmon/1u >/tmp/bus &)").expect(0);
    let serial = bench.serial();
    bench.write("labels", &(serial + "\n"));
    // No wire leads from that line to the simulated device's reset, and the station sees it.
    let said = bench.station("--json batch --serials labels").expect(1);
    assert!(said.contains("E-DEV-NOT-RESTARTED"), "{said}");
    let bus = bench.shell.run("killall cat; grep -o 's 40 01 [0-9a-f]*' /tmp/bus").output;
    let set: Vec<&str> = bus.lines().filter_map(|line| line.split(' ').nth(3)).collect();
    // Raised by the system at the open; then as configured.
    let opened = set.windows(3).position(|levels| levels == ["0303", "0100", "0202"]);
    assert!(opened.is_some(), "{set:?}");
    // The pulse is the other level, and back.
    assert!(set.windows(2).any(|levels| levels == ["0101", "0100"]), "{set:?}");
}

/// A board holds DSR while its firmware has its port open.
pub(crate) fn presence_by_dsr(bench: &mut Bench) {
    bench.configure(&[Slot::at(Port::Board).with("presence = \"dsr\"")]);
    bench.shell.run("killall relay").expect(0);
    bench.devices(Port::Board);
    bench.begin();
    let serial = bench.serial();
    bench.scan(&serial);
    // The station has the port and sees nobody there.
    wait_for(bench, "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q ttyACM");
    bench.shell.run("(relay /dev/ttyGS0 /run/ports/board &)").expect(0);
    let unit = bench.unit();
    assert_eq!((&unit["outcome"], &unit["attempt"]), (&"pass".into(), &1.into()), "{unit}");
    assert_eq!(bench.finish().0, 0);
}

/// A break, and the frame that it breaks, are noise on a line, and no more than that.
pub(crate) fn a_break(bench: &mut Bench) {
    for port in [Port::Adapter, Port::Uart] {
        bench.configure(&[Slot::at(port)]);
        bench.devices(port);
        bench.begin();
        for frame in [3, 8, 13, 18] {
            bench.wire(port).cut_at(frame);
            let serial = bench.serial();
            bench.scan(&serial);
            assert!(bench.wire(port).was_cut(LONG).is_some(), "no frame {frame}");
            bench.guest.qmp.tell("chardev-send-break", json!({ "id": port.name() }));
            bench.wire(port).mend();
            let unit = bench.unit();
            assert_eq!((&unit["outcome"], &unit["attempt"]), (&"pass".into(), &1.into()), "{unit}");
            bench.next_device(port.name());
        }
        assert_eq!(bench.finish().0, 0);
    }
}

/// What a device said while nobody listened, half a frame at its end, is no answer to anything.
pub(crate) fn stale_bytes(bench: &mut Bench) {
    for port in Port::ALL {
        bench.configure(&[Slot::at(port)]);
        bench.devices(port);
        let mut said = b"boot loader 2.1\r\nreset cause: pin\r\n\xff\xfe\x80\x00".to_vec();
        said.extend([0x55; 200]);
        said.extend([0x00, 0x0c, 0x01, 0x81, 0x01]);
        bench.wire(port).inject(&said);
        bench.one_passes();
    }
}

/// A board whose firmware stops reading: the unit ends, and so does the batch.
pub(crate) fn a_device_that_does_not_read(bench: &mut Bench) {
    bench.configure(&[Slot::at(Port::Board)]);
    bench.devices(Port::Board);
    bench.begin();
    bench.wire(Port::Board).cut_at(8);
    let serial = bench.serial();
    bench.scan(&serial);
    assert!(bench.wire(Port::Board).was_cut(LONG).is_some());
    bench.shell.run("killall relay").expect(0);
    let unit = bench.unit();
    assert_eq!(
        (&unit["outcome"], &unit["code"]),
        (&"fail".into(), &"E-DEV-TIMEOUT".into()),
        "{unit}"
    );
    println!("  it ended after {} ms", unit["duration_ms"]);
    let begun = std::time::Instant::now();
    assert_eq!(bench.finish().0, 1);
    println!("  and the batch {} ms later", begun.elapsed().as_millis());
    bench.wire(Port::Board).mend();
    bench.shell.run("(relay /dev/ttyGS0 /run/ports/board &)").expect(0);
    bench.next_device(Port::Board.name());
    bench.one_passes();
}

/// Another program has the port, and lets go of it.
pub(crate) fn a_held_port(bench: &mut Bench) {
    bench.configure(&[Slot::at(Port::Adapter)]);
    bench.devices(Port::Adapter);
    bench.shell.run("(sh -c 'echo $$ >/tmp/holder; exec relay hold /dev/ttyUSB0' &)").expect(0);
    wait_for(bench, "ls -l /proc/$(cat /tmp/holder)/fd 2>/dev/null | grep -q ttyUSB0");
    let doctor = bench.station("--json doctor").output;
    assert!(doctor.contains("E-PORT-BUSY"), "{doctor}");
    bench.begin();
    let serial = bench.serial();
    bench.scan(&serial);
    bench.shell.run("kill $(cat /tmp/holder)").expect(0);
    let unit = bench.unit();
    assert_eq!((&unit["outcome"], &unit["attempt"]), (&"pass".into(), &1.into()), "{unit}");
    assert_eq!(bench.finish().0, 0);
}
