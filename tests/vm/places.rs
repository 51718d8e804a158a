//! Ports are found by where they are plugged in, whatever the system calls them.

use std::os::unix::net::UnixListener;

use provisioning_station::sim::held_identity;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::bench::{Bench, Port, Slot};
use super::guest::accept;
use super::wire::Wire;

/// A port is pulled while somebody has it open, and comes back under another name.
pub(crate) fn another_name(bench: &mut Bench) {
    bench.configure(&[Slot::at(Port::Adapter)]);
    bench.devices(Port::Adapter);
    bench.shell.run("(sleep 100000 </dev/ttyUSB0 &)").expect(0);
    wait_for(bench, "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q ttyUSB0");
    bench.pull_adapter();
    bench.put_adapter_back();
    wait_for(bench, "[ -e /dev/ttyUSB1 ]");
    bench.one_passes();
    // And the first name again, once nobody holds it.
    bench.shell.run("killall sleep").expect(0);
    bench.pull_adapter();
    wait_for(bench, "[ ! -e /dev/ttyUSB1 ]");
    bench.put_adapter_back();
    wait_for(bench, "[ -e /dev/ttyUSB0 ]");
    bench.next_device(Port::Adapter.name());
    bench.one_passes();
}

/// Eight adapters on a hub, plugged in in two orders; each unit is burned into the device of the
/// slot that its label names.
pub(crate) fn eight_on_a_hub(bench: &mut Bench) {
    bench.guest.qmp.tell(
        "device_add",
        json!({ "driver": "usb-hub", "id": "hub", "bus": "xhci.0", "port": "2" }),
    );
    let names: Vec<String> = (1..=8).map(|socket| format!("h{socket}")).collect();
    let wires: Vec<Wire> = names.iter().map(|name| lay(bench, name)).collect();
    let slots: Vec<Slot> = (1..=8)
        .map(|socket| Slot {
            name: format!("h{socket}"),
            port: format!("usb:1-2.{socket}"),
            lines: "presence = \"poll\"\n".to_owned(),
        })
        .collect();
    bench.configure(&slots);
    wires.iter().for_each(|wire| wire.wait_for_device(true));
    for order in [[4, 1, 7, 8, 2, 6, 3, 5], [8, 7, 6, 5, 4, 3, 2, 1]] {
        for (index, socket) in order.into_iter().enumerate() {
            let device = json!({
                "driver": "usb-serial", "chardev": format!("h{socket}"), "id": format!("h{socket}"),
                "bus": "xhci.0", "port": format!("2.{socket}"),
            });
            bench.guest.qmp.tell("device_add", device);
            // The system numbers them as they come.
            wait_for(bench, &format!("[ -e /dev/ttyUSB{} ]", index + 1));
        }
        assert_named_in_turn(bench, order);
        all_eight_pass(bench, &names);
        for name in &names {
            bench.guest.qmp.unplug(name);
            bench.next_device(name);
        }
        wait_for(bench, "[ $(ls -d /dev/ttyUSB* | wc -l) = 1 ]");
    }
    bench.guest.qmp.unplug("hub");
}

/// The names say nothing of the places.
fn assert_named_in_turn(bench: &mut Bench, order: [usize; 8]) {
    let ports = bench.station("ports").expect(0);
    for (index, socket) in order.into_iter().enumerate() {
        let name = format!("/dev/ttyUSB{} ", index + 1);
        let line = ports.lines().find(|line| line.contains(&name)).unwrap();
        assert!(line.contains(&format!("usb:1-2.{socket}:1.0")), "{ports}");
    }
}

fn lay(bench: &mut Bench, name: &str) -> Wire {
    let socket = bench.guest.folder.path().join(name);
    let listener = UnixListener::bind(&socket).unwrap();
    let address = json!({ "type": "unix", "data": { "path": name } });
    let data = json!({ "addr": address, "server": false });
    bench
        .guest
        .qmp
        .tell("chardev-add", json!({ "id": name, "backend": { "type": "socket", "data": data } }));
    let link = bench.path(name);
    let wire = Wire::lay(accept(&listener), &link, None);
    bench.devices_with(name, link, |options| options);
    wire
}

fn all_eight_pass(bench: &mut Bench, names: &[String]) {
    let labels: String = names.iter().map(|name| format!("{name}\t{}\n", bench.serial())).collect();
    bench.write("labels", &labels);
    let said = bench.station("--json batch --serials labels").expect(0);
    let units = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut seen = 0;
    for unit in units.filter(|unit| unit["event"] == "unit") {
        assert_eq!(unit["outcome"], "pass", "{unit}");
        let slot = bench.device(unit["slot"].as_str().unwrap());
        let held = held_identity(&slot.flash_file(slot.state().unit).unwrap()).unwrap().unwrap();
        let digest = Sha256::digest(&held.certificate);
        let fingerprint: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(unit["fingerprint_sha256"], fingerprint.as_str(), "{unit}");
        seen += 1;
    }
    assert_eq!(seen, names.len(), "{said}");
}

/// Waits until a test of the shell holds in the guest, for five minutes as it counts them.
#[track_caller]
pub(crate) fn wait_for(bench: &mut Bench, test: &str) {
    let now = "$(cut -d. -f1 /proc/uptime)";
    let more = format!("[ {now} -lt $end ] || exit 1; usleep 20000");
    let waited = format!("end=$(({now} + 300)); while ! {test}; do {more}; done");
    assert_eq!(bench.shell.run(&waited).status, 0, "not in five minutes: {test}");
}
