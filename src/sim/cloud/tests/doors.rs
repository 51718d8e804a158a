//! Who is let in: form, signature, place, permission, pace.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use super::client::{Ca, Call, ID, call, device, running};
use crate::cloud::options::{Credentials, Options};
use crate::cloud::server::{SimulatedCloud, start};

fn describe() -> Call {
    Call::new("DescribeInstance", &json!({"InstanceId": ID}))
}

fn code(call: Call, cloud: &SimulatedCloud) -> String {
    call.send(cloud).unwrap().fields().err().unwrap_or_default()
}

#[test]
fn a_request_in_the_wrong_form_or_place_is_refused() {
    let cloud = running();
    assert_eq!(code(describe(), &cloud), "");
    assert_eq!(code(describe().with("content-type", "text/plain"), &cloud), "InvalidRequest");
    let utf8 = "application/json; charset=utf-8";
    assert_eq!(code(describe().with("content-type", utf8), &cloud), "");
    assert_eq!(code(describe().with("x-tc-version", "2017-03-12"), &cloud), "NoSuchVersion");
    assert_eq!(code(describe().with("x-tc-version", ""), &cloud), "MissingParameter");
    assert_eq!(code(describe().with("x-tc-region", "ap-nowhere"), &cloud), "UnsupportedRegion");
    assert_eq!(code(describe().with("x-tc-region", ""), &cloud), "MissingParameter");
    let action = "RevokeDeviceCertificate";
    assert_eq!(code(describe().with("x-tc-action", action), &cloud), "InvalidAction");
    let other = Call::new("DescribeInstance", &json!({"InstanceId": "mqtt-other"}));
    assert_eq!(code(other, &cloud), "ResourceNotFound.Instance");
    assert_eq!(code(Call::new("DescribeInstance", &json!({})), &cloud), "MissingParameter");
    let more = Call::new("DescribeInstance", &json!({"InstanceId": ID, "Limit": 1}));
    assert_eq!(code(more, &cloud), "UnknownParameter");
    let mut elsewhere = describe();
    elsewhere.start_line = "POST /v1 HTTP/1.1".to_owned();
    assert_eq!(code(elsewhere, &cloud), "InvalidRequest");
}

#[test]
fn only_who_has_the_key_and_a_right_clock_is_let_in() {
    let cloud = running();
    let mut wrong_key = describe();
    wrong_key.key.secret_key = "another".to_owned();
    assert_eq!(code(wrong_key, &cloud), "AuthFailure.SignatureFailure");
    let mut unknown = describe();
    unknown.key.secret_id = "AKIDother".to_owned();
    assert_eq!(code(unknown, &cloud), "AuthFailure.SecretIdNotFound");
    let mut late = describe();
    late.time -= 330;
    assert_eq!(code(late, &cloud), "AuthFailure.SignatureExpire");
    let none = describe().with("authorization", "none");
    assert_eq!(code(none, &cloud), "AuthFailure.InvalidAuthorization");
}

#[test]
fn where_there_is_a_revoker_only_he_revokes_and_he_does_nothing_else() {
    let revoker = Credentials {
        secret_id: "AKIDrevoker".to_owned(),
        secret_key: "revoke".to_owned(),
        token: Some("token".to_owned()),
    };
    let options = Options { revoker: Some(revoker.clone()), ..Options::default() };
    let cloud = start(options).unwrap();
    let of_revoker = |action: &str, fields| {
        let mut call = Call::new(action, &fields).with("x-tc-token", "token");
        call.key = revoker.clone();
        code(call, &cloud)
    };
    let ca = Ca::new(&[0x11]);
    let sn = ca.register(&cloud);
    let mut fields = device(&ca.issue("unit-1", &[0x21]), &sn, "unit-1");
    fields["InstanceId"] = ID.into();
    let denied = "AuthFailure.UnauthorizedOperation";
    assert_eq!(of_revoker("RegisterDeviceCertificate", fields.clone()), denied);
    call(&cloud, "RegisterDeviceCertificate", fields).unwrap();
    let one = json!({"InstanceId": ID, "DeviceCertificateSn": "21"});
    assert_eq!(code(Call::new("RevokedDeviceCertificate", &one), &cloud), denied);
    assert_eq!(of_revoker("RevokedDeviceCertificate", one.clone()), "");
    assert_eq!(of_revoker("DescribeDeviceCertificate", one.clone()), "");
    let mut without_token = Call::new("DescribeDeviceCertificate", &one);
    without_token.key = revoker.clone();
    assert_eq!(code(without_token, &cloud), "AuthFailure.TokenFailure");
}

#[test]
fn beyond_the_rate_requests_are_refused_and_not_done() {
    let cloud = start(Options { rate: Some(2), ..Options::default() }).unwrap();
    let ca = Ca::new(&[0x11]);
    let sn = ca.register(&cloud);
    let codes: Vec<String> = (1..=6)
        .map(|number| {
            let id = format!("unit-{number}");
            let fields = device(&ca.issue(&id, &[0x20 + number]), &sn, &id);
            call(&cloud, "RegisterDeviceCertificate", fields).err().unwrap_or_default()
        })
        .collect();
    let taken: Vec<u64> = cloud
        .requests()
        .iter()
        .filter(|request| request.action == "RegisterDeviceCertificate" && request.code.is_none())
        .map(|request| request.at_us)
        .collect();
    assert_eq!(taken.len(), codes.iter().filter(|code| code.is_empty()).count());
    for window in taken.windows(3) {
        assert!(window[2] - window[0] >= 1_000_000, "{taken:?}");
    }
    let listed = call(&cloud, "DescribeDeviceCertificates", json!({})).unwrap();
    assert_eq!(listed["TotalCount"], taken.len());
    // Issuing six certificates takes far less than the three seconds they would need.
    assert!(codes.contains(&"RequestLimitExceeded".to_owned()), "{codes:?}");
}

/// Waits until the cloud closes a connection, to which bytes are sent all the while.
fn drips_until_closed(cloud: &SimulatedCloud, begin: &str) {
    let mut stream = TcpStream::connect(cloud.address()).unwrap();
    stream.write_all(begin.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    for _ in 0..1_000 {
        match stream.read(&mut [0; 64]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // An answer that says so, or the end.
            Ok(_) | Err(_) => return,
        }
        if stream.write_all(b"x").is_err() {
            return;
        }
    }
    panic!("a client that drips is heard for ever: {begin:?}");
}

#[test]
fn a_request_has_one_deadline_however_its_bytes_come() {
    let patience = Duration::from_millis(200);
    let cloud = start(Options { patience, ..Options::default() }).unwrap();
    drips_until_closed(&cloud, "POST / HTTP/1.1\r\nhost: ");
    drips_until_closed(&cloud, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9999999\r\n\r\n");
    let mut silent = TcpStream::connect(cloud.address()).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(silent.read(&mut [0; 64]).unwrap(), 0, "a silent client is kept");
}

#[test]
fn connections_are_counted_and_beyond_the_last_place_one_is_closed() {
    let cloud = running();
    let mut held: Vec<TcpStream> = Vec::new();
    for _ in 0..512 {
        held.push(TcpStream::connect(cloud.address()).unwrap());
    }
    let mut last = held.pop().unwrap();
    last.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert!(matches!(last.read(&mut [0; 64]), Ok(0) | Err(_)), "there is no last place");
    drop(held);
    // Places are given back as the cloud sees the connections end.
    let again = (0..1_000).any(|_| describe().send(&cloud).is_ok());
    assert!(again, "no place was given back");
}
