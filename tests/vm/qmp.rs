//! QEMU's monitor: what a hand does at the guest's sockets.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::{Value, json};

/// Longer than QEMU takes for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to the monitor.
pub(crate) struct Qmp {
    from: BufReader<UnixStream>,
    to: UnixStream,
    /// What was told meanwhile.
    events: Vec<Value>,
}

impl Qmp {
    /// Over a socket to which QEMU connected.
    pub(crate) fn over(to: UnixStream) -> Self {
        to.set_read_timeout(Some(PATIENCE)).unwrap();
        let from = BufReader::new(to.try_clone().unwrap());
        let mut qmp = Self { from, to, events: Vec::new() };
        assert!(qmp.next()["QMP"].is_object());
        qmp.tell("qmp_capabilities", json!({}));
        qmp
    }

    /// Does one thing, and fails where QEMU does not.
    pub(crate) fn tell(&mut self, what: &str, arguments: Value) -> Value {
        let line = json!({ "execute": what, "arguments": arguments }).to_string();
        self.to.write_all((line + "\n").as_bytes()).unwrap();
        loop {
            let said = self.next();
            assert!(said["error"].is_null(), "{what} {arguments}: {said}");
            match said.get("return") {
                Some(returned) => return returned.clone(),
                None => self.events.push(said),
            }
        }
    }

    /// Keys that are pressed together at the guest's keyboard. QEMU waits as long behind each that
    /// goes down or up, and a scan is over after 50 ms: a letter with shift takes four of them.
    pub(crate) fn keys(&mut self, names: &[&str]) {
        let keys: Vec<Value> =
            names.iter().map(|name| json!({ "type": "qcode", "data": name })).collect();
        self.tell("send-key", json!({ "keys": keys, "hold-time": 6 }));
    }

    /// Pulls a device out, and waits until it is gone.
    pub(crate) fn unplug(&mut self, id: &str) {
        self.events.clear();
        self.tell("device_del", json!({ "id": id }));
        let is_gone =
            |event: &Value| event["event"] == "DEVICE_DELETED" && event["data"]["device"] == id;
        while !self.events.iter().any(is_gone) {
            let event = self.next();
            self.events.push(event);
        }
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }
}
