//! Printers that answer nothing, complain, break off or are not there.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use super::*;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::labelling::Delivery;
use crate::domain::print::Language;

/// A printer that does this with the one connection that it takes.
fn stub<T: Send + 'static>(
    act: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (PrinterPlace, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = at(listener.local_addr().unwrap());
    (place, thread::spawn(move || act(listener.accept().unwrap().0)))
}

fn at(address: SocketAddr) -> PrinterPlace {
    PrinterPlace::Tcp { host: address.ip().to_string(), port: address.port() }
}

fn all(mut stream: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

fn sent(place: &PrinterPlace, bytes: &[u8]) -> Sent {
    open(place).unwrap().send(Outgoing { name: "TH200-1", language: Language::Zpl, bytes })
}

fn code(sent: &Sent) -> Code {
    Fault::from(sent.trouble.as_ref().unwrap()).code
}

#[test]
fn a_printer_that_answers_nothing_gets_every_byte() {
    let (place, printer) = stub(|stream| all(&stream));
    let label = sent(&place, b"^XA^XZ");
    assert_eq!((label.delivery, printer.join().unwrap()), (Delivery::Sent, b"^XA^XZ".to_vec()));
    // One that has read all and closes first, and one that stays silent, are no others.
    let (place, _printer) = stub(|mut stream| stream.read_exact(&mut [0; 6]).unwrap());
    assert_eq!(sent(&place, b"^XA^XZ").delivery, Delivery::Sent);
    let (told, tells) = std::sync::mpsc::channel::<()>();
    let (place, _printer) = stub(move |stream| (all(&stream), tells.recv()));
    assert_eq!(sent(&place, b"^XA^XZ").delivery, Delivery::Sent);
    drop(told);
}

#[test]
fn one_that_is_off_got_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = at(listener.local_addr().unwrap());
    drop(listener);
    let error = open(&place).unwrap_err();
    assert_eq!(Fault::from(&error).code, Code::LabelPrinter);
}

#[test]
fn an_answer_or_a_broken_connection_leaves_it_unclear() {
    let (place, _printer) = stub(|mut stream| {
        all(&stream);
        stream.write_all(b"ERROR: ribbon\x1b").unwrap();
    });
    let label = sent(&place, b"^XA^XZ");
    assert_eq!((label.delivery, code(&label)), (Delivery::Unclear, Code::LabelUnclear));
    let said = label.trouble.unwrap().to_string();
    assert!(said.contains("ERROR: ribbon") && !said.contains('\x1b'), "{said}");

    // It closes as soon as somebody is there: what is sent then comes too late.
    let (place, printer) = stub(drop);
    let opened = open(&place).unwrap();
    printer.join().unwrap();
    let label = opened.send(Outgoing { name: "A", language: Language::Zpl, bytes: b"^XA^XZ" });
    assert_eq!((label.delivery, code(&label)), (Delivery::Unclear, Code::LabelUnclear));

    // It closes with bytes unread, which breaks the connection.
    let (place, _printer) = stub(|mut stream| {
        stream.read_exact(&mut [0; 1]).unwrap();
    });
    let label = sent(&place, &[b'x'; 4 << 20]);
    assert_eq!((label.delivery, code(&label)), (Delivery::Unclear, Code::LabelUnclear));
}

#[test]
fn a_directory_has_a_file_for_each_label() {
    let dir = tempfile::tempdir().unwrap();
    let place = PrinterPlace::Path(dir.path().join("labels"));
    let label = Outgoing { name: "A/1 x", language: Language::Svg, bytes: b"<svg/>" };
    assert_eq!(open(&place).unwrap().send(label).delivery, Delivery::Sent);
    let path = dir.path().join("labels").join("A%2F1%20x.svg");
    assert_eq!(std::fs::read(path).unwrap(), b"<svg/>");
    assert_eq!(std::fs::read_dir(dir.path().join("labels")).unwrap().count(), 1);
    for nowhere in ["none/labels", "file"] {
        std::fs::write(dir.path().join("file"), "").unwrap();
        assert!(open(&PrinterPlace::Path(dir.path().join(nowhere))).is_err(), "{nowhere}");
    }
}

#[test]
fn what_may_have_come_out_is_unclear_and_what_was_refused_is_not() {
    let late = PrinterError::QueueLate(std::time::Duration::from_secs(10));
    assert_eq!(Fault::from(&late).code, Code::LabelUnclear);
    let refused = PrinterError::Queue("no such queue".to_owned());
    assert_eq!(Fault::from(&refused).code, Code::LabelPrinter);
}

#[test]
fn a_device_is_never_made() {
    let nowhere = PrinterPlace::Path("/dev/usb/lp99".into());
    assert_eq!(Fault::from(&open(&nowhere).unwrap_err()).code, Code::LabelPrinter);
    let taken = open(&PrinterPlace::Path("/dev/null".into())).unwrap();
    let label = Outgoing { name: "A", language: Language::Zpl, bytes: b"x" };
    assert_eq!(taken.send(label).delivery, Delivery::Sent);
}
