//! Adapters of the makers whose chips QEMU has not, and a board with USB of its own: each chip is a
//! program in the guest, and behind it stands the kernel's own driver.

use super::bench::{Bench, Port, Slot};
use super::places::wait_for;

/// Chips, each with the socket of its hub.
const CHIPS: [(&str, usize); 5] =
    [("ftdi", 1), ("cp210x", 2), ("ch341", 3), ("pl2303", 4), ("acm", ACM)];

/// Where the board is, whose driver is cdc-acm.
pub(crate) const ACM: usize = 5;

/// The rate of these trials' line.
const BAUD: u32 = 115_200;

/// Each driver sets the line as the station wants it, by requests that its chip has.
pub(crate) fn each_maker_s_chip(bench: &mut Bench) {
    bench.devices(Port::Chip);
    for (kind, socket) in CHIPS {
        plug_in(bench, kind, socket, "115200");
        assert_named(bench, kind, socket);
        bench.configure(&[at(socket)]);
        for _ in 0..3 {
            bench.one_passes();
            bench.next_device(Port::Chip.name());
        }
        let said = bench.shell.run("cat /tmp/chip").expect(0);
        assert!(!said.contains("stall"), "{kind}: {said}");
        let set = said.lines().filter_map(rate_of_eight_bits).find(|rate| is_near(*rate));
        println!("  {kind} made of {BAUD} baud: {}", set.unwrap_or_else(|| panic!("{said}")));
        pull_out(bench);
    }
    bench.verify();
    // Where driver and line differ nobody is understood, so that the chips above prove something.
    let (kind, socket) = CHIPS[1];
    plug_in(bench, kind, socket, "57600");
    bench.configure(&[at(socket)]);
    let serial = bench.serial();
    bench.write("labels", &(serial + "\n"));
    let said = bench.station("--json batch --serials labels").expect(1);
    assert!(said.contains("E-SCAN-NO-DEVICE"), "{said}");
    pull_out(bench);
}

/// One packet in so many has a byte that arrived broken: several in each unit.
const BREAKS: usize = 7;

/// Bytes of whose parity or end the driver says that they are wrong are noise on a line, and what
/// they belong to is sent again.
pub(crate) fn broken_bytes(bench: &mut Bench) {
    bench.devices(Port::Chip);
    plug_in(bench, "ftdi", 1, &format!("{BAUD} 1 {BREAKS}"));
    bench.configure(&[at(1)]);
    for _ in 0..4 {
        bench.one_passes();
        bench.next_device(Port::Chip.name());
    }
    let said = bench.shell.run("cat /tmp/chip").expect(0);
    for how in ["parity", "framing"] {
        let broken = said.lines().filter(|line| line.ends_with(how)).count();
        println!("  {broken} bytes broken by {how}");
        assert!(broken > 0, "{said}");
    }
    pull_out(bench);
    bench.verify();
}

/// What the chip made of the rate that it was asked for, at eight bits without parity.
fn rate_of_eight_bits(line: &str) -> Option<u32> {
    line.strip_prefix("line ")?.split_once(" 8n1 ")?.0.parse().ok()
}

/// As near as a chip's divisor comes to it.
const fn is_near(rate: u32) -> bool {
    rate.abs_diff(BAUD) * 100 <= BAUD
}

pub(crate) fn at(socket: usize) -> Slot {
    let mut slot = Slot::at(Port::Chip);
    slot.port = format!("usb:4-{socket}");
    slot
}

/// On a line of so many baud, and what else the chip is told of itself.
pub(crate) fn plug_in(bench: &mut Bench, kind: &str, socket: usize, line: &str) {
    bench.shell.run(&format!("(chips {kind} /run/ports/chip {line} >>/tmp/chip 2>&1 &)")).expect(0);
    let port = if socket == ACM { "tty/ttyACM*" } else { "ttyUSB*" };
    wait_for(bench, &format!("[ -e /sys/bus/usb/devices/4-{socket}:1.0/{port} ]"));
}

pub(crate) fn pull_out(bench: &mut Bench) {
    bench.shell.run("killall chips; rm -f /tmp/chip").expect(0);
    wait_for(bench, "[ ! -e /sys/bus/usb/devices/4-[1-5]:1.0 ]");
}

/// `station ports` says whose it is and where.
fn assert_named(bench: &mut Bench, kind: &str, socket: usize) {
    let ports = bench.station("ports").expect(0);
    let place = format!("usb:4-{socket}:1.0");
    assert!(ports.lines().any(|line| line.contains(&place)), "{kind}: {ports}");
}
