//! Labels beside a running screen: a printer that is off and comes back, and a label that is
//! scanned back while every slot is at work.

use std::io::Read;
use std::net::TcpListener;
use std::thread;

use super::works::{Works, label};

/// A free port of this machine, where nobody listens.
fn nowhere() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A printer that takes whatever comes.
fn switch_on(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().read_to_end(&mut Vec::new());
        }
    });
}

#[test]
fn a_printer_that_is_off_leaves_the_unit_pass_and_its_label_is_scanned_back_at_any_time() {
    let works = Works::new(&["A"], "any");
    let port = nowhere();
    works.adds(&format!(
        "[label]\nprinter = \"tcp:127.0.0.1:{port}\"\nwhen = \"pass\"\nverify = \"scan\"\n\
         template = '^XA^BQN,2,6^FDQA,{{qr}}^FS^XZ'\n"
    ));
    let devices = works.devices("A", &[]);
    let screen = works.screen((80, 24), "");
    screen.wait_for("device waits for a scan");
    screen.scans(&label(1));
    screen.wait_for("PASS");
    screen.wait_for("E-LABEL-PRINTER");
    screen.wait_for("labels: 0 sent, 1 open");
    switch_on(port);
    screen.wait_for("labels: 1 sent, 1 open");
    drop(devices);
    // A device that takes long, so that the one slot is at work while the label is read.
    let _slow = works.devices("A", &["--boot-ms", "6000", "--seed", "2"]);
    screen.wait_for("device waits for a scan");
    screen.scans(&label(2));
    screen.wait_for("restart");
    screen.scans(&label(1));
    screen.wait_for("labels: 1 sent, 0 open");
    screen.wait_for("labels: 2 sent, 1 open");
    screen.leave();
}
