//! Labels as a line prints them: one for each PASS, none that nobody asked for, and no unit
//! that waits for a printer.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

use super::support::{Factory, Finished, LONG, label, labels};

/// What a printer does with a label that came.
type Act = fn(TcpStream) -> Vec<u8>;

/// Takes all of it and says nothing.
fn silent(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

/// A printer on the network.
struct Printer {
    address: SocketAddr,
    labels: Receiver<Vec<u8>>,
}

impl Printer {
    fn new(act: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, labels) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let bytes = act(stream.unwrap());
                if !bytes.is_empty() && sender.send(bytes).is_err() {
                    return;
                }
            }
        });
        Self { address, labels }
    }

    /// The serials of the labels that came, in their order.
    fn printed(&self) -> Vec<String> {
        let mut serials = Vec::new();
        loop {
            match self.labels.try_recv() {
                Ok(bytes) => serials.push(serial(&bytes)),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return serials,
            }
        }
    }
}

fn serial(label: &[u8]) -> String {
    let text = String::from_utf8(label.to_vec()).unwrap();
    let (_, data) = text.split_once("^FDQA,").unwrap();
    data.split('^').next().unwrap().to_owned()
}

/// A factory that prints to this address.
fn printing(factory: &Factory, address: SocketAddr, more: &str) {
    let text = format!(
        "[label]\nprinter = \"tcp:{address}\"\nwhen = \"pass\"\n{more}\n\
         template = '^XA^FO9,9^BQN,2,6^FDQA,{{qr}}^FS^XZ'\n\n[ledger]"
    );
    factory.change("[ledger]", &text);
}

fn outcomes(finished: &Finished) -> Vec<(String, String)> {
    let labels = finished.events().into_iter().filter(|event| event["event"] == "label");
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    labels.map(|event| (word(&event["serial"]), word(&event["outcome"]))).collect()
}

#[test]
fn each_pass_has_one_label() {
    let factory = Factory::with_slots(2);
    let printer = Printer::new(silent);
    printing(&factory, printer.address, "");
    let _devices = ["A", "B"].map(|slot| factory.devices(slot, 3));
    let finished = factory.batch(&labels(6)).expect(0);
    assert_eq!(finished.summary()["labels_sent"], 6, "{}", finished.story());
    assert_eq!(finished.summary()["labels_open"], 0);
    let mut printed = printer.printed();
    printed.sort();
    let all: Vec<String> = (1..=6).map(label).collect();
    assert_eq!(printed, all);
    // Started again, nothing is printed once more.
    factory.batch("").expect(0);
    assert_eq!(printer.printed(), [""; 0]);
    factory.verify();
}

#[test]
fn a_printer_that_is_off_costs_no_unit_and_gets_its_labels_later() {
    let factory = Factory::usual();
    let off = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    printing(&factory, off, "");
    let _devices = factory.devices("A", 2);
    let finished = factory.batch(&labels(2)).expect(0);
    assert_eq!(finished.summary()["passed"], 2);
    assert!(finished.story().contains("E-LABEL-PRINTER"), "{}", finished.story());
    let open = factory.run(&["label", "list"]).expect(0).events();
    let states: Vec<_> = open.iter().map(|label| label["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["wanted", "wanted"]);

    let printer = Printer::new(silent);
    factory.change(&off.to_string(), &printer.address.to_string());
    factory.batch("").expect(0);
    assert_eq!(printer.printed(), [label(1), label(2)], "in the order of the passes");
    assert_eq!(factory.run(&["label", "list"]).expect(0).events().len(), 0);
}

#[test]
fn a_printer_that_breaks_off_leaves_the_label_open_and_the_unit_passed() {
    let factory = Factory::usual();
    // It closes as soon as it has a byte, with the others unread.
    let printer = Printer::new(|mut stream| {
        stream.read_exact(&mut [0; 1]).unwrap();
        Vec::new()
    });
    printing(&factory, printer.address, "");
    let _devices = factory.devices("A", 1);
    let finished = factory.batch(&labels(1)).expect(0);
    assert_eq!(finished.unit(&label(1))["outcome"], "pass");
    assert_eq!(finished.summary()["labels_open"], 1);
    assert_eq!(outcomes(&finished), [(label(1), "open".to_owned())]);
    assert!(finished.story().contains("E-LABEL-UNCLEAR"), "{}", finished.story());
    // The station asks, and does not print a second one by itself.
    let again = factory.batch("").expect(0);
    assert!(again.story().contains("nobody knows whether label 1"), "{}", again.story());
    let refused = factory.run(&["label", "print", &label(1)]);
    refused.expect_error(1, "E-LABEL-UNCLEAR");
}

#[test]
fn a_label_is_scanned_back_at_the_batch_s_scanner() {
    let factory = Factory::usual();
    let printer = Printer::new(silent);
    printing(&factory, printer.address, "verify = \"scan\"");
    let _devices = factory.devices("A", 1);
    let mut batch = factory.start(&["batch", "--scanner", "-"]);
    batch.say(&labels(1));
    let next = |batch: &mut super::support::Process| batch.event(LONG).unwrap();
    assert_eq!(next(&mut batch)["outcome"], "pass");
    let sent = next(&mut batch);
    assert_eq!((&sent["outcome"], &sent["open"]), (&"sent".into(), &1.into()));
    batch.say(&labels(1));
    let right = next(&mut batch);
    assert_eq!((&right["event"], &right["outcome"]), (&"label".into(), &"right".into()));
    assert_eq!(right["open"], 0);
    batch.close_input();
    let summary = batch.finish(LONG).expect(0).summary();
    assert_eq!((&summary["refused"], &summary["already_proven"]), (&0.into(), &0.into()));
}

#[test]
fn a_label_with_its_serial_and_other_fields_keeps_its_unit() {
    let factory = Factory::usual();
    let printer = Printer::new(silent);
    printing(
        &factory,
        printer.address,
        "verify = \"scan\"\nqr = \"SN:{serial};F:{fingerprint:8}\"",
    );
    let rule = "[[scanner.label]]\nform = \"text\"\ntext = \"SN:{serial};F:{print}\"\n\n[ledger]";
    factory.change("[ledger]", rule);
    let _devices = factory.devices("A", 1);
    let mut batch = factory.start(&["batch", "--scanner", "-"]);
    let other = format!("SN:{};F:00000000", label(1));
    batch.say(&format!("{other}\n"));
    let next = |batch: &mut super::support::Process| batch.event(LONG).unwrap();
    assert_eq!(next(&mut batch)["outcome"], "pass");
    assert_eq!(next(&mut batch)["outcome"], "sent");
    batch.say(&format!("{other}\n"));
    let wrong = next(&mut batch);
    assert_eq!((&wrong["outcome"], &wrong["code"]), (&"wrong".into(), &"E-LABEL-WRONG".into()));
    batch.close_input();
    assert_eq!(batch.finish(LONG).expect(0).summary()["labels_open"], 1);
    let kept = factory.run(&["unit", "ship", &label(1), "--offline"]);
    kept.expect_error(1, "E-LABEL-OPEN");
    let said = printer.printed().remove(0).replace("_3B", ";");
    factory.run(&["label", "read", "--text", &said]).expect(0);
    assert_eq!(factory.run(&["label", "list"]).expect(0).events().len(), 0);
    factory.verify();
}

#[test]
fn after_a_rework_the_old_label_is_asked_back() {
    let factory = Factory::usual();
    let printer = Printer::new(silent);
    printing(&factory, printer.address, "");
    drop({
        let devices = factory.devices("A", 1);
        factory.batch(&labels(1)).expect(0);
        devices
    });
    factory.run(&["unit", "rework", &label(1), "--reason", "flash replaced"]).expect(0);
    let _device = factory.put_back("A", 1);
    let finished = factory.batch(&labels(1)).expect(0);
    assert!(finished.story().contains("E-LABEL-STALE"), "{}", finished.story());
    assert_eq!(printer.printed(), [label(1), label(1)], "one for each certificate");
}

#[test]
fn a_station_that_is_killed_while_it_prints_never_prints_a_second_one() {
    let factory = Factory::usual();
    let printer = Printer::new(silent);
    printing(&factory, printer.address, "");
    let _devices = factory.devices("A", 1);
    let mut batch = factory.start(&["batch", "--scanner", "-"]);
    batch.say(&labels(1));
    // The printer has it all, and the station still listens for an answer.
    let first = printer.labels.recv_timeout(LONG).unwrap();
    batch.kill();
    assert_eq!(serial(&first), label(1));
    let again = factory.batch("").expect(0);
    assert_eq!(printer.printed(), [""; 0], "{}", again.story());
    let open = factory.run(&["label", "list"]).expect(0).events();
    if let [label] = &open[..] {
        assert_eq!(label["state"], "asked");
        assert!(again.story().contains("E-LABEL-UNCLEAR"), "{}", again.story());
    }
    factory.verify();
}
