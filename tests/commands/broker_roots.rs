//! The broker's certificate under the roots that devices are given.

use std::fs;

use crate::answering::{Answering, Tls};
use crate::cloud::{at, doctor};

#[test]
fn a_broker_verifies_under_its_own_root_among_others_and_no_other() {
    let (tls, other) = (Tls::new("localhost"), Tls::new("localhost"));
    let broker = Answering::error("-").behind(&tls);
    let station = at("http://127.0.0.1:9");
    let place = format!("host = \"localhost\"\nport = {}", broker.port());
    station.change("host = \"mqtt.example.com\"", &place);
    let roots = |files: &[&Tls]| {
        let text: String =
            files.iter().map(|tls| fs::read_to_string(tls.root()).unwrap()).collect();
        station.write("server-root.pem", &text);
        doctor(&station, "broker-root").1
    };
    assert_eq!(roots(&[&tls])["status"], "ok");
    assert_eq!(roots(&[&other, &tls])["status"], "ok");
    let line = roots(&[&other]);
    assert_eq!((&line["status"], &line["code"]), (&"fail".into(), &"E-CLOUD-BROKER".into()));
    // The server's own certificate is no root.
    fs::copy(tls.leaf(), station.path("server-root.pem")).unwrap();
    let line = doctor(&station, "broker-root").1;
    assert_eq!(line["status"], "fail", "{line}");
    assert!(
        line["detail"].as_str().unwrap().contains("can't be a device's trusted root"),
        "{line}"
    );
}

#[test]
fn a_broker_of_another_name_does_not_verify() {
    let tls = Tls::new("other.example.com");
    let broker = Answering::error("-").behind(&tls);
    let station = at("http://127.0.0.1:9");
    let place = format!("host = \"localhost\"\nport = {}", broker.port());
    station.change("host = \"mqtt.example.com\"", &place);
    fs::copy(tls.root(), station.path("server-root.pem")).unwrap();
    let line = doctor(&station, "broker-root").1;
    assert_eq!((&line["status"], &line["code"]), (&"fail".into(), &"E-CLOUD-BROKER".into()));
}
